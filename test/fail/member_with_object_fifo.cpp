// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: this registry's ordering policy takes no priority

#include <registry_io/ordering/fifo.hpp>
#include <registry_io/presets/sync.hpp>

namespace rio = registry_io;

struct listener
{
    void hear(int) const {}
};

int main()
{
    listener object;
    rio::SyncRegistry<int>::with<rio::ordering::fifo> registry;
#ifdef REGISTRY_IO_TEST_CONTROL
    registry.register_handler(&listener::hear, &object);
#else
    registry.register_handler(1, &listener::hear, &object);
#endif
}
