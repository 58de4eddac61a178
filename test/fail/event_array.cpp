// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: the event of a registry cannot be an array without a bound

#include <registry_io/presets/sync.hpp>

namespace rio = registry_io;

#ifdef REGISTRY_IO_TEST_CONTROL
rio::SyncRegistry<int[3]> registry;
#else
rio::SyncRegistry<int[]> registry;
#endif
