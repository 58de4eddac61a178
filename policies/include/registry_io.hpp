// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Every policy and every preset, without coroutines (`async/`), queues (`queued/`) and observers
// (`observe/`). To reduce compile time, include only the header of the preset that you use.

#ifndef REGISTRY_IO_HPP
#define REGISTRY_IO_HPP

#include <registry_io/detail/supported.hpp>

#include <registry_io/alloc/fixed.hpp>
#include <registry_io/alloc/heap.hpp>
#include <registry_io/alloc/intrusive.hpp>
#include <registry_io/alloc/pmr.hpp>
#include <registry_io/alloc/pool.hpp>
#include <registry_io/handlers/blockable.hpp>
#include <registry_io/handlers/connection.hpp>
#include <registry_io/handlers/filtered.hpp>
#include <registry_io/handlers/latest.hpp>
#include <registry_io/handlers/on.hpp>
#include <registry_io/handlers/once.hpp>
#include <registry_io/handlers/owner.hpp>
#include <registry_io/handlers/tracked.hpp>
#include <registry_io/handlers/with_id.hpp>
#include <registry_io/ordering/fifo.hpp>
#include <registry_io/ordering/priority.hpp>
#include <registry_io/panic/catch_log.hpp>
#include <registry_io/panic/collect.hpp>
#include <registry_io/panic/propagate.hpp>
#include <registry_io/panic/quarantine.hpp>
#include <registry_io/panic/terminate.hpp>
#include <registry_io/panic/trap.hpp>
#include <registry_io/presets.hpp>
#include <registry_io/registry.hpp>
#include <registry_io/registry_ref.hpp>
#include <registry_io/snapshot/atomic_shared_ptr.hpp>
#include <registry_io/snapshot/hazard_pointer.hpp>
#include <registry_io/snapshot/interrupt_safe.hpp>
#include <registry_io/snapshot/locked.hpp>
#include <registry_io/snapshot/rcu.hpp>
#include <registry_io/snapshot/single_thread.hpp>

#endif
