// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// `async::task`, the coroutine type of handlers. A task is lazy: it begins when it is awaited, runs
// in place until it waits, and when it ends, it resumes the coroutine that awaits it. This header
// also includes the other parts that a coroutine needs: `awaitable`, `sync_wait`, environments and
// frames.

#ifndef REGISTRY_IO_ASYNC_TASK_HPP
#define REGISTRY_IO_ASYNC_TASK_HPP

#include <registry_io/detail/supported.hpp>

#include <coroutine>
#include <cstddef>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include <boost/core/no_exceptions_support.hpp>

#include <registry_io/async/awaitable.hpp>
#include <registry_io/async/detail/promise.hpp>
#include <registry_io/async/environment.hpp>
#include <registry_io/async/frames.hpp>
#include <registry_io/async/sync_wait.hpp>

namespace registry_io {
inline namespace v1 {
namespace async {

/// A coroutine that begins when it is awaited, and passes its result to the coroutine that awaits
/// it.
///
/// It may await anything that has an awaiter, and coroutines of any type may await it, once. Its
/// frame comes from the frame memory of the environment in which it is created. It inherits the
/// environment of the task that awaits it. When it ends, the coroutine that awaits it continues on
/// the same thread. Destroying a task that has not ended destroys its frame, and so what it awaits.
/// Precondition: it is not running, and nothing is about to resume it.
template <class T = void>
class [[nodiscard]] task
{
public:
    /// The promise type that the compiler requires.
    class promise_type : public detail::promise_of<T>
    {
    public:
        /// Returns the task.
        task get_return_object() noexcept
        {
            return task(std::coroutine_handle<promise_type>::from_promise(*this));
        }
    };

    /// Creates no task.
    task() noexcept = default;
    /// Takes over the coroutine of `other`.
    task(task&& other) noexcept : coroutine_(std::exchange(other.coroutine_, {})) {}
    /// Takes over the coroutine of `other`, then destroys its own previous one. That destruction
    /// may destroy this task too.
    task& operator=(task&& other) noexcept
    {
        task before(std::move(other));
        std::swap(before.coroutine_, coroutine_);
        return *this;  // `before` destroys: from here on this task must not be used
    }
    ~task() { destroy(); }

    /// Whether there is a coroutine.
    explicit operator bool() const noexcept { return static_cast<bool>(coroutine_); }

    /// The awaiter that `co_await` obtains from a task.
    class awaiter
    {
    public:
        /// Awaits the given coroutine.
        explicit awaiter(std::coroutine_handle<promise_type> h) noexcept : coroutine_(h) {}

        /// Returns false: the task has not begun.
        bool await_ready() const noexcept { return false; }

        /// Runs the task until it waits. Returns whether it waits.
        template <class Promise>
        bool await_suspend(std::coroutine_handle<Promise> parent) noexcept
        {
            promise_type& p = coroutine_.promise();
            p.belong(detail::context_of(parent));
            p.begin_activation();
            // Resumed in place, not by symmetric transfer: a task that does not wait returns here,
            // so a loop over such tasks needs no stack, whether or not the compiler makes tail
            // calls.
            coroutine_.resume();
            return !p.ended() && p.call_at_end(&go_on, parent.address());
        }

        /// Returns the result, or throws what the task has thrown.
        T await_resume()
        {
            promise_type& p = coroutine_.promise();
            if (p.exception() != nullptr)
                std::rethrow_exception(std::move(p.exception()));
            return p.take();
        }

    private:
        static std::coroutine_handle<> go_on(detail::promise_base& p) noexcept
        {
            return std::coroutine_handle<>::from_address(p.argument());
        }
        std::coroutine_handle<promise_type> coroutine_;
    };

    /// Returns the awaiter. Precondition: there is a coroutine, and it has not been awaited yet.
    awaiter operator co_await() && noexcept { return awaiter(coroutine_); }

    /// Releases ownership of the coroutine, for code that runs tasks itself.
    std::coroutine_handle<promise_type> release() noexcept { return std::exchange(coroutine_, {}); }

private:
    explicit task(std::coroutine_handle<promise_type> h) noexcept : coroutine_(h) {}

    void destroy() noexcept
    {
        if (coroutine_)
            coroutine_.destroy();
    }

    std::coroutine_handle<promise_type> coroutine_;
};

namespace detail {

/// Whether `T` requires a stricter alignment than frames have.
template <class T>
inline constexpr bool over_aligned = false;
template <class T>
    requires std::is_object_v<T>
inline constexpr bool over_aligned<T> = alignof(T) > frame_alignment;

/// The promise of a task with an over-aligned parameter or result. It equals the promise of an
/// ordinary task, but refuses the allocation function that does not receive an alignment.
template <class T>
class over_aligned_promise : public task<T>::promise_type
{
    using base = typename task<T>::promise_type;

public:
    using base::operator new;

    /// Called by all compilers except clang with -fcoro-aligned-allocation.
    static void* operator new(std::size_t size)
    {
        static_assert(sizeof(T*) == 0,
                      "registry_io: a parameter or the result of this async::task has a stronger "
                      "alignment than coroutine frames have (async::frame_alignment); pass a "
                      "reference or a pointer, or use clang with -fcoro-aligned-allocation");
        return base::operator new(size);
    }
};

/// A value whose move does not throw: it stores the exception that moving the value has thrown.
template <class T>
class quietly_moved
{
public:
    explicit quietly_moved(T& from) noexcept { take(from); }
    quietly_moved(quietly_moved&& other) noexcept : exception_(std::move(other.exception_))
    {
        if (other.value_)
            take(*other.value_);
    }
    quietly_moved& operator=(quietly_moved&&) = delete;

    /// Returns the value. Throws what moving it has thrown.
    T&& get()
    {
        if (exception_ != nullptr)
            std::rethrow_exception(std::move(exception_));
        // NOLINTNEXTLINE(bugprone-unchecked-optional-access): there is one where nothing was thrown
        return std::move(*value_);
    }

private:
    // clang-format off: it takes the macros for an initializer here, and miscounts the braces
    void take(T& from) noexcept
    {
        BOOST_TRY
        {
            value_.emplace(std::move(from));
        }
        BOOST_CATCH(...)
        {
            exception_ = std::current_exception();
        }
        BOOST_CATCH_END
    }

    std::optional<T> value_;
    std::exception_ptr exception_;
};
// clang-format on

/// Makes a task of any awaitable.
template <class Awaitable>
    requires std::is_nothrow_move_constructible_v<Awaitable>
task<> as_task(Awaitable a)
{
    co_await std::move(a);
}

template <class Awaitable>
task<> await_quietly_moved(quietly_moved<Awaitable> a)
{
    co_await a.get();
}

/// The same if a move may throw. It must not throw while the coroutine is created: if moving a
/// parameter into the frame throws, clang without optimisation frees the frame and then reads the
/// exception from it.
template <class Awaitable>
    requires(!std::is_nothrow_move_constructible_v<Awaitable>)
task<> as_task(Awaitable a)
{
    return await_quietly_moved(quietly_moved<Awaitable>(a));
}

// clang-format off: as above
}  // namespace detail
}  // namespace async
}  // namespace v1
}  // namespace registry_io
// clang-format on

/// @cond
/// Tasks with parameters or a result for which frames are not sufficiently aligned.
template <class T, class... Args>
    requires(registry_io::async::detail::over_aligned<T> ||
             (registry_io::async::detail::over_aligned<Args> || ...))
struct std::coroutine_traits<registry_io::async::task<T>, Args...>
{
    using promise_type = registry_io::async::detail::over_aligned_promise<T>;
};
/// @endcond

#endif
