// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// `FixedRegistry`: the preset for one thread without a heap. All memory lies inside the registry,
// for a number of handlers that you choose.

#ifndef REGISTRY_IO_PRESETS_FIXED_HPP
#define REGISTRY_IO_PRESETS_FIXED_HPP

#include <registry_io/detail/supported.hpp>

#include <cstddef>

#include <registry_io/alloc/fixed.hpp>
#include <registry_io/ordering/priority.hpp>
#include <registry_io/panic/catch_log.hpp>
#include <registry_io/registry.hpp>
#include <registry_io/snapshot/single_thread.hpp>

namespace registry_io {
inline namespace v1 {

/// The registry for one thread without a heap: at most N handlers, all of it inside the object.
///
/// Use it if the program must not use the heap, or the size must be known at link time. Guards must
/// not outlive it.
template <class Event, std::size_t N REGISTRY_IO_DETAIL_MORE>
using FixedRegistry = basic_registry<Event, snapshot::single_thread, ordering::priority,
                                     REGISTRY_IO_DETAIL_ALONE(panic::catch_log), alloc::fixed<N>>;

}  // namespace v1
}  // namespace registry_io

#endif
