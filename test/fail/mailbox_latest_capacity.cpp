// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: a mailbox with latest keeps one event; make its capacity 1

#include <registry_io/queued/mailbox.hpp>

namespace queued = registry_io::queued;

using event = long;
#ifdef REGISTRY_IO_TEST_CONTROL
constexpr int n = 1;
#else
constexpr int n = 2;
#endif

queued::mailbox<event, n, queued::latest> mailbox;
