// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: this panic policy does not satisfy panic_policy
// expect: registry_io: a panic policy needs: static constexpr bool isolates
// expect: registry_io: a panic policy needs: static constexpr bool reports
// expect: registry_io: a panic policy needs: static constexpr bool logs
// expect: registry_io: a panic policy needs: static void fatal(char const*)
// expect: registry_io: a panic policy needs a type result_type
// expect: registry_io: a panic policy needs a default-constructible class handler_state
// expect: registry_io: a panic policy needs a class template scope<Notify>

#include <registry_io.hpp>

namespace rio = registry_io;

// The base has everything that the axis requires.
struct mine
#ifdef REGISTRY_IO_TEST_CONTROL
    : rio::panic::terminate
#endif
{
    using category = rio::axis::panic;
};

rio::basic_registry<int, rio::snapshot::single_thread, rio::ordering::fifo, mine, rio::alloc::heap>
    registry;
