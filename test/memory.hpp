// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Counts the allocations of operator new, and makes them fail on demand. It replaces the global
// operators, so it may be included in only one source file of a program, which in these tests is
// the only file.

#ifndef REGISTRY_IO_TEST_MEMORY_HPP
#define REGISTRY_IO_TEST_MEMORY_HPP

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory_resource>
#include <new>

namespace test {
namespace detail {

inline constinit std::atomic<std::uint64_t> allocations{0};
// Only for the thread under test: the framework's own allocations must not fail.
inline constinit thread_local long fails_in = -1;
inline constinit thread_local bool all_fail = false;
inline constinit thread_local bool has_failed = false;

inline constinit std::atomic<std::size_t> nothrow_size{0};
inline constinit std::atomic<std::uint64_t> nothrow_blocks{0};

inline void* allocate(std::size_t size, std::size_t align) noexcept
{
    if (fails_in == 0) {
        has_failed = true;
        if (!all_fail)
            fails_in = -1;  // one failure at a time: the cleanup may allocate
        return nullptr;
    }
    if (fails_in > 0)
        --fails_in;
    allocations.fetch_add(1, std::memory_order_relaxed);
    if (align <= alignof(std::max_align_t))
        return std::malloc(size == 0 ? 1 : size);
    return std::aligned_alloc(align, (size + align - 1) / align * align);
}

inline void* allocate_or_throw(std::size_t size, std::size_t align)
{
    void* const p = allocate(size, align);
    if (p == nullptr)
        throw std::bad_alloc();
    return p;
}

inline void* allocate_nothrow(std::size_t size) noexcept
{
    void* const p = allocate(size, 1);
    if (p != nullptr && size == nothrow_size.load(std::memory_order_relaxed))
        nothrow_blocks.fetch_add(1, std::memory_order_relaxed);
    return p;
}

}  // namespace detail

/// Returns how often operator new has been called in this program.
inline std::uint64_t allocations() noexcept
{
    return detail::allocations.load(std::memory_order_relaxed);
}

/// From now on `nothrow_blocks` counts the blocks of this size that `new (std::nothrow)` hands out.
inline void count_nothrow_blocks(std::size_t size) noexcept
{
    detail::nothrow_size.store(size, std::memory_order_relaxed);
}
inline std::uint64_t nothrow_blocks() noexcept
{
    return detail::nothrow_blocks.load(std::memory_order_relaxed);
}

/// While it lives, this thread's n-th allocation fails, counted from 0; all others succeed, unless
/// `later` says that all later ones fail as well.
class failing_allocation
{
public:
    explicit failing_allocation(long n, bool later = false) noexcept
    {
        detail::all_fail = later;
        detail::has_failed = false;
        detail::fails_in = n;
    }
    failing_allocation(failing_allocation const&) = delete;
    failing_allocation& operator=(failing_allocation const&) = delete;
    ~failing_allocation() { detail::fails_in = -1; }

    /// Whether the allocation has failed.
    bool has_failed() const noexcept { return detail::has_failed; }
};

/// A resource on top of operator new that counts its blocks and bytes in use.
class counting_resource : public std::pmr::memory_resource
{
public:
    std::int64_t blocks() const noexcept { return blocks_.load(); }
    std::int64_t bytes() const noexcept { return bytes_.load(); }

private:
    void* do_allocate(std::size_t size, std::size_t align) override
    {
        void* const p = detail::allocate_or_throw(size, align);
        ++blocks_;
        bytes_ += static_cast<std::int64_t>(size);
        return p;
    }
    void do_deallocate(void* p, std::size_t size, std::size_t) override
    {
        --blocks_;
        bytes_ -= static_cast<std::int64_t>(size);
        std::free(p);
    }
    bool do_is_equal(memory_resource const& other) const noexcept override
    {
        return this == &other;
    }

    std::atomic<std::int64_t> blocks_{0};
    std::atomic<std::int64_t> bytes_{0};
};

}  // namespace test

// Replaces all of them, because a sanitizer's version of one would not match ours of another. Not
// inline, or gcc would match malloc with operator delete and warn of a mismatch.
// NOLINTBEGIN(misc-definitions-in-headers)
[[gnu::noinline]] void* operator new(std::size_t size)
{
    return test::detail::allocate_or_throw(size, 1);
}
[[gnu::noinline]] void* operator new[](std::size_t size)
{
    return test::detail::allocate_or_throw(size, 1);
}
[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t align)
{
    return test::detail::allocate_or_throw(size, static_cast<std::size_t>(align));
}
[[gnu::noinline]] void* operator new[](std::size_t size, std::align_val_t align)
{
    return test::detail::allocate_or_throw(size, static_cast<std::size_t>(align));
}
[[gnu::noinline]] void* operator new(std::size_t size, std::nothrow_t const&) noexcept
{
    return test::detail::allocate_nothrow(size);
}
[[gnu::noinline]] void* operator new[](std::size_t size, std::nothrow_t const&) noexcept
{
    return test::detail::allocate(size, 1);
}
[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t align,
                                     std::nothrow_t const&) noexcept
{
    return test::detail::allocate(size, static_cast<std::size_t>(align));
}
[[gnu::noinline]] void* operator new[](std::size_t size, std::align_val_t align,
                                       std::nothrow_t const&) noexcept
{
    return test::detail::allocate(size, static_cast<std::size_t>(align));
}
[[gnu::noinline]] void operator delete(void* p) noexcept
{
    std::free(p);
}
[[gnu::noinline]] void operator delete[](void* p) noexcept
{
    std::free(p);
}
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept
{
    std::free(p);
}
[[gnu::noinline]] void operator delete[](void* p, std::size_t) noexcept
{
    std::free(p);
}
[[gnu::noinline]] void operator delete(void* p, std::align_val_t) noexcept
{
    std::free(p);
}
[[gnu::noinline]] void operator delete[](void* p, std::align_val_t) noexcept
{
    std::free(p);
}
[[gnu::noinline]] void operator delete(void* p, std::size_t, std::align_val_t) noexcept
{
    std::free(p);
}
[[gnu::noinline]] void operator delete[](void* p, std::size_t, std::align_val_t) noexcept
{
    std::free(p);
}
[[gnu::noinline]] void operator delete(void* p, std::nothrow_t const&) noexcept
{
    std::free(p);
}
[[gnu::noinline]] void operator delete[](void* p, std::nothrow_t const&) noexcept
{
    std::free(p);
}
[[gnu::noinline]] void operator delete(void* p, std::align_val_t, std::nothrow_t const&) noexcept
{
    std::free(p);
}
[[gnu::noinline]] void operator delete[](void* p, std::align_val_t, std::nothrow_t const&) noexcept
{
    std::free(p);
}
// NOLINTEND(misc-definitions-in-headers)

#endif
