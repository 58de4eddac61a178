// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// `LocalRegistry`: the preset for one thread. Nothing in it is atomic or locked.

#ifndef REGISTRY_IO_PRESETS_LOCAL_HPP
#define REGISTRY_IO_PRESETS_LOCAL_HPP

#include <registry_io/detail/supported.hpp>

#include <registry_io/alloc/heap.hpp>
#include <registry_io/ordering/priority.hpp>
#include <registry_io/panic/catch_log.hpp>
#include <registry_io/registry.hpp>
#include <registry_io/snapshot/single_thread.hpp>

namespace registry_io {
inline namespace v1 {

/// The registry for one thread: nothing is atomic, and handlers may be mutable lambdas.
///
/// Use it for event loops and user interfaces, where all calls come from one thread.
template <class Event REGISTRY_IO_DETAIL_MORE>
using LocalRegistry = basic_registry<Event, snapshot::single_thread, ordering::priority,
                                     REGISTRY_IO_DETAIL_ALONE(panic::catch_log), alloc::heap>;

#ifdef REGISTRY_IO_SEPARATE_COMPILATION
REGISTRY_IO_DETAIL_SHARED(REGISTRY_IO_DETAIL_EXTERN, snapshot::single_thread, ordering::priority,
                          panic::catch_log, alloc::heap);
#endif

}  // namespace v1
}  // namespace registry_io

#endif
