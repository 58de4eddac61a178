// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Defines the code that the presets' registries share. Include it in one source file of a program
// whose other files are compiled with REGISTRY_IO_SEPARATE_COMPILATION.

#ifndef REGISTRY_IO_SRC_HPP
#define REGISTRY_IO_SRC_HPP

#include <registry_io/detail/supported.hpp>

// The presets must declare the templates that this header instantiates: a shared object exports
// what these declarations mark.
#ifndef REGISTRY_IO_SEPARATE_COMPILATION
#define REGISTRY_IO_SEPARATE_COMPILATION
#endif

#include <registry_io/presets/local.hpp>
#include <registry_io/presets/rcu.hpp>
#include <registry_io/presets/sync.hpp>

namespace registry_io {
inline namespace v1 {

template class reclaim::retired_roots<reclaim::std_env>;
template class reclaim::hazard_domain<reclaim::std_env>;
template void panic::catch_log::failed(panic_hooks const&, handler_id, std::string_view,
                                       char const*, detail::no_label const&) noexcept;
REGISTRY_IO_DETAIL_SHARED(template class, snapshot::hazard_pointer, ordering::priority,
                          panic::catch_log, alloc::heap);
REGISTRY_IO_DETAIL_SHARED(template class, snapshot::rcu, ordering::priority, panic::catch_log,
                          alloc::heap);
REGISTRY_IO_DETAIL_SHARED(template class, snapshot::single_thread, ordering::priority,
                          panic::catch_log, alloc::heap);

}  // namespace v1
}  // namespace registry_io

// A preset that is included later must not declare these templates again.
#ifndef REGISTRY_IO_DETAIL_HAZARD_POINTER_SHARED
#define REGISTRY_IO_DETAIL_HAZARD_POINTER_SHARED
#endif

#endif
