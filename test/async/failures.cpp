// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Exceptions of asynchronous handlers under each panic policy: from the call that makes the
// coroutine, before its first suspension, and after it.

#include <cstdlib>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <boost/mp11.hpp>
#include <boost/test/unit_test.hpp>

#include <registry_io/alloc/heap.hpp>
#include <registry_io/archetype.hpp>
#include <registry_io/observe/named.hpp>
#include <registry_io/observe/timed.hpp>
#include <registry_io/panic/catch_log.hpp>
#include <registry_io/panic/collect.hpp>
#include <registry_io/panic/propagate.hpp>
#include <registry_io/panic/quarantine.hpp>
#include <registry_io/panic/terminate.hpp>
#include <registry_io/presets/async.hpp>
#include <registry_io/snapshot/locked.hpp>

#include "async/support.hpp"
#include "process/child.hpp"

namespace {

namespace async = registry_io::async;
namespace panic = registry_io::panic;
using registry_io::AsyncRegistry;
using registry_io::handler_id;
using registry_io::panic_info;
using test::at_once;
using test::gate;
using test::journal;
using test::modes;
using test::task;

/// Registers a handler that fails in each of the four ways, each between two handlers that do not
/// fail.
template <class Registry>
std::vector<handler_id> register_failing(Registry& r, journal& fired, gate& wait)
{
    std::vector<handler_id> ids;
    auto const good = [&](char const* name) {
        r.register_handler([&fired, name](int) -> task<> {
            fired.add(name);
            co_return;
        });
    };
    good("a");
    ids.push_back(r.register_handler([](int) { throw std::runtime_error("plain"); }));
    good("b");
    // Not a coroutine: it fails before a task exists.
    ids.push_back(r.register_handler([](int) -> task<> { throw std::runtime_error("making"); }));
    good("c");
    ids.push_back(r.register_handler([](int) -> task<> {
        throw std::runtime_error("before");
        co_return;
    }));
    good("d");
    ids.push_back(r.register_handler([&wait](int) -> task<> {
        co_await wait;
        throw std::runtime_error("after");
    }));
    good("e");
    return ids;
}

}  // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(an_async_handler_that_fails_never_stops_its_siblings, Mode, modes)
{
    AsyncRegistry<int> r;
    journal fired;
    gate wait;
    std::vector<panic_info> told;
    r.on_panic([&](panic_info const& p) {
        told.push_back(p);
        fired.add("!" + std::string(p.message()));
    });
    auto const ids = register_failing(r, fired, wait);
    int const e = 1;
    auto caller = test::drive([&] { return Mode::notify(r, e); });
    BOOST_TEST(told.size() == 3u);
    wait.open();
    BOOST_TEST(caller.done());
    BOOST_TEST((caller.thrown() == nullptr));
    // The callback is called right after the handler and before its next sibling.
    BOOST_TEST(fired.take() ==
               (std::is_same_v<Mode, at_once> ? "a !plain b !making c !before d e !after "
                                              : "a !plain b !making c !before d !after e "));
    BOOST_TEST_REQUIRE(told.size() == 4u);
    for (std::size_t i = 0; i < 4; ++i)
        BOOST_TEST(told[i].handler_id() == ids[i]);
    BOOST_CHECK_THROW(std::rethrow_exception(told[3].exception()), std::runtime_error);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(propagate_throws_the_first_failure_when_all_have_ended, Mode, modes)
{
    AsyncRegistry<int>::with<panic::propagate> r;
    journal fired;
    gate wait;
    register_failing(r, fired, wait);
    int const e = 1;
    auto caller = test::drive([&] { return Mode::notify(r, e); });
    BOOST_TEST(!caller.done());
    wait.open();
    BOOST_TEST_REQUIRE(caller.done());
    BOOST_TEST(fired.take() == "a b c d e ");
    BOOST_CHECK_EXCEPTION(std::rethrow_exception(caller.thrown()), std::runtime_error,
                          [](auto& x) { return x.what() == std::string("plain"); });

    // The same if no handler waits.
    auto again = test::drive([&] { return Mode::notify(r, e); });
    BOOST_TEST_REQUIRE(again.done());
    BOOST_CHECK_THROW(std::rethrow_exception(again.thrown()), std::runtime_error);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(collect_returns_the_failures_of_async_handlers, Mode, modes)
{
    AsyncRegistry<int>::with<panic::collect<3>> r;
    journal fired;
    gate wait;
    auto const ids = register_failing(r, fired, wait);
    int const e = 1;
    panic::collected<3> result;
    auto const run = [&]() -> test::foreign { result = co_await Mode::notify(r, e); };
    auto caller = run();
    wait.open();
    BOOST_TEST(caller.done());
    BOOST_TEST(result.size() == 3u);
    BOOST_TEST(result.more() == 1u);
    BOOST_TEST(result[0].handler_id() == ids[0]);
    BOOST_TEST(result[2].message() == "before");

    r.clear();
    BOOST_TEST(async::sync_wait(Mode::notify(r, e)).empty());
    r.register_handler([](int) -> task<> {
        throw 1;
        co_return;
    });
    BOOST_TEST(async::sync_wait(Mode::notify(r, e)).size() == 1u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(quarantine_counts_async_failures_in_a_row, Mode, modes)
{
    AsyncRegistry<int>::with<panic::quarantine<2>> r;
    r.on_panic([](panic_info const&) {});
    gate wait;
    wait.open();
    // The handler waits, or only seems to. Its outcome comes after its start, and the start does
    // not count as a success.
    bool fails = true;
    handler_id const id = r.register_handler([&](int) -> task<> {
        co_await wait;
        if (fails)
            throw std::runtime_error("x");
    });
    int const e = 1;
    async::sync_wait(Mode::notify(r, e));
    fails = false;
    async::sync_wait(Mode::notify(r, e));
    fails = true;
    async::sync_wait(Mode::notify(r, e));
    BOOST_TEST(r.contains(id));
    wait.close();
    auto caller = test::drive([&] { return Mode::notify(r, e); });
    BOOST_TEST(r.contains(id));
    wait.open();
    BOOST_TEST(!r.contains(id));
    BOOST_TEST(caller.done());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_exception_that_leaves_the_panic_policy_ends_an_async_notify, Mode,
                              modes)
{
    // The archetype lets every exception through at once.
    using registry =
        registry_io::basic_async_registry<int, registry_io::snapshot::locked,
                                          registry_io::ordering::priority,
                                          registry_io::archetype::panic, registry_io::alloc::heap>;
    for (bool const fails_later : {false, true}) {
        registry r;
        journal fired;
        gate wait;
        gate other;
        r.register_handler([&](int) -> task<> {
            co_await other;
            fired.add("first");
        });
        r.register_handler([&, fails_later](int) -> task<> {
            if (fails_later)
                co_await wait;
            throw std::runtime_error("x");
        });
        r.register_handler([&](int) -> task<> {
            fired.add("third");
            co_return;
        });
        int const e = 1;
        auto caller = test::drive([&] { return Mode::notify(r, e); });
        wait.open();
        // Handlers that have started are always waited for.
        BOOST_TEST(!caller.done());
        other.open();
        BOOST_TEST_REQUIRE(caller.done());
        BOOST_TEST((caller.thrown() != nullptr));
        bool const third = std::is_same_v<Mode, at_once> && fails_later;
        BOOST_TEST(fired.take() == (third ? "third first " : "first "));
        r.synchronize();  // no snapshot is held any more
    }
}

BOOST_AUTO_TEST_CASE(failures_of_several_threads_are_reported_one_at_a_time)
{
    AsyncRegistry<int>::with<panic::propagate> r;
    int told = 0;  // not atomic: reports do not overlap
    r.on_panic([&](panic_info const&) { ++told; });
    test::worker w[4];
    for (int i = 0; i < 64; ++i)
        r.register_handler([&, i](int) -> task<> {
            co_await w[i % 4].here();
            throw std::runtime_error("x");
        });
    int const e = 1;
    for (int i = 0; i < 200; ++i)
        BOOST_CHECK_THROW(async::sync_wait(r.notify(e)), std::runtime_error);
    BOOST_TEST(told == 200 * 64);
}

namespace {

/// An exception whose `what()` returns null.
struct mute : std::exception
{
    char const* what() const noexcept override { return nullptr; }
};

/// Registers handlers that throw a `mute`: in the call itself, before the first wait, after it, and
/// through a task that they await.
template <class Registry>
void register_mute(Registry& r, gate& wait)
{
    r.register_handler([](int) { throw mute(); });
    r.register_handler([](int) -> task<> {
        throw mute();
        co_return;
    });
    r.register_handler([&wait](int) -> task<> {
        co_await wait;
        throw mute();
    });
    r.register_handler([&wait](int) -> task<> {
        auto const sub = [](gate& g) -> task<> {
            co_await g;
            throw mute();
        };
        co_await sub(wait);
    });
}

/// Notifies, and returns what was thrown.
template <class Mode, class Registry>
std::exception_ptr notify_to_the_end(Registry& r, gate& wait)
{
    int const e = 1;
    auto const caller = test::drive([&] { return Mode::notify(r, e); });
    wait.open();
    BOOST_TEST_REQUIRE(caller.done());
    return caller.thrown();
}

using with_callback =
    boost::mp11::mp_list<panic::catch_log, panic::propagate, panic::quarantine<2>>;
using modes_with_callback = boost::mp11::mp_product<boost::mp11::mp_list, modes, with_callback>;

}  // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(an_async_failure_whose_what_returns_null_has_an_empty_message, Case,
                              modes_with_callback)
{
    using panic_policy = boost::mp11::mp_second<Case>;
    AsyncRegistry<int>::with<panic_policy> r;
    gate wait;
    int told = 0;
    r.on_panic([&](panic_info const& p) {
        told += p.message().empty();
        BOOST_CHECK_THROW(std::rethrow_exception(p.exception()), mute);
    });
    register_mute(r, wait);
    auto const thrown = notify_to_the_end<boost::mp11::mp_first<Case>>(r, wait);
    BOOST_TEST(told == 4);
    BOOST_TEST((thrown != nullptr) == !panic_policy::isolates);
    if (thrown != nullptr)
        BOOST_CHECK_THROW(std::rethrow_exception(thrown), mute);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(collect_returns_async_failures_whose_what_returns_null, Mode, modes)
{
    AsyncRegistry<int>::with<panic::collect<4>> r;
    gate wait;
    register_mute(r, wait);
    panic::collected<4> result;
    int const e = 1;
    auto const run = [&]() -> test::foreign { result = co_await Mode::notify(r, e); };
    auto const caller = run();
    wait.open();
    BOOST_TEST_REQUIRE(caller.done());
    BOOST_TEST_REQUIRE(result.size() == 4u);
    for (panic_info const& p : result) {
        BOOST_TEST(p.message().empty());
        BOOST_CHECK_THROW(std::rethrow_exception(p.exception()), mute);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(async_failures_whose_what_returns_null_are_logged, Mode, modes)
{
    AsyncRegistry<int> r;
    gate wait;
    std::string line;
    r.log_to([&](std::string_view l) { line += l; });
    r.register_handler([&](int) -> task<> {
        co_await wait;
        throw mute();
    });
    notify_to_the_end<Mode>(r, wait);
    BOOST_TEST(line.ends_with(" threw: "));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(quarantine_removes_who_fails_with_a_null_what, Mode, modes)
{
    // Without a callback the removal is logged to stderr, which is silenced here.
    int const outcome = process::in_child([] {
        process::silence();
        AsyncRegistry<int>::with<panic::quarantine<1>> r;
        gate wait;
        register_mute(r, wait);
        int const e = 1;
        auto const caller = test::drive([&] { return Mode::notify(r, e); });
        wait.open();
        return caller.done() && r.empty() ? 0 : 1;
    });
    BOOST_TEST(outcome == 0);
}

BOOST_AUTO_TEST_CASE(a_failing_async_handler_ends_the_program_under_terminate)
{
    for (bool const waits : {false, true}) {
        int const ended = process::in_child([waits] {
            std::set_terminate([] { std::_Exit(77); });
            AsyncRegistry<int>::with<panic::terminate> r;
            gate wait;
            r.register_handler([&, waits](int) -> task<> {
                if (waits)
                    co_await wait;
                throw std::runtime_error("x");
            });
            int const e = 1;
            auto caller = test::drive([&] { return r.notify(e); });
            wait.open();
            return 0;
        });
        BOOST_TEST(ended == 77);
    }
}

using sink_registries =
    boost::mp11::mp_list<AsyncRegistry<int>, AsyncRegistry<int>::with<panic::propagate>,
                         AsyncRegistry<int>::with<panic::collect<1>>,
                         AsyncRegistry<int>::with<panic::quarantine<1>>,
                         AsyncRegistry<int>::with<panic::terminate>,
                         AsyncRegistry<int>::with<registry_io::observe::named<panic::propagate>>,
                         AsyncRegistry<int>::with<registry_io::observe::timed<panic::terminate>>,
                         AsyncRegistry<int>::with<registry_io::snapshot::locked>>;
using sink_cases = boost::mp11::mp_product<boost::mp11::mp_list, sink_registries, modes>;

BOOST_AUTO_TEST_CASE_TEMPLATE(a_sink_is_told_of_each_failure_of_its_async_notify, Case, sink_cases)
{
    using Registry = boost::mp11::mp_first<Case>;
    using Mode = boost::mp11::mp_second<Case>;
    Registry r;
    journal fired;
    gate wait;
    if constexpr (Registry::panic_policy::reports)
        r.on_panic([&](panic_info const&) { fired.add("callback"); });
    auto const ids = register_failing(r, fired, wait);
    std::vector<panic_info> told;
    auto const held = std::make_shared<int>(0);
    int const e = 1;
    {
        // The sink is moved into the notify, and destroyed with it.
        auto caller = test::drive([&] {
            return Mode::notify(r, e, [&, held](panic_info const& p) {
                told.push_back(p);
                fired.add("!" + std::string(p.message()));
            });
        });
        BOOST_TEST(!caller.done());
        BOOST_TEST(held.use_count() == 2);
        wait.open();
        BOOST_TEST(caller.done());
        BOOST_TEST((caller.thrown() == nullptr));
    }
    BOOST_TEST(held.use_count() == 1);
    BOOST_TEST(fired.take() ==
               (std::is_same_v<Mode, at_once> ? "a !plain b !making c !before d e !after "
                                              : "a !plain b !making c !before d !after e "));
    BOOST_TEST_REQUIRE(told.size() == 4u);
    for (std::size_t i = 0; i < 4; ++i)
        BOOST_TEST(told[i].handler_id() == ids[i]);
    BOOST_TEST(r.size() == 9u);  // quarantine has not counted these failures
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_a_sink_of_an_async_notify_throws_ends_it, Mode, modes)
{
    AsyncRegistry<int> r;
    gate wait;
    int begun = 0;
    r.register_handler([&](int) -> task<> {
        ++begun;
        co_await wait;
        throw std::runtime_error("late");
    });
    r.register_handler([&](int) -> task<> {
        ++begun;
        throw std::runtime_error("early");
        co_return;
    });
    r.register_handler([&](int) { ++begun; });
    auto sink = [](panic_info const&) { throw std::logic_error("enough"); };
    int const e = 1;
    registry_io::async::environment const env;
    auto caller = test::drive([&] { return Mode::notify(r, e, env, sink); });
    wait.open();
    BOOST_TEST_REQUIRE(caller.done());
    BOOST_TEST(begun == (std::is_same_v<Mode, at_once> ? 2 : 1));
    BOOST_CHECK_THROW(std::rethrow_exception(caller.thrown()), std::logic_error);
    r.synchronize();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_sink_is_told_of_handlers_that_are_given_up, Mode, modes)
{
    AsyncRegistry<int> r;
    gate wait;
    r.register_handler([&](int) -> task<> { co_await wait; });
    int abandoned = 0;
    int const e = 1;
    {
        auto caller = test::drive([&] {
            return Mode::notify(r, e, [&](panic_info const& p) {
                try {
                    std::rethrow_exception(p.exception());
                } catch (async::abandoned const&) {
                    ++abandoned;
                }
            });
        });
        BOOST_TEST(!caller.done());
    }
    BOOST_TEST(abandoned == 1);
    r.synchronize();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_sink_is_called_by_one_thread_at_a_time, Mode, modes)
{
    AsyncRegistry<int> r;
    constexpr int handlers = 8;
    std::vector<gate> waits(handlers);
    for (gate& g : waits)
        r.register_handler([&g](int) -> task<> {
            co_await g;
            throw 1;
        });
    int told = 0;  // not atomic: the calls must not overlap
    int const e = 1;
    auto caller =
        test::drive([&] { return Mode::notify(r, e, [&](panic_info const&) { ++told; }); });
    std::vector<std::thread> threads;
    for (gate& g : waits)
        threads.emplace_back([&g] { g.open(); });
    for (std::thread& t : threads)
        t.join();
    BOOST_TEST(caller.done());
    BOOST_TEST(told == handlers);
}
