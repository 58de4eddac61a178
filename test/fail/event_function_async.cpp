// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: the event of a registry cannot be a function type

#include <registry_io/presets/async.hpp>

namespace rio = registry_io;

#ifdef REGISTRY_IO_TEST_CONTROL
rio::AsyncRegistry<int> registry;
#else
rio::AsyncRegistry<int(int)> registry;
#endif
