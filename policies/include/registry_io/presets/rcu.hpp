// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// `RcuRegistry`: the preset for several threads whose handlers are short. Notifies, and nested
// notifies above all, are cheaper; in return a blocked handler delays the freeing of memory.

#ifndef REGISTRY_IO_PRESETS_RCU_HPP
#define REGISTRY_IO_PRESETS_RCU_HPP

#include <registry_io/detail/supported.hpp>

#include <registry_io/alloc/heap.hpp>
#include <registry_io/ordering/priority.hpp>
#include <registry_io/panic/catch_log.hpp>
#include <registry_io/registry.hpp>
#include <registry_io/snapshot/rcu.hpp>

namespace registry_io {
inline namespace v1 {

/// The registry for throughput: as `SyncRegistry`, with RCU.
///
/// Use it when handlers are short, and handlers of one registry notify others: nested notifies cost
/// next to nothing. A handler that blocks delays the destruction of removed handlers in all
/// registries of its domain, which are all registries of this type.
template <class Event REGISTRY_IO_DETAIL_MORE>
using RcuRegistry = basic_registry<Event, snapshot::rcu, ordering::priority,
                                   REGISTRY_IO_DETAIL_ALONE(panic::catch_log), alloc::heap>;

#ifdef REGISTRY_IO_SEPARATE_COMPILATION
REGISTRY_IO_DETAIL_SHARED(REGISTRY_IO_DETAIL_EXTERN, snapshot::rcu, ordering::priority,
                          panic::catch_log, alloc::heap);
#endif

}  // namespace v1
}  // namespace registry_io

#endif
