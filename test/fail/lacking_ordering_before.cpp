// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: an ordering policy with keys needs: bool before(

#include <registry_io.hpp>

namespace rio = registry_io;

struct mine
{
    using category = rio::axis::ordering;
    using key_type = int;
#ifdef REGISTRY_IO_TEST_CONTROL
    bool before(int a, int b) const { return a < b; }
#else
    bool before(int a, int b) { return a < b; }
#endif
};

rio::basic_registry<int, rio::snapshot::single_thread, mine, rio::panic::terminate,
                    rio::alloc::heap>
    registry;
