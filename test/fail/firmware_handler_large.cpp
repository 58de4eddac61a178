// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: a handler of this registry is one trivial word that is called as const

#include <registry_io/presets/firmware.hpp>

struct totals
{
    long sum = 0;
    long count = 0;
};

void connect(registry_io::FirmwareRegistry<int, 4>& registry, totals& t)
{
#ifdef REGISTRY_IO_TEST_CONTROL
    registry.register_handler([&t](int n) { t.sum += n; });
#else
    registry.register_handler([t](int n) { static_cast<void>(t.sum + n); });
#endif
}
