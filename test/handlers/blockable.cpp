// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#include "support.hpp"

#include <functional>
#include <stdexcept>
#include <utility>

#include <registry_io/handlers/blockable.hpp>
#include <registry_io/handlers/once.hpp>
#include <registry_io/presets/async.hpp>

using test::event;
using test::registries;
using test::shared_registries;
namespace rio = registry_io;

BOOST_AUTO_TEST_CASE_TEMPLATE(blocks_are_counted, Registry, registries<>)
{
    Registry r;
    rio::block_count const count;
    int calls = 0;
    int others = 0;
    r.register_handler(rio::blockable(count, [&](event const&) { ++calls; }));
    r.register_handler(1, rio::blockable(count, [&](event const&) { ++calls; }));
    r.register_handler([&](event const&) { ++others; });
    r.notify(event(0));
    BOOST_TEST(calls == 2);
    {
        rio::block_guard const a(count);
        {
            rio::block_guard const b(count);
            r.notify(event(0));
            BOOST_TEST(count.blocked());
        }
        r.notify(event(0));
        BOOST_TEST(count.blocked());
        BOOST_TEST(calls == 2);
    }
    BOOST_TEST(!count.blocked());
    r.notify(event(0));
    BOOST_TEST(calls == 4);
    BOOST_TEST(others == 4);
    BOOST_TEST(r.size() == 3u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_block_is_seen_by_the_next_call_in_a_running_notify, Registry,
                              registries<>)
{
    Registry r;
    rio::block_count const count;
    std::vector<int> log;
    r.register_handler(2, [&](event const&) {
        log.push_back(0);
        count.block();
    });
    r.register_handler(1, rio::blockable(count, [&](event const&) { log.push_back(1); }));
    r.register_handler([&](event const&) { count.unblock(); });
    r.register_handler(-1, rio::blockable(count, [&](event const&) { log.push_back(2); }));
    r.notify(event(0));
    BOOST_TEST((log == std::vector{0, 2}));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_block_and_a_one_shot_compose_in_both_orders, Registry, registries<>)
{
    Registry r;
    rio::block_count const count;
    int inside = 0;
    int outside = 0;
    r.register_handler(rio::blockable(count, rio::once([&](event const&) { ++inside; })));
    r.register_handler(rio::once(rio::blockable(count, [&](event const&) { ++outside; })));
    {
        rio::block_guard const guard(count);
        r.notify(event(0));
    }
    r.notify(event(0));
    r.notify(event(0));
    BOOST_TEST(inside == 1);
    BOOST_TEST(outside == 0);
    BOOST_TEST(r.empty());
}

BOOST_AUTO_TEST_CASE(a_block_guard_moves_and_unblocks_once)
{
    rio::block_count const count;
    rio::block_guard a(count);
    rio::block_guard b(std::move(a));
    BOOST_TEST(!a);  // NOLINT(bugprone-use-after-move): documented to be empty
    BOOST_TEST(static_cast<bool>(b));
    BOOST_TEST(count.blocked());
    b = rio::block_guard(count);
    BOOST_TEST(count.blocked());
    b.unblock();
    b.unblock();
    BOOST_TEST(!count.blocked());
    rio::block_guard none;
    none.unblock();
    b = std::move(none);
    rio::block_count other = count;
    rio::block_count const moved = std::move(other);
    rio::block_guard const shared(other);  // NOLINT(bugprone-use-after-move): a move is a copy
    BOOST_TEST(moved.blocked());
    BOOST_TEST(count.blocked());
}

BOOST_AUTO_TEST_CASE(a_block_guard_may_outlive_count_and_registry)
{
    rio::block_guard guard;
    {
        test::registry_of<rio::snapshot::rcu> r;
        rio::block_count const count;
        r.register_handler(rio::blockable(count, [](event const&) {}));
        guard = rio::block_guard(count);
    }
    BOOST_TEST(static_cast<bool>(guard));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_is_written_while_blocked_is_seen_when_unblocked, Registry,
                              shared_registries<>)
{
    Registry r;
    rio::block_count const count;
    count.block();
    int written = 0;  // not atomic: ThreadSanitizer checks that the block orders it
    std::atomic<int> wrong{0};
    std::atomic<int> runs{0};
    r.register_handler(rio::blockable(count, [&](event const&) {
        wrong += static_cast<int>(written != 7);
        ++runs;
    }));
    test::race(3, [&](int t) {
        if (t == 0) {
            written = 7;
            count.unblock();
        } else {
            for (int i = 0; i < 200; ++i)
                r.notify(event(0));
        }
    });
    r.notify(event(0));
    BOOST_TEST(wrong == 0);
    BOOST_TEST(runs > 0);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(handlers_are_blocked_by_many_threads_at_once, Registry,
                              shared_registries<>)
{
    Registry r;
    rio::block_count const count;
    std::atomic<int> mine{0};
    std::atomic<int> wrong{0};
    // Every notify holds its own block.
    auto const id = r.register_handler(rio::blockable(count, [&](event const&) { ++wrong; }));
    test::race(4, [&](int t) {
        for (int i = 0; i < 200; ++i) {
            rio::block_guard const g(count);
            wrong += static_cast<int>(!count.blocked());
            r.notify(event(t));
            if (t == 0 && i == 100)
                mine += static_cast<int>(r.unregister(id));
        }
    });
    BOOST_TEST(mine == 1);
    BOOST_TEST(wrong == 0);
    BOOST_TEST(!count.blocked());
}

BOOST_AUTO_TEST_CASE(an_empty_handler_in_blockable_is_refused)
{
    test::registry_of<rio::snapshot::rcu> r;
    BOOST_CHECK_THROW(
        r.register_handler(rio::blockable(rio::block_count(), std::function<void(event const&)>())),
        std::invalid_argument);
}

namespace {
rio::async::task<> notify_async(rio::AsyncRegistry<event> const& r, event const& e)
{
    co_await r.notify(e);
}
}  // namespace

BOOST_AUTO_TEST_CASE(blockable_works_in_an_async_registry)
{
    rio::AsyncRegistry<event> r;
    rio::block_count const count;
    int calls = 0;
    event const e(0);
    r.register_handler(rio::blockable(count, [&](event const&) -> rio::async::task<> {
        ++calls;
        co_return;
    }));
    rio::async::sync_wait(notify_async(r, e));
    {
        rio::block_guard const guard(count);
        rio::async::sync_wait(notify_async(r, e));
    }
    BOOST_TEST(calls == 1);
}
