// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: the 5th argument of basic_registry is not an alloc policy

#include <registry_io.hpp>

namespace rio = registry_io;

#ifdef REGISTRY_IO_TEST_CONTROL
using slot = rio::alloc::heap;
#else
using slot = rio::snapshot::single_thread;
#endif

rio::basic_registry<int, rio::snapshot::single_thread, rio::ordering::fifo, rio::panic::terminate,
                    slot>
    registry;
