// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#include <registry_io/snapshot/hazard_pointer.hpp>

// Without by_writers: there, captures that are removed inside a notify wait for the next writer, so
// they could not destroy their own registry.
#define REGISTRY_IO_TEST_SNAPSHOTS                                                                 \
    registry_io::snapshot::hazard_pointer,                                                         \
        registry_io::snapshot::basic_hazard_pointer<registry_io::reclaim::batched<4>>

#include "policies/destroyed_inside.hpp"
