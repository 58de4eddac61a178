// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: this registry's ordering policy takes no priority; call register_handler(f)

#include <registry_io.hpp>

namespace rio = registry_io;

int main()
{
    rio::LocalRegistry<int>::with<rio::ordering::fifo> registry;
#ifdef REGISTRY_IO_TEST_CONTROL
    auto const guard = registry.register_guard([](int) {});
#else
    auto const guard = registry.register_guard(1, [](int) {});
#endif
}
