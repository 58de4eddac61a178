// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Determines which options of a `mailbox` were chosen. Refuses arguments that are not options, and
// two options for the same thing, each with an error sentence.

#ifndef REGISTRY_IO_QUEUED_DETAIL_MAILBOX_CHOICE_HPP
#define REGISTRY_IO_QUEUED_DETAIL_MAILBOX_CHOICE_HPP

#include <registry_io/detail/supported.hpp>

#include <cstddef>
#include <type_traits>

#include <registry_io/queued/mailbox_options.hpp>

namespace registry_io {
inline namespace v1 {
namespace queued {
namespace detail {

template <class P>
concept mailbox_option = requires { typename P::option; };

/// The option in `Options` that decides `What`, or `Default` if there is none.
template <class What, class Default, class... Options>
struct chosen
{
    using type = Default;
};
template <class What, class Default, class First, class... More>
struct chosen<What, Default, First, More...>
{
    using type = typename chosen<What, Default, More...>::type;
};
template <class What, class Default, class First, class... More>
    requires std::is_same_v<typename First::option, What>
struct chosen<What, Default, First, More...>
{
    using type = First;
};

template <class What, class... Options>
inline constexpr std::size_t count_of =
    (std::size_t(std::is_same_v<typename Options::option, What>) + ... + 0u);

template <class P>
inline constexpr bool decides_something = false;
template <mailbox_option P>
inline constexpr bool decides_something<P> = count_of<when_full, P> + count_of<when_empty, P> +
        count_of<consumers, P> + count_of<lanes, P> + count_of<measures, P> ==
    1;

template <class... Options>
consteval bool check_options()
{
    constexpr bool known = (decides_something<Options> && ...);
    static_assert(known,
                  "registry_io: an argument of mailbox behind its capacity is not an option "
                  "(P::option must be one of queued::when_full, when_empty, consumers, lanes, "
                  "measures)");
    if constexpr (known)
        static_assert(count_of<when_full, Options...> <= 1 &&
                          count_of<when_empty, Options...> <= 1 &&
                          count_of<consumers, Options...> <= 1 &&
                          count_of<lanes, Options...> <= 1 && count_of<measures, Options...> <= 1,
                      "registry_io: two options of a mailbox decide the same thing");
    return known;
}

template <class Full>
inline constexpr bool is_block = false;
template <unsigned Milliseconds>
inline constexpr bool is_block<block<Milliseconds>> = true;

template <class Full>
concept keyed = requires { Full::key; };
template <class Waiting>
concept hooked = requires { typename Waiting::hook_type; };
/// The option brings its own `drain`, as `async::awaited` does.
template <class Waiting>
concept drains = requires { typename Waiting::drains; };

}  // namespace detail
}  // namespace queued
}  // namespace v1
}  // namespace registry_io

#endif
