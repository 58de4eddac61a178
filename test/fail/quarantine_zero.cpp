// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: quarantine<0> would remove handlers that never failed;

#include <registry_io.hpp>

namespace rio = registry_io;

#ifdef REGISTRY_IO_TEST_CONTROL
using policy = rio::panic::quarantine<1>;
#else
using policy = rio::panic::quarantine<0>;
#endif

rio::LocalRegistry<int>::with<policy> registry;
