// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// What the snapshot policies say when a registry is misused: a notify from a shared object that has
// its own copy of the library's variables, and the destruction of a registry while a notify runs.
// The functions are shared, so that each message is stated once, and are no templates where an
// assertion prints the name of its function.

#ifndef REGISTRY_IO_RECLAIM_MISUSE_HPP
#define REGISTRY_IO_RECLAIM_MISUSE_HPP

#include <registry_io/detail/supported.hpp>

#include <cstdio>
#include <exception>

#include <boost/assert.hpp>

#include <registry_io/config.hpp>

namespace registry_io {
inline namespace v1 {
namespace reclaim {

/// A registry is used by code whose copy of a domain's variables is not that of the code which made
/// it: what one announces the other does not see.
[[noreturn]] BOOST_NOINLINE inline void foreign_domain() noexcept
{
    std::fputs("registry_io: notified from a shared object with its own copy of the library's "
               "variables; export them, or use a registry_ref that the registry's owner made\n",
               stderr);
    std::terminate();
}

/// Asserts that a reader's domain is that of the registry. Not a template, as the message names the
/// function that it is in.
BOOST_FORCEINLINE void assert_same_domain([[maybe_unused]] void const* domain,
                                          [[maybe_unused]] void const* own) noexcept
{
    BOOST_ASSERT_MSG(domain == own,
                     "registry_io: notified from a shared object with its own domain");
}
/// The same. What `domain` returns, which is loaded from memory, is not asked for where nothing is
/// asserted.
template <class Domain>
BOOST_FORCEINLINE void assert_domain([[maybe_unused]] Domain domain,
                                     [[maybe_unused]] void const* own) noexcept
{
#ifndef BOOST_ASSERT_IS_VOID
    assert_same_domain(domain(), own);
#endif
}

/// Asserts that no notify of a registry runs while the registry is destroyed. Not a template, as
/// the message names the function that it is in.
BOOST_NOINLINE inline void assert_not_running([[maybe_unused]] bool unread) noexcept
{
    BOOST_ASSERT_MSG(unread, "registry_io: the registry is destroyed while a notify is running");
}
/// As above. `unread()` is called only where assertions are on, since it scans the readers'
/// records.
template <class F>
BOOST_FORCEINLINE void assert_unread([[maybe_unused]] F unread) noexcept
{
#if !defined(BOOST_ASSERT_IS_VOID)
    reclaim::assert_not_running(unread());
#endif
}

}  // namespace reclaim
}  // namespace v1
}  // namespace registry_io

#endif
