// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The alloc policy without a heap, for one thread: a buffer inside the registry, managed by the
// allocator of `registry_io/arena.hpp`. Use it if the size must be known at link time.

#ifndef REGISTRY_IO_ALLOC_FIXED_HPP
#define REGISTRY_IO_ALLOC_FIXED_HPP

#include <registry_io/detail/supported.hpp>

#include <cstddef>

#include <registry_io/arena.hpp>
#include <registry_io/policy.hpp>

namespace registry_io {
inline namespace v1 {
namespace alloc {

/// All memory lies inside the registry: at most N handlers, their captures included; no heap.
///
/// `Bytes` is for the writers' block, for three tables (the current one, and those that handlers
/// may create while a notify walks the previous one), and for captures that do not fit into a word
/// of a table. The default leaves room for 48 bytes of captures per handler. Registering one
/// handler too many throws `std::length_error`, and running out of bytes throws `std::bad_alloc`;
/// in both cases nothing changes. A removal while no notify runs needs no memory. For one thread.
/// Guards must not outlive the registry; an assertion checks it.
/// Use it if there is no heap, or the program must not use it.
template <std::size_t N, std::size_t Bytes = 1024 + 144 * N>
class fixed
{
public:
    using category = axis::alloc;
    static constexpr std::size_t capacity = N;
    static constexpr bool inside = true;
    static constexpr bool concurrent = false;

    class source
    {
    public:
        static constexpr bool inside = true;

        explicit source(fixed& f) noexcept : fixed_(&f) {}
        void* allocate(std::size_t size, std::size_t align) noexcept
        {
            return fixed_->arena_.allocate(size, align);
        }
        void deallocate(void* p, std::size_t size, std::size_t align) noexcept
        {
            fixed_->arena_.deallocate(p, size, align);
        }

    private:
        fixed* fixed_;
    };

    fixed() noexcept : arena_(storage_, Bytes)
    {
        static_assert(
            N > 0,
            "registry_io: alloc::fixed<0> would hold no handler; use alloc::fixed<1> or more");
    }
    fixed(fixed const&) = delete;
    fixed& operator=(fixed const&) = delete;

    source get_source() noexcept { return source(*this); }

private:
    alignas(std::max_align_t) std::byte storage_[Bytes];
    arena arena_;
};

}  // namespace alloc
}  // namespace v1
}  // namespace registry_io

#endif
