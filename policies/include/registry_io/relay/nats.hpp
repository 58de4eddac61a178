// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Relays the events of a registry to other processes and back at most once, through a NATS server.
// `outbound` is a handler that publishes; `inbound` is a subscription that notifies. Both count the
// events that are known to be lost. For delivery at least once, see `relay/jetstream.hpp`.

#ifndef REGISTRY_IO_RELAY_NATS_HPP
#define REGISTRY_IO_RELAY_NATS_HPP

#include <registry_io/detail/supported.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include <boost/core/no_exceptions_support.hpp>

#include <nats/nats.h>

#include <registry_io/config.hpp>
#include <registry_io/relay/detail/message.hpp>
#include <registry_io/relay/nats_connection.hpp>

namespace registry_io {
inline namespace v1 {
namespace relay {
namespace nats {

/// What an `outbound` has done with the events that its handler was called with.
struct outbound_stats
{
    std::uint64_t published = 0;  ///< given to the client library; it may be lost on the way
    std::uint64_t dropped = 0;    ///< not taken by the client library: closed, or no room offline
    std::uint64_t too_large = 0;  ///< larger than the server accepts
    std::uint64_t unencoded = 0;  ///< the codec threw
    std::uint64_t returned = 0;   ///< came from the same subject: not sent
};

/// What an `inbound` has done with the messages that it received.
struct inbound_stats
{
    std::uint64_t notified = 0;  ///< the registry was notified
    std::uint64_t rejected = 0;  ///< wrong schema, or the codec threw
    std::uint64_t failed = 0;    ///< `notify` threw
    std::uint64_t dropped = 0;   ///< too many messages waited for the handlers
};

/// Publishes the events of a registry to a subject, for as long as it lives.
///
/// Delivers at most once: an event is lost if the connection breaks while the event is on its way.
/// If the client library does not take an event, it is counted as dropped. No error leaves the
/// handler. The handler copies the encoded event into the client library's buffer, and waits for
/// the network only if the buffer is full. To keep the network away from the notifying thread, put
/// a `queued::mailbox` in front.
///
/// While an `inbound` of the same connection notifies, the handler sends nothing back to the
/// subject that the received message came from. This holds on the notifying thread only.
template <class Event, class Codec = json_codec<Event>>
class outbound
{
public:
    /// Registers the handler. `schema`, if it is not empty, goes with each message.
    ///
    /// `Codec::encode(Event const&)` returns a `std::string`. Throws `std::invalid_argument` if the
    /// subject is not valid, and what registering throws.
    template <class Registry>
    outbound(connection& c, Registry& registry, std::string subject, std::string schema = "")
        : connection_(c), subject_(std::move(subject)), schema_(std::move(schema))
    {
        detail::check_subject(subject_, false);
        handler_.emplace(registry, [this](Event const& e) { publish(e); });
    }
    outbound(outbound const&) = delete;
    outbound& operator=(outbound const&) = delete;
    /// Removes the handler, and waits until no thread runs it. Precondition: the caller is not
    /// a handler of the registry.
    ~outbound() = default;

    /// Returns the counts. Throws: nothing.
    outbound_stats stats() const noexcept
    {
        auto const get = detail::count_of;
        return {get(published_), get(dropped_), get(too_large_), get(unencoded_), get(returned_)};
    }

private:
    using counter = detail::counter;

    void publish(Event const& e) noexcept { detail::count(published(e)); }

    /// Publishes the event, and returns the counter to increment.
    counter& published(Event const& e) noexcept
    {
        if (detail::came_from(connection_, subject_))
            return returned_;
        std::optional<std::string> const text = detail::guarded([&] { return Codec::encode(e); });
        if (!text)
            return unencoded_;
        if (!detail::fits(connection_, *text))
            return too_large_;
        detail::message_owner message;
        natsStatus s = detail::make_message(message, subject_, *text, schema_);
        if (s == NATS_OK)
            s = natsConnection_PublishMsg(connection_.native_handle(), message.get());
        return s == NATS_OK ? published_ : s == NATS_MAX_PAYLOAD ? too_large_ : dropped_;
    }

    connection& connection_;
    std::string subject_;
    std::string schema_;
    counter published_{0};
    counter dropped_{0};
    counter too_large_{0};
    counter unencoded_{0};
    counter returned_{0};
    std::optional<detail::registered> handler_;
};

/// Notifies a registry of the events that are published to a subject, for as long as it lives.
///
/// Handlers run on a thread of the client library, one message after the other, in the order in
/// which each sender published. Messages that the same connection sent are not received.
template <class Event, class Codec = json_codec<Event>>
class inbound
{
public:
    /// Subscribes. The subject may have wildcards. If `schema` is not empty, messages without this
    /// schema are rejected.
    ///
    /// `Codec::decode(std::string_view)` returns an `Event`, or throws. Throws
    /// `std::invalid_argument` if the subject is not valid, `error`, and `std::bad_alloc`.
    template <class Registry>
    inbound(connection& c, Registry& registry, std::string const& subject, std::string schema = "")
        : connection_(c),
          schema_(std::move(schema)),
          notify_([&registry](Event const& e) { static_cast<void>(registry.notify(e)); })
    {
        detail::check_subject(subject, true);
        natsSubscription* made = nullptr;
        detail::throw_unless_ok(
            natsConnection_Subscribe(&made, c.native_handle(), subject.c_str(), &on_message, this),
            "cannot subscribe");
        subscription_.watch(made);
    }
    inbound(inbound const&) = delete;
    inbound& operator=(inbound const&) = delete;
    /// Unsubscribes, and waits for running handlers. Discards messages that were received and not
    /// yet handled. Precondition: the caller is not a handler that this `inbound` runs.
    ~inbound() = default;

    /// Returns the counts. Throws: nothing.
    inbound_stats stats() const noexcept
    {
        std::int64_t dropped = 0;
        natsSubscription_GetDropped(subscription_.get(), &dropped);
        auto const get = detail::count_of;
        return {get(notified_), get(rejected_), get(failed_), static_cast<std::uint64_t>(dropped)};
    }

private:
    using counter = detail::counter;

    static void on_message(natsConnection*, natsSubscription*, natsMsg* m, void* self) noexcept
    {
        detail::message_owner const message(m);
        static_cast<inbound*>(self)->receive(m);
    }

    void receive(natsMsg* m) noexcept
    {
        if (!detail::has_schema(m, schema_))
            return detail::count(rejected_);
        counter* failed = &rejected_;
        BOOST_TRY
        {
            Event const event = Codec::decode(detail::text_of(m));
            failed = &failed_;
            detail::arriving_scope const here(&connection_, natsMsg_GetSubject(m));
            notify_(event);
            detail::count(notified_);
        }
        BOOST_CATCH(...)
        {
            detail::count(*failed);
        }
        BOOST_CATCH_END
    }

    connection& connection_;
    std::string schema_;
    std::function<void(Event const&)> notify_;
    counter notified_{0};
    counter rejected_{0};
    counter failed_{0};
    detail::subscription subscription_;  // last, so that it is destroyed first
};

}  // namespace nats
}  // namespace relay
}  // namespace v1
}  // namespace registry_io

#endif
