// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The order of the slots of a signal, as an ordering policy: slots connected at the front, slots
// with a group by their groups, slots connected at the back. Within each of these, the ids decide:
// the ids of slots that go to the front descend, all others ascend.

#ifndef REGISTRY_IO_SIGNALS2_DETAIL_SLOT_ORDER_HPP
#define REGISTRY_IO_SIGNALS2_DETAIL_SLOT_ORDER_HPP

#include <registry_io/detail/supported.hpp>

#include <optional>
#include <type_traits>
#include <utility>

#include <registry_io/config.hpp>
#include <registry_io/policy.hpp>

namespace registry_io {
inline namespace v1 {
namespace signals2 {
namespace detail {

enum class zone : unsigned char { front, grouped, back };

/// The stored group of a slot. A slot without a group stores a default value if the type is trivial
/// enough, and otherwise an empty optional.
template <class Group>
using kept_group = std::conditional_t<std::is_trivially_copyable_v<Group> &&
                                          std::is_default_constructible_v<Group>,
                                      Group, std::optional<Group>>;

/// The position of a slot, except for its id.
template <class Group>
struct slot_position
{
    zone in;
    kept_group<Group> group;

    Group const& value() const noexcept
    {
        if constexpr (std::is_same_v<kept_group<Group>, Group>)
            return group;
        else
            return *group;
    }
};

template <class Group, class Compare>
struct slot_order
{
    using category = axis::ordering;
    using key_type = slot_position<Group>;
    /// An attachment knows its position, so no index of ids is needed.
    static constexpr bool keys_are_known = true;

    slot_order() = default;
    explicit slot_order(Compare const& c) : compare(c) {}

    bool before(key_type const& a, key_type const& b) const
    {
        if (a.in != b.in)
            return a.in < b.in;
        return a.in == zone::grouped && less(a.value(), b.value());
    }
    bool is_in(key_type const& a, Group const& group) const
    {
        return a.in == zone::grouped && !less(a.value(), group) && !less(group, a.value());
    }

private:
    // Not const-correct: some comparisons have a non-const call operator.
    bool less(Group const& a, Group const& b) const { return compare(a, b); }

    REGISTRY_IO_NO_UNIQUE_ADDRESS mutable Compare compare;
};

}  // namespace detail
}  // namespace signals2
}  // namespace v1
}  // namespace registry_io

#endif
