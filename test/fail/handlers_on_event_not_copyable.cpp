// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: on(executor, f) posts a copy of the event, and this event cannot be copied

#include <memory>
#include <registry_io/handlers/on.hpp>
#include <registry_io/presets/sync.hpp>

namespace rio = registry_io;

int main()
{
#ifdef REGISTRY_IO_TEST_CONTROL
    rio::SyncRegistry<std::shared_ptr<int>> registry;
    registry.register_handler(rio::on([](auto) {}, [](std::shared_ptr<int> const&) {}));
#else
    rio::SyncRegistry<std::unique_ptr<int>> registry;
    registry.register_handler(rio::on([](auto) {}, [](std::unique_ptr<int> const&) {}));
#endif
}
