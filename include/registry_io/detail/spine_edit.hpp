// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Edits of a chunked snapshot: a spine of branches of chunks, a B+ tree (Comer, The Ubiquitous
// B-Tree, 1979) of fixed height whose nodes are copied on write, so that a change copies one chunk,
// its branch and the spine. A full chunk or branch is split in halves, but a row at the very end
// starts a new chunk, so that a registry that only grows has full ones. A chunk that a removal
// leaves at most a quarter full joins a neighbour if the two fill at most three quarters of one;
// likewise branches. Invariants: no chunk and no branch is empty, and each child's `first_row` is
// the first row below it.

#ifndef REGISTRY_IO_DETAIL_SPINE_EDIT_HPP
#define REGISTRY_IO_DETAIL_SPINE_EDIT_HPP

#include <atomic>
#include <cstdint>

#include <registry_io/config.hpp>
#include <registry_io/detail/flat_edit.hpp>
#include <registry_io/detail/pieces.hpp>
#include <registry_io/detail/shapes.hpp>
#include <registry_io/detail/table.hpp>

namespace registry_io {
inline namespace v1 {
namespace detail {

template <class Home>
class spine_edit : public flat_edit<Home>
{
protected:
    using base = flat_edit<Home>;
    using typename base::columns;
    using typename base::entry;
    using typename base::key;
    using typename base::root;
    using typename base::shape;
    using chunk = typename shape::chunk;
    using branch = typename shape::branch;
    using base::adopt;
    using base::base;
    using base::birth;
    using base::current_;
    using base::flat_limit;
    using base::grow_root;
    using base::home_;
    using base::in_place_;
    using base::index_changed_;
    using base::own_root;
    using base::owns;
    using base::owns_root;
    using base::replace;
    using base::work_;

    /// Appends to the last chunk of the current root, as `edit::append`. Another chunk would be
    /// another branch, as branches do not change.
    bool append_chunked(new_entry const& e, std::uint64_t id, bool has_block, key k)
    {
        root* const r = current_;
        std::uint32_t const n = r->handlers();
        chunk& last = shape::last_chunk(*r);
        std::uint32_t const at = last.size();
        if (at == chunk::capacity || last.sealed || !home_.fires_last(last.rows(), at, k, id))
            return false;
        home_.index_reserve(k);
        if (has_block)
            shape::block_of(e)->birth = home_.version;
        columns rows = last.rows();
        rows.set(at, e, shape::tag(id, has_block), k);
        last.show(at + 1, rows.mark_appended(at, last.runs()));
        home_.index_insert(id, k);
        r->set_handlers(n + 1);
        home_.size.store(n + 1, std::memory_order_relaxed);
        return true;
    }

    /// A chunk that was in the middle of the current root and is the last of the new one must
    /// not grow in place.
    void seal_last() noexcept
    {
        root* const old = current_;
        if (work_ == old || old == nullptr || work_ == nullptr || !work_->is_spine() ||
            !old->is_spine())
            return;
        chunk& last = shape::last_chunk(*work_);
        if (last.birth <= old->version() && &last != &shape::last_chunk(*old))
            last.sealed = true;
    }

    REGISTRY_IO_DETAIL_COLD void to_spine()
    {
        in_place_ = false;
        std::uint32_t const n = work_->handlers();
        index_changed_ = true;
        home_.index_begin(work_->rows(), n);
        owner<chunk> c(home_.new_chunk(birth()));
        owner<branch> b(home_.new_branch(birth()));
        root* const fresh = home_.new_root(4, true);
        columns const rows = c->rows();
        rows.copy(0, work_->rows(), 0, n);
        c->show(n, rows.mark_all(n));
        b->chunks().set(b->count++, c.release());
        fresh->branches().set(fresh->count()++, b.release());
        fresh->set_handlers(n);
        adopt(fresh);
        for (std::uint32_t i = 0; i < n; ++i) {
            home_.index_reserve(rows.key(i));
            home_.index_insert(rows.id(i), rows.key(i));
        }
    }

    REGISTRY_IO_DETAIL_COLD void to_flat()
    {
        std::uint32_t const n = work_->handlers();
        root* const fresh = home_.new_root(flat_limit, false);
        columns rows = fresh->rows();
        std::uint32_t at = 0;
        work_->each_table([&](columns from, std::uint32_t m) {
            rows.copy(at, from, 0, m);
            at += m;
        });
        fresh->show(n, rows.mark_all(n));
        shape::each_piece(*work_, [this](piece* p) { replace(p); });
        adopt(fresh);
    }

    REGISTRY_IO_DETAIL_COLD void insert_chunked(new_entry const& e, std::uint64_t t, key k,
                                                std::uint32_t n)
    {
        std::uint64_t const id = t >> 1;
        home_.index_reserve(k);
        if (!owns_root() || work_->count() == work_->capacity())
            grow_root(work_->count() + 1 + work_->count() / 4);
        auto const branches = work_->branches();
        std::uint32_t const bi = home_.child_for(branches, work_->count(), k, id);
        branch& b = own_branch(bi);
        std::uint32_t const ci = home_.child_for(b.chunks(), b.count, k, id);
        chunk& c = *b.chunks().nodes[ci];
        std::uint32_t const m = c.size();
        std::uint32_t const at = home_.upper_bound(c.rows(), m, k, id);
        if (m != chunk::capacity) {
            chunk* const mine = owns(c) ? &c : home_.new_chunk(birth());
            columns rows = mine->rows();
            rows.copy(at + 1, c.rows(), at, m - at);
            if (mine != &c)
                rows.copy(0, c.rows(), 0, at);
            rows.set(at, e, t, k);
            mine->show(m + 1, rows.mark_inserted(c.rows(), m, at, c.runs()));
            b.chunks().set(ci, mine);
            if (mine != &c)
                replace(&c);
            branches.set(bi, &b);
        } else if (at == m && ci + 1 == b.count && bi + 1 == work_->count()) {
            owner<chunk> last(home_.new_chunk(birth()));
            last->rows().set(0, e, t, k);
            last->show(1, last->rows().mark_appended(0, 0));
            if (b.count == branch::capacity)
                branches.set(work_->count()++, new_branch_of(last));
            else
                b.chunks().set(b.count++, last.release());
        } else {
            split_chunk(bi, ci, at, e, t, k);
        }
        index_changed_ = true;
        home_.index_insert(id, k);
        work_->set_handlers(n + 1);
    }

    REGISTRY_IO_DETAIL_COLD void erase_chunked(place const& p)
    {
        own_root();
        std::uint32_t const n = work_->handlers();
        branch& b = own_branch(p.branch);
        auto const chunks = b.chunks();
        chunk& c = *chunks.nodes[p.chunk];
        std::uint32_t const m = c.size();
        // The rows of `from` but for the one that goes, from `at` on of `to`.
        auto copy_rest = [&](columns to, std::uint32_t at, columns from) {
            if (to.entries != from.entries)
                to.copy(at, from, 0, p.row);
            to.copy(at + p.row, from, p.row + 1, m - p.row - 1);
        };
        if (m == 1) {
            take_out(p.branch, p.chunk);
            replace(&c);
        } else if (std::uint32_t const with = neighbour(b, p.chunk, m); with != p.chunk) {
            chunk& other = *chunks.nodes[with];
            std::uint32_t const others = other.size();
            chunk* const fresh = home_.new_chunk(birth());
            fresh->rows().copy(with < p.chunk ? 0 : m - 1, other.rows(), 0, others);
            copy_rest(fresh->rows(), with < p.chunk ? others : 0, c.rows());
            fresh->show(others + m - 1, fresh->rows().mark_all(others + m - 1));
            chunks.set(with, fresh);
            take_out(p.branch, p.chunk);
            replace(&c);
            replace(&other);
        } else {
            chunk* const mine = owns(c) ? &c : home_.new_chunk(birth());
            copy_rest(mine->rows(), 0, c.rows());
            mine->show(m - 1, mine->rows().mark_erased(c.rows(), m, p.row, c.runs()));
            chunks.set(p.chunk, mine);
            work_->branches().set(p.branch, &b);
            if (mine != &c)
                replace(&c);
        }
        if (n == 1) {
            adopt(nullptr);
            in_place_ = false;
            return;
        }
        work_->set_handlers(n - 1);
    }

private:
    /// The branch at `bi`, as one that this edit may write into.
    branch& own_branch(std::uint32_t bi)
    {
        branch* const old = work_->branches().nodes[bi];
        if (owns(*old))
            return *old;
        branch* const fresh = home_.new_branch(birth());
        fresh->chunks().copy(0, old->chunks(), 0, old->count);
        fresh->count = old->count;
        work_->branches().set(bi, fresh);
        replace(old);
        return *fresh;
    }

    branch* new_branch_of(owner<chunk>& c)
    {
        branch* const b = home_.new_branch(birth());
        b->chunks().set(b->count++, c.release());
        return b;
    }

    /// Makes two of a full branch. Precondition: the root has room.
    REGISTRY_IO_DETAIL_COLD void split_branch(std::uint32_t bi)
    {
        constexpr std::uint32_t half = branch::capacity / 2;
        auto const branches = work_->branches();
        branch* const left = branches.nodes[bi];
        branch* const right = home_.new_branch(birth());
        right->chunks().copy(0, left->chunks(), half, branch::capacity - half);
        right->count = branch::capacity - half;
        left->count = half;
        branches.copy(bi + 2, branches, bi + 1, work_->count() - bi - 1);
        branches.set(bi + 1, right);
        ++work_->count();
    }

    /// Puts a row at `at` of a full chunk, which becomes two.
    REGISTRY_IO_DETAIL_COLD void split_chunk(std::uint32_t bi, std::uint32_t ci, std::uint32_t at,
                                             new_entry const& e, std::uint64_t t, key k)
    {
        auto const branches = work_->branches();
        if (branches.nodes[bi]->count == branch::capacity) {
            split_branch(bi);
            if (std::uint32_t const in_left = branches.nodes[bi]->count; ci >= in_left) {
                ci -= in_left;
                ++bi;
            }
        }
        branch& b = *branches.nodes[bi];
        constexpr std::uint32_t half = chunk::capacity / 2;
        chunk* const old = b.chunks().nodes[ci];
        owner<chunk> right(home_.new_chunk(birth()));
        owner<chunk> left(home_.new_chunk(birth()));
        columns l = left->rows();
        columns r = right->rows();
        columns const from = old->rows();
        std::uint32_t in_left = half;
        std::uint32_t in_right = chunk::capacity - half;
        if (at <= half) {
            l.copy(0, from, 0, at);
            l.set(at, e, t, k);
            l.copy(at + 1, from, at, half - at);
            r.copy(0, from, half, in_right);
            ++in_left;
        } else {
            l.copy(0, from, 0, half);
            r.copy(0, from, half, at - half);
            r.set(at - half, e, t, k);
            r.copy(at - half + 1, from, at, chunk::capacity - at);
            ++in_right;
        }
        left->show(in_left, l.mark_all(in_left));
        right->show(in_right, r.mark_all(in_right));
        b.chunks().copy(ci + 2, b.chunks(), ci + 1, b.count - ci - 1);
        b.chunks().set(ci, left.release());
        b.chunks().set(ci + 1, right.release());
        ++b.count;
        branches.set(bi, &b);
        replace(old);
    }

    /// A chunk beside a sparse one that has room for what is left of it; itself if none has.
    static std::uint32_t neighbour(branch const& b, std::uint32_t ci, std::uint32_t m) noexcept
    {
        if (m - 1 > chunk::capacity / 4)
            return ci;
        auto fits = [&](std::uint32_t i) {
            return b.chunks().nodes[i]->size() + m - 1 <= chunk::capacity / 4 * 3;
        };
        if (ci != 0 && fits(ci - 1))
            return ci - 1;
        return ci + 1 < b.count && fits(ci + 1) ? ci + 1 : ci;
    }

    /// Takes a chunk out of its branch, and the branch out of the root when it was the last.
    REGISTRY_IO_DETAIL_COLD void take_out(std::uint32_t bi, std::uint32_t ci) noexcept
    {
        auto const branches = work_->branches();
        branch* const b = branches.nodes[bi];
        b->chunks().copy(ci, b->chunks(), ci + 1, b->count - ci - 1);
        if (--b->count != 0) {
            branches.set(bi, b);
            if (b->count <= branch::capacity / 4)
                merge_branch(bi);
        } else {
            take_out(bi);
        }
    }

    /// Takes a branch out of the root.
    REGISTRY_IO_DETAIL_COLD void take_out(std::uint32_t bi) noexcept
    {
        auto const branches = work_->branches();
        branch* const b = branches.nodes[bi];
        branches.copy(bi, branches, bi + 1, work_->count() - bi - 1);
        --work_->count();
        replace(b);
    }

    /// Gives a sparse branch the chunks of one beside it, if they have room together.
    REGISTRY_IO_DETAIL_COLD void merge_branch(std::uint32_t bi) noexcept
    {
        auto const branches = work_->branches();
        branch* const b = branches.nodes[bi];
        auto fits = [&](std::uint32_t i) {
            return branches.nodes[i]->count + b->count <= branch::capacity / 4 * 3;
        };
        bool const from_left = bi != 0 && fits(bi - 1);
        if (!from_left && (bi + 1 == work_->count() || !fits(bi + 1)))
            return;
        std::uint32_t const with = from_left ? bi - 1 : bi + 1;
        branch const& other = *branches.nodes[with];
        if (from_left)
            b->chunks().copy(other.count, b->chunks(), 0, b->count);
        b->chunks().copy(from_left ? 0 : b->count, other.chunks(), 0, other.count);
        b->count += other.count;
        branches.set(bi, b);
        take_out(with);
    }
};

}  // namespace detail
}  // namespace v1
}  // namespace registry_io

#endif
