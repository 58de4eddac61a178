// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The smallest use of a bounded registry, which has no chunks, no index and no runs.
// test/within_budget compiles it and measures the code size of the object.
//
// budget gcc text 14300
// budget clang text 14750

#include <registry_io/presets/fixed.hpp>

void use(int& sum)
{
    registry_io::FixedRegistry<int, 16> r;
    r.register_handler([&sum](int const& event) { sum += event; });
    r.notify(1);
}
