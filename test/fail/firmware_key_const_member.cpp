// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: its key trivially copyable, assignable and default-constructible

#include <compare>

#include <registry_io/presets/firmware.hpp>

namespace rio = registry_io;

struct rank
{
#ifdef REGISTRY_IO_TEST_CONTROL
    int number;
#else
    int const number;
#endif
    friend auto operator<=>(rank, rank) = default;
};

int main()
{
    rio::FirmwareRegistry<int, 4>::with<rio::ordering::basic_priority<rank>> registry;
    registry.notify(1);
}
