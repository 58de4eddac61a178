// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: tracked takes a std::shared_ptr or a std::weak_ptr to the object

#include <memory>
#include <registry_io/handlers/tracked.hpp>
#include <registry_io/presets/sync.hpp>

namespace rio = registry_io;

int main()
{
    rio::SyncRegistry<int> registry;
#ifdef REGISTRY_IO_TEST_CONTROL
    registry.register_handler(rio::tracked(std::make_shared<int>(0), [](int) {}));
#else
    int object = 0;
    registry.register_handler(rio::tracked(&object, [](int) {}));
#endif
}
