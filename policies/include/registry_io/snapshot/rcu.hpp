// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)

#ifndef REGISTRY_IO_SNAPSHOT_RCU_HPP
#define REGISTRY_IO_SNAPSHOT_RCU_HPP

#include <cstdint>
#include <exception>
#include <mutex>
#include <new>
#include <system_error>
#include <type_traits>
#include <utility>

#include <boost/assert.hpp>
#include <boost/throw_exception.hpp>

#include <registry_io/config.hpp>
#include <registry_io/policy.hpp>
#include <registry_io/reclaim/option.hpp>
#include <registry_io/reclaim/rcu.hpp>

namespace registry_io {
inline namespace v1 {
namespace snapshot {

/// Readers mark their thread as reading, once for any number of nested reads.
///
/// Readers: wait-free but for a thread's first read; there is no second look to repeat. Nothing
/// shared is written. Writers: as with `hazard_pointer`. Memory: what is removed waits for every
/// reader of the domain that was inside at the removal: a handler that blocks holds up all garbage
/// of its domain for as long. `synchronize` waits for all readers of the domain too, and is refused
/// inside a handler of any registry of the domain. The registry may be destroyed while readers of
/// other registries of the domain run; what they hold up is then destroyed by the last of them, so
/// the memory resource of an `alloc::pmr` registry must outlive them: see `rcu_barrier`. The
/// domain's own bookkeeping, one small block for each removal that readers hold up, comes from the
/// global heap and is kept for later use.
///
/// `Domain` is any type; registries that name the same one share a domain, so that nested notifies
/// between them cost next to nothing. With `void` each type of registry has a domain of its own.
/// Take it: for short handlers, many registries for each reader, and the highest rates.
///
/// `Reclaim` says when captures are destroyed, and by whom, as with `basic_hazard_pointer`. Those
/// that leave it to writers have domains of their own beside the others of the same name; what is
/// left is destroyed by the next writer of any registry of the domain. `Env` is for checkers: see
/// `reclaim::std_env`.
template <class Domain, class Reclaim = reclaim::prompt, class Env = reclaim::std_env>
struct REGISTRY_IO_EXPORT basic_rcu
{
    using category = axis::snapshot;
    static constexpr bool concurrent = true;

    using env = Env;
    template <class T>
    using atomic = typename Env::template atomic<T>;

    struct root_header
    {
        std::uint64_t version = 0;
        std::uint64_t replaced_in = 0;  ///< the epoch
        root_header* newer = nullptr;
    };

    template <class Root>
    class store;
};

/// RCU with a domain for each type of registry.
using rcu = basic_rcu<void>;

namespace detail {
template <class Domain, class Reclaim>
using rcu_domain_name =
    std::conditional_t<Reclaim::on_readers, Domain, reclaim::left_to_writers<Domain>>;
}  // namespace detail

template <class Domain, class Reclaim, class Env>
template <class Root>
class basic_rcu<Domain, Reclaim, Env>::store
{
    using name =
        detail::rcu_domain_name<std::conditional_t<std::is_void_v<Domain>, Root, Domain>, Reclaim>;
    using domain = reclaim::rcu_domain<env, name>;
    using slot = reclaim::rcu_slot<env, name>;

public:
    constexpr store() noexcept = default;

    template <class F>
    BOOST_FORCEINLINE void read(F f) const noexcept(calls_nothrow<F>)
    {
        if (root_.load(std::memory_order_relaxed) == nullptr)  // [rcu.look]
            return;
        slot const s = domain::hot();
        if (s.since.load(std::memory_order_relaxed) == slot::idle) [[likely]] {
            std::uint64_t const epoch = domain::now();  // [rcu.now]
            s.last = epoch;
            // [rcu.announce] release: after the idle that ended this slot's previous read.
            s.since.store(epoch, std::memory_order_release);
            // Pairs with the writer's heavy fence between its exchange and its scan: either the
            // scan sees us, or we see the new root.
            env::light_fence();
            reclaim::assert_domain(domain_, domain::identity());
            // [rcu.root] acquire: the entries were written before the root was published.
            Root* const root = root_.load(std::memory_order_acquire);
            if constexpr (brief_reader<F, Root>) {
                if (root != nullptr && !f.brief(*root))
                    return read_announced(*root, f);
                left const end;
                if (root != nullptr) [[likely]]
                    f.call_brief(*root);
            } else {
                left const end;
                if (root != nullptr) [[likely]]
                    f(*root);
            }
            return;
        }
        read_nested(shared_reader<Root>(f));
    }

    template <class Source>
    class writer;

private:
    template <class F>
    static constexpr bool calls_nothrow = noexcept(std::declval<F&>()(std::declval<Root&>()));

    struct left
    {
        BOOST_FORCEINLINE ~left()
        {
            slot const s = domain::hot();
            // [rcu.idle] release: the reads of the snapshot come before whatever a writer that sees
            // this does.
            s.since.store(slot::idle, std::memory_order_release);
            // [rcu.mail] Pairs with the heavy fence between posting mail and looking at us again.
            env::light_fence();
            if (s.mail.load(std::memory_order_relaxed) != nullptr) [[unlikely]]
                slot::take_mail(s.mail, s.last);
        }
    };

    // As in hazard_pointer.
    template <class F>
    BOOST_NOINLINE static void read_announced(Root& root, F f) noexcept(calls_nothrow<F>)
    {
        left const end;
        f(root);
    }

    /// A read inside of another of the domain, which protects everything in it. That this is one
    /// says that the thread is known and the fence asymmetric.
    template <class F>
    BOOST_NOINLINE void read_nested(F f) const noexcept(calls_nothrow<F>)
    {
        if (!domain::hot().reading() || foreign())
            return read_slow(f);
        // acquire: the entries were written before the root was published.
        if (Root* const root = root_.load(std::memory_order_acquire)) [[likely]]
            f(*root);
    }

    template <class F>
    BOOST_NOINLINE void read_slow(F f) const noexcept(calls_nothrow<F>)
    {
        // acquire: what was set before the first root was published.
        if (root_.load(std::memory_order_acquire) == nullptr)
            return;
        if (foreign())
            reclaim::foreign_domain();
        typename domain::slow_read const r;
        // seq_cst: where there is no asymmetric fence it comes after our announcement in the total
        // order; elsewhere an acquire load is all it is.
        if (Root* const root = root_.load(std::memory_order_seq_cst)) {
            f(*root);
        }
    }

    // As in hazard_pointer.
    bool foreign() const noexcept
    {
        return domain_.load(std::memory_order_relaxed) != domain::identity();
    }
    void belong() noexcept
    {
        void const* none = nullptr;
        domain_.compare_exchange_strong(none, domain::identity(), std::memory_order_relaxed);
    }

    typename env::template atomic<Root*> root_{nullptr};
    typename env::template atomic<void const*> domain_{nullptr};
};

template <class Domain, class Reclaim, class Env>
template <class Root>
template <class Source>
class basic_rcu<Domain, Reclaim, Env>::store<Root>::writer
{
    using batch = reclaim::batch<env>;
    using sourced_batch = reclaim::sourced_batch<env, Source>;
    using era = typename domain::era_type;

public:
    using completion = typename domain::completion;

    class retirement
    {
    public:
        retirement() noexcept = default;
        retirement(retirement&& other) noexcept
            : own_(std::exchange(other.own_, {})),
              era_(std::exchange(other.era_, nullptr)),
              shared_(std::exchange(other.shared_, nullptr)),
              wait_(std::exchange(other.wait_, nullptr))
        {
        }
        retirement& operator=(retirement&&) = delete;

        ~retirement()
        {
            if (shared_ != nullptr)
                shared_->free(shared_);
            if (era_ != nullptr)
                domain::give_back(*era_);
        }

        void finish() noexcept
        {
            reclaim::frame_scope<env> frame(domain::identity());
            if (era* e = drain_)
                e->drain();
            own_.destroy_all();
            if constexpr (!Reclaim::on_readers)
                domain::left().drain_all();
        }

    private:
        friend class writer;

        garbage_list own_;
        era* era_ = nullptr;       // not in use
        era* drain_ = nullptr;     // was in use, and nobody is in its way
        batch* shared_ = nullptr;  // not in use
        completion* wait_ = nullptr;
    };

    writer(store& s, Source const& source) : store_(s), source_(source)
    {
        domain::prepare();
        store_.belong();
        forks_ = domain::forks();
    }

    typename env::mutex& mutex() noexcept { return mutex_; }

    bool foreign() const noexcept { return store_.foreign(); }

    Root* current() const noexcept { return store_.root_.load(std::memory_order_relaxed); }

    bool exclusive() const noexcept { return false; }

    template <class NoMemory>
    retirement reserve(garbage_list const& dead, completion* wait, NoMemory no_memory)
    {
        if (forks_ != domain::forks() && !would_deadlock()) {
            // In a child of fork: see reclaim::thread_domain. What is on the list stays allocated.
            forks_ = domain::forks();
            replaced_.abandon();
            unsettled_ = 0;
        }
        retirement r;
        r.era_ = domain::allocate();
        if (r.era_ == nullptr)
            no_memory();
        r.wait_ = wait;
        if (Reclaim::batch == 1 && !dead.empty() && domain::busy()) {
            r.shared_ = sourced_batch::make(source_, 1);
            if (r.shared_ == nullptr)
                no_memory();
            r.shared_->list = dead;
        } else {
            r.own_ = dead;
        }
        return r;
    }

    void publish(Root* next, retirement& r) noexcept
    {
        Root* const old = current();
        if (next != old) {
            // [rcu.publish] release: readers see the entries. seq_cst: in full mode, before our
            // scan.
            store_.root_.exchange(next, std::memory_order_seq_cst);
            if (old != nullptr) {
                replaced_.push(*old);
                ++unsettled_;
            }
        }
        removals_ += !r.own_.empty() || r.shared_ != nullptr ? 1u : 0u;
        bool const now = removals_ >= Reclaim::batch || r.wait_ != nullptr;
        bool const free_only = !now && unsettled_ < most_unsettled;  // [rcu.deferred]
        // What earlier removals of a batch took out goes with this one.
        kept_.append(r.own_);
        std::uint64_t ended = 0;
        auto const outcome = domain::retire(*r.era_, kept_, r.shared_, r.wait_, free_only, ended);
        if (next != old && old != nullptr)
            old->replaced_in = ended;
        switch (outcome) {
        case domain::outcome::unread:
            r.drain_ = r.era_;
            [[fallthrough]];
        case domain::outcome::used:
            r.era_ = nullptr;
            unsettled_ = removals_ = 0;
            break;
        case domain::outcome::merged:
            r.shared_ = nullptr;
            unsettled_ = removals_ = 0;
            break;
        case domain::outcome::failed:
            if (free_only)
                break;
            // The kernel refuses the fence that it promised. Nothing may be freed early, so what
            // was taken out stays allocated for ever; and nobody can be told that readers are gone.
            if (r.wait_ != nullptr)
                std::terminate();
            kept_ = garbage_list();
            r.era_ = nullptr;
            break;
        }
    }

    template <class F>
    void sweep(F f)
    {
        replaced_.sweep([](root_header const& h) { return domain::complete(h.replaced_in); },
                        [&](root_header& h) { f(static_cast<Root&>(h)); });
    }

    bool spans(std::uint64_t birth, std::uint64_t death) const noexcept
    {
        return replaced_.spans(birth, death);
    }

    bool held() const noexcept { return false; }  // a new epoch is enough to tell readers apart

    bool would_deadlock() const noexcept { return domain::would_deadlock(); }

    template <class F>
    void close(F f)
    {
        // A reader of another registry may be inside the domain; readers of this one cannot be
        // told from those.
        for (root_header* h = replaced_.abandon(); h != nullptr;) {
            root_header* const next = h->newer;
            f(static_cast<Root&>(*h));
            h = next;
        }
        if (Root* const root = store_.root_.exchange(nullptr, std::memory_order_relaxed))
            f(*root);
        kept_.destroy_all();
        if constexpr (!Reclaim::on_readers)
            domain::left().drain_all();
    }

private:
    static constexpr unsigned most_unsettled = Reclaim::batch < 32 ? 32 : Reclaim::batch;

    store& store_;
    typename env::mutex mutex_;
    reclaim::root_list<root_header> replaced_;
    garbage_list kept_;       // of a batch that is not complete
    unsigned unsettled_ = 0;  // replaced roots, and removals, since the last epoch
    unsigned removals_ = 0;
    unsigned forks_ = 0;
    REGISTRY_IO_NO_UNIQUE_ADDRESS Source source_;
};

/// Returns when every read under this domain that had begun before the call has ended.
///
/// Throws `std::system_error` with `resource_deadlock_would_occur` inside such a read, and
/// `std::bad_alloc`. Concurrency: safe with everything. It implies `rcu_barrier` here. What lies in
/// an unfinished `reclaim::batched` is its registry's alone until that one looks.
template <class Domain, class Reclaim = reclaim::prompt, class Env = reclaim::std_env>
void rcu_synchronize()
{
    using env = Env;
    using domain = reclaim::rcu_domain<env, detail::rcu_domain_name<Domain, Reclaim>>;
    if (domain::would_deadlock())
        boost::throw_exception(
            std::system_error(std::make_error_code(std::errc::resource_deadlock_would_occur)));
    domain::prepare();
    typename domain::completion done;
    typename domain::era_type* const e = domain::allocate();
    if (e == nullptr)
        boost::throw_exception(std::bad_alloc());
    garbage_list nothing;
    std::uint64_t ended = 0;
    switch (domain::retire(*e, nothing, nullptr, &done, false, ended)) {
    case domain::outcome::failed:
        std::terminate();  // the kernel has broken its word; returning would be too early
    case domain::outcome::unread:
        e->drain();
        break;
    default:
        break;
    }
    done.wait();
}

/// Returns when everything that was retired under this domain before the call is destroyed.
/// As `rcu_synchronize` in every other respect.
template <class Domain, class Reclaim = reclaim::prompt, class Env = reclaim::std_env>
void rcu_barrier()
{
    rcu_synchronize<Domain, Reclaim, Env>();
}

}  // namespace snapshot
}  // namespace v1
}  // namespace registry_io

#endif
