// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)

#ifndef REGISTRY_IO_DETAIL_ARENA_HPP
#define REGISTRY_IO_DETAIL_ARENA_HPP

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

namespace registry_io {
inline namespace v1 {
namespace detail {

/// Hands out parts of one piece of memory: first fit, neighbours are joined when they are given
/// back. Linear in the number of holes. For one thread at a time.
///
/// For `alloc::fixed`, whose few blocks leave few holes: all that this needs besides the memory is
/// one pointer. What `alloc::pool` uses is constant in the number of holes, but its lists would
/// take 400 bytes of the smallest registry, and more of a larger one.
class arena
{
public:
    constexpr arena() noexcept = default;

    /// Precondition: `memory` is aligned for `std::max_align_t`.
    arena(void* memory, std::size_t size) noexcept
    {
        size = size / unit * unit;
        if (size >= unit)
            holes_ = ::new (memory) hole{nullptr, size};
    }

    /// Null when no hole is large enough.
    void* allocate(std::size_t size, std::size_t align) noexcept
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
            return place(taken, size, align);
        }
        return nullptr;
    }

    void deallocate(void* p, std::size_t size, std::size_t align) noexcept
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

    static void* place(void* start, std::size_t size, std::size_t align) noexcept
    {
        if (align <= unit)
            return start;
        void* p = static_cast<std::byte*>(start) + sizeof(void*);
        std::size_t room = size + align;
        p = std::align(align, size, p, room);
        static_cast<void**>(p)[-1] = start;
        return p;
    }

    hole* holes_ = nullptr;
};

}  // namespace detail
}  // namespace v1
}  // namespace registry_io

#endif
