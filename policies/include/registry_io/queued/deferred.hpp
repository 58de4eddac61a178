// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// A queue of events between two contexts, usually an interrupt that posts and the main loop that
// notifies. It is a ring buffer with one producer and one consumer (Lamport, 1983), and needs loads
// and stores of words only. A post that interrupts another post finds a flag set, and drops its
// event. Invariant: only the poster moves the end of the ring, and only the drainer moves its
// beginning.

#ifndef REGISTRY_IO_QUEUED_DEFERRED_HPP
#define REGISTRY_IO_QUEUED_DEFERRED_HPP

#include <registry_io/detail/supported.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <type_traits>

#include <boost/lockfree/spsc_queue.hpp>

#include <registry_io/config.hpp>

namespace registry_io {
inline namespace v1 {
namespace queued {

/// When the queue is full: the event that is being posted is dropped, and counted.
struct discard
{
    /// Does nothing.
    template <class Event>
    static void full(Event const&) noexcept
    {
    }
};

/// As `discard`, and `Hook(event)` is called in the posting context: to merge the event with
/// others, to remember that events were lost, or to handle the event at once. The hook must not
/// throw, or post to the same queue.
template <auto Hook>
struct call
{
    /// Calls the hook.
    template <class Event>
    static void full(Event const& event) noexcept
    {
        Hook(event);
    }
};

/// The type of `closed`.
struct closed_type
{
};
/// Makes a queue that is opened later; see `deferred`.
inline constexpr closed_type closed{};

/// A queue of events from one context, usually an interrupt, to the context that notifies a
/// registry of them.
///
/// Holds at most `Capacity` events, inside the object. One context posts and one drains; they need
/// not exclude each other. A post that interrupts another post to the same queue is detected: its
/// event is dropped, and counted as lost. Use one queue for each interrupt priority that posts.
/// `Full` says what happens to an event if there is no room. An event is copied once, which must
/// not throw.
///
/// A queue that is made with `closed` is constant-initialised and, if its events are, trivially
/// destructible. Events that are posted before `open` are lost, and counted.
template <class Event, std::size_t Capacity, class Full = discard>
class deferred
{
    static_assert(std::is_nothrow_copy_constructible_v<Event> &&
                      std::is_nothrow_destructible_v<Event>,
                  "registry_io: deferred copies and destroys each event, and neither may throw");

    using queue = boost::lockfree::spsc_queue<Event, boost::lockfree::capacity<Capacity>>;

public:
    /// The type of the events.
    using event_type = Event;

    /// Creates an open, empty queue. Throws: nothing.
    deferred() noexcept { open(); }
    /// Creates a queue that drops all events until `open` is called.
    constexpr explicit deferred(closed_type) noexcept {}
    deferred(deferred const&) = delete;
    deferred& operator=(deferred const&) = delete;
    ~deferred()
        requires std::is_trivially_destructible_v<Event>
    = default;
    /// Destroys the events that were not drained.
    ~deferred()
    {
        if (is_open())
            events().~queue();
    }

    /// Opens a queue that was made with `closed`. Does nothing if it is open. Call it in one
    /// context; interrupts of that context may post meanwhile, and any context may call `lost`.
    /// Other threads may post and drain after they have learned, with synchronization, that the
    /// queue is open.
    void open() noexcept
    {
        // Not an assertion: firmware that is built with newlib's assert and without NDEBUG would
        // contain newlib's stdio, which takes seven kilobytes.
        if (is_open())
            return;
        ::new (static_cast<void*>(room_)) queue();
        // Only the compiler must keep the order: a context that posts before `open` returns is an
        // interrupt of this one. Without the fence, such a post could find `is_open_` set and no
        // queue.
        std::atomic_signal_fence(std::memory_order_release);
        is_open_.store(true, std::memory_order_relaxed);
    }

    /// Posts a copy of `event`, for the next `drain`.
    ///
    /// Returns false if the event is dropped. Throws: nothing. Complexity: constant, wait-free.
    /// Concurrency: safe with `drain` and with the const members.
    bool post(Event const& event) noexcept
    {
        // An interrupt either finds the flag set, or sets and clears it before this post goes on.
        // So stores in this order suffice, without an atomic exchange. relaxed, throughout: the
        // contexts are interrupts of each other, so only the compiler must keep the order, and the
        // fences make it do so.
        if (posting_.load(std::memory_order_relaxed) || !is_open()) {
            count_lost();
            return false;
        }
        posting_.store(true, std::memory_order_relaxed);
        std::atomic_signal_fence(std::memory_order_seq_cst);
        bool const posted = events().push(event);
        if (!posted) {
            count_lost();
            Full::full(event);
        }
        std::atomic_signal_fence(std::memory_order_seq_cst);
        posting_.store(false, std::memory_order_relaxed);
        return posted;
    }

    /// Notifies `registry` of the waiting events, in the order of posting, and removes them.
    ///
    /// Stops when no event is left, or after `limit` events, so that a fast poster cannot keep it
    /// from returning. An event occupies its place until its handlers have returned. Returns how
    /// many events there were. Throws what `notify` throws; that event then stays in the queue.
    /// Concurrency: one context at a time. Reentrancy: handlers may post, but not drain.
    template <class Registry>
    std::size_t drain(Registry& registry, std::size_t limit = Capacity)
    {
        std::size_t n = 0;
        auto const notify = [&registry](Event const& event) {
            static_cast<void>(registry.notify(event));
        };
        while (n != limit && is_open() && events().consume_one(notify))
            ++n;
        return n;
    }

    /// Returns how many events have been dropped so far, modulo 2^32. Any context may call it. If a
    /// dropped post interrupts another dropped post, the two may count as one.
    std::uint32_t lost() const noexcept
    {
        // relaxed: a count is only a count.
        return lost_.load(std::memory_order_relaxed);
    }

    /// Returns whether no event waits. Only the draining context may call it.
    bool empty() const noexcept { return !is_open() || events().read_available() == 0; }

    /// Returns how many events the queue has room for.
    static constexpr std::size_t capacity() noexcept { return Capacity; }

private:
    // A load and a store instead of an atomic addition, which processors such as the Cortex-M0
    // lack. One context counts; the atomic type is for the contexts that read.
    void count_lost() noexcept
    {
        lost_.store(lost_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    }

    bool is_open() const noexcept { return is_open_.load(std::memory_order_relaxed); }

    queue& events() noexcept { return *std::launder(reinterpret_cast<queue*>(room_)); }
    queue const& events() const noexcept
    {
        return *std::launder(reinterpret_cast<queue const*>(room_));
    }

    alignas(queue) std::byte room_[sizeof(queue)]{};
    std::atomic<std::uint32_t> lost_{0};
    std::atomic<bool> posting_{false};
    std::atomic<bool> is_open_{false};
};

}  // namespace queued
}  // namespace v1
}  // namespace registry_io

#endif
