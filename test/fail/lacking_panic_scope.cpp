// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: the scope of a panic policy needs: verdict invoke(call, handler)
// expect: registry_io: the scope of a panic policy needs: result_type finish()

#include <registry_io.hpp>

namespace rio = registry_io;

struct mine : rio::panic::terminate
{
#ifndef REGISTRY_IO_TEST_CONTROL
    template <class Notify>
    struct scope
    {
        explicit scope(Notify const&) noexcept {}
        template <class Call, class Handler>
        void invoke(Call call, Handler const&)
        {
            call();
        }
        int finish() noexcept { return 0; }
    };
#endif
};

rio::basic_registry<int, rio::snapshot::single_thread, rio::ordering::fifo, mine, rio::alloc::heap>
    registry;
