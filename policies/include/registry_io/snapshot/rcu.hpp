// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The snapshot policy for throughput: readers announce the epoch in which they began
// (read-copy-update, McKenney and Slingwine, 1998). This header has the fast path of readers and
// the order of a writer's steps; `reclaim/rcu.hpp` has the epochs, eras and records. Invariant: the
// slot of a reading thread holds the epoch at the start of its outermost read, and nothing that was
// replaced since that epoch is freed.

#ifndef REGISTRY_IO_SNAPSHOT_RCU_HPP
#define REGISTRY_IO_SNAPSHOT_RCU_HPP

#include <registry_io/detail/supported.hpp>

#include <cstdint>
#include <mutex>
#include <new>
#include <system_error>
#include <type_traits>
#include <utility>

#include <boost/assert.hpp>

#include <registry_io/config.hpp>
#include <registry_io/detail/on_demand.hpp>
#include <registry_io/detail/raise.hpp>
#include <registry_io/policy.hpp>
#include <registry_io/reclaim/env.hpp>
#include <registry_io/reclaim/late_part.hpp>
#include <registry_io/reclaim/misuse.hpp>
#include <registry_io/reclaim/option.hpp>
#include <registry_io/reclaim/rcu.hpp>

namespace registry_io {
inline namespace v1 {
namespace snapshot {

/// Readers mark their thread as reading, once for any number of nested reads.
///
/// Readers: wait-free, except for a thread's first read; no load is repeated. Readers write no
/// shared memory. Writers: as with `hazard_pointer`. Memory: a removed handler is destroyed after
/// every reader of the domain that was inside at the removal has left, so a handler that blocks
/// delays the destruction of all garbage of its domain. `synchronize` waits for all readers of the
/// domain too, and is refused inside a handler of any registry of the domain. You may destroy the
/// registry while readers of other registries of the domain run. The last of them then destroys the
/// garbage that they still hold, so the memory resource of an `alloc::pmr` registry must outlive
/// them: see `rcu_barrier`. The domain's own bookkeeping, one small block for each removal that
/// readers hold up, comes from the global heap and is kept for later use.
///
/// `Domain` is any type; registries that name the same one share a domain, so that nested notifies
/// between them cost next to nothing. With `void` each type of registry has its own domain: a
/// handler that blocks in one of them does not delay registries of another type. Use it for short
/// handlers, many registries for each reader, and the highest rates.
///
/// `Reclaim` says when captures are destroyed, and by which thread, as with `basic_hazard_pointer`.
/// Registries with `reclaim::by_writers` have a separate domain of the same name; the next writer
/// of any registry of that domain destroys what readers have left. `Env` is for checkers: see
/// `reclaim::std_env`.
template <class Domain, class Reclaim = reclaim::prompt, class Env = reclaim::std_env>
struct REGISTRY_IO_EXPORT basic_rcu
{
    using category = axis::snapshot;
    static constexpr bool concurrent = true;

    using env = Env;
    template <class T>
    using atomic = typename Env::template atomic<T>;

    /// See `has_late_part`.
    struct root_header
    {
        struct late_part : garbage
        {
            late_part() noexcept : garbage(nullptr) {}
            root_header* root = nullptr;
        };

        void attach(late_part& late) noexcept
        {
            late.root = this;
            late_ = &late;
        }
        bool attached() const noexcept { return late_ != nullptr; }
        garbage& as_garbage() const noexcept { return *late_; }

    private:
        late_part* late_ = nullptr;
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
    using domain_type = reclaim::rcu_domain<env>;
    using slot = reclaim::rcu_words<env>;

    /// The domain of the registries of type `Registry`.
    template <class Registry>
    using domain = reclaim::rcu_domain_of<
        env,
        detail::rcu_domain_name<std::conditional_t<std::is_void_v<Domain>, Registry, Domain>,
                                Reclaim>>;

public:
    /// The store of a registry of type `Registry`. All reads must name the same type.
    template <class Registry>
    constexpr explicit store(std::type_identity<Registry>) noexcept
        : domain_(&domain<Registry>::instance())
    {
    }

    template <class Registry, class F>
    BOOST_FORCEINLINE void read(std::type_identity<Registry>, F f) const noexcept(calls_nothrow<F>)
    {
        if (root_.load(std::memory_order_relaxed) == nullptr)  // [rcu.look]
            return;
        auto const s = domain<Registry>::hot();
        if (s.since.load(std::memory_order_relaxed) == slot::idle) [[likely]] {
            std::uint64_t const epoch = domain<Registry>::instance().now();  // [rcu.now]
            s.last = epoch;
            // [rcu.announce] release: pairs with rcu.scan. Without it, the reads of this slot's
            // previous read could race with the destruction by a writer that sees this epoch.
            s.since.store(epoch, std::memory_order_release);
            // Pairs with the writer's heavy fence between its exchange and its scan: either the
            // scan sees this read, or this read sees the new root.
            env::light_fence();
            reclaim::assert_domain([this] { return domain_; }, &domain<Registry>::instance());
            // [rcu.root] acquire: pairs with rcu.publish. Without it, a reader could see a root
            // before its rows.
            Root* const root = root_.load(std::memory_order_acquire);
            if constexpr (brief_reader<F, Root>) {
                if (root == nullptr) [[unlikely]] {
                    left<Registry> const end;
                    return;
                }
                auto const sight = f.brief(*root);
                if (!sight)
                    return read_announced<Registry>(sight, f, *root);
                left<Registry> const end;
                f.call_brief(*root, sight);
            } else {
                left<Registry> const end;
                if (root != nullptr) [[likely]]
                    f(*root);
            }
            return;
        }
        read_nested<Registry>(shared_reader<Root>(f));
    }

    /// Whether the calling code has another copy of the domain than the code that made the store,
    /// as can happen between shared objects. Writers would not see its readers.
    template <class Registry>
    bool foreign(std::type_identity<Registry>) const noexcept
    {
        return domain_ != &domain<Registry>::instance();
    }

    template <class Source>
    class writer;

private:
    template <class F>
    static constexpr bool calls_nothrow = noexcept(std::declval<F&>()(std::declval<Root&>()));

    // Out of line, so that the fast path computes none of these addresses.
    template <class Registry>
    REGISTRY_IO_DETAIL_COLD static void take_mail() noexcept
    {
        auto const s = domain<Registry>::hot();
        slot::take_mail(s.mail, s.last);
    }

    template <class Registry>
    struct left
    {
        BOOST_FORCEINLINE ~left()
        {
            auto const s = domain<Registry>::hot();
            // [rcu.idle] release: pairs with rcu.scan. Without it, reads of the snapshot could race
            // with the destruction by a writer that sees idle.
            s.since.store(slot::idle, std::memory_order_release);
            // [rcu.mail] Pairs with the heavy fence between posting mail and the next scan: either
            // the writer sees that this read has ended, or the reader sees the mail.
            env::light_fence();
            if (s.mail.load(std::memory_order_relaxed) != nullptr) [[unlikely]]
                take_mail<Registry>();
        }
    };

    // As in hazard_pointer.
    template <class Registry, class F, class Sight>
    BOOST_NOINLINE static void read_announced(Sight sight, F f,
                                              Root& root) noexcept(calls_nothrow<F>)
    {
        left<Registry> const end;
        f.call_long(root, sight);
    }

    /// A nested read: the outer read protects everything in the domain. If the fast path's slot is
    /// in use, the thread's record is attached and the fence is asymmetric.
    template <class Registry, class F>
    BOOST_NOINLINE void read_nested(F f) const noexcept(calls_nothrow<F>)
    {
        if (!domain<Registry>::hot().reading() || foreign(std::type_identity<Registry>()))
            return read_slow<Registry>(f);
        // acquire: pairs with rcu.publish, as rcu.root.
        if (Root* const root = root_.load(std::memory_order_acquire)) [[likely]]
            f(*root);
    }

    template <class Registry, class F>
    BOOST_NOINLINE void read_slow(F f) const noexcept(calls_nothrow<F>)
    {
        // acquire: pairs with rcu.publish, as rcu.root.
        if (root_.load(std::memory_order_acquire) == nullptr)
            return;
        if (foreign(std::type_identity<Registry>()))
            reclaim::foreign_domain();
        typename domain<Registry>::slow_read const r;
        // seq_cst: in full mode it comes after the announcement in the total order, or a writer
        // could miss this read while it loads the old root. In asymmetric mode an acquire load is
        // enough.
        if (Root* const root = root_.load(std::memory_order_seq_cst)) {
            f(*root);
        }
    }

    typename env::template atomic<Root*> root_{nullptr};
    domain_type* const domain_;
};

template <class Domain, class Reclaim, class Env>
template <class Root>
template <class Source>
class basic_rcu<Domain, Reclaim, Env>::store<Root>::writer
{
    using era = typename domain_type::era_type;
    using outcome = typename domain_type::outcome;

public:
    using completion = typename domain_type::template basic_completion<
        std::conditional_t<Reclaim::on_readers, reclaim::completion<env>,
                           reclaim::polling_completion<env, reclaim::era<env>>>>;

    class retirement
    {
    public:
        retirement(retirement&& other) noexcept
            : free_(std::exchange(other.free_, {})),
              domain_(other.domain_),
              dead_(std::exchange(other.dead_, {})),
              era_(std::exchange(other.era_, nullptr)),
              drain_(std::exchange(other.drain_, nullptr)),
              wait_(other.wait_)
        {
        }
        retirement(retirement const&) = delete;
        retirement& operator=(retirement const&) = delete;

        ~retirement()
        {
            if (era_ != nullptr)
                domain_.give_back(*era_);
        }

        void finish() noexcept
        {
            reclaim::nesting_scope<env> const nesting(&domain_);
            free_.destroy_all();
            // Last: a completion that waits for the era must also wait for `free_`.
            if (drain_ != nullptr)
                drain_->drain();
            if constexpr (!Reclaim::on_readers)
                domain_.left().drain_all();
        }

        /// Whether `finish` has nothing to do that could run user code.
        bool idle() const noexcept
        {
            return Reclaim::on_readers && free_.empty() && drain_ == nullptr;
        }

    private:
        friend class writer;
        explicit retirement(domain_type& d) noexcept : domain_(d) {}

        garbage_list free_{};
        domain_type& domain_;
        garbage_list dead_{};
        era* era_ = nullptr;    // not in use
        era* drain_ = nullptr;  // in use, without holders: `finish` drains it
        completion* wait_ = nullptr;
    };

    writer(store& s, Source const& source) : store_(s), late_(source) { domain().prepare(); }

    /// Whether `prepare` has been called.
    bool prepared() const noexcept { return late_.get() != nullptr; }
    /// Makes the state that only the second and later publications need. Call it before a second
    /// root is made.
    void prepare()
    {
        if (late_.get() == nullptr)
            prepare_once();
    }

    typename env::mutex& mutex() noexcept { return mutex_; }

    bool foreign() const noexcept { return false; }  // only readers can be: see the store

    Root* current() const noexcept { return store_.root_.load(std::memory_order_relaxed); }

    bool exclusive() const noexcept { return false; }

    template <class NoMemory>
    retirement reserve(garbage_list const& dead, completion* wait, NoMemory no_memory)
    {
        if (current() != nullptr || !dead.empty() || wait != nullptr)
            prepare();
        retirement r(domain());
        if (!prepared())
            return r;
        r.era_ = domain().allocate();
        if (r.era_ == nullptr)
            no_memory();
        r.dead_ = dead;
        r.wait_ = wait;
        if constexpr (!Reclaim::on_readers)
            if (wait != nullptr)
                wait->done.leaves = &domain().left();
        return r;
    }

    template <class Recycle>
    void publish(Root* next, retirement& r, Recycle recycle) noexcept
    {
        Root* const old = current();
        replacing* const l = late_.get();
        if (l == nullptr) {  // this publication replaces no root, and no earlier one did
            store_.root_.exchange(next, std::memory_order_seq_cst);  // [rcu.publish] as below
            return;
        }
        l->removals += r.dead_.empty() ? 0u : 1u;
        // Includes the garbage of earlier removals of the same batch.
        l->kept.append(r.dead_);
        if (next != old) {
            // As in hazard_pointer.
            if (next != nullptr)
                l->first.attach(*next);
            // [rcu.publish] release: pairs with rcu.root, so that readers see the rows. seq_cst: in
            // full mode the exchange comes before the scan in the total order, or both sides could
            // miss each other.
            store_.root_.exchange(next, std::memory_order_seq_cst);
            if (old != nullptr) {
                l->kept.push(&old->as_garbage());
                ++l->unsettled;
            }
        }
        bool const now = l->removals >= Reclaim::batch || r.wait_ != nullptr;
        bool const free_only = !now && l->unsettled < most_unsettled;  // [rcu.deferred]
        outcome const o = domain().retire(*r.era_, l->kept, r.wait_, free_only);
        if (o == outcome::deferred)
            return;
        l->unsettled = l->removals = 0;
        switch (o) {
        case outcome::unread:
            r.drain_ = r.era_;
            r.free_ = std::exchange(r.era_->own, {});
            recycle(r.free_);
            r.era_ = nullptr;
            break;
        case outcome::used:
            r.era_ = nullptr;
            break;
        case outcome::refused:
            // Without the fence nothing may be freed, so the garbage waits until the kernel grants
            // the fence again, and a thread that waits for readers cannot return. A reader may
            // still hold the era and be about to drop it: then the era is not used again.
            if (r.wait_ != nullptr)
                reclaim::fence_refused();
            if (r.era_->holders() != 1)
                r.era_ = nullptr;
            break;
        default:
            break;
        }
    }

    bool held() const noexcept { return false; }  // epochs separate old readers from new

    bool would_deadlock() const noexcept { return domain().would_deadlock(); }

    REGISTRY_IO_DETAIL_COLD void close(garbage_list& dead) noexcept
    {
        // Readers of other registries may be inside the domain. Of this registry only this thread
        // can be a reader.
        bool const inside = would_deadlock();
        reclaim::single_part<Root> late;
        garbage_list kept{};
        if (replacing* const l = late_.get())
            kept = std::exchange(l->kept, {});
        kept.append(dead);
        if (Root* const root = store_.root_.exchange(nullptr, std::memory_order_relaxed)) {
            if (!inside)
                late.attach(*root);
            else if (!root->attached() && !attach_for_later(*root))
                return;  // leaks, as below
            kept.push(&root->as_garbage());
        }
        if (!kept.empty() && inside) {
            if (era* const e = domain().allocate()) {
                retirement r(domain());
                switch (domain().retire(*e, kept, static_cast<completion*>(nullptr), false)) {
                case outcome::unread:
                    r.drain_ = e;
                    break;
                case outcome::merged:
                    r.era_ = e;
                    break;
                default:
                    break;
                }
                r.finish();
            }
            return;  // leaks the garbage if there is no memory for an era, or no fence
        }
        reclaim::nesting_scope<env> const nesting(&domain());
        kept.destroy_all();
        if constexpr (!Reclaim::on_readers)
            domain().left().drain_all();
    }

private:
    static constexpr unsigned most_unsettled = Reclaim::batch < 32 ? 32 : Reclaim::batch;

    domain_type& domain() const noexcept { return *store_.domain_; }

    /// Attaches a late part that is destroyed with the root. Returns false if there is no memory.
    /// The part comes from the global heap, as eras do: the registry's memory may be used up.
    static bool attach_for_later(Root& root) noexcept
    {
        struct own_part : root_header::late_part
        {
            garbage::destroy_type destroy_root = nullptr;
            static void end(garbage* g) noexcept
            {
                auto* const self = static_cast<own_part*>(g);
                self->destroy_root(self);
                delete self;
            }
        };
        auto* const late = new (std::nothrow) own_part;
        if (late == nullptr)
            return false;
        root.attach(*late);
        late->destroy_root = std::exchange(late->destroy, &own_part::end);
        return true;
    }

    /// State that exists from the second publication on, which is the first to replace a root.
    struct replacing
    {
        REGISTRY_IO_NO_UNIQUE_ADDRESS reclaim::single_part<Root> first{};
        garbage_list kept{};     // garbage that is not retired yet
        unsigned unsettled = 0;  // replaced roots, and removals, since the last epoch
        unsigned removals = 0;
    };

    REGISTRY_IO_DETAIL_COLD void prepare_once()
    {
        replacing& l = late_.make();
        if (Root* const root = current())
            l.first.attach(*root);
    }

    store& store_;
    registry_io::detail::on_demand<replacing, Source> late_;
    typename env::mutex mutex_{};
};

/// Returns when every read under this domain that had begun before the call has ended.
///
/// Throws `std::system_error` with `resource_deadlock_would_occur` inside such a read, and
/// `std::bad_alloc`. Concurrency: safe with everything. It implies `rcu_barrier`. It does not wait
/// for removals of an incomplete `reclaim::batched` batch: only their registry knows them.
template <class Domain, class Reclaim = reclaim::prompt, class Env = reclaim::std_env>
void rcu_synchronize()
{
    using domain_type = reclaim::rcu_domain<Env>;
    using completion = typename domain_type::template basic_completion<
        std::conditional_t<Reclaim::on_readers, reclaim::completion<Env>,
                           reclaim::polling_completion<Env, reclaim::era<Env>>>>;
    using outcome = typename domain_type::outcome;
    static_assert(!std::is_void_v<Domain>,
                  "registry_io: void names no domain, since each type of registry then has its "
                  "own; name a domain");
    domain_type& domain =
        reclaim::rcu_domain_of<Env, detail::rcu_domain_name<Domain, Reclaim>>::instance();
    if (domain.would_deadlock())
        registry_io::detail::raise(
            std::system_error(std::make_error_code(std::errc::resource_deadlock_would_occur)));
    domain.prepare();
    completion done;
    if constexpr (!Reclaim::on_readers)
        done.done.leaves = &domain.left();
    typename domain_type::era_type* const e = domain.allocate();
    if (e == nullptr)
        registry_io::detail::raise(std::bad_alloc());
    garbage_list nothing;
    switch (domain.retire(*e, nothing, &done, false)) {
    case outcome::refused:
        reclaim::fence_refused();
    case outcome::unread:
        e->drain();
        break;
    default:
        break;
    }
    done.wait();
}

/// Returns when everything that was retired under this domain before the call is destroyed.
/// Otherwise as `rcu_synchronize`.
template <class Domain, class Reclaim = reclaim::prompt, class Env = reclaim::std_env>
void rcu_barrier()
{
    rcu_synchronize<Domain, Reclaim, Env>();
}

}  // namespace snapshot
}  // namespace v1
}  // namespace registry_io

#endif
