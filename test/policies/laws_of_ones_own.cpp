// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// How users test their own policies against the laws: here an alloc policy, with one policy of each
// other axis.

#include <cstddef>
#include <cstdlib>
#include <new>

#include <registry_io/ordering/priority.hpp>
#include <registry_io/panic/catch_log.hpp>
#include <registry_io/policy.hpp>
#include <registry_io/snapshot/hazard_pointer.hpp>

namespace mine {

/// Allocates directly from the C library, which returns null when it has no memory.
struct c_library
{
    using category = registry_io::axis::alloc;
    static constexpr std::size_t capacity = 0;
    static constexpr bool inside = false;
    static constexpr bool concurrent = true;

    struct source
    {
        static void* allocate(std::size_t size, std::size_t align) noexcept
        {
            return std::aligned_alloc(align, (size + align - 1) / align * align);
        }
        static void deallocate(void* p, std::size_t, std::size_t) noexcept { std::free(p); }
    };
    static source get_source() noexcept { return {}; }
};

}  // namespace mine

#define REGISTRY_IO_LAWS_ORDERINGS registry_io::ordering::priority
#define REGISTRY_IO_LAWS_PANICS registry_io::panic::catch_log
#define REGISTRY_IO_LAWS_ALLOCS mine::c_library
#include "laws.hpp"

REGISTRY_IO_LAWS_OF(registry_io::snapshot::hazard_pointer)
