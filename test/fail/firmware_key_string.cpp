// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: with this snapshot policy the ordering must be stateless

#include <string>

#include <registry_io.hpp>

namespace rio = registry_io;

#ifdef REGISTRY_IO_TEST_CONTROL
using key = long;
#else
using key = std::string;
#endif

rio::FirmwareRegistry<int, 4>::with<rio::ordering::basic_priority<key>> registry;
