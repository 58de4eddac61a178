// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: a handler of this registry needs an owner: register_handler(owner, f)

#include <registry_io/handlers/owner.hpp>
#include <registry_io/presets/sync.hpp>

namespace rio = registry_io;

int main()
{
    rio::owned<rio::SyncRegistry<int>> registry;
#ifdef REGISTRY_IO_TEST_CONTROL
    rio::owner owner;
    registry.register_handler(owner, [](int) {});
#else
    registry.register_handler([](int) {});
#endif
}
