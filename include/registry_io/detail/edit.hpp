// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// One change of the tables, whatever their shape: chooses between the flat and the chunked table,
// converts one into the other as the registry grows and shrinks, and commits. The captures of what
// is removed and the pieces that were replaced leave in one list, which the snapshot policy
// destroys when no reader can see them any more.

#ifndef REGISTRY_IO_DETAIL_EDIT_HPP
#define REGISTRY_IO_DETAIL_EDIT_HPP

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include <boost/core/no_exceptions_support.hpp>

#include <registry_io/config.hpp>
#include <registry_io/detail/allocation.hpp>
#include <registry_io/detail/shapes.hpp>
#include <registry_io/detail/spine_edit.hpp>
#include <registry_io/detail/table.hpp>
#include <registry_io/garbage.hpp>

namespace registry_io {
inline namespace v1 {
namespace detail {

/// What an edit tells a panic policy that has `changed(added, removed)`: how many handlers it
/// has added and removed. Empty for all others.
struct tally
{
    std::size_t added = 0;
    std::size_t removed = 0;
};
struct no_tally
{
};

/// One change of the tables, invisible until commit; undone unless committed.
///
/// Beside what a draft asks for, `Home` has `policy_writer`, the snapshot policy's; `size`, the
/// number of rows that is shown; and `panic`, which points to the panic policy.
template <class Home>
class edit : public spine_edit<Home>
{
    using base = spine_edit<Home>;
    using typename base::branch;
    using typename base::chunk;
    using typename base::columns;
    using typename base::entry;
    using typename base::key;
    using typename base::root;
    using typename base::shape;
    using panic_policy = typename shape::panic_policy;
    using retirement = typename Home::retirement;
    using completion = typename Home::completion;
    using base::birth;
    using base::bounded;
    using base::committed_;
    using base::current_;
    using base::flat_limit;
    using base::home_;
    using base::in_place_;
    using base::index_changed_;
    using base::replace;
    using base::replaced_;
    using base::work_;

    static constexpr bool tallies = requires(panic_policy& p, std::size_t n) { p.changed(n, n); };

public:
    using base::own_root;

    edit(edit const&) = delete;
    edit& operator=(edit const&) = delete;

    /// `in_place`: may change the current root itself when no reader can hold it. Only for a
    /// single operation, which either succeeds or leaves all as it was.
    REGISTRY_IO_DETAIL_BEGIN_UNINITIALIZED
    edit(Home& home, bool in_place) noexcept
        : base(home, home.policy_writer.current(), in_place && home.policy_writer.exclusive())
    {
    }
    REGISTRY_IO_DETAIL_END_UNINITIALIZED

    /// Adds a row at the end of the current root, in place and visible at once: readers see it when
    /// the size says so. False when it does not belong there, or there is no room.
    bool append(new_entry const& e, std::uint64_t id, bool has_block, key k)
    {
        if (current_ == nullptr)
            return false;
        bool const done = current_->is_spine() ? this->append_chunked(e, id, has_block, k)
                                               : this->append_flat(e, id, has_block, k);
        if (done) {
            count(1, 0);
            tell();
        }
        return done;
    }

    /// Adds a row where it belongs. Strong guarantee, as for all members.
    void insert(new_entry const& e, std::uint64_t id, bool has_block, key k, std::uint32_t hint)
    {
        if (has_block)
            shape::block_of(e)->birth = birth();
        std::uint64_t const t = shape::tag(id, has_block);
        std::uint32_t const n = work_ == nullptr ? 0 : work_->handlers();
        if (n == extent::most || (bounded && n == flat_limit))
            refuse_full();
        if (work_ == nullptr || !work_->is_spine()) {
            if (bounded || n < flat_limit) {
                this->insert_flat(e, t, k, n, hint);
                count(1, 0);
                return;
            }
            if constexpr (!bounded)
                this->to_spine();
        }
        if constexpr (!bounded)
            this->insert_chunked(e, t, k, n);
        count(1, 0);
    }

    /// Takes out a row; its block, if any, is pushed on `dead`. False when there is no such id.
    /// `known` is the key, if the caller knows it.
    bool erase(std::uint64_t id, garbage_list& dead, key const* known = nullptr)
    {
        place p;
        if (!home_.locate(work_, id, &p, true, known))
            return false;
        index_changed_ = true;
        columns const rows = work_->is_spine()
            ? work_->branches().nodes[p.branch]->chunks().nodes[p.chunk]->rows()
            : work_->rows();
        entry const gone = rows.entries[p.row];
        bool const has_block = rows.has_block(p.row);
        if (work_->is_spine()) {
            this->erase_chunked(p);
            if (work_ != nullptr && work_->handlers() <= shape::flat_again)
                become_flat();
        } else {
            this->erase_flat(p.row);
        }
        if (has_block)
            dead.push(shape::block_of(gone));
        count(0, 1);
        return true;
    }

    /// Takes out all rows. Returns how many there were. Precondition: nothing was changed yet.
    std::uint32_t clear(garbage_list& dead) noexcept
    {
        if (work_ == nullptr)
            return 0;
        std::uint32_t const n = work_->handlers();
        shape::bury_all(*work_, dead);
        shape::each_piece(*work_, [this](piece* p) { replace(p); });
        work_ = nullptr;
        in_place_ = false;
        index_changed_ = true;
        home_.index_reset();
        count(0, n);
        return n;
    }

    /// Replaces a callback; `h` may be null. The old one is pushed on `dead`.
    void set_hook(hook_kind kind, hook* h, garbage_list& dead)
    {
        home_.keep_hooks();
        this->own_front();
        if (h != nullptr)
            h->birth = birth();
        if (hook* const old = home_.hook_of(kind))
            dead.push(old);
        hook_kind_ = kind;
        hook_ = h;
    }

    /// Makes the change visible and takes `dead` out. Returns what is to be finished without
    /// the lock. May throw; then nothing has happened.
    retirement commit(garbage_list& dead, completion* wait = nullptr)
    {
        // The tables after the captures, which are the same for the policy. In a list of its own,
        // which stays in registers on its way to the policy.
        garbage_list all = dead;
        all.append(replaced_);
        retirement r = home_.policy_writer.reserve(all, wait, no_memory);
        this->seal_last();
        if (hook_kind_ != hook_kinds) {
            home_.set_hook_of(hook_kind_, hook_);
            if (work_ != nullptr)
                work_->set_hook(hook_kind_, hook_);
        }
        root* const old = current_;
        if (work_ != old) {
            ++home_.version;
            if (old != nullptr)
                home_.count_replaced();
        }
        home_.policy_writer.publish(work_, r,
                                    [this](garbage_list& free) { home_.recycle(free, work_); });
        committed_ = true;
        if (work_ == nullptr || !work_->is_spine())
            home_.index_clear();
        // relaxed: a count is only a count.
        home_.size.store(work_ == nullptr ? 0 : work_->handlers(), std::memory_order_relaxed);
        tell();
        return r;
    }

private:
    /// Makes one table of the chunks, of which few rows are left; or leaves them as they are if
    /// there is no memory for it.
    REGISTRY_IO_DETAIL_COLD void become_flat()
    {
        BOOST_TRY
        {
            this->to_flat();
            home_.index_reset();
        }
        BOOST_CATCH(...) {}
        BOOST_CATCH_END
    }

    void count([[maybe_unused]] std::size_t added, [[maybe_unused]] std::size_t removed) noexcept
    {
        if constexpr (tallies) {
            tally_.added += added;
            tally_.removed += removed;
        }
    }

    // relaxed: the lock is held, and the registry, which sets it before the first change, is
    // there: destroying it during a change is not allowed.
    void tell() noexcept
    {
        if constexpr (tallies)
            if (tally_.added + tally_.removed != 0)
                home_.panic.load(std::memory_order_relaxed)->changed(tally_.added, tally_.removed);
    }

    hook* hook_ = nullptr;
    hook_kind hook_kind_ = hook_kinds;  // none
    REGISTRY_IO_NO_UNIQUE_ADDRESS std::conditional_t<tallies, tally, no_tally> tally_;
};

}  // namespace detail
}  // namespace v1
}  // namespace registry_io

#endif
