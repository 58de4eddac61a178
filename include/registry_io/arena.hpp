// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// An allocator over one piece of memory, for alloc policies that keep everything inside the
// registry. First fit over a list of holes that is sorted by address (Knuth, TAOCP 2.5, algorithms
// A and B). Invariant: no two holes touch, since `deallocate` joins neighbours. The arena needs one
// pointer besides the memory. A small registry has few blocks and leaves few holes. For a large
// registry use `alloc::pool`, whose cost does not depend on the number of holes.

#ifndef REGISTRY_IO_ARENA_HPP
#define REGISTRY_IO_ARENA_HPP

#include <registry_io/detail/supported.hpp>

#include <cstddef>
#include <cstdint>
#include <new>

#include <boost/config.hpp>

namespace registry_io {
inline namespace v1 {

/// Allocates from one piece of memory.
///
/// Owns nothing: the memory must outlive it. Complexity: linear in the number of holes.
/// Concurrency: for one thread at a time.
class arena
{
public:
    /// An arena without memory, whose every allocation fails.
    constexpr arena() noexcept = default;

    /// An arena of `size` bytes. Precondition: `memory` is aligned for `std::max_align_t`.
    arena(void* memory, std::size_t size) noexcept
    {
        size = size / unit * unit;
        if (size >= unit)
            holes_ = ::new (memory) hole{nullptr, size};
    }

    /// Returns memory, or null when no hole is large enough. `align` is a power of two. Throws:
    /// nothing.
    BOOST_NOINLINE void* allocate(std::size_t size, std::size_t align) noexcept
    {
        std::size_t const n = rounded(size, align);
        for (hole** h = &holes_; *h != nullptr; h = &(*h)->next) {
            if ((*h)->size < n)
                continue;
            hole* const taken = *h;
            if (taken->size > n)
                *h =
                    ::new (static_cast<void*>(bytes(taken) + n)) hole{taken->next, taken->size - n};
            else
                *h = taken->next;
            return place(taken, align);
        }
        return nullptr;
    }

    /// Frees memory that `allocate` returned for this size and alignment. Throws: nothing.
    BOOST_NOINLINE void deallocate(void* p, std::size_t size, std::size_t align) noexcept
    {
        std::size_t const n = rounded(size, align);
        void* const start = align <= unit ? p : static_cast<void**>(p)[-1];
        hole* before = nullptr;
        hole* after = holes_;
        while (after != nullptr && bytes(after) < static_cast<std::byte*>(start)) {
            before = after;
            after = after->next;
        }
        hole* h = ::new (start) hole{after, n};
        if (after != nullptr && bytes(h) + n == bytes(after)) {
            h->size += after->size;
            h->next = after->next;
        }
        if (before == nullptr) {
            holes_ = h;
        } else if (bytes(before) + before->size == bytes(h)) {
            before->size += h->size;
            before->next = h->next;
        } else {
            before->next = h;
        }
    }

private:
    struct hole
    {
        hole* next;
        std::size_t size;
    };

    static constexpr std::size_t unit = sizeof(hole) > alignof(std::max_align_t)
        ? sizeof(hole)
        : alignof(std::max_align_t);

    static std::byte* bytes(hole* h) noexcept { return reinterpret_cast<std::byte*>(h); }

    static std::size_t rounded(std::size_t size, std::size_t align) noexcept
    {
        if (align > unit)
            size += align + sizeof(void*);
        return (size + unit - 1) / unit * unit;
    }

    static void* place(void* start, std::size_t align) noexcept
    {
        if (align <= unit)
            return start;
        auto* const room = static_cast<std::byte*>(start) + sizeof(void*);
        std::size_t const over = reinterpret_cast<std::uintptr_t>(room) % align;
        void* const p = over == 0 ? room : room + (align - over);
        static_cast<void**>(p)[-1] = start;
        return p;
    }

    hole* holes_ = nullptr;
};

}  // namespace v1
}  // namespace registry_io

#endif
