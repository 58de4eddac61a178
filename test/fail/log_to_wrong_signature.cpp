// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: the sink of log_to must be callable as a const object, with std::string_view

#include <string_view>

#include <registry_io/presets/sync.hpp>

namespace rio = registry_io;

int main()
{
    rio::SyncRegistry<int> registry;
#ifdef REGISTRY_IO_TEST_CONTROL
    registry.log_to([](std::string_view) {});
#else
    registry.log_to([](std::string_view, int) {});
#endif
}
