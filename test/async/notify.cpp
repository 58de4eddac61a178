// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Both kinds of notify: which handlers run, when, on which thread, and with which event.

#include <algorithm>
#include <atomic>
#include <coroutine>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/mp11.hpp>
#include <boost/test/unit_test.hpp>

#include <registry_io/ordering/fifo.hpp>
#include <registry_io/presets/async.hpp>
#include <registry_io/snapshot/single_thread.hpp>

#include "async/support.hpp"

namespace {

namespace async = registry_io::async;
using registry_io::AsyncRegistry;
using registry_io::handler_id;
using test::gate;
using test::journal;
using test::modes;
using test::task;
using test::worker;

struct event
{
    int number;
};

/// Overloads operator&, so its address cannot be taken in the usual way.
struct coy
{
    coy* operator&() = delete;
    coy const* operator&() const = delete;
    int value = 0;
};

using registries =
    boost::mp11::mp_list<AsyncRegistry<event>,
                         AsyncRegistry<event>::with<registry_io::snapshot::single_thread>>;

using all = boost::mp11::mp_product<boost::mp11::mp_list, registries, modes>;

gate* gate_of_one_word = nullptr;
struct one_word
{
    int* to;
    task<> operator()(event const& e) const
    {
        co_await *gate_of_one_word;
        *to += e.number;
    }
};
static_assert(sizeof(one_word) == sizeof(void*));

template <class List>
using registry_of = boost::mp11::mp_first<List>;
template <class List>
using mode_of = boost::mp11::mp_second<List>;

}  // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(async_handlers_fire_by_priority_and_ties_as_registered, Case, all)
{
    registry_of<Case> r;
    journal fired;
    r.register_handler([&](event const& e) -> task<> {
        fired.add("a" + std::to_string(e.number));
        co_return;
    });
    r.register_handler(-1, [&](event const&) -> task<> {
        fired.add("last");
        co_return;
    });
    r.register_handler([&](event const&) { fired.add("b"); });
    r.register_handler(7, [&](event const&) -> task<> {
        fired.add("first");
        co_return;
    });
    event const e{3};
    async::sync_wait(mode_of<Case>::notify(r, e));
    BOOST_TEST(fired.take() == "first a3 b last ");
    BOOST_TEST(r.size() == 4u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_empty_async_registry_has_nothing_to_wait_for, Case, all)
{
    registry_of<Case> r;
    event const e{0};
    async::sync_wait(mode_of<Case>::notify(r, e));
    handler_id const id = r.register_handler([](event const&) {});
    BOOST_TEST(r.unregister(id));
    async::sync_wait(mode_of<Case>::notify(r, e));
    BOOST_TEST(r.empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(at_once_all_handlers_start_before_the_first_has_ended, Registry,
                              registries)
{
    Registry r;
    journal fired;
    gate wait;
    for (int i = 0; i < 3; ++i)
        r.register_handler([&, i](event const&) -> task<> {
            fired.add("s" + std::to_string(i));
            co_await wait;
            fired.add("e" + std::to_string(i));
        });
    event const e{1};
    auto caller = test::drive([&] { return r.notify(e); });
    BOOST_TEST(fired.take() == "s0 s1 s2 ");
    BOOST_TEST(!caller.done());
    wait.open();
    BOOST_TEST(fired.take() == "e0 e1 e2 ");
    BOOST_TEST(caller.done());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(in_turn_a_handler_starts_when_the_one_before_has_ended, Registry,
                              registries)
{
    Registry r;
    journal fired;
    gate wait[3];
    for (int i = 0; i < 3; ++i)
        r.register_handler([&, i](event const&) -> task<> {
            fired.add("s" + std::to_string(i));
            co_await wait[i];
            fired.add("e" + std::to_string(i));
        });
    event const e{1};
    auto caller = test::drive([&] { return r.notify_sequential(e); });
    BOOST_TEST(fired.take() == "s0 ");
    wait[0].open();
    BOOST_TEST(fired.take() == "e0 s1 ");
    wait[2].open();
    BOOST_TEST(fired.take() == "");
    BOOST_TEST(!caller.done());
    wait[1].open();
    BOOST_TEST(fired.take() == "e1 s2 e2 ");
    BOOST_TEST(caller.done());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_event_is_borrowed_until_the_notify_has_ended, Case, all)
{
    struct big
    {
        explicit big(std::string s) : text(std::move(s)) {}
        big(big const&) = delete;
        big& operator=(big const&) = delete;
        std::string text;
    };
    typename registry_of<Case>::template rebind_event<big> r;
    gate wait;
    std::string seen;
    big const* at = nullptr;
    r.register_handler([&](big const& e) -> task<> {
        co_await wait;
        seen = e.text;
        at = &e;
    });
    big const e("a text that is too long for the string itself to hold it");
    auto caller = test::drive([&] { return mode_of<Case>::notify(r, e); });
    wait.open();
    BOOST_TEST(caller.done());
    BOOST_TEST(seen == e.text);
    BOOST_TEST(at == &e);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(any_coroutine_awaits_a_notify_and_a_handler_awaits_anything, Case,
                              all)
{
    // A foreign coroutine awaits the notify. The handlers await a gate, an awaiter defined here, a
    // task and another notify.
    registry_of<Case> r;
    registry_of<Case> inner;
    int sum = 0;
    gate wait;
    struct own
    {
        bool await_ready() const noexcept { return true; }
        void await_suspend(std::coroutine_handle<>) const noexcept {}
        int await_resume() const noexcept { return 100; }
    };
    auto const twice = [](int n) -> task<int> { co_return 2 * n; };
    inner.register_handler([&](event const& e) -> task<> {
        co_await wait;
        sum += 1000 * e.number;
    });
    r.register_handler([&](event const& e) -> task<> {
        sum += co_await twice(e.number);
        sum += co_await own{};
        co_await mode_of<Case>::notify(inner, e);
        sum += 10000;
    });
    // A handler may return any awaitable.
    struct returned
    {
        int* to;
        bool await_ready() const noexcept { return true; }
        void await_suspend(std::coroutine_handle<>) const noexcept {}
        void await_resume() const noexcept { *to += 10; }
    };
    r.register_handler([&](event const&) { return returned{&sum}; });
    event const e{1};
    auto caller = test::drive([&] { return mode_of<Case>::notify(r, e); });
    BOOST_TEST(!caller.done());
    wait.open();
    BOOST_TEST(caller.done());
    BOOST_TEST(sum == 11112);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_large_async_registry_runs_every_handler, Case, all)
{
    registry_of<Case> r;
    std::vector<int> fired;
    gate wait;
    for (int i = 0; i < 700; ++i)
        r.register_handler(-i, [&, i](event const&) -> task<> {
            // Some of them wait, including those at the edges of the table's chunks.
            if (i % 64 == 0 || i % 64 == 63)
                co_await wait;
            fired.push_back(i);
        });
    event const e{1};
    auto caller = test::drive([&] { return mode_of<Case>::notify(r, e); });
    wait.open();
    BOOST_TEST(caller.done());
    BOOST_TEST(fired.size() == 700u);
    std::sort(fired.begin(), fired.end());
    for (int i = 0; i < 700; ++i)
        BOOST_TEST_REQUIRE(fired[static_cast<std::size_t>(i)] == i);
}

BOOST_AUTO_TEST_CASE(in_turn_a_large_registry_keeps_the_order)
{
    AsyncRegistry<event> r;
    worker w;
    std::vector<int> fired;
    for (int i = 0; i < 400; ++i)
        r.register_handler(-i, [&, i](event const&) -> task<> {
            if (i % 3 == 0)
                co_await w.here();
            fired.push_back(i);
        });
    event const e{1};
    async::sync_wait(r.notify_sequential(e));
    BOOST_TEST(fired.size() == 400u);
    BOOST_TEST(std::is_sorted(fired.begin(), fired.end()));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_handler_may_be_anything_that_makes_a_task, Mode, modes)
{
    AsyncRegistry<event> r;
    std::atomic<int> calls{0};
    static std::atomic<int>* counter;
    counter = &calls;
    // Functions, function pointers, std::function, member functions, move-only lambdas, and
    // handlers that take the environment.
    struct functions
    {
        static task<> coroutine(event const& e)
        {
            *counter += e.number;
            co_return;
        }
        static void plain(event const& e) { *counter += e.number; }
        task<> member(event const& e) const
        {
            *counter += e.number;
            co_return;
        }
    } object;
    r.register_handler(functions::coroutine);
    r.register_handler(&functions::plain);
    r.register_handler(std::function<task<>(event const&)>(&functions::coroutine));
    r.register_handler([&object](event const& e) { return object.member(e); });
    r.register_handler(std::bind_front(&functions::member, &object));
    r.register_handler([p = std::make_unique<int>(1)](event const&) -> task<> {
        *counter += *p;
        co_return;
    });
    r.register_handler([](event const& e, async::environment const& env) -> task<> {
        *counter += e.number + (env.executor() ? 100 : 0);
        co_return;
    });
    r.register_handler([](event const& e, async::environment const&) { *counter += e.number; });
    event const e{1};
    async::sync_wait(Mode::notify(r, e));
    BOOST_TEST(calls == 8);
    BOOST_CHECK_THROW(r.register_handler(std::function<task<>(event const&)>()),
                      std::invalid_argument);
    task<> (*none)(event const&) = nullptr;
    BOOST_CHECK_THROW(r.register_handler(none), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_a_coroutine_captured_lives_until_it_has_ended, Case, all)
{
    // Includes a lambda of one trivial word, which would otherwise be called through a copy.
    registry_of<Case> r;
    gate wait;
    int first = 0;
    int second = 0;
    r.register_handler([p = &first, &wait](event const& e) -> task<> {
        co_await wait;
        *p += e.number;
    });
    gate_of_one_word = &wait;
    r.register_handler(one_word{&second});
    event const e{5};
    auto caller = test::drive([&] { return mode_of<Case>::notify(r, e); });
    // Overwrites the stack below this frame.
    char volatile other[4096];
    for (char volatile& c : other)
        c = 'x';
    wait.open();
    BOOST_TEST(caller.done());
    BOOST_TEST(first == 5);
    BOOST_TEST(second == 5);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_caller_with_an_executor_is_resumed_there, Mode, modes)
{
    worker home;
    worker elsewhere;
    gate first;
    gate second;
    AsyncRegistry<event> inner;
    inner.register_handler([&](event const&) -> task<> { co_await second; });
    std::thread::id nested_on;
    AsyncRegistry<event> outer;
    outer.register_handler([&](event const& e) -> task<> {
        co_await first;
        co_await Mode::notify(inner, e);
        nested_on = std::this_thread::get_id();
    });
    event const e{1};
    std::thread::id resumed_on;
    auto const caller = [&](async::environment env) -> test::foreign {
        co_await Mode::notify(outer, e, env);
        resumed_on = std::this_thread::get_id();
    };
    auto const open_elsewhere = [&] {
        elsewhere.run([&] { first.open(); });
        elsewhere.run([&] { second.open(); });
        home.run([] {});
        home.run([] {});
    };
    {
        // The environment is passed on: the nested notify has it too.
        test::foreign const waiting = caller(async::environment(async::executor_ref::to(home)));
        open_elsewhere();
        BOOST_TEST(waiting.done());
        BOOST_TEST((resumed_on == home.id()));
        BOOST_TEST((nested_on == home.id()));
    }
    first.close();
    second.close();
    {
        // Without an executor, the thread that ends the last handler resumes the caller.
        test::foreign const waiting = caller(async::environment());
        open_elsewhere();
        BOOST_TEST(waiting.done());
        BOOST_TEST((resumed_on == elsewhere.id()));
        BOOST_TEST((nested_on == elsewhere.id()));
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(where_nothing_waits_the_caller_is_not_suspended, Mode, modes)
{
    AsyncRegistry<event> r;
    worker home;
    r.register_handler([](event const&) -> task<> { co_return; });
    r.register_handler([](event const&) {});
    event const e{1};
    std::thread::id went_on_on;
    auto const caller = [&]() -> task<> {
        co_await Mode::notify(r, e);
        went_on_on = std::this_thread::get_id();
    };
    async::sync_wait(caller(), async::environment(async::executor_ref::to(home)));
    BOOST_TEST((went_on_on == std::this_thread::get_id()));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_hundred_thousand_notifies_in_a_loop_need_no_stack, Mode, modes)
{
    // At -O0 and under sanitizers, symmetric transfer is an ordinary call.
    AsyncRegistry<event> r;
    long sum = 0;
    auto const one = []() -> task<long> { co_return 1; };
    r.register_handler([&](event const&) -> task<> { sum += co_await one(); });
    r.register_handler([&](event const&) -> task<> {
        ++sum;
        co_return;
    });
    event const e{1};
    auto const loop = [&]() -> task<> {
        for (int i = 0; i < 100000; ++i)
            co_await Mode::notify(r, e);
    };
    async::sync_wait(loop());
    BOOST_TEST(sum == 200000);
}

BOOST_AUTO_TEST_CASE(in_turn_ten_thousand_handlers_that_wait_need_no_stack)
{
    // Each handler waits, and is resumed by another thread while the first one is still returning.
    AsyncRegistry<event> r;
    worker w;
    long sum = 0;
    for (int i = 0; i < 10000; ++i)
        r.register_handler([&](event const&) -> task<> {
            co_await w.here();
            ++sum;
        });
    event const e{1};
    async::sync_wait(r.notify_sequential(e));
    BOOST_TEST(sum == 10000);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_temporary_event_lives_through_an_async_notify, Mode, modes)
{
    // Not an aggregate: aggregates are refused where the compiler would destroy them twice.
    struct text
    {
        explicit text(char const* s) : value(s) {}
        std::string value;
    };
    AsyncRegistry<text> r;
    worker w;
    std::string seen;
    r.register_handler([&](text const& t) -> task<> {
        co_await w.here();
        seen = t.value;
    });
    auto const caller = [&]() -> task<> {
        co_await Mode::notify(r, text("longer than what fits into a string without the heap"));
    };
    async::sync_wait(caller());
    BOOST_TEST(seen == "longer than what fits into a string without the heap");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_async_event_may_have_an_address_operator_of_its_own, Mode, modes)
{
    AsyncRegistry<coy> r;
    int sum = 0;
    r.register_handler([&sum](coy const& e) -> task<> {
        sum += e.value;
        co_return;
    });
    coy const event{.value = 3};
    async::sync_wait(Mode::notify(r, event));
    BOOST_TEST(sum == 3);
}

BOOST_AUTO_TEST_CASE(a_mutable_lambda_is_a_handler_where_one_thread_runs_them)
{
    AsyncRegistry<event>::with<registry_io::snapshot::single_thread> r;
    int last = 0;
    r.register_handler([n = 0, &last](event const& e) mutable -> task<> {
        n += e.number;
        last = n;
        co_return;
    });
    event const e{2};
    async::sync_wait(r.notify(e));
    async::sync_wait(r.notify(e));
    BOOST_TEST(last == 4);
}

BOOST_AUTO_TEST_CASE(an_async_registry_has_the_interface_of_the_other_one)
{
    AsyncRegistry<event> r(16);
    int calls = 0;
    auto const count = [&](event const&) -> task<> {
        ++calls;
        co_return;
    };
    event const e{1};
    {
        registry_io::async_handler_guard g = r.register_guard(count);
        registry_io::async_handler_guard h = r.register_guard(3, count);
        BOOST_TEST(r.contains(g.id()));
        async::sync_wait(r.notify(e));
        BOOST_TEST(calls == 2);
        h.release();
    }
    BOOST_TEST(r.size() == 1u);
    std::vector<int> keys;
    r.for_each_handler([&](handler_id, int key) { keys.push_back(key); });
    BOOST_TEST(keys == std::vector<int>{3}, boost::test_tools::per_element());
    handler_id inside;
    auto const result = r.update([&](auto& tx) {
        tx.clear();
        inside = tx.register_handler(count);
        tx.register_handler(-5, count);
        tx.unregister(inside);
    });
    BOOST_TEST(result.registered == 2u);
    BOOST_TEST(result.unregistered == 2u);
    BOOST_TEST(!r.contains(inside));
    async::sync_wait(r.notify_sequential(e));
    BOOST_TEST(calls == 3);
    BOOST_TEST(r.clear() == 1u);
    BOOST_TEST(r.empty());
    r.synchronize();
    BOOST_TEST(!r.unregister_and_wait(inside));

    AsyncRegistry<event>::with<registry_io::ordering::fifo> fifo;
    fifo.register_handler(count);
    async::sync_wait(fifo.notify(e));
    BOOST_TEST(calls == 4);
}
