// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#include "support.hpp"

#include <deque>
#include <functional>
#include <stdexcept>

#include <registry_io/handlers/once.hpp>
#include <registry_io/handlers/with_id.hpp>
#include <registry_io/presets/async.hpp>
#include <registry_io/presets/fixed.hpp>
#include <registry_io/registry_ref.hpp>

#include "memory.hpp"

using test::event;
using test::registries;
using test::shared_registries;
namespace rio = registry_io;

BOOST_AUTO_TEST_CASE_TEMPLATE(a_one_shot_runs_once_and_is_removed, Registry, registries<>)
{
    Registry r;
    test::probe p;
    std::vector<int> log;
    auto const shot = [&](int n) {
        return rio::once([&log, n, held = p.token](event const&) { log.push_back(n); });
    };
    rio::handler_id const id = r.register_handler(shot(1));
    r.register_handler(2, shot(2));
    rio::handler_guard const guard = r.register_guard(shot(3));
    r.update([&](auto& tx) { tx.register_handler(-1, shot(4)); });
    BOOST_TEST(r.size() == 4u);
    r.notify(event(0));
    BOOST_TEST((log == std::vector{2, 1, 3, 4}));
    BOOST_TEST(r.empty());
    BOOST_TEST(!r.contains(id));
    BOOST_TEST(!r.unregister(id));
    BOOST_TEST(p.alive() == 0);
    r.notify(event(0));
    BOOST_TEST(log.size() == 4u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_one_shot_is_removed_before_it_runs, Registry, registries<>)
{
    Registry r;
    int calls = 0;
    r.register_handler(rio::once([&](event const&) {
        ++calls;
        BOOST_TEST(r.empty());
        r.notify(event(0));  // this nested notify does not find the handler
    }));
    r.notify(event(0));
    BOOST_TEST(calls == 1);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_one_shot_below_a_nested_notify_runs_once, Registry, registries<>)
{
    Registry r;
    int calls = 0;
    int depth = 0;
    r.register_handler(1, [&](event const&) {
        if (++depth < 4)
            r.notify(event(0));
    });
    r.register_handler(rio::once([&](event const&) { ++calls; }));
    r.notify(event(0));  // it is in four snapshots
    BOOST_TEST(calls == 1);
    BOOST_TEST(r.size() == 1u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_one_shot_that_fails_is_not_armed_again, Registry, registries<>)
{
    Registry r;
    int calls = 0;
    r.register_handler(rio::once([&](event const&) {
        ++calls;
        throw std::runtime_error("no");
    }));
    BOOST_CHECK_THROW(r.notify(event(0)), std::runtime_error);
    r.notify(event(0));
    BOOST_TEST(calls == 1);
    BOOST_TEST(r.empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_one_shot_that_is_removed_first_never_runs, Registry, registries<>)
{
    Registry r;
    int calls = 0;
    rio::handler_id const id = r.register_handler(rio::once([&](event const&) { ++calls; }));
    BOOST_TEST(r.unregister(id));
    r.notify(event(0));
    // In a transaction, and in the transaction that added it.
    r.update([&](auto& tx) {
        tx.unregister(tx.register_handler(rio::once([&](event const&) { ++calls; })));
    });
    r.notify(event(0));
    BOOST_TEST(calls == 0);
    BOOST_TEST(r.empty());
}

BOOST_AUTO_TEST_CASE(a_one_shot_may_change_its_captures)
{
    test::registry_of<rio::snapshot::hazard_pointer> r;
    std::unique_ptr<int> out;
    r.register_handler(rio::once([&, own = std::make_unique<int>(7)](event const&) mutable {
        out = std::move(own);  // several threads may notify, but only one call runs
    }));
    r.notify(event(0));
    BOOST_TEST_REQUIRE(out);
    BOOST_TEST(*out == 7);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_one_shot_whose_removal_fails_has_run_and_goes_later, Registry,
                              registries<>)
{
    Registry r;
    int calls = 0;
    r.register_handler(1, rio::once([&](event const&) { ++calls; }));
    r.register_handler([](event const&) {});
    {
        test::failing_allocation const none(0);
        r.notify(event(0));
    }
    BOOST_TEST(calls == 1);
    r.notify(event(0));
    BOOST_TEST(calls == 1);
    BOOST_TEST(r.size() == 1u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_one_shot_runs_once_when_threads_notify_at_once, Registry,
                              shared_registries<>)
{
    constexpr int shots = 40;
    for (int round = 0; round < 10; ++round) {
        Registry r;
        std::deque<std::atomic<int>> runs(shots);
        std::vector<rio::handler_id> ids;
        r.update([&](auto& tx) {
            for (int i = 0; i < shots; ++i)
                ids.push_back(tx.register_handler(
                    i, rio::once([&, at = static_cast<std::size_t>(i)](event const& e) {
                        ++runs[at];
                        if (e.value == 0)
                            r.notify(event(1));
                    })));
        });
        std::atomic<int> removed{0};
        test::race(4, [&](int t) {
            if (t == 3) {  // removes from outside at the same time
                for (std::size_t i = 0; i < shots; i += 2)
                    removed += static_cast<int>(r.unregister(ids[i]));
            } else {
                for (int i = 0; i < 5; ++i)
                    r.notify(event(t));
            }
        });
        r.notify(event(2));
        int wrong = 0;
        for (int i = 0; i < shots; ++i) {
            int const n = runs[static_cast<std::size_t>(i)];
            wrong += static_cast<int>(i % 2 == 0 ? n > 1 : n != 1);
        }
        BOOST_TEST(wrong == 0);
        BOOST_TEST(r.empty());
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(one_shots_are_registered_while_others_run, Registry,
                              shared_registries<>)
{
    Registry r;
    std::atomic<long> runs{0};
    std::atomic<int> registering{2};
    test::race(4, [&](int t) {
        if (t < 2) {
            for (int i = 0; i < 200; ++i) {
                if (i % 2 == 0)
                    r.register_handler(i % 3, rio::once([&](event const&) { ++runs; }));
                else
                    r.update([&](auto& tx) {
                        tx.register_handler(rio::once([&](event const&) { ++runs; }));
                    });
            }
            --registering;
        } else {
            while (registering != 0)
                r.notify(event(0));
        }
    });
    r.notify(event(0));
    BOOST_TEST(runs == 400);
    BOOST_TEST(r.empty());
}

BOOST_AUTO_TEST_CASE(a_one_shot_below_the_end_of_its_registry_runs)
{
    using registry = test::registry_of<rio::snapshot::hazard_pointer>;
    auto r = std::make_unique<registry>();
    int calls = 0;
    r->register_handler(1, [&](event const&) { r.reset(); });
    r->register_handler(rio::once([&](event const&) { ++calls; }));
    r->notify(event(0));
    BOOST_TEST(calls == 1);
}

BOOST_AUTO_TEST_CASE(a_one_shot_may_destroy_its_registry)
{
    using registry = test::registry_of<rio::snapshot::hazard_pointer>;
    auto r = std::make_unique<registry>();
    r->register_handler(rio::once([&](event const&) { r.reset(); }));
    r->notify(event(0));
    BOOST_TEST(!r);
}

BOOST_AUTO_TEST_CASE(a_one_shot_may_know_its_id)
{
    test::registry_of<rio::snapshot::rcu> r;
    rio::handler_id seen;
    rio::handler_id const id = r.register_handler(
        rio::once(rio::with_id([&](rio::handler_id self, event const&) { seen = self; })));
    r.notify(event(0));
    BOOST_TEST(seen == id);
    BOOST_TEST(r.empty());
}

BOOST_AUTO_TEST_CASE(once_crosses_a_registry_ref_and_fits_in_a_fixed_registry)
{
    test::registry_of<rio::snapshot::locked> r;
    int calls = 0;
    rio::registry_ref<event> const ref(r);
    ref.register_handler(rio::once([&](event const&) { ++calls; }));
    rio::FixedRegistry<event, 4> f;
    f.register_handler(rio::once([&](event const&) { ++calls; }));
    for (int i = 0; i < 2; ++i) {
        r.notify(event(0));
        f.notify(event(0));
    }
    BOOST_TEST(calls == 2);
    BOOST_TEST(r.empty());
    BOOST_TEST(f.empty());
}

BOOST_AUTO_TEST_CASE(an_empty_handler_in_once_is_refused)
{
    test::registry_of<rio::snapshot::hazard_pointer> r;
    BOOST_CHECK_THROW(r.register_handler(rio::once(std::function<void(event const&)>())),
                      std::invalid_argument);
}

namespace {
rio::async::task<> notify_async(rio::AsyncRegistry<event> const& r, event const& e)
{
    co_await r.notify(e);
}
}  // namespace

BOOST_AUTO_TEST_CASE(once_works_in_an_async_registry)
{
    rio::AsyncRegistry<event> r;
    int calls = 0;
    int outer = 0;
    event const e(0);
    r.register_handler(2, [&](event const&) -> rio::async::task<> {
        if (++outer == 1)
            co_await r.notify(e);  // the other handlers are in two snapshots
    });
    r.register_handler(1, rio::once([&](event const&) { ++calls; }));
    r.register_handler(rio::once([&](event const&) -> rio::async::task<> {
        ++calls;
        co_return;
    }));
    rio::async::sync_wait(notify_async(r, e));
    BOOST_TEST(calls == 2);
    BOOST_TEST(r.size() == 1u);
}
