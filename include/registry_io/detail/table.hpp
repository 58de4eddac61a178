// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The pieces that hold a snapshot. A root is one snapshot: flat, with its rows behind the header,
// or a spine of branches of chunks, which successive roots share: a copy-on-write tree of three
// levels. Invariant: what is published is immutable, except that rows are appended behind the last
// one, which become visible by the root's size, in one store.

#ifndef REGISTRY_IO_DETAIL_TABLE_HPP
#define REGISTRY_IO_DETAIL_TABLE_HPP

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <registry_io/config.hpp>
#include <registry_io/detail/columns.hpp>
#include <registry_io/garbage.hpp>
#include <registry_io/panic_info.hpp>

namespace registry_io {
inline namespace v1 {
namespace detail {

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
        auto const first = n->first();
        first_rows[i].id = first.id;
        first_rows[i].key = first.key;
    }

    /// Copies `n` of them from `at` of `from` to `to`; the two may overlap.
    void copy(std::uint32_t to, children from, std::uint32_t at, std::uint32_t n) const noexcept
    {
        copy(*this, to, from, at, n);
    }

private:
    BOOST_NOINLINE static void copy(children to, std::uint32_t i, children from, std::uint32_t at,
                                    std::uint32_t n) noexcept
    {
        move_all(to.nodes + i, from.nodes + at, n);
        move_all(to.first_rows + i, from.first_rows + at, n);
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

    /// Not to be appended to: an older root may show it in its middle, where a chunk's size counts.
    bool sealed = false;

    chunk(void* h, std::uint64_t b, piece::destroy_type d) noexcept : piece(h, b, d)
    {
        Columns::begin(payload_of(*this), capacity);
    }
    ~chunk() { Columns::end(payload_of(*this), capacity); }

    static constexpr std::size_t bytes() noexcept
    {
        return payload_offset<chunk>() + Columns::bytes(capacity);
    }
    Columns rows() const noexcept { return Columns(payload_of(*this), capacity); }

    using first_row = first_row_of<typename Columns::key_type>;
    first_row first() const noexcept { return {rows().id(0), rows().key(0)}; }

    // relaxed, in both: readers take the smaller of the size and what their root has left; the
    // root's size, which they load with acquire, vouches for the rows.
    extent look() const noexcept { return extent(size_.load(std::memory_order_relaxed)); }
    /// For writers: shows `n` rows in `runs` runs.
    void show(std::uint32_t n, std::uint32_t runs) noexcept
    {
        if constexpr (Columns::has_runs)
            runs_ = static_cast<unsigned char>(runs);
        size_.store(Columns::shown(n, runs).word(), std::memory_order_relaxed);
    }
    std::uint32_t size() const noexcept { return look().size(); }
    std::uint32_t runs() const noexcept { return runs_; }

private:
    unsigned char runs_ = 0;
    Size size_{0};  ///< the word of an extent
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
/// become visible by the size alone. Without `Chunks` all are flat, and the code for the others is
/// left out.
template <class Header, class Columns, class Size, bool Chunks>
struct REGISTRY_IO_EXPORT root : Header
{
    static constexpr bool has_chunks = Chunks;
    using chunk_type = chunk<Columns, Size>;
    using branch_type = branch<chunk_type>;
    using children_type = children<branch_type, typename Columns::key_type>;

    hook* hooks[hook_kinds] = {};
    void* home;  ///< the writers' block
    /// What calls the handlers of a flat one that is one run.
    std::intptr_t run = 0;
    std::uint32_t memory;     ///< how many bytes were allocated for it
    std::uint32_t capacity;   ///< of rows when flat, of branches when not
    std::uint32_t count = 0;  ///< of runs when flat, of branches when not; for writers

    root(root const&) = delete;
    root& operator=(root const&) = delete;
    root(void* h, std::size_t m, std::uint32_t c, bool spine, std::uint64_t version,
         garbage::destroy_type d) noexcept
        : home(h),
          memory(static_cast<std::uint32_t>(m)),
          capacity(c),
          size_((spine ? extent::of_chunks(0) : extent(0)).word())
    {
        this->birth = version;
        this->destroy = d;
        if (!spine)
            Columns::begin(payload_of(*this), capacity);
    }
    ~root()
    {
        if (!is_spine())
            Columns::end(payload_of(*this), capacity);
    }

    static std::size_t bytes(std::uint32_t capacity, bool spine) noexcept
    {
        return payload_offset<root>() +
            (spine ? children_type::bytes(capacity) : Columns::bytes(capacity));
    }

    Columns rows() const noexcept { return Columns(payload_of(*this), capacity); }
    children_type branches() const noexcept { return children_type(payload_of(*this), capacity); }

    // For writers, who know what they wrote.
    bool is_spine() const noexcept { return !is_flat(written()); }
    std::uint32_t handlers() const noexcept { return written().size(); }
    void set_handlers(std::uint32_t n) noexcept
    {
        // release: pairs with the reader's acquire; the row was written before.
        size_.store((is_spine() ? extent::of_chunks(n) : Columns::shown(n, count)).word(),
                    std::memory_order_release);
    }
    /// The same for a flat one of `n` rows in `runs` runs.
    BOOST_NOINLINE void show(std::uint32_t n, std::uint32_t runs) noexcept
    {
        if constexpr (Columns::has_runs) {
            count = runs;
            // Not written when a row was appended, as there may be readers: the first one stays.
            if (std::intptr_t const first = Columns::run_of(*rows().entries, rows().cold()->run);
                run != first)
                run = first;
        }
        set_handlers(n);
    }
    std::uint32_t runs() const noexcept { return count; }

    /// What a reader sees from now on. To be called once in a walk, so that handlers that register
    /// others cannot make the walk run on.
    extent look() const noexcept
    {
        // acquire: the rows were written before.
        return extent(size_.load(std::memory_order_acquire));
    }

    /// Whether what a reader sees lies in one table, and not in chunks.
    static bool is_flat(extent seen) noexcept { return !has_chunks || seen.is_flat(); }
    /// Whether it lies in one table, which is walked row by row.
    static bool is_plain(extent seen) noexcept
    {
        return (!has_chunks && !Columns::has_runs) || seen.is_plain();
    }

    /// Calls `f(rows, n)` for each table of rows, in order: the root itself, or its chunks.
    template <class F>
    void each_table(F f) const
    {
        extent const seen = look();
        if (is_flat(seen)) [[likely]]
            f(rows(), seen.size());
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
            std::uint32_t const full = c.size();
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
