// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The roots that the writers of one registry have replaced and that readers may still hold, and who
// frees them: the last reader of each. What was taken out hangs on the newest root that shows it,
// and passes to the next older one when that root goes. The rule of births is that of hazard eras
// (Ramalhete and Correia, 2017) and of interval-based reclamation (Wen et al., 2018). Invariant:
// nothing is freed while a root in the list shows it.

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
#include <registry_io/reclaim/env.hpp>
#include <registry_io/reclaim/nesting.hpp>
#include <registry_io/reclaim/retired_locks.hpp>

namespace registry_io {
inline namespace v1 {
namespace reclaim {

template <class Env>
class retired_roots;

/// The base of a root whose readers are counted: all of them, or those alone that a writer has
/// asked to report when they leave.
///
/// The count holds the owner, which is the current root's place or the writers' list of roots that
/// they have replaced, and each of these readers. Whoever brings it to zero frees what only this
/// root kept alive ("last reader out"): no later operation is needed, and no reader waits for
/// another.
template <class Env>
class counted_root : public garbage
{
    template <class T>
    using atomic = typename Env::template atomic<T>;

public:
    counted_root() noexcept : garbage(nullptr) {}

    /// What a root needs when it is replaced. It lies behind the root's rows; but that of a
    /// registry's first root lies with what its writer makes for the second.
    struct late_part
    {
        retired_roots<Env>* log = nullptr;
        // Under the lock of the list.
        counted_root* older = nullptr;
        counted_root* newer = nullptr;
        bool lost = false;             ///< held by threads alone that are gone since a fork
        std::uint64_t entered = 0;     ///< when it came into the list
        garbage_list own{};            ///< what was taken out when this root was replaced
        birth_heap passed{};           ///< what newer roots have passed on when they went
        counted_root* left = nullptr;  ///< for a `left_stack`
    };

    /// To be called before `belong`.
    void attach(late_part& late) noexcept { late_ = &late; }
    bool attached() const noexcept { return late_ != nullptr; }

    /// For a `left_stack`.
    counted_root*& next_left() noexcept { return late_->left; }

    /// Pins the root beyond the thread that reads it: a suspended coroutine. Precondition: the
    /// caller knows of a holder that stays meanwhile. Constant, wait-free.
    // relaxed: an increment hands nothing over.
    void hold() noexcept
    {
        pins_.fetch_add(1, std::memory_order_relaxed);
        enter();
    }

    /// Ends what `hold` began, on any thread. May run destructors of captures.
    void drop() noexcept
    {
        // Before the count: a child of `fork` counts the pins alone.
        pins_.fetch_sub(1, std::memory_order_relaxed);
        leave();
    }

    /// One reader more. Precondition: the caller knows of a holder that stays meanwhile.
    void enter() noexcept { count_.fetch_add(1, std::memory_order_relaxed); }

    /// One holder less; the last one drains, and runs destructors of captures, or leaves that to
    /// the writers.
    void leave() noexcept
    {
        if (let_go())
            late_->log->last_reader_left(*this);
    }

    /// The same where the caller knows that it is not the last.
    void leave_early() noexcept { let_go(); }

    /// How many hold it, the owner included. acquire: whoever sees the last reader gone may edit or
    /// free what that reader read.
    std::uint32_t holders() const noexcept { return count_.load(std::memory_order_acquire); }

    /// Whether somebody has pinned it.
    bool pinned() const noexcept { return pins_.load(std::memory_order_relaxed) != 0; }

    /// For `left_stack`: see `retired_roots::drain`.
    void drain() noexcept { late_->log->drain(*this); }

    /// The writers' list that it is going to be in. To be set before it is published.
    void belong(retired_roots<Env>& log) noexcept { late_->log = &log; }

private:
    friend class retired_roots<Env>;

    bool let_go() noexcept
    {
        // [era.let_go] release: this holder's reads come before the destruction. acquire: for the
        // last one.
        return count_.fetch_sub(1, std::memory_order_acq_rel) == 1;
    }

    atomic<std::uint32_t> count_{1};
    atomic<std::uint32_t> pins_{0};
    late_part* late_ = nullptr;
};

/// The roots of one registry that writers have replaced and that readers may still hold, oldest
/// first, with what was taken out meanwhile.
///
/// Each thing that was taken out hangs on one root: the newest one that shows it. When that root's
/// last reader leaves, the thing passes to the next older root in the list, if that shows it too,
/// else it is free. So a reader that sleeps pins what it can see and nothing newer; a change costs
/// the same however many roots are in the list; and memory grows with the roots that are held plus
/// the things that were taken out.
///
/// What one call sets free stays counted here until it is destroyed, which happens without any
/// lock, so that a `completion` waits for destructors too.
///
/// Concurrency: a lock of its own, held for a few steps: by the last reader of a root, and by a
/// writer while there is such a root. `Members for writers` are called under the writers' lock.
/// Complexity: constant for each root, logarithmic (amortised) for each thing that passes on.
/// Source: the rule of births is that of hazard eras (P. Ramalhete and A. Correia, 2017) and of
/// interval-based reclamation (H. Wen et al., 2018).
/// Invariant: nothing is freed while a root in the list shows it, i.e. has a version from its birth
/// on and before it was taken out.
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

    /// `owner` names the registry on the threads' lists of what they are inside of.
    explicit retired_roots(void const* owner) noexcept : retired_roots(owner, prepare()) {}
    /// `forks` is what `prepare` has returned, maybe in another process.
    retired_roots(void const* owner, unsigned forks) noexcept : owner_(owner), forks_(forks) {}
    retired_roots(retired_roots const&) = delete;
    retired_roots& operator=(retired_roots const&) = delete;

    void const* owner() const noexcept { return owner_; }

    /// Arranges for `fork`. Returns how many there were.
    static unsigned prepare() noexcept { return locks::prepare(); }

    /// Where the last readers leave roots; null when they drain them. Constant after construction.
    stack* leave_to = nullptr;

    /// What one publication sets free, on its way out of the writers' lock.
    class release
    {
    public:
        explicit release(retired_roots& log) noexcept : log_(&log) {}
        /// `log` may be null where nothing is set free.
        explicit release(retired_roots* log) noexcept : log_(log) {}
        release(release&& other) noexcept
            : free(std::exchange(other.free, {})),
              log_(other.log_),
              entered_(other.entered_),
              counted_(std::exchange(other.counted_, false))
        {
        }
        release& operator=(release&&) = delete;

        /// What no reader can see any more. Tables in it may be taken out, under the writers' lock.
        garbage_list free{};

        /// Precondition: nobody else takes anything out of `free`. Under the writers' lock.
        void count() noexcept
        {
            if (free.empty())
                return;
            counted_ = true;
            entered_ = log_->clock_++;
            // relaxed: who waits for it reads the number under the writers' lock too.
            log_->inside_.fetch_add(1, std::memory_order_relaxed);
        }

        /// Destroys it. Without the lock: runs user code.
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

    /// Takes `dead` out of `replaced`, which is not in the list yet, or, where no root was
    /// replaced, out of the list.
    BOOST_NOINLINE void take_out(root* replaced, garbage_list& dead, release& r) noexcept
    {
        if (dead.empty())
            return;
        if (replaced == nullptr) {
            lock_guard const lock(*this);
            pass_on(dead, newest_, r.free);
        } else {
            // What was put in and taken out by one transaction was never shown.
            while (garbage* const g = dead.pop())
                (g->birth > replaced->birth ? r.free : replaced->late_->own).push(g);
        }
    }

    /// Both in the order that they need: takes `dead` out of `replaced`, and retires `replaced`, if
    /// a root was replaced.
    void replace(root* replaced, garbage_list& dead, release& r) noexcept
    {
        take_out(replaced, dead, r);
        if (replaced != nullptr)
            retire(*replaced, r);
    }

    /// Puts a replaced root on the list, or frees it if nobody reads it. From now on its owner
    /// holds it no more. Precondition: no reader can come to hold it; newer than all in the list.
    BOOST_NOINLINE void retire(root& e, release& r) noexcept
    {
        // Nobody is in the list, so nobody but this writer looks at it. acquire: pairs with gone.
        if (inside_.load(std::memory_order_acquire) == 0 && e.holders() == 1) {
            r.free.append(e.late_->own);
            r.free.push(&e);
            return;
        }
        lock_guard const lock(*this);
        push(e);
        // [era.retire] Under the lock: the last reader, if it has left meanwhile, waits for us.
        if (e.let_go()) {
            unlink(e, r.free);
            r.free.push(&e);
            inside_.fetch_sub(1, std::memory_order_relaxed);
        }
    }

    /// Lets `c` be signalled when all that is in the list now, and all that was set free before, is
    /// destroyed.
    BOOST_NOINLINE void wait_for_all(completion_type& c) noexcept
    {
        {
            lock_guard const lock(*this);
            c.until = clock_;
            // Those that are being drained are counted too: their destructors run.
            c.left = inside_.load(std::memory_order_relaxed) - lost_;
            if (c.left != 0) {
                c.next = waiting_;
                waiting_ = &c;
                return;
            }
        }
        c.signal();
    }

    /// Whether a reader holds a root in the list. For one thread.
    bool read() const noexcept { return oldest_ != nullptr; }

    /// Whether this process has forked off since the list was made, or followed last.
    bool forked() const noexcept { return forks_ != locks::forks(); }

    /// In a child of `fork`, while this thread is not inside: the readers of other threads are gone
    /// and cannot report. Counts the pins alone. A root that is left to nobody stays, with what it
    /// shows, until the registry goes, since a handler may have been in the middle of it; but
    /// nobody waits for it. `current` is held by `owners` too; `pending`, linked by `next`, by
    /// theirs.
    REGISTRY_IO_DETAIL_COLD void follow_fork(root* current, std::uint32_t owners,
                                             garbage* pending) noexcept
    {
        forks_ = locks::forks();
        if (current != nullptr)
            recount(*current, owners);
        for (; pending != nullptr; pending = pending->next)
            recount(static_cast<root&>(*pending), 1);
        // Those who wait are other threads'.
        waiting_ = nullptr;
        std::size_t inside = 0;
        lost_ = 0;
        for (root* e = oldest_; e != nullptr; e = e->late_->newer, ++inside) {
            // One that readers have left to the writers is on its way already.
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

    /// The registry is going away. What this thread holds goes when it leaves; what was left to
    /// nobody by a fork goes now, with what `r` holds already. Runs user code.
    REGISTRY_IO_DETAIL_COLD void close(release& r) noexcept
    {
        closed_ = true;
        {
            lock_guard const lock(*this);
            for (root* e = newest_; e != nullptr;) {
                root* const older = e->late_->older;
                if (e->late_->lost && e->let_go()) {
                    unlink(*e, r.free);
                    r.free.push(e);
                    inside_.fetch_sub(1, std::memory_order_relaxed);
                }
                e = older;
            }
        }
        r.count();
        r.finish();
    }

    // ----- for readers

    /// The last reader of `e` has left.
    void last_reader_left(root& e) noexcept
    {
        if (leave_to != nullptr)
            leave_to->push(e);
        else
            drain(e);
    }

    /// Frees what `e` alone kept alive, and `e`. Runs user code. Precondition: nobody holds it, and
    /// this is called once.
    BOOST_NOINLINE void drain(root& e) noexcept
    {
        garbage_list free{};
        std::uint64_t const entered = e.late_->entered;
        {
            // [era.drain] The lock pairs with the writer's in retire: `e` is in the list.
            lock_guard const lock(*this);
            unlink(e, free);
        }
        nesting_scope<Env> const nesting(owner_);
        free.destroy_all();
        // What was destroyed may have destroyed the registry. Then this list is gone when the last
        // root is, unless this thread waits: a `synchronize` that drains keeps the list. Without
        // the lock: once it is closed, no other thread is inside.
        bool const last = closed_ && waiting_ == nullptr;
        e.destroy(&e);
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

    /// Takes `e` off the list. What no root in it shows goes to `free`.
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
        while (!e.late_->passed.empty() && e.late_->passed.top().birth > to->birth)
            free.push(e.late_->passed.pop());
        to->late_->passed.meld(e.late_->passed);
    }

    /// Hangs on `to`, which may be null, what that root shows. The rest goes to `free`.
    BOOST_NOINLINE static void pass_on(garbage_list& dead, root* to, garbage_list& free) noexcept
    {
        if (to == nullptr) {
            free.append(dead);
            return;
        }
        while (garbage* const g = dead.pop()) {
            // [era.birth] A root of a version before its birth does not show it.
            if (g->birth > to->birth)
                free.push(g);
            else
                to->late_->passed.push(*g);
        }
    }

    /// What entered then is destroyed. The registry, and this list, may be gone when this returns.
    BOOST_NOINLINE void gone(std::uint64_t entered) noexcept
    {
        completion_type* all_gone = nullptr;
        {
            lock_guard const lock(*this);
            // The newest first: those that began to wait before it entered do not wait for it.
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
            // release: pairs with the look without the lock in retire.
            inside_.fetch_sub(1, std::memory_order_release);
        }
        // Without the lock: the thread that wakes may destroy the registry.
        while (all_gone != nullptr)
            std::exchange(all_gone, all_gone->next)->signal();
    }

    void const* const owner_;
    root* oldest_ = nullptr;
    root* newest_ = nullptr;
    completion_type* waiting_ = nullptr;  // the last one first
    /// How many roots are in the list, or were taken off it and are not destroyed yet.
    atomic<std::size_t> inside_{0};
    std::size_t lost_ = 0;     // of them, by threads that are gone since a fork
    bool closed_ = false;      // by this thread, if at all while one of them is drained
    std::uint64_t clock_ = 0;  // of those that enter; under the writers' lock
    unsigned forks_;
};

#ifdef REGISTRY_IO_SEPARATE_COMPILATION
REGISTRY_IO_DETAIL_EXTERN retired_roots<std_env>;
#endif

}  // namespace reclaim
}  // namespace v1
}  // namespace registry_io

#endif
