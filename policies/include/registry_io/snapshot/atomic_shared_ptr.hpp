// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)

#ifndef REGISTRY_IO_SNAPSHOT_ATOMIC_SHARED_PTR_HPP
#define REGISTRY_IO_SNAPSHOT_ATOMIC_SHARED_PTR_HPP

#include <atomic>
#include <cstddef>
#include <memory>
#include <new>
#include <utility>

#include <boost/assert.hpp>
#include <boost/throw_exception.hpp>

#include <registry_io/policy.hpp>
#include <registry_io/reclaim/counting.hpp>

namespace registry_io {
inline namespace v1 {
namespace snapshot {

/// Readers take a counted reference from the standard library's `atomic<shared_ptr>`.
///
/// Readers: as lock-free as that atomic is, which with libstdc++ means a spin lock in the pointer;
/// all of them write two shared cache lines. Writers: take turns; each publication allocates one
/// more block. Memory: at most one snapshot for each read in flight. Captures are destroyed as with
/// `hazard_pointer`.
/// Two things fall short of the other policies: a removal that races with another writer may leave
/// captures to that other call; and the load of libstdc++ before 13 unlocks with a relaxed store,
/// which ThreadSanitizer reports as a race in the standard library.
/// Take it: to compare with what one would write without this library.
struct atomic_shared_ptr
{
    using category = axis::snapshot;
    static constexpr bool concurrent = true;

    using env = reclaim::std_env;
    using root_header = reclaim::era_root<env>;

    template <class Root>
    class store
    {
        /// Owns the hold of a root's owner. Reserved before there is a root, so that publishing
        /// does not allocate.
        struct capsule
        {
            Root* root = nullptr;
            /// Set by a writer that is the last to hold it, and holds the writers' lock.
            void (*drain_later)(void*, Root&) noexcept = nullptr;
            void* retirement = nullptr;
            capsule() = default;
            capsule(capsule const&) = delete;
            capsule& operator=(capsule const&) = delete;
            ~capsule()
            {
                if (root == nullptr || !root->let_go())
                    return;
                if (drain_later != nullptr)
                    drain_later(retirement, *root);
                else
                    root->drain();
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
            reclaim::frame_scope<env> const frame(this);
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
    using retired = reclaim::retired_roots<env, Source>;

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
                boost::throw_exception(std::bad_alloc());
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

    class retirement : public retired::retirement
    {
    public:
        retirement(typename retired::retirement&& r, pointer&& next) noexcept
            : retired::retirement(std::move(r)), capsule_(std::move(next))
        {
        }

        void finish() noexcept
        {
            retired::retirement::finish();
            reclaim::frame_scope<env> const frame(owner_);
            capsule_.reset();
        }

    private:
        friend class writer;
        pointer capsule_;  // for the next root, then of the replaced one
        void const* owner_ = nullptr;
    };

    writer(store& s, Source const& source) : store_(s), source_(source) {}

    env::mutex& mutex() noexcept { return mutex_; }
    bool foreign() const noexcept { return false; }  // all state lies in the registry
    Root* current() const noexcept { return current_; }
    bool exclusive() const noexcept { return false; }

    template <class NoMemory>
    retirement reserve(garbage_list const& dead, completion* wait, NoMemory no_memory)
    {
        pointer next = std::allocate_shared<capsule>(allocator<capsule>(source_));
        return retirement(retired_.reserve(source_, &store_, dead, wait, no_memory),
                          std::move(next));
    }

    void publish(Root* next, retirement& r) noexcept
    {
        r.owner_ = &store_;
        Root* const old = current_;
        if (next == old) {
            retired_.retire(nullptr, r);
            return;
        }
        // What is taken out hangs on the old root before its last reader can let go of it.
        pointer published;
        if (next != nullptr) {
            next->owner = &store_;
            r.capsule_->root = next;
            published = std::move(r.capsule_);
        }
        current_ = next;
        // The old capsule stays in `replaced` until finish, so its root's era cannot drain yet.
        // release: readers see the entries. acquire: to look at the old capsule.
        pointer replaced = store_.root_.exchange(published, std::memory_order_acq_rel);
        retired_.retire(old, r);
        if (replaced.use_count() == 1) {
            // Nobody can come by another reference now. Let go of it under the lock, so that
            // nothing
            // more is hung on a root that nobody reads; it is drained in finish.
            replaced->retirement = &r;
            replaced->drain_later = [](void* to, Root& root) noexcept {
                static_cast<retirement*>(to)->drain_later(root);
            };
            replaced.reset();
        }
        r.capsule_ = std::move(replaced);
    }

    template <class F>
    void sweep(F f)
    {
        retired_.sweep([&](root_header& h) { f(static_cast<Root&>(h)); });
    }

    bool spans(std::uint64_t birth, std::uint64_t death) const noexcept
    {
        return retired_.spans(birth, death);
    }

    bool held() const noexcept
    {
        // Ours and the store's: two. A reader that comes in between is one more, at worst for
        // nothing. And those who hold the root itself.
        // use_count alone orders nothing. But the copy that is asked gives up its own count, which
        // is an acquire-release operation on the counter that the readers have decremented: what
        // those did that it does not count any more comes before the return of whoever waits.
        return current_ != nullptr &&
            (current_->holders() > 1 ||
             store_.root_.load(std::memory_order_acquire).use_count() > 2);
    }

    bool would_deadlock() const noexcept { return reclaim::inside<env>(&store_); }

    template <class F>
    void close(F f)
    {
        BOOST_ASSERT_MSG(!held(),
                         "registry_io: the registry is destroyed while a notify is running");
        for (root_header* h = retired_.abandon(); h != nullptr;) {
            root_header* const next = h->newer;
            f(static_cast<Root&>(*h));
            h = next;
        }
        if (Root* const root = std::exchange(current_, nullptr)) {
            pointer last = store_.root_.exchange(nullptr, std::memory_order_acquire);
            last->root = nullptr;  // its hold goes with the root
            f(*root);
        }
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
