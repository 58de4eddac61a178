// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The alloc policy with a bound: a piece of memory that is reserved once, and divided by
// `detail/segregated_fit.hpp`. The pool and every block from it share the memory and its lock,
// which are freed with the last of them. A thread that frees a block while another thread holds the
// lock does not wait: it pushes the block on a lock-free stack (Treiber, 1986), and later holders
// of the lock take the blocks back, a few at a time. Invariant: each unit of the memory is in a
// block, in a hole, or among the blocks on that stack.

#ifndef REGISTRY_IO_ALLOC_POOL_HPP
#define REGISTRY_IO_ALLOC_POOL_HPP

#include <registry_io/detail/supported.hpp>

#include <atomic>
#include <cstddef>
#include <mutex>
#include <new>
#include <utility>

#include <registry_io/alloc/detail/segregated_fit.hpp>
#include <registry_io/config.hpp>
#include <registry_io/detail/raise.hpp>
#include <registry_io/policy.hpp>

#if !defined(_WIN32)
#include <pthread.h>
#endif

namespace registry_io {
inline namespace v1 {
namespace detail {

class pool_block;

#if !defined(_WIN32)
/// All pools of the process. `fork` takes their locks, so that the child does not find a lock held
/// by a thread that exists only in its parent.
struct pool_chain
{
    std::mutex mutex;
    pool_block* first = nullptr;
    std::atomic<bool> prepared{false};
};
REGISTRY_IO_EXPORT inline constinit pool_chain all_pools{};
#endif

/// The state that a pool shares with its blocks. It is stored in front of the memory that the pool
/// allocates from.
class REGISTRY_IO_EXPORT pool_block
{
    using memory = segregated_fit<>;

public:
    pool_block(pool_block const&) = delete;
    pool_block& operator=(pool_block const&) = delete;

    static pool_block* make(std::size_t bytes)
    {
        if (bytes > memory::most)
            registry_io::detail::raise(std::bad_alloc());
        void* const p = ::operator new(header() + memory::needed(bytes));
        auto* const b = ::new (p) pool_block(static_cast<std::byte*>(p) + header(), bytes);
        b->enlist();
        return b;
    }

    void* allocate(std::size_t size, std::size_t align) noexcept
    {
        std::lock_guard<std::mutex> const lock(mutex_);
        take_back(at_once);
        void* p = memory_.allocate(size, align);
        while (p == nullptr && take_back(1))
            p = memory_.allocate(size, align);
        if (p != nullptr)
            hold();
        return p;
    }

    void deallocate(void* p, std::size_t size) noexcept
    {
        if (std::unique_lock<std::mutex> const lock(mutex_, std::try_to_lock); lock) {
            memory_.deallocate(p, size);
            take_back(at_once);
        } else {
            leave(p, memory::units(size));
        }
        drop();
    }

    // relaxed: the caller has a hold already, and an increment publishes nothing.
    void hold() noexcept { holds_.fetch_add(1, std::memory_order_relaxed); }

    void drop() noexcept
    {
        // acq_rel: pairs with the other holders' drops. Without it, a use of the memory could race
        // with the delete.
        if (holds_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
            delist();
            this->~pool_block();
            ::operator delete(this);
        }
    }

private:
    /// Stored in a block that was freed while another thread held the lock.
    struct returned
    {
        returned* next;
        std::size_t units;
    };
    static_assert(sizeof(returned) <= memory::unit);

    /// How many returned blocks a holder of the lock takes back: two, since another block may be
    /// added meanwhile.
    static constexpr int at_once = 2;

    pool_block(void* at, std::size_t bytes) noexcept : memory_(at, bytes) {}

    static constexpr std::size_t header() noexcept
    {
        return (sizeof(pool_block) + memory::unit - 1) / memory::unit * memory::unit;
    }

    /// Takes back at most `most` returned blocks. Returns whether there was one.
    bool take_back(int most) noexcept
    {
        bool any = false;
        for (; most != 0; --most) {
            // relaxed: only checks whether the list is empty. acquire: pairs with the release in
            // leave, so that the links are visible.
            if (taken_ == nullptr && returned_.load(std::memory_order_relaxed) != nullptr)
                taken_ = returned_.exchange(nullptr, std::memory_order_acquire);
            if (taken_ == nullptr)
                break;
            returned* const r = std::exchange(taken_, taken_->next);
            memory_.deallocate_units(r, r->units);
            any = true;
        }
        return any;
    }

    void leave(void* p, std::size_t units) noexcept
    {
        unpoison(p, sizeof(returned));
        auto* const r = ::new (p) returned{nullptr, units};
        poison(r + 1, units * memory::unit - sizeof(returned));
        returned* head = returned_.load(std::memory_order_relaxed);
        do
            r->next = head;
        // release: pairs with the acquire in take_back. Without it, the thread that takes the list
        // could miss the link, or overwrite the memory before this thread's last use of it.
        while (!returned_.compare_exchange_weak(head, r, std::memory_order_release,
                                                std::memory_order_relaxed));
    }

#if defined(_WIN32)
    void enlist() noexcept {}  // there is no fork
    void delist() noexcept {}
#else
    void enlist()
    {
        // relaxed: it only matters that exactly one thread does it.
        if (!all_pools.prepared.exchange(true, std::memory_order_relaxed))
            prepare();
        std::lock_guard<std::mutex> const lock(all_pools.mutex);
        chained_ = &all_pools;
        next_ = all_pools.first;
        if (next_ != nullptr)
            next_->previous_ = this;
        all_pools.first = this;
    }

    void delist() noexcept
    {
        // Not all_pools: another shared object may have its own.
        std::lock_guard<std::mutex> const lock(chained_->mutex);
        (previous_ == nullptr ? chained_->first : previous_->next_) = next_;
        if (next_ != nullptr)
            next_->previous_ = previous_;
    }

    static void prepare() noexcept
    {
        // If this fails for lack of memory, a child of fork may find a lock that no thread will
        // release.
        static_cast<void>(::pthread_atfork(
            [] {
                all_pools.mutex.lock();
                for (pool_block* b = all_pools.first; b != nullptr; b = b->next_)
                    b->mutex_.lock();
            },
            &unlock_all, &unlock_all));
    }
    static void unlock_all() noexcept
    {
        for (pool_block* b = all_pools.first; b != nullptr; b = b->next_)
            b->mutex_.unlock();
        all_pools.mutex.unlock();
    }
#endif

    std::atomic<std::size_t> holds_{1};  // one of the policy, and one for each allocation
    std::atomic<returned*> returned_{nullptr};
    std::mutex mutex_{};
    returned* taken_ = nullptr;  // taken off `returned_`, but not yet back in `memory_`
    memory memory_;
#if !defined(_WIN32)
    // Protected by the chain's lock.
    pool_chain* chained_ = nullptr;
    pool_block* next_ = nullptr;
    pool_block* previous_ = nullptr;
#endif
};

}  // namespace detail

namespace alloc {

/// One piece of memory that is allocated from the heap when the policy is created; it never grows.
///
/// Thread-safe. Bounded: a writer throws `std::bad_alloc` and changes nothing if the remaining
/// memory is too small, which includes memory that sleeping readers pin. A removal can fail in the
/// same way, and a guard's destructor then terminates the program. The memory is freed when the
/// registry, and everything that readers still hold of it, is gone.
///
/// Complexity: each block is allocated and freed in a constant number of steps, whatever the number
/// of blocks and holes. Sizes are rounded up to 16 bytes, and above 1008 bytes by at most 1/32. An
/// allocation fails only if there is no hole of the rounded size; for an alignment above 16, if
/// there is no hole of the size plus the alignment.
///
/// Concurrency: a lock of the pool, held for a constant number of steps. `deallocate`, which the
/// last reader of a table may call, never waits for that lock: while another thread holds it, the
/// block is put on a lock-free list, and each later holder of the lock takes two blocks off that
/// list. An allocation that would fail takes blocks off the list until it succeeds or the list is
/// empty: its steps are bounded by the number of blocks that were freed while another thread held
/// the lock. With `reclaim::by_writers`, readers never free memory.
/// Use it if a registry must not grow without bound, or its latency must not depend on the heap.
class REGISTRY_IO_EXPORT pool
{
public:
    using category = axis::alloc;
    static constexpr std::size_t capacity = 0;
    static constexpr bool inside = false;
    static constexpr bool concurrent = true;

    class source
    {
    public:
        explicit source(detail::pool_block& b) noexcept : block_(&b) {}
        void* allocate(std::size_t size, std::size_t align) noexcept
        {
            return block_->allocate(size, align);
        }
        void deallocate(void* p, std::size_t size, std::size_t) noexcept
        {
            block_->deallocate(p, size);
        }

    private:
        detail::pool_block* block_;
    };

    /// Allocates `bytes` from the heap, plus less than 1 % and 4 KB for bookkeeping. Throws
    /// `std::bad_alloc`.
    explicit pool(std::size_t bytes = std::size_t(64) * 1024)
        : block_(detail::pool_block::make(bytes))
    {
    }
    pool(pool const&) = delete;
    pool& operator=(pool const&) = delete;

    /// The moved-from pool may only be destroyed or assigned to.
    pool(pool&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
    pool& operator=(pool&& other) noexcept
    {
        std::swap(block_, other.block_);
        return *this;
    }

    ~pool()
    {
        if (block_ != nullptr)
            block_->drop();
    }

    source get_source() noexcept { return source(*block_); }

private:
    detail::pool_block* block_;
};

}  // namespace alloc
}  // namespace v1
}  // namespace registry_io

#endif
