// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// What a mailbox needs of the system: atomics, and a way to sleep on a word until another thread
// changes it. The code that counts events takes the environment as a parameter, so that a checker
// can run it in its own environment.

#ifndef REGISTRY_IO_QUEUED_DETAIL_MAILBOX_ENV_HPP
#define REGISTRY_IO_QUEUED_DETAIL_MAILBOX_ENV_HPP

#include <registry_io/detail/supported.hpp>

#include <atomic>
#include <chrono>
#include <climits>
#include <optional>
#include <thread>

#if defined(__linux__)
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#endif

namespace registry_io {
inline namespace v1 {
namespace queued {
namespace detail {

/// When a wait ends; empty for a wait without a limit.
using deadline = std::optional<std::chrono::steady_clock::time_point>;

/// The environment of shipped code.
struct mailbox_env
{
    template <class T>
    using atomic = std::atomic<T>;

    /// Sleeps until `word` may have changed from `old`, or until the deadline. It may return early.
    static void wait(std::atomic<unsigned>& word, unsigned old, deadline const& until) noexcept
    {
#if defined(__linux__)
        // Not word.wait: it has no deadline, and libstdc++ counts the waiters in a static variable
        // of an inline function, of which each shared object may have a copy.
        ::timespec at{};
        if (until) {
            using std::chrono::duration_cast;
            auto const since = until->time_since_epoch();
            auto const whole = duration_cast<std::chrono::duration<::time_t>>(since);
            at.tv_sec = whole.count();
            at.tv_nsec =
                duration_cast<std::chrono::duration<long, std::nano>>(since - whole).count();
        }
        // The BITSET form takes an absolute time of the monotonic clock, which steady_clock is.
        ::syscall(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE, old, until ? &at : nullptr, nullptr,
                  FUTEX_BITSET_MATCH_ANY);
#else
        if (!until)
            word.wait(old);
        else
            std::this_thread::sleep_for(std::chrono::microseconds(50));
#endif
    }

    /// Wakes every thread that sleeps on `word`.
    static void wake_all(std::atomic<unsigned>& word) noexcept
    {
#if defined(__linux__)
        ::syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
#else
        word.notify_all();
#endif
    }
    static_assert(sizeof(std::atomic<unsigned>) == sizeof(unsigned));
};

inline bool is_over(deadline const& until) noexcept
{
    return until && std::chrono::steady_clock::now() >= *until;
}

}  // namespace detail
}  // namespace queued
}  // namespace v1
}  // namespace registry_io

#endif
