// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The primary template of `basic_registry`, which is chosen when no specialisation accepts its
// arguments. Its body is the list of checks that say why.

#ifndef REGISTRY_IO_DETAIL_REFUSED_HPP
#define REGISTRY_IO_DETAIL_REFUSED_HPP

#include <registry_io/detail/check.hpp>
#include <registry_io/registry_fwd.hpp>

namespace registry_io {
inline namespace v1 {

/// Refuses arguments that make no registry, with one sentence for each argument. The registries are
/// the two specialisations.
template <class Event, class SnapshotPolicy, class OrderingPolicy, class PanicPolicy,
          class AllocPolicy>
class basic_registry
{
    static_assert(detail::check_event<Event>());
    static_assert(detail::check_snapshot<SnapshotPolicy>());
    static_assert(detail::check_ordering<OrderingPolicy>());
    static_assert(detail::check_panic<PanicPolicy>());
    static_assert(detail::check_alloc<AllocPolicy>());
    static_assert(detail::check_combination<SnapshotPolicy, AllocPolicy>());
    static_assert(detail::check_words<SnapshotPolicy, OrderingPolicy, PanicPolicy, AllocPolicy>());
    static_assert(
        detail::check_included<Event, SnapshotPolicy, OrderingPolicy, PanicPolicy, AllocPolicy>());
};

}  // namespace v1
}  // namespace registry_io

#endif
