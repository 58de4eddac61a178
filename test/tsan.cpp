// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The races that ThreadSanitizer is not to report, for every program of this project.

// Boost.Lockfree's list of free nodes reads, without an atomic, a link that another thread may be
// writing. It discards the value then, because its exchange fails. ThreadSanitizer reports the
// read.
extern "C" char const* __tsan_default_suppressions()  // NOLINT(bugprone-reserved-identifier)
{
    return "race:boost/lockfree/detail/freelist.hpp\n"
           "race:boost/lockfree/stack.hpp\n";
}
