// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The snapshot policy of the default preset: readers announce the table that they walk (hazard
// pointers, Michael, 2004). This header has the fast path of readers and the order of a writer's
// steps; `reclaim/hazard.hpp` has the slots and the search for readers. Invariant: from an
// `announce` that returns true to `leave`, the slot of a reader names the root that it walks, and
// no writer frees a root that such a slot names.

#ifndef REGISTRY_IO_SNAPSHOT_HAZARD_POINTER_HPP
#define REGISTRY_IO_SNAPSHOT_HAZARD_POINTER_HPP

#include <registry_io/detail/supported.hpp>

#include <cstdint>
#include <exception>
#include <mutex>
#include <type_traits>
#include <utility>

#include <boost/core/no_exceptions_support.hpp>

#include <registry_io/policy.hpp>
#include <registry_io/reclaim/env.hpp>
#include <registry_io/reclaim/hazard.hpp>
#include <registry_io/reclaim/misuse.hpp>
#include <registry_io/reclaim/nesting.hpp>
#include <registry_io/reclaim/on_demand.hpp>
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
    class writer;

private:
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

template <class Reclaim, class Env>
template <class Root>
template <class Source>
class basic_hazard_pointer<Reclaim, Env>::store<Root>::writer
{
    using retired = reclaim::retired_roots<env>;
    using outcome = typename domain::outcome;
    using fence = typename domain::fence;

public:
    using completion = std::conditional_t<Reclaim::on_readers, reclaim::completion<env>,
                                          reclaim::polling_completion<env, root_header>>;

    class retirement
    {
    public:
        void finish() noexcept
        {
            release_.finish();
            if (left_ != nullptr)
                left_->drain_all();
        }

        /// Whether `finish` has nothing to do.
        bool idle() const noexcept { return release_.free.empty() && left_ == nullptr; }

    private:
        friend class writer;
        explicit retirement(retired* log) noexcept : release_(log) {}

        typename retired::release release_;
        garbage_list dead_{};
        completion* wait_ = nullptr;
        typename retired::stack* left_ = nullptr;
    };

    writer(store& s, Source const& source)
        : store_(s), forks_(retired::prepare()), later_(source, s, forks_)
    {
        domain::prepare();
        store_.belong();
    }

    /// Whether `prepare` has been called.
    bool prepared() const noexcept { return later_.get() != nullptr; }
    /// Makes what only the second and later publications need. Call it before a second root is
    /// made.
    void prepare()
    {
        if (later_.get() == nullptr) {
            replacing& l = later_.make(store_, forks_);
            if (Root* const root = current()) {
                root->attach(l.first);
                root->belong(l.log);
            }
        }
    }

    typename env::mutex& mutex() noexcept { return mutex_; }

    bool foreign() const noexcept { return store_.foreign(); }

    Root* current() const noexcept { return store_.root_.load(std::memory_order_relaxed); }

    bool exclusive() const noexcept { return false; }

    template <class NoMemory>
    retirement reserve(garbage_list const& dead, completion* wait, NoMemory)
    {
        if (current() != nullptr || !dead.empty())
            prepare();
        replacing* const l = later_.get();
        retirement r(l == nullptr ? nullptr : &l->log);
        r.dead_ = dead;
        r.wait_ = wait;
        if constexpr (!Reclaim::on_readers) {
            if (l != nullptr) {
                r.left_ = &l->left;
                if (wait != nullptr)
                    wait->leaves = &l->left;
            }
        }
        return r;
    }

    template <class Recycle>
    void publish(Root* next, retirement& r, Recycle recycle) noexcept
    {
        replacing* const l = later_.get();
        if (l == nullptr) {  // this publication replaces no root, and no earlier one did
            store_.root_.exchange(next, std::memory_order_seq_cst);  // [hp.publish] as below
            if (r.wait_ != nullptr)
                r.wait_->signal();
            return;
        }
        // In a child of fork the readers of other threads do not exist. Not while this thread is
        // inside: then it holds some of the roots itself.
        if (l->log.forked() && !would_deadlock())
            l->log.follow_fork(current(), 1, l->pending.head());
        Root* const old = current();
        bool const removes = !r.dead_.empty();
        if (next != old) {
            if (next != nullptr) {
                // A root that was made as the first, by a change that also removes a handler.
                if (!next->attached())
                    next->attach(l->first);
                next->belong(l->log);
            }
            // [hp.publish] release: pairs with hp.look, so that readers see the rows. seq_cst: in
            // full mode the exchange comes before the scan in the total order, or both sides could
            // miss each other; in asymmetric mode the heavy fence orders them.
            store_.root_.exchange(next, std::memory_order_seq_cst);
            if (old != nullptr)
                l->pending.push(*old);
        }
        l->log.take_out(l->pending.newest, r.dead_, r.release_);
        l->unsettled += removes ? 1u : 0u;
        bool const now = l->unsettled >= Reclaim::batch || r.wait_ != nullptr;
        // [hp.deferred] A registration replaces only tables, and no thread waits for their
        // destruction. They wait for the fence of the next removal, unless too many are pending. So
        // do the first removals of a batch.
        fence const use = now || l->pending.count >= most_pending ? fence::allowed : fence::not_now;
        if (l->pending.newest != nullptr) {
            // After a refusal all pending roots wait until the kernel grants the fence again. A
            // search for their readers at each change would cost more and more.
            outcome const o = l->refused && use == fence::allowed && !domain::fence_works()
                ? outcome::refused
                : domain::settle(&store_, l->pending.head(), use);
            if (o != outcome::deferred)
                l->refused = o == outcome::refused;
            if (o != outcome::settled) {
                // A thread that waits for readers cannot return: readers may still be inside.
                if (r.wait_ != nullptr)
                    reclaim::fence_refused();
                return r.release_.count();
            }
            l->retire_pending(r.release_);
        }
        l->unsettled = 0;
        if (r.wait_ != nullptr)
            l->log.wait_for_all(*r.wait_);
        recycle(r.release_.free);
        r.release_.count();
    }

    bool held() const noexcept { return current() != nullptr && domain::held(&store_, *current()); }

    bool would_deadlock() const noexcept
    {
        return domain::reading(&store_) || reclaim::inside<env>(&store_);
    }

    REGISTRY_IO_DETAIL_COLD void close(garbage_list& dead) noexcept
    {
        reclaim::assert_unread([this] { return !domain::read_by_others(&store_); });
        if (later_.get() == nullptr && (would_deadlock() || held_longer())) {
            BOOST_TRY
            {
                prepare();
            }
            BOOST_CATCH(...)
            {
                return;  // leaks: a reader holds the root, and nothing can make that reader free it
            }
            BOOST_CATCH_END
        }
        Root* const old = store_.root_.exchange(nullptr, std::memory_order_relaxed);
        replacing* const l = later_.get();
        if (l == nullptr) {
            if (old != nullptr)
                dead.push(old);
            reclaim::nesting_scope<env> const nesting(&store_);
            dead.destroy_all();
            return;
        }
        typename retired::release r(&l->log);
        if (old != nullptr)
            l->pending.push(*old);
        l->log.take_out(l->pending.newest, dead, r);
        // A root that this thread is inside of is freed when the thread leaves it.
        domain::settle(&store_, l->pending.head(), fence::needless);
        l->retire_pending(r);
        l->log.leave_to = nullptr;
        l->log.close(r);
        if constexpr (!Reclaim::on_readers)
            l->left.drain_all();
    }

private:
    // The fences of a writer at full speed are its main cost for readers. So there are fewer fences
    // if the memory of pending tables does not matter.
    static constexpr unsigned enough = [] {
        if constexpr (requires { requires Source::plentiful; })
            return 128u;
        else
            return 32u;
    }();
    static constexpr unsigned most_pending = Reclaim::batch < enough ? enough : Reclaim::batch;

    /// Replaced roots that are not settled, in the order of replacement.
    struct pending_roots
    {
        garbage_list list{};
        root_header* newest = nullptr;
        unsigned count = 0;

        root_header* head() const noexcept { return static_cast<root_header*>(list.head()); }
        void push(root_header& e) noexcept
        {
            list.push(&e);
            newest = &e;
            ++count;
        }
        root_header* pop() noexcept
        {
            newest = nullptr;
            count = 0;
            return static_cast<root_header*>(list.pop());
        }
    };

    /// State that exists from the second publication on, which is the first to replace a root.
    struct replacing
    {
        REGISTRY_IO_DETAIL_BEGIN_UNINITIALIZED
        replacing(store& s, unsigned forks) noexcept : log(&s, forks)
        {
            if constexpr (!Reclaim::on_readers)
                log.leave_to = &left;
        }
        REGISTRY_IO_DETAIL_END_UNINITIALIZED

        void retire_pending(typename retired::release& r) noexcept
        {
            while (root_header* const e = pending.pop())
                log.retire(*e, r);
        }

        typename root_header::late_part first{};  // of the registry's first root
        retired log;
        pending_roots pending{};
        unsigned unsettled = 0;  // removals since the last search for readers
        bool refused = false;    // the kernel refused the last fence
        // The roots that readers leave to writers, if readers do not destroy.
        struct nothing
        {
        };
        REGISTRY_IO_NO_UNIQUE_ADDRESS
        std::conditional_t<Reclaim::on_readers, nothing, typename retired::stack> left;
    };

    /// Whether the current root has a holder besides the registry.
    bool held_longer() const noexcept { return current() != nullptr && current()->holders() != 1; }

    store& store_;
    typename env::mutex mutex_{};
    unsigned const forks_;  // at construction
    reclaim::on_demand<replacing, Source> later_;
};

}  // namespace snapshot
}  // namespace v1
}  // namespace registry_io

#endif
