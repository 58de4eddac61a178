// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#include <registry_io/archetype.hpp>
#include <registry_io/snapshot/atomic_shared_ptr.hpp>
#include <registry_io/snapshot/locked.hpp>
#include <registry_io/snapshot/single_thread.hpp>

#define REGISTRY_IO_TEST_SNAPSHOTS                                                                 \
    registry_io::snapshot::locked, registry_io::snapshot::atomic_shared_ptr,                       \
        registry_io::snapshot::single_thread, registry_io::archetype::snapshot

#include "policies/destroyed_inside.hpp"
