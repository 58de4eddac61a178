// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The parts of a recorded workload: counts and histograms, once for each thread and once for all
// threads that have ended, and the list that leads from a recording to its threads. A thread counts
// in its own record without a lock; its counts are folded into the recording when it exits.
// Invariant: each count is in exactly one place, the record of a thread or the recording, so their
// sum is exact when no thread is counting.

#ifndef REGISTRY_IO_OBSERVE_DETAIL_RECORDING_HPP
#define REGISTRY_IO_OBSERVE_DETAIL_RECORDING_HPP

#include <registry_io/detail/supported.hpp>

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string_view>
#include <type_traits>

#include <registry_io/config.hpp>
#include <registry_io/thread/exit.hpp>

namespace registry_io {
inline namespace v1 {
namespace observe {
namespace detail {

// One thread writes a counter and others may read it at the same time. relaxed: a count orders
// nothing, and a load and a store of a word are plain instructions.
using counter = std::atomic<std::uint64_t>;

BOOST_FORCEINLINE void add(counter& c, std::uint64_t n = 1) noexcept
{
    c.store(c.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
}

/// Counts values by their binary logarithm, and adds them up, which gives the exact mean. The last
/// bucket also counts all greater values.
template <std::size_t Buckets>
struct histogram
{
    counter buckets[Buckets];
    counter sum;

    void record(std::uint64_t value) noexcept
    {
        auto const log = static_cast<std::size_t>(63 - std::countl_zero(value | 1));
        add(buckets[log < Buckets ? log : Buckets - 1]);
        add(sum, value);
    }
};

/// The counts: one object for each thread, and one for all threads that have ended.
struct counts
{
    counter notify;
    counter nested;
    counter failures;
    histogram<48> inter_arrival_ns;
    histogram<48> handler_ns;
    histogram<32> handlers_at_notify;
    histogram<16> depth;

    /// Calls `f` with each counter of `from` and the corresponding one of `to`.
    template <class F>
    static void each(counts& from, counts& to, F f) noexcept
    {
        f(from.notify, to.notify);
        f(from.nested, to.nested);
        f(from.failures, to.failures);
        pairs(from.inter_arrival_ns, to.inter_arrival_ns, f);
        pairs(from.handler_ns, to.handler_ns, f);
        pairs(from.handlers_at_notify, to.handlers_at_notify, f);
        pairs(from.depth, to.depth, f);
    }

    /// Adds `from` to `to`, and leaves `from` unchanged.
    static void sum(counts& from, counts& to) noexcept
    {
        each(from, to, [](counter& a, counter& b) { add(b, a.load(std::memory_order_relaxed)); });
    }

    void clear() noexcept
    {
        each(*this, *this, [](counter& a, counter&) { a.store(0, std::memory_order_relaxed); });
    }

private:
    template <std::size_t N, class F>
    static void pairs(histogram<N>& from, histogram<N>& to, F f) noexcept
    {
        for (std::size_t i = 0; i < N; ++i)
            f(from.buckets[i], to.buckets[i]);
        f(from.sum, to.sum);
    }
};

struct recording;

/// The counts of a thread. Constant-initialised and trivially destroyed: the first notify of a
/// thread runs no constructor, and the last one, however late, finds the object alive.
struct thread_record : counts
{
    std::uint64_t next;         ///< the next notify that reads the clock
    std::uint64_t next_sample;  ///< the next notify that is measured
    std::uint64_t started;      ///< when the measured notify began
    std::uint64_t random;       ///< state of the random generator
    std::uint32_t inside;       ///< how many handlers the thread is in
    bool waiting;               ///< waiting for the notify after the measured one
    bool joined;                ///< in the recording's list
    recording* home;
    thread_record* previous;
    thread_record* following;
    thread_exit::link on_exit;
};
static_assert(sizeof(thread_record) <= 2048 && std::is_trivially_destructible_v<thread_record>);

/// The recording of one type. Never destroyed, so that it outlives static objects.
struct recording
{
    /// Whether its registries are asynchronous. Each measured handler of such a registry sets it.
    /// relaxed: it orders nothing, and is never reset.
    std::atomic<bool> asynchronous{false};
    std::mutex mutex;
    // The rest is protected by the mutex.
    counts ended;
    counter registered;
    counter unregistered;
    histogram<48> change_interval_ns;
    std::uint64_t changed = 0;  ///< when the table last changed
    bool has_changed = false;
    std::uint64_t begin = 0;
    std::uint64_t threads = 0;
    thread_record* first = nullptr;
    thread_exit::hook exit_hook;
    bool has_hook = false;
    bool follows_process = false;  ///< registered for forks and for exit
    std::string_view registry;
    char directory[512] = {};

    void link(thread_record& t) noexcept
    {
        t.previous = nullptr;
        t.following = first;
        if (first != nullptr)
            first->previous = &t;
        first = &t;
    }
    void unlink(thread_record& t) noexcept
    {
        (t.previous != nullptr ? t.previous->following : first) = t.following;
        if (t.following != nullptr)
            t.following->previous = t.previous;
    }

    /// Adds a thread's counts to the recording. The thread's next sample does not move.
    void fold(thread_record& t) noexcept
    {
        std::uint64_t const n = t.notify.load(std::memory_order_relaxed);
        counts::sum(t, ended);
        t.clear();
        t.next = t.next > n ? t.next - n : 0;
        t.next_sample = t.next_sample > n ? t.next_sample - n : 0;
    }

    /// Adds up the counts of all threads. Precondition: the mutex is held.
    void sum(counts& all) noexcept
    {
        counts::sum(ended, all);
        for (thread_record* t = first; t != nullptr; t = t->following)
            counts::sum(*t, all);
    }

    REGISTRY_IO_DETAIL_COLD void join(thread_record& t, std::string_view type) noexcept
    {
        std::lock_guard<std::mutex> const lock(mutex);
        if (registry.empty())
            registry = type;
        if (t.home == nullptr) {
            ++threads;
            t.home = this;
            // Any odd number works. It differs for each thread, so that threads do not sample in
            // step.
            t.random = threads * 0x9E3779B97F4A7C15u;
        }
        // Without an exit hook, a thread folds its counts each time it is measured.
        t.joined = has_hook && exit_hook.arm(&t, t.on_exit);
        if (t.joined)
            link(t);
        else
            fold(t);
    }

    /// Called when a thread exits. Later counts of the thread are folded each time.
    static void leave(void* p) noexcept
    {
        auto& t = *static_cast<thread_record*>(p);
        std::lock_guard<std::mutex> const lock(t.home->mutex);
        t.home->unlink(t);
        t.home->fold(t);
        t.joined = false;
        t.next = 0;
        t.waiting = false;
    }

    /// Starts a new recording in the child of a fork, which has only this thread. Precondition: the
    /// mutex is held.
    void start_again(thread_record& mine, std::uint64_t now) noexcept
    {
        ended.clear();
        registered.store(0, std::memory_order_relaxed);
        unregistered.store(0, std::memory_order_relaxed);
        for (counter& c : change_interval_ns.buckets)
            c.store(0, std::memory_order_relaxed);
        change_interval_ns.sum.store(0, std::memory_order_relaxed);
        has_changed = false;
        begin = now;
        first = nullptr;
        threads = mine.home != nullptr ? 1 : 0;
        mine.clear();
        mine.next = 0;
        mine.next_sample = 0;
        mine.waiting = false;
        if (mine.joined)
            link(mine);
    }

    void add_change(std::size_t added, std::size_t removed, std::uint64_t now) noexcept
    {
        std::lock_guard<std::mutex> const lock(mutex);
        add(registered, added);
        add(unregistered, removed);
        // Two registries may arrive here in a different order than they read the clock.
        if (has_changed)
            change_interval_ns.record(now > changed ? now - changed : 0);
        changed = now;
        has_changed = true;
    }
};

}  // namespace detail
}  // namespace observe
}  // namespace v1
}  // namespace registry_io

#endif
