// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// A subscription to a stream of a NATS server that notifies a registry at least once. It
// acknowledges a message after the handlers have succeeded. After a failure or a crash, the server
// delivers the message again.

#ifndef REGISTRY_IO_RELAY_JETSTREAM_INBOUND_HPP
#define REGISTRY_IO_RELAY_JETSTREAM_INBOUND_HPP

#include <registry_io/detail/supported.hpp>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include <boost/core/no_exceptions_support.hpp>

#include <nats/nats.h>

#include <registry_io/config.hpp>
#include <registry_io/detail/raise.hpp>
#include <registry_io/relay/detail/message.hpp>
#include <registry_io/relay/detail/stream.hpp>
#include <registry_io/relay/jetstream_stream.hpp>
#include <registry_io/relay/nats_connection.hpp>

namespace registry_io {
inline namespace v1 {
namespace relay {
namespace jetstream {

/// How an `inbound` receives events.
struct inbound_options
{
    /// The stream that keeps the events.
    std::string stream;
    /// The name under which the server remembers which events were acknowledged, without dots.
    /// Programs that use the same name share the events.
    std::string consumer;
    /// If not empty, messages without this schema are rejected.
    std::string schema = "";
    /// How many events may be delivered and not yet acknowledged. With 1, the server delivers the
    /// next event when the current one is acknowledged or dead, so the order of each sender is kept
    /// even if handlers fail. With more, an event that fails is delivered again behind later ones.
    int most_in_flight = 1;
    /// How often the server delivers an event before it is dead.
    unsigned most_attempts = 5;
    /// How long the server waits for the acknowledgement before it delivers an event again. Must be
    /// longer than the handlers take.
    std::chrono::milliseconds ack_wait{10000};
    /// How long the server waits before it delivers an event again after a handler has failed.
    std::chrono::milliseconds retry_wait{200};
    /// Called for each dead event, on the thread that receives. If it throws, the server delivers
    /// the event again.
    std::function<void(dead_letter const&)> on_dead = nullptr;
    /// Called with the configuration before it goes to the server. Set, for example,
    /// `c->DeliverPolicy`, which says where a new consumer begins.
    std::function<void(jsConsumerConfig*)> configure = nullptr;
};

/// What an `inbound` has done with the messages that it received.
struct inbound_stats
{
    std::uint64_t notified = 0;    ///< the handlers have succeeded
    std::uint64_t failed = 0;      ///< attempts in which a handler has failed
    std::uint64_t rejected = 0;    ///< wrong schema, or the codec threw; part of `dead`
    std::uint64_t dead = 0;        ///< given to `on_dead`
    std::uint64_t returned = 0;    ///< sent by the same connection: not notified
    std::uint64_t duplicates = 0;  ///< handled before, and skipped
    /// Messages that the server had delivered before, to this `inbound` or to an earlier one. After
    /// a crash, the handlers may have run already.
    std::uint64_t redelivered = 0;
};

/// Notifies a registry of the events in a stream of the server, at least once.
///
/// The event is acknowledged when its handlers have succeeded: `notify` has returned, and its
/// result, if any, is `empty()` (`panic::collect`). If a handler fails, the server delivers the
/// event again, `most_attempts` times in all; then the event goes to `on_dead`. The server also
/// delivers an event again if the connection or the process ends before the acknowledgement
/// arrives. The same `inbound` recognises such an event and does not run its handlers a second
/// time; the next process cannot.
///
/// Handlers run on a thread of the `inbound`, one message after the other. It acknowledges messages
/// that its own connection sent, and does not notify of them.
template <class Event, class Codec = json_codec<Event>>
class inbound
{
public:
    /// Creates the consumer, or gives an existing one this configuration, and subscribes. The
    /// subject may have wildcards.
    ///
    /// `Codec::decode(std::string_view)` returns an `Event`, or throws. Throws
    /// `std::invalid_argument` if the subject is not valid or a number is not positive,
    /// `nats::error`, `std::system_error` if no thread can be started, and `std::bad_alloc`.
    template <class Registry>
    inbound(connection& c, Registry& registry, std::string const& subject, inbound_options o)
        : connection_(c),
          js_(c),
          options_(std::move(o)),
          succeeds_([&registry](Event const& e) { return detail::succeeds(registry, e); })
    {
        static_assert(detail::shows_failures<Registry, Event>,
                      "registry_io: an event is acknowledged when its handlers have succeeded, but "
                      "notify of this registry does not show that a handler has failed; choose "
                      "panic::propagate or panic::collect");
        nats::detail::check_subject(subject, true);
        if (options_.most_in_flight < 1 || options_.most_attempts < 1)
            registry_io::detail::raise(
                std::invalid_argument("registry_io: most_in_flight and most_attempts of an inbound "
                                      "must be at least 1"));
        set_up(subject);
        jsSubOptions how;
        jsSubOptions_Init(&how);
        how.Stream = options_.stream.c_str();
        how.Consumer = options_.consumer.c_str();
        natsSubscription* made = nullptr;
        nats::detail::throw_unless_ok(js_PullSubscribe(&made, js_.get(), subject.c_str(),
                                                       options_.consumer.c_str(), nullptr, &how,
                                                       nullptr),
                                      "cannot subscribe");
        subscription_.reset(made);
        thread_ = std::thread([this] { run(); });
    }
    inbound(inbound const&) = delete;
    inbound& operator=(inbound const&) = delete;
    /// Unsubscribes, and waits for running handlers. Messages that were received and not yet
    /// handled stay in the stream. Precondition: the caller is not a handler that this `inbound`
    /// runs.
    ~inbound()
    {
        {
            std::lock_guard<std::mutex> const lock(mutex_);
            stops_ = true;
            changed_.notify_all();
        }
        natsSubscription_Unsubscribe(subscription_.get());  // ends the wait for messages
        thread_.join();
    }

    /// Returns the counts. Throws: nothing.
    inbound_stats stats() const noexcept
    {
        auto const get = nats::detail::count_of;
        return {get(notified_), get(failed_),     get(rejected_),   get(dead_),
                get(returned_), get(duplicates_), get(redelivered_)};
    }

private:
    using counter = nats::detail::counter;

    void set_up(std::string const& subject)
    {
        char const* const stream = options_.stream.c_str();
        char const* const consumer = options_.consumer.c_str();
        jsConsumerInfo* found = nullptr;
        jsErrCode code{};
        natsStatus s = js_GetConsumerInfo(&found, js_.get(), stream, consumer, nullptr, &code);
        jsConsumerInfo_Destroy(found);
        jsConsumerConfig config;
        jsConsumerConfig_Init(&config);
        config.Durable = consumer;
        config.FilterSubject = subject.c_str();
        config.AckPolicy = js_AckExplicit;
        config.AckWait = detail::nanoseconds(options_.ack_wait);
        config.MaxAckPending = options_.most_in_flight;
        config.MaxDeliver = -1;  // `handle` counts the attempts, because it calls the hook
        if (options_.configure)
            options_.configure(&config);
        if (s == NATS_OK)
            s = js_UpdateConsumer(nullptr, js_.get(), stream, &config, nullptr, &code);
        else if (s == NATS_NOT_FOUND && code == JSConsumerNotFoundErr)
            s = js_AddConsumer(nullptr, js_.get(), stream, &config, nullptr, &code);
        nats::detail::throw_unless_ok(s, "cannot set up a consumer");
    }

    // ----- on the thread that receives

    void run() noexcept
    {
        while (!over()) {
            natsMsgList got{};
            natsStatus s = NATS_CONNECTION_DISCONNECTED;
            // Ask again in each round: the server may have been restarted, and then it has
            // forgotten the last request.
            if (natsConnection_Status(connection_.native_handle()) == NATS_CONN_STATUS_CONNECTED)
                s = natsSubscription_Fetch(&got, subscription_.get(), options_.most_in_flight,
                                           longest_fetch.count(), nullptr);
            for (int i = 0; i != got.Count && !over(); ++i)
                receive(got.Msgs[i]);
            natsMsgList_Destroy(&got);
            if (s != NATS_OK && s != NATS_TIMEOUT)
                pause();
        }
    }

    bool over() noexcept
    {
        std::lock_guard<std::mutex> const lock(mutex_);
        return stops_ ||
            natsConnection_Status(connection_.native_handle()) == NATS_CONN_STATUS_CLOSED;
    }

    void pause() noexcept
    {
        std::unique_lock<std::mutex> lock(mutex_);
        changed_.wait_for(lock, between_attempts, [this] { return stops_; });
    }

    void receive(natsMsg* m) noexcept
    {
        jsMsgMetaData* made = nullptr;
        if (natsMsg_GetMetaData(&made, m) != NATS_OK) {
            // The message is not from the stream: somebody has published to the subscription's
            // subject.
            return nats::detail::count(rejected_);
        }
        nats::detail::owner<jsMsgMetaData, &jsMsgMetaData_Destroy> const meta(made);
        bool done = false;
        BOOST_TRY
        {
            done = handle(m, *meta);
        }
        BOOST_CATCH(...) {}  // the hook threw, or memory ran out: deliver it again
        BOOST_CATCH_END
        if (!done) {
            natsMsg_NakWithDelay(m, options_.retry_wait.count(), nullptr);
            return;
        }
        jsOptions how;
        jsOptions_Init(&how);
        how.Wait = (std::min)(options_.ack_wait, longest_confirmation).count();
        bool const confirmed = natsMsg_AckSync(m, &how, nullptr) == NATS_OK;
        handled_.acknowledged(meta->Sequence.Stream, meta->Timestamp, confirmed, options_);
    }

    /// Returns whether to acknowledge the event.
    bool handle(natsMsg* m, jsMsgMetaData const& meta)
    {
        std::uint64_t const number = meta.Sequence.Stream;
        std::uint64_t const attempts = meta.NumDelivered;
        handled_.received(number, meta.Timestamp);
        if (attempts > 1)
            nats::detail::count(redelivered_);
        if (handled_.contains(number)) {
            nats::detail::count(duplicates_);
            return true;
        }
        char const* origin = nullptr;
        if (natsMsgHeader_Get(m, detail::origin_header, &origin) == NATS_OK &&
            connection_.id() == origin) {
            nats::detail::count(returned_);
            return true;
        }
        // Note the number before the handlers run, as there may be no memory for it afterwards.
        typename detail::handled::entry entry(handled_, number, meta.Timestamp);
        // More attempts than the limit: the process died in the handlers.
        if (attempts > options_.most_attempts) {
            die(m, dead_reason::failed, attempts);
        } else if (std::optional<Event> const event = decoded(m); !event) {
            die(m, dead_reason::rejected, attempts);
            nats::detail::count(rejected_);
        } else if (succeeded(m, *event)) {
            nats::detail::count(notified_);
        } else {
            nats::detail::count(failed_);
            if (attempts < options_.most_attempts)
                return false;
            die(m, dead_reason::failed, attempts);
        }
        entry.keep();
        return true;
    }

    std::optional<Event> decoded(natsMsg* m) const
    {
        std::optional<Event> event;
        if (!nats::detail::has_schema(m, options_.schema))
            return event;
        BOOST_TRY
        {
            event.emplace(Codec::decode(nats::detail::text_of(m)));
        }
        BOOST_CATCH(...) {}
        BOOST_CATCH_END
        return event;
    }

    bool succeeded(natsMsg* m, Event const& e) const noexcept
    {
        BOOST_TRY
        {
            nats::detail::arriving_scope const here(&connection_, natsMsg_GetSubject(m));
            return succeeds_(e);
        }
        BOOST_CATCH(...)
        {
            return false;
        }
        BOOST_CATCH_END
    }

    /// Throws what the hook throws.
    void die(natsMsg* m, dead_reason why, std::uint64_t attempts)
    {
        if (options_.on_dead)
            options_.on_dead({why, natsMsg_GetSubject(m), nats::detail::text_of(m), attempts});
        nats::detail::count(dead_);
    }

    /// How long to wait for the server to confirm an acknowledgement.
    static constexpr std::chrono::milliseconds longest_confirmation{2000};
    static constexpr std::chrono::milliseconds longest_fetch{500};
    static constexpr std::chrono::milliseconds between_attempts{20};

    connection& connection_;
    detail::context js_;
    inbound_options options_;
    std::function<bool(Event const&)> succeeds_;
    detail::handled handled_;
    counter notified_{0};
    counter failed_{0};
    counter rejected_{0};
    counter dead_{0};
    counter returned_{0};
    counter duplicates_{0};
    counter redelivered_{0};
    nats::detail::owner<natsSubscription, &natsSubscription_Destroy> subscription_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool stops_ = false;
    std::thread thread_;
};

}  // namespace jetstream
}  // namespace relay
}  // namespace v1
}  // namespace registry_io

#endif
