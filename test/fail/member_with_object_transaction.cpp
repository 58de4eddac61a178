// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: the object of a member function is passed by pointer

#include <registry_io/presets/sync.hpp>

namespace rio = registry_io;

struct listener
{
    void hear(int) const {}
};

int main()
{
    listener object;
    rio::SyncRegistry<int> registry;
#ifdef REGISTRY_IO_TEST_CONTROL
    registry.update([&](auto& tx) { tx.register_handler(1, &listener::hear, &object); });
#else
    registry.update([&](auto& tx) { tx.register_handler(1, &listener::hear, object); });
#endif
}
