// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#include "support.hpp"

#include <stdexcept>

#include <boost/smart_ptr/make_shared.hpp>
#include <boost/smart_ptr/shared_ptr.hpp>
#include <boost/smart_ptr/weak_ptr.hpp>

#include <registry_io/handlers/owner.hpp>
#include <registry_io/ordering/fifo.hpp>
#include <registry_io/presets/async.hpp>

using test::event;
using test::registries;
using test::shared_registries;
namespace rio = registry_io;

namespace {

struct listener
{
    listener() = default;
    listener(listener const&) = delete;
    listener& operator=(listener const&) = delete;
    virtual ~listener() { gone = true; }
    void hear(event const& e)
    {
        sum += e.value;
        late += static_cast<int>(gone.load());
    }
    int hear_const(event const& e) const noexcept { return sum += e.value; }
    virtual void hear_virtual(event const& e) { sum += e.value; }
    rio::async::task<> hear_later(event const& e)
    {
        sum += e.value;
        co_return;
    }
    rio::async::task<> hear_there(event const& e, rio::async::environment const&)
    {
        sum += e.value;
        co_return;
    }

    std::atomic<bool> gone{false};
    mutable std::atomic<int> sum{0};
    std::atomic<int> late{0};
};

struct derived : listener
{
    void hear_virtual(event const& e) override { sum += 100 * e.value; }
};

}  // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(a_member_function_and_its_object_are_a_handler, Registry,
                              registries<>)
{
    Registry r;
    listener a;
    derived d;
    listener const& constant = a;
    r.register_handler(&listener::hear, &a);
    r.register_handler(1, &listener::hear_const, &constant);
    r.register_handler(&listener::hear_virtual, static_cast<listener*>(&d));
    rio::handler_guard const g = r.register_guard(&listener::hear, &d);
    rio::handler_guard const h = r.register_guard(2, &listener::hear, &d);
    r.update([&](auto& tx) {
        tx.register_handler(&listener::hear, &a);
        tx.register_handler(3, &listener::hear, &a);
    });
    r.notify(event(1));
    BOOST_TEST(a.sum == 4);
    BOOST_TEST(d.sum == 102);
    std::vector<int> keys;
    r.for_each_handler([&](rio::handler_id, int key) { keys.push_back(key); });
    BOOST_TEST((keys == std::vector{3, 2, 1, 0, 0, 0, 0}));
}

BOOST_AUTO_TEST_CASE(a_member_function_needs_no_priority)
{
    test::registry_of<rio::snapshot::rcu>::with<rio::ordering::fifo> r;
    listener a;
    r.register_handler(&listener::hear, &a);
    r.notify(event(1));
    BOOST_TEST(a.sum == 1);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_weak_object_of_a_member_function_is_tracked, Registry, registries<>)
{
    Registry r;
    auto a = std::make_shared<listener>();
    auto b = boost::make_shared<listener>();
    std::weak_ptr<listener> const weak = a;
    r.register_handler(&listener::hear, weak);
    r.register_handler(1, &listener::hear, std::weak_ptr<listener>(a));
    r.register_handler(&listener::hear, boost::weak_ptr<listener>(b));
    r.update([&](auto& tx) { tx.register_handler(2, &listener::hear, weak); });
    r.notify(event(1));
    BOOST_TEST(a->sum == 3);
    BOOST_TEST(b->sum == 1);
    BOOST_TEST(a.use_count() == 1);
    a.reset();
    b.reset();
    r.notify(event(1));
    BOOST_TEST(r.empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_shared_object_of_a_member_function_is_kept, Registry, registries<>)
{
    Registry r;
    auto a = std::make_shared<listener>();
    std::weak_ptr<listener> const alive = a;
    rio::handler_id const id = r.register_handler(&listener::hear, std::move(a));
    r.notify(event(1));
    BOOST_TEST(alive.lock()->sum == 1);
    BOOST_TEST(r.unregister(id));
    BOOST_TEST(alive.expired());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_null_member_function_or_object_is_refused, Registry, registries<>)
{
    Registry r;
    listener a;
    void (listener::*none)(event const&) = nullptr;
    listener* const nobody = nullptr;
    BOOST_CHECK_THROW(r.register_handler(none, &a), std::invalid_argument);
    BOOST_CHECK_THROW(r.register_handler(&listener::hear, nobody), std::invalid_argument);
    BOOST_CHECK_THROW(r.register_handler(1, &listener::hear, nobody), std::invalid_argument);
    BOOST_CHECK_THROW(r.register_handler(&listener::hear, std::shared_ptr<listener>()),
                      std::invalid_argument);
    BOOST_CHECK_THROW(r.register_handler(&listener::hear, std::weak_ptr<listener>()),
                      std::invalid_argument);
    BOOST_CHECK_THROW(r.register_handler(none, std::make_shared<listener>()),
                      std::invalid_argument);
    BOOST_TEST(r.empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_tracked_member_function_never_runs_on_a_destroyed_object, Registry,
                              shared_registries<>)
{
    Registry r;
    std::atomic<int> registering{2};
    test::race(3, [&](int t) {
        if (t < 2) {
            for (int i = 0; i < 200; ++i) {
                auto const a = std::make_shared<listener>();
                r.register_handler(i % 2, &listener::hear, std::weak_ptr<listener>(a));
                std::this_thread::yield();
            }
            --registering;
        } else {
            while (registering != 0)
                r.notify(event(1));
        }
    });
    r.notify(event(0));
    BOOST_TEST(r.empty());
}

BOOST_AUTO_TEST_CASE(an_owner_takes_member_functions)
{
    test::registry_of<rio::snapshot::rcu> r;
    listener a;
    {
        rio::owner o;
        o.register_handler(r, &listener::hear, &a);
        o.register_handler(r, 1, &listener::hear, &a);
        r.notify(event(1));
    }
    r.notify(event(1));
    BOOST_TEST(a.sum == 2);
}

namespace {
rio::async::task<> notify_async(rio::AsyncRegistry<event> const& r, event const& e)
{
    co_await r.notify(e);
}
}  // namespace

BOOST_AUTO_TEST_CASE(member_functions_work_in_an_async_registry)
{
    rio::AsyncRegistry<event> r;
    auto a = std::make_shared<listener>();
    std::weak_ptr<listener> const weak = a;
    r.register_handler(&listener::hear, a.get());
    r.register_handler(&listener::hear_later, a.get());
    r.register_handler(1, &listener::hear_there, a.get());
    r.register_handler(&listener::hear_later, weak);
    r.register_handler(&listener::hear_there, weak);
    rio::async_handler_guard const g = r.register_guard(1, &listener::hear_later, weak);
    r.update([&](auto& tx) {
        tx.register_handler(&listener::hear_later, weak);
        tx.register_handler(1, &listener::hear, weak);
    });
    event const e(1);
    rio::async::sync_wait(notify_async(r, e));
    BOOST_TEST(a->sum == 8);
}
