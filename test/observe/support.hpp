// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// What the tests of observe share.

#ifndef REGISTRY_IO_TEST_OBSERVE_SUPPORT_HPP
#define REGISTRY_IO_TEST_OBSERVE_SUPPORT_HPP

#include <atomic>
#include <coroutine>
#include <cstdint>
#include <functional>
#include <thread>
#include <utility>

#include "detached.hpp"

namespace test {

/// A clock that the test advances; the same on all threads.
struct hand_clock
{
    static std::uint64_t now() noexcept { return time.load(std::memory_order_relaxed); }
    static void advance(std::uint64_t ns) { time.fetch_add(ns, std::memory_order_relaxed); }
    inline static std::atomic<std::uint64_t> time{1000};
};

/// A coroutine that awaits the gate waits until `open` is called.
struct gate
{
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> h) noexcept { waiting = h; }
    void await_resume() const noexcept {}
    void open() { std::exchange(waiting, nullptr).resume(); }
    std::coroutine_handle<> waiting;
};

/// Resumes the awaiting coroutine on another thread, which then calls `after`; both happen before
/// the awaiting thread has left the coroutine.
struct elsewhere
{
    std::function<void()> after;

    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> h)
    {
        std::thread([h, f = after] {
            h.resume();
            f();
        }).join();
    }
    void await_resume() const noexcept {}
};

/// Notifies an asynchronous registry, and counts when the notify has ended.
template <class R, class Event>
detached notify_of(R const& r, Event event, int& ended)
{
    co_await r.notify(event);
    ++ended;
}
template <class R, class Event>
detached notify_in_turn_of(R const& r, Event event, int& ended)
{
    co_await r.notify_sequential(event);
    ++ended;
}

}  // namespace test

#endif
