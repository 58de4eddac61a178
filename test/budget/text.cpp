// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The smallest use. test/within_budget compiles it and measures the code size of the object.
//
// budget gcc text 42000
// budget clang text 44550

#include <registry_io/presets/sync.hpp>

void use(int& sum)
{
    registry_io::SyncRegistry<int> r;
    r.register_handler([&sum](int const& event) { sum += event; });
    r.notify(1);
}
