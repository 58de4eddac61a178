// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: the handlers of this registry lie in the caller's nodes

#include <registry_io/alloc/intrusive.hpp>
#include <registry_io/presets/firmware.hpp>

namespace rio = registry_io;

using registry = rio::FirmwareRegistry<int, 4>::with<rio::alloc::intrusive>;

int main()
{
    registry r;
    registry::handler_node node;
#ifdef REGISTRY_IO_TEST_CONTROL
    r.register_handler(node, [](int) {});
#else
    r.register_handler([](int) {});
#endif
    r.clear();
}
