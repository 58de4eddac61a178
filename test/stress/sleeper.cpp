// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// A reader that sleeps inside a handler pins what it can see, and nothing else.

#include <algorithm>
#include <array>
#include <atomic>
#include <vector>

#include <boost/mp11/algorithm.hpp>
#include <boost/test/unit_test.hpp>

#include "stress/stress.hpp"

namespace {

using namespace stress;

/// Not RCU: there, one sleeping reader holds up everything that is removed after it began.
template <class Registry>
using is_unbounded = boost::mp11::mp_bool<is_rcu<Registry>>;
using bounded_registries = boost::mp11::mp_remove_if<registries_with<alloc::pmr>, is_unbounded>;

BOOST_AUTO_TEST_SUITE(sleeper, *boost::unit_test::timeout(120))

BOOST_AUTO_TEST_CASE_TEMPLATE(memory_stays_bounded_while_writers_churn, Registry,
                              bounded_registries)
{
    for (int handlers : {3, 300}) {
        counting_resource memory;
        {
            census birds;
            Registry registry{alloc::pmr(&memory)};
            gate g;
            registry.register_handler(9, [&](event const& e) {
                if (e.value == 1)
                    g.pass();
            });
            std::vector<handler_id> ids;
            for (int i = 0; i < handlers; ++i)
                ids.push_back(registry.register_handler(i % 3, singing(birds)));
            std::thread sleeper([&] { registry.notify({1}); });
            g.expect(1);
            crew readers;
            std::atomic<long> notified{0};
            readers.add([&] {
                while (!readers.stopped()) {
                    registry.notify({0});
                    ++notified;
                }
            });
            dice d(0);
            auto churn = [&] {
                handler_id& id = ids[d.below(static_cast<unsigned>(ids.size()))];
                registry.unregister(id);
                id = registry.register_handler(static_cast<int>(d.below(3)), singing(birds));
            };
            // Each of the first handlers is removed once, so that the sleeper pins as much as
            // possible.
            for (handler_id& id : ids) {
                registry.unregister(id);
                id = registry.register_handler(static_cast<int>(d.below(3)), singing(birds));
            }
            for (int i = 0; i < 200; ++i)
                churn();
            long const before = memory.bytes.load();
            long most = 0;
            long most_birds = 0;
            stopwatch const watch;
            for (int i = 0; i < 500 || !watch.over(); ++i) {
                churn();
                most = std::max(most, memory.bytes.load());
                most_birds = std::max(most_birds, birds.living.load());
            }
            // The sleeper's snapshot, the other reader's snapshot, and the current one.
            BOOST_TEST(most < before * 2 + 32 * 1024);
            BOOST_TEST(most_birds <= 4 * handlers + 16);
            BOOST_TEST(eventually([&] { return notified.load() > 10; }));
            readers.stop_and_join();
            g.open();
            sleeper.join();
            BOOST_TEST(birds.living.load() == handlers);
            BOOST_TEST(birds.misused.load() == 0);
        }
        BOOST_TEST(memory.blocks.load() == 0);
        BOOST_TEST(memory.bytes.load() == 0);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_a_sleeper_cannot_see_is_destroyed_at_once, Registry,
                              bounded_registries)
{
    counting_resource memory;
    census old_birds;
    census new_birds;
    Registry registry{alloc::pmr(&memory)};
    gate g;
    registry.register_handler(9, [&](event const&) { g.pass(); });
    handler_id const seen = registry.register_handler(singing(old_birds));
    std::thread sleeper([&] { registry.notify({}); });
    g.expect(1);
    registry.unregister(seen);  // replaces the table that the sleeper holds
    for (int i = 0; i < 300; ++i) {
        handler_id const id = registry.register_handler(i % 2, singing(new_birds));
        BOOST_TEST(new_birds.living.load() == 1);
        registry.unregister(id);
        BOOST_TEST(new_birds.living.load() == 0);
    }
    BOOST_TEST(old_birds.living.load() == 1);
    g.open();
    sleeper.join();
    BOOST_TEST(old_birds.living.load() == 0);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(several_sleepers_pin_one_snapshot_each, Registry, bounded_registries)
{
    constexpr int sleepers = 5;
    counting_resource memory;
    std::array<census, sleepers> birds;
    Registry registry{alloc::pmr(&memory)};
    std::array<gate, sleepers> gates;
    std::array<handler_id, sleepers> ids;
    registry.register_handler(
        9, [&](event const& e) { gates[static_cast<std::size_t>(e.value)].pass(); });
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < sleepers; ++i) {
        // Sleeper i sees birds i and i - 1. The handler is not added at the end of the table, where
        // it would go into the table that the last sleeper holds.
        ids[i] = registry.register_handler(static_cast<int>(i), singing(birds[i]));
        threads.emplace_back([&registry, i] { registry.notify({static_cast<int>(i)}); });
        gates[i].expect(1);
        if (i != 0)
            registry.unregister(ids[i - 1]);
    }
    registry.unregister(ids[sleepers - 1]);
    for (census& c : birds)
        BOOST_TEST(c.living.load() == 1);
    // They wake up out of order.
    std::array<int, sleepers> left{};
    for (std::size_t i : {2u, 0u, 4u, 3u, 1u}) {
        gates[i].open();
        threads[i].join();
        left[i] = 1;
        for (std::size_t b = 0; b < sleepers; ++b) {
            bool const pinned = left[b] == 0 || (b + 1 < sleepers && left[b + 1] == 0);
            BOOST_TEST_CONTEXT("sleeper " << i << " has left, bird " << b)
            BOOST_TEST(birds[b].living.load() == (pinned ? 1 : 0));
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
