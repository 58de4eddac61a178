// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#include "support.hpp"

#include <functional>
#include <stdexcept>

#include <registry_io/handlers/connection.hpp>
#include <registry_io/handlers/once.hpp>
#include <registry_io/presets/async.hpp>
#include <registry_io/presets/fixed.hpp>
#include <registry_io/registry_ref.hpp>

#include "memory.hpp"

using test::event;
using test::registries;
using test::shared_registries;
namespace rio = registry_io;

BOOST_AUTO_TEST_CASE_TEMPLATE(a_connection_is_a_copyable_handle_of_a_handler, Registry,
                              registries<>)
{
    Registry r;
    test::probe p;
    std::vector<int> log;
    auto const note = [&](int n) {
        return [&log, n, held = p.token](event const&) { log.push_back(n); };
    };
    rio::connection a = rio::connect(r, note(1));
    rio::connection const b = rio::connect(r, 1, note(2));
    rio::connection const copy = a;
    BOOST_TEST((copy == a));
    BOOST_TEST(!(a == b));
    BOOST_TEST(r.contains(a.id()));
    BOOST_TEST(copy.contains());
    r.notify(event(0));
    BOOST_TEST((log == std::vector{2, 1}));
    BOOST_TEST(copy.unregister());
    BOOST_TEST(!a.unregister());  // true once, over all copies
    BOOST_TEST(!a.contains());
    BOOST_TEST(p.alive() == 1);
    a = {};
    BOOST_TEST(!a.id());
    BOOST_TEST(!a.contains());
    BOOST_TEST(!a.unregister());
    BOOST_TEST(!a.blocked());
    BOOST_TEST(!a.block());
    r.notify(event(0));
    BOOST_TEST(log.size() == 3u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_connection_does_not_own_its_handler, Registry, registries<>)
{
    Registry r;
    static_cast<void>(rio::connect(r, [](event const&) {}));
    BOOST_TEST(r.size() == 1u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_connection_survives_its_registry, Registry, registries<>)
{
    rio::connection c;
    rio::block_guard guard;
    {
        Registry r;
        c = rio::connect(r, [](event const&) {});
        guard = c.block();
        BOOST_TEST(c.contains());
    }
    BOOST_TEST(c.blocked());
    BOOST_TEST(!c.contains());
    BOOST_TEST(!c.unregister());
    BOOST_TEST(static_cast<bool>(c.id()));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_connection_blocks_its_handler, Registry, registries<>)
{
    Registry r;
    int calls = 0;
    rio::connection const c = rio::connect(r, [&](event const&) { ++calls; });
    rio::connection const copy = c;
    {
        rio::block_guard const a = c.block();
        rio::block_guard const b = copy.block();
        BOOST_TEST(copy.blocked());
        r.notify(event(0));
    }
    BOOST_TEST(!c.blocked());
    r.notify(event(0));
    BOOST_TEST(calls == 1);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_handler_may_use_its_connection, Registry, registries<>)
{
    Registry r;
    rio::connection c;
    int calls = 0;
    c = rio::connect(r, [&](event const&) {
        ++calls;
        BOOST_TEST(c.contains());
        BOOST_TEST(c.unregister());
        BOOST_TEST(!c.contains());
    });
    r.notify(event(0));
    r.notify(event(0));
    BOOST_TEST(calls == 1);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_connection_to_a_one_shot_knows_when_it_has_run, Registry,
                              registries<>)
{
    Registry r;
    int calls = 0;
    rio::connection const c = rio::connect(r, rio::once([&](event const&) { ++calls; }));
    {
        rio::block_guard const guard = c.block();
        r.notify(event(0));
    }
    BOOST_TEST(c.contains());
    r.notify(event(0));
    BOOST_TEST(!c.contains());
    BOOST_TEST(calls == 1);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(threads_share_a_connection, Registry, shared_registries<>)
{
    for (int round = 0; round < 50; ++round) {
        Registry r;
        rio::connection const c = rio::connect(r, [](event const&) {});
        std::atomic<int> removed{0};
        test::race(3, [&, c](int t) {
            for (int i = 0; i < 10; ++i) {
                if (t == 0) {
                    r.notify(event(0));
                } else {
                    rio::connection const mine = c;
                    rio::block_guard const guard = mine.block();
                    mine.contains();
                    if (i == 5)
                        removed += static_cast<int>(mine.unregister());
                }
            }
        });
        BOOST_TEST(removed == 1);
        BOOST_TEST(!c.contains());
    }
}

BOOST_AUTO_TEST_CASE(a_connection_that_cannot_be_made_changes_nothing)
{
    test::registry_of<rio::snapshot::rcu> r;
    for (long n = 0;; ++n) {
        BOOST_TEST_REQUIRE(n < 100);
        try {
            test::failing_allocation const at(n);
            static_cast<void>(rio::connect(r, [](event const&) {}));
            break;
        } catch (std::bad_alloc const&) {
            BOOST_TEST(r.empty());
        }
    }
    BOOST_TEST(r.size() == 1u);
    BOOST_CHECK_THROW(rio::connect(r, std::function<void(event const&)>()), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(connections_of_other_registries)
{
    test::registry_of<rio::snapshot::rcu> r;
    rio::registry_ref<event> const ref(r);
    rio::AsyncRegistry<event> a;
    rio::connection const c = rio::connect(ref, [](event const&) {});
    rio::connection const d = rio::connect(a, [](event const&) {});
    BOOST_TEST(c.contains());
    BOOST_TEST(d.contains());
    BOOST_TEST(c.unregister());
    BOOST_TEST(d.unregister());
    BOOST_TEST(r.empty());
    BOOST_TEST(a.empty());
    rio::FixedRegistry<event, 2> f;
    {
        rio::connection const e = rio::connect(f, [](event const&) {});
        BOOST_TEST(e.contains());
    }  // like a guard, it must not outlive a registry whose memory is inside it
    BOOST_TEST(f.size() == 1u);
}
