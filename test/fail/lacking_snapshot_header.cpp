// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: the root_header of a snapshot policy must derive from garbage

#include <registry_io.hpp>

namespace rio = registry_io;

struct mine : rio::snapshot::single_thread
{
#ifndef REGISTRY_IO_TEST_CONTROL
    struct root_header
    {
    };
#endif
};

rio::basic_registry<int, mine, rio::ordering::fifo, rio::panic::terminate, rio::alloc::heap>
    registry;
