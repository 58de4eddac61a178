// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: this alloc policy does not satisfy alloc_policy
// expect: registry_io: an alloc policy needs: static constexpr std::size_t capacity
// expect: registry_io: an alloc policy needs: static constexpr bool inside
// expect: registry_io: an alloc policy needs: static constexpr bool concurrent
// expect: registry_io: an alloc policy needs a copyable class source

#include <registry_io.hpp>

namespace rio = registry_io;

// The base has everything that the axis requires.
struct mine
#ifdef REGISTRY_IO_TEST_CONTROL
    : rio::alloc::heap
#endif
{
    using category = rio::axis::alloc;
};

rio::basic_registry<int, rio::snapshot::single_thread, rio::ordering::fifo, rio::panic::terminate,
                    mine>
    registry;
