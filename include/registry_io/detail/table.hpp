// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)

#ifndef REGISTRY_IO_DETAIL_TABLE_HPP
#define REGISTRY_IO_DETAIL_TABLE_HPP

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

#include <registry_io/detail/handler.hpp>
#include <registry_io/panic_info.hpp>

namespace registry_io {
inline namespace v1 {
namespace detail {

template <class Snapshot, class T>
struct shared_word
{
    using type = std::atomic<T>;
};
template <class Snapshot, class T>
    requires requires { typename Snapshot::template atomic<T>; }
struct shared_word<Snapshot, T>
{
    using type = typename Snapshot::template atomic<T>;
};
/// The atomics of what readers and writers share: the standard's, unless the snapshot policy brings
/// its own, as it does for a checker.
template <class Snapshot, class T>
using shared = typename shared_word<Snapshot, T>::type;

/// Where the columns of a table lie: hot entries first, contiguous; ids and keys behind them.
template <class Entry, class Key>
struct columns
{
    static constexpr bool keyed = !std::is_same_v<Key, no_key>;

    Entry* entries;
    std::uint64_t* tags;  // id * 2, plus 1 when the handler has a block
    Key* keys;

    columns(void* payload, std::uint32_t capacity) noexcept
        : entries(static_cast<Entry*>(payload)),
          tags(reinterpret_cast<std::uint64_t*>(entries + capacity)),
          keys(reinterpret_cast<Key*>(tags + capacity))
    {
    }

    static constexpr std::size_t bytes(std::uint32_t capacity) noexcept
    {
        static_assert(alignof(Key) <= alignof(std::uint64_t) || !keyed,
                      "registry_io: over-aligned keys are not supported");
        return capacity * (sizeof(Entry) + sizeof(std::uint64_t) + (keyed ? sizeof(Key) : 0));
    }

    std::uint64_t id(std::uint32_t i) const noexcept { return tags[i] >> 1; }
    bool has_block(std::uint32_t i) const noexcept { return (tags[i] & 1) != 0; }
    Key key(std::uint32_t i) const noexcept
    {
        if constexpr (keyed)
            return keys[i];
        else
            return {};
    }

    void set(std::uint32_t i, Entry const& e, std::uint64_t tag, Key k) noexcept
    {
        entries[i] = e;
        tags[i] = tag;
        if constexpr (keyed)
            keys[i] = k;
    }

    /// Copies `n` rows from row `at` of `from` to row `to` of this one; the two may overlap.
    void copy(std::uint32_t to, columns const& from, std::uint32_t at, std::uint32_t n) noexcept
    {
        move(entries + to, from.entries + at, n);
        move(tags + to, from.tags + at, n);
        if constexpr (keyed)
            move(keys + to, from.keys + at, n);
    }

private:
    template <class T>
    static void move(T* to, T const* from, std::size_t n) noexcept
    {
        static_assert(std::is_trivially_copyable_v<T>);
        std::memmove(static_cast<void*>(to), static_cast<void const*>(from), n * sizeof *to);
    }
};

/// What a panic callback or a log sink is kept in.
struct hook : garbage
{
    using garbage::garbage;
    union
    {
        void (*report)(void*, panic_info const&);
        void (*log)(void*, std::string_view);
    };
};

enum hook_kind : unsigned char { report_hook, log_hook, hook_kinds };

/// A piece of a large snapshot: up to `capacity` rows. Shared by successive roots. Rows below the
/// size that a root shows are never written while that root can be read.
template <class Columns, class Size>
struct chunk
{
    static constexpr std::uint32_t capacity = 128;

    void* home;           ///< the writers' block
    std::uint64_t birth;  ///< the first version that shows it
    std::uint64_t death = 0;
    chunk* next = nullptr;  ///< in the list of those to be given back
    /// Not to be appended to: an older root may show it in its middle, where a chunk's size counts.
    bool sealed = false;
    // relaxed: readers take the smaller of this and what their root has left; the root's size,
    // which they load with acquire, vouches for the rows.
    Size size{0};

    chunk(void* h, std::uint64_t b) noexcept : home(h), birth(b) {}

    static constexpr std::size_t payload_offset() noexcept
    {
        return (sizeof(chunk) + 15) / 16 * 16;
    }
    static constexpr std::size_t bytes() noexcept
    {
        return payload_offset() + Columns::bytes(capacity);
    }
    Columns rows() const noexcept
    {
        return Columns(const_cast<std::byte*>(reinterpret_cast<std::byte const*>(this)) +
                           payload_offset(),
                       capacity);
    }
};

/// One snapshot: either flat, the rows right behind the header, or a spine of chunks. Immutable
/// once it is published, but for one thing: rows are appended behind the last one, and become
/// visible by
/// the size alone.
template <class Header, class Columns, class Size>
struct root : Header
{
    using chunk_type = chunk<Columns, Size>;

    static constexpr std::uint32_t spine_bit = std::uint32_t(1) << 31;

    hook* hooks[hook_kinds] = {};
    void* home;                ///< the writers' block
    std::size_t memory;        ///< how many bytes were allocated for it
    std::uint32_t capacity;    ///< of rows when flat, of chunks when not
    std::uint32_t chunks = 0;  ///< for writers
    Size size;                 ///< of rows; with spine_bit when they are in chunks

    root(void* h, std::size_t m, std::uint32_t c, bool spine) noexcept
        : home(h), memory(m), capacity(c), size(spine ? spine_bit : 0)
    {
    }

    static constexpr std::size_t payload_offset() noexcept { return (sizeof(root) + 15) / 16 * 16; }

    static std::size_t bytes(std::uint32_t capacity, bool spine) noexcept
    {
        return payload_offset() +
            (spine ? capacity * sizeof(chunk_type*) : Columns::bytes(capacity));
    }

    void* payload() const noexcept
    {
        return const_cast<std::byte*>(reinterpret_cast<std::byte const*>(this)) + payload_offset();
    }
    Columns rows() const noexcept { return Columns(payload(), capacity); }
    chunk_type** spine() const noexcept { return static_cast<chunk_type**>(payload()); }

    // For writers, who know what they wrote.
    bool is_spine() const noexcept
    {
        return (size.load(std::memory_order_relaxed) & spine_bit) != 0;
    }
    std::uint32_t count() const noexcept
    {
        return size.load(std::memory_order_relaxed) & ~spine_bit;
    }
    void set_count(std::uint32_t n) noexcept
    {
        // release: pairs with the reader's acquire; the row was written before.
        size.store(n | (size.load(std::memory_order_relaxed) & spine_bit),
                   std::memory_order_release);
    }

    /// Calls `f(rows, n)` for each contiguous run of rows, in order.
    template <class F>
    void each_run(F f) const
    {
        // acquire: the rows were written before.
        std::uint32_t const n = size.load(std::memory_order_acquire);
        if ((n & spine_bit) == 0) [[likely]]
            f(rows(), n);
        else
            each_chunk(n & ~spine_bit,
                       [&](chunk_type const& c, std::uint32_t m) { f(c.rows(), m); });
    }

    /// Calls `f(chunk, n)` for each chunk of a spine with `left` rows, in order.
    template <class F>
    void each_chunk(std::uint32_t left, F f) const
    {
        for (chunk_type** c = spine(); left != 0; ++c) {
            std::uint32_t const full = (*c)->size.load(std::memory_order_relaxed);
            std::uint32_t const n = full < left ? full : left;
            f(**c, n);
            left -= n;
        }
    }
};

}  // namespace detail
}  // namespace v1
}  // namespace registry_io

#endif
