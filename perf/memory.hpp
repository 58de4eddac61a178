// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#ifndef REGISTRY_IO_PERF_MEMORY_HPP
#define REGISTRY_IO_PERF_MEMORY_HPP

namespace perf {

/// Counts what the whole program takes from malloc, the peers' C code included, while it lives.
/// At other times malloc pays one branch for it.
class memory_counter
{
public:
    memory_counter() noexcept;
    memory_counter(memory_counter const&) = delete;
    memory_counter& operator=(memory_counter const&) = delete;
    ~memory_counter();

    /// How often memory was taken.
    long allocations() const noexcept;
    /// Bytes taken and not given back, as large as the allocator made them.
    long bytes() const noexcept;
};

}  // namespace perf

#endif
