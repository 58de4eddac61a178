// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The snapshot policy that uses only the standard library: readers copy an `atomic<shared_ptr>`. It
// is a baseline for measurements. The shared object holds the root on behalf of all its readers, so
// the counts of the other policies apply to it as well.

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
/// `hazard_pointer`. Two limitations: a removal that races with another writer may leave captures
/// to that other call; and libstdc++ before 13 unlocks with a relaxed store in its load, which
/// ThreadSanitizer reports as a race in the standard library. Use it to compare with the usual
/// solution without this library.
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
        static_assert(
            sizeof(Root) == 0,
            "registry_io: atomic_shared_ptr needs std::atomic<std::shared_ptr>, which this "
            "standard "
            "library lacks; use another snapshot policy, such as snapshot::hazard_pointer");
#endif

        /// Holds a root on behalf of all its readers. It is allocated before the root is published,
        /// so that publication does not allocate.
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
            // acquire: pairs with the exchange in publish. Without it, a reader could see the
            // capsule before its root.
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

    /// The alloc policy with the interface of a standard allocator.
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
        pointer capsule_;  // of the next root, then of the replaced one
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
        // As in hazard_pointer. The references of the parent's other threads keep the capsule for
        // ever, so its hold on the root ends here.
        bool const forked = retired_.forked() && !would_deadlock();
        if (forked)
            retired_.follow_fork(old, 1, nullptr);
        Root* const replaced = next != old ? old : nullptr;
        // After a fork, a root that stays current needs a new capsule too.
        if (next != old || forked) {
            pointer published;
            if (next != nullptr) {
                next->belong(retired_);
                next->enter();
                r.capsule_->root = next;
                published = std::move(r.capsule_);
            }
            current_ = next;
            // release: pairs with the load in read, so that readers see the rows. acquire: pairs
            // with the release of the exchange that published the old capsule, which is used below.
            r.capsule_ = store_.root_.exchange(published, std::memory_order_acq_rel);
            if (forked && r.capsule_ != nullptr)
                r.capsule_->root = nullptr;
            // If this is the last reference, no other can appear. Drop it under the lock, so that
            // no garbage is hung on a root without readers.
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
        // Two references are the copy here and the store's. A reader that begins meanwhile adds
        // one, which at worst makes the answer true without need. `holders` counts those that hold
        // the root itself. use_count itself orders nothing. But the destruction of the copy is an
        // acquire-release operation on the counter that the readers have decremented. So what
        // finished readers did comes before the return of the waiting thread.
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
