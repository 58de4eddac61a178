// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: this ordering policy does not satisfy ordering_policy
// expect: registry_io: an ordering policy needs a type key_type

#include <registry_io.hpp>

namespace rio = registry_io;

// The base has everything that the axis requires.
struct mine
#ifdef REGISTRY_IO_TEST_CONTROL
    : rio::ordering::fifo
#endif
{
    using category = rio::axis::ordering;
};

rio::basic_registry<int, rio::snapshot::single_thread, mine, rio::panic::terminate,
                    rio::alloc::heap>
    registry;
