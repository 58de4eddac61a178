// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The module `registry_io`, an experiment: the names of `<registry_io.hpp>`, for those who write
// `import registry_io;`.
//
// The names stay attached to the global module, so files that import and files that include may be
// linked into one program. Macros are not exported; include `<registry_io/version.hpp>` for the
// version's. What only authors of snapshot policies need is in the headers alone.

module;

#include <registry_io.hpp>

export module registry_io;

export namespace registry_io {

using registry_io::alloc_policy;
using registry_io::arena;
using registry_io::basic_registry;
using registry_io::basic_transaction;
using registry_io::block_count;
using registry_io::block_guard;
using registry_io::blockable;
using registry_io::blockable_handler;
using registry_io::brief_reader;
using registry_io::connect;
using registry_io::connection;
using registry_io::erased_handler;
using registry_io::fatal;
using registry_io::filtered;
using registry_io::filtered_handler;
using registry_io::FirmwareRegistry;
using registry_io::FixedRegistry;
using registry_io::handler_archetype;
using registry_io::handler_guard;
using registry_io::handler_id;
using registry_io::handler_label;
using registry_io::hash_value;
using registry_io::latest;
using registry_io::LocalRegistry;
using registry_io::node_policy;
using registry_io::notify_archetype;
using registry_io::on;
using registry_io::once;
using registry_io::once_handler;
using registry_io::ordering_policy;
using registry_io::owned;
using registry_io::owner;
using registry_io::panic_hooks;
using registry_io::panic_info;
using registry_io::panic_policy;
using registry_io::pinning_snapshot_policy;
using registry_io::policy_of;
using registry_io::posted_handler;
using registry_io::RcuRegistry;
using registry_io::registration;
using registry_io::registry_for;
using registry_io::registry_ref;
using registry_io::root_swap_policy;
using registry_io::snapshot_policy;
using registry_io::snapshot_store;
using registry_io::SyncRegistry;
using registry_io::thread_mode;
using registry_io::told_store;
using registry_io::tracked;
using registry_io::unsynchronized;
using registry_io::update_result;
using registry_io::verdict;
using registry_io::version;
using registry_io::with_id;
using registry_io::with_id_handler;
using registry_io::word_store_policy;

namespace alloc {
using registry_io::alloc::basic_heap;
using registry_io::alloc::fixed;
using registry_io::alloc::heap;
using registry_io::alloc::intrusive;
using registry_io::alloc::pmr;
using registry_io::alloc::pool;
}  // namespace alloc

namespace axis {
using registry_io::axis::alloc;
using registry_io::axis::ordering;
using registry_io::axis::panic;
using registry_io::axis::snapshot;
}  // namespace axis

namespace ordering {
using registry_io::ordering::basic_priority;
using registry_io::ordering::descending;
using registry_io::ordering::fifo;
using registry_io::ordering::priority;
}  // namespace ordering

namespace panic {
using registry_io::panic::basic_trap;
using registry_io::panic::catch_log;
using registry_io::panic::collect;
using registry_io::panic::collected;
using registry_io::panic::propagate;
using registry_io::panic::quarantine;
using registry_io::panic::terminate;
using registry_io::panic::trap;
}  // namespace panic

namespace reclaim {
using registry_io::reclaim::batched;
using registry_io::reclaim::by_writers;
using registry_io::reclaim::prompt;
}  // namespace reclaim

namespace snapshot {
using registry_io::snapshot::atomic_shared_ptr;
using registry_io::snapshot::basic_hazard_pointer;
using registry_io::snapshot::basic_interrupt_safe;
using registry_io::snapshot::basic_rcu;
using registry_io::snapshot::hazard_pointer;
using registry_io::snapshot::interrupt_safe;
using registry_io::snapshot::locked;
using registry_io::snapshot::rcu;
using registry_io::snapshot::rcu_barrier;
using registry_io::snapshot::rcu_synchronize;
using registry_io::snapshot::single_thread;
}  // namespace snapshot

}  // namespace registry_io
