// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The domain of RCU (McKenney and Slingwine, 1998; Desnoyers et al., 2012; P2545): epochs, the
// records of all threads, and the eras in use. A writer ends an epoch and leaves mail with the
// readers that began before it; the last of them drains the era. Invariant: an era drains after all
// older ones, and after every reader that was inside when its epoch ended.

#ifndef REGISTRY_IO_RECLAIM_RCU_HPP
#define REGISTRY_IO_RECLAIM_RCU_HPP

#include <registry_io/detail/supported.hpp>

#include <cstdint>
#include <mutex>
#include <new>
#include <utility>

#include <registry_io/config.hpp>
#include <registry_io/reclaim/end_read.hpp>
#include <registry_io/reclaim/era.hpp>
#include <registry_io/reclaim/rcu_record.hpp>
#include <registry_io/reclaim/thread_domain.hpp>

namespace registry_io {
inline namespace v1 {
namespace reclaim {

/// Epoch-based read-copy-update with last-reader-out reclamation.
///
/// Writers use this class for every domain, so all registries share their code. Readers know the
/// domain at compile time, so they find their slot at a constant address: see `rcu_domain_of`.
///
/// Source: P. McKenney and J. Slingwine, Read-Copy Update (1998); M. Desnoyers et al., User-Level
/// Implementations of Read-Copy Update (2012), for the variant with membarrier; the standard's
/// P2545 for the names. New here: a writer leaves mail with the readers of what it replaced.
template <class Env>
class REGISTRY_IO_EXPORT rcu_domain
{
    using record = rcu_record<Env>;
    using words = rcu_words<Env>;
    using threads = thread_domain<Env, record>;
    using lock_guard = std::lock_guard<typename Env::mutex>;

public:
    using era_type = rcu_era<Env>;
    using stack = left_stack<Env, era<Env>>;

    /// The functions and constants that depend on the type by which readers know the domain.
    struct traits
    {
        thread_hooks hooks;
        record& (*mine)() noexcept;
        bool readers_drain;
    };

    constexpr explicit rcu_domain(traits const& t) noexcept : traits_(t) {}
    rcu_domain(rcu_domain const&) = delete;
    rcu_domain& operator=(rcu_domain const&) = delete;

    void prepare() noexcept { threads_.prepare(traits_.hooks); }

    /// The threads of this domain. For the thread hooks, and for readers that do not take the fast
    /// path.
    threads& readers() noexcept { return threads_; }

    /// The epoch that a reader announces. acquire: pairs with rcu.epoch. A reader that sees an
    /// epoch sees every root that was published before it; otherwise its announcement would not
    /// protect the root that it loads.
    BOOST_FORCEINLINE std::uint64_t now() const noexcept
    {
        return epoch_.load(std::memory_order_acquire);
    }

    bool would_deadlock() const noexcept { return mine().reading() || inside<Env>(this); }

    /// Whether any thread reads under this domain. For assertions.
    bool reading() noexcept
    {
        lock_guard lock(threads_.mutex());
        bool found = false;
        each_slot([&](words const& s) { found = found || s.reading(); });
        return found;
    }

    /// The stack on which readers leave eras, if they do not drain them.
    stack& left() noexcept { return left_; }

    /// Returns an era for `retire`, or null if there is no memory for one.
    era_type* allocate() noexcept
    {
        lock_guard lock(threads_.mutex());
        sweep();
        if (era_type* e = unused_) {
            unused_ = e->newer;
            e->newer = nullptr;
            return e;
        }
        return new (std::nothrow) era_type;
    }

    void give_back(era_type& e) noexcept
    {
        lock_guard lock(threads_.mutex());
        recycle(e);
    }

    /// Lets a thread wait until every era has drained that was in use when the wait began. It hangs
    /// on one era after another: to make the eras depend on each other would delay their
    /// destructions. It lives on the waiting thread's stack. `Done` is a `completion` or a
    /// `polling_completion`.
    template <class Done>
    class basic_completion : public garbage
    {
    public:
        basic_completion() noexcept : garbage(&next_era) { birth = era_type::completes; }
        basic_completion(basic_completion const&) = delete;
        basic_completion& operator=(basic_completion const&) = delete;

        void wait() noexcept { done.wait(); }

        Done done{};

    private:
        friend class rcu_domain;

        /// Called when the era on which it hung has drained and closed.
        static void next_era(garbage* g) noexcept
        {
            auto* const self = static_cast<basic_completion*>(g);
            rcu_domain& d = *self->domain_;
            {
                lock_guard lock(d.threads_.mutex());
                if (d.hang_on(*self, self->until_))
                    return;
            }
            self->done.signal();
        }

        void begin(rcu_domain& d, std::uint64_t until) noexcept
        {
            domain_ = &d;
            until_ = until;
        }

        rcu_domain* domain_ = nullptr;
        std::uint64_t until_ = 0;
    };

    /// The result of `retire`.
    enum class outcome : unsigned char {
        used,      ///< the era is in use, and its last holder drains it
        unread,    ///< the era has no holder: the caller must drain it
        merged,    ///< only older eras have readers: the garbage hangs on one of them, not on `e`
        deferred,  ///< nothing was done: it needs a fence, which the caller did not allow
        refused    ///< the kernel refused the fence that it granted before: nothing may be freed
    };

    /// Ends an epoch. Call it after the exchange of a root. Counts in `e` each reader that may
    /// still see the replaced root, unless an older era counts that reader; then `e` depends on the
    /// older era. Takes `own` unless it returns `deferred` or `refused`. Signals `wait`, if not
    /// null, when everything retired until now is destroyed.
    template <class Completion>
    outcome retire(era_type& e, garbage_list& own, Completion* wait, bool free_only) noexcept
    {
        lock_guard lock(threads_.mutex());
        bool const others = !threads_.alone(mine());
        if (others && free_only)
            return outcome::deferred;
        follow_fork();
        outcome const o = end_epoch(e, own, wait != nullptr, others);
        if (wait != nullptr && o != outcome::refused) {
            // Hangs on `e` if all older eras have drained.
            wait->begin(*this, e.epoch.load(std::memory_order_relaxed));
            hang_on(*wait, e.epoch.load(std::memory_order_relaxed));
        }
        if (o != outcome::used)
            return o;
        // Still under the mutex: otherwise a writer of another registry could find an era that only
        // this writer holds, and hang garbage on it that it could destroy at once.
        return e.let_go() ? outcome::unread : outcome::used;
    }

    /// A read that does not take the fast path. `record` belongs to this thread.
    class slow_read
    {
    public:
        slow_read(rcu_domain& d, record& r, words const& hot) noexcept : domain_(d), record_(r)
        {
            threads& t = domain_.threads_;
            if (!record_.linked) {
                record_.prepare(hot);
                t.attach(record_);
                if (record_.permanent && t.mode() == fence_mode::asymmetric)
                    record_.hot_since->store(words::idle, std::memory_order_relaxed);
            }
            if (record_.reading())
                return;  // an outer read protects everything in the domain
            full_ = t.mode() != fence_mode::asymmetric;
            bool const is_hot = record_.hot_since->load(std::memory_order_relaxed) == words::idle;
            since_ = is_hot ? record_.hot_since : &record_.slow_since;
            mail_ = is_hot ? record_.hot_mail : &record_.slow_mail;
            last_ = is_hot ? record_.hot_last : &record_.slow_last;
            *last_ = domain_.now();
            // release: as rcu.announce. seq_cst: this store and the next load of the root are the
            // reader's fence in full mode; they pair with the writer's store and scan.
            if (full_)
                since_->store(*last_, std::memory_order_seq_cst);
            else
                since_->store(*last_, std::memory_order_release);
            Env::light_fence();
        }
        slow_read(slow_read const&) = delete;
        slow_read& operator=(slow_read const&) = delete;

        ~slow_read()
        {
            if (since_ == nullptr)
                return;
            end_read<Env, words>(*since_, *mail_, *last_, full_);
            if (!record_.permanent && record_.linked && !record_.reading())
                domain_.threads_.detach(record_);
        }

    private:
        rcu_domain& domain_;
        record& record_;
        typename words::template atomic<std::uint64_t>* since_ = nullptr;
        typename words::template atomic<era_type*>* mail_ = nullptr;
        std::uint64_t* last_ = nullptr;
        bool full_ = false;
    };

private:
    record& mine() const noexcept { return traits_.mine(); }

    template <class F>
    void each_slot(F f) noexcept
    {
        for (record* r = threads_.first(); r != nullptr; r = r->next)
            r->each_slot(f);
    }

    /// The part of `retire` that does not depend on the completion. If it returns `used`, the owner
    /// still holds the era.
    BOOST_NOINLINE outcome end_epoch(era_type& e, garbage_list& own, bool waits,
                                     bool others) noexcept
    {
        // [rcu.epoch] release: pairs with the acquire of now. seq_cst: in full mode the store comes
        // before the scan in the total order, or the scan could miss a reader of the old epoch.
        // relaxed load: all writers of the domain advance the epoch under the mutex.
        std::uint64_t const epoch = epoch_.load(std::memory_order_relaxed) + 1;
        e.restart();
        e.owner = this;
        e.leave_to = traits_.readers_drain ? nullptr : &left_;
        e.epoch.store(epoch, std::memory_order_relaxed);
        epoch_.store(epoch, std::memory_order_seq_cst);

        // For the reasons see hazard_domain::settle.
        scan_and_post(e);
        if (others) {
            bool late = false;
            bool sure = Env::heavy_fence(threads_.mode());  // [rcu.fence]
            if (sure) {
                revoke_moved(e);
                late = scan_and_post(e);
            }
            if (late) {
                sure = Env::heavy_fence(threads_.mode());  // [rcu.late_fence]
                if (sure)
                    revoke_moved(e);
            }
            if (!sure) {
                each_slot([&](words const& s) { revoke(s, e); });
                return outcome::refused;
            }
        }
        // An older era without holders only waits for its drain: it counts no reader.
        bool const older = newest_ != nullptr && newest_->holders() != 0;
        if (older && !waits && e.holders() == 1 && newest_->hang(own))
            return outcome::merged;
        e.own = std::exchange(own, {});
        if (older) {
            e.hold();
            if (!newest_->chain(e))  // [rcu.chain]
                e.leave_early();
        }
        e.newer = nullptr;
        (newest_ == nullptr ? oldest_ : newest_->newer) = &e;
        newest_ = &e;
        return outcome::used;
    }

    /// Hangs a completion on the oldest era that has not drained. Returns false if all eras up to
    /// epoch `until` have drained. If it returns true, the completion may be gone already.
    bool hang_on(garbage& completion, std::uint64_t until) noexcept
    {
        for (era_type* e = oldest_; e != nullptr; e = e->newer) {
            if (e->epoch.load(std::memory_order_relaxed) > until)
                break;
            if (e->hang_one(completion))
                return true;
        }
        return false;
    }

    /// Whether the slot announces a read that began before the epoch of `e`.
    static bool in_the_way(words const& s, era_type const& e) noexcept
    {
        // [rcu.scan] seq_cst: in full mode it pairs with the readers' stores through the total
        // order; otherwise the scan could miss a read. acquire: pairs with the idle store.
        std::uint64_t const since = s.since.load(std::memory_order_seq_cst);
        return since > words::idle && since < e.epoch.load(std::memory_order_relaxed);
    }

    /// Posts mail to each reader of an older epoch. Returns whether it posted any. A slot that has
    /// mail already is counted by an older era, which stays open until that read ends.
    bool scan_and_post(era_type& e) noexcept
    {
        bool posted = false;
        each_slot([&](words const& s) {
            if (in_the_way(s, e) && s.mail.load(std::memory_order_relaxed) == nullptr) {
                e.hold();
                s.mail.exchange(&e, std::memory_order_seq_cst);  // [rcu.post] as hp.post
                posted = true;
            }
        });
        return posted;
    }

    static void revoke(words const& s, era_type& e) noexcept
    {
        // [rcu.revoke] If the exchange fails, the reader has taken the mail and reports.
        era_type* mail = &e;
        if (s.mail.compare_exchange_strong(mail, nullptr, std::memory_order_acq_rel,
                                           std::memory_order_relaxed))
            e.leave_early();
    }

    void revoke_moved(era_type& e) noexcept
    {
        each_slot([&](words const& s) {
            if (s.mail.load(std::memory_order_relaxed) == &e && !in_the_way(s, e))
                revoke(s, e);
        });
    }

    void recycle(era_type& e) noexcept
    {
        e.newer = unused_;
        unused_ = &e;
    }

    /// Recycles the eras that have drained. Eras drain in order. Complexity: constant, amortised.
    void sweep() noexcept
    {
        while (oldest_ != nullptr && oldest_->closed()) {
            era_type& e = *oldest_;
            oldest_ = e.newer;
            recycle(e);
        }
        if (oldest_ == nullptr)
            newest_ = nullptr;
    }

    void follow_fork() noexcept
    {
        // Not while this thread reads: then this thread holds some of the eras.
        if (forks_ == threads_.forks() || would_deadlock())
            return;
        // The readers that held these eras do not exist in this process, and will not report.
        forks_ = threads_.forks();
        oldest_ = newest_ = nullptr;
    }

    traits const& traits_;
    threads threads_{};
    typename Env::template atomic<std::uint64_t> epoch_{words::idle + 1};
    era_type* oldest_ = nullptr;  // of the eras in use; some may have closed
    era_type* newest_ = nullptr;
    era_type* unused_ = nullptr;
    stack left_{};
    unsigned forks_ = 0;
};

/// Names a second domain beside `Domain`, in which readers leave destruction to writers.
template <class Domain>
struct REGISTRY_IO_EXPORT left_to_writers;

template <class Domain>
inline constexpr bool readers_drain = true;
template <class Domain>
inline constexpr bool readers_drain<left_to_writers<Domain>> = false;

/// A domain that readers know by its type.
template <class Env, class Domain>
struct REGISTRY_IO_EXPORT rcu_domain_of : rcu_domain<Env>
{
    using slot = rcu_slot<Env, Domain>;

    constexpr rcu_domain_of() noexcept : rcu_domain<Env>(traits) {}

    static constexpr BOOST_FORCEINLINE rcu_domain_of& instance() noexcept
    {
        return Env::template global<rcu_domain_of>();
    }
    static BOOST_FORCEINLINE slot hot() noexcept { return Env::template hot<slot>(); }

    /// A read that does not take the fast path.
    struct slow_read : rcu_domain<Env>::slow_read
    {
        slow_read() noexcept : rcu_domain<Env>::slow_read(instance(), mine(), hot()) {}
    };

private:
    struct REGISTRY_IO_EXPORT record : rcu_record<Env>
    {
    };
    static rcu_record<Env>& mine() noexcept { return Env::template record<record>(); }

    static constexpr typename rcu_domain<Env>::traits traits{
        {[](void* r) { instance().readers().thread_exits(*static_cast<rcu_record<Env>*>(r)); },
         [] { instance().readers().mutex().lock(); }, [] { instance().readers().mutex().unlock(); },
         [] { instance().readers().after_fork_in_child(mine()); }},
        &mine,
        readers_drain<Domain>};
};

}  // namespace reclaim
}  // namespace v1
}  // namespace registry_io

#endif
