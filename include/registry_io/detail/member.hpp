// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Handlers made of a member function and a pointer to its object: `register_handler(&S::on_event,
// &s)`. A raw pointer is called as it is, a `std::shared_ptr` keeps the object alive, and a
// `std::weak_ptr` is tracked. Mistakes end in an error sentence at the call.

#ifndef REGISTRY_IO_DETAIL_MEMBER_HPP
#define REGISTRY_IO_DETAIL_MEMBER_HPP

#include <concepts>
#include <cstddef>
#include <type_traits>
#include <utility>

#include <registry_io/detail/tracking.hpp>
#include <registry_io/detail/wrapper.hpp>

namespace registry_io {
inline namespace v1 {
namespace detail {

/// Whether the first of two arguments of a registration is a member function, and not a priority.
template <class Key, class First>
inline constexpr bool is_member_not_key =
    std::is_member_pointer_v<std::decay_t<First>> && !std::is_constructible_v<Key, First>;

/// A member function and a pointer to its object.
template <class Member, class Pointer>
struct member_handler
{
    template <class... Args>
        requires std::is_invocable_v<Member const&, decltype(*std::declval<Pointer const&>()),
                                     Args const&...>
    auto operator()(Args const&... args) const
        -> wrapper_result_t<Member const&, decltype(*std::declval<Pointer const&>()),
                            Args const&...>
    {
        auto&& object = *pointer;
        return detail::call_handler(member, object, args...);
    }

    friend bool operator==(member_handler const& h, std::nullptr_t)
    {
        return h.member == nullptr || h.pointer == nullptr;
    }

    Member member;
    Pointer pointer;
};

template <class Handler, class Event, class... More>
concept member_callable = std::is_invocable_v<Handler const&, Event const&> ||
    std::is_invocable_v<Handler const&, Event const&, More const&...>;

/// Makes a handler of a member function and a pointer to its object: a raw pointer, a
/// `std::shared_ptr`, which keeps the object alive, or a `std::weak_ptr`, which is tracked. `More`
/// are the arguments that the registry may pass after the event, such as an async environment.
template <class Event, class... More, class Member, class Object>
auto bind_member(Member member, Object&& object)
{
    using pointer = std::decay_t<Object>;
    constexpr bool weak = weak_pointer<pointer>;
    constexpr bool points = weak || requires(pointer const& p) {
        *p;
        { p == nullptr } -> std::convertible_to<bool>;
    };
    static_assert(points,
                  "registry_io: the object of a member function is passed by pointer: "
                  "register_handler(&S::on_event, &s), or with a std::weak_ptr that is to be "
                  "tracked");
    if constexpr (weak) {
        using handler = tracked_handler<pointer, Member>;
        static_assert(member_callable<handler, Event, More...>,
                      "registry_io: this member function cannot be called on this object with "
                      "Event const&");
        return handler(std::in_place, pointer(std::forward<Object>(object)), member);
    } else if constexpr (points) {
        using handler = member_handler<Member, pointer>;
        static_assert(member_callable<handler, Event, More...>,
                      "registry_io: this member function cannot be called on this object with "
                      "Event const&");
        return handler{member, std::forward<Object>(object)};
    } else {
        return [](auto const&...) {};
    }
}

}  // namespace detail
}  // namespace v1
}  // namespace registry_io

#endif
