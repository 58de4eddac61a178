// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The pieces that hold a snapshot. A root is one snapshot: flat, with its rows behind the header,
// or a spine of branches of chunks, which successive roots share: a copy-on-write tree of three
// levels. In front of a root lies what a registry with one handler does not need. Invariant: what
// is published is immutable, except that rows are appended behind the last one, which become
// visible by the root's size, in one store.

#ifndef REGISTRY_IO_DETAIL_TABLE_HPP
#define REGISTRY_IO_DETAIL_TABLE_HPP

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <string_view>

#include <registry_io/config.hpp>
#include <registry_io/detail/columns.hpp>
#include <registry_io/garbage.hpp>
#include <registry_io/panic_info.hpp>
#include <registry_io/policy.hpp>

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

/// What failures, walks of several rows, and writers use. It ends where the root begins.
struct alignas(16) front_of_rows
{
    hook* hooks[hook_kinds] = {};
    std::intptr_t run = 0;     ///< the function that calls the handlers, if they are one run
    std::uint32_t memory = 0;  ///< how many bytes were allocated
    std::uint32_t count = 0;   ///< of runs when flat, of branches when not; for writers
};

/// What lies in front of a root.
template <class Header>
struct front : front_of_rows
{
};
template <has_late_part Header>
struct front<Header> : Header::late_part, front_of_rows
{
};

/// One snapshot: either flat, the rows right behind the header, or a spine of branches of chunks.
/// Immutable once it is published, but for one thing: rows are appended behind the last one, and
/// become visible by the size alone. Without `Chunks` all are flat, and the code for the others is
/// left out.
///
/// In front of it lies a `front`. Only a single root has none: a registry's first root, if it has
/// room for one row and no hook was set before. In a program with many registries most have one
/// handler. `Home` is the writers' block. It has `destroy_root`, which is a root's `destroy`.
template <class Header, class Columns, class Size, bool Chunks, class Home>
struct REGISTRY_IO_EXPORT root : Header
{
    static constexpr bool has_chunks = Chunks;
    using chunk_type = chunk<Columns, Size>;
    using branch_type = branch<chunk_type>;
    using children_type = children<branch_type, typename Columns::key_type>;
    using front_type = front<Header>;
    static constexpr bool may_be_single = has_late_part<Header> && Chunks;

    Home* home;

    root(root const&) = delete;
    root& operator=(root const&) = delete;
    ~root()
    {
        if (!is_spine())
            Columns::end(payload_of(*this), capacity());
    }

    /// The bytes of a root without its front.
    static std::size_t bytes(std::uint32_t capacity, bool spine) noexcept
    {
        return payload_offset<root>() +
            (spine ? children_type::bytes(capacity) : Columns::bytes(capacity));
    }

    /// Makes a root with a front in `p`, where there are `memory` bytes.
    static root* make(void* p, std::size_t memory, Home* h, std::uint32_t c, bool spine,
                      std::uint64_t version) noexcept
    {
        auto* const f = ::new (p) front_type;
        f->memory = static_cast<std::uint32_t>(memory);
        root* const r = ::new (static_cast<void*>(f + 1)) root(h, c, spine, true);
        if constexpr (has_late_part<Header>)
            r->attach(*f, version);
        else
            r->identify(*r, version);
        return r;
    }
    /// Makes a single root in `p`, where there are `bytes(1, false)`.
    static root* make_single(void* p, Home* h) noexcept
    {
        return ::new (p) root(h, 1, false, false);
    }

    /// Destroys the root. Returns its memory; `size` becomes the number of bytes.
    void* end(std::size_t& size) noexcept
    {
        void* const p = has_front() ? static_cast<void*>(&in_front()) : this;
        size = memory();
        this->~root();
        return p;
    }

    /// Attaches the late part of a single root, whose version is 1 because it is the first root.
    void attach(auto& late) noexcept { attach(late, 1); }

    bool has_front() const noexcept { return !may_be_single || has_front_; }

    /// The root that `g` stands for.
    static root& of(garbage& g) noexcept
    {
        if constexpr (has_late_part<Header>)
            return static_cast<root&>(*static_cast<typename Header::late_part&>(g).root);
        else
            return static_cast<root&>(g);
    }

    std::uint32_t memory() const noexcept
    {
        return has_front() ? in_front().memory : static_cast<std::uint32_t>(bytes(1, false));
    }
    hook* hook_of(unsigned kind) const noexcept
    {
        return has_front() ? in_front().hooks[kind] : nullptr;
    }
    /// Precondition: the root has a front.
    void set_hook(unsigned kind, hook* h) noexcept { in_front().hooks[kind] = h; }
    /// Precondition: the root has a front.
    std::uint64_t version() const noexcept
    {
        if constexpr (has_late_part<Header>)
            return in_front().birth;
        else
            return this->birth;
    }
    /// What calls the handlers of a flat root that is one run of several rows.
    std::intptr_t run() const noexcept { return in_front().run; }

    /// Of rows when flat, of branches when not.
    std::uint32_t capacity() const noexcept { return capacity_; }
    Columns rows() const noexcept { return Columns(payload_of(*this), capacity()); }
    children_type branches() const noexcept { return children_type(payload_of(*this), capacity()); }

    // For writers, who know what they wrote.
    bool is_spine() const noexcept { return !is_flat(written()); }
    std::uint32_t handlers() const noexcept { return written().size(); }
    /// Shows `n` rows to readers. `runs` is for a flat root.
    void set_handlers(std::uint32_t n, std::uint32_t runs = 0) noexcept
    {
        // release: pairs with the reader's acquire; the row was written before.
        size_.store((is_spine() ? extent::of_chunks(n) : Columns::shown(n, runs)).word(),
                    std::memory_order_release);
    }
    /// Shows `n` rows of a flat root, which form `runs` runs.
    BOOST_NOINLINE void show(std::uint32_t n, std::uint32_t runs) noexcept
    {
        if constexpr (Columns::has_runs) {
            if (has_front()) {
                in_front().count = runs;
                // Not written when a row was appended, as there may be readers: the first one
                // stays.
                std::intptr_t& run = in_front().run;
                if (std::intptr_t const first =
                        Columns::run_of(*rows().entries, rows().cold()->run);
                    run != first)
                    run = first;
            }
        }
        set_handlers(n, runs);
    }
    /// How many runs a flat root has.
    std::uint32_t runs() const noexcept { return has_front() ? in_front().count : handlers(); }
    /// How many branches a spine has.
    std::uint32_t& count() noexcept { return in_front().count; }
    std::uint32_t count() const noexcept { return in_front().count; }

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
    root(Home* h, std::uint32_t c, bool spine, bool has_front) noexcept
        : home(h),
          size_((spine ? extent::of_chunks(0) : extent(0)).word()),
          has_front_(has_front),
          capacity_(c & 0x7fffffff)
    {
        if (!spine)
            Columns::begin(payload_of(*this), c);
    }

    extent written() const noexcept { return extent(size_.load(std::memory_order_relaxed)); }

    front_type& in_front() const noexcept
    {
        return const_cast<front_type&>(reinterpret_cast<front_type const*>(this)[-1]);
    }
    void attach(auto& late, std::uint64_t version) noexcept
    {
        Header::attach(late);
        identify(late, version);
    }
    static void identify(garbage& g, std::uint64_t version) noexcept
    {
        g.birth = version;
        g.destroy = &Home::destroy_root;
    }

    Size size_;  ///< the word of an extent
    std::uint32_t has_front_ : 1;
    std::uint32_t capacity_ : 31;
};

}  // namespace detail
}  // namespace v1
}  // namespace registry_io

#endif
