// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The half of module.cpp that includes the headers.

#include <string>

#include <registry_io.hpp>

registry_io::SyncRegistry<std::string>& words();
int length_there();

namespace {

int length = 0;

}  // namespace

registry_io::SyncRegistry<std::string>& words()
{
    static registry_io::SyncRegistry<std::string> registry;
    if (registry.empty())
        registry.register_handler(
            [](std::string const& w) { length += static_cast<int>(w.size()); });
    return registry;
}

int length_there()
{
    return length;
}
