// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Events of a registry on their way to other processes and back, by a NATS server: `outbound` is a
// handler that publishes, `inbound` a subscription that notifies. Both deliver at most once: what
// is lost is counted. For delivery at least once, see `relay/jetstream.hpp`.

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

/// What an `outbound` has done with the events that it was called with.
struct outbound_stats
{
    std::uint64_t published = 0;  ///< given to the client library; it may be lost on the way
    std::uint64_t dropped = 0;  ///< refused by it: closed, or no room while there is no connection
    std::uint64_t too_large = 0;  ///< longer than the server takes
    std::uint64_t unencoded = 0;  ///< the codec threw
    std::uint64_t returned = 0;   ///< not sent, as they came from the same subject
};

/// What an `inbound` has done with the messages that it got.
struct inbound_stats
{
    std::uint64_t notified = 0;  ///< the registry was notified
    std::uint64_t rejected = 0;  ///< another schema, or the codec threw
    std::uint64_t failed = 0;    ///< `notify` threw
    std::uint64_t dropped = 0;   ///< too many waited for the handlers
};

/// Publishes the events of a registry to a subject, for as long as it lives.
///
/// At most once: an event is lost if the connection breaks while it is on its way, and counted as
/// dropped if the client library does not take it. No error leaves the handler. Publishing copies
/// the encoded event into the client library's buffer, and waits for the network only if that is
/// full. To keep the network away from the thread that notifies, put a `queued::mailbox` in front.
///
/// An event that an `inbound` of the same connection is notifying of is not sent back to the
/// subject that it came from, if it is notified of on the same thread.
template <class Event, class Codec = json_codec<Event>>
class outbound
{
public:
    /// Registers the handler. `schema`, if it is not empty, goes with each message.
    ///
    /// `Codec::encode(Event const&)` returns a `std::string`. Throws `std::invalid_argument` if the
    /// subject is none, and what registering throws.
    template <class Registry>
    outbound(connection& c, Registry& registry, std::string subject, std::string schema = "")
        : connection_(c), subject_(std::move(subject)), schema_(std::move(schema))
    {
        detail::check_subject(subject_, false);
        handler_.emplace(registry, [this](Event const& e) { publish(e); });
    }
    outbound(outbound const&) = delete;
    outbound& operator=(outbound const&) = delete;
    /// Removes the handler, and waits until it runs nowhere. Precondition: the caller is no handler
    /// of the registry.
    ~outbound() = default;

    /// The counts. Throws: nothing.
    outbound_stats stats() const noexcept
    {
        auto const get = detail::count_of;
        return {get(published_), get(dropped_), get(too_large_), get(unencoded_), get(returned_)};
    }

private:
    using counter = detail::counter;

    void publish(Event const& e) noexcept { detail::count(published(e)); }

    /// Publishes, and returns what is to be counted.
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

/// Notifies a registry of what is published to a subject, for as long as it lives.
///
/// Handlers run on a thread of the client library, one message after the other, in the order in
/// which each sender published. Messages of this connection's own are not received.
template <class Event, class Codec = json_codec<Event>>
class inbound
{
public:
    /// Subscribes. The subject may have wildcards. If `schema` is not empty, messages without it,
    /// or with another one, are rejected.
    ///
    /// `Codec::decode(std::string_view)` returns an `Event`, or throws. Throws
    /// `std::invalid_argument` if the subject is none, `error`, and `std::bad_alloc`.
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
    /// Unsubscribes, and waits for the handlers that run. What was received and waits is given up.
    /// Precondition: the caller is no handler that this runs.
    ~inbound() = default;

    /// The counts. Throws: nothing.
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
    detail::subscription subscription_;  // the last one: its end comes first
};

}  // namespace nats
}  // namespace relay
}  // namespace v1
}  // namespace registry_io

#endif
