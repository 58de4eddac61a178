// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)

#ifndef REGISTRY_IO_DETAIL_WRITERS_HPP
#define REGISTRY_IO_DETAIL_WRITERS_HPP

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <new>
#include <stdexcept>
#include <system_error>
#include <type_traits>
#include <utility>

#include <boost/assert.hpp>
#include <boost/core/no_exceptions_support.hpp>
#include <boost/throw_exception.hpp>

#include <registry_io/config.hpp>
#include <registry_io/detail/id_index.hpp>
#include <registry_io/detail/table.hpp>
#include <registry_io/garbage.hpp>
#include <registry_io/handler_guard.hpp>
#include <registry_io/handler_id.hpp>
#include <registry_io/policy.hpp>

namespace registry_io {
inline namespace v1 {
namespace detail {

/// Serial numbers of registries.
REGISTRY_IO_EXPORT inline constinit std::atomic<std::uint64_t> last_serial{0};

[[noreturn]] inline void no_memory()
{
    boost::throw_exception(std::bad_alloc(), BOOST_CURRENT_LOCATION);
}

[[noreturn]] inline void refuse_foreign()
{
    boost::throw_exception(
        std::logic_error("registry_io: this shared object has its own copy of the library's "
                         "variables; export them, or use a registry_ref that the registry's "
                         "owner made"),
        BOOST_CURRENT_LOCATION);
}

[[noreturn]] inline void refuse_deadlock()
{
    boost::throw_exception(
        std::system_error(std::make_error_code(std::errc::resource_deadlock_would_occur),
                          "registry_io: waiting here would wait for itself"),
        BOOST_CURRENT_LOCATION);
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

/// What writers write: lies in a block that the first registration allocates.
///
/// All members are used under the writers' lock, but those that say otherwise.
template <class Snapshot, class Ordering, class Panic, class Alloc>
class writers : public guard_anchor
{
public:
    template <class Event>
    using told_as = registry_kind<Event, Snapshot, Ordering, Panic, Alloc>;
    using panic_policy = Panic;
    using source = typename Alloc::source;
    using entry = detail::entry;
    using user_key = typename Ordering::key_type;
    using key = typename stored_key<user_key>::type;
    using columns = detail::columns<entry, key>;
    template <class T>
    using shared = detail::shared<Snapshot, T>;
    using root = detail::root<typename Snapshot::root_header, columns, shared<std::uint32_t>>;
    using chunk = typename root::chunk_type;
    using branch = typename root::branch_type;
    using store = typename Snapshot::template store<root>;
    using writer = typename store::template writer<source>;
    using retirement = typename writer::retirement;
    using completion = typename writer::completion;
    using block_base = detail::block_base<typename Panic::handler_state>;
    static constexpr bool keyed = columns::keyed;
    static constexpr bool bounded = Alloc::capacity != 0;
    /// Up to here a snapshot is one flat table; a bounded registry has no other.
    static constexpr std::uint32_t flat_limit =
        bounded ? static_cast<std::uint32_t>(Alloc::capacity) : chunk::capacity;
    /// A snapshot in chunks that has shrunk to this many rows becomes flat again.
    static constexpr std::uint32_t flat_again = chunk::capacity / 2;

    REGISTRY_IO_DETAIL_COLD static writers* make(store& s, Ordering const& order, source src)
    {
        void* const p = src.allocate(sizeof(writers), alignof(writers));
        if (p == nullptr)
            no_memory();
        struct room
        {
            source& src;
            void* p;
            ~room()
            {
                if (p != nullptr)
                    src.deallocate(p, sizeof(writers), alignof(writers));
            }
        } r{src, p};
        auto* const w = ::new (p) writers(s, order, src);
        r.p = nullptr;
        w->unregister = [](guard_anchor* a, handler_id id) {
            auto* const self = static_cast<writers*>(a);
            return self->panic.load(std::memory_order_relaxed) != nullptr &&
                self->serial == id.registry_serial() && self->remove(id.value());
        };
        w->release = [](guard_anchor* a) noexcept { static_cast<writers*>(a)->drop(); };
        return w;
    }

    // Constant, or atomic: usable without the lock.
    std::uint64_t const serial;
    shared<std::uint64_t> ids{0};      ///< the last id given out
    shared<std::size_t> size{0};       ///< how many handlers are registered
    shared<std::uint32_t> holders{1};  ///< the registry, and its guards
    shared<Panic*> panic{nullptr};     ///< the registry's; null when that is gone
    char const* event_name = nullptr;  ///< the type of its events, for logs and debuggers

    writer log;  ///< the snapshot policy's side: its mutex is the writers' lock
    std::uint64_t version = 0;
    hook* hooks[hook_kinds] = {};
    source memory;

    /// A guard more. Without the lock, by a thread that knows of a holder.
    void hold() noexcept { holders.fetch_add(1, std::memory_order_relaxed); }

    /// A holder less; the last one frees. Without the lock.
    void drop() noexcept
    {
        // acq_rel: everybody's use comes before the end.
        if (holders.fetch_sub(1, std::memory_order_acq_rel) == 1)
            free();
    }

    /// What a change has to do when the lock has been given up.
    struct finishing
    {
        alignas(retirement) std::byte room[sizeof(retirement)];
        retirement* r = nullptr;
        writers* kept = nullptr;

        /// What is destroyed may destroy the registry.
        void keep(writers& w) noexcept
        {
            w.hold();
            kept = &w;
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
            if (kept != nullptr)
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

    /// The registry is going away, and no other thread is inside. Destroys all handlers, but for
    /// what this thread is inside of: that goes when it leaves. Without the lock.
    REGISTRY_IO_DETAIL_COLD void close() noexcept
    {
        // relaxed: guards that are dropped from now on are not concurrent with this.
        panic.store(nullptr, std::memory_order_relaxed);
        BOOST_ASSERT_MSG(!Alloc::inside || holders.load() == 1,
                         "registry_io: a guard outlives a registry that holds all its memory");
        garbage_list dead;
        if (root* const r = log.current()) {
            bury_all(*r, dead);
            each_piece(*r, [&](piece* p) { dead.push(p); });
            ++tables_;
        }
        for (hook*& h : hooks)
            if (hook* const mine = std::exchange(h, nullptr))
                dead.push(mine);
        size.store(0, std::memory_order_relaxed);
        index_.clear();
        free_spares();
        log.close(dead);
        // From now on the last table to go lets go of this block. acq_rel: every table's end comes
        // before ours.
        std::size_t const left = tables_ - freed_.fetch_sub(tables_, std::memory_order_acq_rel);
        BOOST_ASSERT_MSG(!Alloc::inside || left == 0,
                         "registry_io: a registry that holds all its memory is destroyed inside "
                         "one of its handlers");
        if (left == 0)
            drop();
    }

    /// Pushes every handler's block of this root.
    static void bury_all(root const& r, garbage_list& dead) noexcept
    {
        r.each_run([&](columns rows, std::uint32_t n) {
            for (std::uint32_t i = 0; i < n; ++i)
                if (rows.has_block(i))
                    dead.push(block_of(rows.entries[i]));
        });
    }

    static garbage* block_of(entry const& e) noexcept { return static_cast<block_base*>(e.state); }

    /// Appends to the current root in place, when there is room and it belongs at the end. Readers
    /// see it when the size says so.
    bool try_append(entry const& e, std::uint64_t id, bool has_block, key k)
    {
        root* const r = log.current();
        if (r == nullptr)
            return false;
        std::uint32_t const n = r->handlers();
        if (!r->is_spine()) {
            if (n == r->capacity || !fires_last(r->rows(), n, k, id))
                return false;
            if (has_block)
                block_of(e)->birth = version;
            r->rows().set(n, e, tag(id, has_block), k);
            r->set_handlers(n + 1);
            size.store(n + 1, std::memory_order_relaxed);
            return true;
        }
        // Another chunk is another branch, as branches do not change.
        chunk& last = last_chunk(*r);
        std::uint32_t const at = last.size.load(std::memory_order_relaxed);
        if (at == chunk::capacity || last.sealed || !fires_last(last.rows(), at, k, id))
            return false;
        index_reserve(n + 1);
        if (has_block)
            block_of(e)->birth = version;
        last.rows().set(at, e, tag(id, has_block), k);
        last.size.store(at + 1, std::memory_order_relaxed);
        index_insert(id, k);
        r->set_handlers(n + 1);
        size.store(n + 1, std::memory_order_relaxed);
        return true;
    }

    // ----- What takes the lock itself. Out of line: there is one of each for all types of events.

    /// Adds a handler. Returns its id, or 0 when a bounded registry is full and exceptions are off.
    BOOST_NOINLINE std::uint64_t add(entry const& e, bool has_block, key k, std::uint32_t hint)
    {
        std::uint64_t id = 0;
        locked_change([&](edit& change, garbage_list&) {
#ifdef BOOST_NO_EXCEPTIONS
            if (bounded && size.load(std::memory_order_relaxed) == flat_limit)
                return false;
#endif
            // relaxed: the lock orders ids and places alike.
            id = ids.fetch_add(1, std::memory_order_relaxed) + 1;
            if (change.append(e, id, has_block, k))
                return false;  // done, and nothing to publish
            change.insert(e, id, has_block, k, hint);
            return true;
        });
        return id;
    }

    /// Removes a handler. Returns whether it was there. `done` is told when its captures are gone.
    BOOST_NOINLINE bool remove(std::uint64_t id, completion* done = nullptr)
    {
        bool removed = false;
        locked_change(
            [&](edit& change, garbage_list& dead) { return removed = change.erase(id, dead); },
            done);
        return removed;
    }

    /// Removes a handler, and waits until nobody runs it and its captures are gone.
    BOOST_NOINLINE bool remove_and_wait(std::uint64_t id)
    {
        if (log.would_deadlock())
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

    /// Waits for the readers that there are, and for what was removed before.
    BOOST_NOINLINE void synchronize()
    {
        if (log.would_deadlock())
            refuse_deadlock();
        holding const block(*this);
        completion done;
        locked_change(
            [&](edit& change, garbage_list&) {
                if (log.held())
                    change.own_root();
                return true;
            },
            &done);
        done.wait();
    }

    /// Takes over `h`, which may be null, and gives up the one before.
    BOOST_NOINLINE void set_hook(hook_kind kind, hook* h)
    {
        locked_change([&](edit& change, garbage_list& dead) {
            change.set_hook(kind, h, dead);
            return true;
        });
    }

    /// Whether a handler is registered.
    bool contains(std::uint64_t id)
    {
        locked_scope lock(log.mutex());
        return locate(log.current(), id, nullptr);
    }

    /// Lets `f(edit, dead)` change the tables under the lock, publishes if it returns true, and
    /// destroys what nobody can see any more after the lock has been given up.
    template <class F>
    void locked_change(F f, completion* done = nullptr, bool one_change = true)
    {
        finishing after;
        if (log.foreign())
            refuse_foreign();
        locked_scope lock(log.mutex());
        garbage_list dead;
        // Preparing to wait may fail after the change; several changes may fail half-way.
        edit change(*this, one_change && done == nullptr);
        if (f(change, dead)) {
            after.r = ::new (static_cast<void*>(after.room)) retirement(change.commit(dead, done));
            if (!after.r->idle())
                after.keep(*this);
        } else {
            change.leave();
        }
    }

    /// What an edit tells a panic policy that has `changed(added, removed)`: how many handlers it
    /// has added and removed. Empty for all others.
    struct tally
    {
        std::size_t added = 0;
        std::size_t removed = 0;
    };
    struct no_tally
    {
    };
    static constexpr bool tallies = requires(Panic& p, std::size_t n) { p.changed(n, n); };

    /// Where a row is: its number in the flat table, or in a chunk.
    struct place
    {
        std::uint32_t branch = 0;
        std::uint32_t chunk = 0;
        std::uint32_t row = 0;
    };

    /// A new piece, until it has its place.
    template <class Piece>
    class owner
    {
    public:
        explicit owner(Piece* p) noexcept : piece_(p) {}
        owner(owner const&) = delete;
        owner& operator=(owner const&) = delete;
        ~owner()
        {
            if (piece_ != nullptr)
                piece_->destroy(piece_);
        }
        Piece* operator->() const noexcept { return piece_; }
        Piece* release() noexcept { return std::exchange(piece_, nullptr); }

    private:
        Piece* piece_;
    };

    /// One change of the tables, invisible until commit; undone unless committed.
    class edit
    {
    public:
        /// `in_place`: may change the current root itself when no reader can hold it. Only for a
        /// single operation, which either succeeds or leaves all as it was.
        edit(writers& w, bool in_place) noexcept
            : w_(w), work_(w.log.current()), in_place_(in_place && w.log.exclusive())
        {
        }
        edit(edit const&) = delete;
        edit& operator=(edit const&) = delete;

        ~edit()
        {
            if (committed_)
                return;
            if (work_ != nullptr && work_ != w_.log.current())
                discard(*work_);
            if (index_changed_)
                w_.rebuild_index();
        }

        /// Nothing was changed.
        void leave() noexcept { committed_ = true; }

        /// Adds a row at the end of the current root, visible at once. False when it does not
        /// belong there, or there is no room.
        bool append(entry const& e, std::uint64_t id, bool has_block, key k)
        {
            bool const done = w_.try_append(e, id, has_block, k);
            if (done) {
                count(1, 0);
                tell();
            }
            return done;
        }

        /// Adds a row where it belongs. Strong guarantee, as for all members.
        void insert(entry const& e, std::uint64_t id, bool has_block, key k, std::uint32_t hint)
        {
            if (has_block)
                block_of(e)->birth = birth();
            std::uint64_t const t = tag(id, has_block);
            std::uint32_t const n = work_ == nullptr ? 0 : work_->handlers();
            if (n == (std::uint32_t(1) << 30) || (bounded && n == flat_limit))
                boost::throw_exception(
                    std::length_error("registry_io: the registry holds as many handlers as it can"),
                    BOOST_CURRENT_LOCATION);
            if (work_ == nullptr || !work_->is_spine()) {
                if (n < flat_limit) {
                    insert_flat(e, t, k, n, hint);
                    count(1, 0);
                    return;
                }
                to_spine();
            }
            insert_chunked(e, t, k, n);
            count(1, 0);
        }

        /// Takes out a row; its block, if any, is pushed on `dead`. False when there is no such id.
        bool erase(std::uint64_t id, garbage_list& dead)
        {
            place p;
            if (!w_.locate(work_, id, &p, true))
                return false;
            index_changed_ = true;
            columns const rows = work_->is_spine()
                ? work_->branches().nodes[p.branch]->chunks().nodes[p.chunk]->rows()
                : work_->rows();
            entry const gone = rows.entries[p.row];
            bool const has_block = rows.has_block(p.row);
            if (work_->is_spine())
                erase_chunked(p);
            else
                erase_flat(p.row);
            if (has_block)
                dead.push(block_of(gone));
            count(0, 1);
            return true;
        }

        /// Takes out all rows. Returns how many there were. Precondition: nothing was changed yet.
        std::uint32_t clear(garbage_list& dead) noexcept
        {
            if (work_ == nullptr)
                return 0;
            std::uint32_t const n = work_->handlers();
            bury_all(*work_, dead);
            each_piece(*work_, [this](piece* p) { replace(p); });
            work_ = nullptr;
            in_place_ = false;
            index_changed_ = true;
            w_.index_.reset();
            count(0, n);
            return n;
        }

        /// Makes sure that the root may be changed, if there is one.
        void own_root()
        {
            if (work_ != nullptr && !owns_root())
                grow_root(work_->capacity);
        }

        /// Replaces a callback; `h` may be null. The old one is pushed on `dead`.
        void set_hook(hook_kind kind, hook* h, garbage_list& dead)
        {
            own_root();
            if (h != nullptr)
                h->birth = birth();
            if (w_.hooks[kind] != nullptr)
                dead.push(w_.hooks[kind]);
            hook_kind_ = kind;
            hook_ = h;
        }

        /// Makes the change visible and takes `dead` out. Returns what is to be finished without
        /// the lock. May throw; then nothing has happened.
        retirement commit(garbage_list& dead, completion* wait = nullptr)
        {
            if (work_ != nullptr && work_->is_spine() && work_->handlers() <= flat_again) {
                BOOST_TRY
                {
                    to_flat();
                }
                BOOST_CATCH(...) {}  // it only would have been smaller
                BOOST_CATCH_END
            }
            // The tables after the captures, which are the same for the policy.
            dead.append(replaced_);
            retirement r = w_.log.reserve(dead, wait, no_memory);
            seal_last();
            if (hook_kind_ != hook_kinds) {
                w_.hooks[hook_kind_] = hook_;
                if (work_ != nullptr)
                    work_->hooks[hook_kind_] = hook_;
            }
            root* const old = w_.log.current();
            if (work_ != old) {
                ++w_.version;
                w_.tables_ += old != nullptr ? 1u : 0u;
            }
            w_.log.publish(work_, r, [this](garbage_list& free) { w_.recycle(free); });
            committed_ = true;
            if (work_ == nullptr || !work_->is_spine())
                w_.index_.clear();
            // relaxed: a count is only a count.
            w_.size.store(work_ == nullptr ? 0 : work_->handlers(), std::memory_order_relaxed);
            tell();
            return r;
        }

    private:
        void count([[maybe_unused]] std::size_t added,
                   [[maybe_unused]] std::size_t removed) noexcept
        {
            if constexpr (tallies) {
                tally_.added += added;
                tally_.removed += removed;
            }
        }

        // relaxed: the lock is held, and the registry, which sets it before the first change, is
        // there: destroying it during a change is not allowed.
        void tell() noexcept
        {
            if constexpr (tallies)
                if (tally_.added + tally_.removed != 0)
                    w_.panic.load(std::memory_order_relaxed)->changed(tally_.added, tally_.removed);
        }

        /// The birth of what this edit adds.
        std::uint64_t birth() const noexcept { return in_place_ ? w_.version : w_.version + 1; }

        bool owns_root() const noexcept { return in_place_ || work_ != w_.log.current(); }

        /// Whether this edit may write into a piece: it is the edit's own, or nobody can see it.
        bool owns(piece const& p) const noexcept { return in_place_ || p.birth == birth(); }

        /// A chunk that was in the middle of the current root and is the last of the new one must
        /// not grow in place.
        void seal_last() noexcept
        {
            root* const old = w_.log.current();
            if (work_ == old || old == nullptr || work_ == nullptr || !work_->is_spine() ||
                !old->is_spine())
                return;
            chunk& last = last_chunk(*work_);
            if (last.birth <= old->birth && &last != &last_chunk(*old))
                last.sealed = true;
        }

        /// A piece of the current root that the new one will not have.
        void replace(piece* p) noexcept
        {
            if (!in_place_ && p->birth == birth())
                p->destroy(p);  // never was visible
            else
                replaced_.push(p);
        }

        /// A root that was never visible.
        REGISTRY_IO_DETAIL_COLD void discard(root& r) noexcept
        {
            each_piece(r, [this](piece* p) {
                if (p->birth == birth())
                    p->destroy(p);
            });
            w_.free_root(r);
        }

        /// Makes `fresh` the root that this edit works on.
        void adopt(root* fresh) noexcept
        {
            if (work_ != nullptr && work_ != w_.log.current())
                w_.free_root(*work_);
            work_ = fresh;
        }

        /// Copies the root, with room for `capacity` rows or branches.
        void grow_root(std::uint32_t capacity)
        {
            in_place_ = false;
            bool const spine = work_->is_spine();
            root* const fresh = w_.new_root(capacity, spine);
            if (spine) {
                fresh->branches().copy(0, work_->branches(), 0, work_->count);
                fresh->count = work_->count;
            } else {
                fresh->rows().copy(0, work_->rows(), 0, work_->handlers());
            }
            fresh->set_handlers(work_->handlers());
            adopt(fresh);
        }

        void insert_flat(entry const& e, std::uint64_t t, key k, std::uint32_t n,
                         std::uint32_t hint)
        {
            std::uint32_t const at = n == 0 ? 0 : w_.upper_bound(work_->rows(), n, k, t >> 1);
            if (work_ != nullptr && owns_root() && n < work_->capacity) {
                columns rows = work_->rows();
                rows.copy(at + 1, rows, at, n - at);
                rows.set(at, e, t, k);
                work_->set_handlers(n + 1);
                return;
            }
            in_place_ = false;
            std::uint32_t capacity = work_ == nullptr ? w_.first_capacity(hint) : work_->capacity;
            if (n == capacity)
                capacity = capacity < flat_limit / 2 ? capacity * 2 : flat_limit;
            root* const fresh = w_.new_root(capacity, false);
            columns rows = fresh->rows();
            if (work_ != nullptr) {
                rows.copy(0, work_->rows(), 0, at);
                rows.copy(at + 1, work_->rows(), at, n - at);
            }
            rows.set(at, e, t, k);
            fresh->set_handlers(n + 1);
            adopt(fresh);
        }

        void erase_flat(std::uint32_t at)
        {
            std::uint32_t const n = work_->handlers();
            if (n == 1) {
                adopt(nullptr);
                in_place_ = false;
                return;
            }
            if (owns_root()) {
                columns rows = work_->rows();
                rows.copy(at, rows, at + 1, n - at - 1);
                work_->set_handlers(n - 1);
                return;
            }
            std::uint32_t capacity = work_->capacity;
            if (!bounded && n <= capacity / 4)
                capacity /= 2;
            root* const fresh = w_.new_root(capacity, false);
            columns rows = fresh->rows();
            rows.copy(0, work_->rows(), 0, at);
            rows.copy(at, work_->rows(), at + 1, n - at - 1);
            fresh->set_handlers(n - 1);
            adopt(fresh);
        }

        REGISTRY_IO_DETAIL_COLD void to_spine()
        {
            in_place_ = false;
            std::uint32_t const n = work_->handlers();
            columns const old = work_->rows();
            w_.index_reserve(n + 1);
            owner<chunk> c(w_.new_chunk(birth()));
            owner<branch> b(w_.new_branch(birth()));
            root* const fresh = w_.new_root(4, true);
            c->rows().copy(0, old, 0, n);
            c->size.store(n, std::memory_order_relaxed);
            b->chunks().set(b->count++, c.release());
            fresh->branches().set(fresh->count++, b.release());
            fresh->set_handlers(n);
            index_changed_ = true;
            for (std::uint32_t i = 0; i < n; ++i)
                w_.index_insert(old.id(i), old.key(i));
            adopt(fresh);
        }

        REGISTRY_IO_DETAIL_COLD void to_flat()
        {
            std::uint32_t const n = work_->handlers();
            root* const fresh = w_.new_root(flat_limit, false);
            columns rows = fresh->rows();
            std::uint32_t at = 0;
            work_->each_run([&](columns from, std::uint32_t m) {
                rows.copy(at, from, 0, m);
                at += m;
            });
            fresh->set_handlers(n);
            each_piece(*work_, [this](piece* p) { replace(p); });
            adopt(fresh);
        }

        void insert_chunked(entry const& e, std::uint64_t t, key k, std::uint32_t n)
        {
            std::uint64_t const id = t >> 1;
            w_.index_reserve(n + 1);
            if (!owns_root() || work_->count == work_->capacity)
                grow_root(work_->count + 1 + work_->count / 4);
            auto const branches = work_->branches();
            std::uint32_t const bi = w_.child_for(branches, work_->count, k, id);
            branch& b = own_branch(bi);
            std::uint32_t const ci = w_.child_for(b.chunks(), b.count, k, id);
            chunk& c = *b.chunks().nodes[ci];
            std::uint32_t const m = c.size.load(std::memory_order_relaxed);
            std::uint32_t const at = w_.upper_bound(c.rows(), m, k, id);
            if (m != chunk::capacity) {
                chunk* const mine = owns(c) ? &c : w_.new_chunk(birth());
                columns rows = mine->rows();
                rows.copy(at + 1, c.rows(), at, m - at);
                if (mine != &c)
                    rows.copy(0, c.rows(), 0, at);
                rows.set(at, e, t, k);
                mine->size.store(m + 1, std::memory_order_relaxed);
                b.chunks().set(ci, mine);
                if (mine != &c)
                    replace(&c);
                branches.set(bi, &b);
            } else if (at == m && ci + 1 == b.count && bi + 1 == work_->count) {
                owner<chunk> last(w_.new_chunk(birth()));
                last->rows().set(0, e, t, k);
                last->size.store(1, std::memory_order_relaxed);
                if (b.count == branch::capacity)
                    branches.set(work_->count++, new_branch_of(last));
                else
                    b.chunks().set(b.count++, last.release());
            } else {
                split_chunk(bi, ci, at, e, t, k);
            }
            index_changed_ = true;
            w_.index_insert(id, k);
            work_->set_handlers(n + 1);
        }

        /// The branch at `bi`, as one that this edit may write into.
        branch& own_branch(std::uint32_t bi)
        {
            branch* const old = work_->branches().nodes[bi];
            if (owns(*old))
                return *old;
            branch* const fresh = w_.new_branch(birth());
            fresh->chunks().copy(0, old->chunks(), 0, old->count);
            fresh->count = old->count;
            work_->branches().set(bi, fresh);
            replace(old);
            return *fresh;
        }

        branch* new_branch_of(owner<chunk>& c)
        {
            branch* const b = w_.new_branch(birth());
            b->chunks().set(b->count++, c.release());
            return b;
        }

        /// Makes two of a full branch. Precondition: the root has room.
        REGISTRY_IO_DETAIL_COLD void split_branch(std::uint32_t bi)
        {
            constexpr std::uint32_t half = branch::capacity / 2;
            auto const branches = work_->branches();
            branch* const left = branches.nodes[bi];
            branch* const right = w_.new_branch(birth());
            right->chunks().copy(0, left->chunks(), half, branch::capacity - half);
            right->count = branch::capacity - half;
            left->count = half;
            branches.copy(bi + 2, branches, bi + 1, work_->count - bi - 1);
            branches.set(bi + 1, right);
            ++work_->count;
        }

        /// Puts a row at `at` of a full chunk, which becomes two.
        REGISTRY_IO_DETAIL_COLD void split_chunk(std::uint32_t bi, std::uint32_t ci,
                                                 std::uint32_t at, entry const& e, std::uint64_t t,
                                                 key k)
        {
            auto const branches = work_->branches();
            if (branches.nodes[bi]->count == branch::capacity) {
                split_branch(bi);
                if (std::uint32_t const in_left = branches.nodes[bi]->count; ci >= in_left) {
                    ci -= in_left;
                    ++bi;
                }
            }
            branch& b = *branches.nodes[bi];
            constexpr std::uint32_t half = chunk::capacity / 2;
            chunk* const old = b.chunks().nodes[ci];
            owner<chunk> right(w_.new_chunk(birth()));
            owner<chunk> left(w_.new_chunk(birth()));
            columns l = left->rows();
            columns r = right->rows();
            columns const from = old->rows();
            std::uint32_t in_left = half;
            std::uint32_t in_right = chunk::capacity - half;
            if (at <= half) {
                l.copy(0, from, 0, at);
                l.set(at, e, t, k);
                l.copy(at + 1, from, at, half - at);
                r.copy(0, from, half, in_right);
                ++in_left;
            } else {
                l.copy(0, from, 0, half);
                r.copy(0, from, half, at - half);
                r.set(at - half, e, t, k);
                r.copy(at - half + 1, from, at, chunk::capacity - at);
                ++in_right;
            }
            left->size.store(in_left, std::memory_order_relaxed);
            right->size.store(in_right, std::memory_order_relaxed);
            b.chunks().copy(ci + 2, b.chunks(), ci + 1, b.count - ci - 1);
            b.chunks().set(ci, left.release());
            b.chunks().set(ci + 1, right.release());
            ++b.count;
            branches.set(bi, &b);
            replace(old);
        }

        void erase_chunked(typename writers::place p)
        {
            own_root();
            std::uint32_t const n = work_->handlers();
            branch& b = own_branch(p.branch);
            auto const chunks = b.chunks();
            chunk& c = *chunks.nodes[p.chunk];
            std::uint32_t const m = c.size.load(std::memory_order_relaxed);
            // The rows of `from` but for the one that goes, from `at` on of `to`.
            auto copy_rest = [&](columns to, std::uint32_t at, columns const& from) {
                if (to.entries != from.entries)
                    to.copy(at, from, 0, p.row);
                to.copy(at + p.row, from, p.row + 1, m - p.row - 1);
            };
            if (m == 1) {
                take_out(p.branch, p.chunk);
                replace(&c);
            } else if (std::uint32_t const with = neighbour(b, p.chunk, m); with != p.chunk) {
                chunk& other = *chunks.nodes[with];
                std::uint32_t const others = other.size.load(std::memory_order_relaxed);
                chunk* const fresh = w_.new_chunk(birth());
                fresh->rows().copy(with < p.chunk ? 0 : m - 1, other.rows(), 0, others);
                copy_rest(fresh->rows(), with < p.chunk ? others : 0, c.rows());
                fresh->size.store(others + m - 1, std::memory_order_relaxed);
                chunks.set(with, fresh);
                take_out(p.branch, p.chunk);
                replace(&c);
                replace(&other);
            } else {
                chunk* const mine = owns(c) ? &c : w_.new_chunk(birth());
                copy_rest(mine->rows(), 0, c.rows());
                mine->size.store(m - 1, std::memory_order_relaxed);
                chunks.set(p.chunk, mine);
                work_->branches().set(p.branch, &b);
                if (mine != &c)
                    replace(&c);
            }
            if (n == 1) {
                adopt(nullptr);
                in_place_ = false;
                return;
            }
            work_->set_handlers(n - 1);
        }

        /// A chunk beside a sparse one that has room for what is left of it; itself if none has.
        static std::uint32_t neighbour(branch const& b, std::uint32_t ci, std::uint32_t m) noexcept
        {
            if (m - 1 > chunk::capacity / 4)
                return ci;
            auto fits = [&](std::uint32_t i) {
                return b.chunks().nodes[i]->size.load(std::memory_order_relaxed) + m - 1 <=
                    chunk::capacity / 4 * 3;
            };
            if (ci != 0 && fits(ci - 1))
                return ci - 1;
            return ci + 1 < b.count && fits(ci + 1) ? ci + 1 : ci;
        }

        /// Takes a chunk out of its branch, and the branch out of the root when it was the last.
        REGISTRY_IO_DETAIL_COLD void take_out(std::uint32_t bi, std::uint32_t ci) noexcept
        {
            auto const branches = work_->branches();
            branch* const b = branches.nodes[bi];
            b->chunks().copy(ci, b->chunks(), ci + 1, b->count - ci - 1);
            if (--b->count != 0) {
                branches.set(bi, b);
                if (b->count <= branch::capacity / 4)
                    merge_branch(bi);
            } else {
                take_out(bi);
            }
        }

        /// Takes a branch out of the root.
        REGISTRY_IO_DETAIL_COLD void take_out(std::uint32_t bi) noexcept
        {
            auto const branches = work_->branches();
            branch* const b = branches.nodes[bi];
            branches.copy(bi, branches, bi + 1, work_->count - bi - 1);
            --work_->count;
            replace(b);
        }

        /// Gives a sparse branch the chunks of one beside it, if they have room together.
        REGISTRY_IO_DETAIL_COLD void merge_branch(std::uint32_t bi) noexcept
        {
            auto const branches = work_->branches();
            branch* const b = branches.nodes[bi];
            auto fits = [&](std::uint32_t i) {
                return branches.nodes[i]->count + b->count <= branch::capacity / 4 * 3;
            };
            bool const from_left = bi != 0 && fits(bi - 1);
            if (!from_left && (bi + 1 == work_->count || !fits(bi + 1)))
                return;
            std::uint32_t const with = from_left ? bi - 1 : bi + 1;
            branch const& other = *branches.nodes[with];
            if (from_left)
                b->chunks().copy(other.count, b->chunks(), 0, b->count);
            b->chunks().copy(from_left ? 0 : b->count, other.chunks(), 0, other.count);
            b->count += other.count;
            branches.set(bi, b);
            take_out(with);
        }

        writers& w_;
        root* work_;
        garbage_list replaced_;
        hook* hook_ = nullptr;
        hook_kind hook_kind_ = hook_kinds;  // none
        bool index_changed_ = false;
        bool in_place_;
        REGISTRY_IO_NO_UNIQUE_ADDRESS std::conditional_t<tallies, tally, no_tally> tally_;
        bool committed_ = false;
    };

private:
    friend class edit;

    writers(store& s, Ordering const& order, source const& src)
        : guard_anchor{nullptr, nullptr},
          serial(last_serial.fetch_add(1, std::memory_order_relaxed) + 1),
          log(s, src),
          memory(src),
          order_(order),
          index_(src)
    {
    }

    void free() noexcept
    {
        source src = memory;
        this->~writers();
        src.deallocate(this, sizeof(writers), alignof(writers));
    }

    static std::uint64_t tag(std::uint64_t id, bool has_block) noexcept
    {
        return id << 1 | static_cast<std::uint64_t>(has_block);
    }

    static std::uint32_t first_capacity(std::uint32_t hint) noexcept
    {
        if (bounded)
            return flat_limit;
        return hint < 4 ? 4 : hint < flat_limit ? hint : flat_limit;
    }

    static chunk& last_chunk(root const& r) noexcept
    {
        branch const& b = *r.branches().nodes[r.count - 1];
        return *b.chunks().nodes[b.count - 1];
    }

    /// Calls `f` for each chunk and branch of a root, which may free them.
    template <class F>
    static void each_piece(root const& r, F f)
    {
        if (!r.is_spine())
            return;
        for (std::uint32_t i = 0; i < r.count; ++i) {
            branch* const b = r.branches().nodes[i];
            for (std::uint32_t j = 0; j < b->count; ++j)
                f(b->chunks().nodes[j]);
            f(b);
        }
    }

    // ----- order

    bool before(key const& a, key const& b) const
    {
        if constexpr (!keyed)
            return false;
        else if constexpr (key_in_table<user_key>)
            return order_.before(a, b);
        else
            return order_.before(*a, *b);
    }

    /// Whether a new row (k, id) fires before that one.
    bool fires_before(key const& k, std::uint64_t id, key const& that, std::uint64_t that_id) const
    {
        return before(k, that) || (id < that_id && !before(that, k));
    }
    bool fires_before(key const& k, std::uint64_t id, columns const& rows, std::uint32_t i) const
    {
        return fires_before(k, id, rows.key(i), rows.id(i));
    }

    bool fires_last(columns const& rows, std::uint32_t n, key const& k, std::uint64_t id) const
    {
        return !fires_before(k, id, rows, n - 1);
    }

    /// The first row that (k, id) fires before.
    std::uint32_t upper_bound(columns const& rows, std::uint32_t n, key const& k,
                              std::uint64_t id) const
    {
        std::uint32_t low = 0;
        std::uint32_t high = n;
        // Most go to the end.
        if (n != 0 && fires_last(rows, n, k, id))
            return n;
        while (low < high) {
            std::uint32_t const middle = low + (high - low) / 2;
            if (fires_before(k, id, rows, middle))
                high = middle;
            else
                low = middle + 1;
        }
        return low;
    }

    /// The child in which (k, id) belongs: the last one whose first row does not fire after it.
    template <class Children>
    std::uint32_t child_for(Children const& c, std::uint32_t n, key const& k,
                            std::uint64_t id) const
    {
        auto behind = [&](std::uint32_t i) {
            return fires_before(k, id, c.fences[i].key, c.fences[i].id);
        };
        std::uint32_t low = 1;
        std::uint32_t high = n;
        if (high > 1 && !behind(high - 1))
            return high - 1;
        while (low < high) {
            std::uint32_t const middle = low + (high - low) / 2;
            if (behind(middle))
                high = middle;
            else
                low = middle + 1;
        }
        return low - 1;
    }

    // ----- finding

    /// Finds a row of `r`; with `take`, the index forgets it. A flat table or a chunk is scanned;
    /// the chunk is found by the key that the index knows, or by id.
    bool locate(root const* r, std::uint64_t id, place* p, bool take = false)
    {
        if (r == nullptr)
            return false;
        auto scan = [&](columns const& rows, place at, std::uint32_t n) {
            for (; at.row < n; ++at.row) {
                if (rows.id(at.row) == id) {
                    if (p != nullptr)
                        *p = at;
                    return true;
                }
            }
            return false;
        };
        if (!r->is_spine())
            return scan(r->rows(), {}, r->handlers());
        auto scan_chunk = [&](key const& k) {
            place at;
            at.branch = child_for(r->branches(), r->count, k, id);
            branch const& b = *r->branches().nodes[at.branch];
            at.chunk = child_for(b.chunks(), b.count, k, id);
            chunk const& c = *b.chunks().nodes[at.chunk];
            return scan(c.rows(), at, c.size.load(std::memory_order_relaxed));
        };
        if constexpr (keyed)
            return index_.find(id, take, scan_chunk);
        else
            return scan_chunk(key());
    }

    // ----- the index, where there are keys

    void index_reserve(std::size_t n)
    {
        if constexpr (keyed)
            index_.reserve(n, no_memory);
    }
    void index_insert(std::uint64_t id, key k) noexcept
    {
        if constexpr (keyed)
            index_.insert(id, k);
    }

    /// Makes the index say what the current root says, after a change that was not committed. It
    /// has room: it never shrinks while there are handlers.
    REGISTRY_IO_DETAIL_COLD void rebuild_index() noexcept
    {
        if constexpr (keyed) {
            root const* const r = log.current();
            if (r == nullptr || !r->is_spine()) {
                index_.clear();
                return;
            }
            index_.reset();
            r->each_run([&](columns rows, std::uint32_t n) {
                for (std::uint32_t i = 0; i < n; ++i)
                    index_.insert(rows.id(i), rows.keys[i]);
            });
        }
    }

    // ----- memory

    // One root, one branch and one chunk are kept for next time, so that a registry in a steady
    // state goes on without the heap. Not where memory is bounded: there what is not used must be
    // for all.

    struct spare
    {
        void* memory = nullptr;
        std::size_t bytes = 0;
    };

    BOOST_NOINLINE void* take(spare& s, std::size_t& bytes, std::size_t align)
    {
        if (s.memory != nullptr && s.bytes >= bytes && s.bytes / 2 <= bytes) {
            bytes = s.bytes;
            return std::exchange(s.memory, nullptr);
        }
        void* const p = memory.allocate(bytes, align);
        if (p == nullptr)
            no_memory();
        return p;
    }

    BOOST_NOINLINE void give(spare& s, void* p, std::size_t bytes, std::size_t align) noexcept
    {
        if (!bounded)
            std::swap(s.memory, p), std::swap(s.bytes, bytes);
        if (p != nullptr)
            memory.deallocate(p, bytes, align);
    }

    static constexpr std::size_t table_align = 16;

    root* new_root(std::uint32_t capacity, bool spine)
    {
        static_assert(alignof(root) <= table_align && alignof(chunk) <= table_align &&
                      alignof(branch) <= table_align);
        std::size_t bytes = root::bytes(capacity, spine);
        void* const p = take(spare_root_, bytes, table_align);
        root* const r = ::new (p) root(this, bytes, capacity, spine, version + 1, &destroy_root);
        for (unsigned i = 0; i < hook_kinds; ++i)
            r->hooks[i] = hooks[i];
        return r;
    }

    /// A root that was never published, or that no reader can see any more. Under the lock.
    void free_root(root& r) noexcept
    {
        std::size_t const bytes = r.memory;
        r.~root();
        give(spare_root_, &r, bytes, table_align);
    }

    chunk* new_chunk(std::uint64_t birth)
    {
        std::size_t bytes = chunk::bytes();
        return ::new (take(spare_chunk_, bytes, table_align))
            chunk(this, birth, &destroy_piece<chunk>);
    }

    branch* new_branch(std::uint64_t birth)
    {
        std::size_t bytes = branch::bytes();
        return ::new (take(spare_branch_, bytes, table_align))
            branch(this, birth, &destroy_piece<branch>);
    }

    /// Takes the tables out of what no reader can see any more, for next time. Under the lock.
    void recycle(garbage_list& free) noexcept
    {
        garbage_list rest;
        while (garbage* const g = free.pop()) {
            // Where a shared object has another copy of these functions, the table is freed
            // instead.
            if (g->destroy == &destroy_root) {
                --tables_;
                free_root(static_cast<root&>(*g));
            } else if (g->destroy == &destroy_piece<chunk>) {
                free_piece(spare_chunk_, static_cast<chunk*>(g));
            } else if (g->destroy == &destroy_piece<branch>) {
                free_piece(spare_branch_, static_cast<branch*>(g));
            } else {
                rest.push(g);
            }
        }
        free = rest;
    }

    template <class Piece>
    void free_piece(spare& s, Piece* p) noexcept
    {
        p->~Piece();
        give(s, p, Piece::bytes(), table_align);
    }

    /// By the last reader, or whoever else lets go of it last; without the lock.
    static void destroy_root(garbage* g) noexcept
    {
        root* const r = static_cast<root*>(g);
        auto* const w = static_cast<writers*>(r->home);
        std::size_t const bytes = r->memory;
        r->~root();
        source(w->memory).deallocate(r, bytes, table_align);
        // acq_rel: see close.
        if (w->freed_.fetch_add(1, std::memory_order_acq_rel) + 1 == 0)
            w->drop();
    }
    template <class Piece>
    static void destroy_piece(garbage* g) noexcept
    {
        auto* const p = static_cast<Piece*>(g);
        auto* const w = static_cast<writers*>(p->home);
        p->~Piece();
        source(w->memory).deallocate(p, Piece::bytes(), table_align);
    }

    REGISTRY_IO_DETAIL_COLD void free_spares() noexcept
    {
        for (spare* s : {&spare_root_, &spare_branch_, &spare_chunk_})
            if (void* const p = std::exchange(s->memory, nullptr))
                memory.deallocate(p, s->bytes, table_align);
    }

    REGISTRY_IO_NO_UNIQUE_ADDRESS Ordering order_;
    id_index<key, source> index_;
    /// How many roots were replaced and not taken back by a writer; and how many of them others
    /// have freed. The block lives until they are equal.
    std::size_t tables_ = 0;
    shared<std::size_t> freed_{0};
    spare spare_root_;
    spare spare_branch_;
    spare spare_chunk_;
};

}  // namespace detail
}  // namespace v1
}  // namespace registry_io

#endif
