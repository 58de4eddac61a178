// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The writer of the snapshot policy `hazard_pointer`: the order of the steps of a publication, and
// the roots that wait for a fence. A publication exchanges the root; a search for readers then
// settles the replaced roots, and each settled root is retired. The search costs a fence, so
// registrations and the first removals of a batch leave their roots pending. Invariant: a pending
// root is held by its owner until the search has counted all its readers.

#ifndef REGISTRY_IO_RECLAIM_HAZARD_WRITER_HPP
#define REGISTRY_IO_RECLAIM_HAZARD_WRITER_HPP

#include <registry_io/detail/supported.hpp>

#include <atomic>
#include <type_traits>

#include <boost/core/no_exceptions_support.hpp>

#include <registry_io/config.hpp>
#include <registry_io/detail/on_demand.hpp>
#include <registry_io/garbage.hpp>
#include <registry_io/reclaim/completion.hpp>
#include <registry_io/reclaim/fence.hpp>
#include <registry_io/reclaim/hazard.hpp>
#include <registry_io/reclaim/late_part.hpp>
#include <registry_io/reclaim/misuse.hpp>
#include <registry_io/reclaim/nesting.hpp>
#include <registry_io/reclaim/retired.hpp>

namespace registry_io {
inline namespace v1 {
namespace reclaim {

/// The writer of a store whose readers announce roots in the slots of `hazard_domain`.
///
/// `Store` has `root_`, `belong()` and `foreign()`. `Reclaim` says when captures are destroyed.
template <class Reclaim, class Env, class Root, class Store, class Source>
class hazard_writer
{
    using domain = hazard_domain<Env>;
    using root_header = counted_root<Env>;
    using retired = retired_roots<Env>;
    using outcome = typename domain::outcome;
    using fence = typename domain::fence;

public:
    using completion = std::conditional_t<Reclaim::on_readers, reclaim::completion<Env>,
                                          polling_completion<Env, root_header>>;

    class retirement
    {
    public:
        void finish() noexcept
        {
            release_.finish();
            if (left_ != nullptr)
                left_->drain_all();
        }

        /// Whether `finish` has nothing to do.
        bool idle() const noexcept { return release_.free.empty() && left_ == nullptr; }

    private:
        friend class hazard_writer;
        explicit retirement(retired* log) noexcept : release_(log) {}

        typename retired::release release_;
        garbage_list dead_{};
        completion* wait_ = nullptr;
        typename retired::stack* left_ = nullptr;
    };

    hazard_writer(Store& s, Source const& source)
        : store_(s), forks_(retired::prepare()), later_(source, s, forks_)
    {
        domain::prepare();
        store_.belong();
    }

    /// Whether `prepare` has been called.
    bool prepared() const noexcept { return later_.get() != nullptr; }
    /// Makes the state that only the second and later publications need. Call it before a second
    /// root is made.
    void prepare()
    {
        if (later_.get() == nullptr)
            prepare_once();
    }

    typename Env::mutex& mutex() noexcept { return mutex_; }

    bool foreign() const noexcept { return store_.foreign(); }

    Root* current() const noexcept { return store_.root_.load(std::memory_order_relaxed); }

    bool exclusive() const noexcept { return false; }

    template <class NoMemory>
    retirement reserve(garbage_list const& dead, completion* wait, NoMemory)
    {
        if (current() != nullptr || !dead.empty())
            prepare();
        replacing* const l = later_.get();
        retirement r(l == nullptr ? nullptr : &l->log);
        r.dead_ = dead;
        r.wait_ = wait;
        if constexpr (!Reclaim::on_readers) {
            if (l != nullptr) {
                r.left_ = &l->left;
                if (wait != nullptr)
                    wait->leaves = &l->left;
            }
        }
        return r;
    }

    template <class Recycle>
    void publish(Root* next, retirement& r, Recycle recycle) noexcept
    {
        replacing* const l = later_.get();
        if (l == nullptr) {  // this publication replaces no root, and no earlier one did
            store_.root_.exchange(next, std::memory_order_seq_cst);  // [hp.publish] as below
            if (r.wait_ != nullptr)
                r.wait_->signal();
            return;
        }
        // In a child of fork the readers of other threads do not exist. Not while this thread is
        // inside: then it holds some of the roots itself.
        if (l->log.forked() && !would_deadlock())
            l->log.follow_fork(current(), 1, l->pending.list.head());
        Root* const old = current();
        bool const removes = !r.dead_.empty();
        if (next != old) {
            if (next != nullptr) {
                // A root that was made as the first, by a change that also removes a handler.
                l->first.attach(*next);
                next->belong(l->log);
            }
            // [hp.publish] release: pairs with hp.look, so that readers see the rows. seq_cst: in
            // full mode the exchange comes before the scan in the total order, or both sides could
            // miss each other; in asymmetric mode the heavy fence orders them.
            store_.root_.exchange(next, std::memory_order_seq_cst);
            if (old != nullptr)
                l->pending.push(*old);
        }
        l->log.take_out(l->pending.newest, r.dead_, r.release_);
        l->unsettled += removes ? 1u : 0u;
        bool const now = l->unsettled >= Reclaim::batch || r.wait_ != nullptr;
        // [hp.deferred] A registration replaces only tables, and no thread waits for their
        // destruction. They wait for the fence of the next removal, unless too many are pending. So
        // do the first removals of a batch.
        fence const use = now || l->pending.count >= most_pending ? fence::allowed : fence::not_now;
        if (l->pending.newest != nullptr) {
            // After a refusal all pending roots wait until the kernel grants the fence again. A
            // search for their readers at each change would cost more and more.
            outcome const o = l->refused && use == fence::allowed && !domain::fence_works()
                ? outcome::refused
                : domain::settle(&store_, l->pending.head(), use);
            if (o != outcome::deferred)
                l->refused = o == outcome::refused;
            if (o != outcome::settled) {
                // A thread that waits for readers cannot return: readers may still be inside.
                if (r.wait_ != nullptr)
                    fence_refused();
                return r.release_.count();
            }
            l->retire_pending(r.release_);
        }
        l->unsettled = 0;
        if (r.wait_ != nullptr)
            l->log.wait_for_all(*r.wait_);
        recycle(r.release_.free);
        r.release_.count();
    }

    bool held() const noexcept { return current() != nullptr && domain::held(&store_, *current()); }

    bool would_deadlock() const noexcept
    {
        return domain::reading(&store_) || inside<Env>(&store_);
    }

    REGISTRY_IO_DETAIL_COLD void close(garbage_list& dead) noexcept
    {
        reclaim::assert_unread([this] { return !domain::read_by_others(&store_); });
        if (later_.get() == nullptr && (would_deadlock() || held_longer())) {
            BOOST_TRY
            {
                prepare();
            }
            BOOST_CATCH(...)
            {
                return;  // leaks: a reader holds the root, and nothing can make that reader free it
            }
            BOOST_CATCH_END
        }
        Root* const old = store_.root_.exchange(nullptr, std::memory_order_relaxed);
        replacing* const l = later_.get();
        if (l == nullptr) {
            single_part<Root> late;
            if (old != nullptr) {
                late.attach(*old);
                dead.push(&old->as_garbage());
            }
            nesting_scope<Env> const nesting(&store_);
            dead.destroy_all();
            return;
        }
        typename retired::release r(&l->log);
        if (old != nullptr)
            l->pending.push(*old);
        l->log.take_out(l->pending.newest, dead, r);
        // A root that this thread is inside of is freed when the thread leaves it.
        domain::settle(&store_, l->pending.head(), fence::needless);
        l->retire_pending(r);
        l->log.leave_to = nullptr;
        l->log.close(r);
        if constexpr (!Reclaim::on_readers)
            l->left.drain_all();
    }

private:
    // The fences of a writer at full speed are its main cost for readers. So there are fewer fences
    // if the memory of pending tables does not matter.
    static constexpr unsigned enough = [] {
        if constexpr (requires { requires Source::plentiful; })
            return 128u;
        else
            return 32u;
    }();
    static constexpr unsigned most_pending = Reclaim::batch < enough ? enough : Reclaim::batch;

    /// Replaced roots that are not settled, in the order of replacement.
    struct pending_roots
    {
        garbage_list list{};
        root_header* newest = nullptr;
        unsigned count = 0;

        root_header* head() const noexcept { return of(list.head()); }
        void push(root_header& e) noexcept
        {
            list.push(&e.as_garbage());
            newest = &e;
            ++count;
        }
        root_header* pop() noexcept
        {
            newest = nullptr;
            count = 0;
            return of(list.pop());
        }

    private:
        static root_header* of(garbage* g) noexcept
        {
            return g == nullptr ? nullptr : &root_header::of(*g);
        }
    };

    /// State that exists from the second publication on, which is the first to replace a root.
    struct replacing
    {
        REGISTRY_IO_DETAIL_BEGIN_UNINITIALIZED
        replacing(Store& s, unsigned forks) noexcept : log(&s, forks)
        {
            if constexpr (!Reclaim::on_readers)
                log.leave_to = &left;
        }
        REGISTRY_IO_DETAIL_END_UNINITIALIZED

        void retire_pending(typename retired::release& r) noexcept
        {
            while (root_header* const e = pending.pop())
                log.retire(*e, r);
        }

        REGISTRY_IO_NO_UNIQUE_ADDRESS single_part<Root> first{};
        retired log;
        pending_roots pending{};
        unsigned unsettled = 0;  // removals since the last search for readers
        bool refused = false;    // the kernel refused the last fence
        // The roots that readers leave to writers, if readers do not destroy.
        struct nothing
        {
        };
        REGISTRY_IO_NO_UNIQUE_ADDRESS
        std::conditional_t<Reclaim::on_readers, nothing, typename retired::stack> left;
    };

    REGISTRY_IO_DETAIL_COLD void prepare_once()
    {
        replacing& l = later_.make(store_, forks_);
        if (Root* const root = current()) {
            l.first.attach(*root);
            root->belong(l.log);
        }
    }

    /// Whether the current root has a holder besides the registry.
    bool held_longer() const noexcept { return current() != nullptr && current()->holders() != 1; }

    Store& store_;
    typename Env::mutex mutex_{};
    unsigned const forks_;  // at construction
    registry_io::detail::on_demand<replacing, Source> later_;
};

}  // namespace reclaim
}  // namespace v1
}  // namespace registry_io

#endif
