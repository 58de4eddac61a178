// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)

// A child of fork goes on with the registries of its parent, whatever the parent's other threads
// were reading.

#include <atomic>
#include <tuple>

#include <boost/test/unit_test.hpp>

#include "process/child.hpp"
#include "stress/stress.hpp"

namespace {

using namespace stress;

using lock_free_registries =
    std::tuple<registry_of<snapshot::hazard_pointer>, registry_of<snapshot::rcu>>;

/// What a child does with a registry; 0 if all went well.
template <class Registry>
int use(Registry& registry, handler_id old)
{
    census birds;
    long tally = 0;
    handler_id const id = registry.register_handler(1, [bird = canary(birds)](event const& e) {
        bird.sing();
        ++*e.tally;
    });
    registry.notify({0, &tally});
    if (tally != 1)
        return 1;
    if (!registry.unregister(id))
        return 2;
    if (birds.living.load() != 0 || birds.misused.load() != 0)
        return 3;
    if (!registry.unregister(old) || registry.contains(old))
        return 4;
    registry.synchronize();
    for (int i = 0; i < 200; ++i)
        registry.register_handler(i % 3, singing(birds));
    registry.notify({0, &tally});
    registry.clear();
    registry.synchronize();
    if (birds.living.load() != 0 || birds.misused.load() != 0)
        return 5;
    return 0;
}

BOOST_AUTO_TEST_SUITE(fork, *boost::unit_test::timeout(120))

BOOST_AUTO_TEST_CASE_TEMPLATE(a_child_goes_on_without_the_parent_s_readers, Registry,
                              lock_free_registries)
{
    Registry registry;
    gate g;
    registry.register_handler(9, [&](event const& e) {
        if (e.value == 1)
            g.pass();
    });
    handler_id const old = registry.register_handler([](event const&) {});
    std::thread sleeper([&] { registry.notify({1}); });
    g.expect(1);
    crew readers;
    for (int i = 0; i < 2; ++i)
        readers.add([&] {
            while (!readers.stopped())
                registry.notify({0});
        });
    // The sleeper holds a root that was replaced before the fork, then one that was not.
    int const first = process::in_child([&] { return use(registry, old); });
    registry.unregister(registry.register_handler(3, [](event const&) {}));
    int const second = process::in_child([&] { return use(registry, old); });
    int others = 0;
    for (int i = 0; i < 10; ++i)
        others += process::in_child([&] { return use(registry, old); }) != 0;
    // The parent does not mind.
    census birds;
    handler_id const id = registry.register_handler(singing(birds));
    registry.unregister(id);
    readers.stop_and_join();
    g.open();
    sleeper.join();
    BOOST_TEST(first == 0);
    BOOST_TEST(second == 0);
    BOOST_TEST(others == 0);
    BOOST_TEST(birds.living.load() == 0);
    BOOST_TEST(registry.contains(old));
    registry.synchronize();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_child_goes_on_when_nobody_was_inside, Registry, registries)
{
    Registry registry;
    handler_id const old = registry.register_handler([](event const&) {});
    registry.notify({});
    std::thread([&] { registry.notify({}); }).join();
    BOOST_TEST(process::in_child([&] { return use(registry, old); }) == 0);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_handler_that_forks_keeps_its_snapshot_in_both_processes, Registry,
                              registries)
{
    // The handler has had its own root replaced before it forks; in the child it removes a handler
    // which that root still shows.
    census birds;
    Registry registry;
    handler_id first;
    handler_id last;
    int outcome = -1;
    first = registry.register_handler(3, [](event const&) {});
    registry.register_handler(2, [&](event const&) {
        registry.unregister(first);
        outcome = process::in_child([&] {
            registry.unregister(last);
            // As if the notify went on here: what it is going to call must be alive.
            return birds.living.load() == 1 ? 0 : 1;
        });
    });
    last = registry.register_handler(1, singing(birds));
    registry.notify({});
    BOOST_TEST(outcome == 0);
    BOOST_TEST(registry.contains(last));
    BOOST_TEST(birds.living.load() == 1);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
