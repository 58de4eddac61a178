// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)

#ifndef REGISTRY_IO_RECLAIM_RCU_HPP
#define REGISTRY_IO_RECLAIM_RCU_HPP

#include <cstdint>
#include <new>
#include <type_traits>
#include <utility>

#include <registry_io/config.hpp>
#include <registry_io/reclaim/era.hpp>
#include <registry_io/reclaim/thread_domain.hpp>

namespace registry_io {
inline namespace v1 {
namespace reclaim {

/// An era of a whole domain: it ends when every reader that had announced an epoch before `epoch`
/// has left. Never freed, only used again, so that a reader may look at any one.
template <class Env>
struct REGISTRY_IO_EXPORT rcu_era : era<Env>
{
    typename Env::template atomic<std::uint64_t> epoch{0};
    /// What was replaced in this epoch or later waits for it. Under the domain's mutex.
    std::uint64_t covers = 0;
    rcu_era* newer = nullptr;
};

/// A slot: announces that a thread reads, and since when. References to its words, since the words
/// of the fast path are variables of their own. `Domain` tells apart the domains.
template <class Env, class Domain>
struct REGISTRY_IO_EXPORT rcu_slot
{
    template <class T>
    using atomic = typename Env::template atomic<T>;
    using state_type = std::uint64_t;
    using era_type = rcu_era<Env>;

    static constexpr bool has_cell = false;
    static constexpr state_type cold = 0;  ///< not to be used: by the fast path, or at all
    static constexpr state_type idle = 1;

    atomic<state_type>& since;  ///< the epoch at the start of the read, or a state
    atomic<era_type*>& mail;    ///< the era whose count to drop at the end of the read
    state_type& last;           ///< what since was; only the reader looks at it

    bool reading() const noexcept { return since.load(std::memory_order_relaxed) > idle; }

    /// After since went idle. Mail for an earlier read is about to be revoked: it is for an era
    /// that this read was not in the way of.
    BOOST_NOINLINE static void take_mail(atomic<era_type*>& mail, state_type last) noexcept
    {
        era_type* m = mail.load(std::memory_order_acquire);
        // [rcu.take] acquire: the drain reads what the writer put into the era.
        if (m != nullptr && last < m->epoch.load(std::memory_order_relaxed) &&
            mail.compare_exchange_strong(m, nullptr, std::memory_order_acq_rel,
                                         std::memory_order_relaxed))
            m->drop();
    }
};

/// A thread's part in one RCU domain.
template <class Env, class Domain>
struct alignas(128) REGISTRY_IO_EXPORT rcu_record : thread_record<rcu_record<Env, Domain>>
{
    using slot = rcu_slot<Env, Domain>;

    // Where there is no asymmetric fence, and while a thread exits.
    typename slot::template atomic<std::uint64_t> slow_since{slot::idle};
    typename slot::template atomic<rcu_era<Env>*> slow_mail{nullptr};
    std::uint64_t slow_last = 0;

    /// The words of the fast path, for other threads; set when the record becomes known.
    typename slot::template atomic<std::uint64_t>* hot_since = nullptr;
    typename slot::template atomic<rcu_era<Env>*>* hot_mail = nullptr;
    std::uint64_t* hot_last = nullptr;

    /// By the thread itself, before the record becomes known.
    void prepare() noexcept
    {
        slot const hot = Env::template hot<slot>();
        hot_since = &hot.since;
        hot_mail = &hot.mail;
        hot_last = &hot.last;
    }

    /// By the thread itself, when it exits.
    void retire() noexcept { hot_since->store(slot::cold, std::memory_order_relaxed); }

    bool reading() const noexcept
    {
        return this->linked &&
            (hot_since->load(std::memory_order_relaxed) > slot::idle ||
             slow_since.load(std::memory_order_relaxed) > slot::idle);
    }

    template <class F>
    void each_slot(F f)
    {
        f(slot{*hot_since, *hot_mail, *hot_last});
        f(slot{slow_since, slow_mail, slow_last});
    }
};

/// Names the domain, beside `Domain` itself, in which readers leave destruction to writers.
template <class Domain>
struct REGISTRY_IO_EXPORT left_to_writers;

template <class Domain>
inline constexpr bool readers_drain = true;
template <class Domain>
inline constexpr bool readers_drain<left_to_writers<Domain>> = false;

/// Epoch-based read-copy-update with last-reader-out reclamation.
///
/// Source: P. McKenney and J. Slingwine, Read-Copy Update (1998); M. Desnoyers et al., User-Level
/// Implementations of Read-Copy Update (2012), for the variant with membarrier; the standard's
/// P2545 for the names. What is new here is that a writer leaves mail with the readers in its way.
template <class Env, class Domain>
class REGISTRY_IO_EXPORT rcu_domain
{
    using slot = rcu_slot<Env, Domain>;
    using record = rcu_record<Env, Domain>;
    using threads = thread_domain<Env, record>;
    using lock_guard = std::lock_guard<typename Env::mutex>;

public:
    using era_type = rcu_era<Env>;

    static void prepare() noexcept { threads::instance().prepare(); }
    static record& mine() noexcept { return Env::template record<record>(); }
    static BOOST_FORCEINLINE slot hot() noexcept { return Env::template hot<slot>(); }
    static unsigned forks() noexcept { return threads::instance().forks(); }

    /// The epoch that a reader announces. acquire: a reader that sees an epoch sees every root that
    /// was published before it began.
    static std::uint64_t now() noexcept { return common().epoch.load(std::memory_order_acquire); }

    /// Whom frames name that belong to this domain. Tells apart, too, the copies that shared
    /// objects may have.
    static void const* identity() noexcept { return &common(); }

    static bool would_deadlock() noexcept { return mine().reading() || inside<Env>(identity()); }

    /// For assertions: whether a thread reads under this domain.
    static bool reading() noexcept
    {
        lock_guard lock(threads::instance().mutex());
        bool found = false;
        each_slot([&](slot const& s) { found = found || s.reading(); });
        return found;
    }

    /// Where readers leave eras that they do not drain.
    static era_stack<Env>& left() noexcept { return common().left; }

    /// An era for `retire`, null when there is no memory for one.
    static era_type* allocate() noexcept
    {
        lock_guard lock(threads::instance().mutex());
        sweep();
        if (era_type* e = common().unused) {
            common().unused = e->newer;
            e->newer = nullptr;
            return e;
        }
        return new (std::nothrow) era_type;
    }

    static void give_back(era_type& e) noexcept
    {
        lock_guard lock(threads::instance().mutex());
        recycle(e);
    }

    /// Whether an era is still open, so that garbage may have to hang on it.
    static bool busy() noexcept
    {
        lock_guard lock(threads::instance().mutex());
        sweep();
        return common().oldest != nullptr;
    }

    /// Whether everything that was replaced in epoch `e` is out of every reader's reach.
    static bool complete(std::uint64_t e) noexcept
    {
        lock_guard lock(threads::instance().mutex());
        sweep();
        // [rcu.complete] Not the current epoch: one that ended without a fence has told nothing
        // about readers.
        return e < (common().oldest == nullptr ? common().settled : common().oldest->covers);
    }

    /// Lets a thread wait until every era has drained that is in use when it begins. It goes from
    /// one to the next: to make them depend on each other would hold up what they destroy. Lives on
    /// the waiting thread's stack.
    class completion : public garbage
    {
    public:
        completion() noexcept : garbage(&next_era), batch_(&keep, &link_, 1)
        {
            if constexpr (!readers_drain<Domain>)
                done_.left = &common().left;
            batch_.completes = true;
            link_.what = &batch_;
        }
        completion(completion const&) = delete;
        completion& operator=(completion const&) = delete;

        void wait() noexcept { done_.wait(); }

    private:
        friend class rcu_domain;

        static void keep(batch<Env>*) noexcept {}

        /// The era that it hung on has drained and closed.
        static void next_era(garbage* g) noexcept
        {
            auto* const self = static_cast<completion*>(g);
            {
                lock_guard lock(threads::instance().mutex());
                if (self->hang_on())
                    return;
            }
            self->done_.destroy(&self->done_);
        }

        /// Under the mutex. Once it has returned true this may be gone.
        bool hang_on() noexcept
        {
            for (era_type* e = common().oldest; e != nullptr; e = e->newer) {
                if (e->epoch.load(std::memory_order_relaxed) > until_)
                    break;
                if (e->closed())
                    continue;
                batch_.holds.store(1, std::memory_order_relaxed);
                batch_.list = garbage_list();
                batch_.list.push(this);
                if (e->hang(link_))
                    return true;
            }
            return false;
        }

        std::conditional_t<readers_drain<Domain>, reclaim::completion<Env>, polling_completion<Env>>
            done_;
        batch<Env> batch_;
        link<Env> link_;
        std::uint64_t until_ = 0;
    };

    /// Ends an epoch, after the exchange of a root. Counts in `e` each reader that may still see
    /// what was replaced, unless an older era counts it, on which `e` then depends.
    ///
    /// `shared`, if not null, is a batch with one link that holds what `e.own` holds otherwise: it
    /// is used instead of `e` when only older eras are in the way. Returns what happened: `e` is in
    /// use; or nobody holds it, and the caller has to drain it; or it was not needed; or nothing
    /// may be freed.
    enum class outcome : unsigned char { used, unread, merged, failed };
    static outcome retire(era_type& e, garbage_list& own, batch<Env>* shared, completion* wait,
                          bool free_only, std::uint64_t& ended) noexcept
    {
        threads& t = threads::instance();
        lock_guard lock(t.mutex());
        bool const others = !t.alone(mine());
        // The last epoch in which a reader can have seen what was replaced. Under the mutex, since
        // other registries of the domain move the epoch too.
        ended = common().epoch.load(std::memory_order_relaxed);
        if (others && free_only)
            return outcome::failed;
        follow_fork();

        // [rcu.epoch] release: pairs with now. seq_cst: in full mode, before our scan in the total
        // order.
        std::uint64_t const epoch = ended + 1;
        e.restart();
        e.owner = identity();
        e.leave_to = readers_drain<Domain> ? nullptr : &common().left;
        e.epoch.store(epoch, std::memory_order_relaxed);
        common().epoch.store(epoch, std::memory_order_seq_cst);

        // As in hazard_domain::settle, where the reasons stand.
        scan_and_post(e);
        if (others) {
            bool late = false;
            bool sure = Env::heavy_fence(t.mode());  // [rcu.fence]
            if (sure) {
                revoke_moved(e);
                late = scan_and_post(e);
            }
            if (late) {
                sure = Env::heavy_fence(t.mode());  // [rcu.late_fence]
                if (sure)
                    revoke_moved(e);
            }
            if (!sure) {
                each_slot([&](slot const& s) { revoke(s, e); });
                return outcome::failed;
            }
        }
        e.covers = std::exchange(common().settled, epoch);
        era_type* const before = common().newest;
        // An older era without holders is only waiting to be drained: nobody is in the way.
        if (e.holders() == 1 && shared != nullptr && wait == nullptr && before != nullptr &&
            before->holders() != 0 && before->hang(*shared->links))
            return outcome::merged;
        if (shared != nullptr)
            own = shared->list;
        e.own = std::exchange(own, {});
        if (before != nullptr && before->holders() != 0) {
            e.hold();
            if (!before->chain(e))  // [rcu.chain]
                e.drop();           // never the last
        }
        e.newer = nullptr;
        (common().newest == nullptr ? common().oldest : common().newest->newer) = &e;
        common().newest = &e;
        if (wait != nullptr) {
            wait->until_ = epoch;
            wait->hang_on();  // on `e`, if on no older one
        }
        // Under the mutex still: a writer of another registry must not find an era that only this
        // writer holds, and leave to it what it could destroy itself.
        return e.let_go() ? outcome::unread : outcome::used;
    }

    /// One read that does not take the fast path.
    class slow_read
    {
    public:
        slow_read() noexcept : record_(mine())
        {
            if (!record_.linked) {
                record_.prepare();
                threads::instance().attach(record_);
                if (record_.permanent && threads::instance().mode() == fence_mode::asymmetric)
                    record_.hot_since->store(slot::idle, std::memory_order_relaxed);
            }
            if (record_.reading())
                return;  // an outer read protects everything in the domain
            full_ = threads::instance().mode() != fence_mode::asymmetric;
            bool const hot = record_.hot_since->load(std::memory_order_relaxed) == slot::idle;
            since_ = hot ? record_.hot_since : &record_.slow_since;
            mail_ = hot ? record_.hot_mail : &record_.slow_mail;
            last_ = hot ? record_.hot_last : &record_.slow_last;
            *last_ = now();
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
            if (full_) {
                since_->store(slot::idle, std::memory_order_seq_cst);
                if (mail_->load(std::memory_order_seq_cst) != nullptr)
                    slot::take_mail(*mail_, *last_);
            } else {
                since_->store(slot::idle, std::memory_order_release);
                Env::light_fence();
                if (mail_->load(std::memory_order_relaxed) != nullptr)
                    slot::take_mail(*mail_, *last_);
            }
            if (!record_.permanent && record_.linked && !record_.reading())
                threads::instance().detach(record_);
        }

    private:
        record& record_;
        typename slot::template atomic<std::uint64_t>* since_ = nullptr;
        typename slot::template atomic<era_type*>* mail_ = nullptr;
        std::uint64_t* last_ = nullptr;
        bool full_ = false;
    };

private:
    struct REGISTRY_IO_EXPORT state
    {
        typename Env::template atomic<std::uint64_t> epoch{slot::idle + 1};
        std::uint64_t settled = slot::idle + 1;  ///< the last epoch whose readers are all known
        era_type* oldest = nullptr;              ///< of those in use; some may have closed
        era_type* newest = nullptr;
        era_type* unused = nullptr;
        era_stack<Env> left;
        unsigned forks = 0;
    };

    template <class F>
    static void each_slot(F f) noexcept
    {
        for (record* r = threads::instance().first(); r != nullptr; r = r->next)
            r->each_slot(f);
    }

    /// Whether the slot's read began before `e`'s epoch.
    static bool in_the_way(slot const& s, era_type const& e) noexcept
    {
        // [rcu.scan] seq_cst: in full mode it pairs with the readers' stores.
        std::uint64_t const since = s.since.load(std::memory_order_seq_cst);
        return since > slot::idle && since < e.epoch.load(std::memory_order_relaxed);
    }

    /// Returns whether it posted any. A slot with mail is counted by an older era, which is open
    /// for as long as that read lasts.
    static bool scan_and_post(era_type& e) noexcept
    {
        bool posted = false;
        each_slot([&](slot const& s) {
            if (in_the_way(s, e) && s.mail.load(std::memory_order_relaxed) == nullptr) {
                e.hold();
                s.mail.exchange(&e, std::memory_order_seq_cst);  // [rcu.post]
                posted = true;
            }
        });
        return posted;
    }

    static void revoke(slot const& s, era_type& e) noexcept
    {
        // [rcu.revoke]
        era_type* mail = &e;
        if (s.mail.compare_exchange_strong(mail, nullptr, std::memory_order_acq_rel,
                                           std::memory_order_relaxed))
            e.drop();  // never the last
    }

    static void revoke_moved(era_type& e) noexcept
    {
        each_slot([&](slot const& s) {
            if (s.mail.load(std::memory_order_relaxed) == &e && !in_the_way(s, e))
                revoke(s, e);
        });
    }

    static void recycle(era_type& e) noexcept
    {
        e.newer = common().unused;
        common().unused = &e;
    }

    static void sweep() noexcept
    {
        while (common().oldest != nullptr && common().oldest->closed()) {
            era_type& e = *common().oldest;
            common().oldest = e.newer;
            recycle(e);
        }
        if (common().oldest == nullptr)
            common().newest = nullptr;
    }

    static void follow_fork() noexcept
    {
        // Not while this thread reads: then some of it is its own.
        if (common().forks == forks() || would_deadlock())
            return;
        // The readers that held these eras are gone, without their last word.
        common().forks = forks();
        common().oldest = common().newest = nullptr;
    }

    static BOOST_FORCEINLINE state& common() noexcept { return Env::template global<state>(); }
};

}  // namespace reclaim
}  // namespace v1
}  // namespace registry_io

#endif
