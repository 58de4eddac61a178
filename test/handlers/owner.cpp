// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#include "support.hpp"

#include <csignal>
#include <optional>
#include <stdexcept>
#include <utility>

#include <registry_io/handlers/once.hpp>
#include <registry_io/handlers/owner.hpp>
#include <registry_io/presets/async.hpp>
#include <registry_io/registry_ref.hpp>

#include "async/support.hpp"
#include "memory.hpp"
#include "process/child.hpp"

using test::event;
using test::registries;
using test::shared_registries;
namespace rio = registry_io;

namespace {
struct other
{
};
/// How many of an owner's handlers the current notify of this thread has called.
thread_local int seen = 0;
}  // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(an_owner_removes_its_handlers_of_all_registries, Registry,
                              registries<>)
{
    Registry r;
    typename Registry::template rebind_event<other> s;
    test::probe p;
    int calls = 0;
    r.register_handler([&](event const&) { ++calls; });
    {
        rio::owner o;
        auto const f = [&, held = p.token](auto const&) { calls += 10; };
        rio::handler_id const id = o.register_handler(r, f);
        o.register_handler(r, 2, f);
        o.register_handler(s, f);
        r.update([&](auto& tx) { o.add(r.registration_of(tx.register_handler(f))); });
        BOOST_TEST(o.size() == 4u);
        r.notify(event(0));
        s.notify({});
        BOOST_TEST(calls == 41);
        BOOST_TEST(r.unregister(id));
        BOOST_TEST(o.size() == 3u);
        BOOST_TEST(o.remove_all() == 3u);
        BOOST_TEST(o.remove_all() == 0u);
        BOOST_TEST(p.alive() == 1);  // f itself
        o.register_handler(r, f);
        o.register_handler(s, f);
    }
    BOOST_TEST(p.alive() == 0);
    BOOST_TEST(r.size() == 1u);
    BOOST_TEST(s.empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(readers_see_all_handlers_of_an_owner_or_none, Registry,
                              shared_registries<>)
{
    Registry r;
    std::atomic<bool> stop{false};
    std::atomic<int> wrong{0};
    r.register_handler(1, [](event const&) { seen = 0; });
    r.register_handler(-1,
                       [&](event const&) { wrong += static_cast<int>(seen != 0 && seen != 5); });
    std::thread notifier([&] {
        while (!stop)
            r.notify(event(0));
    });
    for (int i = 0; i < 200; ++i) {
        rio::owner o;
        r.update([&](auto& tx) {
            for (int n = 0; n < 5; ++n)
                o.add(r.registration_of(tx.register_handler([](event const&) { ++seen; })));
        });
        std::this_thread::yield();
        BOOST_TEST_REQUIRE(o.remove_all() == 5u);
    }
    stop = true;
    notifier.join();
    BOOST_TEST(wrong == 0);
    BOOST_TEST(r.size() == 2u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(waiting_is_refused_where_it_would_wait_for_itself, Registry,
                              registries<>)
{
    Registry r;
    typename Registry::template rebind_event<other> s;
    rio::owner o;
    int refused = 0;
    o.register_handler(s, [](other const&) {});
    o.register_handler(r, [&](event const&) {
        refused += static_cast<int>(test::deadlock_refused([&] { o.remove_all_and_wait(); }));
        BOOST_TEST(o.size() == 2u);  // nothing has changed
    });
    r.notify(event(0));
    BOOST_TEST(refused == 1);
    BOOST_TEST(s.size() == 1u);
    BOOST_TEST(o.remove_all_and_wait() == 2u);
    BOOST_TEST(r.empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_owner_may_remove_all_inside_a_handler, Registry, registries<>)
{
    Registry r;
    rio::owner o;
    test::probe p;
    int calls = 0;
    o.register_handler(r, [&, held = p.token](event const&) {
        ++calls;
        BOOST_TEST(o.remove_all() == 2u);
        BOOST_TEST(p.alive() == 1);
    });
    o.register_handler(r, [&](event const&) { ++calls; });
    r.notify(event(0));
    BOOST_TEST(calls == 2);  // the running notify finishes its snapshot
    BOOST_TEST(p.alive() == 0);
    BOOST_TEST(r.empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_owner_may_go_with_the_captures_that_it_removes, Registry,
                              registries<>)
{
    Registry r;
    typename Registry::template rebind_event<other> s;
    auto o = std::make_shared<rio::owner>();
    rio::owner& ref = *o;
    ref.register_handler(s, [](other const&) {});
    ref.register_handler(r, [o = std::move(o)](event const&) {});
    ref.register_handler(s, [](other const&) {});
    BOOST_TEST(ref.remove_all() == 3u);
    BOOST_TEST(r.empty());
    BOOST_TEST(s.empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_owner_waits_for_the_handlers_that_run, Registry,
                              shared_registries<>)
{
    Registry r;
    for (int round = 0; round < 20; ++round) {
        rio::owner o;
        auto module = std::make_unique<std::atomic<bool>>(false);
        std::atomic<bool> inside{false};
        for (int i = 0; i < 3; ++i)
            o.register_handler(r, [&, m = module.get()](event const&) {
                inside = true;
                std::this_thread::yield();
                *m = true;  // use after free, if it runs too late
            });
        // This handler is already removed when the owner is destroyed, and may still be running.
        o.register_handler(r, rio::once([m = module.get()](event const&) {
                               std::this_thread::yield();
                               *m = true;
                           }));
        std::thread notifier([&] {
            for (int i = 0; i < 20; ++i)
                r.notify(event(0));
        });
        while (!inside)
            std::this_thread::yield();
        o.remove_all_and_wait();
        module.reset();
        notifier.join();
    }
    BOOST_TEST(r.empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_owner_outlives_a_registry, Registry, registries<>)
{
    rio::owner o;
    {
        Registry r;
        o.register_handler(r, [](event const&) {});
        BOOST_TEST(o.size() == 1u);
    }
    BOOST_TEST(o.size() == 0u);
    BOOST_TEST(o.remove_all_and_wait() == 0u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_owner_that_runs_out_of_memory_still_owns, Registry, registries<>)
{
    Registry r;
    typename Registry::template rebind_event<other> s;
    rio::owner o;
    r.register_handler([](event const&) {});
    s.register_handler([](other const&) {});
    std::size_t left = 2;
    o.register_handler(r, 1, [](event const&) {});
    o.register_handler(s, 1, [](other const&) {});
    for (long n = 0; left != 0; ++n) {
        BOOST_TEST_REQUIRE(n < 100);
        try {
            test::failing_allocation const at(n);
            o.remove_all();
        } catch (std::bad_alloc const&) {
        }
        BOOST_TEST(r.size() + s.size() - 2 == o.size());
        left = o.size();
    }
    for (long n = 0;; ++n) {
        BOOST_TEST_REQUIRE(n < 100);
        try {
            test::failing_allocation const at(n);
            o.register_handler(r, 1, [](event const&) {});
            break;
        } catch (std::bad_alloc const&) {
        }
        BOOST_TEST(r.size() == 1u);
        BOOST_TEST(o.size() == 0u);
    }
    BOOST_TEST(o.remove_all() == 1u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_owner_that_could_not_take_a_handler_does_not_know_its_registry,
                              Registry, registries<>)
{
    for (long n = 0;; ++n) {
        BOOST_TEST_REQUIRE(n < 100);
        Registry r;
        rio::owner o;
        bool failed = false;
        try {
            test::failing_allocation const at(n);
            o.register_handler(r, [](event const&) {});
        } catch (std::bad_alloc const&) {
            failed = true;
        }
        if (!failed)
            break;
        // It would be refused if the owner waited for this registry.
        int refused = 0;
        r.register_handler([&](event const&) {
            refused += static_cast<int>(test::deadlock_refused([&] { o.remove_all_and_wait(); }));
        });
        r.notify(event(0));
        BOOST_TEST(refused == 0);
    }
}

// CONTRACT: an owner removes all its handlers. If there is no memory to take over a handler, nor to
// remove it again, the program ends: it must not go on with a handler that has no owner.
BOOST_AUTO_TEST_CASE(no_handler_is_left_without_its_owner_when_all_memory_is_gone)
{
    bool ended = false;
    for (long n = 0;; ++n) {
        BOOST_TEST_REQUIRE(n < 100);
        int const outcome = process::in_child([n] {
            process::silence();
            test::registry_of<rio::snapshot::hazard_pointer> r;
            rio::owner o;
            for (int i = 0; i < 16; ++i)
                o.register_handler(r, i, [](event const&) {});
            try {
                test::failing_allocation const from(n, true);
                o.register_handler(r, 3, [](event const&) {});
            } catch (std::bad_alloc const&) {
                return r.size() == o.size() ? 1 : 2;
            }
            return 0;
        });
        if (outcome == 0)
            break;
        ended = ended || outcome == -SIGABRT;
        BOOST_TEST((outcome == 1 || outcome == -SIGABRT));
    }
    BOOST_TEST(ended);
}

BOOST_AUTO_TEST_CASE(an_owner_moves)
{
    test::registry_of<rio::snapshot::rcu> r;
    rio::owner a;
    a.register_handler(r, [](event const&) {});
    rio::owner b(std::move(a));
    BOOST_TEST(b.size() == 1u);
    rio::owner c;
    c.register_handler(r, [](event const&) {});
    c = std::move(b);
    BOOST_TEST(r.size() == 1u);
    BOOST_TEST(c.size() == 1u);
}

BOOST_AUTO_TEST_CASE(an_owner_forgets_what_was_removed_elsewhere)
{
    test::registry_of<rio::snapshot::hazard_pointer> r;
    rio::owner o;
    auto const allocations_of = [&](auto register_one) {
        auto const before = test::allocations();
        for (int i = 0; i < 1000; ++i) {
            register_one();
            r.notify(event(0));
        }
        return test::allocations() - before;
    };
    auto const shot = [] { return rio::once([](event const&) {}); };
    auto const with_owner = [&] { o.register_handler(r, shot()); };
    allocations_of(with_owner);
    // A growing list would need memory.
    BOOST_TEST(allocations_of(with_owner) == allocations_of([&] { r.register_handler(shot()); }));
}

BOOST_AUTO_TEST_CASE(an_owner_owns_handlers_behind_a_registry_ref)
{
    test::registry_of<rio::snapshot::rcu> r;
    rio::registry_ref<event> const ref(r);
    rio::owner o;
    int calls = 0;
    o.register_handler(ref, [&](event const&) { ++calls; });
    r.notify(event(0));
    BOOST_TEST(o.remove_all_and_wait() == 1u);
    r.notify(event(0));
    BOOST_TEST(calls == 1);
}

BOOST_AUTO_TEST_CASE(an_owned_registry_takes_no_handler_without_an_owner)
{
    rio::owned<test::registry_of<rio::snapshot::rcu>> r;
    int calls = 0;
    {
        rio::owner o;
        r.register_handler(o, [&](event const&) { ++calls; });
        r.register_handler(o, 1, [&](event const&) { ++calls; });
        r.notify(event(0));
        BOOST_TEST(r.size() == 2u);
    }
    BOOST_TEST(r.empty());
    BOOST_TEST(calls == 2);
}

namespace {
struct plugin : private rio::owner
{
    template <class Registry>
    explicit plugin(Registry& r)
    {
        register_handler(r, [this](event const& e) { sum += e.value; });
    }
    plugin(plugin const&) = delete;
    plugin& operator=(plugin const&) = delete;
    ~plugin() { remove_all_and_wait(); }
    int sum = 0;
};
}  // namespace

BOOST_AUTO_TEST_CASE(an_owner_is_a_base_class)
{
    test::registry_of<rio::snapshot::rcu> r;
    {
        plugin p(r);
        r.notify(event(3));
        BOOST_TEST(p.sum == 3);
    }
    BOOST_TEST(r.empty());
}

namespace {
rio::async::task<> notify_async(rio::AsyncRegistry<event> const& r, event const& e)
{
    co_await r.notify(e);
}
}  // namespace

BOOST_AUTO_TEST_CASE(an_owner_owns_handlers_of_an_async_registry)
{
    rio::AsyncRegistry<event> r;
    rio::owner o;
    int refused = 0;
    int removed = 0;
    o.register_handler(r, [&](event const&) -> rio::async::task<> {
        refused += static_cast<int>(test::deadlock_refused([&] { o.remove_all_and_wait(); }));
        removed = static_cast<int>(o.remove_all());
        co_return;
    });
    o.register_handler(r, 1, [](event const&) {});
    event const e(0);
    rio::async::sync_wait(notify_async(r, e));
    BOOST_TEST(refused == 1);
    BOOST_TEST(removed == 2);
    BOOST_TEST(r.empty());
}

BOOST_AUTO_TEST_CASE(waiting_is_refused_in_an_async_handler_that_has_waited)
{
    rio::AsyncRegistry<event> r;
    rio::owner o;
    test::worker elsewhere;
    int refused = 0;
    o.register_handler(r, [&](event const&) -> rio::async::task<> {
        co_await elsewhere.here();
        refused += static_cast<int>(test::deadlock_refused([&] { o.remove_all_and_wait(); }));
    });
    event const e(0);
    rio::async::sync_wait(notify_async(r, e));
    BOOST_TEST(refused == 1);
    BOOST_TEST(r.size() == 1u);
    BOOST_TEST(o.remove_all_and_wait() == 1u);
}
