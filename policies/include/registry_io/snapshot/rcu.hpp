// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The snapshot policy for throughput: readers announce the epoch in which they began
// (read-copy-update, McKenney and Slingwine, 1998). This header has the fast path of readers;
// `reclaim/rcu_writer.hpp` has the steps of a writer, and `reclaim/rcu.hpp` the epochs, eras and
// records. Invariant: the slot of a reading thread holds the epoch at the start of its outermost
// read, and nothing that was replaced since that epoch is freed.

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
#include <registry_io/detail/raise.hpp>
#include <registry_io/policy.hpp>
#include <registry_io/reclaim/env.hpp>
#include <registry_io/reclaim/misuse.hpp>
#include <registry_io/reclaim/option.hpp>
#include <registry_io/reclaim/rcu.hpp>
#include <registry_io/reclaim/rcu_writer.hpp>

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
    using writer = reclaim::rcu_writer<Reclaim, env, Root, store, Source>;

private:
    /// @cond
    template <class, class, class, class, class>
    friend class reclaim::rcu_writer;
    /// @endcond

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
