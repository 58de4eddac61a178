// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// A user's handler as the core stores it: a callable that takes a `call`, which refers to the event
// and the environment. A plain function has ended when the call returns. Any other function returns
// an awaitable, which becomes a task that has not begun; the notify runs it.

#ifndef REGISTRY_IO_ASYNC_DETAIL_HANDLER_HPP
#define REGISTRY_IO_ASYNC_DETAIL_HANDLER_HPP

#include <registry_io/detail/supported.hpp>

#include <concepts>
#include <cstddef>
#include <functional>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include <registry_io/async/environment.hpp>
#include <registry_io/async/task.hpp>
#include <registry_io/detail/callable.hpp>
#include <registry_io/detail/check.hpp>
#include <registry_io/detail/raise.hpp>
#include <registry_io/registration.hpp>

namespace registry_io {
inline namespace v1 {
namespace async {
namespace detail {

/// The argument with which an entry of the table is called.
template <class Event>
struct call
{
    using registry_io_event = Event;  // the type that logs name
    Event const* event;
    context const* where;
    /// Set by a handler that has created a coroutine, which has not begun yet.
    mutable promise_base* begun = nullptr;

    /// Whether this thread is inside a handler of the registry with this panic policy object,
    /// including a handler that has waited.
    static bool is_inside(void const* panic) noexcept { return inside(panic); }
};

template <class F, class Event>
concept takes_environment = std::is_invocable_v<F, Event const&, environment const&>;

template <class F, class Event>
struct made_by
{
    using type = std::invoke_result_t<F, Event const&>;
};
template <class F, class Event>
    requires takes_environment<F, Event>
struct made_by<F, Event>
{
    using type = std::invoke_result_t<F, Event const&, environment const&>;
};

template <class F, class Event>
concept async_callable = takes_environment<F, Event> || std::is_invocable_v<F, Event const&>;

/// Whether a call of the handler has ended when it returns.
template <class F, class Event>
concept plain_callable = std::is_void_v<typename made_by<F, Event>::type>;

/// Keeps a handler from being stored in its entry.
struct not_trivial
{
    not_trivial() = default;
    not_trivial(not_trivial const&) = default;
    ~not_trivial() {}
};
struct may_be_trivial
{
};

/// Whether a handler may be called through a copy. A small trivial handler is stored in its entry
/// and called through a copy, but a coroutine may refer to its lambda as long as it runs.
template <class F, class Event>
inline constexpr bool copy_will_do = [] {
    bool will_do = std::is_empty_v<F> || std::is_pointer_v<F>;
    if constexpr (async_callable<F const&, Event>)
        will_do = will_do || std::is_void_v<typename made_by<F const&, Event>::type>;
    return will_do;
}();

/// A user's handler in the form that the core stores.
template <class F, class Event>
class handler : std::conditional_t<copy_will_do<F, Event>, may_be_trivial, not_trivial>
{
public:
    template <class G>
        requires(!std::is_same_v<std::remove_cvref_t<G>, handler>)
    explicit handler(G&& f) : f_(std::forward<G>(f))
    {
    }

    void operator()(call<Event> const& c) const
        requires async_callable<F const&, Event>
    {
        run(f_, c);
    }
    /// For registries of one thread; elsewhere the core refuses it, or calls the const overload.
    /// Absent if both would do the same, so that the handler may be stored in its entry.
    void operator()(call<Event> const& c)
        requires(!async_callable<F const&, Event> || !copy_will_do<F, Event> ||
                 registry_io::detail::has_non_const_call<F, Event>() ||
                 (takes_environment<F&, Event> && !std::is_empty_v<F>))
    {
        run(f_, c);
    }

    void on_registered(registration const& r) noexcept
        requires registry_io::detail::told_of_registration<F>
    {
        registry_io::detail::tell(f_, r);
    }

    friend bool operator==(handler const& h, std::nullptr_t)
    {
        return registry_io::detail::is_empty_handler(h.f_);
    }

    /// Returns the user's handler, for code that looks for its label.
    F const& handler_of_user() const noexcept { return f_; }

private:
    template <class Self>
    static void run(Self& f, call<Event> const& c)
    {
        if constexpr (takes_environment<Self&, Event>)
            start(c, [&]() -> decltype(auto) {
                return std::invoke(f, *c.event, environment_of(c.where));
            });
        else
            start(c, [&]() -> decltype(auto) { return std::invoke(f, *c.event); });
    }

    template <class Make>
    static void start(call<Event> const& c, Make make)
    {
        using made = decltype(make());
        if constexpr (std::is_void_v<made>)
            make();
        else if constexpr (std::is_same_v<made, task<>>)
            c.begun = prepare(make());
        else
            c.begun = prepare(as_task<std::decay_t<made>>(make()));
    }

    static promise_base* prepare(task<> t)
    {
        auto const h = t.release();
        if (!h)
            registry_io::detail::raise(
                std::invalid_argument("registry_io: the handler returned an empty async::task; "
                                      "return the task of a coroutine"));
        h.promise().coroutine = h;
        return &h.promise();
    }

    F f_;
};

/// Whether the result of a handler can be moved into the frame of the coroutine that awaits it.
template <class Made>
concept kept = std::is_constructible_v<std::decay_t<Made>, Made> &&
    std::is_move_constructible_v<std::decay_t<Made>>;

template <class F, class Event>
consteval bool check_handler()
{
    static_assert(async_callable<F&, Event>,
                  "registry_io: an async handler must be callable with Event const&, or with Event "
                  "const& and async::environment const&");
    if constexpr (async_callable<F&, Event>) {
        using made = typename made_by<F&, Event>::type;
        static_assert(std::is_void_v<made> || awaitable<made>,
                      "registry_io: an async handler must return void, an async::task or something "
                      "else that can be awaited; wrap a function that returns asio::awaitable with "
                      "async::asio_handler");
        static_assert(!awaitable<made> || kept<made>,
                      "registry_io: what an async handler returns is moved into a coroutine that "
                      "awaits it, and this type cannot be moved; return an async::task that awaits "
                      "it");
        return std::is_void_v<made> || (awaitable<made> && kept<made>);
    } else {
        return false;
    }
}

}  // namespace detail
}  // namespace async

/// @cond
namespace detail {
template <class F, class Event>
inline constexpr mutable_members mutable_members_of<async::detail::handler<F, Event>> =
    mutable_members_of<F>;
}  // namespace detail
/// @endcond

}  // namespace v1
}  // namespace registry_io

#endif
