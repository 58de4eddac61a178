// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)

#ifndef REGISTRY_IO_DETAIL_CALLABLE_HPP
#define REGISTRY_IO_DETAIL_CALLABLE_HPP

#include <concepts>
#include <cstddef>
#include <type_traits>

namespace registry_io {
inline namespace v1 {
namespace detail {

/// Whether a handler may live in its entry: a trivial word. Not one that its own calls could
/// change, since a call works on a copy.
template <class F, class Event>
inline constexpr bool fits_entry = std::is_trivially_copyable_v<F> &&
    std::is_trivially_destructible_v<F> && sizeof(F) <= sizeof(void*) &&
    alignof(F) <= alignof(void*) && std::is_invocable_v<F const&, Event const&>;

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
