// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The counts of a mailbox, which decide which thread sleeps, which one wakes another, and when a
// closed mailbox is empty. The events themselves lie in a queue beside the counts.
//
// A poster takes a ticket before it pushes its event, by one addition to a word that also holds two
// flags: the mailbox is closed, and a consumer sleeps. So a poster learns of both without a fence.
// The consumer counts the events that have left the queue.
//
// Invariants: no more events have left than tickets have been taken. A consumer sleeps only if the
// two numbers are equal. A closed mailbox is empty when they are equal, since a poster gives back a
// ticket that it took after the closing. An event whose ticket has been taken may not be in the
// queue yet; then the consumer tries again.

#ifndef REGISTRY_IO_QUEUED_DETAIL_TRAFFIC_HPP
#define REGISTRY_IO_QUEUED_DETAIL_TRAFFIC_HPP

#include <registry_io/detail/supported.hpp>

#include <atomic>
#include <cstdint>

#include <registry_io/config.hpp>

namespace registry_io {
inline namespace v1 {
namespace queued {
namespace detail {

/// What a consumer finds when it takes nothing out.
enum class rest : unsigned char {
    asleep,   ///< nothing waits; the next poster wakes the consumer
    waiting,  ///< an event waits, or is about to
    finished  ///< nothing waits, and nothing will: the mailbox is closed
};

/// `OneTakes`: one thread at a time takes events out, and no poster sleeps until there is room.
template <class Env, bool OneTakes>
class traffic
{
    template <class T>
    using atomic = typename Env::template atomic<T>;

    static constexpr std::uint64_t closed_bit = 1;
    static constexpr std::uint64_t asleep_bit = 2;
    static constexpr std::uint64_t ticket = 4;
    static constexpr std::uint64_t blocked_bit = 1;
    static constexpr std::uint64_t event = 2;

public:
    /// What a poster learns when it takes a ticket.
    class arrival
    {
    public:
        explicit arrival(std::uint64_t before) noexcept : before_(before) {}
        /// Returns whether the mailbox is closed. Then the poster must give the ticket back.
        bool is_closed() const noexcept { return (before_ & closed_bit) != 0; }
        /// Returns whether a consumer sleeps. Then the poster must call `rouse`.
        bool finds_sleeper() const noexcept { return (before_ & asleep_bit) != 0; }
        /// Returns how many tickets have been taken, this one included.
        std::uint64_t number() const noexcept { return before_ / ticket + 1; }

    private:
        std::uint64_t before_;
    };

    /// For a poster, before it pushes its event.
    // relaxed: the flags and the number are in this word, and the queue hands over the events.
    arrival arrive() noexcept
    {
        return arrival(state_.fetch_add(ticket, std::memory_order_relaxed));
    }

    /// For a poster whose event was not pushed: gives the ticket back.
    void give_back() noexcept { state_.fetch_sub(ticket, std::memory_order_relaxed); }

    /// Counts an event that has left the queue. Returns whether posters sleep until there is room.
    bool leave() noexcept
    {
        if constexpr (OneTakes) {
            // relaxed: others only read the number.
            taken_.store(taken_.load(std::memory_order_relaxed) + event, std::memory_order_relaxed);
            return false;
        } else {
            // release: pairs with the acquire in `before_push` and in `block`. Without it, a poster
            // could see this number without the room that it stands for, and sleep beside an empty
            // queue.
            // acquire: pairs with the release in `block`. Without it, the poster might have read
            // `room_` after the increment that is to wake it, and sleep on.
            return (taken_.fetch_add(event, std::memory_order_acq_rel) & blocked_bit) != 0;
        }
    }

    /// For a consumer that found nothing: makes the next poster wake it, if nothing waits.
    rest lie_down() noexcept
    {
        std::uint64_t s = state_.load(std::memory_order_relaxed);
        for (;;) {
            rest const r = look_at(s);
            if (r != rest::asleep || (s & asleep_bit) != 0)
                return r;
            // The exchange succeeds only if no ticket was taken meanwhile. release: pairs with the
            // acquire in `rouse`. Without it, the waking thread might not see what the consumer
            // wrote.
            if (state_.compare_exchange_strong(s, s | asleep_bit, std::memory_order_release))
                return rest::asleep;
        }
    }

    /// Returns what `lie_down` would return.
    rest look() const noexcept { return look_at(state_.load(std::memory_order_relaxed)); }

    /// Makes the next poster wake the consumer although events wait.
    void lie_down_anyway() noexcept { set(asleep_bit); }

    /// For a thread that finds a sleeper: takes the duty to wake it. Returns true to one such
    /// thread.
    // acquire: pairs with the release in `lie_down`. Without it, the thread with the duty might not
    // see what the consumer wrote before: the coroutine to be resumed.
    bool rouse() noexcept
    {
        std::uint64_t s = state_.load(std::memory_order_relaxed);
        while ((s & asleep_bit) != 0)
            if (state_.compare_exchange_strong(s, s & ~asleep_bit, std::memory_order_acquire))
                return true;
        return false;
    }

    /// Closes the mailbox. Returns whether it was open.
    bool close() noexcept { return (set(closed_bit) & closed_bit) == 0; }
    bool is_closed() const noexcept
    {
        return (state_.load(std::memory_order_relaxed) & closed_bit) != 0;
    }

    /// Returns how many tickets are taken, and how many events have left.
    std::uint64_t tickets() const noexcept
    {
        return state_.load(std::memory_order_relaxed) / ticket;
    }
    std::uint64_t taken() const noexcept { return taken_.load(std::memory_order_relaxed) / event; }

    // ----- A thread that sleeps until there is an event

    /// Returns a number to be read before `lie_down`, and passed to `sleep`.
    // acquire: pairs with the release in `ring`. Without it, the consumer might not see what was
    // posted before the `ring`.
    unsigned rings() const noexcept { return rings_.load(std::memory_order_acquire); }
    /// Sleeps, unless `ring` has been called since `rings` returned `seen`.
    template <class... Deadline>
    void sleep(unsigned seen, Deadline const&... until) noexcept
    {
        Env::wait(rings_, seen, until...);
    }
    /// Wakes all threads that sleep.
    void ring() noexcept
    {
        // release: pairs with the acquire in `rings`.
        rings_.fetch_add(1, std::memory_order_release);
        Env::wake_all(rings_);
    }

    // ----- A poster that sleeps until there is room

    /// What a poster reads before it tries to push.
    struct attempt
    {
        unsigned room;
        std::uint64_t taken;
    };
    attempt before_push() const noexcept
    {
        // acquire, both, in this order: a change of `room_` that the first load misses comes later
        // than the flag that this poster sets. The second load pairs with the release in `leave`.
        unsigned const room = room_.load(std::memory_order_acquire);
        return {room, taken_.load(std::memory_order_acquire)};
    }
    /// After a failed push: sleeps until an event has left since `a` was read.
    template <class... Deadline>
    void block(attempt a, Deadline const&... until) noexcept
    {
        std::uint64_t t = a.taken & ~blocked_bit;
        // release: pairs with the acquire in `leave`. If the number has changed, there may be room.
        if (!taken_.compare_exchange_strong(t, t | blocked_bit, std::memory_order_acq_rel) &&
            t != (a.taken | blocked_bit))
            return;
        Env::wait(room_, a.room, until...);
    }
    /// Wakes all sleeping posters.
    void make_room() noexcept
    {
        std::uint64_t t = taken_.load(std::memory_order_relaxed);
        while ((t & blocked_bit) != 0 &&
               !taken_.compare_exchange_strong(t, t & ~blocked_bit, std::memory_order_acq_rel)) {
        }
        // release: pairs with the acquire in `before_push`.
        room_.fetch_add(1, std::memory_order_release);
        Env::wake_all(room_);
    }

    // ----- The high-water mark

    /// For a poster whose event is in the queue.
    void note(arrival const& a) noexcept
    {
        // Check an upper bound first, from a number that posters keep: `taken_` lies on a cache
        // line that the consumer writes for each event.
        if (a.number() - floor_.load(std::memory_order_relaxed) >
            high_.load(std::memory_order_relaxed))
            note_exactly(a.number());
    }
    std::uint64_t high() const noexcept { return high_.load(std::memory_order_relaxed); }

private:
    rest look_at(std::uint64_t s) const noexcept
    {
        if (s / ticket != taken())
            return rest::waiting;
        return (s & closed_bit) != 0 ? rest::finished : rest::asleep;
    }

    std::uint64_t set(std::uint64_t flag) noexcept
    {
        std::uint64_t s = state_.load(std::memory_order_relaxed);
        // acq_rel: `close` comes after what its thread did before.
        while (!state_.compare_exchange_strong(s, s | flag, std::memory_order_acq_rel)) {
        }
        return s;
    }

    REGISTRY_IO_DETAIL_COLD void note_exactly(std::uint64_t number) noexcept
    {
        std::uint64_t const gone = taken();
        floor_.store(gone, std::memory_order_relaxed);
        if (number <= gone)
            return;
        std::uint64_t high = high_.load(std::memory_order_relaxed);
        while (number - gone > high &&
               !high_.compare_exchange_strong(high, number - gone, std::memory_order_relaxed)) {
        }
    }

    // Separate cache lines: what posters write, and what the consumer writes.
    alignas(64) atomic<std::uint64_t> state_{0};
    atomic<std::uint64_t> floor_{0};  ///< at most the number of events that have left
    atomic<std::uint64_t> high_{0};
    alignas(64) atomic<std::uint64_t> taken_{0};
    alignas(64) atomic<unsigned> rings_{0};
    atomic<unsigned> room_{0};
};

}  // namespace detail
}  // namespace queued
}  // namespace v1
}  // namespace registry_io

#endif
