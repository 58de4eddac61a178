// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// A panic policy under all adaptors of observe keeps its laws, with each snapshot policy. The order
// of the adaptors differs for each policy.

#include <registry_io/observe/crowded.hpp>
#include <registry_io/observe/limited.hpp>
#include <registry_io/observe/named.hpp>
#include <registry_io/observe/tapped.hpp>
#include <registry_io/observe/timed.hpp>
#include <registry_io/observe/watched.hpp>
#include <registry_io/ordering/priority.hpp>
#include <registry_io/snapshot/atomic_shared_ptr.hpp>
#include <registry_io/snapshot/hazard_pointer.hpp>
#include <registry_io/snapshot/locked.hpp>
#include <registry_io/snapshot/rcu.hpp>
#include <registry_io/snapshot/single_thread.hpp>

#include "laws_subject.hpp"

namespace test {

namespace observe = registry_io::observe;

struct silent
{
    template <class Anything>
    static void report(Anything const&) noexcept
    {
    }
    static void notify_begins(char const*) noexcept {}
    static void notify_ends(char const*) noexcept {}
    static void handler_begins(observe::tapped_call const&) noexcept {}
    static void handler_ends(observe::tapped_call const&) noexcept {}
    static void handler_failed(observe::tapped_call const&) noexcept {}
};

template <class P>
using limited = observe::limited<1'000'000, P>;
template <class P>
using tapped = observe::tapped<silent, P>;
template <class P>
using watched = observe::watched<1, P, silent>;
template <class P>
using crowded = observe::crowded<10, P, silent>;
using observe::named;
using observe::timed;

template <class P>
    requires requires { typename P::adapted; }
inline constexpr panics panic_of<P> = panic_of<typename P::adapted>;
template <class P>
    requires requires { typename P::adapted; }
inline constexpr std::size_t limit_of<P> = limit_of<typename P::adapted>;

}  // namespace test

#define REGISTRY_IO_LAWS_ORDERINGS registry_io::ordering::priority
#define REGISTRY_IO_LAWS_PANICS                                                                    \
    test::named<                                                                                   \
        test::timed<test::watched<test::crowded<test::tapped<registry_io::panic::catch_log>>>>>,   \
        test::timed<test::limited<test::tapped<test::named<registry_io::panic::terminate>>>>,      \
        test::tapped<test::watched<test::named<test::limited<registry_io::panic::propagate>>>>,    \
        test::crowded<test::named<test::watched<test::timed<registry_io::panic::collect<2>>>>>,    \
        test::limited<test::crowded<test::timed<test::named<registry_io::panic::quarantine<3>>>>>
#define REGISTRY_IO_LAWS_ALLOCS registry_io::alloc::heap
#include "laws.hpp"

std::vector<test::combination> const& test::combinations()
{
    static std::vector<combination> const all = [] {
        std::vector<combination> every;
        auto const add = [&every](std::vector<combination> const& some) {
            every.insert(every.end(), some.begin(), some.end());
        };
        add(combinations_of<registry_io::snapshot::hazard_pointer>::make());
        add(combinations_of<registry_io::snapshot::rcu>::make());
        add(combinations_of<registry_io::snapshot::locked>::make());
        add(combinations_of<registry_io::snapshot::atomic_shared_ptr>::make());
        add(combinations_of<registry_io::snapshot::single_thread>::make());
        return every;
    }();
    return all;
}
