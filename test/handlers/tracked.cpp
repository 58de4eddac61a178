// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#include "support.hpp"

#include <functional>
#include <stdexcept>

#include <boost/smart_ptr/make_shared.hpp>
#include <boost/smart_ptr/shared_ptr.hpp>
#include <boost/smart_ptr/weak_ptr.hpp>

#include <registry_io/handlers/once.hpp>
#include <registry_io/handlers/tracked.hpp>

#include "async/support.hpp"
#include "memory.hpp"

using test::event;
using test::registries;
using test::shared_registries;
namespace rio = registry_io;

namespace {

struct session
{
    explicit session(std::atomic<int>* a = nullptr) : alive(a)
    {
        if (alive != nullptr)
            ++*alive;
    }
    session(session const&) = delete;
    session& operator=(session const&) = delete;
    ~session()
    {
        gone = true;
        if (alive != nullptr)
            --*alive;
    }
    void on_event(event const& e) { sum += e.value; }

    std::atomic<bool> gone{false};
    std::atomic<int> sum{0};
    std::atomic<int>* alive;
};

}  // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(a_tracked_handler_runs_while_its_object_is_alive, Registry,
                              registries<>)
{
    Registry r;
    auto s = std::make_shared<session>();
    int calls = 0;
    int objects = 0;
    test::probe p;
    r.register_handler(rio::tracked(s, [&, held = p.token](event const&) { ++calls; }));
    r.register_handler(rio::tracked(std::weak_ptr<session>(s), [&](session& o, event const&) {
        BOOST_TEST(&o == s.get());
        ++objects;
    }));
    r.register_handler(1, rio::tracked(s, &session::on_event));
    r.update([&](auto& tx) {
        tx.register_handler(rio::tracked(std::shared_ptr<session const>(s),
                                         [&](session const&, event const&) { ++objects; }));
    });
    BOOST_TEST(s.use_count() == 1);
    r.notify(event(3));
    BOOST_TEST(calls == 1);
    BOOST_TEST(objects == 2);
    BOOST_TEST(s->sum == 3);
    s.reset();
    BOOST_TEST(r.size() == 4u);
    r.notify(event(3));  // removes them
    BOOST_TEST(r.empty());
    BOOST_TEST(calls == 1);
    BOOST_TEST(objects == 2);
    BOOST_TEST(p.alive() == 0);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_object_is_kept_alive_while_its_handler_runs, Registry,
                              registries<>)
{
    Registry r;
    auto s = std::make_shared<session>();
    int calls = 0;
    r.register_handler(rio::tracked(s, [&](session& o, event const&) {
        s.reset();
        BOOST_TEST(!o.gone);
        ++calls;
    }));
    r.notify(event(0));
    r.notify(event(0));
    BOOST_TEST(calls == 1);
    BOOST_TEST(r.empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_aliasing_pointer_counts_for_what_it_owns, Registry, registries<>)
{
    Registry r;
    auto owning = std::make_shared<session>();
    int value = 5;
    int calls = 0;
    int objects = 0;
    // Owns the session, points to another object.
    r.register_handler(rio::tracked(std::shared_ptr<int>(owning, &value),
                                    [&](int& v, event const&) { objects += v; }));
    // Owns the session, points to nothing: a token.
    std::shared_ptr<int> token(owning, nullptr);
    r.register_handler(rio::tracked(token, [&](event const&) { ++calls; }));
    r.register_handler(rio::tracked(std::shared_ptr<void>(owning), [&](event const&) { ++calls; }));
    // Needs an object, but the pointer is null: the handler is removed.
    rio::handler_id const id =
        r.register_handler(rio::tracked(token, [&](int&, event const&) { calls += 100; }));
    r.notify(event(0));
    BOOST_TEST(calls == 2);
    BOOST_TEST(objects == 5);
    BOOST_TEST(!r.contains(id));
    token.reset();
    owning.reset();
    r.notify(event(0));
    BOOST_TEST(calls == 2);
    BOOST_TEST(objects == 5);
    BOOST_TEST(r.empty());
}

BOOST_AUTO_TEST_CASE(a_pointer_that_owns_nothing_is_refused)
{
    test::registry_of<rio::snapshot::hazard_pointer> r;
    auto const f = [](event const&) {};
    int value = 0;
    BOOST_CHECK_THROW(r.register_handler(rio::tracked(std::shared_ptr<int>(), f)),
                      std::invalid_argument);
    BOOST_CHECK_THROW(r.register_handler(rio::tracked(std::weak_ptr<int>(), f)),
                      std::invalid_argument);
    BOOST_CHECK_THROW(
        r.register_handler(rio::tracked(std::shared_ptr<int>(std::shared_ptr<void>(), &value), f)),
        std::invalid_argument);
    BOOST_CHECK_THROW(r.register_handler(rio::tracked(boost::shared_ptr<int>(), f)),
                      std::invalid_argument);
    BOOST_CHECK_THROW(r.register_handler(rio::tracked(std::make_shared<int>(0),
                                                      std::function<void(event const&)>())),
                      std::invalid_argument);
    BOOST_TEST(r.empty());
    // A pointer that has already expired is allowed: its handler never runs.
    std::weak_ptr<int> const expired = std::make_shared<int>(0);
    r.register_handler(rio::tracked(expired, f));
    BOOST_TEST(r.size() == 1u);
    r.notify(event(0));
    BOOST_TEST(r.empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(boost_s_pointers_are_tracked, Registry, registries<>)
{
    Registry r;
    auto s = boost::make_shared<session>();
    int calls = 0;
    r.register_handler(rio::tracked(s, &session::on_event));
    r.register_handler(
        rio::tracked(boost::weak_ptr<session>(s), [&](session&, event const&) { ++calls; }));
    r.notify(event(2));
    BOOST_TEST(s->sum == 2);
    BOOST_TEST(calls == 1);
    s.reset();
    r.notify(event(2));
    BOOST_TEST(calls == 1);
    BOOST_TEST(r.empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(tracked_and_once_compose_in_both_orders, Registry, registries<>)
{
    Registry r;
    auto s = std::make_shared<session>();
    int calls = 0;
    auto const f = [&](event const&) { ++calls; };
    r.register_handler(rio::tracked(s, rio::once(f)));
    r.register_handler(rio::once(rio::tracked(s, f)));
    r.register_handler(rio::tracked(s, rio::tracked(s, f)));
    r.notify(event(0));
    r.notify(event(0));
    BOOST_TEST(calls == 4);
    BOOST_TEST(r.size() == 1u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(no_tracked_handler_runs_on_a_destroyed_object, Registry,
                              shared_registries<>)
{
    Registry r;
    std::atomic<int> alive{0};
    std::atomic<int> wrong{0};
    std::atomic<int> registering{2};
    test::race(4, [&](int t) {
        if (t < 2) {
            for (int i = 0; i < 150; ++i) {
                auto s = std::make_shared<session>(&alive);
                auto f = rio::tracked(s, [&](session& o, event const& e) {
                    wrong += static_cast<int>(o.gone.load());
                    o.on_event(e);
                });
                if (i % 3 == 0)
                    r.update([&](auto& tx) { tx.register_handler(std::move(f)); });
                else
                    r.register_handler(i % 2, std::move(f));
                std::this_thread::yield();
            }
            --registering;
        } else {
            while (registering != 0)
                r.notify(event(1));
        }
    });
    r.notify(event(0));
    BOOST_TEST(wrong == 0);
    BOOST_TEST(alive == 0);
    BOOST_TEST(r.empty());
}

namespace {
rio::async::task<> notify_async(rio::AsyncRegistry<event> const& r, event const& e)
{
    co_await r.notify(e);
}
}  // namespace

BOOST_AUTO_TEST_CASE(the_object_is_kept_alive_while_its_task_runs)
{
    rio::AsyncRegistry<event> r;
    std::atomic<int> alive{0};
    auto s = std::make_shared<session>(&alive);
    test::gate g;
    int ended = 0;
    r.register_handler(rio::tracked(s, [&](session& o, event const& e) -> rio::async::task<> {
        co_await g;
        BOOST_TEST(!o.gone);
        o.on_event(e);
        ++ended;
    }));
    r.register_handler(
        rio::tracked(s, [&](event const&, rio::async::environment const&) -> rio::async::task<> {
            co_await g;
            BOOST_TEST(alive == 1);
            ++ended;
        }));
    r.register_handler(rio::tracked(s, &session::on_event));
    event const e(1);
    std::thread notifier([&] { rio::async::sync_wait(notify_async(r, e)); });
    while (g.waiting() != 2)
        std::this_thread::yield();
    BOOST_TEST(s->sum == 1);
    s.reset();
    BOOST_TEST(alive == 1);
    g.open();
    notifier.join();
    BOOST_TEST(ended == 2);
    BOOST_TEST(alive == 0);
    rio::async::sync_wait(notify_async(r, e));
    BOOST_TEST(ended == 2);
    BOOST_TEST(r.empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_expired_handler_whose_removal_fails_does_not_run_and_goes_later,
                              Registry, registries<>)
{
    for (long n = 0;; ++n) {
        BOOST_TEST_REQUIRE(n < 100);
        Registry r;
        auto s = std::make_shared<session>();
        int calls = 0;
        int others = 0;
        r.register_handler(1, rio::tracked(s, [&](event const&) { ++calls; }));
        r.register_handler([&](event const&) { ++others; });
        s.reset();
        bool failed = false;
        {
            test::failing_allocation const at(n);
            r.notify(event(0));
            failed = at.has_failed();
        }
        BOOST_TEST(others == 1);
        r.notify(event(0));
        BOOST_TEST(calls == 0);
        BOOST_TEST(others == 2);
        BOOST_TEST(r.size() == 1u);
        if (!failed)
            break;
    }
}
