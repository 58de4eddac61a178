// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: notify of this registry may throw

#include <registry_io/panic/propagate.hpp>
#include <registry_io/presets/sync.hpp>
#include <registry_io/queued/mailbox.hpp>
#include <registry_io/queued/pump.hpp>

namespace queued = registry_io::queued;

#ifdef REGISTRY_IO_TEST_CONTROL
registry_io::SyncRegistry<long> registry;
#else
registry_io::SyncRegistry<long>::with<registry_io::panic::propagate> registry;
#endif
queued::mailbox<long, 4> mailbox;
queued::pump pump(mailbox, registry);
