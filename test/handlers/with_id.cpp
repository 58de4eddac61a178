// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#include "support.hpp"

#include <functional>
#include <stdexcept>

#include <registry_io/handlers/once.hpp>
#include <registry_io/handlers/with_id.hpp>
#include <registry_io/presets/async.hpp>
#include <registry_io/registry_ref.hpp>

using test::event;
using test::registries;
using test::shared_registries;
namespace rio = registry_io;

BOOST_AUTO_TEST_CASE_TEMPLATE(a_handler_gets_its_own_id, Registry, registries<>)
{
    Registry r;
    std::vector<rio::handler_id> seen;
    auto const note = [&](rio::handler_id self, event const&) { seen.push_back(self); };
    rio::handler_id const a = r.register_handler(rio::with_id(note));
    rio::handler_id const b = r.register_handler(1, rio::with_id(note));
    rio::handler_guard const c = r.register_guard(-1, rio::with_id(note));
    rio::handler_id d;
    r.update([&](auto& tx) { d = tx.register_handler(-2, rio::with_id(note)); });
    r.notify(event(0));
    BOOST_TEST((seen == std::vector{b, a, c.id(), d}));
    BOOST_TEST(r.size() == 4u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(ids_and_order_agree_where_some_handlers_know_their_id, Registry,
                              registries<>)
{
    Registry r;
    std::vector<rio::handler_id> ids;
    // More than one chunk, so that ids are found through an index.
    for (int i = 0; i < 400; ++i)
        ids.push_back(i % 3 == 0
                          ? r.register_handler([](event const&) {})
                          : r.register_handler(rio::with_id([](rio::handler_id, event const&) {})));
    std::vector<rio::handler_id> firing;
    r.for_each_handler([&](rio::handler_id id) { firing.push_back(id); });
    BOOST_TEST((firing == ids));
    for (rio::handler_id const id : ids)
        BOOST_TEST_REQUIRE(r.unregister(id));
    BOOST_TEST(r.empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_handler_removes_itself_by_its_registration, Registry, registries<>)
{
    Registry r;
    test::probe p;
    int calls = 0;
    r.register_handler(
        rio::with_id([&, held = p.token](rio::registration const& self, event const&) {
            ++calls;
            BOOST_TEST(r.contains(self));
            BOOST_TEST(self.unregister());
            BOOST_TEST(!self.unregister());
            BOOST_TEST(p.alive() == 1);
            r.notify(event(0));
        }));
    r.notify(event(0));
    BOOST_TEST(calls == 1);
    BOOST_TEST(p.alive() == 0);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_id_is_known_before_any_thread_can_call_the_handler, Registry,
                              shared_registries<>)
{
    Registry r;
    std::atomic<bool> stop{false};
    std::atomic<long> wrong{0};
    std::thread notifier([&] {
        while (!stop)
            r.notify(event(0));
    });
    test::race(2, [&](int) {
        for (int i = 0; i < 300; ++i) {
            auto f = rio::with_id([&](rio::registration const& self, event const&) {
                if (!self.id() || self.id().registry_serial() == 0)
                    ++wrong;
                self.unregister();
            });
            if (i % 2 == 0)
                r.register_handler(std::move(f));
            else
                r.update([&](auto& tx) { tx.register_handler(std::move(f)); });
        }
    });
    stop = true;
    notifier.join();
    r.notify(event(0));
    BOOST_TEST(wrong == 0);
    BOOST_TEST(r.empty());
}

BOOST_AUTO_TEST_CASE(a_registration_knows_whether_the_registry_is_gone)
{
    using registry = test::registry_of<rio::snapshot::hazard_pointer>;
    auto r = std::make_unique<registry>();
    int calls = 0;
    r->register_handler(1, [&](event const&) { r.reset(); });
    r->register_handler(rio::with_id([&](rio::registration const& self, event const&) {
        ++calls;
        BOOST_TEST(!self.unregister());  // allowed, and false: the registry has been destroyed
    }));
    r->notify(event(0));
    BOOST_TEST(calls == 1);
}

BOOST_AUTO_TEST_CASE(an_empty_handler_in_with_id_is_refused)
{
    test::registry_of<rio::snapshot::hazard_pointer> r;
    std::function<void(rio::handler_id, event const&)> const none;
    BOOST_CHECK_THROW(r.register_handler(rio::with_id(none)), std::invalid_argument);
    BOOST_TEST(r.empty());
}

BOOST_AUTO_TEST_CASE(one_thread_may_have_a_mutable_handler_in_with_id)
{
    test::registry_of<rio::snapshot::single_thread> r;
    int last = 0;
    r.register_handler(
        rio::with_id([n = 0, &last](rio::handler_id, event const&) mutable { last = ++n; }));
    r.notify(event(0));
    r.notify(event(0));
    BOOST_TEST(last == 2);
}

BOOST_AUTO_TEST_CASE(with_id_crosses_a_registry_ref)
{
    test::registry_of<rio::snapshot::rcu> r;
    rio::registry_ref<event> const ref(r);
    rio::handler_id seen;
    rio::handler_id const id = ref.register_handler(
        rio::with_id([&](rio::registration const& self, event const&) { seen = self; }));
    ref.notify(event(0));
    BOOST_TEST(seen == id);
}

namespace {
rio::async::task<> notify_async(rio::AsyncRegistry<event> const& r, event const& e)
{
    co_await r.notify(e);
}
}  // namespace

BOOST_AUTO_TEST_CASE(with_id_works_in_an_async_registry)
{
    rio::AsyncRegistry<event> r;
    int plain = 0;
    int coroutines = 0;
    r.register_handler(rio::with_id([&](rio::registration const& self, event const&) {
        ++plain;
        self.unregister();
    }));
    r.register_handler(
        rio::with_id([&](rio::registration const& self, event const&) -> rio::async::task<> {
            ++coroutines;
            BOOST_TEST(self.unregister());
            co_return;
        }));
    r.register_handler(rio::with_id([&](rio::registration const& self, event const&,
                                        rio::async::environment const&) -> rio::async::task<> {
        ++coroutines;
        BOOST_TEST(self.unregister());
        co_return;
    }));
    event const e(0);
    for (int i = 0; i < 2; ++i)
        rio::async::sync_wait(notify_async(r, e));
    BOOST_TEST(plain == 1);
    BOOST_TEST(coroutines == 2);
    BOOST_TEST(r.empty());
}

BOOST_AUTO_TEST_CASE(what_with_id_wraps_is_told_its_registration_too)
{
    struct told
    {
        void operator()(rio::handler_id, test::event const&) const {}
        void on_registered(rio::registration const& r) noexcept { *id = r.id(); }
        void on_one_shot() noexcept { *one_shot = true; }
        rio::handler_id* id;
        bool* one_shot;
    };
    test::registry_of<rio::snapshot::hazard_pointer> r;
    rio::handler_id id;
    bool one_shot = false;
    BOOST_TEST(r.register_handler(rio::with_id(told{&id, &one_shot})) == id);
    BOOST_TEST(!one_shot);
    BOOST_TEST(r.register_handler(rio::once(rio::with_id(told{&id, &one_shot}))) == id);
    BOOST_TEST(one_shot);
}
