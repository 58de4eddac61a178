// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: the sink of notify must be callable with panic_info const&

#include <registry_io/presets/sync.hpp>

void use(registry_io::SyncRegistry<int>& r)
{
#ifdef REGISTRY_IO_TEST_CONTROL
    r.notify(1, [](registry_io::panic_info const&) {});
#else
    r.notify(1, [](int) {});
#endif
}
