// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Tutorial: other policies, and code that does not name them.

#include <registry_io.hpp>

#include <array>
#include <memory_resource>
#include <new>

#include <boost/core/lightweight_test.hpp>

// tag::alias[]
namespace rio = registry_io;
// end::alias[]

// tag::with[]
struct tick
{
    int number;
};
// In any order; each policy replaces the one on its axis.
using tick_registry =
    rio::SyncRegistry<tick>::with<rio::panic::terminate, rio::snapshot::rcu, rio::ordering::fifo>;
using tock_registry = tick_registry::rebind_event<int>;
// end::with[]

// tag::domain[]
struct network;  // names a domain; need not be defined
template <class Event>
using network_registry =
    typename rio::RcuRegistry<Event>::template with<rio::snapshot::basic_rcu<network>>;
// end::domain[]

// tag::generic[]
template <rio::registry_for<tick> Registry>
void three_ticks(Registry const& ticks)
{
    for (int i = 1; i <= 3; ++i)
        ticks.notify({i});
}
// end::generic[]

// tag::boundary[]
// Declared in a header and defined in a library: the same code serves every registry of ticks.
int count_a_tick(rio::registry_ref<tick> ticks)
{
    int seen = 0;
    auto const guard = ticks.register_guard([&seen](tick const&) { ++seen; });
    ticks.notify({1});
    return seen;
}
// end::boundary[]

int main()
{
    tick_registry ticks;
    int sum = 0;
    ticks.register_handler([&](tick const& t) { sum += t.number; });
    three_ticks(ticks);
    BOOST_TEST_EQ(sum, 6);

    rio::LocalRegistry<tick> local;
    BOOST_TEST_EQ(count_a_tick(ticks), 1);
    BOOST_TEST_EQ(count_a_tick(local), 1);

    tock_registry tocks;
    tocks.notify(1);

    network_registry<int> packets;
    network_registry<tick> timeouts;
    packets.register_handler([&](int n) { timeouts.notify({n}); });
    timeouts.register_handler([&](tick const& t) { sum = t.number; });
    packets.notify(5);
    BOOST_TEST_EQ(sum, 5);

    {
        // tag::memory[]
        std::pmr::synchronized_pool_resource memory;  // thread-safe, and outlives the registry
        rio::SyncRegistry<tick>::with<rio::alloc::pmr> a{rio::alloc::pmr(&memory)};

        rio::SyncRegistry<tick>::with<rio::alloc::pool> b{rio::alloc::pool(16384)};
        bool full = false;
        try {
            for (;;)
                b.register_handler([pad = std::array<char, 256>()](tick const&) { (void)pad; });
        } catch (std::bad_alloc const&) {
            full = true;  // the last registration changed nothing
        }
        BOOST_TEST(full);
        // end::memory[]
        BOOST_TEST(a.empty());
        BOOST_TEST(!b.empty());
        b.clear();
    }
    return boost::report_errors();
}
