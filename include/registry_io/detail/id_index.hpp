// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// A hash table from a handler's id to its key, which leads to its chunk by binary search: open
// addressing with linear probing (Knuth, TAOCP 6.4, algorithms L and R), at most three quarters
// full. Invariant: no free slot lies between the slot that an id hashes to and the slot it is in; a
// removal moves later ids back instead of leaving a mark.

#ifndef REGISTRY_IO_DETAIL_ID_INDEX_HPP
#define REGISTRY_IO_DETAIL_ID_INDEX_HPP

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include <registry_io/config.hpp>

namespace registry_io {
inline namespace v1 {
namespace detail {

/// Finds the key of a handler by its id: open addressing, linear probing, no tombstones.
///
/// It keeps 32 bits of an id, not 64, to stay within a budget of bytes for each handler: `find`
/// offers every candidate, and the table knows the right one. `Key` is trivially copyable.
template <class Key, class Source>
class id_index
{
    struct slot
    {
        std::uint32_t tag;  // 0: free
        Key key;
    };

public:
    explicit id_index(Source const& s) noexcept : source_(s) {}
    id_index(id_index const&) = delete;
    id_index& operator=(id_index const&) = delete;
    ~id_index() { clear(); }

    /// Gives up all memory.
    void clear() noexcept
    {
        if (slots_ != nullptr)
            source_.deallocate(slots_, capacity() * sizeof(slot), alignof(slot));
        slots_ = nullptr;
        mask_ = 0;
    }

    /// Forgets all ids, and keeps the memory.
    void reset() noexcept
    {
        if (slots_ != nullptr)
            std::memset(static_cast<void*>(slots_), 0, capacity() * sizeof(slot));
    }

    /// Makes room for `n` ids in all. Calls `no_memory`, which must not return, when there is none.
    template <class NoMemory>
    BOOST_NOINLINE void reserve(std::size_t n, NoMemory no_memory)
    {
        std::size_t wanted = slots_ == nullptr ? 16 : capacity();
        while (n > wanted / 4 * 3)
            wanted *= 2;
        if (slots_ != nullptr && wanted == capacity())
            return;
        void* const p = source_.allocate(wanted * sizeof(slot), alignof(slot));
        if (p == nullptr)
            no_memory();
        auto* const fresh = static_cast<slot*>(p);
        std::memset(p, 0, wanted * sizeof(slot));
        slot* const old = std::exchange(slots_, fresh);
        std::size_t const old_capacity = old == nullptr ? 0 : capacity();
        mask_ = wanted - 1;
        for (std::size_t i = 0; i < old_capacity; ++i)
            if (old[i].tag != 0)
                put(old[i]);
        if (old != nullptr)
            source_.deallocate(old, old_capacity * sizeof(slot), alignof(slot));
    }

    /// Precondition: there is room.
    void insert(std::uint64_t id, Key key) noexcept { put(slot{tag_of(id), key}); }

    /// Calls `match(key)` for candidates until it returns true; returns whether it did, and with
    /// `take` forgets that one.
    template <class Match>
    bool find(std::uint64_t id, bool take, Match match)
    {
        if (slots_ == nullptr)
            return false;
        std::uint32_t const tag = tag_of(id);
        for (std::size_t i = tag & mask_; slots_[i].tag != 0; i = (i + 1) & mask_) {
            if (slots_[i].tag != tag || !match(slots_[i].key))
                continue;
            if (take)
                remove(i);
            return true;
        }
        return false;
    }

private:
    std::size_t capacity() const noexcept { return mask_ + 1; }

    static std::uint32_t tag_of(std::uint64_t id) noexcept
    {
        // Fibonacci hashing (Knuth, TAOCP 6.4): consecutive ids land far apart.
        auto const tag = static_cast<std::uint32_t>((id * 0x9E3779B97F4A7C15u) >> 32);
        return tag == 0 ? 1 : tag;
    }

    void put(slot s) noexcept
    {
        std::size_t i = s.tag & mask_;
        while (slots_[i].tag != 0)
            i = (i + 1) & mask_;
        slots_[i] = s;
    }

    void remove(std::size_t hole) noexcept
    {
        // Moves back what would no longer be found across the hole (Knuth, algorithm R).
        for (std::size_t i = (hole + 1) & mask_; slots_[i].tag != 0; i = (i + 1) & mask_) {
            std::size_t const home = slots_[i].tag & mask_;
            if (((i - home) & mask_) >= ((i - hole) & mask_)) {
                slots_[hole] = slots_[i];
                hole = i;
            }
        }
        slots_[hole].tag = 0;
    }

    slot* slots_ = nullptr;
    std::size_t mask_ = 0;
    REGISTRY_IO_NO_UNIQUE_ADDRESS Source source_;
};

}  // namespace detail
}  // namespace v1
}  // namespace registry_io

#endif
