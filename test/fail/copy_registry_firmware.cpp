// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: hold it in a unique_ptr

#include <registry_io/presets/firmware.hpp>

namespace rio = registry_io;

int main()
{
    rio::FirmwareRegistry<int, 2> first;
#ifdef REGISTRY_IO_TEST_CONTROL
    rio::FirmwareRegistry<int, 2>& second(first);
#else
    rio::FirmwareRegistry<int, 2> second(first);
#endif
    return second.empty() ? 0 : 1;
}
