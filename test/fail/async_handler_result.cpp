// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: an async handler must return void, an async::task or something else

#include <registry_io/presets/async.hpp>

int main()
{
    registry_io::AsyncRegistry<int> r;
#ifdef REGISTRY_IO_TEST_CONTROL
    r.register_handler([](int) {});
#else
    r.register_handler([](int) { return 1; });
#endif
}
