// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: several threads may be inside this handler at once

#include <registry_io/presets/sync.hpp>

namespace rio = registry_io;

int main()
{
    rio::SyncRegistry<int> registry;
#ifdef REGISTRY_IO_TEST_CONTROL
    registry.register_handler(rio::unsynchronized([n = 0](int) mutable { return ++n; }));
#else
    registry.register_handler([n = 0](int) mutable { return ++n; });
#endif
}
