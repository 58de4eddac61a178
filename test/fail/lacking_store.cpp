// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: the store of this snapshot policy does not satisfy snapshot_store
// expect: registry_io: the writer of a store needs: mutex()
// expect: registry_io: the writer of a store needs: bool foreign() noexcept
// expect: registry_io: the writer of a store needs: retirement reserve(
// expect: registry_io: the writer of a store needs: void publish(
// expect: registry_io: the writer of a store needs: void close(
// expect: registry_io: the retirement of a writer needs: void finish() noexcept
// expect: registry_io: the completion of a writer needs: void wait() noexcept

#include <registry_io.hpp>

namespace rio = registry_io;

struct mine : rio::snapshot::single_thread
{
#ifndef REGISTRY_IO_TEST_CONTROL
    template <class Root>
    struct store
    {
        template <class Source>
        struct writer
        {
            struct retirement
            {
            };
            struct completion
            {
            };
        };
    };
#endif
};

rio::basic_registry<int, mine, rio::ordering::fifo, rio::panic::terminate, rio::alloc::heap>
    registry;
