// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The snapshot policy for one thread. A count in the root tells whether a notify is running; if
// none is, writers edit the table in place. Invariant: no row changes while a notify walks it;
// writers replace a table that a notify walks.

#ifndef REGISTRY_IO_SNAPSHOT_SINGLE_THREAD_HPP
#define REGISTRY_IO_SNAPSHOT_SINGLE_THREAD_HPP

#include <registry_io/detail/supported.hpp>

#include <utility>

#include <registry_io/policy.hpp>
#include <registry_io/reclaim/counting.hpp>
#include <registry_io/reclaim/single_thread_env.hpp>

namespace registry_io {
inline namespace v1 {
namespace snapshot {

/// For one thread: protects a notify only from changes that its own handlers make.
///
/// Nothing is atomic and nothing is locked: all calls, those of guards included, must come from one
/// thread at a time; synchronize when you pass the registry to another thread. While no notify
/// runs, writers edit in place; while a notify runs, they copy what it walks. Captures are
/// destroyed inside the removal, or when the outermost notify that can see them ends. `synchronize`
/// has nothing to wait for, and is refused inside a handler. Handlers may have a mutable call
/// operator. Use it for event loops, and for firmware whose interrupts do not notify.
struct single_thread
{
    using category = axis::snapshot;
    static constexpr bool concurrent = false;

    using env = reclaim::single_thread_env;
    using root_header = reclaim::counted_root<env>;

    template <class Root>
    class store
    {
    public:
        constexpr store() noexcept = default;

        template <class F>
        void read(F f) const noexcept(calls_nothrow<F>)
        {
            Root* const root = root_;
            if (root == nullptr)
                return;
            if constexpr (brief_reader<F, Root>) {
                auto const sight = f.brief(*root);
                if (!sight)
                    return read_long(sight, f, *root);
                holding const h(*root);
                f.call_brief(*root, sight);
            } else {
                holding const h(*root);
                f(*root);
            }
        }

        template <class Source>
        class writer : public reclaim::counting_writer<env, Root, store, Source>
        {
            using base = reclaim::counting_writer<env, Root, store, Source>;

        public:
            using base::base;

            /// Reads make no entry in the nesting list, since that would make each notify slower.
            /// With one thread, only an outer call of this thread can hold a root.
            bool would_deadlock() const noexcept
            {
                return base::held() || base::retired_read() || base::would_deadlock();
            }
        };

    private:
        template <class, class, class, class>
        friend class reclaim::counting_writer;

        template <class F>
        static constexpr bool calls_nothrow = noexcept(std::declval<F&>()(std::declval<Root&>()));

        class holding
        {
        public:
            explicit holding(Root& r) noexcept : root_(r) { r.enter(); }
            holding(holding const&) = delete;
            holding& operator=(holding const&) = delete;
            ~holding() { root_.leave(); }

        private:
            Root& root_;
        };

        template <class F, class Sight>
        BOOST_NOINLINE static void read_long(Sight sight, F f,
                                             Root& root) noexcept(calls_nothrow<F>)
        {
            holding const h(root);
            f.call_long(root, sight);
        }

        static constexpr bool in_place = true;
        Root* get() const noexcept { return root_; }
        bool unread(Root const& root) const noexcept { return root.holders() == 1; }
        void exchange(Root* next) noexcept { root_ = next; }

        Root* root_ = nullptr;
    };
};

}  // namespace snapshot
}  // namespace v1
}  // namespace registry_io

#endif
