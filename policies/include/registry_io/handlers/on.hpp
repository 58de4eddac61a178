// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// `on(executor, f)`: a handler that is posted to an executor with a copy of the event instead of
// running in the notify. Use it for handlers that must run on a certain thread, or that are too
// slow for the notifying thread.

#ifndef REGISTRY_IO_HANDLERS_ON_HPP
#define REGISTRY_IO_HANDLERS_ON_HPP

#include <registry_io/detail/supported.hpp>

#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>

#include <registry_io/config.hpp>
#include <registry_io/detail/callable.hpp>
#include <registry_io/detail/wrapper.hpp>
#include <registry_io/registration.hpp>

namespace registry_io {
inline namespace v1 {
namespace detail {

/// An executor of Asio, whose function `post` is found by argument-dependent lookup.
template <class Executor, class Task>
concept posts_by_function =
    requires(Executor const& executor, Task&& task) { post(executor, static_cast<Task&&>(task)); };

}  // namespace detail

/// A handler that runs on an executor; see `on`.
template <class Executor, class F>
class posted_handler
{
    /// The handler, shared with the calls that are running.
    struct target
    {
        template <class G>
        explicit target(std::in_place_t, G&& g) : f(std::forward<G>(g))
        {
        }
        target(target const&) = delete;
        target& operator=(target const&) = delete;
        ~target()
        {
            if (anchor != nullptr)
                anchor->release();
        }

        // A posted call may use its registration after the registry has dropped the handler.
        detail::guard_anchor* anchor = nullptr;
        bool one_shot = false;
        REGISTRY_IO_NO_UNIQUE_ADDRESS F f;
    };

    /// A call that has been posted. It does not hold the handler's captures, so removing the
    /// handler destroys them even if the executor's queue is full of calls. Only the single call of
    /// a one-shot handler, which has already been removed, holds them.
    template <class Event>
    struct posted_call
    {
        std::weak_ptr<target const> to;
        std::shared_ptr<target const> kept;
        Event event;

        void operator()() const
        {
            if (auto const t = to.lock())
                static_cast<void>(detail::call(t->f, event));
        }
    };

    template <class Event>
    posted_call<Event> call_of(Event const& event) const
    {
        return {target_, target_->one_shot ? target_ : nullptr, event};
    }

public:
    /// Throws `std::bad_alloc`, and what moving or copying the executor and `f` throws.
    template <class E, class G>
    posted_handler(std::in_place_t, E&& executor, G&& f)
        : executor_(std::forward<E>(executor)),
          target_(std::make_shared<target>(std::in_place, std::forward<G>(f)))
    {
    }
    /// Moves the handler. Precondition: it is not registered yet.
    posted_handler(posted_handler&& other) noexcept(
        std::is_nothrow_move_constructible_v<Executor>) = default;
    /// Copies the handler with its captures. Throws `std::bad_alloc`, and what copying throws.
    // Does not share the target: a copy that is not registered would keep posted calls alive, and
    // two registered copies would share one registration.
    posted_handler(posted_handler const& other)
        requires std::is_copy_constructible_v<F>
        : executor_(other.executor_),
          target_(std::make_shared<target>(std::in_place, std::as_const(other.target_->f)))
    {
    }

    /// Posts a call of the handler with a copy of the event. Throws what copying the event and
    /// posting throw.
    template <class Event>
        requires std::is_invocable_v<F const&, Event const&>
    void operator()(Event const& event) const
    {
        using task = posted_call<Event>;
        static_assert(std::is_copy_constructible_v<Event>,
                      "registry_io: on(executor, f) posts a copy of the event, and this event "
                      "cannot be copied");
        static_assert(!detail::returns_awaitable<F const&, Event const&>,
                      "registry_io: the handler of on(executor, f) returns something that must be "
                      "awaited, and the executor would drop it");
        static_assert(
            std::is_invocable_v<Executor const&, task> || detail::posts_by_function<Executor, task>,
            "registry_io: the executor of on(executor, f) must be callable with a function that "
            "takes nothing, or be an executor of Asio (<boost/asio/post.hpp>)");
        if constexpr (std::is_invocable_v<Executor const&, task>)
            executor_(call_of(event));
        else if constexpr (detail::posts_by_function<Executor, task>)
            post(executor_, call_of(event));
    }

    /// Called by registries.
    void on_registered(registration const& r) noexcept
        requires detail::told_of_registration<F>
    {
        r.operations().hold(r.anchor());
        target_->anchor = r.anchor();
        detail::tell(target_->f, r);
    }

    /// Called by `once`.
    void on_one_shot() noexcept
    {
        target_->one_shot = true;
        detail::tell_one_shot(target_->f);
    }

    /// Returns the wrapped handler, for code that looks for its label.
    F const& handler_of_user() const noexcept { return target_->f; }

    /// Whether the handler or the executor is empty, which a registry refuses.
    friend bool operator==(posted_handler const& h, std::nullptr_t)
    {
        return detail::is_empty_handler(h.target_->f) || detail::is_empty_handler(h.executor_);
    }

private:
    REGISTRY_IO_NO_UNIQUE_ADDRESS Executor executor_;
    std::shared_ptr<target> target_;
};

/// Makes a handler that is posted to `executor` with a copy of the event instead of running in the
/// notify.
///
/// `executor` is a function that takes a function without arguments and runs it later, such as
/// `[&](auto f) { queue.push(std::move(f)); }`, or an executor of Asio, such as `io.get_executor()`
/// or a strand. The posted function can be copied if the event can. The executor decides when it
/// runs, and whether several calls run at once; calls run in the order in which the executor runs
/// the functions that one thread has posted.
///
/// Removal and posted calls: a call that has not begun when the captures of the handler are
/// destroyed does nothing when it runs. So after `unregister_and_wait` no call begins. A call that
/// is already running is not waited for; it keeps the captures alive until it ends. To wait for it
/// as well, after the removal post another function and wait for that function, or join the
/// executor's thread.
///
/// If `f` throws, the exception goes to the executor, not to the panic policy of the registry. If
/// posting throws, this is a failure of the handler.
///
/// Order of wrappers: `once(on(e, f))` posts once, and the call runs although the handler has been
/// removed; `on(e, once(f))` posts each event until the first call has run. `on(e, tracked(p, f))`
/// checks the object when the call runs, `tracked(p, on(e, f))` when it is posted.
///
/// Preconditions: the handler is destroyed before the context of its executor, so declare the
/// registry after the context. For handlers inside `on` that know their registration, such as
/// `once`: the registry is not destroyed while a call of them runs, and its memory is not inside
/// the registry (`alloc::fixed`).
///
/// Throws `std::bad_alloc` and what moving `f` throws. Costs one allocation, and per call the cost
/// of the executor and a copy of the event.
template <class Executor, class F>
[[nodiscard]] posted_handler<std::decay_t<Executor>, std::decay_t<F>> on(Executor&& executor, F&& f)
{
    return posted_handler<std::decay_t<Executor>, std::decay_t<F>>(
        std::in_place, std::forward<Executor>(executor), std::forward<F>(f));
}

}  // namespace v1
}  // namespace registry_io

#endif
