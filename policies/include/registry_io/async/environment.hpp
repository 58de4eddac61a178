// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The environment of a notify: the executor on which coroutines are resumed, a stop token, and the
// source of frames. It travels down from whoever awaits to the handlers and to the tasks that they
// await. A list of activations says in which notifies a thread is at the moment. Invariant: the
// list of a thread is that of the stretches of coroutines on its stack, innermost first.

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

/// Where a coroutine is resumed: a reference to something that runs what is posted to it.
///
/// The object referred to must outlive every notify that was given the reference.
class executor_ref
{
public:
    /// How a kind of executor is used; one constant for each kind.
    struct operations
    {
        /// Resumes the coroutine later, on this executor; never before it returns, unless the
        /// executor likes to. Called by any thread. If it throws, it must not resume the coroutine:
        /// the caller of `post` resumes it instead, and what the coroutine awaits throws what
        /// `post` has thrown.
        void (*post)(void* executor, std::coroutine_handle<> coroutine);
    };

    /// None: coroutines are resumed by whoever completes what they wait for.
    executor_ref() noexcept : executor_(nullptr), operations_(nullptr) {}

    /// An executor of a kind that has its own table; the table must live for ever.
    executor_ref(void* executor, operations const& o) noexcept
        : executor_(executor), operations_(&o)
    {
    }

    /// Any object with `post(std::coroutine_handle<>)`.
    template <class Executor>
    static executor_ref to(Executor& e) noexcept
    {
        static constexpr operations table{
            [](void* self, std::coroutine_handle<> h) { static_cast<Executor*>(self)->post(h); }};
        return executor_ref(boost::addressof(e), table);
    }

    /// Whether there is one.
    explicit operator bool() const noexcept { return operations_ != nullptr; }

    /// Resumes `h` there. Precondition: there is one.
    void post(std::coroutine_handle<> h) const { operations_->post(executor_, h); }

    /// The executor, if it is of this kind; else null.
    void* target(operations const& kind) const noexcept
    {
        return operations_ == &kind ? executor_ : nullptr;
    }

private:
    void* executor_;
    operations const* operations_;
};

/// What travels from whoever awaits a notify to the handlers, and from a task to the tasks that it
/// awaits: where to resume, whether to stop, where frames come from.
///
/// Not an aggregate, on purpose: g++ 12 destroys aggregates twice that are made in the operand of
/// `co_await`.
class environment
{
public:
    /// No executor, no stop token, recycled frames.
    environment() noexcept {}

    /// With an executor, and what else is given.
    explicit environment(executor_ref e, stop_token s = {}, frame_memory* f = nullptr) noexcept
        : executor_(e), stop_(std::move(s)), frames_(f)
    {
    }

    /// With a stop token, and where frames come from.
    explicit environment(stop_token s, frame_memory* f = nullptr) noexcept
        : stop_(std::move(s)), frames_(f)
    {
    }

    /// With frames from `f` alone.
    explicit environment(frame_memory& f) noexcept : frames_(&f) {}

    /// Where the awaiting coroutine is resumed, if it had to wait.
    executor_ref const& executor() const noexcept { return executor_; }
    /// Asks to stop.
    stop_token const& stop() const noexcept { return stop_; }
    /// Where frames come from; null for the recycled heap.
    frame_memory* frames() const noexcept { return frames_; }

private:
    executor_ref executor_;
    stop_token stop_;
    frame_memory* frames_ = nullptr;
};

/// What a task awaits to get its environment: `co_await async::this_environment`. The reference
/// that it gets is valid for as long as the task runs.
struct this_environment_t
{
};
/// The one object of it.
inline constexpr this_environment_t this_environment{};

namespace detail {

/// An environment, and the notify that it belongs to. Lives as long as that notify.
struct context
{
    environment const* env = nullptr;  ///< null for the default one
    void const* registry = nullptr;    ///< its panic policy object; null outside of notifies
    context const* outer = nullptr;    ///< that of the notify in whose handler this one runs
};

template <class Unused = void>
struct REGISTRY_IO_EXPORT default_environment
{
    // Not a static of a function: a child of fork would wait for ever for a thread that was in the
    // middle of making it.
    REGISTRY_IO_EXPORT static inline environment const value{};
};

/// The environment of a context, which may be null.
inline environment const& environment_of(context const* c) noexcept
{
    return c != nullptr && c->env != nullptr ? *c->env : default_environment<>::value;
}

/// One stretch of a coroutine's life, from its resumption to its next suspension, on the list of
/// what the thread is in the middle of. Stretches nest: whoever is resumed inside of another one is
/// suspended before that one goes on.
struct activation
{
    context const* what;
    activation* outer;
    frame_memory* memory;  ///< what frames came from before
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

/// An activation that is a scope.
class activated
{
public:
    explicit activated(context const* what) noexcept { enter(here_, what); }
    activated(activated const&) = delete;
    activated& operator=(activated const&) = delete;
    ~activated() { leave(here_); }

private:
    activation here_;
};

}  // namespace detail
}  // namespace async
}  // namespace v1
}  // namespace registry_io

#endif
