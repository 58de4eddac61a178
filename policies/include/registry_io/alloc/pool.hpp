// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)

#ifndef REGISTRY_IO_ALLOC_POOL_HPP
#define REGISTRY_IO_ALLOC_POOL_HPP

#include <registry_io/detail/supported.hpp>

#include <atomic>
#include <cstddef>
#include <mutex>
#include <new>
#include <utility>

#include <registry_io/config.hpp>
#include <registry_io/detail/arena.hpp>
#include <registry_io/policy.hpp>

namespace registry_io {
inline namespace v1 {
namespace alloc {

/// One piece of memory, taken from the heap when the policy is made, and no more after that.
///
/// For threads: writers allocate under a lock of the pool's own; giving back is lock-free, since a
/// reader may be the one who does it. Bounded: a writer throws `std::bad_alloc`, and changes
/// nothing, when the rest is too small, which includes what sleeping readers pin; so can a removal,
/// and a guard's destructor then terminates the program. The piece lives until the registry and all
/// that readers still hold of it are gone.
/// Take it: when a registry may not grow without bound, or its latency must not depend on the heap.
class REGISTRY_IO_EXPORT pool
{
    class block
    {
    public:
        static block* make(std::size_t bytes)
        {
            void* p = ::operator new(header() + bytes);
            return ::new (p) block(static_cast<std::byte*>(p) + header(), bytes);
        }

        void* allocate(std::size_t size, std::size_t align) noexcept
        {
            // What is given back becomes a link of a list, so it has to be as large as one.
            size = size < sizeof(returned) ? sizeof(returned) : size;
            std::lock_guard<std::mutex> const lock(mutex_);
            // acquire: pairs with deallocate.
            for (returned* r = returned_.exchange(nullptr, std::memory_order_acquire);
                 r != nullptr;) {
                returned const mine = *r;
                arena_.deallocate(r, mine.size, mine.align);
                r = mine.next;
            }
            void* const p = arena_.allocate(size, align);
            if (p != nullptr)
                hold();
            return p;
        }

        void deallocate(void* p, std::size_t size, std::size_t align) noexcept
        {
            size = size < sizeof(returned) ? sizeof(returned) : size;
            auto* const r = ::new (p) returned{nullptr, size, align};
            returned* head = returned_.load(std::memory_order_relaxed);
            do
                r->next = head;
            // release: the thread that takes the list reads the link, and writes the memory after
            // whatever we did with it.
            while (!returned_.compare_exchange_weak(head, r, std::memory_order_release,
                                                    std::memory_order_relaxed));
            drop();
        }

        // relaxed: the caller holds it.
        void hold() noexcept { holds_.fetch_add(1, std::memory_order_relaxed); }

        void drop() noexcept
        {
            // acq_rel: everybody's use of the memory comes before it goes.
            if (holds_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
                this->~block();
                ::operator delete(this);
            }
        }

    private:
        struct returned
        {
            returned* next;
            std::size_t size;
            std::size_t align;
        };

        block(void* memory, std::size_t bytes) noexcept : arena_(memory, bytes) {}

        static constexpr std::size_t header() noexcept
        {
            return (sizeof(block) + alignof(std::max_align_t) - 1) / alignof(std::max_align_t) *
                alignof(std::max_align_t);
        }

        std::atomic<std::size_t> holds_{1};  // the policy's, and one for each allocation
        std::atomic<returned*> returned_{nullptr};
        std::mutex mutex_;
        detail::arena arena_;
    };

public:
    using category = axis::alloc;
    static constexpr std::size_t capacity = 0;
    static constexpr bool inside = false;
    static constexpr bool concurrent = true;

    class source
    {
    public:
        explicit source(block& b) noexcept : block_(&b) {}
        void* allocate(std::size_t size, std::size_t align) noexcept
        {
            return block_->allocate(size, align);
        }
        void deallocate(void* p, std::size_t size, std::size_t align) noexcept
        {
            block_->deallocate(p, size, align);
        }

    private:
        block* block_;
    };

    /// Takes `bytes` from the heap. Throws `std::bad_alloc`.
    explicit pool(std::size_t bytes = std::size_t(64) * 1024) : block_(block::make(bytes)) {}

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
    block* block_;
};

}  // namespace alloc
}  // namespace v1
}  // namespace registry_io

#endif
