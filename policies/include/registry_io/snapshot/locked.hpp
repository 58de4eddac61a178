// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The snapshot policy that is easiest to understand: readers take a mutex to count themselves in
// the current root, and release it before handlers run. Invariant: a root is freed when its count
// is zero, and it is counted up only under the mutex or by a holder.

#ifndef REGISTRY_IO_SNAPSHOT_LOCKED_HPP
#define REGISTRY_IO_SNAPSHOT_LOCKED_HPP

#include <registry_io/detail/supported.hpp>

#include <mutex>

#include <registry_io/policy.hpp>
#include <registry_io/reclaim/counting.hpp>
#include <registry_io/reclaim/env.hpp>

namespace registry_io {
inline namespace v1 {
namespace snapshot {

/// Readers lock a mutex while they count themselves; no lock is held while handlers run.
///
/// Readers: block on each other and on publications, for a few instructions. Writers: take turns.
/// Memory: at most one snapshot for each read in flight. Captures are destroyed as with
/// `hazard_pointer`. `notify` is not lock-free, and all readers write one cache line. Use it to
/// compare, to debug, or if the platform has neither membarrier nor a fast thread-local. It uses a
/// thread-local only to refuse a `synchronize` that would wait for itself.
struct locked
{
    using category = axis::snapshot;
    static constexpr bool concurrent = true;

    using env = reclaim::std_env;
    using root_header = reclaim::counted_root<env>;

    template <class Root>
    class store
    {
    public:
        constexpr store() noexcept = default;

        template <class F>
        void read(F f) const
        {
            Root* root = nullptr;
            {
                std::lock_guard<env::mutex> const lock(mutex_);
                root = root_;
                if (root == nullptr)
                    return;
                root->enter();
            }
            reclaim::counted_read<env> const r(this, *root);
            f(*root);
        }

        template <class Source>
        using writer = reclaim::counting_writer<env, Root, store, Source>;

    private:
        template <class, class, class, class>
        friend class reclaim::counting_writer;

        static constexpr bool in_place = false;
        Root* get() const noexcept { return root_; }
        bool unread(Root const& root) const noexcept
        {
            std::lock_guard<env::mutex> const lock(mutex_);
            return root.holders() == 1;
        }
        void exchange(Root* next) noexcept
        {
            std::lock_guard<env::mutex> const lock(mutex_);
            root_ = next;
        }

        mutable env::mutex mutex_;
        Root* root_ = nullptr;
    };
};

}  // namespace snapshot
}  // namespace v1
}  // namespace registry_io

#endif
