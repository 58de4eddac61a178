// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: an adaptor of observe must be given a panic policy

#include <registry_io/observe/timed.hpp>
#include <registry_io/presets/sync.hpp>

namespace rio = registry_io;

int main()
{
#ifdef REGISTRY_IO_TEST_CONTROL
    using panic = rio::observe::timed<rio::panic::catch_log>;
#else
    using panic = rio::observe::timed<rio::alloc::heap>;
#endif
    rio::SyncRegistry<int>::with<panic> registry;
    registry.notify(1);
}
