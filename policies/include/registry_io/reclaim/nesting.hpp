// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The nesting of a thread: a list of entries on its own stack, innermost first, of what the thread
// is inside of. A thread that is inside a registry must not wait for that registry's readers, since
// it would wait for itself; the check walks this list. A read that a slot announces has no entry,
// since the check looks at the slots too. Invariant: the list holds exactly the nesting scopes that
// are open on this thread.

#ifndef REGISTRY_IO_RECLAIM_NESTING_HPP
#define REGISTRY_IO_RECLAIM_NESTING_HPP

#include <registry_io/detail/supported.hpp>

#include <registry_io/config.hpp>

namespace registry_io {
inline namespace v1 {
namespace reclaim {

/// One entry of a thread's list of what it is inside of: reads that are not announced in a slot,
/// and destructions. Lives on the stack.
struct nesting_entry
{
    void const* owner;
    nesting_entry* outer;
};

namespace detail {
REGISTRY_IO_EXPORT inline constinit thread_local nesting_entry* innermost_nesting = nullptr;
}

/// Keeps an entry on the list while it lives.
template <class Env>
class nesting_scope
{
public:
    explicit nesting_scope(void const* owner) noexcept : nesting_{owner, Env::nesting()}
    {
        Env::nesting() = &nesting_;
    }
    nesting_scope(nesting_scope const&) = delete;
    nesting_scope& operator=(nesting_scope const&) = delete;
    ~nesting_scope() { Env::nesting() = nesting_.outer; }

private:
    nesting_entry nesting_;
};

/// Whether the calling thread is inside something of this owner.
template <class Env>
bool inside(void const* owner) noexcept
{
    for (nesting_entry const* f = Env::nesting(); f != nullptr; f = f->outer)
        if (f->owner == owner)
            return true;
    return false;
}

}  // namespace reclaim
}  // namespace v1
}  // namespace registry_io

#endif
