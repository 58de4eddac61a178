// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The alloc policy for a `std::pmr::memory_resource` that you choose at run time. The resource must
// outlive the registry, and everything that readers still hold of it.

#ifndef REGISTRY_IO_ALLOC_PMR_HPP
#define REGISTRY_IO_ALLOC_PMR_HPP

#include <registry_io/detail/supported.hpp>

#include <cstddef>
#include <memory_resource>

#include <registry_io/config.hpp>
#include <registry_io/policy.hpp>

namespace registry_io {
inline namespace v1 {
namespace alloc {

/// Memory from a `std::pmr::memory_resource`. The default is the default resource at the time when
/// the registry is created.
///
/// The resource must outlive the registry and its guards; it must be safe for use by several
/// threads when the snapshot policy is (`std::pmr::synchronized_pool_resource` is, a monotonic
/// buffer is not), and must not call into the registry. Note that the last reader of a removed
/// handler may call the resource. Unbounded. Throws what the resource throws.
/// Use it if you choose the source of memory at run time.
class REGISTRY_IO_EXPORT pmr
{
public:
    using category = axis::alloc;
    static constexpr std::size_t capacity = 0;
    static constexpr bool inside = false;
    static constexpr bool concurrent = true;

    class source
    {
    public:
        explicit source(std::pmr::memory_resource& r) noexcept : resource_(&r) {}
        void* allocate(std::size_t size, std::size_t align)
        {
            return resource_->allocate(size, align);
        }
        void deallocate(void* p, std::size_t size, std::size_t align) noexcept
        {
            resource_->deallocate(p, size, align);
        }

    private:
        std::pmr::memory_resource* resource_;
    };

    pmr() noexcept : resource_(std::pmr::get_default_resource()) {}

    /// Precondition: `r` is not null.
    explicit pmr(std::pmr::memory_resource* r) noexcept : resource_(r) {}

    source get_source() noexcept { return source(*resource_); }

private:
    std::pmr::memory_resource* resource_;
};

}  // namespace alloc
}  // namespace v1
}  // namespace registry_io

#endif
