// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The root that a change of the tables works on. A change is copy on write: it copies the pieces
// that readers may see, works on the copies, and is invisible until they are published. Each piece
// knows the version that first showed it (`birth`); a draft may write only into pieces of its own
// version. If no reader can hold the current root, a single operation may edit that root in place.
// Invariant: until `committed_` is set, undoing the draft leaves the current root as it was.

#ifndef REGISTRY_IO_DETAIL_DRAFT_HPP
#define REGISTRY_IO_DETAIL_DRAFT_HPP

#include <cstdint>

#include <registry_io/config.hpp>
#include <registry_io/detail/shapes.hpp>
#include <registry_io/detail/table.hpp>
#include <registry_io/garbage.hpp>

namespace registry_io {
inline namespace v1 {
namespace detail {

/// `Home` allocates pieces and knows the order of rows: it derives from `pieces` and `row_order`,
/// and names its `shapes` as `Home::shape`. A draft does not know the writers' lock.
template <class Home>
class draft
{
public:
    draft(draft const&) = delete;
    draft& operator=(draft const&) = delete;

    /// Ends the draft, which has changed nothing.
    void leave() noexcept { committed_ = true; }

    /// Copies the root, unless the draft may change it already or there is none.
    void own_root()
    {
        if (work_ != nullptr && !owns_root())
            grow_root(work_->capacity());
    }

    /// The same, and the root has a front.
    void own_front()
    {
        if (work_ != nullptr && !(owns_root() && work_->has_front()))
            grow_root(work_->capacity());
    }

protected:
    using shape = typename Home::shape;
    using root = typename shape::root;
    using columns = typename shape::columns;

    /// `current`: the root that readers see, or null. `in_place`: the draft may change that root
    /// itself, since no reader can hold it.
    draft(Home& home, root* current, bool in_place) noexcept
        : home_(home), current_(current), work_(current), in_place_(in_place)
    {
    }

    ~draft()
    {
        if (committed_)
            return;
        if (work_ != nullptr && work_ != current_)
            discard(*work_);
        if (index_changed_)
            home_.rebuild_index(current_);
    }

    /// The birth of the pieces that this draft adds.
    std::uint64_t birth() const noexcept { return in_place_ ? home_.version : home_.version + 1; }

    bool owns_root() const noexcept { return in_place_ || work_ != current_; }

    /// Whether this draft may write into a piece: the draft has made it, or no reader can see it.
    bool owns(piece const& p) const noexcept { return in_place_ || p.birth == birth(); }

    /// Takes a piece out that the new root does not have: destroys it, or keeps it to be retired.
    void replace(piece* p) noexcept
    {
        if (!in_place_ && p->birth == birth())
            p->destroy(p);  // was never visible
        else
            replaced_.push(p);
    }

    /// Makes `fresh` the root that this draft works on.
    void adopt(root* fresh) noexcept
    {
        if (work_ != nullptr && work_ != current_)
            home_.free_root(*work_);
        work_ = fresh;
    }

    /// Copies the root, with room for `capacity` rows or branches.
    REGISTRY_IO_DETAIL_COLD void grow_root(std::uint32_t capacity)
    {
        in_place_ = false;
        bool const spine = work_->is_spine();
        root* const fresh = home_.new_root(capacity, spine);
        if (spine) {
            fresh->branches().copy(0, work_->branches(), 0, work_->count());
            fresh->count() = work_->count();
            fresh->set_handlers(work_->handlers());
        } else {
            std::uint32_t const n = work_->handlers();
            fresh->rows().copy(0, work_->rows(), 0, n);
            fresh->show(n, fresh->rows().mark_all(n));
        }
        adopt(fresh);
    }

    Home& home_;
    root* const current_;
    root* work_;
    garbage_list replaced_{};
    bool index_changed_ = false;
    bool in_place_;
    bool committed_ = false;

private:
    /// Frees a root that was never visible, and the pieces that this draft has made for it.
    REGISTRY_IO_DETAIL_COLD void discard(root& r) noexcept
    {
        shape::each_piece(r, [this](piece* p) {
            if (p->birth == birth())
                p->destroy(p);
        });
        home_.free_root(r);
    }
};

}  // namespace detail
}  // namespace v1
}  // namespace registry_io

#endif
