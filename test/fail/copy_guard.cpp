// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: deleted

#include <utility>

#include <registry_io/presets/sync.hpp>

namespace rio = registry_io;

int main()
{
    rio::handler_guard first;
#ifdef REGISTRY_IO_TEST_CONTROL
    rio::handler_guard second(std::move(first));
#else
    rio::handler_guard second(first);
#endif
    return second ? 1 : 0;
}
