// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The concept of types that a coroutine of any type can await. An operand of `co_await` is an
// awaiter, or has a member or a free `operator co_await` that returns one; `get_awaiter` finds it
// in the same way as the compiler.

#ifndef REGISTRY_IO_ASYNC_AWAITABLE_HPP
#define REGISTRY_IO_ASYNC_AWAITABLE_HPP

#include <registry_io/detail/supported.hpp>

#include <concepts>
#include <coroutine>
#include <utility>

#include <registry_io/async/environment.hpp>

namespace registry_io {
inline namespace v1 {
namespace async {

namespace detail {

/// A type with `await_ready`, `await_suspend` and `await_resume`.
template <class T>
concept awaiter = requires(T& t, std::coroutine_handle<> h) {
    { t.await_ready() } -> std::convertible_to<bool>;
    t.await_suspend(h);
    t.await_resume();
};

template <class T>
concept member_co_await = requires(T&& t) { static_cast<T&&>(t).operator co_await(); };
template <class T>
concept free_co_await = requires(T&& t) { operator co_await(static_cast<T&&>(t)); };

template <class T>
decltype(auto) get_awaiter(T&& t)
{
    if constexpr (member_co_await<T>)
        return static_cast<T&&>(t).operator co_await();
    else if constexpr (free_co_await<T>)
        return operator co_await(static_cast<T&&>(t));
    else
        return static_cast<T&&>(t);
}

/// Awaitables of this library, which receive the context of the task that awaits them.
template <class T>
concept takes_context = requires(T& t, context const* c) { t.set_context(c); };

}  // namespace detail

/// A type that can be the operand of `co_await` in a coroutine of any type.
template <class T>
concept awaitable = detail::awaiter<T> || detail::member_co_await<T> || detail::free_co_await<T>;

namespace detail {

/// The type that awaiting an `Awaitable` returns.
template <class Awaitable>
using await_result = decltype(get_awaiter(std::declval<Awaitable>()).await_resume());

}  // namespace detail

}  // namespace async
}  // namespace v1
}  // namespace registry_io

#endif
