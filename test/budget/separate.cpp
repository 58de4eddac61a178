// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The smallest use in a program that compiles the code that registries share in another file. 200
// bytes of it are the text of a log line for the handler, and the hook for thread exit, which all
// policies share.
//
// budget gcc text 3600
// budget clang text 3750

#define REGISTRY_IO_SEPARATE_COMPILATION
#include <registry_io/presets/sync.hpp>

void use(int& sum)
{
    registry_io::SyncRegistry<int> r;
    r.register_handler([&sum](int const& event) { sum += event; });
    r.notify(1);
}
