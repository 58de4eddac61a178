// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: this registry takes no member function with its object;

#include <registry_io/presets/firmware.hpp>

namespace rio = registry_io;

struct listener
{
    void hear(int) const {}
};

int main()
{
    listener object;
    rio::FirmwareRegistry<int, 2> registry;
#ifdef REGISTRY_IO_TEST_CONTROL
    registry.register_handler([&object](int event) { object.hear(event); });
#else
    registry.register_handler(&listener::hear, &object);
#endif
}
