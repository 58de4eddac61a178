// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The snapshot policy that uses the standard library alone: readers copy an `atomic<shared_ptr>`.
// It is here as a baseline for measurements. The shared object holds the root for all its readers
// together, so the counts of the other policies apply to it as well.

#ifndef REGISTRY_IO_SNAPSHOT_ATOMIC_SHARED_PTR_HPP
#define REGISTRY_IO_SNAPSHOT_ATOMIC_SHARED_PTR_HPP

#include <registry_io/detail/supported.hpp>

#include <atomic>
#include <cstddef>
#include <memory>
#include <new>
#include <utility>

#include <registry_io/detail/raise.hpp>
#include <registry_io/policy.hpp>
#include <registry_io/reclaim/counting.hpp>
#include <registry_io/reclaim/env.hpp>
#include <registry_io/reclaim/misuse.hpp>

namespace registry_io {
inline namespace v1 {
namespace snapshot {

/// Readers take a counted reference from the standard library's `atomic<shared_ptr>`.
///
/// Readers: as lock-free as that atomic is, which with libstdc++ means a spin lock in the pointer;
/// all of them write two shared cache lines. Writers: take turns; each publication allocates one
/// more block. Memory: at most one snapshot for each read in flight. Captures are destroyed as with
/// `hazard_pointer`. Two things fall short of the other policies: a removal that races with another
/// writer may leave captures to that other call; and the load of libstdc++ before 13 unlocks with a
/// relaxed store, which ThreadSanitizer reports as a race in the standard library. Use it: to
/// compare with the usual solution without this library.
struct atomic_shared_ptr
{
    using category = axis::snapshot;
    static constexpr bool concurrent = true;

    using env = reclaim::std_env;
    using root_header = reclaim::counted_root<env>;

    template <class Root>
    class store
    {
#ifndef __cpp_lib_atomic_shared_ptr
        static_assert(sizeof(Root) == 0,
                      "registry_io: this standard library has no std::atomic<std::shared_ptr>: use "
                      "another snapshot policy than atomic_shared_ptr");
#endif

        /// Holds a root for all its readers together. Reserved before there is a root, so that
        /// publishing does not allocate.
        struct capsule
        {
            Root* root = nullptr;
            capsule() = default;
            capsule(capsule const&) = delete;
            capsule& operator=(capsule const&) = delete;
            ~capsule()
            {
                if (root != nullptr)
                    root->leave();
            }
        };
        using pointer = std::shared_ptr<capsule>;

    public:
        store() noexcept = default;

        template <class F>
        void read(F f) const
        {
            pointer const p = root_.load(std::memory_order_acquire);
            if (p == nullptr)
                return;
            reclaim::nesting_scope<env> const nesting(this);
            f(*p->root);
        }

        template <class Source>
        class writer;

    private:
        std::atomic<pointer> root_;
    };
};

template <class Root>
template <class Source>
class atomic_shared_ptr::store<Root>::writer
{
    using retired = reclaim::retired_roots<env>;

    /// The alloc policy, as the standard library wants it.
    template <class T>
    struct allocator
    {
        using value_type = T;
        REGISTRY_IO_NO_UNIQUE_ADDRESS Source source;

        explicit allocator(Source const& s) noexcept : source(s) {}
        template <class U>
        allocator(allocator<U> const& other) noexcept : source(other.source)
        {
        }
        T* allocate(std::size_t n)
        {
            void* p = source.allocate(n * sizeof(T), alignof(T));
            if (p == nullptr)
                registry_io::detail::raise(std::bad_alloc());
            return static_cast<T*>(p);
        }
        void deallocate(T* p, std::size_t n) noexcept
        {
            source.deallocate(p, n * sizeof(T), alignof(T));
        }
        friend bool operator==(allocator const&, allocator const&) noexcept { return true; }
    };

public:
    using completion = reclaim::completion<env>;

    class retirement
    {
    public:
        void finish() noexcept
        {
            release_.finish();
            reclaim::nesting_scope<env> const nesting(owner_);
            capsule_.reset();
        }

        /// Whether `finish` has nothing to do.
        bool idle() const noexcept { return release_.free.empty() && capsule_ == nullptr; }

    private:
        friend class writer;
        retirement(retired& log, pointer&& next) noexcept
            : release_(log), owner_(log.owner()), capsule_(std::move(next))
        {
        }

        typename retired::release release_;
        garbage_list dead_;
        completion* wait_ = nullptr;
        void const* owner_;
        pointer capsule_;  // for the next root, then of the replaced one
    };

    writer(store& s, Source const& source) : store_(s), retired_(&s), source_(source) {}

    env::mutex& mutex() noexcept { return mutex_; }
    bool foreign() const noexcept { return false; }  // all state lies in the registry
    Root* current() const noexcept { return current_; }
    bool exclusive() const noexcept { return false; }

    template <class NoMemory>
    retirement reserve(garbage_list const& dead, completion* wait, NoMemory)
    {
        retirement r(retired_, std::allocate_shared<capsule>(allocator<capsule>(source_)));
        r.dead_ = dead;
        r.wait_ = wait;
        return r;
    }

    template <class Recycle>
    void publish(Root* next, retirement& r, Recycle recycle) noexcept
    {
        Root* const old = current_;
        // As in hazard_pointer. References that threads which are gone had to the capsule stay, so
        // the capsule's hold ends with them.
        bool const forked = retired_.forked() && !would_deadlock();
        if (forked)
            retired_.follow_fork(old, 1, nullptr);
        Root* const replaced = next != old ? old : nullptr;
        // After a fork a root that stays needs another capsule, too.
        if (next != old || forked) {
            pointer published;
            if (next != nullptr) {
                next->belong(retired_);
                next->enter();
                r.capsule_->root = next;
                published = std::move(r.capsule_);
            }
            current_ = next;
            // release: readers see the entries. acquire: to look at the old capsule.
            r.capsule_ = store_.root_.exchange(published, std::memory_order_acq_rel);
            if (forked && r.capsule_ != nullptr)
                r.capsule_->root = nullptr;
            // If this is the last reference nobody can come by another one: let go of it under the
            // lock, so that nothing more is hung on a root that nobody reads.
            if (r.capsule_.use_count() == 1)
                r.capsule_.reset();
        }
        retired_.replace(replaced, r.dead_, r.release_);
        if (r.wait_ != nullptr)
            retired_.wait_for_all(*r.wait_);
        recycle(r.release_.free);
        r.release_.count();
    }

    bool held() const noexcept
    {
        // Ours and the store's: two. A reader that comes in between is one more, at worst for
        // nothing. And those who hold the root itself.
        // use_count alone orders nothing. But the copy that is asked gives up its own count, which
        // is an acquire-release operation on the counter that the readers have decremented: what
        // those did that it does not count any more comes before the return of whoever waits.
        return current_ != nullptr &&
            (current_->holders() > 2 ||
             store_.root_.load(std::memory_order_acquire).use_count() > 2);
    }

    bool would_deadlock() const noexcept { return reclaim::inside<env>(&store_); }

    REGISTRY_IO_DETAIL_COLD void close(garbage_list& dead) noexcept
    {
        reclaim::assert_unread([this] { return !held() || would_deadlock(); });
        typename retired::release r(retired_);
        Root* const old = std::exchange(current_, nullptr);
        store_.root_.exchange(nullptr, std::memory_order_acq_rel).reset();
        retired_.replace(old, dead, r);
        retired_.close(r);
    }

private:
    store& store_;
    env::mutex mutex_;
    retired retired_;
    Root* current_ = nullptr;
    REGISTRY_IO_NO_UNIQUE_ADDRESS Source source_;
};

}  // namespace snapshot
}  // namespace v1
}  // namespace registry_io

#endif
