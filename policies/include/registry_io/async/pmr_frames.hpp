// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The frames of coroutines from a `std::pmr::memory_resource`. A separate header, so that other
// programs do not include `<memory_resource>`.

#ifndef REGISTRY_IO_ASYNC_PMR_FRAMES_HPP
#define REGISTRY_IO_ASYNC_PMR_FRAMES_HPP

#include <registry_io/detail/supported.hpp>

#include <cstddef>
#include <memory_resource>

#include <registry_io/async/frames.hpp>

namespace registry_io {
inline namespace v1 {
namespace async {

/// Frames from a `std::pmr::memory_resource`.
///
/// The resource must outlive the frames, and be safe for use by the threads that start and end
/// handlers.
class pmr_frames final : public frame_memory
{
public:
    /// Precondition: `r` is not null.
    explicit pmr_frames(std::pmr::memory_resource* r) noexcept : resource_(r) {}

    /// Throws what the resource throws.
    void* allocate(std::size_t size) override { return resource_->allocate(size, frame_alignment); }

    /// Returns the memory to the resource.
    void deallocate(void* p, std::size_t size) noexcept override
    {
        resource_->deallocate(p, size, frame_alignment);
    }

private:
    std::pmr::memory_resource* resource_;
};

}  // namespace async
}  // namespace v1
}  // namespace registry_io

#endif
