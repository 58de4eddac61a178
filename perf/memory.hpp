// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#ifndef REGISTRY_IO_PERF_MEMORY_HPP
#define REGISTRY_IO_PERF_MEMORY_HPP

namespace perf {

/// While it lives, counts the memory that the whole program takes from malloc, including the C code
/// of other libraries. At other times, malloc pays one branch for it.
class memory_counter
{
public:
    memory_counter() noexcept;
    memory_counter(memory_counter const&) = delete;
    memory_counter& operator=(memory_counter const&) = delete;
    ~memory_counter();

    /// Returns the number of allocations.
    long allocations() const noexcept;
    /// Returns the number of bytes that were allocated and not freed, as the allocator rounded them
    /// up.
    long bytes() const noexcept;
};

}  // namespace perf

#endif
