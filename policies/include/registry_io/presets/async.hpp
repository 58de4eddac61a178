// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// `AsyncRegistry`: the preset whose handlers are coroutines. Its policies are those of
// `SyncRegistry`.

#ifndef REGISTRY_IO_PRESETS_ASYNC_HPP
#define REGISTRY_IO_PRESETS_ASYNC_HPP

#include <registry_io/detail/supported.hpp>

#include <registry_io/alloc/heap.hpp>
#include <registry_io/async/registry.hpp>
#include <registry_io/ordering/priority.hpp>
#include <registry_io/panic/catch_log.hpp>
#include <registry_io/snapshot/hazard_pointer.hpp>

namespace registry_io {
inline namespace v1 {

/// The registry whose handlers are coroutines; otherwise as `SyncRegistry`.
///
/// Use it if handlers have to wait for something, and the notifying code can wait for the handlers.
template <class Event REGISTRY_IO_DETAIL_MORE>
using AsyncRegistry = basic_async_registry<Event, snapshot::hazard_pointer, ordering::priority,
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
