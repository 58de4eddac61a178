// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The name of a type at compile time, without RTTI, cut out of the name that the compiler gives to
// a function template. Labels, reports and traces use it.

#ifndef REGISTRY_IO_DETAIL_TYPE_NAME_HPP
#define REGISTRY_IO_DETAIL_TYPE_NAME_HPP

#include <array>
#include <cstddef>
#include <string_view>

#include <boost/config.hpp>

namespace registry_io {
inline namespace v1 {
namespace detail {

/// The name of `T`, inside a longer text.
template <class T>
consteval std::string_view find_type_name()
{
#if defined(_MSC_VER) && !defined(__clang__)
    std::string_view s = __FUNCSIG__;
    s.remove_prefix(s.find("find_type_name<") + 15);
    return s.substr(0, s.rfind(">(void)"));
#else
    std::string_view s = __PRETTY_FUNCTION__;
    s.remove_prefix(s.find("T = ") + 4);
    // gcc: "[with T = X; std::string_view = ...]".
    std::size_t const end = s.rfind("; ");
    return s.substr(0, end != s.npos ? end : s.rfind(']'));
#endif
}

/// The name of `T` as the compiler writes it, with a null at the end. It is copied to an array of
/// its own, so that a program does not contain the text around the name.
template <class T>
inline constexpr auto type_name_text = [] {
    constexpr std::string_view name = find_type_name<T>();
    std::array<char, name.size() + 1> text{};
    name.copy(text.data(), name.size());
    return text;
}();

/// The name of `T` as the compiler writes it. Needs no RTTI.
template <class T>
inline constexpr char const* type_name = type_name_text<T>.data();

/// The name of the type of events. A registry that dispatches another type names the user's type in
/// `registry_io_event`.
template <class Event>
inline constexpr char const* event_name = type_name<Event>;
template <class Event>
    requires requires { typename Event::registry_io_event; }
inline constexpr char const* event_name<Event> = type_name<typename Event::registry_io_event>;

}  // namespace detail
}  // namespace v1
}  // namespace registry_io

#endif
