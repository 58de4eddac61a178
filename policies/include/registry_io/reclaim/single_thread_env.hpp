// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The environment for code that one thread runs: words that have the interface of atomics and cost
// a plain load or store, and a mutex that does nothing. An algorithm that takes its environment as
// a parameter then pays nothing for synchronization.

#ifndef REGISTRY_IO_RECLAIM_SINGLE_THREAD_ENV_HPP
#define REGISTRY_IO_RECLAIM_SINGLE_THREAD_ENV_HPP

#include <registry_io/detail/supported.hpp>

#include <atomic>

#include <registry_io/reclaim/nesting.hpp>

namespace registry_io {
inline namespace v1 {
namespace reclaim {

/// A word with the interface of an atomic, for code that one thread runs.
template <class T>
class plain
{
public:
    constexpr plain() noexcept = default;
    constexpr plain(T v) noexcept : value_(v) {}

    T load(std::memory_order = std::memory_order_relaxed) const noexcept { return value_; }
    void store(T v, std::memory_order = std::memory_order_relaxed) noexcept { value_ = v; }
    T exchange(T v, std::memory_order = std::memory_order_relaxed) noexcept
    {
        T old = value_;
        value_ = v;
        return old;
    }
    T fetch_add(T n, std::memory_order = std::memory_order_relaxed) noexcept
    {
        T old = value_;
        value_ = static_cast<T>(value_ + n);
        return old;
    }
    T fetch_sub(T n, std::memory_order = std::memory_order_relaxed) noexcept
    {
        T old = value_;
        value_ = static_cast<T>(value_ - n);
        return old;
    }
    bool compare_exchange_strong(T& expected, T desired, std::memory_order,
                                 std::memory_order) noexcept
    {
        if (value_ == expected) {
            value_ = desired;
            return true;
        }
        expected = value_;
        return false;
    }

private:
    T value_{};
};

/// The environment of code that one thread runs: nothing is atomic, nothing is locked.
struct single_thread_env
{
    /// Selects code that shares no state: each thread may have registries of its own.
    static constexpr bool alone = true;

    template <class T>
    using atomic = plain<T>;

    struct mutex
    {
        void lock() noexcept {}
        void unlock() noexcept {}
    };

    static nesting_entry*& nesting() noexcept { return detail::innermost_nesting; }
};

/// Whether `Env` is for code that one thread runs.
template <class Env>
inline constexpr bool one_thread = requires { requires Env::alone; };

}  // namespace reclaim
}  // namespace v1
}  // namespace registry_io

#endif
