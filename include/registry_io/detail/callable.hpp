// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// What the core must know about a handler's type: whether a handler is empty, whether its result
// must be awaited, and whether it may lie inside an entry. A trivial handler of one word lies there
// and is called through a copy of its bytes, which is right only if no call changes it. This header
// therefore finds out, in constant expressions alone, whether a class has `mutable` members or a
// non-const call operator.

#ifndef REGISTRY_IO_DETAIL_CALLABLE_HPP
#define REGISTRY_IO_DETAIL_CALLABLE_HPP

#include <concepts>
#include <cstdint>
#include <cstring>
#include <tuple>
#include <type_traits>

#include <boost/config.hpp>

namespace registry_io {
inline namespace v1 {
namespace detail {

/// What is known about the `mutable` members of a trivial type of one word.
enum class mutable_members : unsigned char {
    none,      ///< it has none
    possible,  ///< it has some, or this cannot be found out and it holds no pointer
    unknown    ///< this cannot be found out, and it may hold a pointer, as most closures do
};

template <class F>
struct zero_bytes
{
    unsigned char bytes[sizeof(F)];
};
template <class F>
constexpr F value_of_zeros() noexcept
{
    return __builtin_bit_cast(F, zero_bytes<F>{});
}
template <class F>
constexpr F default_value() noexcept
{
    return F();
}
#if defined(__GNUC__) && !defined(__clang__)
// g++ copies a constant regardless of its mutable members. But a structural type has none, and g++
// treats a closure as structural if its captures are.
template <class F, F>
struct structural_value;
template <class F, F (*Make)() noexcept>
concept constant_without_mutable = requires { typename structural_value<F, Make()>; };
#else
// A mutable member of a constexpr object cannot be read in a constant expression, and to copy the
// object is to read it.
template <class F, F (*Make)() noexcept>
inline constexpr F constant = Make();
template <class F, F (*Make)() noexcept>
concept constant_without_mutable = requires {
    typename std::bool_constant<(static_cast<void>(Make()), true)>;
} && requires { typename std::bool_constant<(static_cast<void>(F(constant<F, Make>)), true)>; };
#endif

/// Whether zero bytes can be converted to a constant of type `F`. Compilers refuse this for types
/// that hold pointers.
template <class F>
concept constant_from_bytes = requires {
    typename std::bool_constant<(static_cast<void>(__builtin_bit_cast(F, zero_bytes<F>{})), true)>;
};

template <class F>
consteval mutable_members find_mutable_members()
{
    if constexpr (std::is_empty_v<F> || !std::is_class_v<F>) {
        return mutable_members::none;
    } else if constexpr (!__is_literal_type(F)) {
        // No constants of this type exist. A type smaller than a pointer holds no pointer.
        return sizeof(F) < sizeof(void*) || constant_from_bytes<F> ? mutable_members::possible
                                                                   : mutable_members::unknown;
    } else {
        if constexpr (constant_without_mutable<F, &detail::value_of_zeros<F>>)
            return mutable_members::none;
        else if constexpr (constant_from_bytes<F>)
            return mutable_members::possible;
        if constexpr (std::is_default_constructible_v<F>) {
            if constexpr (constant_without_mutable<F, &detail::default_value<F>>)
                return mutable_members::none;
        }
        // A class with bit-fields comes here.
        return sizeof(F) < sizeof(void*) ? mutable_members::possible : mutable_members::unknown;
    }
}
/// Specialise this for a wrapper, with the value of the handler that it wraps.
template <class F>
inline constexpr mutable_members mutable_members_of = detail::find_mutable_members<F>();

struct any_call_operator
{
    void operator()();
};
template <class F>
struct with_any_call_operator : F, any_call_operator
{
};
struct const_call
{
};
/// Hides the const call operator of `F` for `Event`, if that is not a template. Overload resolution
/// prefers a non-const call operator for a non-const object. There is one class with a
/// ref-qualifier and one without, because g++ lets one hide the other.
template <class F, class Event>
struct with_const_call : F
{
    using F::operator();
    const_call operator()(Event const&) const;
};
template <class F, class Event>
struct with_const_reference_call : F
{
    using F::operator();
    const_call operator()(Event const&) const&;
};
template <class Probe, class Event>
consteval bool chooses_another()
{
    if constexpr (std::is_invocable_v<Probe&, Event const&>)
        return !std::is_same_v<std::invoke_result_t<Probe&, Event const&>, const_call>;
    else
        return false;
}

/// Whether calling a non-const handler chooses another operator than a const one.
template <class F, class Event>
consteval bool has_non_const_call()
{
    // NOLINTBEGIN(bugprone-branch-clone): the reasons differ
    if constexpr (!std::is_class_v<F>) {
        return false;
    } else if constexpr (std::is_final_v<F>) {
        return true;  // cannot be found out
    } else if constexpr (requires { &with_any_call_operator<F>::operator(); }) {
        return false;  // called through its conversion to a pointer
    } else {
        return detail::chooses_another<with_const_call<F, Event>, Event>() ||
            detail::chooses_another<with_const_reference_call<F, Event>, Event>();
    }
    // NOLINTEND(bugprone-branch-clone)
}

/// Whether a handler is one trivial word that can be called as const, so that its bytes can be
/// copied into an entry.
template <class F, class Event>
inline constexpr bool is_word = std::is_trivially_copyable_v<F> &&
    std::is_trivially_destructible_v<F> && sizeof(F) <= sizeof(void*) &&
    alignof(F) <= alignof(void*) && std::is_invocable_v<F const&, Event const&>;

/// Whether a handler may lie in its entry. A call works on a copy, so a handler that its own calls
/// could change may not. `Concurrent`: several threads may call the handler, so it is called as
/// const.
template <class F, class Event, bool Concurrent>
inline constexpr bool fits_entry = [] {
    if constexpr (!is_word<F, Event>)
        return false;
    else
        return mutable_members_of<F> != mutable_members::possible &&
            (Concurrent || !detail::has_non_const_call<F, Event>());
}();

/// Calls `fatal` if a call has changed the copy of a handler, since the change would be lost. Costs
/// nothing if the compiler sees that the call does not change the copy.
template <class F, class Policy>
BOOST_FORCEINLINE void check_unchanged([[maybe_unused]] void const* copy,
                                       [[maybe_unused]] void const* original) noexcept
{
    if constexpr (mutable_members_of<F> != mutable_members::none) {
        // Compares numbers: with -Os, compilers would call memcmp.
        std::uintptr_t now = 0;
        std::uintptr_t before = 0;
        std::memcpy(&now, copy, sizeof(F));
        std::memcpy(&before, original, sizeof(F));
        if (now != before) [[unlikely]]
            Policy::fatal("a call has changed a mutable member of a one-word handler, which is "
                          "called through a copy; capture a reference to that data instead");
    }
}

/// `std::invoke` with one argument, without <functional>, which would be a third of all code that
/// the smallest use includes.
template <class F, class Argument>
BOOST_FORCEINLINE constexpr decltype(auto) invoke(F& f, Argument const& argument)
{
    if constexpr (std::is_member_pointer_v<std::remove_cv_t<F>>)
        return std::apply(f, std::forward_as_tuple(argument));
    else
        return f(argument);
}

/// Whether `Result` does nothing unless it is awaited. Does not include <coroutine>, which only
/// asynchronous registries need.
template <class Result>
concept has_awaiter = requires(Result result) {
    result.await_ready();
    result.await_resume();
};
#ifdef __cpp_impl_coroutine
template <class Result>
concept has_co_await = requires(Result&& result) {
    static_cast<Result&&>(result).operator co_await();
} || requires(Result&& result) { operator co_await(static_cast<Result&&>(result)); };
#else
template <class Result>
concept has_co_await = false;
#endif
template <class F, class Argument>
concept returns_awaitable = std::is_invocable_v<F, Argument> &&
    (has_awaiter<std::remove_reference_t<std::invoke_result_t<F, Argument>>&> ||
     has_co_await<std::invoke_result_t<F, Argument>>);

/// Refuses a handler whose result must be awaited: a synchronous registry would drop the result.
template <class F, class Event>
consteval bool check_not_awaitable()
{
    static_assert(
        !returns_awaitable<F, Event const&>,
        "registry_io: this handler returns something that must be awaited, as a coroutine "
        "does, and this registry would drop it; register it with an AsyncRegistry "
        "(<registry_io/presets/async.hpp>)");
    return true;
}

/// Has the members of `std::reference_wrapper`, which is in <functional>, and of
/// `boost::reference_wrapper`.
template <class F>
concept wraps_reference = std::is_class_v<F> && requires(F const& f) {
    { f.get() } -> std::same_as<typename F::type&>;
    requires std::is_convertible_v<F const&, typename F::type&>;
};

/// Has the members of `boost::function`, whose comparison with `nullptr` does not test for an empty
/// function.
template <class F>
concept tells_of_its_target = std::is_class_v<F> && requires(F const& f) {
    { f.empty() } -> std::same_as<bool>;
    f.target_type();
};

/// Whether a handler is empty: a `std::function` or a pointer without a target, or a reference to
/// one. A captureless lambda compares with `nullptr` too, through its conversion to a pointer, but
/// is never empty. Nor is a function.
template <class F>
bool is_empty_handler(F const& f)
{
    if constexpr (wraps_reference<F>)
        return detail::is_empty_handler(f.get());
    else if constexpr (tells_of_its_target<F>)
        return f.empty();
    else if constexpr (!std::is_function_v<F> && !std::is_empty_v<F> && requires {
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
