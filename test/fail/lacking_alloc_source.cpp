// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: an alloc policy needs: source get_source() noexcept
// expect: registry_io: the source of an alloc policy needs: void deallocate(

#include <registry_io.hpp>

namespace rio = registry_io;

struct mine : rio::alloc::heap
{
#ifndef REGISTRY_IO_TEST_CONTROL
    struct source
    {
        void* allocate(std::size_t, std::size_t);
        void deallocate(void*, std::size_t, std::size_t);  // may throw
    };
#endif
};

rio::basic_registry<int, rio::snapshot::single_thread, rio::ordering::fifo, rio::panic::terminate,
                    mine>
    registry;
