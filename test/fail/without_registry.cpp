// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: include <registry_io/registry.hpp> for a registry with this snapshot policy

#include <registry_io/alloc/heap.hpp>
#include <registry_io/linked_registry.hpp>
#include <registry_io/ordering/fifo.hpp>
#include <registry_io/panic/propagate.hpp>
#include <registry_io/snapshot/single_thread.hpp>
#ifdef REGISTRY_IO_TEST_CONTROL
#include <registry_io/registry.hpp>
#endif

namespace rio = registry_io;

rio::basic_registry<int, rio::snapshot::single_thread, rio::ordering::fifo, rio::panic::propagate,
                    rio::alloc::heap>
    registry;
