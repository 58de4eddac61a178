// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The memory of snapshots: makes and frees their roots, branches and chunks. One of each is kept
// for next time, so that a registry in a steady state does not go to the heap; not where memory is
// bounded, since there what is not used must be available to all. A root may outlive its registry
// while a reader holds it, so the block that is its `home` lives until the last root has gone: one
// side counts the roots that were replaced, the other those that readers have freed.

#ifndef REGISTRY_IO_DETAIL_PIECES_HPP
#define REGISTRY_IO_DETAIL_PIECES_HPP

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <type_traits>
#include <utility>

#include <registry_io/config.hpp>
#include <registry_io/detail/allocation.hpp>
#include <registry_io/detail/on_demand.hpp>
#include <registry_io/detail/shapes.hpp>
#include <registry_io/detail/table.hpp>
#include <registry_io/garbage.hpp>

namespace registry_io {
inline namespace v1 {
namespace detail {

/// `Shapes::home` derives from this class, and is what `root::home` and `piece::home` point to. Its
/// member `drop()` is called when the last root has gone after `close_tables`.
template <class Shapes>
class pieces
{
    using Home = typename Shapes::home;
    using root = typename Shapes::root;
    using chunk = typename Shapes::chunk;
    using branch = typename Shapes::branch;
    using source = typename Shapes::source;
    static constexpr bool bounded = Shapes::bounded;

public:
    REGISTRY_IO_DETAIL_BEGIN_UNINITIALIZED
    explicit pieces(source const& src) : memory(src), kept_(src) {}
    REGISTRY_IO_DETAIL_END_UNINITIALIZED
    pieces(pieces const&) = delete;
    pieces& operator=(pieces const&) = delete;

    REGISTRY_IO_NO_UNIQUE_ADDRESS source memory;
    std::uint64_t version = 0;  ///< of the current root

    /// The hook of a kind, or null.
    hook* hook_of(unsigned kind) const noexcept
    {
        kept const* const k = kept_.get();
        return k == nullptr ? nullptr : k->hooks[kind];
    }
    /// Makes the state in which hooks are kept. Call it before `set_hook_of`.
    void keep_hooks() { keep(); }
    void set_hook_of(unsigned kind, hook* h) noexcept { kept_.get()->hooks[kind] = h; }

    /// An empty root of the next version.
    root* new_root(std::uint32_t capacity, bool spine)
    {
        std::size_t bytes = root::bytes(capacity, spine);
        [[maybe_unused]] bool const is_first = prepare_second();
        if constexpr (root::may_be_single)
            if (is_first && capacity == 1 && !spine && kept_.get() == nullptr)
                return root::make_single(take(&spares::root, bytes), home());
        bytes += sizeof(typename root::front_type);
        void* const p = take(&spares::root, bytes);
        root* const r = root::make(p, bytes, home(), capacity, spine, version + 1);
        for (unsigned i = 0; i < hook_kinds; ++i)
            r->set_hook(i, hook_of(i));
        return r;
    }

    /// Frees a root that was never published, or that no reader can see any more. Needs the lock.
    BOOST_NOINLINE void free_root(root& r, std::uint32_t least = 0) noexcept
    {
        std::size_t bytes = 0;
        void* const p = r.end(bytes);
        if (bytes < least)
            memory.deallocate(p, bytes, table_align);
        else
            give(&spares::root, p, bytes);
    }

    chunk* new_chunk(std::uint64_t birth)
    {
        std::size_t bytes = chunk::bytes();
        return ::new (take(&spares::chunk, bytes)) chunk(home(), birth, &destroy_piece<chunk>);
    }

    branch* new_branch(std::uint64_t birth)
    {
        std::size_t bytes = branch::bytes();
        return ::new (take(&spares::branch, bytes)) branch(home(), birth, &destroy_piece<branch>);
    }

    /// Keeps or frees the tables among what no reader can see any more, and takes them out of the
    /// list. Needs the lock. A root that is smaller than the current one, which may be null, is of
    /// no use to a registry that grows, and is freed.
    void recycle(garbage_list& free, root const* current) noexcept
    {
        garbage_list rest;
        while (garbage* const g = free.pop())
            if (!recycle(*g, current == nullptr ? 0 : current->memory()))
                rest.push(g);
        free = rest;
    }

    /// Counts a root that is replaced and goes to the snapshot policy.
    void count_replaced() noexcept
    {
        if (++tables_ < enough)
            return;
        // Both numbers only grow, and 32 bits are not for ever. relaxed: what is counted has gone.
        // Until the count is closed it does not pass zero.
        std::uint32_t const freed = freed_.load(std::memory_order_relaxed);
        freed_.fetch_sub(freed, std::memory_order_relaxed);
        tables_ -= freed;
    }

    /// Ends the count: no root will follow. Returns how many roots readers still hold; if there are
    /// any, freeing the last of them calls `drop()`.
    std::uint32_t close_tables() noexcept
    {
        // acq_rel: every table's end comes before ours.
        return tables_ - freed_.fetch_sub(tables_, std::memory_order_acq_rel);
    }

    REGISTRY_IO_DETAIL_COLD void free_spares() noexcept
    {
        if constexpr (!bounded)
            if (kept* const k = kept_.get())
                for (void** s : {&k->root, &k->branch, &k->chunk})
                    if (void* const p = std::exchange(*s, nullptr))
                        memory.deallocate(p, size_of(p), table_align);
    }

    // The functions that `garbage::destroy` points to.

    /// Frees a root. Called without the lock, often by the last reader.
    static void destroy_root(garbage* g) noexcept
    {
        root& r = root::of(*g);
        Home* const h = r.home;
        std::size_t bytes = 0;
        void* const p = r.end(bytes);
        source(h->memory).deallocate(p, bytes, table_align);
        // acq_rel: see close_tables.
        if (h->freed_.fetch_add(1, std::memory_order_acq_rel) + 1 == 0)
            h->drop();
    }

    /// The same for a chunk or a branch.
    template <class Piece>
    static void destroy_piece(garbage* g) noexcept
    {
        auto* const p = static_cast<Piece*>(g);
        Home* const h = static_cast<Home*>(p->home);
        p->~Piece();
        source(h->memory).deallocate(p, Piece::bytes(), table_align);
    }

private:
    /// What is kept for next time; each begins with its size.
    struct spares
    {
        void* root = nullptr;
        void* branch = nullptr;
        void* chunk = nullptr;
    };
    struct no_spares
    {
    };
    /// State that exists from the second root on, or from the first hook on.
    struct kept : std::conditional_t<bounded, no_spares, spares>
    {
        hook* hooks[hook_kinds] = {};
    };

    void keep()
    {
        if (kept_.get() == nullptr)
            keep_once();
    }
    REGISTRY_IO_DETAIL_COLD void keep_once() { kept_.make(); }

    static std::size_t size_of(void const* spare) noexcept
    {
        std::size_t bytes = 0;
        std::memcpy(&bytes, spare, sizeof bytes);
        return bytes;
    }

    BOOST_NOINLINE void* take([[maybe_unused]] void* spares::* which, std::size_t& bytes)
    {
        if constexpr (!bounded) {
            kept* const k = kept_.get();
            if (k != nullptr && k->*which != nullptr) {
                void*& spare = k->*which;
                std::size_t const had = size_of(spare);
                if (had >= bytes && had / 2 <= bytes) {
                    bytes = had;
                    return std::exchange(spare, nullptr);
                }
                // Of no use for a while, and maybe what a bounded source is short of.
                memory.deallocate(std::exchange(spare, nullptr), had, table_align);
            }
        }
        void* const p = memory.allocate(bytes, table_align);
        if (p == nullptr)
            no_memory();
        return p;
    }

    BOOST_NOINLINE void give([[maybe_unused]] void* spares::* which, void* p,
                             std::size_t bytes) noexcept
    {
        if constexpr (!bounded) {
            if (kept* const k = kept_.get()) {
                std::memcpy(p, &bytes, sizeof bytes);
                p = std::exchange(k->*which, p);
                if (p == nullptr)
                    return;
                bytes = size_of(p);
            }
        }
        memory.deallocate(p, bytes, table_align);
    }

    template <class Piece>
    void free_piece(void* spares::* which, Piece* p) noexcept
    {
        p->~Piece();
        give(which, p, Piece::bytes());
    }

    /// Keeps or frees a table; false for what is none.
    bool recycle(garbage& g, std::uint32_t least) noexcept
    {
        // Where a shared object has another copy of these functions, the table is freed instead.
        if (g.destroy == &destroy_root) {
            --tables_;
            free_root(root::of(g), least);
            return true;
        }
        if constexpr (root::has_chunks) {
            if (g.destroy == &destroy_piece<chunk>) {
                free_piece(&spares::chunk, static_cast<chunk*>(&g));
                return true;
            }
            if (g.destroy == &destroy_piece<branch>) {
                free_piece(&spares::branch, static_cast<branch*>(&g));
                return true;
            }
        }
        return false;
    }

    Home* home() noexcept { return static_cast<Home*>(this); }

    /// Makes what is needed from the second root on, also for the snapshot policy, before there is
    /// one.
    /// Returns whether the root that is to be made is a registry's first.
    bool prepare_second()
    {
        auto& w = static_cast<Home*>(this)->policy_writer;
        if constexpr (requires { w.prepare(); }) {
            if (!w.prepared() && w.current() == nullptr)
                return true;
            w.prepare();
        }
        keep();
        return false;
    }

    /// How many roots were replaced and not taken back by a writer; and how many of them others
    /// have freed.
    std::uint32_t tables_ = 0;
    typename Shapes::template atomic<std::uint32_t> freed_{0};
    static constexpr std::uint32_t enough = std::uint32_t(1) << 30;
    on_demand<kept, source> kept_;
};

/// A new piece, until it has its place.
template <class Piece>
class owner
{
public:
    explicit owner(Piece* p) noexcept : piece_(p) {}
    owner(owner const&) = delete;
    owner& operator=(owner const&) = delete;
    ~owner()
    {
        if (piece_ != nullptr)
            piece_->destroy(piece_);
    }
    Piece* operator->() const noexcept { return piece_; }
    Piece* release() noexcept { return std::exchange(piece_, nullptr); }

private:
    Piece* piece_;
};

}  // namespace detail
}  // namespace v1
}  // namespace registry_io

#endif
