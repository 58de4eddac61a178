// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The smallest use of a signal. test/within_budget compiles it and measures the size of the object.
//
// budget gcc text 37400
// budget clang text 40950

#include <registry_io/signals2.hpp>

void use(int& sum)
{
    registry_io::signals2::signal<void(int)> s;
    s.connect([&sum](int event) { sum += event; });
    s(1);
}
