// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The arguments of `with<...>`. Finds the policy for an axis in a list, and refuses a list with two
// policies for one axis, or with an argument that is not a policy.

#ifndef REGISTRY_IO_DETAIL_SELECT_HPP
#define REGISTRY_IO_DETAIL_SELECT_HPP

#include <boost/mp11/algorithm.hpp>
#include <boost/mp11/list.hpp>

#include <registry_io/policy.hpp>

namespace registry_io {
inline namespace v1 {
namespace detail {

template <class P>
inline constexpr bool is_any_policy = policy_of<P, axis::snapshot> ||
    policy_of<P, axis::ordering> || policy_of<P, axis::panic> || policy_of<P, axis::alloc>;

template <class Axis>
struct is_on
{
    template <class P>
    using fn = boost::mp11::mp_bool<policy_of<P, Axis>>;
};

/// The policy of `Policies` on this axis; `Old` if there is none.
template <class Axis, class Old, class... Policies>
struct select
{
    using found = boost::mp11::mp_filter_q<is_on<Axis>, boost::mp11::mp_list<Policies...>>;
    static_assert(boost::mp11::mp_size<found>::value <= 1,
                  "registry_io: with<...> has two policies for one axis");
    using type = boost::mp11::mp_front<boost::mp11::mp_push_back<found, Old>>;
};

template <class... Policies>
consteval bool check_with()
{
    static_assert((is_any_policy<Policies> && ...),
                  "registry_io: an argument of with<...> is not a policy of any axis "
                  "(P::category must be one of axis::snapshot, ordering, panic, alloc)");
    return true;
}

template <class Policy, class... More>
struct policy_of_preset
{
    static_assert(sizeof...(More) == 0,
                  "registry_io: a preset takes no policies; give them to with: "
                  "SyncRegistry<Event>::with<Policy>");
    using type = Policy;
};
/// `Policy`, the policy of a preset. Refuses `More`: arguments after those that the preset takes.
template <class Policy, class... More>
using alone = typename policy_of_preset<Policy, More...>::type;

}  // namespace detail
}  // namespace v1
}  // namespace registry_io

#endif
