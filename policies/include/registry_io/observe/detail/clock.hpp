// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The default clock of the policies of `observe/`, and the unit in which they measure. Tests
// replace it by any type with a static `now()`.

#ifndef REGISTRY_IO_OBSERVE_DETAIL_CLOCK_HPP
#define REGISTRY_IO_OBSERVE_DETAIL_CLOCK_HPP

#include <registry_io/detail/supported.hpp>

#include <chrono>
#include <cstdint>
#include <ctime>

namespace registry_io {
inline namespace v1 {
namespace observe {

/// The clock of measurements: nanoseconds of `CLOCK_MONOTONIC`, or of `std::chrono::steady_clock`
/// where the system has no such clock.
struct monotonic_clock
{
    /// Returns the time in nanoseconds. Throws: nothing. Thread-safe.
    static std::uint64_t now() noexcept
    {
#if defined(_WIN32)
        return static_cast<std::uint64_t>(
            std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count());
#else
        std::timespec t{};
        ::clock_gettime(CLOCK_MONOTONIC, &t);
        return static_cast<std::uint64_t>(t.tv_sec) * 1000000000u +
            static_cast<std::uint64_t>(t.tv_nsec);
#endif
    }
};

}  // namespace observe
}  // namespace v1
}  // namespace registry_io

#endif
