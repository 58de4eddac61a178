// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The environment of a notify: the executor on which coroutines are resumed, a stop token, and the
// source of frames. It is passed from the coroutine that awaits a notify to the handlers, and to
// the tasks that they await. A list of activations says in which notifies a thread currently is.
// Invariant: the list of a thread contains the running parts of coroutines on its stack, innermost
// first.

#ifndef REGISTRY_IO_ASYNC_ENVIRONMENT_HPP
#define REGISTRY_IO_ASYNC_ENVIRONMENT_HPP

#include <registry_io/detail/supported.hpp>

#include <coroutine>
#include <utility>

#include <boost/core/addressof.hpp>

#include <registry_io/async/frames.hpp>
#include <registry_io/async/stop_token.hpp>

namespace registry_io {
inline namespace v1 {
namespace async {

/// A reference to an executor: an object that resumes the coroutines that are posted to it.
///
/// The object referred to must outlive every notify that was given the reference.
class executor_ref
{
public:
    /// How to use one kind of executor; there is one constant for each kind.
    struct operations
    {
        /// Resumes the coroutine later, on this executor; it may do so before it returns only if
        /// the executor allows that. May be called on any thread. If it throws, it must not resume
        /// the coroutine: the caller of `post` resumes it instead, and what the coroutine awaits
        /// throws that exception.
        void (*post)(void* executor, std::coroutine_handle<> coroutine);
    };

    /// No executor: a coroutine is resumed by the code that completes what it waits for.
    executor_ref() noexcept : executor_(nullptr), operations_(nullptr) {}

    /// Refers to an executor with its own table of operations, which must live for ever.
    executor_ref(void* executor, operations const& o) noexcept
        : executor_(executor), operations_(&o)
    {
    }

    /// Refers to any object with `post(std::coroutine_handle<>)`.
    template <class Executor>
    static executor_ref to(Executor& e) noexcept
    {
        static constexpr operations table{
            [](void* self, std::coroutine_handle<> h) { static_cast<Executor*>(self)->post(h); }};
        return executor_ref(boost::addressof(e), table);
    }

    /// Whether this refers to an executor.
    explicit operator bool() const noexcept { return operations_ != nullptr; }

    /// Resumes `h` on the executor. Precondition: this refers to an executor.
    void post(std::coroutine_handle<> h) const { operations_->post(executor_, h); }

    /// Returns the executor if it is of this kind, otherwise null.
    void* target(operations const& kind) const noexcept
    {
        return operations_ == &kind ? executor_ : nullptr;
    }

private:
    void* executor_;
    operations const* operations_;
};

/// The values that pass from the coroutine that awaits a notify to the handlers, and from a task to
/// the tasks that it awaits: an executor, a stop token and a source of frames.
///
/// Deliberately not an aggregate: g++ 12 destroys an aggregate twice if it is created in the
/// operand of `co_await`.
class environment
{
public:
    /// No executor, no stop token, recycled frames.
    environment() noexcept {}
    /// Moves all parts.
    environment(environment&&) = default;
    /// Copies all parts.
    environment(environment const&) = default;
    /// Moves all parts.
    environment& operator=(environment&&) = default;
    /// Copies all parts.
    environment& operator=(environment const&) = default;
    ~environment() = default;

    /// Creates an environment with an executor, and optionally a stop token and a source of frames.
    explicit environment(executor_ref e, stop_token s = {}, frame_memory* f = nullptr) noexcept
        : executor_(e), stop_(std::move(s)), frames_(f)
    {
    }

    /// Creates an environment with a stop token, and optionally a source of frames.
    explicit environment(stop_token s, frame_memory* f = nullptr) noexcept
        : stop_(std::move(s)), frames_(f)
    {
    }

    /// Creates an environment that only sets the source of frames.
    explicit environment(frame_memory& f) noexcept : frames_(&f) {}

    /// Returns the executor on which the awaiting coroutine is resumed, if it had to wait.
    executor_ref const& executor() const noexcept { return executor_; }
    /// Returns the stop token.
    stop_token const& stop() const noexcept { return stop_; }
    /// Returns the source of frames; null for the recycled heap.
    frame_memory* frames() const noexcept { return frames_; }

private:
    executor_ref executor_{};
    stop_token stop_{};
    frame_memory* frames_ = nullptr;
};

/// Await this in a task to get its environment: `co_await async::this_environment`. The returned
/// reference is valid as long as the task runs.
struct this_environment_t
{
};
/// The only object of type `this_environment_t`.
inline constexpr this_environment_t this_environment{};

namespace detail {

/// An environment and the notify that it belongs to. It lives as long as that notify.
struct context
{
    environment const* env = nullptr;  ///< null for the default one
    void const* registry = nullptr;    ///< its panic policy object; null outside notifies
    context const* outer = nullptr;    ///< of the notify in whose handler this one runs
};

template <class Unused = void>
struct REGISTRY_IO_EXPORT default_environment
{
    // Not a static variable of a function: a child of fork would wait for ever for a thread that
    // was just initializing it.
    REGISTRY_IO_EXPORT static inline environment const value{};
};

/// Returns the environment of a context, which may be null.
inline environment const& environment_of(context const* c) noexcept
{
    return c != nullptr && c->env != nullptr ? *c->env : default_environment<>::value;
}

/// The part of a coroutine's run from its resumption to its next suspension, as an element of the
/// thread's list. Activations nest: a coroutine that is resumed inside another one is suspended
/// before that one continues.
struct activation
{
    context const* what;
    activation* outer;
    frame_memory* memory;  ///< the previous source of frames
};

template <class Unused = void>
struct REGISTRY_IO_EXPORT activations
{
    REGISTRY_IO_EXPORT REGISTRY_IO_HOT_TLS static inline constinit thread_local activation*
        innermost = nullptr;
};

inline void enter(activation& a, context const* what) noexcept
{
    a.what = what;
    a.outer = activations<>::innermost;
    activations<>::innermost = &a;
    a.memory = frame_statics<>::cache.memory;
    frame_statics<>::cache.memory = what->env != nullptr ? what->env->frames() : nullptr;
}

inline void leave(activation const& a) noexcept
{
    activations<>::innermost = a.outer;
    frame_statics<>::cache.memory = a.memory;
}

/// Whether this thread is inside a handler of the registry with this panic policy object.
inline bool inside(void const* registry) noexcept
{
    for (activation const* a = activations<>::innermost; a != nullptr; a = a->outer)
        for (context const* c = a->what; c != nullptr; c = c->outer)
            if (c->registry == registry)
                return true;
    return false;
}

/// An activation for the duration of a scope.
class activated
{
public:
    explicit activated(context const* what) noexcept { enter(here_, what); }
    activated(activated const&) = delete;
    activated& operator=(activated const&) = delete;
    ~activated() { leave(here_); }

private:
    activation here_{};
};

}  // namespace detail
}  // namespace async
}  // namespace v1
}  // namespace registry_io

#endif
