// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// What the members of `mailbox` return: the result of a post, the result of a drain, and the
// counts.

#ifndef REGISTRY_IO_QUEUED_MAILBOX_STATS_HPP
#define REGISTRY_IO_QUEUED_MAILBOX_STATS_HPP

#include <registry_io/detail/supported.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace registry_io {
inline namespace v1 {
namespace queued {

/// The result of a post.
enum class post_result : unsigned char {
    posted,   ///< the event waits, or has taken the place of another one
    dropped,  ///< there was no room: the event is gone, and counted
    full,     ///< there was no room: the caller keeps the event
    closed    ///< the mailbox is closed: the caller keeps the event
};

/// The result of a drain.
struct drain_result
{
    /// How many events the registry was notified of.
    std::size_t count = 0;
    /// Whether no event was left at the end. False if the limit came first, or an event was being
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
    std::uint64_t waiting = 0;     ///< accepted events that have not been taken out
    std::uint64_t dropped = 0;     ///< lost: there was no room, or `discard` was called
    std::uint64_t coalesced = 0;   ///< replaced by a newer event
    std::uint64_t refused = 0;     ///< left with the caller of `post`: full, or closed
    std::uint64_t high_water = 0;  ///< the most events that ever waited at once
    /// Zero without `measure_waits`.
    std::chrono::nanoseconds longest_wait{0};
};

}  // namespace queued
}  // namespace v1
}  // namespace registry_io

#endif
