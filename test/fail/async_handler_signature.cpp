// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: an async handler must be callable with Event const&, or with Event

#include <registry_io/presets/async.hpp>

int main()
{
    registry_io::AsyncRegistry<int> r;
#ifdef REGISTRY_IO_TEST_CONTROL
    r.register_handler([](int const&) -> registry_io::async::task<> { co_return; });
#else
    r.register_handler([](int&) -> registry_io::async::task<> { co_return; });
#endif
}
