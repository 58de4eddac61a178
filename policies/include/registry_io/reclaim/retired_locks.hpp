// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The locks of the lists of retired roots: a few mutexes for all registries of the process. The
// address of a list selects its mutex. They outlive every registry, and `fork` locks all of them,
// so a child never finds a list in the middle of a change.

#ifndef REGISTRY_IO_RECLAIM_RETIRED_LOCKS_HPP
#define REGISTRY_IO_RECLAIM_RETIRED_LOCKS_HPP

#include <registry_io/detail/supported.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <utility>

#include <registry_io/config.hpp>
#include <registry_io/reclaim/env.hpp>
#include <registry_io/reclaim/single_thread_env.hpp>

namespace registry_io {
inline namespace v1 {
namespace reclaim {

/// The locks of all `retired_roots` of the process. They outlive every registry, so the last reader
/// of a destroyed registry can still unlock.
template <class Env>
class REGISTRY_IO_EXPORT retired_locks
{
    static constexpr std::size_t count = 16;
    struct alignas(64) padded
    {
        typename Env::mutex mutex{};
    };

public:
    using mutex = typename Env::mutex;

    static mutex& of(void const* p) noexcept
    {
        return instance().all_[reinterpret_cast<std::uintptr_t>(p) / 64 % count].mutex;
    }

    /// Registers the `fork` handlers. Call it before the first lock. Returns `forks()`.
    static unsigned prepare() noexcept
    {
        retired_locks& l = instance();
        std::lock_guard<mutex> const lock(l.all_[0].mutex);
        if (std::exchange(l.prepared_, true))
            return forks();
        Env::at_fork(
            [] {
                for (padded& p : instance().all_)
                    p.mutex.lock();
            },
            [] { unlock_all(); },
            [] {
                instance().forks_.fetch_add(1, std::memory_order_relaxed);
                unlock_all();
            });
        return forks();
    }

    /// The number of forks from the process that loaded the library to this process.
    // relaxed: it changes only in a child of fork, which has one thread.
    static unsigned forks() noexcept { return instance().forks_.load(std::memory_order_relaxed); }

private:
    static retired_locks& instance() noexcept { return Env::template global<retired_locks>(); }
    static void unlock_all() noexcept
    {
        for (padded& p : instance().all_)
            p.mutex.unlock();
    }

    padded all_[count];
    typename Env::template atomic<unsigned> forks_{0};
    bool prepared_ = false;
};

/// With one thread there is nothing to lock. Registries of different threads share no lock either.
template <class Env>
    requires one_thread<Env>
class retired_locks<Env>
{
public:
    struct mutex
    {
        void lock() noexcept {}
        void unlock() noexcept {}
    };
    static mutex of(void const*) noexcept { return {}; }
    static constexpr unsigned prepare() noexcept { return 0; }
    static constexpr unsigned forks() noexcept { return 0; }
};

}  // namespace reclaim
}  // namespace v1
}  // namespace registry_io

#endif
