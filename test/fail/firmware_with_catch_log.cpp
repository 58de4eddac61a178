// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: with this snapshot policy the panic policy must isolate, and keep

#include <registry_io.hpp>

namespace rio = registry_io;

#ifdef REGISTRY_IO_TEST_CONTROL
using failing = rio::panic::terminate;
#else
using failing = rio::panic::catch_log;
#endif

rio::FirmwareRegistry<int, 4>::with<failing> registry;
