// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)

#ifndef REGISTRY_IO_DETAIL_WRITERS_HPP
#define REGISTRY_IO_DETAIL_WRITERS_HPP

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <new>
#include <stdexcept>
#include <utility>

#include <boost/assert.hpp>
#include <boost/core/no_exceptions_support.hpp>
#include <boost/throw_exception.hpp>

#include <registry_io/detail/id_index.hpp>
#include <registry_io/detail/table.hpp>
#include <registry_io/handler_guard.hpp>
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

/// What writers write: lies in a block that the first registration allocates.
///
/// All members are used under the writers' lock, but those that say otherwise.
template <class Event, class Snapshot, class Ordering, class Panic, class Alloc>
class writers : public guard_anchor
{
public:
    using source = typename Alloc::source;
    using entry = detail::entry<Event>;
    using user_key = typename Ordering::key_type;
    using key = typename stored_key<user_key>::type;
    using columns = detail::columns<entry, key>;
    template <class T>
    using shared = detail::shared<Snapshot, T>;
    using root = detail::root<typename Snapshot::root_header, columns, shared<std::uint32_t>>;
    using chunk = typename root::chunk_type;
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
    /// A spine that has shrunk to this many rows becomes flat again.
    static constexpr std::uint32_t flat_again = chunk::capacity / 2;

    static writers* make(store& s, Ordering const& order, source src)
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
        return w;
    }

    // Constant, or atomic: usable without the lock.
    std::uint64_t const serial;
    shared<std::uint64_t> ids{0};      ///< the last id given out
    shared<std::size_t> size{0};       ///< how many handlers are registered
    shared<std::uint32_t> holders{1};  ///< the registry, and its guards
    shared<void*> registry{nullptr};   ///< null when it is gone

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

    /// The registry is going away and nobody is inside. Destroys all handlers. Without the lock.
    void close() noexcept
    {
        // relaxed: guards that are dropped from now on are not concurrent with this.
        registry.store(nullptr, std::memory_order_relaxed);
        BOOST_ASSERT_MSG(!Alloc::inside || holders.load() == 1,
                         "registry_io: a guard outlives a registry that holds all its memory");
        garbage_list dead;
        if (root* const r = log.current()) {
            bury_all(*r, dead);
            if (r->is_spine())
                for (std::uint32_t i = 0; i < r->chunks; ++i)
                    free_chunk(r->spine()[i]);
        }
        for (hook*& h : hooks)
            if (hook* const mine = std::exchange(h, nullptr))
                dead.push(mine);
        log.close([this](root& r) { free_root(r); });
        while (chunk* const c = replaced_) {
            replaced_ = c->next;
            free_chunk(c);
        }
        size.store(0, std::memory_order_relaxed);
        index_.clear();
        free_spares();
        dead.destroy_all();
        drop();
    }

    /// Gives back the tables that no reader can hold any more.
    void sweep() noexcept
    {
        log.sweep([this](root& r) { free_root(r); });
        chunk* c = std::exchange(replaced_, nullptr);
        while (c != nullptr) {
            chunk* const next = c->next;
            if (log.spans(c->birth, c->death)) {
                c->next = replaced_;
                replaced_ = c;
            } else {
                free_chunk(c);
            }
            c = next;
        }
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
        std::uint32_t const n = r->count();
        if (!r->is_spine()) {
            if (n == r->capacity || !fires_last(r->rows(), n, k, id))
                return false;
            if (has_block)
                block_of(e)->birth = version;
            r->rows().set(n, e, tag(id, has_block), k);
            r->set_count(n + 1);
            size.store(n + 1, std::memory_order_relaxed);
            return true;
        }
        chunk* last = r->spine()[r->chunks - 1];
        std::uint32_t at = last->size.load(std::memory_order_relaxed);
        if (!fires_last(last->rows(), at, k, id))
            return false;
        if (at == chunk::capacity ? r->chunks == r->capacity : last->sealed)
            return false;
        index_reserve(n + 1);
        if (at == chunk::capacity) {
            last = new_chunk(version);
            at = 0;
            // Readers of this root do not look here before the size says that there are rows.
            r->spine()[r->chunks++] = last;
        }
        if (has_block)
            block_of(e)->birth = version;
        last->rows().set(at, e, tag(id, has_block), k);
        last->size.store(at + 1, std::memory_order_relaxed);
        index_insert(id, k);
        r->set_count(n + 1);
        size.store(n + 1, std::memory_order_relaxed);
        return true;
    }

    /// Whether a handler is registered.
    bool contains(std::uint64_t id) { return locate(log.current(), id, nullptr); }

    /// Where a row is: its number in the flat table, or in a chunk.
    struct place
    {
        std::uint32_t chunk = 0;
        std::uint32_t row = 0;
    };

    /// One change of the tables, invisible until commit; undone unless committed.
    class edit
    {
    public:
        /// `in_place`: may change the current root itself when no reader can hold it. Only for a
        /// single operation, which either succeeds or leaves all as it was.
        edit(writers& w, bool in_place) noexcept
            : w_(w),
              work_(w.log.current()),
              // Not while readers hold an older root either: what is taken out would have to wait
              // for them, and preparing that can fail after the change.
              in_place_(in_place && w.log.exclusive() && !w.log.spans(0, w.version))
        {
        }
        edit(edit const&) = delete;
        edit& operator=(edit const&) = delete;

        ~edit()
        {
            if (committed_)
                return;
            if (work_ != nullptr && work_ != w_.log.current())
                discard(*work_, true);
            if (index_changed_)
                w_.rebuild_index();
        }

        /// Nothing was changed.
        void leave() noexcept { committed_ = true; }

        /// Adds a row at the end of the current root, visible at once. False when it does not
        /// belong there, or there is no room.
        bool append(entry const& e, std::uint64_t id, bool has_block, key k)
        {
            return w_.try_append(e, id, has_block, k);
        }

        /// Adds a row where it belongs. Strong guarantee, as for all members.
        void insert(entry const& e, std::uint64_t id, bool has_block, key k, std::uint32_t hint)
        {
            if (has_block)
                block_of(e)->birth = birth();
            std::uint64_t const t = tag(id, has_block);
            std::uint32_t const n = work_ == nullptr ? 0 : work_->count();
            if (n == (std::uint32_t(1) << 30) || (bounded && n == flat_limit))
                boost::throw_exception(
                    std::length_error("registry_io: the registry holds as many handlers as it can"),
                    BOOST_CURRENT_LOCATION);
            if (work_ == nullptr || !work_->is_spine()) {
                if (n < flat_limit) {
                    insert_flat(e, t, k, n, hint);
                    return;
                }
                to_spine();
            }
            insert_chunked(e, t, k, n);
        }

        /// Takes out a row; its block, if any, is pushed on `dead`. False when there is no such id.
        bool erase(std::uint64_t id, garbage_list& dead)
        {
            place p;
            if (!w_.locate(work_, id, &p, true))
                return false;
            index_changed_ = true;
            columns const rows =
                work_->is_spine() ? work_->spine()[p.chunk]->rows() : work_->rows();
            entry const gone = rows.entries[p.row];
            bool const has_block = rows.has_block(p.row);
            if (work_->is_spine())
                erase_chunked(p);
            else
                erase_flat(p.row);
            if (has_block)
                dead.push(block_of(gone));
            return true;
        }

        /// Takes out all rows. Returns how many there were. Precondition: nothing was changed yet.
        std::uint32_t clear(garbage_list& dead) noexcept
        {
            if (work_ == nullptr)
                return 0;
            std::uint32_t const n = work_->count();
            bury_all(*work_, dead);
            if (work_->is_spine())
                for (std::uint32_t i = 0; i < work_->chunks; ++i)
                    replace(work_->spine()[i]);
            work_ = nullptr;
            in_place_ = false;
            index_changed_ = true;
            w_.index_.reset();
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
        retirement commit(garbage_list const& dead, completion* wait = nullptr)
        {
            if (work_ != nullptr && work_->is_spine() && work_->count() <= flat_again) {
                BOOST_TRY
                {
                    to_flat();
                }
                BOOST_CATCH(...) {}  // it only would have been smaller
                BOOST_CATCH_END
            }
            retirement r = w_.log.reserve(dead, wait, no_memory);
            seal_last();
            if (hook_kind_ != hook_kinds) {
                w_.hooks[hook_kind_] = hook_;
                if (work_ != nullptr)
                    work_->hooks[hook_kind_] = hook_;
            }
            if (work_ != w_.log.current())
                ++w_.version;
            w_.log.publish(work_, r);
            committed_ = true;
            while (chunk* const c = replaced_) {
                replaced_ = c->next;
                c->death = w_.version;
                c->next = w_.replaced_;
                w_.replaced_ = c;
            }
            if (work_ == nullptr || !work_->is_spine())
                w_.index_.clear();
            // relaxed: a count is only a count.
            w_.size.store(work_ == nullptr ? 0 : work_->count(), std::memory_order_relaxed);
            return r;
        }

    private:
        /// The birth of what this edit adds.
        std::uint64_t birth() const noexcept { return in_place_ ? w_.version : w_.version + 1; }

        bool owns_root() const noexcept { return in_place_ || work_ != w_.log.current(); }

        /// Whether this edit may write into a chunk: it is the edit's own, or nobody can see it.
        bool owns(chunk const& c) const noexcept { return in_place_ || c.birth == birth(); }

        /// A chunk that was in the middle of the current root and is the last of the new one must
        /// not grow in place.
        void seal_last() noexcept
        {
            root* const old = w_.log.current();
            if (work_ == old || old == nullptr || work_ == nullptr || !work_->is_spine() ||
                !old->is_spine())
                return;
            chunk* const last = work_->spine()[work_->chunks - 1];
            if (last->birth <= old->version && last != old->spine()[old->chunks - 1])
                last->sealed = true;
        }

        /// A chunk of the current root that the new one will not have.
        void replace(chunk* c) noexcept
        {
            if (!in_place_ && c->birth == birth()) {
                w_.free_chunk(c);  // never was visible
            } else {
                c->next = replaced_;
                replaced_ = c;
            }
        }

        /// A root that was never visible.
        void discard(root& r, bool with_chunks) noexcept
        {
            if (with_chunks && r.is_spine())
                for (std::uint32_t i = 0; i < r.chunks; ++i)
                    if (r.spine()[i]->birth == birth())
                        w_.free_chunk(r.spine()[i]);
            w_.free_root(r);
        }

        /// Makes `fresh` the root that this edit works on.
        void adopt(root* fresh) noexcept
        {
            if (work_ != nullptr && work_ != w_.log.current())
                w_.free_root(*work_);
            work_ = fresh;
        }

        /// Copies the root, with room for `capacity` rows or chunks.
        void grow_root(std::uint32_t capacity)
        {
            in_place_ = false;
            bool const spine = work_->is_spine();
            root* const fresh = w_.new_root(capacity, spine);
            if (spine) {
                std::copy_n(work_->spine(), work_->chunks, fresh->spine());
                fresh->chunks = work_->chunks;
            } else {
                fresh->rows().copy(0, work_->rows(), 0, work_->count());
            }
            fresh->set_count(work_->count());
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
                work_->set_count(n + 1);
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
            fresh->set_count(n + 1);
            adopt(fresh);
        }

        void erase_flat(std::uint32_t at)
        {
            std::uint32_t const n = work_->count();
            if (n == 1) {
                adopt(nullptr);
                in_place_ = false;
                return;
            }
            if (owns_root()) {
                columns rows = work_->rows();
                rows.copy(at, rows, at + 1, n - at - 1);
                work_->set_count(n - 1);
                return;
            }
            std::uint32_t capacity = work_->capacity;
            if (!bounded && n <= capacity / 4)
                capacity /= 2;
            root* const fresh = w_.new_root(capacity, false);
            columns rows = fresh->rows();
            rows.copy(0, work_->rows(), 0, at);
            rows.copy(at, work_->rows(), at + 1, n - at - 1);
            fresh->set_count(n - 1);
            adopt(fresh);
        }

        void to_spine()
        {
            in_place_ = false;
            std::uint32_t const n = work_->count();
            columns const old = work_->rows();
            w_.index_reserve(n + 1);
            root* const fresh = w_.new_root(4, true);
            chunk* c = nullptr;
            BOOST_TRY
            {
                c = w_.new_chunk(birth());
            }
            BOOST_CATCH(...)
            {
                w_.free_root(*fresh);
                BOOST_RETHROW
            }
            BOOST_CATCH_END
            c->rows().copy(0, old, 0, n);
            c->size.store(n, std::memory_order_relaxed);
            fresh->spine()[0] = c;
            fresh->chunks = 1;
            fresh->set_count(n);
            index_changed_ = true;
            for (std::uint32_t i = 0; i < n; ++i)
                w_.index_insert(old.id(i), old.key(i));
            adopt(fresh);
        }

        void to_flat()
        {
            std::uint32_t const n = work_->count();
            root* const fresh = w_.new_root(flat_limit, false);
            columns rows = fresh->rows();
            std::uint32_t at = 0;
            work_->each_run([&](columns from, std::uint32_t m) {
                rows.copy(at, from, 0, m);
                at += m;
            });
            fresh->set_count(n);
            for (std::uint32_t i = 0; i < work_->chunks; ++i)
                replace(work_->spine()[i]);
            adopt(fresh);
        }

        void insert_chunked(entry const& e, std::uint64_t t, key k, std::uint32_t n)
        {
            std::uint64_t const id = t >> 1;
            w_.index_reserve(n + 1);
            if (!owns_root() || work_->chunks == work_->capacity)
                grow_root(work_->chunks + 1 + work_->chunks / 4);
            std::uint32_t const ci = w_.chunk_for(*work_, k, id);
            chunk* const c = work_->spine()[ci];
            std::uint32_t const m = c->size.load(std::memory_order_relaxed);
            std::uint32_t const at = w_.upper_bound(c->rows(), m, k, id);
            if (m == chunk::capacity) {
                if (at == m && ci + 1 == work_->chunks) {
                    chunk* const last = w_.new_chunk(birth());
                    last->rows().set(0, e, t, k);
                    last->size.store(1, std::memory_order_relaxed);
                    work_->spine()[work_->chunks++] = last;
                } else {
                    split(ci, at, e, t, k);
                }
            } else if (owns(*c)) {
                columns rows = c->rows();
                rows.copy(at + 1, rows, at, m - at);
                rows.set(at, e, t, k);
                c->size.store(m + 1, std::memory_order_relaxed);
            } else {
                chunk* const fresh = w_.new_chunk(birth());
                columns rows = fresh->rows();
                rows.copy(0, c->rows(), 0, at);
                rows.set(at, e, t, k);
                rows.copy(at + 1, c->rows(), at, m - at);
                fresh->size.store(m + 1, std::memory_order_relaxed);
                work_->spine()[ci] = fresh;
                replace(c);
            }
            index_changed_ = true;
            w_.index_insert(id, k);
            work_->set_count(n + 1);
        }

        /// Puts a row at `at` of a full chunk, which becomes two.
        void split(std::uint32_t ci, std::uint32_t at, entry const& e, std::uint64_t t, key k)
        {
            constexpr std::uint32_t half = chunk::capacity / 2;
            chunk* const old = work_->spine()[ci];
            chunk* const right = w_.new_chunk(birth());
            chunk* left = nullptr;
            BOOST_TRY
            {
                left = w_.new_chunk(birth());
            }
            BOOST_CATCH(...)
            {
                w_.free_chunk(right);
                BOOST_RETHROW
            }
            BOOST_CATCH_END
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
            chunk** const spine = work_->spine();
            std::copy_backward(spine + ci + 1, spine + work_->chunks, spine + work_->chunks + 1);
            spine[ci] = left;
            spine[ci + 1] = right;
            ++work_->chunks;
            replace(old);
        }

        void erase_chunked(typename writers::place p)
        {
            own_root();
            std::uint32_t const n = work_->count();
            chunk** const spine = work_->spine();
            chunk* const c = spine[p.chunk];
            std::uint32_t const m = c->size.load(std::memory_order_relaxed);
            if (n == 1) {
                replace(c);
                adopt(nullptr);
                in_place_ = false;
                return;
            }
            auto unlink = [&](std::uint32_t i) {
                std::copy(spine + i + 1, spine + work_->chunks, spine + i);
                --work_->chunks;
            };
            if (m == 1) {
                unlink(p.chunk);
                replace(c);
            } else if (std::uint32_t const with = neighbour(p.chunk, m); with != p.chunk) {
                std::uint32_t const first = with < p.chunk ? with : p.chunk;
                chunk* const fresh = w_.new_chunk(birth());
                columns rows = fresh->rows();
                std::uint32_t at = 0;
                for (std::uint32_t i = first; i < first + 2; ++i) {
                    chunk* const from = spine[i];
                    std::uint32_t const full = from->size.load(std::memory_order_relaxed);
                    std::uint32_t const before = i == p.chunk ? p.row : full;
                    rows.copy(at, from->rows(), 0, before);
                    at += before;
                    if (i == p.chunk) {
                        rows.copy(at, from->rows(), p.row + 1, full - p.row - 1);
                        at += full - p.row - 1;
                    }
                }
                fresh->size.store(at, std::memory_order_relaxed);
                chunk* const other = spine[with];
                spine[first] = fresh;
                unlink(first + 1);
                replace(c);
                replace(other);
            } else if (owns(*c)) {
                columns rows = c->rows();
                rows.copy(p.row, rows, p.row + 1, m - p.row - 1);
                c->size.store(m - 1, std::memory_order_relaxed);
            } else {
                chunk* const fresh = w_.new_chunk(birth());
                columns rows = fresh->rows();
                rows.copy(0, c->rows(), 0, p.row);
                rows.copy(p.row, c->rows(), p.row + 1, m - p.row - 1);
                fresh->size.store(m - 1, std::memory_order_relaxed);
                spine[p.chunk] = fresh;
                replace(c);
            }
            work_->set_count(n - 1);
        }

        /// A chunk beside a sparse one that has room for what is left of it; itself if none has.
        std::uint32_t neighbour(std::uint32_t ci, std::uint32_t m) const noexcept
        {
            if (m - 1 > chunk::capacity / 4)
                return ci;
            auto fits = [&](std::uint32_t i) {
                return work_->spine()[i]->size.load(std::memory_order_relaxed) + m - 1 <=
                    chunk::capacity / 4 * 3;
            };
            if (ci != 0 && fits(ci - 1))
                return ci - 1;
            return ci + 1 < work_->chunks && fits(ci + 1) ? ci + 1 : ci;
        }

        writers& w_;
        root* work_;
        chunk* replaced_ = nullptr;
        hook* hook_ = nullptr;
        hook_kind hook_kind_ = hook_kinds;  // none
        bool index_changed_ = false;
        bool in_place_;
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

    /// Whether a new row (k, id) fires before this one.
    bool fires_before(key const& k, std::uint64_t id, columns const& rows, std::uint32_t i) const
    {
        if constexpr (!keyed)
            return id < rows.id(i);
        else
            return before(k, rows.keys[i]) || (id < rows.id(i) && !before(rows.keys[i], k));
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

    /// The chunk in which (k, id) belongs: the last one whose first row does not fire after it.
    std::uint32_t chunk_for(root const& r, key const& k, std::uint64_t id) const
    {
        std::uint32_t low = 1;
        std::uint32_t high = r.chunks;
        if (high > 1 && !fires_before(k, id, r.spine()[high - 1]->rows(), 0))
            return high - 1;
        while (low < high) {
            std::uint32_t const middle = low + (high - low) / 2;
            if (fires_before(k, id, r.spine()[middle]->rows(), 0))
                high = middle;
            else
                low = middle + 1;
        }
        return low - 1;
    }

    // ----- finding

    /// Finds a row of `r`; with `take`, the index forgets it. Flat tables are small and scanned;
    /// larger ones are bisected, by the key that the index knows, or by id.
    bool locate(root const* r, std::uint64_t id, place* p, bool take = false)
    {
        if (r == nullptr)
            return false;
        if (!r->is_spine()) {
            columns const rows = r->rows();
            std::uint32_t const n = r->count();
            for (std::uint32_t i = 0; i < n; ++i) {
                if (rows.id(i) == id) {
                    if (p != nullptr)
                        p->row = i;
                    return true;
                }
            }
            return false;
        }
        auto bisect = [&](key const& k) {
            std::uint32_t const ci = chunk_for(*r, k, id);
            columns const rows = r->spine()[ci]->rows();
            std::uint32_t const m = r->spine()[ci]->size.load(std::memory_order_relaxed);
            std::uint32_t const at = upper_bound(rows, m, k, id);
            if (at == 0 || rows.id(at - 1) != id)
                return false;
            if (p != nullptr)
                *p = place{ci, at - 1};
            return true;
        };
        if constexpr (keyed)
            return index_.find(id, take, bisect);
        else
            return bisect(key());
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
    void rebuild_index() noexcept
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

    // One root and one chunk are kept for next time, so that a registry in a steady state goes on
    // without the heap. Not where memory is bounded: there what is not used must be for all.

    struct spare
    {
        void* memory = nullptr;
        std::size_t bytes = 0;
    };

    void* take(spare& s, std::size_t& bytes, std::size_t align)
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

    void give(spare& s, void* p, std::size_t bytes, std::size_t align) noexcept
    {
        if (!bounded)
            std::swap(s.memory, p), std::swap(s.bytes, bytes);
        if (p != nullptr)
            memory.deallocate(p, bytes, align);
    }

    static constexpr std::size_t table_align = 16;

    root* new_root(std::uint32_t capacity, bool spine)
    {
        static_assert(alignof(root) <= table_align && alignof(chunk) <= table_align);
        std::size_t bytes = root::bytes(capacity, spine);
        void* const p = take(spare_root_, bytes, table_align);
        root* const r = ::new (p) root(this, bytes, capacity, spine);
        r->version = version + 1;
        for (unsigned i = 0; i < hook_kinds; ++i)
            r->hooks[i] = hooks[i];
        return r;
    }

    void free_root(root& r) noexcept
    {
        std::size_t const bytes = r.memory;
        r.~root();
        give(spare_root_, &r, bytes, table_align);
    }

    chunk* new_chunk(std::uint64_t birth)
    {
        std::size_t bytes = chunk::bytes();
        return ::new (take(spare_chunk_, bytes, table_align)) chunk(this, birth);
    }

    void free_chunk(chunk* c) noexcept
    {
        c->~chunk();
        give(spare_chunk_, c, chunk::bytes(), table_align);
    }

    void free_spares() noexcept
    {
        for (spare* s : {&spare_root_, &spare_chunk_})
            if (void* const p = std::exchange(s->memory, nullptr))
                memory.deallocate(p, s->bytes, table_align);
    }

    REGISTRY_IO_NO_UNIQUE_ADDRESS Ordering order_;
    id_index<key, source> index_;
    chunk* replaced_ = nullptr;  // chunks that are in no current root any more
    spare spare_root_;
    spare spare_chunk_;
};

}  // namespace detail
}  // namespace v1
}  // namespace registry_io

#endif
