// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The only conversion from the priority of a registration to the key of the ordering policy. A
// number that would lose its value is refused, since handlers would fire in another order than the
// source code says.

#ifndef REGISTRY_IO_DETAIL_KEY_HPP
#define REGISTRY_IO_DETAIL_KEY_HPP

#include <bit>
#include <limits>
#include <type_traits>

namespace registry_io {
inline namespace v1 {
namespace detail {

template <class From>
struct number_behind
{
    using type = From;
};
template <class From>
    requires std::is_enum_v<From>
struct number_behind<From> : std::underlying_type<From>
{
};
/// The type of number that a priority has; for an enumeration, its underlying type.
template <class From>
using number_of = typename number_behind<std::remove_cvref_t<From>>::type;

/// Whether `From` converts to `Key` without narrowing. For an object with a conversion operator,
/// nothing else can be tested.
template <class Key, class From>
concept converts_without_loss = requires(From&& from) { Key{static_cast<From&&>(from)}; };

/// Whether the types allow a conversion that keeps the value. `key_from` tests the value itself.
template <class Key, class From>
inline constexpr bool key_keeps_value = [] {
    // NOLINTBEGIN(bugprone-branch-clone): they may happen to give the same answer
    if constexpr (!std::is_arithmetic_v<Key>)
        return true;
    else if constexpr (std::is_arithmetic_v<number_of<From>>)
        return !std::is_floating_point_v<number_of<From>> || std::is_floating_point_v<Key>;
    else
        return std::is_class_v<std::remove_cvref_t<From>> ||
                std::is_union_v<std::remove_cvref_t<From>>
            ? converts_without_loss<Key, From> || converts_without_loss<long long, From> ||
                converts_without_loss<unsigned long long, From> ||
                (std::is_floating_point_v<Key> && converts_without_loss<long double, From>)
            : false;
    // NOLINTEND(bugprone-branch-clone)
}();

/// Refuses priorities that cannot be a key, and arguments that are not a priority, with one
/// sentence each. `Handler` is the argument after the priority.
template <class Key, class From, class Handler, class Event>
consteval bool check_key()
{
    using first = std::decay_t<From>;
    constexpr bool converts = std::is_constructible_v<Key, From>;
    constexpr bool bound = !converts && std::is_member_pointer_v<first>;
    constexpr bool swapped = !converts && !bound && !std::is_void_v<Key> &&
        std::is_invocable_v<first&, Event const&> &&
        !std::is_invocable_v<std::decay_t<Handler>&, Event const&>;
    static_assert(!bound,
                  "registry_io: this registry takes no member function with its object; bind them "
                  "in a lambda: register_handler([&object](auto const& event) { "
                  "object.member(event); })");
    static_assert(!swapped,
                  "registry_io: the priority goes before the handler: register_handler(priority, "
                  "f)");
    if constexpr (bound || swapped) {
        return false;
    } else if constexpr (std::is_void_v<Key>) {
        static_assert(!std::is_void_v<Key>,
                      "registry_io: this registry's ordering policy takes no priority; call "
                      "register_handler(f)");
        return false;
    } else {
        static_assert(converts,
                      "registry_io: the priority cannot be converted to the ordering policy's key");
        if constexpr (converts)
            static_assert(key_keeps_value<Key, From>,
                          "registry_io: the priority would lose its value as the ordering policy's "
                          "key, as 1.5 does as an int; convert it first, or choose an ordering "
                          "policy with a wider key");
        return converts && key_keeps_value<Key, From>;
    }
}

/// Refuses a registration without a key if the key has no default.
template <class Key>
consteval bool check_default_key()
{
    constexpr bool has_default = std::is_void_v<Key> || std::is_default_constructible_v<Key>;
    static_assert(has_default,
                  "registry_io: this ordering policy's key has no default; register with a key");
    return has_default;
}

/// Whether every value of `From` is a value of `Key`.
template <class Key, class From>
inline constexpr bool key_always_fits =
    std::numeric_limits<From>::digits <= std::numeric_limits<Key>::digits &&
    (std::numeric_limits<Key>::is_signed || !std::numeric_limits<From>::is_signed);

template <class Key, class From>
constexpr bool key_fits(From value) noexcept
{
    if constexpr (key_always_fits<Key, From>) {
        return true;
    } else if constexpr (std::is_floating_point_v<From>) {
        return static_cast<From>(static_cast<Key>(value)) == value;
    } else if constexpr (std::is_floating_point_v<Key>) {
        // Does not convert back: the nearest floating-point number may be out of range.
        using bits = std::make_unsigned_t<From>;
        auto const u = static_cast<bits>(value);
        bits const magnitude = value < From() ? static_cast<bits>(bits() - u) : u;
        return magnitude == 0 ||
            static_cast<int>(std::bit_width(magnitude)) - std::countr_zero(magnitude) <=
            std::numeric_limits<Key>::digits;
    } else {
        auto const key = static_cast<Key>(value);
        return static_cast<From>(key) == value && (key < Key()) == (value < From());
    }
}

/// The key for a priority that `check_key` has passed. Calls `refuse()` for a number that the key
/// cannot hold, and for a NaN, which is in no order.
template <class Key, class From, class Refuse>
constexpr Key key_from(From&& from, Refuse refuse)
{
    using number = number_of<From>;
    if constexpr (!std::is_arithmetic_v<Key>) {
        return Key(static_cast<From&&>(from));
    } else if constexpr (std::is_arithmetic_v<number>) {
        auto const value = static_cast<number>(from);
        if constexpr (std::is_floating_point_v<number>)
            if (value != value) [[unlikely]]
                refuse();
        if (!detail::key_fits<Key>(value)) [[unlikely]]
            refuse();
        return static_cast<Key>(value);
    } else if constexpr (converts_without_loss<Key, From>) {
        return detail::key_from<Key>(Key{static_cast<From&&>(from)}, refuse);
    } else if constexpr (converts_without_loss<long long, From>) {
        return detail::key_from<Key>(static_cast<long long>(static_cast<From&&>(from)), refuse);
    } else if constexpr (converts_without_loss<unsigned long long, From>) {
        return detail::key_from<Key>(static_cast<unsigned long long>(static_cast<From&&>(from)),
                                     refuse);
    } else {
        return detail::key_from<Key>(static_cast<long double>(static_cast<From&&>(from)), refuse);
    }
}

}  // namespace detail
}  // namespace v1
}  // namespace registry_io

#endif
