// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The domain of hazard pointers (Michael, 2004; P2530): the slots of all threads, and how a writer
// finds the readers of a root. A writer that finds a reader leaves mail in the reader's slot
// instead of scanning again later, and the reader reports when it leaves. Invariant: when `settle`
// has returned `settled`, each reader of a replaced root is counted in that root, and no slot holds
// mail for a read that had ended before.

#ifndef REGISTRY_IO_RECLAIM_HAZARD_HPP
#define REGISTRY_IO_RECLAIM_HAZARD_HPP

#include <registry_io/detail/supported.hpp>

#include <cstddef>
#include <cstdint>

#include <registry_io/config.hpp>
#include <registry_io/reclaim/end_read.hpp>
#include <registry_io/reclaim/nesting.hpp>
#include <registry_io/reclaim/retired.hpp>
#include <registry_io/reclaim/thread_domain.hpp>

namespace registry_io {
inline namespace v1 {
namespace reclaim {

/// A slot: announces what one read protects, and receives the request to report when it has ended.
/// References to its words, since the words of the fast path are variables of their own.
template <class Env>
struct REGISTRY_IO_EXPORT hazard_slot
{
    template <class T>
    using atomic = typename Env::template atomic<T>;
    using state_type = std::uintptr_t;
    using era_type = counted_root<Env>;

    static constexpr bool has_cell = true;
    static constexpr state_type cold = 0;  ///< not to be used: by the fast path, or at all
    static constexpr state_type idle = 1;

    atomic<state_type>& hp;     ///< the root that is protected, or idle, or cold
    atomic<era_type*>& mail;    ///< the root to report to at the end of this read
    state_type& last;           ///< what hp was; only the reader looks at it
    atomic<void const*>& cell;  ///< whose root it is: addresses of roots are used again

    /// Whether a state is that of a read.
    static constexpr bool reading(state_type s) noexcept { return s > idle; }

    /// After hp went idle: takes the mail that was meant for the read that has just ended. Mail for
    /// an earlier read is about to be revoked by the writer that posted it; taking that would let a
    /// later read destroy after the removal has returned.
    BOOST_NOINLINE static void take_mail(atomic<era_type*>& mail, state_type last) noexcept
    {
        era_type* m = mail.load(std::memory_order_relaxed);
        // [hp.take] acquire: the drain reads what the writer put into the root. Where there is no
        // mail, null is the address of no root.
        if (reinterpret_cast<state_type>(m) == last &&
            mail.compare_exchange_strong(m, nullptr, std::memory_order_acq_rel,
                                         std::memory_order_relaxed))
            m->leave();
    }
};

/// A thread's slots: one for the fast path, some for reads inside of reads.
///
/// The padding keeps two threads' slots off one cache line, and off one pair of lines, which
/// adjacent-line prefetchers of x86 fetch together.
template <class Env>
struct alignas(128) REGISTRY_IO_EXPORT hazard_record : thread_record<hazard_record<Env>>
{
    using slot = hazard_slot<Env>;
    static constexpr std::size_t nested_slots = 4;

    struct words
    {
        typename slot::template atomic<std::uintptr_t> hp{slot::idle};
        typename slot::template atomic<counted_root<Env>*> mail{nullptr};
        std::uintptr_t last = 0;
        typename slot::template atomic<void const*> cell{nullptr};

        slot get() noexcept { return {hp, mail, last, cell}; }
    };

    /// The last one is never held while handlers run: deeper reads announce in it, count up in the
    /// root, and leave it. So any depth is possible, and none allocates.
    words nested[nested_slots];

    /// The words of the fast path, for other threads; set when the record becomes known.
    typename slot::template atomic<std::uintptr_t>* hot_hp = nullptr;
    typename slot::template atomic<counted_root<Env>*>* hot_mail = nullptr;
    std::uintptr_t* hot_last = nullptr;
    typename slot::template atomic<void const*>* hot_cell = nullptr;

    /// An idle slot for a read inside of another, null when none may be held while handlers run.
    words* free_nested() noexcept
    {
        for (words* w = nested; w != nested + nested_slots - 1; ++w)
            if (w->hp.load(std::memory_order_relaxed) == slot::idle)
                return w;
        return nullptr;
    }

    /// By the thread itself, before the record becomes known.
    void prepare() noexcept
    {
        slot const hot = Env::template hot<slot>();
        hot_hp = &hot.hp;
        hot_mail = &hot.mail;
        hot_last = &hot.last;
        hot_cell = &hot.cell;
    }

    /// By the thread itself, when it exits.
    void retire() noexcept { hot_hp->store(slot::cold, std::memory_order_relaxed); }

    template <class F>
    void each_slot(F f)
    {
        f(slot{*hot_hp, *hot_mail, *hot_last, *hot_cell});
        for (words& w : nested)
            f(w.get());
    }
};

/// Hazard pointers with last-reader-out reclamation.
///
/// Source: M. Michael, Hazard Pointers: Safe Memory Reclamation for Lock-Free Objects (2004); the
/// standard's P2530. The asymmetric fence is P1202's. What is new here is that a writer leaves
/// mail with the readers that stand in its way instead of scanning again later.
template <class Env>
class hazard_domain
{
    using slot = hazard_slot<Env>;
    using record = hazard_record<Env>;
    using thread_list = thread_domain<Env, record>;

public:
    using words = typename record::words;
    using root_type = counted_root<Env>;

    static void prepare() noexcept
    {
        threads().prepare({[](void* r) { threads().thread_exits(*static_cast<record*>(r)); },
                           [] { threads().mutex().lock(); }, [] { threads().mutex().unlock(); },
                           [] { threads().after_fork_in_child(mine()); }});
    }

    /// Tells apart the copies that shared objects may have.
    static void const* identity() noexcept { return &threads(); }

    static record& mine() noexcept { return Env::template record<record>(); }

    static BOOST_FORCEINLINE slot hot() noexcept { return Env::template hot<slot>(); }

    /// Whether this thread reads something of `cell` in a slot.
    static bool reading(void const* cell) noexcept
    {
        bool found = false;
        if (!mine().linked)
            return false;
        mine().each_slot([&](slot const& s) {
            found = found ||
                (slot::reading(s.hp.load(std::memory_order_relaxed)) &&
                 s.cell.load(std::memory_order_acquire) == cell);
        });
        return found;
    }

    /// Whether another thread reads something of `cell` in a slot, as far as can be seen without a
    /// fence: for assertions.
    static bool read_by_others(void const* cell) noexcept
    {
        std::lock_guard<typename Env::mutex> lock(threads().mutex());
        bool found = false;
        for (record* r = threads().first(); r != nullptr; r = r->next)
            if (r != &mine())
                r->each_slot([&](slot const& s) {
                    found = found ||
                        (slot::reading(s.hp.load(std::memory_order_acquire)) &&
                         s.cell.load(std::memory_order_acquire) == cell);
                });
        return found;
    }

    /// Whether a read that took its snapshot before this call may hold `e`, the current root of
    /// `cell`. For writers.
    static bool held(void const* cell, root_type const& e) noexcept
    {
        if (e.holders() > 1)
            return true;
        thread_list& t = threads();
        std::lock_guard<typename Env::mutex> lock(t.mutex());
        if (!t.alone(mine()) && !Env::heavy_fence(t.mode()))
            return true;
        bool found = false;
        for (record* r = t.first(); r != nullptr; r = r->next)
            r->each_slot([&](slot const& s) { found = found || announces(s, cell, &e); });
        return found;
    }

    /// The root behind a replaced one, in the order of replacement.
    static root_type* next(root_type const* pending) noexcept
    {
        return static_cast<root_type*>(pending->next);
    }

    /// What `settle` found out.
    enum class outcome : unsigned char {
        settled,   ///< each reader that holds one of the roots is counted in it
        deferred,  ///< that would take a fence, which the caller did not allow
        refused    ///< the kernel refused the fence that it had promised
    };

    /// Whether the kernel grants the fence that a refusal has put in doubt.
    static bool fence_works() noexcept
    {
        std::lock_guard<typename Env::mutex> const lock(threads().mutex());
        return threads().alone(mine()) || Env::heavy_fence(threads().mode());
    }

    /// Whether `settle` may use the heavy fence.
    enum class fence : unsigned char {
        allowed,
        not_now,  ///< whatever needs it is left for later
        needless  ///< no other thread can be inside: the registry is going away
    };

    /// Makes sure that each reader that holds one of these replaced roots of `cell` is counted in
    /// it. `pending` is linked by `next`. For writers; call it after the exchange that replaced the
    /// last of them. Unless it returns `settled` the owners' counts must stay.
    static outcome settle(void const* cell, root_type* pending, fence use) noexcept
    {
        thread_list& t = threads();
        // The mutex orders us against threads that make themselves known: one that comes later
        // sees the new root.
        std::lock_guard<typename Env::mutex> lock(t.mutex());
        bool const others = use != fence::needless && !t.alone(mine());
        if (others && use == fence::not_now)
            return outcome::deferred;

        // Mail has to be there before a reader leaves, or it would not find it. Whoever is seen
        // now gets it early, and in most cases nobody else turns up.
        each_blocker(cell, pending, [](slot const& s, root_type& e) { post(s, e); });
        if (!others)
            return outcome::settled;  // this thread is in program order with itself

        // [hp.fence] Pairs with the light fences of the readers: each of them has either announced
        // before this (then the scan below sees it), or looks at the root again after it (then it
        // sees the new one). And each has either left before this (the scan sees that), or looks at
        // its mail after it. Without it a reader's announcement could hide in its store buffer.
        if (!Env::heavy_fence(t.mode())) {
            revoke_all(pending);
            return outcome::refused;
        }
        bool late = false;
        each_slot([&](slot const& s) {
            root_type* const seen = blocker(s, cell, pending);
            root_type* const mail = s.mail.load(std::memory_order_relaxed);
            if (mail != seen && in(mail, pending))
                revoke(s, mail);
            if (seen != nullptr && mail != seen) {
                post(s, *seen);
                late = true;
            }
        });
        // [hp.late_fence] Late mail has the same need: did the reader leave before it could see it?
        if (late) {
            if (!Env::heavy_fence(t.mode())) {
                revoke_all(pending);
                return outcome::refused;
            }
            each_slot([&](slot const& s) {
                root_type* const mail = s.mail.load(std::memory_order_relaxed);
                if (in(mail, pending) && blocker(s, cell, pending) != mail)
                    revoke(s, mail);
            });
        }
        return outcome::settled;
    }

    /// One read that is neither on the fast path nor in a nested slot that it found idle: a
    /// thread's first, one of a thread that is exiting, one nested deeper than there are slots, or
    /// any where there is no asymmetric fence.
    class slow_read
    {
    public:
        /// `load(order)` loads the current root.
        template <class Load>
        slow_read(void const* cell, Load const& load) noexcept
            : slow_read(cell,
                        loader{&load, [](void const* l, std::memory_order order) -> root_type* {
                                   return (*static_cast<Load const*>(l))(order);
                               }})
        {
        }
        slow_read(slow_read const&) = delete;
        slow_read& operator=(slow_read const&) = delete;

        BOOST_NOINLINE ~slow_read()
        {
            if (root_ != nullptr && handover_) {
                Env::nesting() = nesting_.outer;
                root_->leave();
            } else if (root_ != nullptr) {
                leave();
            }
            // By the read that attached it alone. One that runs inside of it may find all slots
            // idle: when this read starts over it destroys what it was the last to let go of, and
            // the destructors may notify.
            if (attached_ && !record_.permanent)
                threads().detach(record_);
        }

        root_type* root() const noexcept { return root_; }

    private:
        /// Without its type, so that registries share what follows.
        struct loader
        {
            void const* load;
            root_type* (*call)(void const* load, std::memory_order);
            root_type* operator()(std::memory_order order) const noexcept
            {
                return call(load, order);
            }
        };

        BOOST_NOINLINE slow_read(void const* cell, loader load) noexcept : record_(mine())
        {
            if (!record_.linked) {
                record_.prepare();
                threads().attach(record_);
                attached_ = true;
                if (record_.permanent && threads().mode() == fence_mode::asymmetric)
                    record_.hot_hp->store(slot::idle, std::memory_order_relaxed);
            }
            full_ = threads().mode() != fence_mode::asymmetric;
            if (record_.hot_hp->load(std::memory_order_relaxed) != slot::idle) {
                nested_ = record_.free_nested();
                handover_ = nested_ == nullptr;
                if (handover_)  // the last one is idle
                    nested_ = &record_.nested[record::nested_slots - 1];
            }
            root_ = protect(in(), cell, load);
            if (root_ != nullptr && handover_) {
                // Counted instead of announced. The announcement keeps the root alive meanwhile.
                root_->enter();
                nesting_.owner = cell;
                nesting_.outer = Env::nesting();
                Env::nesting() = &nesting_;
                leave();
            }
        }

        slot in() const noexcept { return nested_ == nullptr ? hot() : nested_->get(); }

        root_type* protect(slot const& s, void const* cell, loader load) noexcept
        {
            for (;;) {
                root_type* const r = load(std::memory_order_relaxed);
                if (r == nullptr)
                    return nullptr;
                // release: after the idle that ended the slot's previous read.
                s.cell.store(cell, std::memory_order_release);
                s.last = reinterpret_cast<std::uintptr_t>(r);
                root_type* again = nullptr;
                if (full_) {
                    // No fence instruction: this pair of a sequentially consistent store and load
                    // is the reader's fence, and cheaper than one with every compiler.
                    s.hp.store(s.last, std::memory_order_seq_cst);
                    again = load(std::memory_order_seq_cst);
                } else {
                    s.hp.store(s.last, std::memory_order_release);
                    Env::light_fence();
                    again = load(std::memory_order_acquire);
                }
                if (again == r)
                    return r;
                leave();
            }
        }

        BOOST_NOINLINE void leave() noexcept
        {
            slot const s = in();
            end_read<Env, slot>(s.hp, s.mail, s.last, full_);
        }

        record& record_;
        words* nested_ = nullptr;  // null when it is the fast path's slot
        root_type* root_ = nullptr;
        nesting_entry nesting_{};
        bool attached_ = false;
        bool full_ = false;
        bool handover_ = false;
    };

private:
    static thread_list& threads() noexcept { return Env::template global<thread_list>(); }

    template <class F>
    static void each_slot(F f) noexcept
    {
        for (record* r = threads().first(); r != nullptr; r = r->next)
            r->each_slot(f);
    }

    static bool announces(slot const& s, void const* cell, root_type const* e) noexcept
    {
        // seq_cst: in full mode it pairs with the readers' stores, through the total order; in
        // asymmetric mode it is an acquire load. A slot whose cell is another registry's holds a
        // root that used to lie at the same address.
        return s.hp.load(std::memory_order_seq_cst) == reinterpret_cast<std::uintptr_t>(e) &&
            s.cell.load(std::memory_order_acquire) == cell;
    }

    static bool in(root_type const* e, root_type const* pending) noexcept
    {
        if (e == nullptr)
            return false;
        while (pending != nullptr && pending != e)
            pending = next(pending);
        return pending != nullptr;
    }

    static root_type* blocker(slot const& s, void const* cell, root_type* pending) noexcept
    {
        std::uintptr_t const hp = s.hp.load(std::memory_order_seq_cst);  // [hp.scan]
        if (!slot::reading(hp) || s.cell.load(std::memory_order_acquire) != cell)
            return nullptr;
        // Only compared: an announcement that will not hold may name freed memory.
        while (pending != nullptr && reinterpret_cast<std::uintptr_t>(pending) != hp)
            pending = next(pending);
        return pending;
    }

    template <class F>
    static void each_blocker(void const* cell, root_type* pending, F f) noexcept
    {
        each_slot([&](slot const& s) {
            if (root_type* e = blocker(s, cell, pending))
                f(s, *e);
        });
    }

    static void post(slot const& s, root_type& e) noexcept
    {
        e.enter();
        // [hp.post] release: the reader that takes it reads the root. An exchange, since in full
        // mode it must be in the total order, before our next look at hp.
        s.mail.exchange(&e, std::memory_order_seq_cst);
    }

    static void revoke(slot const& s, root_type* mail) noexcept
    {
        // [hp.revoke] Failing means that the reader has taken it and reports.
        if (s.mail.compare_exchange_strong(mail, nullptr, std::memory_order_acq_rel,
                                           std::memory_order_relaxed))
            mail->leave_early();  // the owner's count is still there
    }

    static void revoke_all(root_type* pending) noexcept
    {
        each_slot([&](slot const& s) {
            root_type* const mail = s.mail.load(std::memory_order_relaxed);
            if (in(mail, pending))
                revoke(s, mail);
        });
    }
};

#ifdef REGISTRY_IO_SEPARATE_COMPILATION
REGISTRY_IO_DETAIL_EXTERN hazard_domain<std_env>;
#endif

}  // namespace reclaim
}  // namespace v1
}  // namespace registry_io

#endif
