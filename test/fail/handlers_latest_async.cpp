// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: latest is for synchronous registries

#include <registry_io/handlers/latest.hpp>
#include <registry_io/presets/async.hpp>
#include <registry_io/presets/sync.hpp>

#ifdef REGISTRY_IO_TEST_CONTROL
registry_io::latest<registry_io::SyncRegistry<int>> r;
#else
registry_io::latest<registry_io::AsyncRegistry<int>> r;
#endif
