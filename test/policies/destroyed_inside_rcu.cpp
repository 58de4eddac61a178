// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#include <registry_io/snapshot/rcu.hpp>

// Without by_writers: there, the captures of the notify that this thread is in wait for the next
// writer of the domain.
#define REGISTRY_IO_TEST_SNAPSHOTS                                                                 \
    registry_io::snapshot::rcu,                                                                    \
        registry_io::snapshot::basic_rcu<void, registry_io::reclaim::batched<4>>

#include "policies/destroyed_inside.hpp"
