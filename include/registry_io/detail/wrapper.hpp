// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// What handlers that call another handler have in common. They work in synchronous registries,
// which pass the event, and in asynchronous ones, which may also pass an environment and await what
// the handler returns. A wrapper passes on to the inner handler what a registry asks or tells it:
// its registration, whether it is empty, and its label.

#ifndef REGISTRY_IO_DETAIL_WRAPPER_HPP
#define REGISTRY_IO_DETAIL_WRAPPER_HPP

#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

#include <boost/config.hpp>
#include <boost/core/no_exceptions_support.hpp>

#include <registry_io/config.hpp>
#include <registry_io/detail/callable.hpp>
#include <registry_io/registration.hpp>

namespace registry_io {
inline namespace v1 {
namespace detail {

template <class R>
concept awaitable_result = has_awaiter<std::remove_reference_t<R>&> || has_co_await<R>;

template <class R>
struct wrapper_result
{
    using type = std::conditional_t<awaitable_result<R>, R, void>;
};
/// What a wrapper returns: the handler's result if it must be awaited, otherwise nothing.
template <class F, class... Args>
using wrapper_result_t = typename wrapper_result<std::invoke_result_t<F, Args...>>::type;

/// `std::invoke` without <functional>.
template <class F, class... Args>
BOOST_FORCEINLINE constexpr decltype(auto) call(F& f, Args&... args)
{
    if constexpr (std::is_member_pointer_v<std::remove_cv_t<F>>)
        return std::apply(f, std::forward_as_tuple(args...));
    else
        return f(args...);
}

/// Calls `f`, and returns its result only if that must be awaited.
template <class F, class... Args>
BOOST_FORCEINLINE constexpr wrapper_result_t<F&, Args&...> call_handler(F& f, Args&... args)
{
    if constexpr (std::is_void_v<wrapper_result_t<F&, Args&...>>)
        static_cast<void>(detail::call(f, args...));
    else
        return detail::call(f, args...);
}

/// Removes a handler that must not run again. If there is no memory for the removal, the next call
/// of the handler tries again.
inline void remove_if_possible(registration const& self) noexcept
{
    BOOST_TRY
    {
        self.unregister();
    }
    BOOST_CATCH(...) {}
    BOOST_CATCH_END
}

/// Whether a handler has `on_one_shot`, which says that it is called at most once and is removed
/// before that call.
template <class F>
concept told_of_one_shot = requires(F& f) { f.on_one_shot(); };

/// Calls `on_one_shot` if the handler has it.
template <class F>
void tell_one_shot(F& f) noexcept
{
    if constexpr (told_of_one_shot<F>)
        f.on_one_shot();
}

template <class R>
concept made_by_coroutines = requires { typename R::promise_type; };

/// The result of a wrapper that does not call its handler: nothing, or a task that does nothing.
/// Does not include <coroutine>: a handler that returns a task has included it.
#ifdef __cpp_impl_coroutine
template <class R>
R do_nothing()
{
    co_return;
}
/// Keeps `kept` alive while the handler's task runs. The arguments and the handler live that long
/// anyway.
template <class R, class Kept, class F, class... Args>
R keep_while_running(Kept kept, F& f, Args&... args)
{
    co_await detail::call(f, args...);
    static_cast<void>(kept);
}
#endif
template <class R>
R skipped()
{
    if constexpr (!std::is_void_v<R>) {
        static_assert(made_by_coroutines<R>,
                      "registry_io: a handler in this wrapper returns nothing or a task, such as "
                      "async::task<>; make it a coroutine that awaits the other awaitable");
        if constexpr (made_by_coroutines<R>)
            return detail::do_nothing<R>();
    }
}

/// Whether calling a non-const object chooses another operator than a const one.
template <class F, class... Args>
consteval bool calls_non_const()
{
    bool result = false;
    if constexpr (std::is_invocable_v<F&, Args...>) {
        if constexpr (!std::is_invocable_v<F const&, Args...>)
            result = true;
        else if constexpr (sizeof...(Args) == 1)
            result = detail::has_non_const_call<F, std::remove_cvref_t<Args>...>();
    }
    return result;
}

/// The base of a wrapper that passes on the arguments of its call. `Derived` has a member
/// `run(self, f, args...)`, which decides whether to call `f`.
template <class Derived, class F>
class wrapper
{
public:
    /// Calls the handler or not, as the wrapper decides. Throws what the handler throws.
    template <class... Args>
        requires std::is_invocable_v<F const&, Args const&...>
    BOOST_FORCEINLINE wrapper_result_t<F const&, Args const&...> operator()(
        Args const&... args) const
    {
        return Derived::run(static_cast<Derived const&>(*this), f_, args...);
    }
    /// The same for a handler with a non-const call operator, in a registry for one thread.
    template <class... Args>
        requires(calls_non_const<F, Args const&...>())
    BOOST_FORCEINLINE wrapper_result_t<F&, Args const&...> operator()(Args const&... args)
    {
        return Derived::run(static_cast<Derived&>(*this), f_, args...);
    }

    /// For registries: passes on the registration to the handler.
    void on_registered(registration const& r) noexcept
        requires told_of_registration<F>
    {
        detail::tell(f_, r);
    }

    /// For `once`.
    void on_one_shot() noexcept
        requires told_of_one_shot<F>
    {
        f_.on_one_shot();
    }

    /// Returns the wrapped handler, for code that looks for its label.
    F const& handler_of_user() const noexcept { return f_; }

    /// Whether the handler is empty, which a registry refuses.
    friend bool operator==(Derived const& w, std::nullptr_t) { return is_empty(w); }

protected:
    /// Whether something other than the handler is empty. Derived classes may replace it.
    static bool lacks(Derived const&) { return false; }

    template <class G>
    explicit wrapper(std::in_place_t, G&& f) : f_(std::forward<G>(f))
    {
    }
    ~wrapper() = default;
    wrapper(wrapper&&) = default;
    wrapper(wrapper const&) = default;

    REGISTRY_IO_NO_UNIQUE_ADDRESS F f_;

private:
    static bool is_empty(Derived const& w)
    {
        return detail::is_empty_handler(static_cast<wrapper const&>(w).f_) || Derived::lacks(w);
    }
};

}  // namespace detail
}  // namespace v1
}  // namespace registry_io

#endif
