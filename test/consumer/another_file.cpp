// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#include <registry_io/presets/sync.hpp>

#include <atomic>

int registered_elsewhere(registry_io::SyncRegistry<int>& r, std::atomic<int>& sum)
{
    for (int i = 0; i < 40; ++i)
        r.register_handler(i, [&sum](int const& event) { sum += event; });
    return 40;
}
