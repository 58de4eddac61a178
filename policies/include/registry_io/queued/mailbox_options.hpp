// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The options of `mailbox`. The member `option` of each one names what the option decides.

#ifndef REGISTRY_IO_QUEUED_MAILBOX_OPTIONS_HPP
#define REGISTRY_IO_QUEUED_MAILBOX_OPTIONS_HPP

#include <registry_io/detail/supported.hpp>

#include <functional>

namespace registry_io {
inline namespace v1 {
namespace queued {

/// Decides what `post` does when there is no room.
struct when_full;
/// Decides how the consumer learns that an event waits.
struct when_empty;
/// Decides how many threads may drain at once.
struct consumers;
/// Decides how many lanes there are.
struct lanes;
/// Decides what is measured.
struct measures;

/// When full: `post` returns `full`, and the event stays with the caller. The default.
struct fail
{
    /// What this option decides.
    using option = when_full;
};

/// When full: the event that is being posted is dropped, and counted.
struct drop_newest
{
    /// What this option decides.
    using option = when_full;
};

/// When full: the event that has waited longest is dropped, and counted. The thread that posts
/// destroys it.
struct drop_oldest
{
    /// What this option decides.
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
    /// What this option decides.
    using option = when_full;
    /// The longest sleep, in milliseconds.
    static constexpr unsigned milliseconds = Milliseconds;
};

/// Keeps one event for each key: an event replaces the waiting event with the same key, which is
/// counted as coalesced. `std::invoke(Key, event)` gives the key: `Key` is a data member, a
/// function or a lambda that does not throw. `std::hash` hashes the key, and `==` compares it;
/// neither may throw or post.
///
/// The new event waits at the end, so events are drained in the order of posting. If as many keys
/// wait as the mailbox has capacity, an event with a new key is dropped, and counted. Posting and
/// draining take a lock.
template <auto Key>
struct coalesce
{
    /// What this option decides.
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

/// Keeps only the newest event. An older event that has not been drained is counted as coalesced.
/// The mailbox must have capacity 1.
struct latest : coalesce<detail::one_key{}>
{
};

/// When empty: the consumer spins without giving up the processor. Give it a core of its own.
struct spin
{
    /// What this option decides.
    using option = when_empty;
};

/// When empty: the consumer spins and lets other threads run.
struct yield
{
    /// What this option decides.
    using option = when_empty;
};

/// When empty: the consumer sleeps in the kernel. A post that finds it asleep wakes it with a
/// system call; other posts cost as much as with `spin`. The default.
struct park
{
    /// What this option decides.
    using option = when_empty;
};

/// When empty: no thread waits. `post` calls the hook for the first event after a drain that has
/// left none. The hook must arrange that `drain` is called soon, once, on any thread: for example,
/// it posts to an executor, or writes to an eventfd.
///
/// The hook is also called when a drain has left events, and when the mailbox is closed. It runs on
/// the thread that posts, drains or closes. If it throws, `post` throws the same exception although
/// the event is posted, and the next post calls the hook again.
template <class Hook = std::function<void()>>
struct wake
{
    /// What this option decides.
    using option = when_empty;
    /// The type of the hook.
    using hook_type = Hook;
};

/// Lets several threads drain at once; each event goes to one of them. Without this option, one
/// thread at a time may drain.
struct many_consumers
{
    /// What this option decides.
    using option = consumers;
};

/// Adds a second lane of the same capacity, for `post_urgent`. While an urgent event waits, no
/// other event is drained.
struct urgent_lane
{
    /// What this option decides.
    using option = lanes;
};

/// Measures the longest time from the beginning of `post` until the event is taken out. Reads the
/// clock twice for each event.
struct measure_waits
{
    /// What this option decides.
    using option = measures;
};

}  // namespace queued
}  // namespace v1
}  // namespace registry_io

#endif
