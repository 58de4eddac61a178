// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: this alloc policy is for one thread

#include <registry_io.hpp>

namespace rio = registry_io;

#ifdef REGISTRY_IO_TEST_CONTROL
using preset = rio::LocalRegistry<int>;
#else
using preset = rio::SyncRegistry<int>;
#endif

preset::with<rio::alloc::fixed<4>> registry;
