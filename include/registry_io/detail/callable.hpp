// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// What the core has to know about handlers as types: whether one is empty, whether it can be
// awaited, and whether it may live inside the table's entry. A trivial handler of one word lives
// there, and is called through a copy of its bytes; that is right only if no call changes it. So
// this header finds out, in constant expressions alone, whether a class has `mutable` members or a
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

/// What is known of the `mutable` members of a trivial type of one word.
enum class mutable_members : unsigned char {
    none,      ///< there are none
    possible,  ///< there are some, or it cannot be found out, and it holds no pointer
    unknown    ///< it cannot be found out, and it may hold a pointer, as most closures do
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
// g++ copies a constant without a look at its mutable members. But a structural type has none, and
// it takes a closure for structural if what it captures is.
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

/// Whether zero bytes make a constant of it: the compilers refuse that for pointers.
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
        // There are no constants of it. What is smaller than a pointer holds none.
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
        // Bit-fields are such.
        return sizeof(F) < sizeof(void*) ? mutable_members::possible : mutable_members::unknown;
    }
}
/// To be specialised for wrappers, whose answer is that of what they wrap.
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
/// Hides the const call operator of `F` for `Event`, if that is not a template; a non-const one is
/// the better choice for an object that is not const. With and without a ref-qualifier, because g++
/// lets one hide the other.
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

/// Whether a handler that is not const is called by another operator than a const one.
template <class F, class Event>
consteval bool has_non_const_call()
{
    // NOLINTBEGIN(bugprone-branch-clone): for different reasons
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

/// Whether a handler is a trivial word that is called as const, so that its bytes are all of it.
template <class F, class Event>
inline constexpr bool is_word = std::is_trivially_copyable_v<F> &&
    std::is_trivially_destructible_v<F> && sizeof(F) <= sizeof(void*) &&
    alignof(F) <= alignof(void*) && std::is_invocable_v<F const&, Event const&>;

/// Whether a handler may live in its entry. Not one that its own calls could change, since a call
/// works on a copy. `Concurrent`: several threads may call it, so it is called as const.
template <class F, class Event, bool Concurrent>
inline constexpr bool fits_entry = [] {
    if constexpr (!is_word<F, Event>)
        return false;
    else
        return mutable_members_of<F> != mutable_members::possible &&
            (Concurrent || !detail::has_non_const_call<F, Event>());
}();

/// After the call of a copy of a handler: a call that has changed the copy has lost what it stored,
/// and the program ends. Where the compiler sees that the call does not change it, this costs
/// nothing.
template <class F, class Policy>
BOOST_FORCEINLINE void check_unchanged([[maybe_unused]] void const* copy,
                                       [[maybe_unused]] void const* original) noexcept
{
    if constexpr (mutable_members_of<F> != mutable_members::none) {
        // As numbers: where size matters, compilers would call memcmp.
        std::uintptr_t now = 0;
        std::uintptr_t before = 0;
        std::memcpy(&now, copy, sizeof(F));
        std::memcpy(&before, original, sizeof(F));
        if (now != before) [[unlikely]]
            Policy::fatal("a call has changed a mutable member of a handler of one word, which is "
                          "called through a copy; capture a reference to what changes instead");
    }
}

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

/// Whether a call returns something that does nothing unless it is awaited. Without <coroutine>,
/// which registries that are not asynchronous have no use for.
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

/// Nobody would await it.
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

/// What `std::reference_wrapper` is, which <functional> has; `boost::reference_wrapper` too.
template <class F>
concept wraps_reference = std::is_class_v<F> && requires(F const& f) {
    { f.get() } -> std::same_as<typename F::type&>;
    requires std::is_convertible_v<F const&, typename F::type&>;
};

/// What `boost::function` is, which compares with what it holds, and answers false for nullptr.
template <class F>
concept tells_of_its_target = std::is_class_v<F> && requires(F const& f) {
    { f.empty() } -> std::same_as<bool>;
    f.target_type();
};

/// Whether a handler is empty, as `std::function` and pointers can be, and references to them. A
/// captureless lambda compares with nullptr too, through its conversion to a pointer, but is never
/// empty; nor is a function that is named.
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
