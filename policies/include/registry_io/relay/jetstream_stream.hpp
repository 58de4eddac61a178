// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The streams of a NATS server: how to create one, and what an application learns about an event
// that could not be delivered.

#ifndef REGISTRY_IO_RELAY_JETSTREAM_STREAM_HPP
#define REGISTRY_IO_RELAY_JETSTREAM_STREAM_HPP

#include <registry_io/detail/supported.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include <nats/nats.h>

#include <registry_io/config.hpp>
#include <registry_io/relay/detail/message.hpp>
#include <registry_io/relay/detail/stream.hpp>
#include <registry_io/relay/nats_connection.hpp>

namespace registry_io {
inline namespace v1 {
namespace relay {

/// Delivery at least once, through a stream of a NATS server.
namespace jetstream {

using nats::connection;

/// Why an event is not delivered.
enum class dead_reason : unsigned char {
    refused,   ///< the message is larger than the stream accepts: the server will never store it
    given_up,  ///< the `outbound` or its connection ended before the server had acknowledged it
    rejected,  ///< an `inbound` received the wrong schema, or its codec threw
    failed     ///< the handlers have failed as often as `most_attempts` says
};

/// An event that is not delivered.
struct dead_letter
{
    dead_reason why;           ///< the reason
    std::string_view subject;  ///< the subject that it was sent to
    std::string_view text;     ///< the encoded event
    std::uint64_t attempts;    ///< how often it was sent or delivered
};

/// The stream that keeps the events.
struct stream_options
{
    /// The name of the stream.
    std::string name;
    /// The subject whose events the stream keeps; may have wildcards.
    std::string subject;
    /// The most events that the stream keeps. A full stream refuses events, which then stay with
    /// their `outbound`. If negative, only the server's limits apply. Do not use a limit in bytes
    /// (`MaxBytes`) instead: when an event crosses that limit, nats-server 2.9 discards the oldest
    /// event, whatever the policy.
    std::int64_t most_messages = -1;
    /// How long the stream remembers the ids of messages, to recognise a message that is sent
    /// twice.
    std::chrono::milliseconds remember_ids = std::chrono::minutes(2);
    /// Called with the configuration before it goes to the server. Set, for example, limits
    /// (`c->MaxAge`) or the number of replicas. `c->Retention = js_WorkQueuePolicy` removes
    /// acknowledged events; after nats-server 2.9 was killed, a consumer may then wait for ever for
    /// the acknowledgement of a removed event.
    std::function<void(jsStreamConfig*)> configure = nullptr;
};

/// Creates the stream, or gives an existing one this configuration. Throws `std::invalid_argument`
/// if the subject is not valid, and `nats::error`.
inline void set_up_stream(connection& c, stream_options const& o)
{
    nats::detail::check_subject(o.subject, true);
    jsStreamConfig config;
    jsStreamConfig_Init(&config);
    char const* subject = o.subject.c_str();
    config.Name = o.name.c_str();
    config.Subjects = &subject;
    config.SubjectsLen = 1;
    config.MaxMsgs = o.most_messages;
    // The other policy discards the oldest events, which nobody may have received.
    config.Discard = js_DiscardNew;
    config.Duplicates = detail::nanoseconds(o.remember_ids);
    if (o.configure)
        o.configure(&config);
    detail::context const js(c);
    jsErrCode code{};
    natsStatus s = js_AddStream(nullptr, js.get(), &config, nullptr, &code);
    if (code == JSStreamNameExistErr)
        s = js_UpdateStream(nullptr, js.get(), &config, nullptr, &code);
    nats::detail::throw_unless_ok(s, "cannot set up a stream");
}

}  // namespace jetstream
}  // namespace relay
}  // namespace v1
}  // namespace registry_io

#endif
