// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// `FirmwareRegistry`: the preset for microcontrollers whose interrupts notify. It uses the linked
// registry, which has no tables, and needs neither a heap nor exceptions nor threads.

#ifndef REGISTRY_IO_PRESETS_FIRMWARE_HPP
#define REGISTRY_IO_PRESETS_FIRMWARE_HPP

#include <registry_io/detail/supported.hpp>

#include <cstddef>
#include <cstdint>

#include <registry_io/alloc/fixed.hpp>
#include <registry_io/linked_registry.hpp>
#include <registry_io/ordering/priority.hpp>
#include <registry_io/panic/trap.hpp>
#include <registry_io/snapshot/interrupt_safe.hpp>

namespace registry_io {
inline namespace v1 {

/// The registry for a microcontroller: at most N handlers, interrupts may notify at any time.
///
/// No heap, no exceptions, no RTTI, no threads, no masked interrupts; 16 bytes for each handler and
/// 8 for the registry. Priorities are from -128 to 127. Misuse traps.
template <class Event, std::size_t N REGISTRY_IO_DETAIL_MORE>
using FirmwareRegistry =
    basic_registry<Event, snapshot::interrupt_safe, ordering::basic_priority<std::int8_t>,
                   REGISTRY_IO_DETAIL_ALONE(panic::trap), alloc::fixed<N>>;

}  // namespace v1
}  // namespace registry_io

#endif
