// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The unit of reclamation of RCU: an era, which ends with an epoch. Garbage hangs on an era, and
// the last reader that the era counts destroys the garbage. This is last-reader-out reclamation for
// all roots of a domain at once. The garbage of an era is a Treiber stack (1986), which a special
// word closes. Invariant: garbage that hangs on an era is destroyed once, by the drain of that era.

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

/// The time during which readers of an RCU domain can see the roots that were replaced before its
/// end.
///
/// The count covers the owner, which is the writer that ended the era; each reader that has been
/// asked to report when it leaves; and the era before it, while that era counts readers in its
/// stead. The holder that brings the count to zero drains the era: it destroys the garbage, and
/// drops the hold on the next era. Closing the era is the last step of its drain. From then on it
/// belongs to the writers alone. Eras are used again and never freed.
///
/// Invariant: garbage that hangs on an era is destroyed once, by the drain of that era.
template <class Env>
class REGISTRY_IO_EXPORT era
{
    template <class T>
    using atomic = typename Env::template atomic<T>;

public:
    constexpr era() noexcept = default;

    /// Names the domain on the nesting list while this era drains: `synchronize` is refused then.
    void const* owner = nullptr;
    /// Garbage that this era's drain destroys. The writer that ends the era sets it before it drops
    /// its hold.
    garbage_list own{};
    /// For a `left_stack`.
    era*& next_left() noexcept { return next_left_; }
    /// The stack on which the last holder leaves this era. Null if the last holder drains it.
    left_stack<Env, era>* leave_to = nullptr;

    /// Resets the era. Precondition: it is closed, or was never used.
    void restart() noexcept
    {
        own = garbage_list();
        count_.store(1, std::memory_order_relaxed);
        hung_.store(nullptr, std::memory_order_relaxed);
    }

    /// Adds a holder. Precondition: another holder stays for the duration of this call.
    // relaxed: an increment publishes nothing.
    void hold() noexcept { count_.fetch_add(1, std::memory_order_relaxed); }

    /// Returns the number of holders, the owner included. acquire: pairs with let_go. A caller that
    /// sees the last reader gone may free what that reader read.
    std::uint32_t holders() const noexcept { return count_.load(std::memory_order_acquire); }

    /// [era.closed] Whether it has drained. acquire: pairs with the close. Without it, the writer
    /// could use the era again before the drain has left it.
    bool closed() const noexcept { return hung_.load(std::memory_order_acquire) == end(); }

    /// Hangs the list on the era, and empties the list. Returns false, and leaves the list as it
    /// is, if the era has closed.
    bool hang(garbage_list& list) noexcept
    {
        if (list.empty())
            return !closed();
        // acquire, here and where the exchange fails: pairs with the close at the end of a drain. A
        // caller that finds the era closed destroys what readers of this era read; with relaxed
        // loads those reads would race with the destruction.
        garbage* head = hung_.load(std::memory_order_acquire);
        do {
            if (head == end()) {
                list.tail()->next = nullptr;  // undo the link of a failed attempt
                return false;
            }
            list.tail()->next = head;
            // [era.hang] release: pairs with the exchange in the drain, which reads the garbage.
        } while (!hung_.compare_exchange_strong(head, list.head(), std::memory_order_release,
                                                std::memory_order_acquire));
        list = garbage_list();
        return true;
    }

    /// Makes this era's drain drop one hold of `later`. Returns false if this era has closed. Call
    /// it at most once for each use of an era.
    bool chain(era& later) noexcept
    {
        later_ = &later;
        return hang_one(chained_);
    }

    /// As `hang`, for one item. An item whose birth is `completes` is destroyed after all other
    /// items, when the drain does not touch the era any more: the thread that it wakes may destroy
    /// what the era protects.
    bool hang_one(garbage& g) noexcept
    {
        garbage_list one;
        one.push(&g);
        return hang(one);
    }
    static constexpr std::uint64_t completes = ~std::uint64_t(0);

    /// Drops a hold. The last holder drains, which runs destructors of captures, or leaves the era
    /// on `leave_to`.
    void drop() noexcept
    {
        // A loop and not a recursion, since a chain of eras can be long.
        for (era* e = this; e != nullptr && e->let_go();) {
            if (e->leave_to != nullptr)
                return e->leave_to->push(*e);
            e = e->drain_once();
        }
    }

    /// Drops a hold. Precondition: it is not the last one.
    void leave_early() noexcept { let_go(); }

    /// Drops the owner's hold under the domain's mutex, without running user code. If it returns
    /// true, the caller must drain the era without the mutex. Until then the era is unread, and not
    /// closed.
    bool let_go() noexcept
    {
        // [era.let_go] release: this holder's reads come before the destruction. acquire: pairs
        // with the releases of all other holders. Without either, a read could race with the
        // destruction.
        return count_.fetch_sub(1, std::memory_order_acq_rel) == 1;
    }

    /// Destroys the garbage of this era, and drops its hold on the next one. Precondition: the era
    /// has no holder. Call it once.
    void drain() noexcept
    {
        if (era* const later = drain_once())
            later->drop();
    }

private:
    // A constant and not the address of a static: each shared object may have its own copy of a
    // static.
    // NOLINTNEXTLINE(performance-no-int-to-ptr): it is only compared.
    static garbage* end() noexcept { return reinterpret_cast<garbage*>(alignof(garbage)); }

    /// Drains this era alone. Returns the era that is chained to it, or null.
    BOOST_NOINLINE era* drain_once() noexcept
    {
        nesting_scope<Env> nesting(owner);
        garbage* completions = nullptr;
        era* later = nullptr;
        own.destroy_all();
        for (;;) {
            // [era.take] acquire: pairs with the release of hang. Without it, destroy could read
            // the garbage before it is written.
            garbage* head = hung_.exchange(nullptr, std::memory_order_acquire);
            if (head == nullptr) {
                // [era.close] Only an empty list is closed, so garbage that is hung while
                // destructors run is destroyed too: a completion waits for it. release: pairs with
                // the acquire of closed and hang.
                if (hung_.compare_exchange_strong(head, end(), std::memory_order_acq_rel,
                                                  std::memory_order_acquire))
                    break;
                continue;
            }
            while (head != nullptr) {
                // Read the link first: destroying frees this item.
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
    garbage chained_{nullptr};  ///< stands for `later_` on the stack of garbage
    era* later_ = nullptr;
    era* next_left_ = nullptr;
};

}  // namespace reclaim
}  // namespace v1
}  // namespace registry_io

#endif
