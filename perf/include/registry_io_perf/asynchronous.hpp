// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#ifndef REGISTRY_IO_PERF_ASYNCHRONOUS_HPP
#define REGISTRY_IO_PERF_ASYNCHRONOUS_HPP

// The synthetic workload of asynchronous registries. Its handlers are coroutines that each wait
// once, for a queue that the notifying thread runs.

#include <coroutine>
#include <cstddef>
#include <exception>
#include <utility>
#include <vector>

#include <registry_io/async/registry.hpp>
#include <registry_io/async/task.hpp>
#include <registry_io_perf/synthetic.hpp>

namespace registry_io_perf {

/// The coroutines of one thread that wait for their turn.
class turns
{
public:
    /// The awaitable that `next` returns.
    struct turn
    {
        bool await_ready() const noexcept { return false; }
        void await_suspend(std::coroutine_handle<> h) { queue->waiting_.push_back(h); }
        void await_resume() const noexcept {}

        turns* queue;
    };

    /// Returns the object of the calling thread.
    static turns& mine()
    {
        static thread_local turns t;
        return t;
    }

    /// Returns an awaitable that waits until `work_off` is called.
    turn next() noexcept { return {this}; }

    /// Resumes the waiting coroutines in order until none is left. Throws nothing.
    void work_off()
    {
        while (!waiting_.empty()) {
            std::swap(waiting_, resuming_);
            for (std::coroutine_handle<> const h : resuming_)
                h.resume();
            resuming_.clear();
        }
    }

private:
    std::vector<std::coroutine_handle<>> waiting_, resuming_;
};

/// The `caller` for asynchronous registries; see the primary template.
template <class Event, class Snapshot, class Ordering, class Panic, class Alloc>
struct caller<registry_io::basic_async_registry<Event, Snapshot, Ordering, Panic, Alloc>>
{
    using registry = registry_io::basic_async_registry<Event, Snapshot, Ordering, Panic, Alloc>;

    caller() : loop_(loop(*this).handle) {}
    caller(caller const&) = delete;
    caller& operator=(caller const&) = delete;
    ~caller() { loop_.destroy(); }

    void notify(registry const& r, Event const& e)
    {
        registry_ = &r;
        event_ = &e;
        loop_.resume();
        turns::mine().work_off();
        if (failure_)
            std::rethrow_exception(std::exchange(failure_, nullptr));
    }

    template <class F>
    static auto handler(F f)
    {
        return [f](Event const& e) -> registry_io::async::task<> {
            co_await turns::mine().next();
            f(e);
        };
    }

    static auto notifier(registry const& inner)
    {
        return [to = &inner](Event const& e) -> registry_io::async::task<> {
            (void)co_await to->notify(e);
        };
    }

private:
    struct coroutine
    {
        struct promise_type
        {
            std::coroutine_handle<> get_return_object() noexcept
            {
                return std::coroutine_handle<promise_type>::from_promise(*this);
            }
            std::suspend_always initial_suspend() const noexcept { return {}; }
            std::suspend_always final_suspend() const noexcept { return {}; }
            void return_void() const noexcept {}
            void unhandled_exception() const noexcept { std::terminate(); }
        };
        coroutine(std::coroutine_handle<> h) noexcept : handle(h) {}
        std::coroutine_handle<> handle;
    };

    // One coroutine for all notifies, so that no notify pays for its frame.
    static coroutine loop(caller& c)
    {
        for (;;) {
            if constexpr (registry::panic_policy::isolates) {
                (void)co_await c.registry_->notify(*c.event_);
            } else {
                try {
                    (void)co_await c.registry_->notify(*c.event_);
                } catch (...) {
                    c.failure_ = std::current_exception();
                }
            }
            co_await std::suspend_always();
        }
    }

    registry const* registry_ = nullptr;
    Event const* event_ = nullptr;
    std::exception_ptr failure_ = nullptr;
    std::coroutine_handle<> loop_;
};

}  // namespace registry_io_perf

#endif
