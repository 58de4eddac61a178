// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: this ordering policy's key has no default; register with a key

#include <registry_io.hpp>

namespace rio = registry_io;

struct rank
{
    explicit rank(int n) : number(n) {}
    int number;
    friend auto operator<=>(rank, rank) = default;
};

int main()
{
    rio::LocalRegistry<int>::with<rio::ordering::basic_priority<rank>> registry;
#ifdef REGISTRY_IO_TEST_CONTROL
    registry.register_handler(rank(1), [](int) {});
#else
    registry.register_handler([](int) {});
#endif
}
