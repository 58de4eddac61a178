// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: latest remembers a copy of the event, and this event cannot be copied

#include <memory>
#include <registry_io/handlers/latest.hpp>
#include <registry_io/presets/sync.hpp>

namespace rio = registry_io;

int main()
{
#ifdef REGISTRY_IO_TEST_CONTROL
    rio::latest<rio::SyncRegistry<std::shared_ptr<int>>> const registry;
#else
    rio::latest<rio::SyncRegistry<std::unique_ptr<int>>> const registry;
#endif
}
