// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// A recorded panic policy keeps the laws of the policy that it wraps.

#include <registry_io/observe/recorded.hpp>
#include <registry_io/ordering/priority.hpp>
#include <registry_io/snapshot/hazard_pointer.hpp>

#include "laws_subject.hpp"

namespace test {

template <class P, class Tag>
inline constexpr panics panic_of<registry_io::observe::recorded<P, Tag>> = panic_of<P>;
template <class P, class Tag>
inline constexpr std::size_t limit_of<registry_io::observe::recorded<P, Tag>> = limit_of<P>;

/// Disables the recording that would be written at exit.
inline bool const quiet = ::setenv("REGISTRY_IO_RECORDING_DIRECTORY", "", 1) == 0;

}  // namespace test

#define REGISTRY_IO_LAWS_ORDERINGS registry_io::ordering::priority
#define REGISTRY_IO_LAWS_PANICS                                                                    \
    registry_io::observe::recorded<registry_io::panic::catch_log>,                                 \
        registry_io::observe::recorded<registry_io::panic::terminate>,                             \
        registry_io::observe::recorded<registry_io::panic::propagate>,                             \
        registry_io::observe::recorded<registry_io::panic::collect<2>>,                            \
        registry_io::observe::recorded<registry_io::panic::quarantine<3>>
#define REGISTRY_IO_LAWS_ALLOCS registry_io::alloc::heap
#include "laws.hpp"

REGISTRY_IO_LAWS_OF(registry_io::snapshot::hazard_pointer)
