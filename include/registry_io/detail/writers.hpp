// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The writers' side of a registry: their lock, ids, guards, and the order of steps that every
// change takes. A change locks, edits the tables, publishes, unlocks, and then destroys what no
// reader can see any more, so that no user code runs under the lock. The block outlives its
// registry while a guard refers to it or a reader holds a root of it: `holders` counts the guards,
// and the tables are one holder together.

#ifndef REGISTRY_IO_DETAIL_WRITERS_HPP
#define REGISTRY_IO_DETAIL_WRITERS_HPP

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <boost/assert.hpp>
#include <boost/core/addressof.hpp>

#include <registry_io/config.hpp>
#include <registry_io/detail/allocation.hpp>
#include <registry_io/detail/edit.hpp>
#include <registry_io/detail/pieces.hpp>
#include <registry_io/detail/raise.hpp>
#include <registry_io/detail/row_order.hpp>
#include <registry_io/detail/shapes.hpp>
#include <registry_io/garbage.hpp>
#include <registry_io/handler_guard.hpp>
#include <registry_io/handler_id.hpp>
#include <registry_io/policy.hpp>

namespace registry_io {
inline namespace v1 {
namespace detail {

/// Serial numbers of registries.
REGISTRY_IO_EXPORT inline constinit std::atomic<std::uint64_t> last_serial{0};

[[noreturn]] inline void refuse_foreign()
{
    raise(std::logic_error("registry_io: this shared object has its own copy of the library's "
                           "variables; export them, or use a registry_ref that the registry's "
                           "owner made"));
}

[[noreturn]] inline void refuse_deadlock()
{
    raise(std::system_error(std::make_error_code(std::errc::resource_deadlock_would_occur),
                            "registry_io: waiting here would wait for itself"));
}

template <class Mutex>
class locked_scope
{
public:
    explicit locked_scope(Mutex& m) : mutex_(m) { mutex_.lock(); }
    locked_scope(locked_scope const&) = delete;
    locked_scope& operator=(locked_scope const&) = delete;
    ~locked_scope() { mutex_.unlock(); }

private:
    Mutex& mutex_;
};

/// Stands for a type of registry where its symbols should be short.
template <class Event, class Snapshot, class Ordering, class Panic, class Alloc>
struct REGISTRY_IO_EXPORT registry_kind;

/// The block that writers write to. The first registration allocates it.
///
/// All members need the writers' lock unless their comments say otherwise.
template <class Snapshot, class Ordering, class Panic, class Alloc>
class writers : public guard_anchor,
                public pieces<shapes<Snapshot, Ordering, Panic, Alloc>>,
                public row_order<shapes<Snapshot, Ordering, Panic, Alloc>>
{
public:
    using shape = shapes<Snapshot, Ordering, Panic, Alloc>;
    template <class T>
    using atomic = typename shape::template atomic<T>;
    template <class Event>
    using told_as = registry_kind<Event, Snapshot, Ordering, Panic, Alloc>;
    using panic_policy = Panic;
    using source = typename shape::source;
    using entry = typename shape::entry;
    using key = typename shape::key;
    using columns = typename shape::columns;
    using root = typename shape::root;
    using block_base = typename shape::block_base;
    using store = typename Snapshot::template store<root>;
    using writer = typename store::template writer<source>;
    using retirement = typename writer::retirement;
    using completion = typename writer::completion;
    using edit = detail::edit<writers>;
    static constexpr bool bounded = shape::bounded;
    static constexpr std::uint32_t flat_limit = shape::flat_limit;

    writers(writers const&) = delete;
    writers& operator=(writers const&) = delete;
    writers(store& s, Ordering const& order, source const& src)
        : guard_anchor{nullptr},
          writers::pieces(src),
          writers::row_order(order, src),
          serial(last_serial.fetch_add(1, std::memory_order_relaxed) + 1),
          policy_writer(s, src)
    {
        // A removal from a bounded registry that nobody reads needs no memory.
        if constexpr (bounded && requires(writer& w) { w.prepare(); })
            policy_writer.prepare();
    }

    static bool unregister_guarded(guard_anchor* a, handler_id id)
    {
        auto* const self = static_cast<writers*>(a);
        return self->panic.load(std::memory_order_relaxed) != nullptr &&
            self->serial == id.registry_serial() && self->remove(id.value());
    }
    static void release_guarded(guard_anchor* a) noexcept { static_cast<writers*>(a)->drop(); }

    /// The kind of registries for events with this name.
    static constexpr kind_type kind_of(char const* event_name) noexcept
    {
        return {&unregister_guarded, &release_guarded, event_name};
    }

    REGISTRY_IO_DETAIL_COLD static writers* make(store& s, Ordering const& order, source src)
    {
        return detail::create<writers>(src, s, order, src);
    }

    /// Lets other threads run, where the snapshot policy knows how to.
    static void nap() noexcept
    {
        if constexpr (requires { Snapshot::env::nap(); })
            Snapshot::env::nap();
    }

    /// Returns the block of a registry, and makes it if there is none yet.
    ///
    /// One thread makes it while the others wait: a second block, if only for a moment, could take
    /// the memory that the first registration still needs from a bounded source.
    REGISTRY_IO_DETAIL_COLD static writers& first(atomic<writers*>& place,
                                                  atomic<std::uint32_t>& making, store& s, Panic& p,
                                                  Ordering const& order, Alloc& alloc,
                                                  kind_type const& of)
    {
        struct turn
        {
            atomic<std::uint32_t>& making;
            ~turn() { making.store(0, std::memory_order_release); }
        };
        // acquire: pairs with the release of the thread that made, or failed to make, the block.
        // Without it the look below could miss the block, and a second one would be made.
        while (making.exchange(1, std::memory_order_acquire) != 0)
            nap();
        turn const mine{making};
        // relaxed: ordered by the exchange above.
        if (writers* const w = place.load(std::memory_order_relaxed))
            return *w;
        writers* const w = make(s, order, alloc.get_source());
        w->panic.store(boost::addressof(p), std::memory_order_relaxed);
        w->kind = &of;
        // release: pairs with the acquire loads of the registry's members, which use the block.
        place.store(w, std::memory_order_release);
        return *w;
    }

    // Constant, or atomic: usable without the lock.
    std::uint64_t const serial;
    atomic<std::uint64_t> ids{0};      ///< the last id given out
    atomic<std::uint32_t> size{0};     ///< how many handlers are registered
    atomic<std::uint32_t> holders{1};  ///< the registry, and its guards
    atomic<Panic*> panic{nullptr};     ///< the registry's; null when that is gone

    writer policy_writer;  ///< the snapshot policy's side: its mutex is the writers' lock

    /// Adds a reference for a guard. The caller must hold one already. Does not need the lock.
    void hold() noexcept { holders.fetch_add(1, std::memory_order_relaxed); }

    /// Drops a reference; the last one frees the block. Does not need the lock.
    void drop() noexcept
    {
        // acq_rel: everybody's use comes before the end.
        if (holders.fetch_sub(1, std::memory_order_acq_rel) == 1)
            detail::destroy(this, source(this->memory));
    }

    /// The part of a change that follows when the lock has been released.
    struct finishing
    {
        alignas(retirement) std::byte room[sizeof(retirement)];
        retirement* r = nullptr;
        writers* kept = nullptr;

        /// Keeps the block: captures that are destroyed may destroy the registry.
        void keep(writers& w, retirement* made) noexcept
        {
            w.hold();
            kept = &w;
            r = made;
        }
        ~finishing()
        {
            if (r != nullptr)
                finish();
        }

    private:
        BOOST_NOINLINE void finish() noexcept
        {
            r->finish();
            r->~retirement();
            kept->drop();
        }
    };

    class holding
    {
    public:
        explicit holding(writers& w) noexcept : w_(w) { w_.hold(); }
        holding(holding const&) = delete;
        holding& operator=(holding const&) = delete;
        ~holding() { w_.drop(); }

    private:
        writers& w_;
    };

    /// Called when the registry is destroyed; no other thread is inside. Destroys all handlers,
    /// except those that this thread is running: they are destroyed when it leaves them. Does not
    /// need the lock.
    REGISTRY_IO_DETAIL_COLD void close() noexcept
    {
        // relaxed: guards that are dropped from now on are not concurrent with this.
        panic.store(nullptr, std::memory_order_relaxed);
        BOOST_ASSERT_MSG(!Alloc::inside || holders.load() == 1,
                         "registry_io: a guard outlives a registry that holds all its memory");
        garbage_list dead;
        if (root* const r = policy_writer.current()) {
            shape::bury_all(*r, dead);
            shape::each_piece(*r, [&](piece* p) { dead.push(p); });
            this->count_replaced();
        }
        for (unsigned i = 0; i < hook_kinds; ++i)
            if (hook* const h = this->hook_of(i))
                dead.push(h);
        size.store(0, std::memory_order_relaxed);
        this->index_clear();
        this->free_spares();
        policy_writer.close(dead);
        // From now on the last table to go lets go of this block.
        std::uint32_t const left = this->close_tables();
        BOOST_ASSERT_MSG(!Alloc::inside || left == 0,
                         "registry_io: a registry that holds all its memory is destroyed inside "
                         "one of its handlers");
        if (left == 0)
            drop();
    }

    /// An id that no handler has. Does not need the lock: whoever asks may hold a lock of its own,
    /// which a comparison of keys takes under ours.
    // relaxed: only uniqueness matters, since a handler's place follows from its key and id.
    std::uint64_t next_id() noexcept { return ids.fetch_add(1, std::memory_order_relaxed) + 1; }

    /// Adds a handler. Returns its id, or 0 when a bounded registry is full and exceptions are off.
    /// `reserved` is the id if `next_id` gave it out before, else 0.
    BOOST_NOINLINE std::uint64_t add(entry handler, std::int32_t run, bool has_block, key k,
                                     std::uint32_t hint, std::uint64_t reserved)
    {
        new_entry const e{handler, run};
        std::uint64_t id = 0;
        locked_change([&](edit& change, garbage_list&) {
#ifdef BOOST_NO_EXCEPTIONS
            if (bounded && size.load(std::memory_order_relaxed) == flat_limit)
                return false;
#endif
            id = reserved != 0 ? reserved : next_id();
            if (change.append(e, id, has_block, k))
                return false;  // done, and nothing to publish
            change.insert(e, id, has_block, k, hint);
            return true;
        });
        return id;
    }

    /// Removes a handler. Returns whether it was there. `done` is signalled when its captures
    /// are destroyed. `known` is the handler's key, if the caller knows it.
    BOOST_NOINLINE bool remove(std::uint64_t id, completion* done = nullptr,
                               key const* known = nullptr)
    {
        bool removed = false;
        locked_change([&](edit& change,
                          garbage_list& dead) { return removed = change.erase(id, dead, known); },
                      done);
        return removed;
    }

    /// Removes a handler, and waits until no notify runs it and its captures are destroyed.
    BOOST_NOINLINE bool remove_and_wait(std::uint64_t id)
    {
        if (policy_writer.would_deadlock())
            refuse_deadlock();
        // What is destroyed meanwhile may destroy the registry.
        holding const block(*this);
        completion done;
        bool const removed = remove(id, &done);
        if (removed)
            done.wait();
        else
            synchronize();
        return removed;
    }

    /// Removes all handlers. Returns how many there were.
    BOOST_NOINLINE std::size_t clear()
    {
        std::size_t removed = 0;
        locked_change([&](edit& change, garbage_list& dead) {
            removed = change.clear(dead);
            return removed != 0;
        });
        return removed;
    }

    /// Waits until the notifies in flight have ended and earlier removals are destroyed.
    BOOST_NOINLINE void synchronize()
    {
        if (policy_writer.would_deadlock())
            refuse_deadlock();
        holding const block(*this);
        completion done;
        locked_change(
            [&](edit& change, garbage_list&) {
                if (policy_writer.held())
                    change.own_root();
                return true;
            },
            &done);
        done.wait();
    }

    /// Replaces the callback of this kind by `h`, which may be null.
    BOOST_NOINLINE void set_hook(hook_kind which, hook* h)
    {
        locked_change([&](edit& change, garbage_list& dead) {
            change.set_hook(which, h, dead);
            return true;
        });
    }

    /// Whether a handler is registered.
    bool contains(std::uint64_t id)
    {
        locked_scope lock(policy_writer.mutex());
        return this->locate(policy_writer.current(), id, nullptr);
    }

    /// Calls `f(edit, dead)` under the lock, publishes if it returns true, releases the lock, and
    /// destroys what no reader can see any more.
    template <class F>
    void locked_change(F const& f, completion* done = nullptr, bool one_change = true)
    {
        finishing after;
        if (policy_writer.foreign())
            refuse_foreign();
        locked_scope lock(policy_writer.mutex());
        garbage_list dead;
        // Preparing to wait may fail after the change; several changes may fail half-way.
        edit change(*this, one_change && done == nullptr);
        if (f(change, dead)) {
            auto* const r =
                ::new (static_cast<void*>(after.room)) retirement(change.commit(dead, done));
            if (!r->idle())
                after.keep(*this, r);
            else
                r->~retirement();
        } else {
            change.leave();
        }
    }
};

}  // namespace detail
}  // namespace v1
}  // namespace registry_io

#endif
