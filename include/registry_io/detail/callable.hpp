// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)

#ifndef REGISTRY_IO_DETAIL_CALLABLE_HPP
#define REGISTRY_IO_DETAIL_CALLABLE_HPP

#include <concepts>
#include <tuple>
#include <type_traits>

#include <boost/config.hpp>

namespace registry_io {
inline namespace v1 {
namespace detail {

/// Whether a handler may live in its entry: a trivial word. Not one that its own calls could
/// change, since a call works on a copy.
template <class F, class Event>
inline constexpr bool fits_entry = std::is_trivially_copyable_v<F> &&
    std::is_trivially_destructible_v<F> && sizeof(F) <= sizeof(void*) &&
    alignof(F) <= alignof(void*) && std::is_invocable_v<F const&, Event const&>;

/// What `std::invoke` does with one argument: a call, unless of a pointer to a member. Without
/// <functional>, which is a third of what the compiler would have to read for the smallest use.
template <class F, class Argument>
BOOST_FORCEINLINE constexpr decltype(auto) invoke(F& f, Argument const& argument)
{
    if constexpr (std::is_member_pointer_v<std::remove_cv_t<F>>)
        return std::apply(f, std::forward_as_tuple(argument));
    else
        return f(argument);
}

/// Whether a handler can be empty, as `std::function` and pointers can. A captureless lambda
/// compares with nullptr too, through its conversion to a pointer, but is never empty; nor is a
/// function that is named.
template <class F>
bool is_empty_handler(F const& f)
{
    if constexpr (!std::is_function_v<F> && !std::is_empty_v<F> && requires {
                      { f == nullptr } -> std::convertible_to<bool>;
                  })
        return f == nullptr;
    else
        return false;
}

}  // namespace detail
}  // namespace v1
}  // namespace registry_io

#endif
