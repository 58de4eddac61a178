// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// What a waiting notify keeps alive: its snapshot, and the captures in it.

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <boost/mp11.hpp>
#include <boost/test/unit_test.hpp>

#include <registry_io/presets/async.hpp>
#include <registry_io/presets/sync.hpp>
#include <registry_io/snapshot/atomic_shared_ptr.hpp>
#include <registry_io/snapshot/locked.hpp>
#include <registry_io/snapshot/single_thread.hpp>

#include "async/support.hpp"

namespace {

namespace async = registry_io::async;
using registry_io::AsyncRegistry;
using registry_io::handler_id;
using test::at_once;
using test::gate;
using test::journal;
using test::modes;
using test::task;

// In libstdc++ 12, std::atomic<std::shared_ptr> unlocks with a relaxed store, which ThreadSanitizer
// reports as a race.
#if defined(__SANITIZE_THREAD__)
#define REGISTRY_IO_TEST_TSAN
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define REGISTRY_IO_TEST_TSAN
#endif
#endif

using concurrent =
    boost::mp11::mp_list<AsyncRegistry<int>,
#if !defined(REGISTRY_IO_TEST_TSAN)
                         AsyncRegistry<int>::with<registry_io::snapshot::atomic_shared_ptr>,
#endif
                         AsyncRegistry<int>::with<registry_io::snapshot::locked>>;
using registries =
    boost::mp11::mp_push_back<concurrent,
                              AsyncRegistry<int>::with<registry_io::snapshot::single_thread>>;

using all = boost::mp11::mp_product<boost::mp11::mp_list, registries, modes>;

template <class List>
using registry_of = boost::mp11::mp_first<List>;
template <class List>
using mode_of = boost::mp11::mp_second<List>;

bool is_deadlock(std::system_error const& x)
{
    return x.code() == std::errc::resource_deadlock_would_occur;
}

}  // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(a_waiting_notify_finishes_its_snapshot, Case, all)
{
    registry_of<Case> r;
    journal fired;
    gate wait;
    int alive = 0;
    handler_id const first =
        r.register_handler([&, t = std::make_shared<test::trace>(alive)](int) -> task<> {
            co_await wait;
            fired.add("first");
        });
    handler_id const second =
        r.register_handler([&, t = std::make_shared<test::trace>(alive)](int) -> task<> {
            fired.add("second");
            co_return;
        });
    int const e = 1;
    auto caller = test::drive([&] { return mode_of<Case>::notify(r, e); });
    fired.take();
    BOOST_TEST(r.unregister(first));
    BOOST_TEST(r.unregister(second));
    r.register_handler([&](int) { fired.add("new"); });
    BOOST_TEST(alive == 2);
    // The next notify sees all changes; the running one sees none of them.
    async::sync_wait(mode_of<Case>::notify(r, e));
    BOOST_TEST(fired.take() == "new ");
    BOOST_TEST(alive == 2);
    wait.open();
    BOOST_TEST(caller.done());
    BOOST_TEST(fired.take() ==
               (std::is_same_v<mode_of<Case>, at_once> ? "first " : "first second "));
    // Nothing else is needed to free the captures.
    BOOST_TEST(alive == 0);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(async_handlers_may_change_the_registry, Case, all)
{
    registry_of<Case> r;
    gate wait;
    int calls = 0;
    int alive = 0;
    registry_io::async_handler_guard own;
    own = r.register_guard([&, t = std::make_shared<test::trace>(alive)](int) -> task<> {
        own.reset();  // its own guard; its captures live on
        co_await wait;
        calls += t.use_count() > 0 ? 1 : 0;
        r.register_handler([&](int) { calls += 100; });
    });
    r.register_handler([&](int) -> task<> {
        r.clear();
        ++calls;
        co_return;
    });
    int const e = 1;
    auto caller = test::drive([&] { return mode_of<Case>::notify(r, e); });
    wait.open();
    BOOST_TEST(caller.done());
    BOOST_TEST(calls == 2);
    BOOST_TEST(alive == 0);
    // With notify_in_turn, the clear came after the registration.
    BOOST_TEST(r.size() == (std::is_same_v<mode_of<Case>, at_once> ? 1u : 0u));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_handler_that_waits_holds_up_its_own_snapshot_alone, Registry,
                              concurrent)
{
    Registry r;
    gate wait;
    int alive = 0;
    r.register_handler([&](int) -> task<> { co_await wait; });
    int const e = 1;
    auto caller = test::drive([&] { return r.notify(e); });
    for (int i = 0; i < 100; ++i) {
        // Not at the end of the table, where it would share the table that the notify holds.
        handler_id const id =
            r.register_handler(1, [t = std::make_shared<test::trace>(alive)](int) {});
        BOOST_TEST_REQUIRE(alive == 1);
        r.unregister(id);
        // It was registered after the notify began, so no notify can see it, and its captures are
        // destroyed at once.
        BOOST_TEST_REQUIRE(alive == 0);
    }
    wait.open();
    BOOST_TEST(caller.done());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(synchronize_waits_for_handlers_that_wait, Registry, concurrent)
{
    for (bool const removed : {false, true}) {
        Registry r;
        gate wait;
        std::atomic<bool> ended{false};
        handler_id const id = r.register_handler([&](int) -> task<> {
            co_await wait;
            ended = true;
        });
        int const e = 1;
        auto caller = test::drive([&] { return r.notify(e); });
        std::atomic<bool> waited{false};
        std::jthread const waiter([&] {
            if (removed)
                r.unregister_and_wait(id);
            else
                r.synchronize();
            waited = true;
            BOOST_ASSERT(ended);
        });
        // It cannot have returned, since no handler has ended.
        for (int i = 0; i < 100; ++i)
            std::this_thread::yield();
        BOOST_TEST(!waited);
        wait.open();
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(waiting_is_refused_inside_async_handlers, Case, all)
{
    registry_of<Case> r;
    registry_of<Case> inner;
    gate wait[3];
    int refused = 0;
    auto const must_be_refused = [&] {
        BOOST_CHECK_EXCEPTION(r.synchronize(), std::system_error, is_deadlock);
        ++refused;
    };
    handler_id first;
    inner.register_handler([&](int) -> task<> {
        // Inside a notify that a handler awaits, before and after that notify has waited.
        must_be_refused();
        co_await wait[1];
        must_be_refused();
    });
    auto const sub = [&]() -> task<> {
        must_be_refused();
        co_await wait[2];
        must_be_refused();
    };
    first = r.register_handler([&](int const& e) -> task<> {
        must_be_refused();
        co_await wait[0];
        // Resumed by another thread: nothing on this stack shows that a notify is running.
        must_be_refused();
        BOOST_CHECK_EXCEPTION(r.unregister_and_wait(first), std::system_error, is_deadlock);
        BOOST_TEST(r.contains(first));
        co_await mode_of<Case>::notify(inner, e);
        must_be_refused();
        co_await sub();
        must_be_refused();
    });
    int const e = 1;
    auto caller = test::drive([&] { return mode_of<Case>::notify(r, e); });
    wait[0].open();
    wait[1].open();
    wait[2].open();
    BOOST_TEST(caller.done());
    BOOST_TEST(refused == 8);
    r.synchronize();
    inner.synchronize();
}

BOOST_AUTO_TEST_CASE(waiting_is_refused_on_the_thread_that_a_handler_has_moved_to)
{
    AsyncRegistry<int> r;
    test::worker w;
    std::atomic<int> refused{0};
    r.register_handler([&](int) -> task<> {
        co_await w.here();
        try {
            r.synchronize();
        } catch (std::system_error const& x) {
            refused += is_deadlock(x) ? 1 : 0;
        }
    });
    AsyncRegistry<int> other;
    other.register_handler([&](int) -> task<> {
        co_await w.here();
        r.synchronize();  // another registry: allowed
    });
    int const e = 1;
    async::sync_wait(r.notify(e));
    BOOST_TEST(refused == 1);
    async::sync_wait(other.notify(e));
    // On a thread that never took part in the notify, and on one that did.
    w.run([&] { r.synchronize(); });
}

BOOST_AUTO_TEST_CASE(a_handler_of_another_thread_does_not_forbid_to_wait)
{
    AsyncRegistry<int> r;
    registry_io::SyncRegistry<int> sync;
    gate wait;
    r.register_handler([&](int) -> task<> { co_await wait; });
    sync.register_handler([&](int) { wait.open(); });
    int const e = 1;
    auto caller = test::drive([&] { return r.notify(e); });
    std::jthread const waiter([&] { r.synchronize(); });
    sync.notify(1);
    BOOST_TEST(caller.done());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(async_notifies_and_writers_race, Registry, concurrent)
{
    unsigned const seed = std::random_device()();
    BOOST_TEST_MESSAGE("seed " << seed);
    Registry r;
    test::worker w[2];
    std::atomic<bool> stop{false};
    std::atomic<long> calls{0};
    std::atomic<int> alive{0};
    struct captured
    {
        explicit captured(std::atomic<int>& a) : alive(a), value(42) { ++alive; }
        captured(captured const&) = delete;
        captured& operator=(captured const&) = delete;
        ~captured()
        {
            value = 0;
            --alive;
        }
        std::atomic<int>& alive;
        int volatile value;
    };
    std::atomic<long> wrong{0};
    auto const make = [&](unsigned n) {
        return [&, n, c = std::make_unique<captured>(alive)](int) -> task<> {
            if (n % 3 == 0)
                co_await w[n % 2].here();
            if (c->value != 42)
                ++wrong;
            if (n % 5 == 0)
                co_await w[(n + 1) % 2].here();
            if (c->value != 42)
                ++wrong;
            ++calls;
            if (n % 7 == 0)
                throw 1;
        };
    };
    r.on_panic([](registry_io::panic_info const&) {});
    for (unsigned i = 0; i < 20; ++i)
        r.register_handler(make(i));
    {
        std::vector<std::jthread> threads;
        for (unsigned t = 0; t < 2; ++t)
            threads.emplace_back([&, t] {
                std::mt19937 random(seed + t);
                int const e = 1;
                for (int i = 0; i < 400; ++i)
                    if (random() % 2 == 0)
                        async::sync_wait(r.notify(e));
                    else
                        async::sync_wait(r.notify_sequential(e));
                stop = true;
            });
        threads.emplace_back([&] {
            std::mt19937 random(seed + 2);
            std::vector<handler_id> ids;
            while (!stop) {
                if (ids.size() < 20 || random() % 2 == 0)
                    ids.push_back(r.register_handler(static_cast<int>(random() % 5),
                                                     make(static_cast<unsigned>(random()))));
                if (ids.size() > 20) {
                    auto const at = ids.begin() + static_cast<long>(random() % ids.size());
                    r.unregister(*at);
                    ids.erase(at);
                }
                if (random() % 16 == 0)
                    r.synchronize();
            }
        });
    }
    BOOST_TEST(wrong == 0);
    BOOST_TEST(calls > 0);
    r.clear();
    r.synchronize();
    BOOST_TEST(alive == 0);
}
