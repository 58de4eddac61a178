// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#include <registry_io.hpp>

int main()
{
    registry_io::SyncRegistry<int> r;
    int sum = 0;
    r.register_handler([&sum](int const& event) { sum += event; });
    r.notify(3);
    return sum == 3 ? 0 : 1;
}
