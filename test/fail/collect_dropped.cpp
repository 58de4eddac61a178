// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: notify returns the failures, and nothing else reports them; use the result

#include <registry_io/panic/collect.hpp>
#include <registry_io/presets/sync.hpp>

namespace rio = registry_io;

int main()
{
    rio::SyncRegistry<int>::with<rio::panic::collect<2>> registry;
#ifdef REGISTRY_IO_TEST_CONTROL
    static_cast<void>(registry.notify(1));
#else
    registry.notify(1);
#endif
}
