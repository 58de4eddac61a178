// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The roots that the writers of one registry have replaced and that readers may still hold. The
// last reader of each root frees it. Garbage hangs on the newest root that shows it, and passes to
// the next older root when that root is freed. The rule of births is that of hazard eras (Ramalhete
// and Correia, 2017) and of interval-based reclamation (Wen et al., 2018). Invariant: nothing is
// freed while a root in the list shows it.

#ifndef REGISTRY_IO_RECLAIM_RETIRED_HPP
#define REGISTRY_IO_RECLAIM_RETIRED_HPP

#include <registry_io/detail/supported.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <registry_io/config.hpp>
#include <registry_io/garbage.hpp>
#include <registry_io/reclaim/birth_heap.hpp>
#include <registry_io/reclaim/completion.hpp>
#include <registry_io/reclaim/counted_root.hpp>
#include <registry_io/reclaim/env.hpp>
#include <registry_io/reclaim/nesting.hpp>
#include <registry_io/reclaim/retired_locks.hpp>

namespace registry_io {
inline namespace v1 {
namespace reclaim {

/// The roots of one registry that writers have replaced and that readers may still hold, oldest
/// first, with the garbage that they show.
///
/// Each item of garbage hangs on one root: the newest one that shows it. When that root's last
/// reader leaves, the item passes to the next older root in the list if that root shows it too;
/// otherwise it is free. So a sleeping reader pins what it can see and nothing newer. The cost of a
/// change does not depend on the length of the list. Memory grows with the number of held roots
/// plus the number of garbage items.
///
/// The garbage that a call sets free stays counted here until it is destroyed, so a `completion`
/// waits for destructors too. Destructors run without a lock.
///
/// Concurrency: the last reader of a root, and a writer while the list has roots, take the list's
/// lock for a few steps. Call the `Members for writers` under the writers' lock.
/// Complexity: constant for each root, logarithmic (amortised) for each item that passes on.
/// Source: the rule of births is that of hazard eras (P. Ramalhete and A. Correia, 2017) and of
/// interval-based reclamation (H. Wen et al., 2018).
/// Invariant: nothing is freed while a root in the list shows it. A root shows an item if its
/// version is not older than the item's birth and the item was removed after that version.
template <class Env>
class retired_roots
{
    template <class T>
    using atomic = typename Env::template atomic<T>;
    using locks = retired_locks<Env>;
    using completion_type = completion<Env>;

public:
    using root = counted_root<Env>;
    using stack = left_stack<Env, root>;

    /// `owner` names the registry in the threads' nesting lists.
    explicit retired_roots(void const* owner) noexcept : retired_roots(owner, prepare()) {}
    /// `forks` is the result of `prepare`, perhaps in another process.
    retired_roots(void const* owner, unsigned forks) noexcept : owner_(owner), forks_(forks) {}
    retired_roots(retired_roots const&) = delete;
    retired_roots& operator=(retired_roots const&) = delete;

    void const* owner() const noexcept { return owner_; }

    /// Registers the `fork` handlers. Returns the number of forks so far.
    static unsigned prepare() noexcept { return locks::prepare(); }

    /// The stack on which last readers leave roots. Null if they drain roots themselves.
    stack* leave_to = nullptr;

    /// The garbage that one publication sets free, to be destroyed after the writers' lock is
    /// released.
    class release
    {
    public:
        explicit release(retired_roots& log) noexcept : log_(&log) {}
        /// `log` may be null if nothing is set free.
        explicit release(retired_roots* log) noexcept : log_(log) {}
        release(release&& other) noexcept
            : free(std::exchange(other.free, {})),
              log_(other.log_),
              entered_(other.entered_),
              counted_(std::exchange(other.counted_, false))
        {
        }
        release& operator=(release&&) = delete;

        /// Garbage that no reader can see. A writer may take tables out of it, under the writers'
        /// lock.
        garbage_list free{};

        /// Counts the release in the list, so that completions wait for it. Call it under the
        /// writers' lock, when `free` will not change any more.
        void count() noexcept
        {
            if (free.empty())
                return;
            counted_ = true;
            entered_ = log_->clock_++;
            // relaxed: `wait_for_all` reads the number under the writers' lock too.
            log_->inside_.fetch_add(1, std::memory_order_relaxed);
        }

        /// Destroys the garbage. Runs user code, so call it without the writers' lock.
        BOOST_NOINLINE void finish() noexcept
        {
            if (!counted_)
                return;
            nesting_scope<Env> const nesting(log_->owner_);
            free.destroy_all();
            log_->gone(entered_);
        }

    private:
        retired_roots* log_;
        std::uint64_t entered_ = 0;
        bool counted_ = false;
    };

    // ----- Members for writers

    /// Hangs `dead` on the root that still shows it: on `replaced`, which is not in the list yet,
    /// or, if that is null, on a root in the list. What no root shows goes to `r`.
    BOOST_NOINLINE void take_out(root* replaced, garbage_list& dead, release& r) noexcept
    {
        if (dead.empty())
            return;
        if (replaced == nullptr) {
            lock_guard const lock(*this);
            pass_on(dead, newest_, r.free);
        } else {
            // A transaction may add and remove the same handler: no root ever showed it.
            while (garbage* const g = dead.pop())
                (g->birth > replaced->late_->birth ? r.free : replaced->late_->own).push(g);
        }
    }

    /// Calls `take_out` and then, if a root was replaced, `retire`.
    void replace(root* replaced, garbage_list& dead, release& r) noexcept
    {
        take_out(replaced, dead, r);
        if (replaced != nullptr)
            retire(*replaced, r);
    }

    /// Puts a replaced root on the list, or frees it if it has no reader. Drops the owner's hold.
    /// Precondition: no new reader can hold it, and it is newer than all roots in the list.
    BOOST_NOINLINE void retire(root& e, release& r) noexcept
    {
        // The list is empty, so only this writer uses it. acquire: pairs with the release of gone.
        // Without it, this writer could use the list before the last reader has left it.
        if (inside_.load(std::memory_order_acquire) == 0 && e.holders() == 1) {
            r.free.append(e.late_->own);
            r.free.push(e.late_);
            return;
        }
        lock_guard const lock(*this);
        push(e);
        // [era.retire] Under the lock: a last reader that has left meanwhile waits for the lock.
        if (e.let_go()) {
            unlink(e, r.free);
            r.free.push(e.late_);
            inside_.fetch_sub(1, std::memory_order_relaxed);
        }
    }

    /// Arranges that `c` is signalled when all roots that are in the list now, and all garbage that
    /// was set free before, are destroyed.
    BOOST_NOINLINE void wait_for_all(completion_type& c) noexcept
    {
        {
            lock_guard const lock(*this);
            c.until = clock_;
            // `inside_` includes the roots whose drain is still running destructors.
            c.left = inside_.load(std::memory_order_relaxed) - lost_;
            if (c.left != 0) {
                c.next = waiting_;
                waiting_ = &c;
                return;
            }
        }
        c.signal();
    }

    /// Whether the list has a root, which a reader then holds. For registries of one thread.
    bool read() const noexcept { return oldest_ != nullptr; }

    /// Whether this process was forked after the list was made and after the last `follow_fork`.
    bool forked() const noexcept { return forks_ != locks::forks(); }

    /// Counts the holders again in a child of `fork`, where the other threads' readers do not exist
    /// and cannot report. Only pins count, with `owners` for `current`, and one owner for each root
    /// of `pending`, which `next` links. A root without holders is lost: it stays, with what it
    /// shows, until the registry is destroyed, since a handler may have been running in the middle
    /// of it; no completion waits for it. Precondition: this thread is not inside the registry.
    REGISTRY_IO_DETAIL_COLD void follow_fork(root* current, std::uint32_t owners,
                                             garbage* pending) noexcept
    {
        forks_ = locks::forks();
        if (current != nullptr)
            recount(*current, owners);
        for (; pending != nullptr; pending = pending->next)
            recount(root::of(*pending), 1);
        // The completions belong to threads that do not exist in this process.
        waiting_ = nullptr;
        std::size_t inside = 0;
        lost_ = 0;
        for (root* e = oldest_; e != nullptr; e = e->late_->newer, ++inside) {
            // Readers have left this root on `leave_to`, where a writer will find it.
            if (leave_to != nullptr && e->holders() == 0)
                continue;
            recount(*e, 0);
            if (e->holders() != 0)
                continue;
            e->enter();
            e->late_->lost = true;
            ++lost_;
        }
        inside_.store(inside, std::memory_order_relaxed);
    }

    /// Called by the registry's destructor. Frees the roots that a fork has left without a holder,
    /// and the garbage of `r`. The roots that this thread holds are freed when it leaves them. Runs
    /// user code.
    REGISTRY_IO_DETAIL_COLD void close(release& r) noexcept
    {
        closed_ = true;
        {
            lock_guard const lock(*this);
            for (root* e = newest_; e != nullptr;) {
                root* const older = e->late_->older;
                if (e->late_->lost && e->let_go()) {
                    unlink(*e, r.free);
                    r.free.push(e->late_);
                    inside_.fetch_sub(1, std::memory_order_relaxed);
                }
                e = older;
            }
        }
        r.count();
        r.finish();
    }

    // ----- for readers

    /// Called by the last reader of `e` when it leaves.
    void last_reader_left(root& e) noexcept
    {
        if (leave_to != nullptr)
            leave_to->push(e);
        else
            drain(e);
    }

    /// Frees what `e` alone kept alive, and `e`. Runs user code. Precondition: `e` has no holder.
    /// Call it once.
    BOOST_NOINLINE void drain(root& e) noexcept
    {
        garbage_list free{};
        std::uint64_t const entered = e.late_->entered;
        {
            // [era.drain] The lock pairs with the lock in retire: without it, `e` might not be in
            // the list yet.
            lock_guard const lock(*this);
            unlink(e, free);
        }
        nesting_scope<Env> const nesting(owner_);
        free.destroy_all();
        // A destructor may have destroyed the registry. Then destroying the last root destroys this
        // list too, unless this thread waits: a `synchronize` that drains keeps the list. No lock
        // is needed here: once the list is closed, no other thread is inside.
        bool const last = closed_ && waiting_ == nullptr;
        e.late_->destroy(e.late_);
        if (!last)
            gone(entered);
    }

private:
    friend class release;

    class lock_guard
    {
    public:
        explicit lock_guard(retired_roots const& log) noexcept : mutex_(locks::of(&log))
        {
            mutex_.lock();
        }
        lock_guard(lock_guard const&) = delete;
        lock_guard& operator=(lock_guard const&) = delete;
        ~lock_guard() { mutex_.unlock(); }

    private:
        decltype(locks::of(nullptr)) mutex_;
    };

    static void recount(root& e, std::uint32_t owners) noexcept
    {
        e.count_.store(e.pins_.load(std::memory_order_relaxed) + owners, std::memory_order_relaxed);
    }

    void push(root& e) noexcept
    {
        e.late_->entered = clock_++;
        e.late_->older = newest_;
        e.late_->newer = nullptr;
        (newest_ == nullptr ? oldest_ : newest_->late_->newer) = &e;
        newest_ = &e;
        inside_.fetch_add(1, std::memory_order_relaxed);
    }

    /// Takes `e` off the list. Garbage that no root in the list shows goes to `free`.
    BOOST_NOINLINE void unlink(root& e, garbage_list& free) noexcept
    {
        (e.late_->older == nullptr ? oldest_ : e.late_->older->late_->newer) = e.late_->newer;
        (e.late_->newer == nullptr ? newest_ : e.late_->newer->late_->older) = e.late_->older;
        root* const to = e.late_->older;
        pass_on(e.late_->own, to, free);
        if (to == nullptr) {
            e.late_->passed.take_all(free);
            return;
        }
        while (!e.late_->passed.empty() && e.late_->passed.top().birth > to->late_->birth)
            free.push(e.late_->passed.pop());
        to->late_->passed.meld(e.late_->passed);
    }

    /// Hangs the garbage that `to` shows on `to`, which may be null. The rest goes to `free`.
    BOOST_NOINLINE static void pass_on(garbage_list& dead, root* to, garbage_list& free) noexcept
    {
        if (to == nullptr) {
            free.append(dead);
            return;
        }
        while (garbage* const g = dead.pop()) {
            // [era.birth] A root whose version is older than the item's birth does not show the
            // item.
            if (g->birth > to->late_->birth)
                free.push(g);
            else
                to->late_->passed.push(*g);
        }
    }

    /// Called when the root or release that entered at `entered` is destroyed. The registry and
    /// this list may be destroyed when it returns.
    BOOST_NOINLINE void gone(std::uint64_t entered) noexcept
    {
        completion_type* all_gone = nullptr;
        {
            lock_guard const lock(*this);
            // The newest completion first. Completions that began to wait before `entered` do not
            // count it.
            for (completion_type** at = &waiting_; *at != nullptr && (*at)->until > entered;) {
                completion_type* const c = *at;
                if (--c->left != 0) {
                    at = &c->next;
                    continue;
                }
                *at = c->next;
                c->next = all_gone;
                all_gone = c;
            }
            // release: pairs with the load without the lock in retire.
            inside_.fetch_sub(1, std::memory_order_release);
        }
        // Signals without the lock: the thread that wakes may destroy the registry.
        while (all_gone != nullptr)
            std::exchange(all_gone, all_gone->next)->signal();
    }

    void const* const owner_;
    root* oldest_ = nullptr;
    root* newest_ = nullptr;
    completion_type* waiting_ = nullptr;  // the newest first
    /// The number of roots and counted releases that are not destroyed yet.
    atomic<std::size_t> inside_{0};
    std::size_t lost_ = 0;     // how many of them a fork has left without a reader
    bool closed_ = false;      // set by `close`; during a drain, only by the draining thread
    std::uint64_t clock_ = 0;  // the next value of `entered`; under the writers' lock
    unsigned forks_;
};

#ifdef REGISTRY_IO_SEPARATE_COMPILATION
REGISTRY_IO_DETAIL_EXTERN retired_roots<std_env>;
#endif

}  // namespace reclaim
}  // namespace v1
}  // namespace registry_io

#endif
