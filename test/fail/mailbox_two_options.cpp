// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: two options of a mailbox decide the same thing

#include <registry_io/queued/mailbox.hpp>

namespace queued = registry_io::queued;

using event = long;
#ifdef REGISTRY_IO_TEST_CONTROL
using option = queued::park;
#else
using option = queued::block<1>;
#endif

queued::mailbox<event, 4, queued::drop_oldest, option> mailbox;
