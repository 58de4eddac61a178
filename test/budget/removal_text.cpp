// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The smallest use that removes its handler. A program that removes none has no code for removals:
// see budget/text. test/within_budget compiles it and measures the code size of the object.
//
// budget gcc text 42200
// budget clang text 44600

#include <registry_io/presets/sync.hpp>

void use(int& sum)
{
    registry_io::SyncRegistry<int> r;
    auto const guard = r.register_guard([&sum](int const& event) { sum += event; });
    r.notify(1);
}
