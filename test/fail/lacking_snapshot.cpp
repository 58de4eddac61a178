// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: this snapshot policy does not satisfy snapshot_policy
// expect: registry_io: a snapshot policy needs: static constexpr bool concurrent
// expect: registry_io: a snapshot policy needs a class root_header

#include <registry_io.hpp>

namespace rio = registry_io;

// The base has everything that the axis requires.
struct mine
#ifdef REGISTRY_IO_TEST_CONTROL
    : rio::snapshot::single_thread
#endif
{
    using category = rio::axis::snapshot;
};

rio::basic_registry<int, mine, rio::ordering::fifo, rio::panic::terminate, rio::alloc::heap>
    registry;
