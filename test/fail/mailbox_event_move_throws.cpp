// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: an event of a mailbox is moved, and must not throw when it is moved

#include <registry_io/queued/mailbox.hpp>

namespace queued = registry_io::queued;

struct event
{
    event();
#ifdef REGISTRY_IO_TEST_CONTROL
    event(event&&) noexcept;
#else
    event(event&&);
#endif
};

queued::mailbox<event, 4> mailbox;
