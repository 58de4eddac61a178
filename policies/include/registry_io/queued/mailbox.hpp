// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// A queue between any threads that post events and the thread that notifies a registry of them. The
// events wait in a queue of Boost.Lockfree (detail/lane.hpp); counts beside it decide which thread
// wakes which, and when a closed mailbox is empty (detail/traffic.hpp); one drain at a time has the
// right to take events out (detail/drain_right.hpp). The options are in mailbox_options.hpp.
// Invariant: `stats` counts each event that was passed to `post` exactly once.

#ifndef REGISTRY_IO_QUEUED_MAILBOX_HPP
#define REGISTRY_IO_QUEUED_MAILBOX_HPP

#include <registry_io/detail/supported.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <thread>
#include <type_traits>
#include <utility>

#include <boost/core/no_exceptions_support.hpp>

#include <registry_io/config.hpp>
#include <registry_io/queued/detail/drain_right.hpp>
#include <registry_io/queued/detail/keyed_lane.hpp>
#include <registry_io/queued/detail/lane.hpp>
#include <registry_io/queued/detail/mailbox_choice.hpp>
#include <registry_io/queued/detail/mailbox_env.hpp>
#include <registry_io/queued/detail/traffic.hpp>
#include <registry_io/queued/mailbox_options.hpp>
#include <registry_io/queued/mailbox_stats.hpp>

namespace registry_io {
inline namespace v1 {
namespace queued {
namespace detail {

/// Gives `async::awaited` access to the private members of a mailbox.
template <class Mailbox>
class mailbox_access;

template <class Event, class Stamp>
struct entry
{
    Event event;
    REGISTRY_IO_NO_UNIQUE_ADDRESS Stamp stamp;
};

}  // namespace detail

/// A queue of events from any number of threads to the thread that notifies a registry of them.
///
/// Holds at most `Capacity` events, inside the object, and never allocates. Events that one thread
/// posts are drained in the order of posting; there is no order between threads. An event is lost
/// only if the option for a full mailbox, or `discard`, drops it, and then it is counted. Events
/// may be move-only; moving and destroying them must not throw.
///
/// The options, in any order: when full `fail` (default), `drop_newest`, `drop_oldest`,
/// `block<ms>`, `coalesce<key>` or `latest`; when empty `park` (default), `spin`, `yield`,
/// `wake<hook>` or, from `<registry_io/async/awaited.hpp>`, `async::awaited`; and `many_consumers`,
/// `urgent_lane`, `measure_waits`.
///
/// A place for a trivially copyable event takes the size of the event and a few bytes, rounded up
/// to cache lines; for any other event it takes a cache line and the size of the event.
///
/// Concurrency: any thread may call any member at any time, except the constructor and the
/// destructor. Without `many_consumers`, the second of two drains at once throws. Posting is
/// lock-free, unless the option blocks or takes a lock. Reentrancy: handlers may post.
template <class Event, std::size_t Capacity, class... Options>
class mailbox
{
    static_assert(Capacity >= 1 && Capacity <= 65534,
                  "registry_io: the capacity of a mailbox must be at least 1 and at most 65534");
    static_assert(
        std::is_object_v<Event> && !std::is_const_v<Event> && !std::is_array_v<Event> &&
            std::is_nothrow_move_constructible_v<Event> && std::is_nothrow_destructible_v<Event>,
        "registry_io: an event of a mailbox is moved, and must not throw when it is moved "
        "or destroyed; post a std::unique_ptr to it instead");
    static_assert(detail::check_options<Options...>());

    using full_option = typename detail::chosen<when_full, fail, Options...>::type;
    using empty_option = typename detail::chosen<when_empty, park, Options...>::type;
    static constexpr bool several = detail::count_of<consumers, Options...> != 0;
    static constexpr bool urgent = detail::count_of<lanes, Options...> != 0;
    static constexpr bool measured = detail::count_of<measures, Options...> != 0;
    static constexpr bool blocks = detail::is_block<full_option>;
    static constexpr bool is_keyed = detail::keyed<full_option>;
    static constexpr bool displaces = std::is_same_v<full_option, drop_oldest>;
    static constexpr bool parks = std::is_same_v<empty_option, park>;
    static constexpr bool hooked = detail::hooked<empty_option>;
    static constexpr bool drains_itself = detail::drains<empty_option>;
    static constexpr bool waits = !hooked;

    static_assert(!std::is_same_v<full_option, latest> || Capacity == 1,
                  "registry_io: a mailbox with latest keeps one event; make its capacity 1");
    static_assert(
        !(drains_itself && blocks),
        "registry_io: a mailbox that a coroutine drains cannot block a thread that posts, "
        "as that may be the thread that would run the coroutine; choose another option "
        "for a full mailbox");
    static_assert(
        !(drains_itself && several),
        "registry_io: one coroutine at a time awaits a mailbox; leave out many_consumers");

    using clock = std::chrono::steady_clock;
    using stamp = std::conditional_t<measured, clock::time_point, detail::nothing>;
    using entry = detail::entry<Event, stamp>;

    static consteval auto lane_of()
    {
        if constexpr (is_keyed) {
            static_assert(std::is_nothrow_invocable_v<decltype(full_option::key), Event const&>,
                          "registry_io: the key of coalesce must be callable with an event and not "
                          "throw: a data member, or a lambda that is noexcept");
            return std::type_identity<
                detail::keyed_lane<Event, entry, Capacity, full_option::key>>();
        } else {
            return std::type_identity<detail::plain_lane<entry, Capacity, several || displaces>>();
        }
    }
    using lane = typename decltype(lane_of())::type;

    static consteval auto hook_of()
    {
        if constexpr (hooked)
            return std::type_identity<typename empty_option::hook_type>();
        else
            return std::type_identity<detail::nothing>();
    }
    using hook = typename decltype(hook_of())::type;

public:
    /// The type of the events.
    using event_type = Event;

    /// Creates an open, empty mailbox. Throws: nothing.
    mailbox() noexcept
        requires(!hooked || drains_itself)
    = default;
    /// Creates an open, empty mailbox, with the hook of `wake`. Throws `std::invalid_argument` if
    /// the hook is empty, and what moving it throws.
    explicit mailbox(hook h)
        requires(hooked && !drains_itself)
        : hook_(std::move(h))
    {
        if constexpr (requires { hook_ == nullptr; }) {
            if (hook_ == nullptr)
                registry_io::detail::raise(
                    std::invalid_argument("registry_io: the wake-up hook of a mailbox is empty"));
        }
        traffic_.lie_down();
    }
    mailbox(mailbox const&) = delete;
    mailbox& operator=(mailbox const&) = delete;
    /// Destroys the waiting events. Precondition: no thread uses the mailbox.
    ~mailbox() = default;

    /// Posts an event, for the next drain. The event is moved from, unless the result is `full` or
    /// `closed`.
    ///
    /// Throws: nothing, except what the hook of `wake` throws. Complexity: constant. Concurrency:
    /// safe with every member; lock-free without `block`, `coalesce` and `latest`.
    BOOST_FORCEINLINE post_result post(Event&& event) { return put(normal_, event); }
    /// Posts a copy of the event. Throws what copying the event throws; then nothing is posted.
    BOOST_FORCEINLINE post_result post(Event const& event)
        requires std::is_copy_constructible_v<Event>
    {
        return put_copy(normal_, event);
    }

    /// Posts an event on the lane that is drained first. Otherwise as `post`.
    post_result post_urgent(Event&& event)
        requires urgent
    {
        return put(urgent_, event);
    }
    /// Posts a copy of the event on the lane that is drained first. Otherwise as `post`.
    post_result post_urgent(Event const& event)
        requires(urgent && std::is_copy_constructible_v<Event>)
    {
        return put_copy(urgent_, event);
    }

    /// Notifies `registry` of the waiting events, and removes them.
    ///
    /// Stops when no event is left, or after `max` events, so that a handler that posts, or a fast
    /// poster, cannot keep it from returning. Each event is destroyed when its handlers have
    /// returned. With `async::awaited` it returns an awaitable, which waits for the first event.
    ///
    /// Throws what `notify` throws: that event is gone, later ones wait. Without `many_consumers`,
    /// throws `std::system_error` with `std::errc::device_or_resource_busy` and does nothing if
    /// another thread, or the drain whose handler calls this, is draining the mailbox.
    template <class Registry>
    auto drain(Registry& registry, std::size_t max = capacity())
    {
        if constexpr (drains_itself)
            return empty_option::drain(*this, registry, max);
        else
            return drain_now(registry, max);
    }

    /// Waits until there is an event to drain. Returns false if the mailbox is closed and empty.
    /// `while (mailbox.wait()) mailbox.drain(registry);`
    ///
    /// Throws: nothing. Concurrency: safe with every member. Blocks the thread.
    bool wait() noexcept
        requires waits
    {
        return wait_until(std::nullopt);
    }
    /// Waits like `wait`, at most for `time`. Also returns false when the time has passed: see
    /// `closed`.
    template <class Rep, class Period>
    bool wait_for(std::chrono::duration<Rep, Period> const& time) noexcept
        requires waits
    {
        return wait_until(clock::now() + std::chrono::duration_cast<clock::duration>(time));
    }

    /// Closes the mailbox: `post` returns `closed`, sleeping posters wake up, and `wait` returns
    /// false when the remaining events have been drained. The waiting events can still be drained,
    /// or dropped by `discard`. Throws: nothing, except what the hook of `wake` throws.
    void close()
    {
        if (!traffic_.close())
            return;
        if constexpr (blocks)
            traffic_.make_room();
        wake_consumer();
    }
    /// Returns whether `close` has been called.
    bool closed() const noexcept { return traffic_.is_closed(); }

    /// Destroys the waiting events, and counts them as dropped. Returns how many there were. Throws
    /// what `drain` throws if the mailbox is being drained.
    std::size_t discard()
    {
        claim const mine(right_);
        std::size_t n = 0;
        for (std::optional<entry> e; take(e); e.reset())
            ++n;
        count(dropped_, n);
        return n;
    }

    /// Returns whether no event waits.
    bool empty() const noexcept { return traffic_.look() != detail::rest::waiting; }

    /// Returns the counts. They are exact if no thread posts or drains meanwhile.
    mailbox_stats stats() const noexcept
    {
        // In this order: an event takes its ticket before it is taken out, so the difference is not
        // negative.
        std::uint64_t const taken = traffic_.taken();
        std::uint64_t const tickets = traffic_.tickets();
        mailbox_stats s;
        s.coalesced = coalesced_.load(std::memory_order_relaxed);
        s.posted = tickets + s.coalesced;
        s.waiting = std::min<std::uint64_t>(tickets - taken, capacity());
        s.dropped = dropped_.load(std::memory_order_relaxed);
        s.refused = refused_.load(std::memory_order_relaxed);
        s.high_water = std::min<std::uint64_t>(traffic_.high(), capacity());
        s.longest_wait = std::chrono::nanoseconds(longest_.load(std::memory_order_relaxed));
        return s;
    }

    /// Returns how many events there is room for, in all lanes.
    static constexpr std::size_t capacity() noexcept { return urgent ? 2 * Capacity : Capacity; }

private:
    template <class Mailbox>
    friend class detail::mailbox_access;

    using right = detail::drain_right<several, blocks>;
    using claim = typename right::claim;
    using counter = std::atomic<std::uint64_t>;

    static void count(counter& c, std::uint64_t n = 1) noexcept
    {
        c.fetch_add(n, std::memory_order_relaxed);  // a count is only a count
    }

    // ----- Posting

    static stamp now() noexcept
    {
        if constexpr (measured)
            return clock::now();
        else
            return {};
    }

    // `E` is the event type, or const if moving an event copies its bytes.
    template <class E>
    static detail::outcome push(lane& l, E& event, stamp at) noexcept
    {
        auto const make = [&]() noexcept { return entry{std::move(event), at}; };
        if constexpr (is_keyed)
            return l.push(std::as_const(event), make);
        else
            return l.push(make);
    }

    BOOST_FORCEINLINE post_result put_copy(lane& l, Event const& event)
    {
        if constexpr (std::is_trivially_copyable_v<Event>) {
            return put(l, event);
        } else {
            Event copy(event);
            return put(l, copy);
        }
    }

    // Inline, as the push of the queue is. A call would pass the event through memory, and the copy
    // into the queue would wait, because it reads in wider pieces than the event was written in.
    template <class E>
    BOOST_FORCEINLINE post_result put(lane& l, E& event)
    {
        stamp const at = now();
        auto const a = traffic_.arrive();
        if (BOOST_UNLIKELY(a.is_closed())) {
            traffic_.give_back();
            count(refused_);
            return post_result::closed;
        }
        detail::outcome const o = push(l, event, at);
        post_result result = post_result::posted;
        if (BOOST_LIKELY(o == detail::outcome::pushed)) {
            traffic_.note(a);
        } else if (o == detail::outcome::merged) {
            traffic_.give_back();
            count(coalesced_);
        } else {
            result = put_when_full(l, event, at, a.finds_sleeper());
        }
        if (wakes && a.finds_sleeper())
            wake_consumer();
        return result;
    }

    template <class E>
    REGISTRY_IO_DETAIL_COLD post_result put_when_full(lane& l, E& event, stamp at, bool sleeper)
    {
        if constexpr (displaces) {
            for (;;) {
                std::optional<entry> oldest;
                if (take_from(l, oldest))
                    count(dropped_);
                oldest.reset();
                if (push(l, event, at) == detail::outcome::pushed)
                    return post_result::posted;
            }
        } else if constexpr (blocks) {
            if (wakes && sleeper)
                wake_consumer();  // the consumer must make room
            return put_when_there_is_room(l, event, at);
        } else {
            traffic_.give_back();
            if constexpr (is_keyed || std::is_same_v<full_option, drop_newest>) {
                count(dropped_);
                [[maybe_unused]] Event const gone(std::move(event));
                return post_result::dropped;
            } else {
                count(refused_);
                return post_result::full;
            }
        }
    }

    template <class E>
    post_result put_when_there_is_room(lane& l, E& event, stamp at)
    {
        detail::deadline until;
        if constexpr (full_option::milliseconds != no_timeout)
            until = clock::now() + std::chrono::milliseconds(full_option::milliseconds);
        bool const would_wait_for_itself = right_.held_by_this_thread();
        for (;;) {
            auto const attempt = traffic_.before_push();
            if (traffic_.is_closed()) {
                traffic_.give_back();
                count(refused_);
                return post_result::closed;
            }
            if (push(l, event, at) == detail::outcome::pushed)
                return post_result::posted;
            if (would_wait_for_itself || detail::is_over(until)) {
                traffic_.give_back();
                count(refused_);
                return post_result::full;
            }
            traffic_.block(attempt, until);
        }
    }

    // ----- Waking the consumer

    static constexpr bool wakes = parks || hooked;

    void wake_consumer()
    {
        if constexpr (wakes) {
            if (!traffic_.rouse())
                return;
            if constexpr (parks)
                traffic_.ring();
            else
                call_hook();
        }
    }

    void call_hook()
    {
        BOOST_TRY
        {
            hook_();
        }
        BOOST_CATCH(...)
        {
            traffic_.lie_down_anyway();
            BOOST_RETHROW
        }
        BOOST_CATCH_END
    }

    // ----- Taking events out

    bool take_from(lane& l, std::optional<entry>& e) noexcept
    {
        if (!l.pop(e))
            return false;
        if (traffic_.leave())
            traffic_.make_room();
        return true;
    }

    bool take(std::optional<entry>& e) noexcept
    {
        if constexpr (urgent) {
            if (!take_from(urgent_, e) && !take_from(normal_, e))
                return false;
        } else {
            if (!take_from(normal_, e))
                return false;
        }
        if constexpr (measured)
            note_wait(clock::now() - e->stamp);
        return true;
    }

    void note_wait(clock::duration d) noexcept
    {
        auto const n = std::chrono::duration_cast<std::chrono::nanoseconds>(d).count();
        auto longest = longest_.load(std::memory_order_relaxed);
        while (n > longest &&
               !longest_.compare_exchange_weak(longest, n, std::memory_order_relaxed)) {
        }
    }

    template <class Registry>
    drain_result drain_now(Registry& registry, std::size_t max)
    {
        drain_result result;
        BOOST_TRY
        {
            claim const mine(right_);
            for (std::optional<entry> e; result.count != max && take(e); e.reset()) {
                ++result.count;
                static_cast<void>(registry.notify(std::as_const(e->event)));
            }
        }
        BOOST_CATCH(...)
        {
            // If this drain was refused, the running drain arranges the next one.
            if (result.count != 0)
                arrange_next_quietly();
            BOOST_RETHROW
        }
        BOOST_CATCH_END
        result.end_of_batch = arrange_next();
        return result;
    }

    /// Ends a drain. Returns whether nothing waits.
    bool arrange_next()
    {
        if constexpr (hooked && !drains_itself) {
            if (traffic_.lie_down() != detail::rest::waiting)
                return true;
            call_hook();
            return false;
        } else {
            return traffic_.look() != detail::rest::waiting;
        }
    }

    /// For the exception path: the caller must see the exception of the handler, not one of the
    /// hook.
    void arrange_next_quietly() noexcept
    {
        BOOST_TRY
        {
            arrange_next();
        }
        BOOST_CATCH(...) {}  // the next post calls the hook again
        BOOST_CATCH_END
    }

    bool nothing_there() const noexcept
    {
        if constexpr (urgent)
            return normal_.empty() && urgent_.empty();
        else
            return normal_.empty();
    }

    bool wait_until(detail::deadline const& until) noexcept
    {
        for (;;) {
            [[maybe_unused]] unsigned const seen = traffic_.rings();
            detail::rest const r = parks ? traffic_.lie_down() : traffic_.look();
            if (r == detail::rest::finished)
                return false;
            if (r == detail::rest::waiting && !nothing_there())
                return true;
            if (detail::is_over(until))
                return false;
            if (r == detail::rest::waiting)
                std::this_thread::yield();  // an event is being posted
            else if constexpr (parks)
                traffic_.sleep(seen, until);
            else if constexpr (std::is_same_v<empty_option, yield>)
                std::this_thread::yield();
        }
    }

    detail::traffic<detail::mailbox_env, !several && !blocks && !displaces> traffic_;
    counter dropped_{0};
    counter coalesced_{0};
    counter refused_{0};
    std::atomic<std::int64_t> longest_{0};
    right right_;
    REGISTRY_IO_NO_UNIQUE_ADDRESS hook hook_;
    lane normal_;
    REGISTRY_IO_NO_UNIQUE_ADDRESS std::conditional_t<urgent, lane, detail::nothing> urgent_;
};

}  // namespace queued
}  // namespace v1
}  // namespace registry_io

#endif
