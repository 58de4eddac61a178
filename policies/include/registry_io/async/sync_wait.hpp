// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// `sync_wait` awaits from a plain function: it starts an awaitable on the calling thread, and
// blocks that thread until the awaitable has ended.

#ifndef REGISTRY_IO_ASYNC_SYNC_WAIT_HPP
#define REGISTRY_IO_ASYNC_SYNC_WAIT_HPP

#include <registry_io/detail/supported.hpp>

#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>

#include <boost/core/addressof.hpp>
#include <boost/core/no_exceptions_support.hpp>

#include <registry_io/async/awaitable.hpp>
#include <registry_io/async/detail/detached.hpp>
#include <registry_io/async/environment.hpp>

namespace registry_io {
inline namespace v1 {
namespace async {

/// Runs an awaitable and waits for it. Returns its result, or throws what it throws.
///
/// Precondition: another thread completes what the awaitable waits for. (Called inside a notify
/// that the awaitable waits for, it never returns.)
template <awaitable Awaitable>
detail::await_result<Awaitable> sync_wait(Awaitable&& a, environment const& env = environment())
{
    using result = detail::await_result<Awaitable>;
    static_assert(
        std::is_void_v<result> || std::is_reference_v<result> ||
            std::is_move_constructible_v<result>,
        "registry_io: sync_wait moves the result out of the coroutine that awaits it, and "
        "this type cannot be moved; await it in an async::task instead");
    struct state
    {
        std::mutex mutex{};
        std::condition_variable ended{};
        bool done = false;
        std::exception_ptr exception = nullptr;
        std::optional<
            std::conditional_t<std::is_void_v<result>, bool,
                               std::conditional_t<std::is_reference_v<result>,
                                                  std::remove_reference_t<result>*, result>>>
            value{};
    };
    struct run
    {
        static detail::detached start(Awaitable& a, state& s)
        {
            BOOST_TRY
            {
                if constexpr (std::is_void_v<result>)
                    co_await static_cast<Awaitable&&>(a);
                else if constexpr (std::is_reference_v<result>)
                    s.value = boost::addressof(co_await static_cast<Awaitable&&>(a));
                else
                    s.value.emplace(co_await static_cast<Awaitable&&>(a));
            }
            BOOST_CATCH(...)
            {
                s.exception = std::current_exception();
            }
            BOOST_CATCH_END
            // Under the lock: the waiting thread may return, and destroy the state, as soon as it
            // sees `done`.
            std::lock_guard<std::mutex> const lock(s.mutex);
            s.done = true;
            s.ended.notify_all();
        }
    };
    state s;
    detail::context const context{&env, nullptr, nullptr};
    auto const h = run::start(a, s).coroutine;
    h.promise().belong(&context);
    h.promise().begin_activation();
    h.resume();
    {
        std::unique_lock<std::mutex> lock(s.mutex);
        s.ended.wait(lock, [&] { return s.done; });
    }
    if (s.exception != nullptr)
        std::rethrow_exception(std::move(s.exception));
    // There is a value if nothing was thrown.
    // NOLINTBEGIN(bugprone-unchecked-optional-access)
    if constexpr (std::is_reference_v<result>)
        return static_cast<result>(**s.value);
    else if constexpr (!std::is_void_v<result>)
        return std::move(*s.value);
    // NOLINTEND(bugprone-unchecked-optional-access)
}

}  // namespace async
}  // namespace v1
}  // namespace registry_io

#endif
