// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// When captures that were taken out are destroyed, and by whom: the options of `hazard_pointer` and
// `rcu`. An option has two constants. `batch` is how many removals share one look at the readers,
// and one fence. `on_readers` says whether the last reader to leave destroys what it alone kept
// alive.

#ifndef REGISTRY_IO_RECLAIM_OPTION_HPP
#define REGISTRY_IO_RECLAIM_OPTION_HPP

#include <registry_io/detail/supported.hpp>

#include <registry_io/config.hpp>

namespace registry_io {
inline namespace v1 {
namespace reclaim {

/// Inside the removal if no reader can see it, else by the last of them to leave: the default.
struct REGISTRY_IO_EXPORT prompt
{
    static constexpr unsigned batch = 1;
    static constexpr bool on_readers = true;
};

/// As `prompt`, but while other threads have readers' records only each N-th removal of a registry
/// looks for its readers, for all since the last one. `synchronize`, `unregister_and_wait` and the
/// destructor look at once.
///
/// Between two looks up to N - 1 removals' captures, and the tables that showed them, stay
/// allocated though nobody may be reading. Use it: when handlers come and go at a high rate beside
/// busy readers, and it does not matter when their captures go.
template <unsigned N = 32>
struct REGISTRY_IO_EXPORT batched
{
    static_assert(N > 1, "registry_io: a batch of fewer than two removals is reclaim::prompt");
    static constexpr unsigned batch = N;
    static constexpr bool on_readers = true;
};

/// Never by a reader: what the last reader would have destroyed waits for the next writer that
/// publishes a table, for `synchronize`, or for the registry's destructor.
///
/// A reader that was in a writer's way pays two or three atomic operations, and no destructor, no
/// deallocation and no system call. `synchronize` polls, since no reader wakes it up. Use it: for
/// readers with deadlines.
struct REGISTRY_IO_EXPORT by_writers
{
    static constexpr unsigned batch = 1;
    static constexpr bool on_readers = false;
};

}  // namespace reclaim
}  // namespace v1
}  // namespace registry_io

#endif
