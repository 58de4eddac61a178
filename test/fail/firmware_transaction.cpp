// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: a registry that is changed by single stores has no transactions

#include <registry_io/presets/firmware.hpp>
#include <registry_io/presets/fixed.hpp>

#ifdef REGISTRY_IO_TEST_CONTROL
registry_io::FixedRegistry<int, 4> registry;
#else
registry_io::FirmwareRegistry<int, 4> registry;
#endif

void change()
{
    registry.update([](auto&) {});
}
