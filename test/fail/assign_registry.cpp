// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: not assignable

#include <registry_io/presets/sync.hpp>

namespace rio = registry_io;

int main()
{
    rio::SyncRegistry<int> first;
#ifdef REGISTRY_IO_TEST_CONTROL
    rio::SyncRegistry<int> second;
#else
    rio::SyncRegistry<int> second;
    second = first;
#endif
    return second.empty() ? 0 : 1;
}
