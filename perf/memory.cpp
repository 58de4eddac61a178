// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#include "memory.hpp"

#include <atomic>
#include <cerrno>
#include <cstddef>

#include <malloc.h>

// glibc's names for the functions that are replaced below.
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
void __libc_free(void*);
}

namespace {

// relaxed throughout: these are sums, read after the threads that add to them have been joined or
// while they are idle.
constinit std::atomic<bool> counting{false};
constinit std::atomic<long> allocations{0};
constinit std::atomic<long> bytes{0};

void* taken(void* p) noexcept
{
    if (counting.load(std::memory_order_relaxed) && p != nullptr) {
        allocations.fetch_add(1, std::memory_order_relaxed);
        bytes.fetch_add(static_cast<long>(malloc_usable_size(p)), std::memory_order_relaxed);
    }
    return p;
}

void give_back(void* p) noexcept
{
    if (counting.load(std::memory_order_relaxed) && p != nullptr)
        bytes.fetch_sub(static_cast<long>(malloc_usable_size(p)), std::memory_order_relaxed);
}

}  // namespace

extern "C" {

void* malloc(std::size_t size) noexcept
{
    return taken(__libc_malloc(size));
}

void* calloc(std::size_t n, std::size_t size) noexcept
{
    return taken(__libc_calloc(n, size));
}

void* realloc(void* p, std::size_t size) noexcept
{
    give_back(p);
    return taken(__libc_realloc(p, size));
}

void* memalign(std::size_t align, std::size_t size) noexcept
{
    return taken(__libc_memalign(align, size));
}

void* aligned_alloc(std::size_t align, std::size_t size) noexcept
{
    return taken(__libc_memalign(align, size));
}

int posix_memalign(void** p, std::size_t align, std::size_t size) noexcept
{
    *p = taken(__libc_memalign(align, size));
    return *p == nullptr ? ENOMEM : 0;
}

void free(void* p) noexcept
{
    give_back(p);
    __libc_free(p);
}
}

namespace perf {

memory_counter::memory_counter() noexcept
{
    ::allocations.store(0, std::memory_order_relaxed);
    ::bytes.store(0, std::memory_order_relaxed);
    counting.store(true, std::memory_order_relaxed);
}

memory_counter::~memory_counter()
{
    counting.store(false, std::memory_order_relaxed);
}

long memory_counter::allocations() const noexcept
{
    return ::allocations.load(std::memory_order_relaxed);
}

long memory_counter::bytes() const noexcept
{
    return ::bytes.load(std::memory_order_relaxed);
}

}  // namespace perf
