// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The options of `hazard_pointer` and `rcu`: when the captures of removed handlers are destroyed,
// and by which thread. An option has two constants. `batch` is how many removals share one search
// for readers, and one fence. `on_readers` says whether the last reader to leave destroys what it
// alone kept alive.

#ifndef REGISTRY_IO_RECLAIM_OPTION_HPP
#define REGISTRY_IO_RECLAIM_OPTION_HPP

#include <registry_io/detail/supported.hpp>

#include <registry_io/config.hpp>

namespace registry_io {
inline namespace v1 {
namespace reclaim {

/// Destroys captures inside the removal if no reader can see them; otherwise the last such reader
/// destroys them. The default.
struct REGISTRY_IO_EXPORT prompt
{
    static constexpr unsigned batch = 1;
    static constexpr bool on_readers = true;
};

/// As `prompt`, but while other threads have readers' records, only each N-th removal of a registry
/// searches for its readers, on behalf of all removals since the last search. `synchronize`,
/// `unregister_and_wait` and the destructor always search.
///
/// Between two searches, the captures of up to N - 1 removals, and the tables that showed them,
/// stay allocated even if no reader is left. Use it when handlers come and go at a high rate beside
/// busy readers, and it does not matter when their captures are destroyed.
template <unsigned N = 32>
struct REGISTRY_IO_EXPORT batched
{
    static_assert(N > 1,
                  "registry_io: a batch needs at least two removals; use reclaim::prompt instead");
    static constexpr unsigned batch = N;
    static constexpr bool on_readers = true;
};

/// Readers destroy nothing. The next writer that publishes a table, `synchronize`, or the
/// registry's destructor destroys what the last reader would have destroyed.
///
/// A reader that holds a replaced table pays two or three atomic operations, and no destructor, no
/// deallocation and no system call. `synchronize` polls, since no reader wakes it up. Use it for
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
