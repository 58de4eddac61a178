// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#include "support.hpp"

#include <functional>
#include <stdexcept>

#include <registry_io/handlers/filtered.hpp>
#include <registry_io/handlers/once.hpp>
#include <registry_io/presets/async.hpp>
#include <registry_io/presets/sync.hpp>

using test::event;
using test::registries;
using test::shared_registries;
namespace rio = registry_io;

namespace {
struct flagged
{
    bool wanted;
};
}  // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(a_filtered_handler_runs_for_the_events_that_pass, Registry,
                              registries<>)
{
    Registry r;
    std::vector<int> log;
    r.register_handler(rio::filtered([](event const& e) { return e.value % 2 == 0; },
                                     [&](event const& e) { log.push_back(e.value); }));
    r.update([&](auto& tx) {
        tx.register_handler(1,
                            rio::filtered([](event const& e) { return e.value > 2; },
                                          [&](event const& e) { log.push_back(-e.value); }));
    });
    for (int i = 1; i < 5; ++i)
        r.notify(event(i));
    BOOST_TEST((log == std::vector{2, -3, -4, 4}));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_filter_and_a_one_shot_compose_in_both_orders, Registry,
                              registries<>)
{
    Registry r;
    int inside = 0;
    int outside = 0;
    auto const wanted = [](event const& e) { return e.value == 3; };
    r.register_handler(rio::filtered(wanted, rio::once([&](event const&) { ++inside; })));
    r.register_handler(rio::once(rio::filtered(wanted, [&](event const&) { ++outside; })));
    for (int i = 0; i < 5; ++i)
        r.notify(event(i));
    r.notify(event(3));
    BOOST_TEST(inside == 1);
    BOOST_TEST(outside == 0);
    BOOST_TEST(r.empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_filtered_one_shot_runs_once_under_threads, Registry,
                              shared_registries<>)
{
    Registry r;
    std::atomic<int> runs{0};
    for (int i = 0; i < 50; ++i)
        r.register_handler(rio::filtered([i](event const& e) { return e.value == i; },
                                         rio::once([&](event const&) { ++runs; })));
    test::race(3, [&](int) {
        for (int i = 0; i < 50; ++i)
            r.notify(event(i));
    });
    BOOST_TEST(runs == 50);
    BOOST_TEST(r.empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_predicate_that_throws_is_a_failure_of_the_handler, Registry,
                              registries<>)
{
    Registry r;
    r.register_handler(rio::filtered([](event const&) -> bool { throw std::runtime_error("no"); },
                                     [](event const&) {}));
    BOOST_CHECK_THROW(r.notify(event(0)), std::runtime_error);
}

BOOST_AUTO_TEST_CASE(a_predicate_may_be_a_member_of_the_event)
{
    rio::SyncRegistry<flagged> r;
    int calls = 0;
    r.register_handler(rio::filtered(&flagged::wanted, [&](flagged const&) { ++calls; }));
    r.notify({true});
    r.notify({false});
    BOOST_TEST(calls == 1);
}

BOOST_AUTO_TEST_CASE(an_empty_handler_or_predicate_in_a_filter_is_refused)
{
    rio::SyncRegistry<event> r;
    BOOST_CHECK_THROW(r.register_handler(rio::filtered([](event const&) { return true; },
                                                       std::function<void(event const&)>())),
                      std::invalid_argument);
    BOOST_CHECK_THROW(
        r.register_handler(rio::filtered(std::function<bool(event const&)>(), [](event const&) {})),
        std::invalid_argument);
    BOOST_TEST(r.empty());
}

BOOST_AUTO_TEST_CASE(one_thread_may_have_a_mutable_handler_in_a_filter)
{
    test::registry_of<rio::snapshot::single_thread> r;
    int last = 0;
    r.register_handler(rio::filtered([](event const&) { return true; },
                                     [n = 0, &last](event const&) mutable { last = ++n; }));
    r.notify(event(0));
    r.notify(event(0));
    BOOST_TEST(last == 2);
}

namespace {
rio::async::task<> notify_async(rio::AsyncRegistry<event> const& r, int value)
{
    event const e(value);
    co_await r.notify(e);
}
}  // namespace

BOOST_AUTO_TEST_CASE(filtered_works_in_an_async_registry)
{
    rio::AsyncRegistry<event> r;
    int calls = 0;
    auto const positive = [](event const& e) { return e.value > 0; };
    r.register_handler(rio::filtered(positive, [&](event const&) -> rio::async::task<> {
        ++calls;
        co_return;
    }));
    r.register_handler(rio::filtered(
        positive, [&](event const&, rio::async::environment const&) -> rio::async::task<> {
            ++calls;
            co_return;
        }));
    rio::async::sync_wait(notify_async(r, 1));
    rio::async::sync_wait(notify_async(r, -1));
    BOOST_TEST(calls == 2);
}
