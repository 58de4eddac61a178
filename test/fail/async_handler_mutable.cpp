// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: several threads may be inside this handler at once

#include <registry_io/presets/async.hpp>

int main()
{
    registry_io::AsyncRegistry<int> r;
#ifdef REGISTRY_IO_TEST_CONTROL
    r.register_handler([n = 0](int e) -> registry_io::async::task<> {
        if (n == e)
            co_return;
    });
#else
    r.register_handler([n = 0](int) mutable -> registry_io::async::task<> {
        ++n;
        co_return;
    });
#endif
}
