// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: the key of coalesce must be callable with an event and not throw

#include <registry_io/queued/mailbox.hpp>

namespace queued = registry_io::queued;

int key(long n)
#ifdef REGISTRY_IO_TEST_CONTROL
    noexcept
#endif
    ;

queued::mailbox<long, 4, queued::coalesce<&key>> mailbox;
