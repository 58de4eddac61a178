// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The checks and messages of the snapshot policies for two misuses: a notify from a shared object
// that has its own copy of the library's variables, and the destruction of a registry while a
// notify runs. All policies share these functions, so each message is written once. A function that
// asserts is not a template, because the assertion prints the function's name.

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

/// Ends the program if the calling code has another copy of the domain's variables than the code
/// that made the registry. Writers would not see what such readers announce.
[[noreturn]] BOOST_NOINLINE inline void foreign_domain() noexcept
{
    std::fputs("registry_io: notified from a shared object with its own copy of the library's "
               "variables; export them, or use a registry_ref that the registry's owner made\n",
               stderr);
    std::terminate();
}

/// Asserts that a reader's domain is that of the registry. Not a template, since the message names
/// the enclosing function.
BOOST_FORCEINLINE void assert_same_domain([[maybe_unused]] void const* domain,
                                          [[maybe_unused]] void const* own) noexcept
{
    BOOST_ASSERT_MSG(
        domain == own,
        "registry_io: notified from a shared object with its own copy of the library's variables");
}
/// As above. Calls `domain()`, which loads from memory, only if assertions are on.
template <class Domain>
BOOST_FORCEINLINE void assert_domain([[maybe_unused]] Domain domain,
                                     [[maybe_unused]] void const* own) noexcept
{
#ifndef BOOST_ASSERT_IS_VOID
    assert_same_domain(domain(), own);
#endif
}

/// Asserts that no notify of a registry runs while the registry is destroyed. Not a template, since
/// the message names the enclosing function.
BOOST_NOINLINE inline void assert_not_running([[maybe_unused]] bool unread) noexcept
{
    BOOST_ASSERT_MSG(unread, "registry_io: the registry is destroyed while a notify is running");
}
/// As above. Calls `unread()`, which scans the readers' records, only if assertions are on.
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
