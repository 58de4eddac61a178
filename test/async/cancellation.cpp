// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Tests of stop tokens, of callers that are destroyed while handlers wait, and of the next event.

#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/mp11.hpp>
#include <boost/test/unit_test.hpp>

#include <registry_io/panic/collect.hpp>
#include <registry_io/panic/propagate.hpp>
#include <registry_io/presets/async.hpp>

#include "async/support.hpp"

namespace {

namespace async = registry_io::async;
namespace panic = registry_io::panic;
using registry_io::AsyncRegistry;
using registry_io::handler_id;
using registry_io::panic_info;
using test::at_once;
using test::gate;
using test::in_turn;
using test::journal;
using test::modes;
using test::task;

}  // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(each_handler_can_see_the_stop_token, Mode, modes)
{
    AsyncRegistry<int> r;
    gate wait;
    std::vector<bool> seen;
    std::stop_source source;
    r.register_handler([&](int, async::environment const& env) -> task<> {
        seen.push_back(env.stop().stop_requested());
        co_await wait;
        seen.push_back(env.stop().stop_requested());
    });
    r.register_handler(
        [&](int, async::environment const& env) { seen.push_back(env.stop().stop_possible()); });
    // Tasks that a handler awaits see the same stop token.
    auto const helper = [&]() -> task<bool> {
        co_await wait;
        async::environment const& env = co_await async::this_environment;
        co_return env.stop().stop_requested();
    };
    r.register_handler([&](int) -> task<> { seen.push_back(co_await helper()); });
    int const e = 1;
    if constexpr (std::is_same_v<Mode, in_turn>)
        wait.open();
    auto caller =
        test::drive([&] { return Mode::notify(r, e, async::environment(source.get_token())); });
    if constexpr (std::is_same_v<Mode, at_once>) {
        source.request_stop();
        wait.open();
        BOOST_TEST(seen == (std::vector<bool>{false, true, true, true}),
                   boost::test_tools::per_element());
    } else {
        BOOST_TEST(seen == (std::vector<bool>{false, false, true, false}),
                   boost::test_tools::per_element());
    }
    BOOST_TEST(caller.done());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(after_a_stop_no_further_handler_is_started, Mode, modes)
{
    for (bool const waits_first : {false, true}) {
        AsyncRegistry<int> r;
        journal fired;
        gate wait;
        std::stop_source source;
        int told = 0;
        r.on_panic([&](panic_info const&) { ++told; });
        r.register_handler([&, waits_first](int) -> task<> {
            fired.add("a");
            if (waits_first)
                co_await wait;
            fired.add("b");
            co_return;
        });
        r.register_handler([&](int) {
            fired.add("c");
            source.request_stop();
        });
        r.register_handler([&](int) -> task<> {
            fired.add("d");
            co_return;
        });
        int const e = 1;
        auto caller =
            test::drive([&] { return Mode::notify(r, e, async::environment(source.get_token())); });
        wait.open();
        BOOST_TEST(caller.done());
        BOOST_TEST(fired.take() ==
                   (waits_first && std::is_same_v<Mode, at_once> ? "a c b " : "a b c "));
        BOOST_TEST(told == 0);
        // A stopped notify leaves nothing behind: the next one runs all handlers.
        async::sync_wait(Mode::notify(r, e));
        BOOST_TEST(fired.take() == "a b c d ");
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_destroyed_caller_takes_the_waiting_handlers_along, Mode, modes)
{
    AsyncRegistry<int> r;
    gate wait;
    gate never;
    int alive = 0;
    std::vector<panic_info> told;
    r.on_panic([&](panic_info const& p) { told.push_back(p); });
    // Before the caller is destroyed, one handler has ended and one has failed. One waits in a
    // gate, and one waits in a notify of another registry, through a task.
    AsyncRegistry<int> inner;
    int inner_told = 0;
    inner.on_panic([&](panic_info const&) { ++inner_told; });
    inner.register_handler([&](int) -> task<> {
        test::trace const t(alive);
        co_await never;
    });
    r.register_handler([&](int) -> task<> { co_await wait; });
    handler_id const fails = r.register_handler([&](int) -> task<> {
        co_await wait;
        throw std::runtime_error("x");
    });
    auto const middle = [&](int const& e) -> task<> {
        test::trace const t(alive);
        co_await Mode::notify(inner, e);
    };
    handler_id const deep = r.register_handler([&](int const& e) -> task<> {
        test::trace const t(alive);
        co_await middle(e);
    });
    handler_id const last = r.register_handler([&](int) -> task<> {
        test::trace const t(alive);
        co_await never;
    });
    int const e = 1;
    {
        auto caller = test::drive([&] { return Mode::notify(r, e); });
        wait.open();
        BOOST_TEST(told.size() == 1u);
        BOOST_TEST(alive == (std::is_same_v<Mode, at_once> ? 4 : 3));
        caller.destroy();
    }
    BOOST_TEST(alive == 0);
    BOOST_TEST(never.waiting() == 0u);
    // Each handler that had not ended is reported once, as a failure.
    BOOST_TEST(inner_told == 1);
    BOOST_TEST_REQUIRE(told.size() == (std::is_same_v<Mode, at_once> ? 3u : 2u));
    BOOST_TEST(told[0].handler_id() == fails);
    BOOST_CHECK_THROW(std::rethrow_exception(told[1].exception()), async::abandoned);
    bool found_deep = false;
    bool found_last = false;
    for (std::size_t i = 1; i < told.size(); ++i) {
        found_deep = found_deep || told[i].handler_id() == deep;
        found_last = found_last || told[i].handler_id() == last;
    }
    BOOST_TEST(found_deep);
    BOOST_TEST(found_last == (std::is_same_v<Mode, at_once>));
    // No snapshot is held any more.
    r.synchronize();
    inner.synchronize();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_destroyed_caller_leaks_no_failure_that_was_kept_for_it, Mode, modes)
{
    // A result that nobody takes is destroyed, with everything it owns.
    AsyncRegistry<int>::with<panic::propagate> throwing;
    AsyncRegistry<int>::with<panic::collect<>> collecting;
    gate never;
    auto kept = std::make_shared<int>(0);
    auto const fail = [&](int) {
        struct carries : std::runtime_error
        {
            explicit carries(std::shared_ptr<int> s) : std::runtime_error("x"), p(std::move(s)) {}
            std::shared_ptr<int> p;
        };
        throw carries(kept);
    };
    auto const wait = [&](int) -> task<> { co_await never; };
    throwing.register_handler(fail);
    throwing.register_handler(wait);
    collecting.register_handler(fail);
    collecting.register_handler(wait);
    int const e = 1;
    {
        auto first = test::drive([&] { return Mode::notify(throwing, e); });
        auto second = test::drive([&] { return Mode::notify(collecting, e); });
        BOOST_TEST(kept.use_count() > 1);
    }
    BOOST_TEST(kept.use_count() == 1);
}

BOOST_AUTO_TEST_CASE(a_notify_that_is_never_awaited_does_nothing)
{
    AsyncRegistry<int> r;
    int calls = 0;
    r.register_handler([&](int) { ++calls; });
    int const e = 1;
    {
        auto const n = r.notify(e);
        auto const m = r.notify_sequential(e);
        static_cast<void>(n);
        static_cast<void>(m);
    }
    {
        auto const t = [&]() -> task<> { co_await r.notify(e); };
        task<> const never_awaited = t();
        static_cast<void>(never_awaited);
    }
    BOOST_TEST(calls == 0);
}

BOOST_AUTO_TEST_CASE(a_task_may_be_assigned_to_in_what_this_destroys)
{
    struct session
    {
        async::task<> work;
    };
    auto const run = [](std::shared_ptr<session>) -> async::task<> { co_return; };
    for (bool const to_another : {false, true}) {
        auto owner = std::make_shared<session>();
        std::weak_ptr<session> const gone = owner;
        session& s = *owner;
        s.work = run(owner);
        owner.reset();
        BOOST_TEST(!gone.expired());
        // The session is destroyed together with the parameter of its own task, and so is the task
        // that was just moved into it.
        s.work = to_another ? run(nullptr) : async::task<>();
        BOOST_TEST(gone.expired());
    }
}

BOOST_AUTO_TEST_CASE(next_is_the_next_event)
{
    AsyncRegistry<std::string> r;
    std::vector<std::string> got;
    auto const listen = [&]() -> test::foreign {
        for (int i = 0; i < 2; ++i)
            got.push_back(*co_await r.next());
    };
    auto listener = listen();
    BOOST_TEST(r.size() == 1u);
    BOOST_TEST(got.empty());
    std::string const one = "one";
    std::string const two = "two";
    async::sync_wait(r.notify(one));
    BOOST_TEST(got == std::vector<std::string>{"one"}, boost::test_tools::per_element());
    BOOST_TEST(r.size() == 1u);
    async::sync_wait(r.notify_sequential(two));
    BOOST_TEST(listener.done());
    BOOST_TEST(got == (std::vector<std::string>{"one", "two"}), boost::test_tools::per_element());
    BOOST_TEST(r.empty());
}

BOOST_AUTO_TEST_CASE(who_waits_for_the_next_event_may_go_or_be_stopped)
{
    AsyncRegistry<int> r;
    int got = 0;
    auto const listen = [&]() -> test::foreign { got += *co_await r.next(); };
    {
        auto listener = listen();
        BOOST_TEST(r.size() == 1u);
    }
    BOOST_TEST(r.empty());

    std::stop_source source;
    std::optional<int> last = 7;
    auto const stoppable = [&]() -> task<> { last = co_await r.next(); };
    std::jthread stopper([&] {
        while (r.empty())
            std::this_thread::yield();
        source.request_stop();
    });
    async::sync_wait(stoppable(), async::environment(source.get_token()));
    BOOST_TEST(!last.has_value());
    BOOST_TEST(r.empty());
    // If the token is already stopped, awaiting the next event does not wait.
    last = 7;
    async::sync_wait(stoppable(), async::environment(source.get_token()));
    BOOST_TEST(!last.has_value());
    int const e = 1;
    async::sync_wait(r.notify(e));
    BOOST_TEST(got == 0);
}

namespace {

/// Calls `copying` when it is copied. A test can make that call wait.
struct watched
{
    explicit watched(int i, std::function<void()> f = {}) : n(i), copying(std::move(f)) {}
    watched(watched const& o) : n(o.n)
    {
        if (o.copying)
            o.copying();
    }
    int n;
    std::function<void()> copying;
};

}  // namespace

BOOST_AUTO_TEST_CASE(who_waits_for_the_next_event_may_go_while_it_is_copied)
{
    AsyncRegistry<watched> r;
    int got = 0;
    std::optional<test::foreign> listener(
        [](AsyncRegistry<watched>& from, int& n) -> test::foreign {
            n += (co_await from.next())->n;
        }(r, got));
    watched const e(7, [&] { listener.reset(); });
    async::sync_wait(r.notify(e));
    BOOST_TEST(got == 0);
    BOOST_TEST(r.empty());
}

BOOST_AUTO_TEST_CASE(who_waits_for_the_next_event_may_go_before_its_posted_resumption_runs)
{
    for (bool const goes : {false, true}) {
        AsyncRegistry<watched> r;
        AsyncRegistry<int> outer;
        test::manual loop;
        async::environment const env(async::executor_ref::to(loop));
        int got = 0;
        outer.register_handler([&](int) -> task<> { got += (co_await r.next())->n; });
        int const go = 0;
        std::optional<test::foreign> o(test::drive([&] { return outer.notify(go, env); }));
        watched const one(1);
        async::sync_wait(r.notify(one));
        BOOST_TEST(loop.size() == 1u);
        if (goes)
            o.reset();
        loop.run();
        BOOST_TEST(got == (goes ? 0 : 1));
        BOOST_TEST(r.empty());
    }
}

BOOST_AUTO_TEST_CASE(the_next_event_may_come_from_another_thread)
{
    AsyncRegistry<int> r;
    int got = 0;
    auto const listen = [&]() -> task<> {
        for (int i = 0; i < 500; ++i)
            got += *co_await r.next();
    };
    std::jthread notifier([&](std::stop_token stop) {
        int const e = 1;
        while (!stop.stop_requested())
            async::sync_wait(r.notify(e));
    });
    async::sync_wait(listen());
    BOOST_TEST(got == 500);
}
