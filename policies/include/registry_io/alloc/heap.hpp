// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The alloc policy for the general heap, or for any standard allocator. Allocators support
// alignments up to `std::max_align_t`. A block with a stricter alignment is placed inside a larger
// block, and the word in front of it leads back to the start.

#ifndef REGISTRY_IO_ALLOC_HEAP_HPP
#define REGISTRY_IO_ALLOC_HEAP_HPP

#include <registry_io/detail/supported.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>  // std::allocator and its traits; compiles faster than <memory>

#include <registry_io/config.hpp>
#include <registry_io/policy.hpp>

namespace registry_io {
inline namespace v1 {
namespace alloc {

/// Memory from a standard allocator, by default from `operator new`.
///
/// `Allocator` is rebound; a stateful one is copied into each block. It must be safe for use by
/// several threads when the snapshot policy is, and it must not call into the registry. Unbounded.
/// Throws what the allocator throws.
/// Use it by default.
template <class Allocator = std::allocator<std::byte>>
class REGISTRY_IO_EXPORT basic_heap
{
public:
    using category = axis::alloc;
    static constexpr std::size_t capacity = 0;
    static constexpr bool inside = false;
    static constexpr bool concurrent = true;

    class source
    {
        // A unit is aligned for every fundamental type. A block with a stricter alignment is placed
        // inside a larger one.
        struct alignas(std::max_align_t) unit
        {
            std::byte bytes[alignof(std::max_align_t)];
        };
        using allocator = typename std::allocator_traits<Allocator>::template rebind_alloc<unit>;
        using traits = std::allocator_traits<allocator>;

    public:
        static constexpr bool plentiful = std::is_same_v<Allocator, std::allocator<std::byte>>;

        explicit source(Allocator const& a) noexcept : allocator_(a) {}

        void* allocate(std::size_t size, std::size_t align)
        {
            unit* const p = traits::allocate(allocator_, units(size, align));
            if (align <= alignof(unit))
                return p;
            // The pointer back to the unit is stored right before the aligned address.
            auto* const room = reinterpret_cast<std::byte*>(p + 1);
            std::size_t const over = reinterpret_cast<std::uintptr_t>(room) % align;
            std::byte* const q = over == 0 ? room : room + (align - over);
            std::memcpy(q - sizeof p, static_cast<void const*>(&p), sizeof p);
            return q;
        }

        void deallocate(void* p, std::size_t size, std::size_t align) noexcept
        {
            auto* start = static_cast<unit*>(p);
            if (align > alignof(unit))
                std::memcpy(static_cast<void*>(&start),
                            static_cast<std::byte const*>(p) - sizeof start, sizeof start);
            traits::deallocate(allocator_, start, units(size, align));
        }

    private:
        static std::size_t units(std::size_t size, std::size_t align) noexcept
        {
            if (align > alignof(unit))
                size += align + sizeof(unit);
            return (size + sizeof(unit) - 1) / sizeof(unit);
        }

        REGISTRY_IO_NO_UNIQUE_ADDRESS allocator allocator_;
    };

    REGISTRY_IO_DETAIL_BEGIN_UNINITIALIZED
    basic_heap() = default;
    explicit basic_heap(Allocator const& a) noexcept : allocator_(a) {}
    REGISTRY_IO_DETAIL_END_UNINITIALIZED

    source get_source() noexcept { return source(allocator_); }

private:
    REGISTRY_IO_NO_UNIQUE_ADDRESS Allocator allocator_;
};

/// Memory from `operator new`.
using heap = basic_heap<>;

}  // namespace alloc
}  // namespace v1
}  // namespace registry_io

#endif
