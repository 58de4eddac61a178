// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: this handler returns something that must be awaited

#include <registry_io/async/task.hpp>
#include <registry_io/handlers/once.hpp>
#include <registry_io/presets/sync.hpp>

namespace rio = registry_io;

int main()
{
    rio::SyncRegistry<int> registry;
#ifdef REGISTRY_IO_TEST_CONTROL
    registry.register_handler(rio::once([](int) {}));
#else
    registry.register_handler(rio::once([](int) -> rio::async::task<> { co_return; }));
#endif
}
