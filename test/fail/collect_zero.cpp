// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: collect<0> would collect nothing; use collect<1> or more, or catch_log

#include <registry_io.hpp>

namespace rio = registry_io;

#ifdef REGISTRY_IO_TEST_CONTROL
using policy = rio::panic::collect<1>;
#else
using policy = rio::panic::collect<0>;
#endif

rio::LocalRegistry<int>::with<policy> registry;
