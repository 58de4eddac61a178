// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// What the members of `mailbox` return: what became of an event that was posted, what a drain has
// done, and the counts.

#ifndef REGISTRY_IO_QUEUED_MAILBOX_STATS_HPP
#define REGISTRY_IO_QUEUED_MAILBOX_STATS_HPP

#include <registry_io/detail/supported.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace registry_io {
inline namespace v1 {
namespace queued {

/// What became of an event that was posted.
enum class post_result : unsigned char {
    posted,   ///< it waits, or has taken the place of another one
    dropped,  ///< there was no room; it is gone, and counted
    full,     ///< there was no room; it is still the caller's
    closed    ///< the mailbox is closed; it is still the caller's
};

/// What a drain has done.
struct drain_result
{
    /// How many events the registry was notified of.
    std::size_t count = 0;
    /// Whether no event was left at the end. False: the limit came first, or an event was being
    /// posted.
    bool end_of_batch = false;
};

/// The counts of a mailbox.
///
/// Each event that was passed to `post` is counted once among those that were drained, `waiting`,
/// `dropped`, `coalesced` or `refused`.
struct mailbox_stats
{
    std::uint64_t posted = 0;      ///< events that `post` has accepted
    std::uint64_t waiting = 0;     ///< accepted events that are still there
    std::uint64_t dropped = 0;     ///< lost: there was no room, or `discard` was called
    std::uint64_t coalesced = 0;   ///< a newer event has taken the place
    std::uint64_t refused = 0;     ///< left with the caller of `post`: full, or closed
    std::uint64_t high_water = 0;  ///< the most that ever waited at once
    /// Zero without `measure_waits`.
    std::chrono::nanoseconds longest_wait{0};
};

}  // namespace queued
}  // namespace v1
}  // namespace registry_io

#endif
