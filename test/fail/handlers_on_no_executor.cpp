// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: the executor of on(executor, f) must be callable with a function that takes
// nothing

#include <registry_io/handlers/on.hpp>
#include <registry_io/presets/sync.hpp>

namespace rio = registry_io;

int main()
{
    rio::SyncRegistry<int> registry;
#ifdef REGISTRY_IO_TEST_CONTROL
    registry.register_handler(rio::on([](auto f) { f(); }, [](int) {}));
#else
    registry.register_handler(rio::on(7, [](int) {}));
#endif
}
