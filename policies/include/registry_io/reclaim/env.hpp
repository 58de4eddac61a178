// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The environment of the shipped code: every variable that reclamation shares between threads,
// every variable that belongs to a thread, and every call to the system. The algorithms take it as
// a parameter. A checker passes its own environment with the same members, so it explores the
// shipped code and not a copy. `single_thread_env.hpp` has the environment for one thread.

#ifndef REGISTRY_IO_RECLAIM_ENV_HPP
#define REGISTRY_IO_RECLAIM_ENV_HPP

#include <registry_io/detail/supported.hpp>

#include <atomic>
#include <climits>

#include <registry_io/config.hpp>
#include <registry_io/reclaim/fence.hpp>
#include <registry_io/reclaim/nesting.hpp>
#include <registry_io/thread/exit.hpp>

#if defined(_WIN32)
#include <chrono>
#include <thread>
#else
#include <pthread.h>
#include <time.h>
#endif
#if defined(__linux__)
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace registry_io {
inline namespace v1 {
namespace reclaim {

namespace detail {
/// The calling thread's record of this type.
template <class Record>
struct REGISTRY_IO_EXPORT this_thread
{
    REGISTRY_IO_EXPORT static inline constinit thread_local Record record{};
};

/// The words of the calling thread that the fast path uses. Each is a separate variable, since g++
/// addresses a variable directly but computes the address of a member first.
template <class Words>
struct REGISTRY_IO_EXPORT this_thread_hot
{
    REGISTRY_IO_EXPORT REGISTRY_IO_HOT_TLS static inline constinit thread_local std::atomic<
        typename Words::state_type>
        state{};
    REGISTRY_IO_EXPORT REGISTRY_IO_HOT_TLS static inline constinit thread_local std::atomic<
        typename Words::era_type*>
        mail{};
    REGISTRY_IO_EXPORT REGISTRY_IO_HOT_TLS static inline constinit thread_local
        typename Words::state_type last{};
    REGISTRY_IO_EXPORT
    REGISTRY_IO_HOT_TLS static inline constinit thread_local std::atomic<void const*> cell{};
};

/// One variable for each type, for the whole process.
template <class T>
struct REGISTRY_IO_EXPORT process_wide
{
    REGISTRY_IO_EXPORT static inline constinit T value{};
};
}  // namespace detail

namespace detail {
/// Sleeps until `word` may have changed from `old`.
inline void sleep_on(std::atomic<unsigned>& word, unsigned old) noexcept
{
#if defined(__linux__)
    // Not word.wait: libstdc++ counts the waiters in a static of an inline function. Each shared
    // object may have its own copy, so the thread that wakes would see no waiter.
    ::syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, old, nullptr, nullptr, 0);
#else
    word.wait(old);
#endif
}

/// Wakes up to `most` of the threads that sleep on `word`.
inline void wake(std::atomic<unsigned>& word, int most) noexcept
{
#if defined(__linux__)
    ::syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, most, nullptr, nullptr, 0);
#else
    most == 1 ? word.notify_one() : word.notify_all();
#endif
}
static_assert(sizeof(std::atomic<unsigned>) == sizeof(unsigned));

/// A mutex of four bytes, where `std::mutex` has 40: each registry has one. It is
/// constant-initialised on every platform, since the domains must be usable before any constructor
/// runs. Source: U. Drepper, Futexes Are Tricky (2011), the second mutex.
class word_mutex
{
    static constexpr unsigned unlocked = 0;
    static constexpr unsigned locked = 1;
    static constexpr unsigned waited_for = 2;

public:
    constexpr word_mutex() noexcept = default;
    word_mutex(word_mutex const&) = delete;
    word_mutex& operator=(word_mutex const&) = delete;

    void lock() noexcept
    {
        unsigned expected = unlocked;
        // acquire: pairs with the release of unlock. Without it, the writes of the last holder
        // could be missed.
        if (!word_.compare_exchange_strong(expected, locked, std::memory_order_acquire,
                                           std::memory_order_relaxed)) [[unlikely]]
            lock_slowly();
    }
    void unlock() noexcept
    {
        // release: pairs with the acquire of lock. Without it, the next holder could miss this
        // thread's writes.
        if (word_.exchange(unlocked, std::memory_order_release) == waited_for) [[unlikely]]
            wake_one();
    }

private:
    REGISTRY_IO_DETAIL_COLD void lock_slowly() noexcept
    {
        // A thread that has waited does not know whether others still wait, so it assumes that they
        // do. acquire: as in lock.
        while (word_.exchange(waited_for, std::memory_order_acquire) != unlocked)
            sleep_on(word_, waited_for);
    }
    REGISTRY_IO_DETAIL_COLD void wake_one() noexcept { wake(word_, 1); }

    std::atomic<unsigned> word_{unlocked};
};
}  // namespace detail

/// The environment of the shipped code: all variables that it shares between threads, all variables
/// that belong to a thread, and the calls to the system.
struct REGISTRY_IO_EXPORT std_env
{
    template <class T>
    using atomic = std::atomic<T>;
    using mutex = detail::word_mutex;
    using exit_hook = thread_exit::hook;

    /// One constant-initialised variable for each type, for the whole process.
    template <class T>
    static constexpr BOOST_FORCEINLINE T& global() noexcept
    {
        return detail::process_wide<T>::value;
    }

    /// The calling thread's record of this type.
    template <class Record>
    static Record& record() noexcept
    {
        return detail::this_thread<Record>::record;
    }

    /// The calling thread's slot for the fast path.
    template <class Words>
    static BOOST_FORCEINLINE Words hot() noexcept
    {
        using words = detail::this_thread_hot<Words>;
        if constexpr (Words::has_cell)
            return Words{words::state, words::mail, words::last, words::cell};
        else
            return Words{words::state, words::mail, words::last};
    }

    static nesting_entry*& nesting() noexcept { return detail::innermost_nesting; }
    static void light_fence() noexcept { reclaim::light_fence(); }
    static bool heavy_fence(fence_mode mode) noexcept { return reclaim::heavy_fence(mode); }
    static fence_mode decide_fence_mode() noexcept { return reclaim::decide_fence_mode(); }

    /// Registers functions that each later `fork` calls: before it, in the parent and in the child.
    static void at_fork(void (*before)(), void (*parent)(), void (*child)()) noexcept
    {
#if !defined(_WIN32)
        // Failure is ignored: then a child of fork may find a mutex locked by a thread that it does
        // not have.
        static_cast<void>(::pthread_atfork(before, parent, child));
#endif
    }

    /// Sleeps until `word` may have changed from `old`.
    static void wait(atomic<unsigned>& word, unsigned old) noexcept { detail::sleep_on(word, old); }
    static void wake_all(atomic<unsigned>& word) noexcept { detail::wake(word, INT_MAX); }

    /// Sleeps for a short time, for a wait that must poll.
    static void nap() noexcept
    {
#if defined(_WIN32)
        std::this_thread::sleep_for(std::chrono::microseconds(50));
#else
        // Not <thread>: with <chrono> it would add a third of a second to every build.
        ::timespec const some{0, 50000};
        ::nanosleep(&some, nullptr);
#endif
    }
};

}  // namespace reclaim
}  // namespace v1
}  // namespace registry_io

#endif
