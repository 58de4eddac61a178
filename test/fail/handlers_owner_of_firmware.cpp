// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: an owner owns handlers of hosted registries and registry_refs

#include <registry_io/handlers/owner.hpp>
#include <registry_io/presets/firmware.hpp>

namespace rio = registry_io;

void hear(int const&) {}

int main()
{
    static rio::FirmwareRegistry<int, 4> registry;
#ifdef REGISTRY_IO_TEST_CONTROL
    registry.register_handler(&hear);
#else
    rio::owner owner;
    owner.register_handler(registry, &hear);
#endif
}
