// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The allocator inside `alloc::pool`: two-level segregated fit (Masmano, Ripoll, Crespo and Real,
// 2004), which allocates and deallocates in a constant number of steps. Holes are listed by size,
// and two bit searches find one that is large enough. Blocks have no header: a bit for each unit
// marks the edges of holes. Invariant: two holes never touch, and each hole is in the list of its
// size.

#ifndef REGISTRY_IO_ALLOC_DETAIL_SEGREGATED_FIT_HPP
#define REGISTRY_IO_ALLOC_DETAIL_SEGREGATED_FIT_HPP

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <new>

#include <registry_io/config.hpp>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define REGISTRY_IO_DETAIL_POISONS
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) && !defined(REGISTRY_IO_DETAIL_POISONS)
#define REGISTRY_IO_DETAIL_POISONS
#endif
#if defined(REGISTRY_IO_DETAIL_POISONS)
#include <sanitizer/asan_interface.h>
#endif

namespace registry_io {
inline namespace v1 {
namespace detail {

/// Makes the address sanitizer report accesses to these bytes from now on.
inline void poison([[maybe_unused]] void const* p, [[maybe_unused]] std::size_t size) noexcept
{
#if defined(REGISTRY_IO_DETAIL_POISONS)
    __asan_poison_memory_region(p, size);
#endif
}

/// Allows accesses to these bytes again.
inline void unpoison([[maybe_unused]] void const* p, [[maybe_unused]] std::size_t size) noexcept
{
#if defined(REGISTRY_IO_DETAIL_POISONS)
    __asan_unpoison_memory_region(p, size);
#endif
}

/// Counts no steps. A test passes a type that counts.
struct uncounted
{
    static void step() noexcept {}
};

/// Allocates parts of one piece of memory: two-level segregated fit.
///
/// Holes are kept in lists by size. The first level of sizes is a power of two, and the second
/// level divides it by 32, so the bits of a size name its list, and two searches for the first set
/// bit find the next list that is not empty. Each hole in that list is large enough. A block that
/// is freed is merged at once with the holes on both sides of it.
///
/// Sizes are rounded up to 16 bytes, and above 1008 bytes to 1/32 of their power of two. So each
/// hole of the rounded size satisfies the request: `allocate` fails only if there is none. A block
/// with an alignment above 16 needs a hole that is larger by that alignment; the remainder on both
/// sides of the block becomes a hole again.
///
/// A block has no header. A bit for each 16 bytes says whether a hole begins or ends there.
/// Complexity: `allocate` and `deallocate` take a constant number of steps, and have no loop.
/// Concurrency: for one thread at a time.
/// Source: M. Masmano, I. Ripoll, A. Crespo and J. Real, "TLSF: a new dynamic memory allocator for
/// real-time systems", ECRTS 2004.
///
/// `Steps::step()` is called for each access to a hole.
template <class Steps = uncounted>
class segregated_fit
{
    using word = std::uint32_t;

public:
    /// Sizes and addresses of blocks are multiples of this.
    static constexpr std::size_t unit = 16;
    static_assert(alignof(std::max_align_t) <= unit);

    /// The greatest size of a piece.
    static constexpr std::size_t most = sizeof(std::size_t) > sizeof(word)
        ? (std::size_t(0xfffffff0) * unit)
        : SIZE_MAX / 4;

    /// Returns how many bytes to reserve for a piece of `size` bytes, including its bookkeeping.
    /// Precondition: `size <= most`.
    static std::size_t needed(std::size_t size) noexcept
    {
        return books(size / unit) + size / unit * unit;
    }

    /// Precondition: `memory` is aligned to `unit` and has `needed(size)` bytes.
    segregated_fit(void* memory, std::size_t size) noexcept
        : units_(static_cast<word>(size / unit)), rows_(rows(units_))
    {
        std::size_t const bytes = books(units_);
        std::memset(memory, 0, bytes);
        columns_ = static_cast<word*>(memory);
        heads_ = columns_ + rows_;
        edges_ = heads_ + std::size_t(rows_) * width;
        base_ = static_cast<std::byte*>(memory) + bytes;
        poison(base_, units_ * unit);
        if (units_ != 0)
            put(0, units_);
    }
    segregated_fit(segregated_fit const&) = delete;
    segregated_fit& operator=(segregated_fit const&) = delete;
    ~segregated_fit() { unpoison(base_, units_ * unit); }

    /// Returns null if no hole is large enough.
    void* allocate(std::size_t size, std::size_t align) noexcept
    {
        if (size > most || align > most)
            return nullptr;
        std::size_t const n = units(size);
        std::size_t const room = align <= unit ? n : rounded(n + align / unit - 1);
        if (room > units_)
            return nullptr;
        word const start = find(static_cast<word>(room));
        if (start == none)
            return nullptr;
        word const all = take_out(start);
        auto const before = align <= unit
            ? word(0)
            : static_cast<word>((align - reinterpret_cast<std::uintptr_t>(at(start)) % align) %
                                align / unit);
        word const mine = start + before;
        word const after = all - before - static_cast<word>(n);
        if (before != 0)
            put(start, before);
        if (after != 0)
            put(mine + static_cast<word>(n), after);
        unpoison(at(mine), size);
        return at(mine);
    }

    /// Frees a block that `allocate(size, align)` has returned. The alignment does not matter.
    void deallocate(void* p, std::size_t size) noexcept { deallocate_units(p, units(size)); }

    /// Returns how many units a block of `size` bytes takes.
    static std::size_t units(std::size_t size) noexcept
    {
        return rounded(size == 0 ? 1 : (size + unit - 1) / unit);
    }

    /// Like `deallocate`, for a block of `n` units.
    void deallocate_units(void* p, std::size_t n) noexcept
    {
        poison(p, n * unit);
        word start = index(p);
        word size = static_cast<word>(n);
        if (start != 0 && is_edge(start - 1)) {
            word const before = read(start - 1).units;
            start -= before;
            size += before;
            take_out(start);
        }
        if (word const next = start + size; next != units_ && is_edge(next))
            size += take_out(next);
        put(start, size);
    }

private:
    /// Stored in the first 16 bytes of a hole. The last 16 bytes hold `units` at the same offset.
    struct hole
    {
        word next;
        word previous;
        word units;
    };
    static_assert(sizeof(hole) <= unit);

    static constexpr word none = ~word(0);
    static constexpr unsigned width = 32;  // sizes between two powers of two
    static constexpr unsigned linear = 5;  // below 2^5 units each size has a list

    struct list
    {
        unsigned row;
        unsigned column;
    };

    static unsigned rows(std::size_t units) noexcept
    {
        auto const bits = static_cast<unsigned>(std::bit_width(units));
        return bits <= linear ? 1 : bits - linear + 1;
    }

    static std::size_t books(std::size_t units) noexcept
    {
        std::size_t const words = rows(units) * (1 + std::size_t(width)) + (units + 31) / 32;
        return (words * sizeof(word) + unit - 1) / unit * unit;
    }

    template <class T>
    static unsigned bits_of(T n) noexcept
    {
        // Not bit_width, whose type is not the same in all libraries.
        return static_cast<unsigned>(std::numeric_limits<T>::digits - std::countl_zero(n));
    }

    /// Returns the next size that begins a list, so that each hole in that list is large enough.
    static std::size_t rounded(std::size_t n) noexcept
    {
        unsigned const bits = bits_of(n);
        if (bits <= linear + 1)
            return n;
        std::size_t const step = std::size_t(1) << (bits - linear - 1);
        return (n + step - 1) / step * step;
    }

    static list list_of(word n) noexcept
    {
        unsigned const bits = bits_of(n);
        if (bits <= linear)
            return {0, n};
        return {bits - linear, (n >> (bits - linear - 1)) & (width - 1)};
    }

    /// Returns a hole of `n` units or more, where `n` begins a list.
    word find(word n) const noexcept
    {
        list l = list_of(n);
        word columns = columns_[l.row] & (none << l.column);
        if (columns == 0) {
            word const above = used_rows_ & (none << l.row << 1);
            if (above == 0)
                return none;
            l.row = static_cast<unsigned>(std::countr_zero(above));
            columns = columns_[l.row];
        }
        l.column = static_cast<unsigned>(std::countr_zero(columns));
        return head(l);
    }

    word& head(list l) const noexcept { return heads_[std::size_t(l.row) * width + l.column]; }

    /// Adds a hole. Precondition: there is no hole next to it.
    void put(word start, word n) noexcept
    {
        list const l = list_of(n);
        word const bit = word(1) << l.column;
        hole h{none, none, n};
        if ((columns_[l.row] & bit) != 0) {
            h.next = head(l);
            hole other = read(h.next);
            other.previous = start;
            write(h.next, other);
        }
        head(l) = start;
        columns_[l.row] |= bit;
        used_rows_ |= word(1) << l.row;
        write(start + n - 1, h);
        write(start, h);
        flip_edges(start, n);
    }

    /// Removes a hole from its list. Returns its size.
    word take_out(word start) noexcept
    {
        hole const h = read(start);
        if (h.next != none) {
            hole next = read(h.next);
            next.previous = h.previous;
            write(h.next, next);
        }
        if (h.previous != none) {
            hole previous = read(h.previous);
            previous.next = h.next;
            write(h.previous, previous);
        } else {
            list const l = list_of(h.units);
            head(l) = h.next;
            if (h.next == none) {
                columns_[l.row] &= ~(word(1) << l.column);
                if (columns_[l.row] == 0)
                    used_rows_ &= ~(word(1) << l.row);
            }
        }
        flip_edges(start, h.units);
        return h.units;
    }

    bool is_edge(word i) const noexcept { return (edges_[i / 32] >> i % 32 & 1) != 0; }

    void flip_edges(word start, word n) noexcept
    {
        edges_[start / 32] ^= word(1) << start % 32;
        if (n != 1)
            edges_[(start + n - 1) / 32] ^= word(1) << (start + n - 1) % 32;
    }

    std::byte* at(word i) const noexcept { return base_ + i * unit; }
    word index(void const* p) const noexcept
    {
        return static_cast<word>(
            static_cast<std::size_t>(static_cast<std::byte const*>(p) - base_) / unit);
    }

    hole read(word i) const noexcept
    {
        Steps::step();
        hole h;
        unpoison(at(i), unit);
        std::memcpy(&h, at(i), sizeof h);
        poison(at(i), unit);
        return h;
    }
    void write(word i, hole const& h) noexcept
    {
        Steps::step();
        unpoison(at(i), unit);
        std::memcpy(at(i), &h, sizeof h);
        poison(at(i), unit);
    }

    word units_;
    word rows_;
    word used_rows_ = 0;       // rows with a list that is not empty
    word* columns_ = nullptr;  // of each row: the lists that are not empty
    word* heads_ = nullptr;
    word* edges_ = nullptr;  // the units in which a hole begins or ends
    std::byte* base_ = nullptr;
};

}  // namespace detail
}  // namespace v1
}  // namespace registry_io

#endif
