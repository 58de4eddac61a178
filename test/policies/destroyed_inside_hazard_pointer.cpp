// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#include <registry_io/snapshot/hazard_pointer.hpp>

// Not by_writers, with which a capture that is removed inside of a notify waits for the next
// writer, and so could not end its own registry.
#define REGISTRY_IO_TEST_SNAPSHOTS                                                                 \
    registry_io::snapshot::hazard_pointer,                                                         \
        registry_io::snapshot::basic_hazard_pointer<registry_io::reclaim::batched<4>>

#include "policies/destroyed_inside.hpp"
