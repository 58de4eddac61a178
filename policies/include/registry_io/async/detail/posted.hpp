// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The coroutine that is posted to an executor in place of another coroutine, which may be destroyed
// while it is queued. Destroying the posted coroutine, or running it too late, does nothing.

#ifndef REGISTRY_IO_ASYNC_DETAIL_POSTED_HPP
#define REGISTRY_IO_ASYNC_DETAIL_POSTED_HPP

#include <coroutine>
#include <exception>
#include <memory>

#include <registry_io/async/frames.hpp>

namespace registry_io {
inline namespace v1 {
namespace async {
namespace detail {

/// A coroutine that an executor resumes in place of another one. It destroys itself when it ends.
struct posted
{
    struct promise_type : recycled_frame
    {
        posted get_return_object() noexcept
        {
            return posted{std::coroutine_handle<promise_type>::from_promise(*this)};
        }
        std::suspend_always initial_suspend() const noexcept { return {}; }
        std::suspend_never final_suspend() const noexcept { return {}; }
        void return_void() const noexcept {}
        void unhandled_exception() const noexcept { std::terminate(); }

        std::shared_ptr<void> keeps;  ///< kept alive as long as this promise
    };
    std::coroutine_handle<promise_type> coroutine;
};

/// Destroys the coroutine that awaits it and resumes `next` instead, so that an exception of `next`
/// reaches the executor.
class hand_over
{
public:
    explicit hand_over(std::coroutine_handle<> next) noexcept : next_(next) {}
    bool await_ready() const noexcept { return false; }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<> me) const noexcept
    {
        std::coroutine_handle<> const next = next_;
        me.destroy();
        return next;
    }
    void await_resume() const noexcept {}

private:
    std::coroutine_handle<> next_;
};

}  // namespace detail
}  // namespace async
}  // namespace v1
}  // namespace registry_io

#endif
