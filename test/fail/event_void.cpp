// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: the event of a registry cannot be void; use an empty struct

#include <registry_io/presets/sync.hpp>

namespace rio = registry_io;

struct nothing
{
};

#ifdef REGISTRY_IO_TEST_CONTROL
rio::SyncRegistry<nothing> registry;
#else
rio::SyncRegistry<void> registry;
#endif
