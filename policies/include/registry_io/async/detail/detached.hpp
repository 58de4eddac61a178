// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// A coroutine that nothing awaits: it destroys its own frame when it ends. It must not let an
// exception escape.

#ifndef REGISTRY_IO_ASYNC_DETAIL_DETACHED_HPP
#define REGISTRY_IO_ASYNC_DETAIL_DETACHED_HPP

#include <registry_io/detail/supported.hpp>

#include <coroutine>
#include <exception>

#include <registry_io/async/detail/promise.hpp>
#include <registry_io/async/frames.hpp>

namespace registry_io {
inline namespace v1 {
namespace async {

namespace detail {

/// A coroutine that runs on its own, and destroys itself when it ends.
struct detached
{
    struct promise_type : promise_base, recycled_frame
    {
        using recycled_frame::operator new;
        using recycled_frame::operator delete;

        detached get_return_object() noexcept
        {
            return detached{std::coroutine_handle<promise_type>::from_promise(*this)};
        }
        std::suspend_never final_suspend() noexcept
        {
            this->end_activation();
            return {};
        }
        void return_void() const noexcept {}
        void unhandled_exception() const noexcept { std::terminate(); }
    };
    std::coroutine_handle<promise_type> coroutine;
};

}  // namespace detail

}  // namespace async
}  // namespace v1
}  // namespace registry_io

#endif
