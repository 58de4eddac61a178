// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: include <registry_io/linked_registry.hpp> for a registry with this snapshot
// policy

#include <registry_io/alloc/fixed.hpp>
#include <registry_io/ordering/fifo.hpp>
#include <registry_io/panic/trap.hpp>
#include <registry_io/registry.hpp>
#include <registry_io/snapshot/interrupt_safe.hpp>
#ifdef REGISTRY_IO_TEST_CONTROL
#include <registry_io/linked_registry.hpp>
#endif

namespace rio = registry_io;

rio::basic_registry<int, rio::snapshot::interrupt_safe, rio::ordering::fifo, rio::panic::trap,
                    rio::alloc::fixed<4>>
    registry;
