// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: one coroutine at a time awaits a mailbox; leave out many_consumers

#include <registry_io/async/awaited.hpp>

namespace queued = registry_io::queued;
using registry_io::async::awaited;

#ifdef REGISTRY_IO_TEST_CONTROL
queued::mailbox<long, 4, awaited> mailbox;
#else
queued::mailbox<long, 4, queued::many_consumers, awaited> mailbox;
#endif
