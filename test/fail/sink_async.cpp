// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: the sink of notify must be callable with panic_info const&

#include <registry_io/presets/async.hpp>

void use(registry_io::AsyncRegistry<int>& r)
{
    int const one = 1;
#ifdef REGISTRY_IO_TEST_CONTROL
    (void)r.notify(one, [](registry_io::panic_info const&) {});
#else
    (void)r.notify(one, [](int) {});
#endif
}
