// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// `SyncRegistry`: the preset for several threads. Start with it.

#ifndef REGISTRY_IO_PRESETS_SYNC_HPP
#define REGISTRY_IO_PRESETS_SYNC_HPP

#include <registry_io/detail/supported.hpp>

#include <registry_io/alloc/heap.hpp>
#include <registry_io/ordering/priority.hpp>
#include <registry_io/panic/catch_log.hpp>
#include <registry_io/registry.hpp>
#include <registry_io/snapshot/hazard_pointer.hpp>

namespace registry_io {
inline namespace v1 {

/// The registry for threads: hazard pointers, priorities, failures caught and logged, the heap.
///
/// Use it by default: a handler may block without delaying others, and memory stays bounded
/// meanwhile.
template <class Event REGISTRY_IO_DETAIL_MORE>
using SyncRegistry = basic_registry<Event, snapshot::hazard_pointer, ordering::priority,
                                    REGISTRY_IO_DETAIL_ALONE(panic::catch_log), alloc::heap>;

// Declared once: SyncRegistry and AsyncRegistry share the instantiation.
#if defined(REGISTRY_IO_SEPARATE_COMPILATION) && !defined(REGISTRY_IO_DETAIL_HAZARD_POINTER_SHARED)
#define REGISTRY_IO_DETAIL_HAZARD_POINTER_SHARED
REGISTRY_IO_DETAIL_SHARED(REGISTRY_IO_DETAIL_EXTERN, snapshot::hazard_pointer, ordering::priority,
                          panic::catch_log, alloc::heap);
#endif

}  // namespace v1
}  // namespace registry_io

#endif
