// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The options of `mailbox`. Each is a type that names what it decides by a member `option`.

#ifndef REGISTRY_IO_QUEUED_MAILBOX_OPTIONS_HPP
#define REGISTRY_IO_QUEUED_MAILBOX_OPTIONS_HPP

#include <registry_io/detail/supported.hpp>

#include <functional>

namespace registry_io {
inline namespace v1 {
namespace queued {

/// What an option decides: what `post` does when there is no room.
struct when_full;
/// What an option decides: how the consumer learns that an event waits.
struct when_empty;
/// What an option decides: how many threads may drain at once.
struct consumers;
/// What an option decides: how many lanes there are.
struct lanes;
/// What an option decides: what is measured.
struct measures;

/// When full: `post` returns `full`, and the event stays with the caller. The default.
struct fail
{
    /// What this decides.
    using option = when_full;
};

/// When full: the event that is being posted is dropped, and counted.
struct drop_newest
{
    /// What this decides.
    using option = when_full;
};

/// When full: the event that has waited longest is dropped, and counted. The thread that posts
/// destroys it.
struct drop_oldest
{
    /// What this decides.
    using option = when_full;
};

/// `block` without a limit.
inline constexpr unsigned no_timeout = ~0u;

/// When full: `post` sleeps until there is room, for at most this number of milliseconds. After
/// that time, and at once on a thread that is draining the same mailbox, it returns `full`, and the
/// event stays with the caller.
template <unsigned Milliseconds = no_timeout>
struct block
{
    /// What this decides.
    using option = when_full;
    /// For how long.
    static constexpr unsigned milliseconds = Milliseconds;
};

/// One event for each key: an event whose key waits already takes the place of the older one, which
/// is counted as coalesced. `std::invoke(Key, event)` gives the key: a data member, a function or a
/// lambda that does not throw. `std::hash` hashes it, and `==` compares it; neither may throw or
/// post.
///
/// The remaining event moves to the end, so events are drained in the order of posting. If more
/// keys than the capacity wait, an event with a new key is dropped, and counted. Posting and
/// draining take a lock.
template <auto Key>
struct coalesce
{
    /// What this decides.
    using option = when_full;
    /// Returns the key of an event.
    static constexpr auto key = Key;
};

namespace detail {
struct one_key
{
    template <class Event>
    constexpr int operator()(Event const&) const noexcept
    {
        return 0;
    }
};
}  // namespace detail

/// Only the newest event waits; an older one that has not been drained is counted as coalesced. For
/// a mailbox of capacity 1.
struct latest : coalesce<detail::one_key{}>
{
};

/// The consumer waits in a loop that does not give up the processor. For a core of its own.
struct spin
{
    /// What this decides.
    using option = when_empty;
};

/// The consumer waits in a loop that lets other threads run.
struct yield
{
    /// What this decides.
    using option = when_empty;
};

/// The consumer sleeps in the kernel. A post that finds it asleep wakes it with a system call;
/// other posts cost nothing more than with `spin`. The default.
struct park
{
    /// What this decides.
    using option = when_empty;
};

/// No thread waits: `post` calls the hook when the first event comes after a drain that has left
/// nothing. The hook must arrange that `drain` is called soon, once, on any thread: for example it
/// posts to an executor, or writes to an eventfd.
///
/// It is called again when a drain has left events, and when the mailbox is closed. It runs on the
/// thread that posts, drains or closes. If it throws, `post` throws the same exception although the
/// event is posted, and the next post calls the hook again.
template <class Hook = std::function<void()>>
struct wake
{
    /// What this decides.
    using option = when_empty;
    /// What is called.
    using hook_type = Hook;
};

/// Several threads may drain at once; each event goes to one of them. Without it one thread at a
/// time may.
struct many_consumers
{
    /// What this decides.
    using option = consumers;
};

/// Adds a second lane of the same capacity, for `post_urgent`. While an urgent event waits no other
/// one is drained.
struct urgent_lane
{
    /// What this decides.
    using option = lanes;
};

/// Measures the longest time from the beginning of `post` to the moment when the event is taken
/// out. Reads the clock twice for each event.
struct measure_waits
{
    /// What this decides.
    using option = measures;
};

}  // namespace queued
}  // namespace v1
}  // namespace registry_io

#endif
