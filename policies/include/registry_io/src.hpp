// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)

// For one source file of a program whose other files are compiled with
// REGISTRY_IO_SEPARATE_COMPILATION: here is the code that the presets' registries share.

#ifndef REGISTRY_IO_SRC_HPP
#define REGISTRY_IO_SRC_HPP

#include <registry_io/detail/supported.hpp>

#include <registry_io/presets/local.hpp>
#include <registry_io/presets/rcu.hpp>
#include <registry_io/presets/sync.hpp>

namespace registry_io {
inline namespace v1 {

// Declared first, so that a shared object exports it.
REGISTRY_IO_DETAIL_EXTERN reclaim::retired_roots<reclaim::std_env>;
REGISTRY_IO_DETAIL_SHARED(REGISTRY_IO_DETAIL_EXTERN, snapshot::hazard_pointer, ordering::priority,
                          panic::catch_log, alloc::heap);
REGISTRY_IO_DETAIL_SHARED(REGISTRY_IO_DETAIL_EXTERN, snapshot::rcu, ordering::priority,
                          panic::catch_log, alloc::heap);
REGISTRY_IO_DETAIL_SHARED(REGISTRY_IO_DETAIL_EXTERN, snapshot::single_thread, ordering::priority,
                          panic::catch_log, alloc::heap);

template class reclaim::retired_roots<reclaim::std_env>;
REGISTRY_IO_DETAIL_SHARED(template class, snapshot::hazard_pointer, ordering::priority,
                          panic::catch_log, alloc::heap);
REGISTRY_IO_DETAIL_SHARED(template class, snapshot::rcu, ordering::priority, panic::catch_log,
                          alloc::heap);
REGISTRY_IO_DETAIL_SHARED(template class, snapshot::single_thread, ordering::priority,
                          panic::catch_log, alloc::heap);

}  // namespace v1
}  // namespace registry_io

#endif
