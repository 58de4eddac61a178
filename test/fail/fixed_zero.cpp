// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: alloc::fixed<0> would hold no handler; use alloc::fixed<1> or more

#include <registry_io/presets/fixed.hpp>

namespace rio = registry_io;

#ifdef REGISTRY_IO_TEST_CONTROL
rio::FixedRegistry<int, 1> registry;
#else
rio::FixedRegistry<int, 0> registry;
#endif
