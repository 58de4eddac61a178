// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The types of callables: how a signal stores, calls and compares a callable, and which objects are
// bound into it.

#ifndef REGISTRY_IO_SIGNALS2_DETAIL_CALLABLES_HPP
#define REGISTRY_IO_SIGNALS2_DETAIL_CALLABLES_HPP

#include <registry_io/detail/supported.hpp>

#include <concepts>
#include <tuple>
#include <type_traits>
#include <utility>

#include <boost/core/addressof.hpp>
#include <boost/visit_each.hpp>

#include <registry_io/detail/callable.hpp>
#include <registry_io/signals2/detail/tracked_objects.hpp>
#include <registry_io/signals2/signal_base.hpp>
#include <registry_io/signals2/trackable.hpp>

namespace registry_io {
inline namespace v1 {
namespace signals2 {
namespace detail {

using registry_io::detail::wraps_reference;

/// A parameter list.
template <class... Args>
struct arguments
{
};

/// A signature, and the signature that `connect_extended` makes of it.
template <class Signature>
struct signature;
template <class R, class... Args>
struct signature<R(Args...)>
{
    using result = R;
    using parameters = arguments<Args...>;
    static constexpr int arity = sizeof...(Args);
    template <unsigned N>
    using argument = std::tuple_element_t<N, std::tuple<Args...>>;
};

// ----- calling

template <class F>
struct called_type
{
    using type = F;
};
template <wraps_reference F>
struct called_type<F>
{
    using type = typename F::type;
};
/// The type that is called: the callable, or the object that a reference wrapper refers to.
template <class F>
using called = typename called_type<F>::type;

template <class F>
called<F>& called_object(F& f) noexcept
{
    if constexpr (wraps_reference<F>)
        return f.get();
    else
        return f;
}

template <class R, class F, class... Args>
concept slot_for = requires {
    requires(std::is_void_v<R> ? std::is_invocable_v<called<F>&, Args...>
                               : std::is_invocable_r_v<R, called<F>&, Args...>);
};

/// Calls the callable. Each slot gets its own copy of a parameter that is passed by value.
template <class R, class F, class... Args>
R call(F& f, Args&&... args)
{
    auto& g = detail::called_object(f);
    if constexpr (std::is_member_pointer_v<std::remove_cvref_t<decltype(g)>>) {
        if constexpr (std::is_void_v<R>)
            static_cast<void>(std::apply(g, std::forward_as_tuple(std::forward<Args>(args)...)));
        else
            return std::apply(g, std::forward_as_tuple(std::forward<Args>(args)...));
    } else if constexpr (std::is_void_v<R>) {
        static_cast<void>(g(std::forward<Args>(args)...));
    } else {
        return g(std::forward<Args>(args)...);
    }
}

// ----- comparing

// Boost.Bind compares by `function_equal`; its operator == makes another function.
template <class T>
concept has_function_equal = requires(T const& a) {
    { function_equal(a, a) } -> std::convertible_to<bool>;
};
template <class T>
concept has_equal = requires(T const& a) {
    { a == a } -> std::convertible_to<bool>;
};

template <class T>
concept comparable = has_function_equal<T> || has_equal<T>;

template <comparable T>
bool equal(T const& a, T const& b)
{
    if constexpr (has_function_equal<T>)
        return function_equal(a, b);
    else
        return a == b;
}

// ----- bound objects

/// Collects the trackable objects and signals that `boost::visit_each` finds in a callable.
class tracking_visitor
{
public:
    explicit tracking_visitor(tracked_objects& to) noexcept : to_(&to) {}

    template <class T>
    void operator()(T const& t) const
    {
        if constexpr (wraps_reference<T>)
            visit(boost::addressof(t.get()));
        else if constexpr (std::is_pointer_v<T>)
            visit(t);
        else
            visit(boost::addressof(t));
    }

private:
    template <class T>
    void visit(T* t) const
    {
        if constexpr (std::is_function_v<T>) {
            static_cast<void>(t);
        } else if constexpr (std::is_convertible_v<T*, signal_base const*>) {
            if (t != nullptr)
                to_->emplace_back(std::in_place,
                                  static_cast<signal_base const*>(t)->weak_reference());
        } else if constexpr (std::is_convertible_v<T*, trackable const*>) {
            if (t != nullptr)
                to_->emplace_back(std::in_place,
                                  lifetime(static_cast<trackable const*>(t)->tracked_lifetime()));
        }
    }

    tracked_objects* to_;
};

/// Whether the type of a callable does not tell what is bound into it. No `visit_each` is declared
/// here, so the lookup finds only one beside the callable, as Boost.Bind has it.
template <class F>
concept can_be_visited = requires(tracking_visitor& v, F const& f) { visit_each(v, f, 0); };

/// Whether a slot of this callable can track anything.
template <class F>
inline constexpr bool may_track = can_be_visited<F> ||
    std::is_convertible_v<std::remove_pointer_t<called<F>>*, signal_base const*> ||
    std::is_convertible_v<std::remove_pointer_t<called<F>>*, trackable const*>;
template <class F>
    requires std::is_function_v<std::remove_pointer_t<called<F>>>
inline constexpr bool may_track<F> = false;

template <class F>
void track_what_is_bound(tracked_objects& to, F const& f)
{
    tracking_visitor visitor(to);
    boost::visit_each(visitor, f);
}

}  // namespace detail
}  // namespace signals2
}  // namespace v1
}  // namespace registry_io

#endif
