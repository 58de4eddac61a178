// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The snapshot policy of the default preset: readers announce the table that they walk (hazard
// pointers, Michael, 2004). This header has the fast path of readers; `reclaim/hazard_writer.hpp`
// has the steps of a writer, and `reclaim/hazard.hpp` the slots and the search for readers.
// Invariant: from an `announce` that returns true to `leave`, the slot of a reader names the root
// that it walks, and no writer frees a root that such a slot names.

#ifndef REGISTRY_IO_SNAPSHOT_HAZARD_POINTER_HPP
#define REGISTRY_IO_SNAPSHOT_HAZARD_POINTER_HPP

#include <registry_io/detail/supported.hpp>

#include <cstdint>
#include <type_traits>
#include <utility>

#include <registry_io/policy.hpp>
#include <registry_io/reclaim/env.hpp>
#include <registry_io/reclaim/hazard.hpp>
#include <registry_io/reclaim/hazard_writer.hpp>
#include <registry_io/reclaim/misuse.hpp>
#include <registry_io/reclaim/option.hpp>

namespace registry_io {
inline namespace v1 {
namespace snapshot {

/// Readers announce the snapshot that they walk. This is the default, because handlers are user
/// code and may block: a blocked handler pins its own table, with the handlers in it, and nothing
/// newer.
///
/// Readers: lock-free; a reader loads the root twice, and starts over only if a publication fell
/// between the two loads. Readers write no shared memory. Writers: take turns; a removal sends one
/// `membarrier` when other threads have records. Memory: at most one snapshot for each read in
/// flight. Captures are destroyed inside the removal if no reader holds them, otherwise by the last
/// reader to leave. Tables have no destructors, and the next writer frees them. `synchronize` may
/// have to copy the root, so it can throw what the alloc policy throws. It needs thread-local
/// storage: a record for each thread, aligned to 128 bytes. Use it by default.
///
/// `Reclaim` says when captures are destroyed, and by which thread: `reclaim::prompt`, as above;
/// `reclaim::batched<N>`, which saves the fence of most removals; or `reclaim::by_writers`, in
/// which readers destroy nothing. `Env` is for checkers: see `reclaim::std_env`.
template <class Reclaim, class Env = reclaim::std_env>
struct basic_hazard_pointer
{
    using category = axis::snapshot;
    static constexpr bool concurrent = true;

    using env = Env;
    template <class T>
    using atomic = typename Env::template atomic<T>;
    using root_header = reclaim::counted_root<env>;

    template <class Root>
    class store;
};

/// Hazard pointers with prompt reclamation.
using hazard_pointer = basic_hazard_pointer<reclaim::prompt>;

template <class Reclaim, class Env>
template <class Root>
class basic_hazard_pointer<Reclaim, Env>::store
{
    using domain = reclaim::hazard_domain<env>;
    using slot = reclaim::hazard_slot<env>;

public:
    constexpr store() noexcept = default;

    template <class F>
    BOOST_FORCEINLINE void read(F f) const noexcept(calls_nothrow<F>)
    {
        Root* const root = root_.load(std::memory_order_relaxed);  // [hp.root]
        if (root == nullptr)
            return;
        slot const s = domain::hot();
        if (s.hp.load(std::memory_order_relaxed) == slot::idle) [[likely]] {
            if (!announce(s, root)) [[unlikely]]
                return read_again(shared_reader<Root>(f), *root);
            // relaxed: it was set before the first root was published.
            reclaim::assert_domain([this] { return domain_.load(std::memory_order_relaxed); },
                                   domain::identity());
            if constexpr (brief_reader<F, Root>) {
                auto const sight = f.brief(*root);
                if (!sight)
                    return read_announced(sight, f, *root);
                left const end{*root};
                f.call_brief(*root, sight);
            } else {
                left const end{*root};
                f(*root);
            }
            return;
        }
        read_nested(shared_reader<Root>(f));
    }

    template <class Source>
    using writer = reclaim::hazard_writer<Reclaim, env, Root, store, Source>;

private:
    /// @cond
    template <class, class, class, class, class>
    friend class reclaim::hazard_writer;
    /// @endcond

    template <class F>
    static constexpr bool calls_nothrow = noexcept(std::declval<F&>()(std::declval<Root&>()));

    /// Announces `root` in a slot of this thread. Returns whether it is still the current root.
    BOOST_FORCEINLINE bool announce(slot const& s, Root* root) const noexcept
    {
        auto const word = word_of(*root);
        // release: pairs with the scan's acquire. Without it, a scan that sees the new cell beside
        // the old hp could free a root before the previous read of it has ended.
        s.cell.store(this, std::memory_order_release);
        s.hp.store(word, std::memory_order_release);  // [hp.announce]
        // Pairs with the writer's heavy fence between its exchange and its scan: either the scan
        // sees hp, or the load below sees the new root. Without it, both could miss.
        env::light_fence();
        // [hp.look] acquire: pairs with hp.publish. Without it, a reader could see a root before
        // its rows.
        return root_.load(std::memory_order_acquire) == root;
    }

    static std::uintptr_t word_of(Root& root) noexcept
    {
        return reinterpret_cast<std::uintptr_t>(static_cast<root_header*>(&root));
    }

    /// Ends the read that `announce` began. It accesses only this thread's record, since the
    /// registry may be destroyed once hp is idle. Returns whether there is mail.
    static BOOST_FORCEINLINE bool leave(slot const& s) noexcept
    {
        // [hp.idle] release: pairs with hp.scan. Without it, reads of the snapshot could race with
        // the destruction by a writer that sees idle.
        s.hp.store(slot::idle, std::memory_order_release);
        // [hp.mail] Pairs with the heavy fence between posting mail and looking at hp again: either
        // the writer sees that this read has ended, or the reader sees the mail.
        env::light_fence();
        return s.mail.load(std::memory_order_relaxed) != nullptr;
    }

    struct left
    {
        Root& root;  // only its address is used: the root may be freed already
        BOOST_FORCEINLINE ~left()
        {
            if (leave(domain::hot())) [[unlikely]]
                take_mail(word_of(root));
        }
    };
    struct left_nested
    {
        typename domain::words& in;
        Root& root;
        BOOST_FORCEINLINE ~left_nested()
        {
            slot const s = in.get();
            if (leave(s)) [[unlikely]]
                slot::take_mail(s.mail, word_of(root));
        }
    };
    /// Out of line, so that the fast path does not compute this address.
    REGISTRY_IO_DETAIL_COLD static void take_mail(std::uintptr_t last) noexcept
    {
        slot::take_mail(domain::hot().mail, last);
    }

    /// The rest of a read whose root is announced. The fast path jumps here, so the function is
    /// static, nothrow if possible, and takes `f` in the register that holds it already.
    template <class F, class Sight>
    BOOST_NOINLINE static void read_announced(Sight sight, F f,
                                              Root& root) noexcept(calls_nothrow<F>)
    {
        left const end{root};
        f.call_long(root, sight);
    }

    /// Starts over after a publication between the two loads of the root. Out of line with all that
    /// it calls, so that the fast path saves no register for it.
    template <class F>
    BOOST_NOINLINE void read_again(F f, Root& root) const noexcept(calls_nothrow<F>)
    {
        {
            left const end{root};
        }
        read_slow(f);
    }

    /// A read inside of another read, of this or another registry. If the fast path's slot is in
    /// use, the thread's record is attached and the fence is asymmetric, so this repeats the fast
    /// path with another slot. A read that is not nested, or finds no free slot, continues in
    /// `read_slow`.
    template <class F>
    BOOST_NOINLINE void read_nested(F f) const noexcept(calls_nothrow<F>)
    {
        if (slot::reading(domain::hot().hp.load(std::memory_order_relaxed))) {
            if (auto* const words = domain::mine().free_nested()) {
                Root* const root = root_.load(std::memory_order_relaxed);
                if (root != nullptr && !foreign()) {
                    bool const current = announce(words->get(), root);
                    left_nested const end{*words, *root};
                    if (current) [[likely]]
                        return f(*root);
                }
            }
        }
        read_slow(f);
    }

    template <class F>
    BOOST_NOINLINE void read_slow(F f) const noexcept(calls_nothrow<F>)
    {
        // acquire: pairs with hp.publish, so that `foreign` sees what was set before the first root
        // was published.
        if (root_.load(std::memory_order_acquire) == nullptr)
            return;
        if (foreign())
            reclaim::foreign_domain();
        typename domain::slow_read const r(this, [this](std::memory_order order) {
            return static_cast<root_header*>(root_.load(order));
        });
        if (r.root() == nullptr)
            return;
        f(*static_cast<Root*>(r.root()));
    }

    /// Whether the calling code announces in another domain than the domain that the writers scan.
    // relaxed: it was set before the first root was published.
    bool foreign() const noexcept
    {
        return domain_.load(std::memory_order_relaxed) != domain::identity();
    }

    /// Sets the domain, if it is not set: the code that registers first decides.
    void belong() noexcept
    {
        void const* none = nullptr;
        domain_.compare_exchange_strong(none, domain::identity(), std::memory_order_relaxed);
    }

    typename env::template atomic<Root*> root_{nullptr};
    typename env::template atomic<void const*> domain_{nullptr};
};

}  // namespace snapshot
}  // namespace v1
}  // namespace registry_io

#endif
