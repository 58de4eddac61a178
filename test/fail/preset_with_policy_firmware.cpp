// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: a preset takes no policies; give them to with:
// SyncRegistry<Event>::with<Policy>

#include <registry_io/panic/terminate.hpp>
#include <registry_io/presets/firmware.hpp>

namespace rio = registry_io;

#ifdef REGISTRY_IO_TEST_CONTROL
rio::FirmwareRegistry<int, 2>::with<rio::panic::terminate> registry;
#else
rio::FirmwareRegistry<int, 2, rio::panic::terminate> registry;
#endif
