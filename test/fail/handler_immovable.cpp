// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: the handler cannot be moved or copied into the registry

#include <functional>

#include <registry_io/presets/sync.hpp>

namespace rio = registry_io;

struct handler
{
    handler() = default;
    handler(handler const&) = delete;
    handler& operator=(handler const&) = delete;
    void operator()(int) const {}
};

int main()
{
    handler f;
    rio::SyncRegistry<int> registry;
#ifdef REGISTRY_IO_TEST_CONTROL
    registry.register_handler(std::ref(f));
#else
    registry.register_handler(f);
#endif
}
