// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The tables that hold a snapshot. A row is one handler: an entry, which the walk calls, and beside
// the entries, in columns of their own, its id and key. A root is one snapshot: flat, with its rows
// behind the header, or a spine of branches of chunks, which successive roots share. Invariant:
// rows below the extent that a reader has loaded are never written while that reader can see them;
// rows are appended behind them and become visible by the root's size, one store.

#ifndef REGISTRY_IO_DETAIL_TABLE_HPP
#define REGISTRY_IO_DETAIL_TABLE_HPP

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

#include <registry_io/config.hpp>
#include <registry_io/detail/handler.hpp>
#include <registry_io/garbage.hpp>
#include <registry_io/panic_info.hpp>

namespace registry_io {
inline namespace v1 {
namespace detail {

template <class Snapshot, class T>
struct atomic_type
{
    using type = std::atomic<T>;
};
template <class Snapshot, class T>
    requires requires { typename Snapshot::template atomic<T>; }
struct atomic_type<Snapshot, T>
{
    using type = typename Snapshot::template atomic<T>;
};
/// The atomics of what readers and writers share: the standard's, unless the snapshot policy brings
/// its own, as it does for a checker.
template <class Snapshot, class T>
using atomic_of = typename atomic_type<Snapshot, T>::type;

template <class T>
void move_all(T* to, T const* from, std::size_t n) noexcept
{
    static_assert(std::is_trivially_copyable_v<T>);
    std::memmove(static_cast<void*>(to), static_cast<void const*>(from), n * sizeof *to);
}

/// Where the columns of a table lie: hot entries first, contiguous; ids and keys behind them.
template <class Entry, class Key>
struct REGISTRY_IO_EXPORT columns
{
    using key_type = Key;
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
        static_assert(alignof(Key) <= alignof(std::uint64_t));
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
    BOOST_NOINLINE void copy(std::uint32_t to, columns const& from, std::uint32_t at,
                             std::uint32_t n) noexcept
    {
        move_all(entries + to, from.entries + at, n);
        move_all(tags + to, from.tags + at, n);
        if constexpr (keyed)
            move_all(keys + to, from.keys + at, n);
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

/// A part of a large snapshot, which successive roots share.
struct piece : garbage
{
    void* home;  ///< the writers' block

    piece(void* h, std::uint64_t b, destroy_type d) noexcept : garbage(d), home(h) { birth = b; }
};

/// The id and the key of the first row of a chunk or a branch.
template <class Key>
struct first_row_of
{
    std::uint64_t id;
    REGISTRY_IO_NO_UNIQUE_ADDRESS Key key;
};

/// What is right below an inner node, and beside each the first row of it: a writer bisects these,
/// which lie together, and not the rows, each of which would be a miss of the cache.
template <class Node, class Key>
struct children
{
    Node** nodes;
    first_row_of<Key>* first_rows;

    children(void* payload, std::uint32_t capacity) noexcept
        : nodes(static_cast<Node**>(payload)),
          first_rows(reinterpret_cast<first_row_of<Key>*>(nodes + capacity))
    {
    }

    static constexpr std::size_t bytes(std::uint32_t capacity) noexcept
    {
        return capacity * (sizeof(Node*) + sizeof(first_row_of<Key>));
    }

    /// Makes `n` the one at `i`; to be called again when the first row of `n` is another.
    void set(std::uint32_t i, Node* n) const noexcept
    {
        nodes[i] = n;
        first_rows[i] = n->first();
    }

    /// Copies `n` of them from `at` of `from` to `to`; the two may overlap.
    BOOST_NOINLINE void copy(std::uint32_t to, children const& from, std::uint32_t at,
                             std::uint32_t n) const noexcept
    {
        move_all(nodes + to, from.nodes + at, n);
        move_all(first_rows + to, from.first_rows + at, n);
    }
};

/// What lies right behind an object of type `T`.
template <class T>
constexpr std::size_t payload_offset() noexcept
{
    return (sizeof(T) + 15) / 16 * 16;
}
template <class T>
void* payload_of(T const& t) noexcept
{
    return const_cast<std::byte*>(reinterpret_cast<std::byte const*>(&t)) + payload_offset<T>();
}

/// Up to `capacity` rows. Those below the size that a root shows are never written while that root
/// can be read.
template <class Columns, class Size>
struct chunk : piece
{
    static constexpr std::uint32_t capacity = 128;

    // relaxed: readers take the smaller of this and what their root has left; the root's size,
    // which they load with acquire, vouches for the rows.
    Size size{0};
    /// Not to be appended to: an older root may show it in its middle, where a chunk's size counts.
    bool sealed = false;

    using piece::piece;

    static constexpr std::size_t bytes() noexcept
    {
        return payload_offset<chunk>() + Columns::bytes(capacity);
    }
    Columns rows() const noexcept { return Columns(payload_of(*this), capacity); }

    using first_row = first_row_of<typename Columns::key_type>;
    first_row first() const noexcept { return {rows().id(0), rows().key(0)}; }
};

/// Up to `capacity` chunks. Immutable once it is published.
template <class Chunk>
struct branch : piece
{
    using first_row = typename Chunk::first_row;
    using children_type = children<Chunk, decltype(first_row::key)>;

    static constexpr std::uint32_t capacity = 32;

    std::uint32_t count = 0;

    using piece::piece;

    static constexpr std::size_t bytes() noexcept
    {
        return payload_offset<branch>() + children_type::bytes(capacity);
    }
    children_type chunks() const noexcept { return children_type(payload_of(*this), capacity); }

    first_row first() const noexcept { return chunks().first_rows[0]; }
};

/// One snapshot: either flat, the rows right behind the header, or a spine of branches of chunks.
/// Immutable once it is published, but for one thing: rows are appended behind the last one, and
/// become visible by the size alone.
template <class Header, class Columns, class Size>
struct REGISTRY_IO_EXPORT root : Header
{
    using chunk_type = chunk<Columns, Size>;
    using branch_type = branch<chunk_type>;
    using children_type = children<branch_type, typename Columns::key_type>;

    /// How many rows a reader sees, and whether they lie in one flat table or in chunks: one word,
    /// loaded once by `look`. It stays what it is while rows are appended.
    class extent
    {
    public:
        bool is_flat() const noexcept { return (word_ & chunked) == 0; }
        /// Whether there is one row, in a flat table.
        bool is_one_row() const noexcept { return word_ == 1; }
        std::uint32_t size() const noexcept { return word_ & ~chunked; }
        /// The size of a flat table, for which nothing has to be masked.
        std::uint32_t flat_size() const noexcept { return word_; }

    private:
        friend root;
        static constexpr std::uint32_t chunked = std::uint32_t(1) << 31;
        explicit extent(std::uint32_t w) noexcept : word_(w) {}
        std::uint32_t word_;
    };

    hook* hooks[hook_kinds] = {};
    void* home;               ///< the writers' block
    std::size_t memory;       ///< how many bytes were allocated for it
    std::uint32_t capacity;   ///< of rows when flat, of branches when not
    std::uint32_t count = 0;  ///< of branches; for writers

    root(void* h, std::size_t m, std::uint32_t c, bool spine, std::uint64_t version,
         garbage::destroy_type d) noexcept
        : home(h), memory(m), capacity(c), size_(spine ? extent::chunked : 0)
    {
        this->birth = version;
        this->destroy = d;
    }

    static std::size_t bytes(std::uint32_t capacity, bool spine) noexcept
    {
        return payload_offset<root>() +
            (spine ? children_type::bytes(capacity) : Columns::bytes(capacity));
    }

    Columns rows() const noexcept { return Columns(payload_of(*this), capacity); }
    children_type branches() const noexcept { return children_type(payload_of(*this), capacity); }

    // For writers, who know what they wrote.
    bool is_spine() const noexcept { return !written().is_flat(); }
    std::uint32_t handlers() const noexcept { return written().size(); }
    void set_handlers(std::uint32_t n) noexcept
    {
        // release: pairs with the reader's acquire; the row was written before.
        size_.store(n | (is_spine() ? extent::chunked : 0), std::memory_order_release);
    }

    /// What a reader sees from now on. To be called once in a walk, so that handlers that register
    /// others cannot make the walk run on.
    extent look() const noexcept
    {
        // acquire: the rows were written before.
        return extent(size_.load(std::memory_order_acquire));
    }

    /// Calls `f(rows, n)` for each contiguous run of rows, in order.
    template <class F>
    void each_run(F f) const
    {
        extent const seen = look();
        if (seen.is_flat()) [[likely]]
            f(rows(), seen.flat_size());
        else
            each_chunk(seen, [&](chunk_type const& c, std::uint32_t m) { f(c.rows(), m); });
    }

    /// The chunks of a spine, as far as a reader sees its rows.
    class chunk_range
    {
    public:
        chunk_range() noexcept = default;
        chunk_range(root const& r, extent seen) noexcept
            : branch_(r.branches().nodes), left_(seen.size())
        {
        }

        bool empty() const noexcept { return left_ == 0; }

        /// The next chunk; `n` becomes the number of its rows. Precondition: there is one.
        chunk_type const& next(std::uint32_t& n) noexcept
        {
            if (chunk_ == end_) {
                branch_type const& b = **branch_++;
                chunk_ = b.chunks().nodes;
                end_ = chunk_ + b.count;
            }
            chunk_type const& c = **chunk_++;
            std::uint32_t const full = c.size.load(std::memory_order_relaxed);
            n = full < left_ ? full : left_;
            left_ -= n;
            return c;
        }

    private:
        branch_type* const* branch_ = nullptr;
        chunk_type* const* chunk_ = nullptr;
        chunk_type* const* end_ = nullptr;
        std::uint32_t left_ = 0;
    };

    /// Calls `f(chunk, n)` for each chunk of a spine, in order.
    template <class F>
    void each_chunk(extent seen, F f) const
    {
        for (chunk_range chunks(*this, seen); !chunks.empty();) {
            std::uint32_t n = 0;
            chunk_type const& c = chunks.next(n);
            f(c, n);
        }
    }

private:
    extent written() const noexcept { return extent(size_.load(std::memory_order_relaxed)); }

    Size size_;  ///< the word of an extent
};

}  // namespace detail
}  // namespace v1
}  // namespace registry_io

#endif
