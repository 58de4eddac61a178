// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Edits of a flat snapshot: one table, whose rows follow its header. A change shifts the rows after
// it, in a copy of the table or, if no reader can hold the table, in place. The capacity doubles
// when the table is full and halves when it is a quarter full, so that a registry whose size goes
// up and down by one does not reallocate each time.

#ifndef REGISTRY_IO_DETAIL_FLAT_EDIT_HPP
#define REGISTRY_IO_DETAIL_FLAT_EDIT_HPP

#include <atomic>
#include <cstdint>

#include <registry_io/config.hpp>
#include <registry_io/detail/draft.hpp>
#include <registry_io/detail/shapes.hpp>

namespace registry_io {
inline namespace v1 {
namespace detail {

template <class Home>
class flat_edit : public draft<Home>
{
protected:
    using base = draft<Home>;
    using typename base::columns;
    using typename base::root;
    using typename base::shape;
    using entry = typename shape::entry;
    using key = typename shape::key;
    using base::adopt;
    using base::base;
    using base::current_;
    using base::home_;
    using base::in_place_;
    using base::owns_root;
    using base::work_;
    static constexpr std::uint32_t flat_limit = shape::flat_limit;
    static constexpr bool bounded = shape::bounded;

    /// Appends to the current root, as `edit::append`.
    bool append_flat(new_entry const& e, std::uint64_t id, bool has_block, key k)
    {
        root* const r = current_;
        std::uint32_t const n = r->handlers();
        if (n == r->capacity() || !home_.fires_last(r->rows(), n, k, id))
            return false;
        if (has_block)
            shape::block_of(e)->birth = home_.version;
        columns rows = r->rows();
        rows.set(n, e, shape::tag(id, has_block), k);
        r->show(n + 1, rows.mark_appended(n, r->runs()));
        home_.size.store(n + 1, std::memory_order_relaxed);
        return true;
    }

    void insert_flat(new_entry const& e, std::uint64_t t, key k, std::uint32_t n,
                     std::uint32_t hint)
    {
        std::uint32_t const at = n == 0 ? 0 : home_.upper_bound(work_->rows(), n, k, t >> 1);
        if (work_ != nullptr && owns_root() && n < work_->capacity()) {
            columns rows = work_->rows();
            rows.copy(at + 1, rows, at, n - at);
            rows.set(at, e, t, k);
            work_->show(n + 1, rows.mark_inserted(rows, n, at, work_->runs()));
            return;
        }
        in_place_ = false;
        std::uint32_t capacity = work_ == nullptr ? first_capacity(hint) : work_->capacity();
        if (n == capacity)
            capacity = next_capacity(capacity);
        root* const fresh = home_.new_root(capacity, false);
        columns rows = fresh->rows();
        if (work_ != nullptr) {
            rows.copy(0, work_->rows(), 0, at);
            rows.copy(at + 1, work_->rows(), at, n - at);
        }
        rows.set(at, e, t, k);
        fresh->show(n + 1,
                    work_ == nullptr ? rows.mark_appended(0, 0)
                                     : rows.mark_inserted(work_->rows(), n, at, work_->runs()));
        adopt(fresh);
    }

    void erase_flat(std::uint32_t at)
    {
        std::uint32_t const n = work_->handlers();
        if (n == 1) {
            adopt(nullptr);
            in_place_ = false;
            return;
        }
        if (owns_root()) {
            columns rows = work_->rows();
            rows.copy(at, rows, at + 1, n - at - 1);
            work_->show(n - 1, rows.mark_erased(rows, n, at, work_->runs()));
            return;
        }
        std::uint32_t capacity = work_->capacity();
        if (!bounded && n <= capacity / 4)
            capacity /= 2;
        root* const fresh = home_.new_root(capacity, false);
        columns rows = fresh->rows();
        rows.copy(0, work_->rows(), 0, at);
        rows.copy(at, work_->rows(), at + 1, n - at - 1);
        fresh->show(n - 1, rows.mark_erased(work_->rows(), n, at, work_->runs()));
        adopt(fresh);
    }

private:
    static std::uint32_t first_capacity(std::uint32_t hint) noexcept
    {
        if (bounded)
            return flat_limit;
        // In a program with many registries, most have one handler.
        return hint < 1 ? 1 : hint < flat_limit ? hint : flat_limit;
    }

    static std::uint32_t next_capacity(std::uint32_t n) noexcept
    {
        // A registry with a second handler soon gets a third.
        return n == 1 ? 4 : n < flat_limit / 2 ? n * 2 : flat_limit;
    }
};

}  // namespace detail
}  // namespace v1
}  // namespace registry_io

#endif
