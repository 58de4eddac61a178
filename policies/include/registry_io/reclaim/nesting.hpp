// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// What a thread is in the middle of: a list of frames on its own stack, innermost first. A wait
// that a thread must not make while it is inside a registry, because it would wait for itself,
// walks this list to find out. A read that its thread's slot announces leaves no frame, since
// the slot answers the same question. Invariant: the list is that of the frame scopes that are
// open on this thread.

#ifndef REGISTRY_IO_RECLAIM_NESTING_HPP
#define REGISTRY_IO_RECLAIM_NESTING_HPP

#include <registry_io/detail/supported.hpp>

#include <registry_io/config.hpp>

namespace registry_io {
inline namespace v1 {
namespace reclaim {

/// One entry of a thread's list of what it is inside of: reads that are not announced in a slot,
/// and destructions. Lives on the stack.
struct frame
{
    void const* owner;
    frame* outer;
};

namespace detail {
REGISTRY_IO_EXPORT inline constinit thread_local frame* innermost_frame = nullptr;
}

/// Keeps a frame on the list while it lives.
template <class Env>
class frame_scope
{
public:
    explicit frame_scope(void const* owner) noexcept : frame_{owner, Env::frames()}
    {
        Env::frames() = &frame_;
    }
    frame_scope(frame_scope const&) = delete;
    frame_scope& operator=(frame_scope const&) = delete;
    ~frame_scope() { Env::frames() = frame_.outer; }

private:
    frame frame_;
};

/// Whether the calling thread is inside something of this owner.
template <class Env>
bool inside(void const* owner) noexcept
{
    for (frame const* f = Env::frames(); f != nullptr; f = f->outer)
        if (f->owner == owner)
            return true;
    return false;
}

}  // namespace reclaim
}  // namespace v1
}  // namespace registry_io

#endif
