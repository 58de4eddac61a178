// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// A hash table from a handler's id to its key, which leads to its chunk by binary search: open
// addressing with linear probing (Knuth, TAOCP 6.4, algorithms L and R), at most three quarters
// full. Most handlers of most registries have one key, so the ids with that key are left out.
// Invariant: no free slot lies between the slot that an id hashes to and the slot it is in; a
// removal moves later ids back instead of leaving a mark.

#ifndef REGISTRY_IO_DETAIL_ID_INDEX_HPP
#define REGISTRY_IO_DETAIL_ID_INDEX_HPP

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <type_traits>
#include <utility>

#include <boost/core/addressof.hpp>

#include <registry_io/config.hpp>

namespace registry_io {
inline namespace v1 {
namespace detail {

/// Finds the key of a handler by its id: open addressing, linear probing, no tombstones.
///
/// It keeps 32 bits of an id, not 64, to save memory: `find` offers every candidate to its caller,
/// who compares the whole id. `Key` is trivially copyable.
///
/// A key whose bytes equal the common key's is not kept: `find` offers the common key last. If
/// equal keys can differ in their bytes, or a key is a pointer whose object may end before equal
/// ones, all ids are kept.
template <class Key, class Source>
class id_index
{
    struct slot
    {
        std::uint32_t tag;  // 0: free
        Key key;
    };
    struct header
    {
        std::size_t mask;
        std::size_t count;
        Key common;
    };
    static constexpr std::size_t slots_offset =
        (sizeof(header) + alignof(slot) - 1) / alignof(slot) * alignof(slot);
    static constexpr std::size_t align =
        alignof(header) < alignof(slot) ? alignof(slot) : alignof(header);
    static constexpr bool has_common =
        (std::has_unique_object_representations_v<Key> && !std::is_pointer_v<Key>) ||
        std::is_floating_point_v<Key>;

public:
    explicit id_index(Source const& s) noexcept : source_(s) {}
    id_index(id_index const&) = delete;
    id_index& operator=(id_index const&) = delete;
    ~id_index() { clear(); }

    /// Frees all memory.
    void clear() noexcept
    {
        if (header_ != nullptr)
            source_.deallocate(header_, bytes(capacity()), align);
        header_ = nullptr;
    }

    /// Forgets all ids, and keeps the memory.
    void reset() noexcept
    {
        if (header_ != nullptr) {
            std::memset(static_cast<void*>(table()), 0, capacity() * sizeof(slot));
            header_->count = 0;
        }
    }

    /// Makes the index if there is none yet: `common` stays the common key until `clear`. Calls
    /// `no_memory`, which must not return, if the source has no memory.
    template <class NoMemory>
    void begin(Key const& common, NoMemory no_memory)
    {
        if (header_ == nullptr)
            grow(16, common, no_memory);
    }

    /// Makes room for another id with this key. Precondition: `begin`.
    template <class NoMemory>
    void reserve(Key const& key, NoMemory no_memory)
    {
        if (!is_common(key) && header_->count + 1 > capacity() / 4 * 3)
            grow(2 * capacity(), header_->common, no_memory);
    }

    /// Precondition: there is room.
    void insert(std::uint64_t id, Key key) noexcept
    {
        if (is_common(key))
            return;
        put(slot{tag_of(id), key});
        ++header_->count;
    }

    /// Calls `match(key)` for each candidate until it returns true. Returns whether it did. With
    /// `take`, also removes the entry of that candidate.
    template <class Match>
    bool find(std::uint64_t id, bool take, Match match)
    {
        if (header_ == nullptr)
            return false;
        std::uint32_t const tag = tag_of(id);
        std::size_t const mask = header_->mask;
        slot const* const all = table();
        for (std::size_t i = tag & mask; all[i].tag != 0; i = (i + 1) & mask) {
            if (all[i].tag != tag || !match(all[i].key))
                continue;
            if (take)
                remove(i);
            return true;
        }
        if constexpr (has_common)
            return match(header_->common);
        else
            return false;
    }

private:
    std::size_t capacity() const noexcept { return header_->mask + 1; }
    slot* table() const noexcept
    {
        return reinterpret_cast<slot*>(reinterpret_cast<std::byte*>(header_) + slots_offset);
    }
    static std::size_t bytes(std::size_t capacity) noexcept
    {
        return slots_offset + capacity * sizeof(slot);
    }

    bool is_common(Key const& key) const noexcept
    {
        if constexpr (has_common)
            return std::memcmp(static_cast<void const*>(boost::addressof(key)),
                               static_cast<void const*>(boost::addressof(header_->common)),
                               sizeof(Key)) == 0;
        else
            return false;
    }

    template <class NoMemory>
    BOOST_NOINLINE void grow(std::size_t wanted, Key const& common, NoMemory no_memory)
    {
        void* const p = source_.allocate(bytes(wanted), align);
        if (p == nullptr)
            no_memory();
        header* const old = std::exchange(header_, ::new (p) header{wanted - 1, 0, common});
        std::memset(static_cast<void*>(table()), 0, wanted * sizeof(slot));
        if (old == nullptr)
            return;
        header_->count = old->count;
        std::size_t const old_capacity = old->mask + 1;
        auto* const from =
            reinterpret_cast<slot*>(reinterpret_cast<std::byte*>(old) + slots_offset);
        for (std::size_t i = 0; i < old_capacity; ++i)
            if (from[i].tag != 0)
                put(from[i]);
        source_.deallocate(old, bytes(old_capacity), align);
    }

    static std::uint32_t tag_of(std::uint64_t id) noexcept
    {
        // Fibonacci hashing (Knuth, TAOCP 6.4): consecutive ids land far apart.
        auto const tag = static_cast<std::uint32_t>((id * 0x9E3779B97F4A7C15u) >> 32);
        return tag == 0 ? 1 : tag;
    }

    void put(slot s) noexcept
    {
        std::size_t const mask = header_->mask;
        slot* const all = table();
        std::size_t i = s.tag & mask;
        while (all[i].tag != 0)
            i = (i + 1) & mask;
        all[i] = s;
    }

    void remove(std::size_t hole) noexcept
    {
        // Moves back entries that a search would no longer find behind the hole (Knuth, algorithm
        // R).
        std::size_t const mask = header_->mask;
        slot* const all = table();
        for (std::size_t i = (hole + 1) & mask; all[i].tag != 0; i = (i + 1) & mask) {
            std::size_t const home = all[i].tag & mask;
            if (((i - home) & mask) >= ((i - hole) & mask)) {
                all[hole] = all[i];
                hole = i;
            }
        }
        all[hole].tag = 0;
        --header_->count;
    }

    header* header_ = nullptr;
    REGISTRY_IO_NO_UNIQUE_ADDRESS Source source_;
};

}  // namespace detail
}  // namespace v1
}  // namespace registry_io

#endif
