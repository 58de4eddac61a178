// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: deferred copies and destroys each event, and neither may throw

#include <string>

#include <registry_io/queued/deferred.hpp>

#ifdef REGISTRY_IO_TEST_CONTROL
using event = long;
#else
using event = std::string;
#endif

registry_io::queued::deferred<event, 4> queue;
