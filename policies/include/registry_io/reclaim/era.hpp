// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The unit of reclamation of RCU: an era, which ends with an epoch. Garbage hangs on an era, and
// the last reader that the era counts destroys it. This is the last-reader-out idea of the library,
// applied to all roots of a domain at once; what hangs on an era is a Treiber stack (1986), which a
// special word closes. Invariant: what hangs on an era that is not closed is destroyed once, by its
// drain.

#ifndef REGISTRY_IO_RECLAIM_ERA_HPP
#define REGISTRY_IO_RECLAIM_ERA_HPP

#include <registry_io/detail/supported.hpp>

#include <cstdint>
#include <utility>

#include <registry_io/config.hpp>
#include <registry_io/garbage.hpp>
#include <registry_io/reclaim/completion.hpp>
#include <registry_io/reclaim/nesting.hpp>

namespace registry_io {
inline namespace v1 {
namespace reclaim {

/// The time during which the readers of an RCU domain can see what was replaced before it ended.
///
/// `count` holds the owner, which is the writer that ended it, and each reader that has been asked
/// to report when it leaves, and the era before it while that one counts readers in its stead.
/// Whoever brings the count to zero drains: destroys what hangs on the era, and lets go of the next
/// one. An era that has drained is closed, which is the last thing that a drain does to it; from
/// then on it belongs to the writers alone. Eras are used again and never freed.
///
/// Invariant: what hangs on an era that is not closed is destroyed once, by its drain.
template <class Env>
class REGISTRY_IO_EXPORT era
{
    template <class T>
    using atomic = typename Env::template atomic<T>;

public:
    constexpr era() noexcept = default;

    /// Whom `synchronize` must not be called from while this drains.
    void const* owner = nullptr;
    /// What goes with this era. Set by the writer that ends it, before it drops its count.
    garbage_list own{};
    /// For a `left_stack`.
    era*& next_left() noexcept { return next_left_; }
    /// Where the last holder leaves it; null when that one drains it.
    left_stack<Env, era>* leave_to = nullptr;

    /// As if new. Precondition: closed, or never used.
    void restart() noexcept
    {
        own = garbage_list();
        count_.store(1, std::memory_order_relaxed);
        hung_.store(nullptr, std::memory_order_relaxed);
    }

    /// One holder more. Precondition: the caller knows of a holder that stays meanwhile.
    // relaxed: an increment hands nothing over.
    void hold() noexcept { count_.fetch_add(1, std::memory_order_relaxed); }

    /// How many hold it, the owner included. acquire: who sees the last reader gone may free what
    /// that reader read.
    std::uint32_t holders() const noexcept { return count_.load(std::memory_order_acquire); }

    /// [era.closed] Whether it has drained. acquire: the drain comes before what the writer does
    /// next, which is to use the era again.
    bool closed() const noexcept { return hung_.load(std::memory_order_acquire) == end(); }

    /// Hangs garbage on it, and empties the list; false when the era has closed, and will not let
    /// go of anything more.
    bool hang(garbage_list& list) noexcept
    {
        if (list.empty())
            return !closed();
        // acquire, here and where the exchange fails: who finds it closed destroys what readers of
        // this era read. Pairs with the close at the end of a drain; with relaxed loads the last
        // reader's reads would race with that destruction.
        garbage* head = hung_.load(std::memory_order_acquire);
        do {
            if (head == end()) {
                list.tail()->next = nullptr;  // not what an attempt before this one has linked
                return false;
            }
            list.tail()->next = head;
            // [era.hang] release: the drain reads the garbage.
        } while (!hung_.compare_exchange_strong(head, list.head(), std::memory_order_release,
                                                std::memory_order_acquire));
        list = garbage_list();
        return true;
    }

    /// Lets the end of this era's drain drop one hold of `later`. False when it has closed. Once
    /// for each era.
    bool chain(era& later) noexcept
    {
        later_ = &later;
        return hang_one(chained_);
    }

    /// Hangs one thing on it, as `hang`. What has `completes` for its birth is destroyed after
    /// everything else, when the drain does not touch the era any more: the thread that it wakes
    /// may go on to destroy what the era is about.
    bool hang_one(garbage& g) noexcept
    {
        garbage_list one;
        one.push(&g);
        return hang(one);
    }
    static constexpr std::uint64_t completes = ~std::uint64_t(0);

    /// One holder less. The last one drains, and runs destructors of captures, or leaves that to
    /// the stack.
    void drop() noexcept
    {
        // A loop, since a chain of eras can be long.
        for (era* e = this; e != nullptr && e->let_go();) {
            if (e->leave_to != nullptr)
                return e->leave_to->push(*e);
            e = e->drain_once();
        }
    }

    /// The same where the caller knows that it is not the last.
    void leave_early() noexcept { let_go(); }

    /// The same for an owner under the domain's mutex: no user code runs. When it returns true the
    /// caller has to drain, without the mutex. Till then the era is unread, and not closed.
    bool let_go() noexcept
    {
        // [era.let_go] release: this holder's reads come before the destruction. acquire: for the
        // last one.
        return count_.fetch_sub(1, std::memory_order_acq_rel) == 1;
    }

    /// Precondition: nobody holds it, and this is called once.
    void drain() noexcept
    {
        if (era* const later = drain_once())
            later->drop();
    }

private:
    // Not the address of an object: shared objects may each have their own copy of a static.
    // NOLINTNEXTLINE(performance-no-int-to-ptr): it is only compared.
    static garbage* end() noexcept { return reinterpret_cast<garbage*>(alignof(garbage)); }

    /// Returns the era that is chained to this one.
    BOOST_NOINLINE era* drain_once() noexcept
    {
        nesting_scope<Env> nesting(owner);
        garbage* completions = nullptr;
        era* later = nullptr;
        own.destroy_all();
        for (;;) {
            // [era.take] acquire: pairs with hang.
            garbage* head = hung_.exchange(nullptr, std::memory_order_acquire);
            if (head == nullptr) {
                // [era.close] Closing only an empty list means that what is hung while destructors
                // run is honoured too: a completion waits for them. release: pairs with closed.
                if (hung_.compare_exchange_strong(head, end(), std::memory_order_acq_rel,
                                                  std::memory_order_acquire))
                    break;
                continue;
            }
            while (head != nullptr) {
                // The next one first: destroying frees this one.
                garbage* const g = std::exchange(head, head->next);
                if (g == &chained_) {
                    later = later_;  // [rcu.chained]
                } else if (g->birth == completes) {
                    g->next = completions;
                    completions = g;
                } else {
                    g->destroy(g);
                }
            }
        }
        while (completions != nullptr) {
            garbage* const g = std::exchange(completions, completions->next);
            g->destroy(g);
        }
        return later;
    }

    atomic<std::uint32_t> count_{1};
    atomic<garbage*> hung_{nullptr};
    garbage chained_{nullptr};  ///< stands for `later_` among what hangs on it
    era* later_ = nullptr;
    era* next_left_ = nullptr;
};

}  // namespace reclaim
}  // namespace v1
}  // namespace registry_io

#endif
