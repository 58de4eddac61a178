// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The domain of hazard pointers (Michael, 2004; P2530): the slots of all threads, and how a writer
// finds the readers of a root. A writer that finds a reader leaves mail in the reader's slot
// instead of scanning again later, and the reader reports when it leaves. Invariant: when `settle`
// has returned `settled`, each reader of a replaced root is counted in that root, and no slot holds
// mail for a read that has already ended.

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

/// A slot: announces the root that one read protects, and receives the request to report at the end
/// of that read. It refers to its words, since the words of the fast path are separate variables.
template <class Env>
struct REGISTRY_IO_EXPORT hazard_slot
{
    template <class T>
    using atomic = typename Env::template atomic<T>;
    using state_type = std::uintptr_t;
    using era_type = counted_root<Env>;

    static constexpr bool has_cell = true;
    static constexpr state_type cold = 0;  ///< the fast path must not use it
    static constexpr state_type idle = 1;

    atomic<state_type>& hp;     ///< the root that is protected, or idle, or cold
    atomic<era_type*>& mail;    ///< the root to report to at the end of this read
    state_type& last;           ///< the last announced value of hp; for the reader only
    atomic<void const*>& cell;  ///< the registry of the root: addresses of roots are used again

    /// Whether a slot in this state announces a read.
    static constexpr bool reading(state_type s) noexcept { return s > idle; }

    /// Takes the mail for the read that has just ended. Call it after hp went idle. Mail for an
    /// earlier read stays: the writer that posted it is about to revoke it, and a reader that took
    /// it could destroy captures after the removal has returned.
    BOOST_NOINLINE static void take_mail(atomic<era_type*>& mail, state_type last) noexcept
    {
        era_type* m = mail.load(std::memory_order_relaxed);
        // [hp.take] acquire: pairs with the writer's post. Without it, the drain could miss what
        // the writer put into the root. If there is no mail, m is null, which is the address of no
        // root.
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

    /// The last one is never held while handlers run: a deeper read announces its root in it,
    /// counts itself in that root, and leaves the slot. So reads can nest to any depth without
    /// allocation.
    words nested[nested_slots];

    /// Pointers to the words of the fast path, for other threads. `prepare` sets them.
    typename slot::template atomic<std::uintptr_t>* hot_hp = nullptr;
    typename slot::template atomic<counted_root<Env>*>* hot_mail = nullptr;
    std::uintptr_t* hot_last = nullptr;
    typename slot::template atomic<void const*>* hot_cell = nullptr;

    /// Returns an idle slot for a nested read, or null if only the last slot is left.
    words* free_nested() noexcept
    {
        for (words* w = nested; w != nested + nested_slots - 1; ++w)
            if (w->hp.load(std::memory_order_relaxed) == slot::idle)
                return w;
        return nullptr;
    }

    /// Called by the record's thread, before the record is attached.
    void prepare() noexcept
    {
        slot const hot = Env::template hot<slot>();
        hot_hp = &hot.hp;
        hot_mail = &hot.mail;
        hot_last = &hot.last;
        hot_cell = &hot.cell;
    }

    /// Called by the record's thread when it exits.
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
/// standard's P2530. The asymmetric fence is P1202's. New here: a writer that finds readers of a
/// replaced root leaves mail with them instead of scanning again later.
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

    /// Identifies the domain: each shared object may have its own copy of it.
    static void const* identity() noexcept { return &threads(); }

    static record& mine() noexcept { return Env::template record<record>(); }

    static BOOST_FORCEINLINE slot hot() noexcept { return Env::template hot<slot>(); }

    /// Whether a slot of this thread announces a root of `cell`.
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

    /// Whether a slot of another thread announces a root of `cell`. It uses no fence and may miss a
    /// read, so it is for assertions only.
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

    /// Whether a read that began before this call may hold `e`, the current root of `cell`. For
    /// writers.
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

    /// Returns the root that was replaced after `pending`.
    static root_type* next(root_type const* pending) noexcept { return pending->next(); }

    /// The result of `settle`.
    enum class outcome : unsigned char {
        settled,   ///< each reader that holds one of the roots is counted in it
        deferred,  ///< nothing was done: it needs a fence, which the caller did not allow
        refused    ///< the kernel refused the fence that it granted before
    };

    /// Whether the kernel grants the fence again after a refusal.
    static bool fence_works() noexcept
    {
        std::lock_guard<typename Env::mutex> const lock(threads().mutex());
        return threads().alone(mine()) || Env::heavy_fence(threads().mode());
    }

    /// Whether `settle` may use the heavy fence.
    enum class fence : unsigned char {
        allowed,
        not_now,  ///< no: `settle` returns `deferred` if it needs the fence
        needless  ///< no other thread can be inside: the registry is being destroyed
    };

    /// Counts each reader of one of these replaced roots of `cell` in the root that it holds.
    /// `next` links the roots of `pending`. For writers: call it after the exchange that replaced
    /// the last of the roots. Unless it returns `settled`, the owner must keep its hold on each
    /// root.
    static outcome settle(void const* cell, root_type* pending, fence use) noexcept
    {
        thread_list& t = threads();
        // The mutex orders this call with `attach`: a thread that attaches its record later sees
        // the new root.
        std::lock_guard<typename Env::mutex> lock(t.mutex());
        bool const others = use != fence::needless && !t.alone(mine());
        if (others && use == fence::not_now)
            return outcome::deferred;

        // A reader must have its mail before it leaves. The readers that this scan sees get their
        // mail before the fence; usually the scan after the fence finds no other.
        each_blocker(cell, pending, [](slot const& s, root_type& e) { post(s, e); });
        if (!others)
            return outcome::settled;  // program order is enough within one thread

        // [hp.fence] Pairs with the readers' light fences. Each reader either has announced its
        // root before this fence, and the scan below sees it; or loads the root again after it, and
        // sees the new root. Likewise each reader either has left before this fence, and the scan
        // sees that; or looks at its mail after it. Without this fence, a reader's announcement
        // could stay in its store buffer, where the scan does not see it.
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
        // [hp.late_fence] Pairs with the same light fences. Without it, a reader of late mail could
        // leave without its mail while the scan still sees it reading.
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

    /// A read that takes neither the fast path nor an idle nested slot: the first read of a thread,
    /// a read in a thread that is exiting, a read nested deeper than there are slots, or any read
    /// without the asymmetric fence.
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
            // Only the read that attached the record detaches it. A read inside of this one may
            // find all slots idle: when this read starts over, it may be the last to leave a root;
            // it then runs destructors, and they may notify.
            if (attached_ && !record_.permanent)
                threads().detach(record_);
        }

        root_type* root() const noexcept { return root_; }

    private:
        /// Erases the type of `load`, so that all registries share the code below.
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
                if (handover_)  // the last slot is idle
                    nested_ = &record_.nested[record::nested_slots - 1];
            }
            root_ = protect(in(), cell, load);
            if (root_ != nullptr && handover_) {
                // From here on the root counts this read. The announcement protects the root until
                // then.
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
                // release: pairs with the scan's acquire. Without it, a scan that sees the new cell
                // beside the old hp could free a root before the previous read of it has ended.
                s.cell.store(cell, std::memory_order_release);
                s.last = reinterpret_cast<std::uintptr_t>(r);
                root_type* again = nullptr;
                if (full_) {
                    // This pair of a sequentially consistent store and load is the reader's fence.
                    // It pairs with the writer's exchange and scan. It is cheaper than a fence
                    // instruction with every compiler.
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
        // seq_cst: in full mode it pairs with the readers' stores through the total order, or the
        // announcement could be missed; in asymmetric mode an acquire load is enough. If the cell
        // is that of another registry, the slot names a root that once lay at the same address.
        // acquire of the cell: pairs with its release, so that the previous read of the slot has
        // ended.
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
        // seq_cst and acquire: as in announces.
        std::uintptr_t const hp = s.hp.load(std::memory_order_seq_cst);  // [hp.scan]
        if (!slot::reading(hp) || s.cell.load(std::memory_order_acquire) != cell)
            return nullptr;
        // hp is only compared: an announcement that the reader is about to withdraw may name freed
        // memory.
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
        // [hp.post] release: pairs with hp.take, since the reader that takes the mail reads the
        // root. An exchange, since in full mode the post must come before the next load of hp in
        // the total order.
        s.mail.exchange(&e, std::memory_order_seq_cst);
    }

    static void revoke(slot const& s, root_type* mail) noexcept
    {
        // [hp.revoke] If the exchange fails, the reader has taken the mail and reports.
        if (s.mail.compare_exchange_strong(mail, nullptr, std::memory_order_acq_rel,
                                           std::memory_order_relaxed))
            mail->leave_early();  // never the last: the owner still holds the root
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
