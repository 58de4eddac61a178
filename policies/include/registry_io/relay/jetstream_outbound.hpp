// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// A handler that publishes events to a stream of a NATS server at least once. Events wait in a
// bounded buffer, and a thread sends each event until the server has acknowledged it. So no notify
// waits for the network.

#ifndef REGISTRY_IO_RELAY_JETSTREAM_OUTBOUND_HPP
#define REGISTRY_IO_RELAY_JETSTREAM_OUTBOUND_HPP

#include <registry_io/detail/supported.hpp>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include <nats/nats.h>

#include <registry_io/config.hpp>
#include <registry_io/queued/mailbox.hpp>
#include <registry_io/queued/pump.hpp>
#include <registry_io/relay/detail/message.hpp>
#include <registry_io/relay/detail/stream.hpp>
#include <registry_io/relay/jetstream_stream.hpp>
#include <registry_io/relay/nats_connection.hpp>

namespace registry_io {
inline namespace v1 {
namespace relay {
namespace jetstream {

/// How an `outbound` sends events.
struct outbound_options
{
    /// The schema that each message names, unless it is empty.
    std::string schema = "";
    /// How long to wait for the server's acknowledgement before sending the event again.
    std::chrono::milliseconds ack_wait{2000};
    /// How long to wait before the next attempt.
    std::chrono::milliseconds retry_wait{100};
    /// How long the destructor waits for the acknowledgement of all events. Then it gives up the
    /// rest.
    std::chrono::milliseconds linger{5000};
    /// Called for each event that is given up or refused, on the thread that sends; must not throw.
    std::function<void(dead_letter const&)> on_dead = nullptr;
};

/// What an `outbound` has done. Each event is counted exactly once among `acknowledged`, `waiting`,
/// `dead`, `dropped`, `full`, `too_large`, `unencoded` and `returned`.
struct outbound_stats
{
    std::uint64_t acknowledged = 0;  ///< stored by the server
    std::uint64_t waiting = 0;       ///< kept until the server acknowledges them
    std::uint64_t dead = 0;          ///< refused or given up, see `dead_letter`
    std::uint64_t dropped = 0;       ///< the buffer was full, and the policy drops events
    std::uint64_t full = 0;          ///< the buffer was full, and the policy refuses events
    std::uint64_t too_large = 0;     ///< larger than the server accepts
    std::uint64_t unencoded = 0;     ///< the codec threw
    std::uint64_t returned = 0;      ///< came from the same subject: not sent
    std::uint64_t resent = 0;        ///< further attempts to send an event
    std::uint64_t duplicates = 0;  ///< of the acknowledged: the server had stored the event before
};

/// Publishes the events of a registry to a subject that a stream of the server keeps, at least
/// once.
///
/// The handler encodes the event and puts it into a buffer of `Capacity` events; `WhenFull` says
/// what happens when the buffer is full: `queued::fail` (counted as `full`), `queued::drop_newest`,
/// `queued::drop_oldest`, or `queued::block<ms>`. No error leaves the handler, which never waits
/// for the network. A thread sends one event after the other, and sends an event again until the
/// server acknowledges it. So the stream keeps the order in which each thread notified, whatever
/// fails. An event costs a round trip to the server.
///
/// Each message has an id, by which the stream recognises a message that was sent twice. If the
/// codec has a function `Codec::id(Event const&)`, which returns a `std::string`, its result is the
/// id; otherwise the id is a name that is never used again. Events that wait are lost if the
/// process dies.
///
/// While an `inbound` of the same connection notifies, the handler sends nothing back to the
/// subject that the received message came from. This holds on the notifying thread only.
template <class Event, std::size_t Capacity = 1024, class WhenFull = queued::fail,
          class Codec = json_codec<Event>>
class outbound
{
    static_assert(
        detail::keeps_order<WhenFull>,
        "registry_io: the third argument of an outbound says what happens when its buffer is "
        "full; write queued::fail, drop_newest, drop_oldest or block<ms>");

public:
    /// Registers the handler, and starts the thread.
    ///
    /// `Codec::encode(Event const&)` returns a `std::string`. Throws `std::invalid_argument` if the
    /// subject is not valid, `nats::error`, `std::system_error` if no thread can be started, and
    /// what registering throws.
    template <class Registry>
    outbound(connection& c, Registry& registry, std::string subject, outbound_options o = {})
        : connection_(c), js_(c), subject_(std::move(subject)), options_(std::move(o))
    {
        nats::detail::check_subject(subject_, false);
        name_ = nats::detail::unique_name();
        pump_.emplace(mailbox_, sender_, "registry_io relay");
        handler_.emplace(registry, [this](Event const& e) { nats::detail::count(keep(e)); });
    }
    outbound(outbound const&) = delete;
    outbound& operator=(outbound const&) = delete;
    /// Removes the handler, and waits until no thread runs it; then waits up to `linger` for
    /// the server. Precondition: the caller is not a handler of the registry.
    ~outbound()
    {
        handler_.reset();
        {
            std::lock_guard<std::mutex> const lock(mutex_);
            end_ = clock::now() + options_.linger;
            changed_.notify_all();
        }
        pump_.reset();
    }

    /// Waits up to `limit` until no event waits. Returns whether none does. Throws: nothing.
    bool flush(std::chrono::milliseconds limit = std::chrono::seconds(5)) noexcept
    {
        std::unique_lock<std::mutex> lock(mutex_);
        return changed_.wait_for(lock, limit, [this] { return waiting() == 0; });
    }

    /// Returns the counts. They are exact when no thread notifies or sends meanwhile. Throws:
    /// nothing.
    outbound_stats stats() const noexcept
    {
        auto const get = nats::detail::count_of;
        outbound_stats s;
        s.acknowledged = get(acknowledged_);
        s.dead = get(dead_);
        s.dropped = mailbox_.stats().dropped;
        s.full = get(full_);
        s.too_large = get(too_large_);
        s.unencoded = get(unencoded_);
        s.returned = get(returned_);
        s.resent = get(resent_);
        s.duplicates = get(duplicates_);
        s.waiting = waiting();
        return s;
    }

private:
    using counter = nats::detail::counter;
    using clock = std::chrono::steady_clock;
    struct message
    {
        std::string text;
        std::string id;  // if empty, `send` makes one
    };
    /// The registry that the pump drains into.
    struct sender
    {
        void notify(message const& m) const noexcept { self->send(m); }
        outbound* self;
    };

    /// The handler. Returns the counter to increment; `accepted_` counts the events that are kept.
    counter& keep(Event const& e) noexcept
    {
        if (nats::detail::came_from(connection_, subject_))
            return returned_;
        message m;
        auto text = nats::detail::guarded([&] {
            if constexpr (requires { Codec::id(e); })
                m.id = Codec::id(e);
            return Codec::encode(e);
        });
        if (!text)
            return unencoded_;
        if (!nats::detail::fits(connection_, *text))
            return too_large_;
        m.text = std::move(*text);
        switch (mailbox_.post(std::move(m))) {
        case queued::post_result::posted:
            return accepted_;
        case queued::post_result::dropped:
            return refused_newest_;
        default:
            return full_;
        }
    }

    std::uint64_t waiting() const noexcept
    {
        // Read the settled events first: each was accepted earlier, but another thread counts that.
        std::uint64_t const settled = nats::detail::count_of(acknowledged_) +
            nats::detail::count_of(dead_) + mailbox_.stats().dropped;
        std::uint64_t const all =
            nats::detail::count_of(accepted_) + nats::detail::count_of(refused_newest_);
        return all > settled ? all - settled : 0;
    }

    // ----- on the thread of the pump

    /// Sends an event until the server has stored it or refuses it for good, or the `outbound`
    /// gives up.
    void send(message const& m) noexcept
    {
        std::uint64_t attempts = 0;
        counter* settled = nullptr;
        std::uint64_t const number = number_++;
        while (settled == nullptr) {
            if (over())
                settled = &dead_letter_of(dead_reason::given_up, m, attempts);
            else if (natsConnection_Status(connection_.native_handle()) ==
                     NATS_CONN_STATUS_CONNECTED) {
                auto const id = nats::detail::guarded(
                    [&] { return m.id.empty() ? name_ + '.' + std::to_string(number) : m.id; });
                if (attempts++ != 0)
                    nats::detail::count(resent_);
                if (id)
                    settled = attempt(m, *id, attempts);
            }
            if (settled == nullptr)
                pause();
        }
        std::lock_guard<std::mutex> const lock(mutex_);
        nats::detail::count(*settled);
        changed_.notify_all();
    }

    /// Returns the counter to increment, or null for another attempt.
    counter* attempt(message const& m, std::string const& id, std::uint64_t attempts) noexcept
    {
        jsPubOptions how;
        jsPubOptions_Init(&how);
        how.MsgId = id.c_str();
        how.MaxWait = options_.ack_wait.count();
        nats::detail::message_owner out;
        natsStatus s = nats::detail::make_message(out, subject_, m.text, options_.schema);
        if (s == NATS_OK)
            s = natsMsgHeader_Set(out.get(), detail::origin_header, connection_.id().c_str());
        jsPubAck* made = nullptr;
        jsErrCode code{};
        if (s == NATS_OK)
            s = js_PublishMsg(&made, js_.get(), out.get(), &how, &code);
        nats::detail::owner<jsPubAck, &jsPubAck_Destroy> const ack(made);
        if (s == NATS_OK) {
            if (ack->Duplicate)
                nats::detail::count(duplicates_);
            return &acknowledged_;
        }
        if (s == NATS_MAX_PAYLOAD || code == JSStreamMessageExceedsMaximumErr)
            return &dead_letter_of(dead_reason::refused, m, attempts);
        // Anything else may change: the connection, room in the stream, a missing stream.
        return nullptr;
    }

    counter& dead_letter_of(dead_reason why, message const& m, std::uint64_t attempts) noexcept
    {
        if (options_.on_dead)
            options_.on_dead({why, subject_, m.text, attempts});
        return dead_;
    }

    /// Returns whether to give up.
    bool over() noexcept
    {
        std::lock_guard<std::mutex> const lock(mutex_);
        natsConnStatus const s = natsConnection_Status(connection_.native_handle());
        return (end_ && clock::now() >= *end_) || s == NATS_CONN_STATUS_CLOSED;
    }

    void pause() noexcept
    {
        std::unique_lock<std::mutex> lock(mutex_);
        changed_.wait_for(lock, options_.retry_wait);
    }

    connection& connection_;
    detail::context js_;
    std::string subject_;
    outbound_options options_;
    std::string name_;
    std::uint64_t number_ = 0;
    counter accepted_{0};
    counter refused_newest_{0};
    counter acknowledged_{0};
    counter dead_{0};
    counter full_{0};
    counter too_large_{0};
    counter unencoded_{0};
    counter returned_{0};
    counter resent_{0};
    counter duplicates_{0};
    std::mutex mutex_;
    std::condition_variable changed_;  // an event is settled, or the end has come
    std::optional<clock::time_point> end_;
    sender sender_{this};
    queued::mailbox<message, Capacity, WhenFull> mailbox_;
    std::optional<queued::pump> pump_;
    std::optional<nats::detail::registered> handler_;
};

}  // namespace jetstream
}  // namespace relay
}  // namespace v1
}  // namespace registry_io

#endif
