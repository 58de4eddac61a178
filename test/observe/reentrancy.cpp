// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// observe::limited and forbidden, observe::tapped, observe::crowded.

#include <atomic>
#include <coroutine>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include <registry_io/observe/crowded.hpp>
#include <registry_io/observe/limited.hpp>
#include <registry_io/observe/named.hpp>
#include <registry_io/observe/tapped.hpp>
#include <registry_io/panic/propagate.hpp>
#include <registry_io/presets.hpp>
#include <registry_io/presets/async.hpp>

#include "observe/support.hpp"

namespace {

namespace rio = registry_io;
namespace observe = rio::observe;

bool contains(std::string_view text, std::string_view part)
{
    return text.find(part) != text.npos;
}

template <std::size_t Depth>
using limited =
    rio::SyncRegistry<int>::with<observe::limited<Depth, observe::named<rio::panic::catch_log>>>;

}  // namespace

BOOST_AUTO_TEST_CASE(a_handler_that_notifies_its_own_registry_is_refused_in_a_sentence)
{
    rio::SyncRegistry<int>::with<observe::forbidden<observe::named<rio::panic::catch_log>>> r;
    std::vector<std::string> messages;
    r.on_panic([&](rio::panic_info const& info) { messages.emplace_back(info.message()); });
    std::vector<int> log;
    r.register_handler(1, observe::name("echo", [&](int i) {
                           log.push_back(i);
                           if (i == 0)
                               r.notify(1);
                       }));
    r.register_handler([&](int i) { log.push_back(10 + i); });
    r.notify(0);
    std::vector<int> const expected{0, 10};
    BOOST_TEST(log == expected, boost::test_tools::per_element());
    BOOST_TEST_REQUIRE(messages.size() == 2u);  // each handler that was not called counts as failed
    BOOST_TEST(contains(messages[0], "'echo' ("));
    BOOST_TEST(contains(messages[0], "reentrancy.cpp:"));
    BOOST_TEST(
        contains(messages[0], " of int has notified its own registry, nested more than 1 deep"));
    r.notify(2);
    BOOST_TEST(log.size() == 4u);
    BOOST_TEST(messages.size() == 2u);
}

BOOST_AUTO_TEST_CASE(a_notify_may_nest_as_deeply_as_the_limit_and_no_deeper)
{
    limited<3> r;
    int calls = 0;
    int refused = 0;
    r.on_panic([&](rio::panic_info const& info) {
        refused += contains(info.message(), "more than 3 deep") ? 1 : 100;
    });
    r.register_handler([&](int depth) {
        ++calls;
        if (depth > 1)
            r.notify(depth - 1);
    });
    r.notify(3);
    BOOST_TEST(calls == 3);
    BOOST_TEST(refused == 0);
    r.notify(4);
    BOOST_TEST(calls == 6);
    BOOST_TEST(refused == 1);
}

BOOST_AUTO_TEST_CASE(other_registries_and_other_threads_do_not_count)
{
    limited<1> a;
    limited<1> b;
    int calls = 0;
    int failures = 0;
    a.on_panic([&](rio::panic_info const&) { ++failures; });
    b.on_panic([&](rio::panic_info const&) { ++failures; });
    b.register_handler([&](int i) {
        ++calls;
        if (i == 1)
            a.notify(2);  // through b: notifies a again, on this thread
    });
    a.register_handler([&](int i) {
        ++calls;
        if (i == 0) {
            b.notify(0);
            std::thread([&] { a.notify(3); }).join();
        } else if (i == 5) {
            b.notify(1);
        }
    });
    a.notify(0);
    BOOST_TEST(calls == 3);
    BOOST_TEST(failures == 0);
    a.notify(5);
    BOOST_TEST(calls == 5);
    BOOST_TEST(failures == 1);
}

BOOST_AUTO_TEST_CASE(the_wrapped_policy_decides_what_becomes_of_a_refusal)
{
    rio::SyncRegistry<int>::with<observe::forbidden<rio::panic::propagate>> r;
    bool thrown = false;
    r.register_handler([&](int i) {
        if (i != 0)
            return;
        try {
            r.notify(1);
        } catch (observe::reentrancy_error const&) {
            thrown = true;
        }
    });
    r.notify(0);
    BOOST_TEST(thrown);
    int told = 0;
    bool outer = true;
    r.clear();
    r.register_handler([&](int) {
        if (std::exchange(outer, false))
            r.notify(1, [&](rio::panic_info const&) { ++told; });
    });
    r.notify(0);
    BOOST_TEST(told == 1);
}

BOOST_AUTO_TEST_CASE(in_an_asynchronous_registry_a_refusal_is_fatal_and_waiting_is_no_nesting)
{
    rio::AsyncRegistry<int>::with<observe::forbidden<rio::panic::catch_log>> r;
    test::gate g;
    int ended = 0;
    int calls = 0;
    r.register_handler([&](int i) -> rio::async::task<> {
        ++calls;
        if (i == 0) {
            co_await g;
            co_await r.notify(1);
        } else if (i == 2) {
            co_await r.notify(1);
        }
    });
    test::notify_of(r, 0, ended);
    test::notify_of(r, 1, ended);  // while the first notify waits
    BOOST_TEST(ended == 1);
    g.open();
    BOOST_TEST(ended == 2);
    BOOST_TEST(calls == 3);
    pid_t const child = ::fork();
    if (child == 0) {
        static_cast<void>(std::freopen("/dev/null", "w", stderr));
        std::set_terminate([] { std::_Exit(77); });
        test::notify_of(r, 2, ended);
        std::_Exit(0);
    }
    int status = -1;
    ::waitpid(child, &status, 0);
    BOOST_TEST((WIFEXITED(status) && WEXITSTATUS(status) == 77));
}

// ----- tapped

namespace {

struct tap
{
    static void notify_begins(char const* event) { log.push_back(std::string("(") + event); }
    static void notify_ends(char const* event) { log.push_back(event + std::string(")")); }
    static void handler_begins(observe::tapped_call const& c)
    {
        log.push_back(std::string("+") + c.label.name());
    }
    static void handler_ends(observe::tapped_call const& c)
    {
        log.push_back(std::string("-") + c.label.name());
    }
    static void handler_failed(observe::tapped_call const& c)
    {
        log.push_back(std::string("!") + c.label.name());
    }
    inline static std::vector<std::string> log;
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_tap_sees_the_beginning_and_the_end_of_everything)
{
    rio::SyncRegistry<int>::with<observe::tapped<tap, observe::named<rio::panic::catch_log>>> r;
    r.on_panic([](rio::panic_info const&) { tap::log.emplace_back("callback"); });
    r.notify(0);
    BOOST_TEST(tap::log.empty());
    r.register_handler(observe::name("a", [&](int i) {
        if (i == 0)
            r.notify(1);
    }));
    r.register_handler(observe::name("b", [](int i) {
        if (i == 0)
            throw 1;
    }));
    r.notify(0);
    std::vector<std::string> const expected{"(int", "+a", "(int", "+a", "-a", "+b",       "-b",
                                            "int)", "-a", "+b",   "-b", "!b", "callback", "int)"};
    BOOST_TEST(tap::log == expected, boost::test_tools::per_element());
    // For a coroutine, a tap ends where the coroutine waits.
    tap::log.clear();
    rio::AsyncRegistry<int>::with<observe::named<observe::tapped<tap, rio::panic::catch_log>>> a;
    test::gate g;
    a.register_handler(observe::name("c", [&](int) -> rio::async::task<> { co_await g; }));
    int ended = 0;
    test::notify_of(a, 0, ended);
    std::vector<std::string> const before{"(int", "+c", "-c"};
    BOOST_TEST(tap::log == before, boost::test_tools::per_element());
    g.open();
    BOOST_TEST(tap::log.back() == "int)");
}

// ----- crowded

namespace {

struct crowds
{
    static void report(observe::crowd const& c) noexcept
    {
        all.push_back(std::to_string(c.handlers) + ' ' + c.event + ' ' + c.label.text());
    }
    inline static std::vector<std::string> all;
};

}  // namespace

BOOST_AUTO_TEST_CASE(more_handlers_than_the_threshold_are_told_of_with_the_place)
{
    rio::SyncRegistry<int>::with<observe::crowded<3, rio::panic::catch_log, crowds>> r;
    std::vector<rio::handler_guard> guards;
    unsigned line = 0;
    auto const add = [&] {
        line = __LINE__ + 1;
        guards.push_back(r.register_guard(observe::here([](int) {})));
    };
    for (int i = 0; i < 3; ++i)
        add();
    // Handlers that are removed again are no leak.
    for (int i = 0; i < 10; ++i) {
        guards.pop_back();
        add();
    }
    BOOST_TEST(crowds::all.empty());
    add();
    BOOST_TEST_REQUIRE(crowds::all.size() == 1u);
    BOOST_TEST(contains(crowds::all[0], "4 int "));
    BOOST_TEST(contains(crowds::all[0], "reentrancy.cpp:" + std::to_string(line)));
    for (int i = 0; i < 5; ++i)
        add();
    BOOST_TEST(crowds::all.size() == 2u);  // 9 is more than twice 4
    BOOST_TEST(contains(crowds::all[1], "9 int "));
    // Handlers of one word, which are stored in the table, are reported with their type.
    int sum = 0;
    struct word
    {
        int* to;
        void operator()(int i) const { *to += i; }
    };
    for (int i = 0; i < 10; ++i)
        r.register_handler(word{&sum});
    BOOST_TEST_REQUIRE(crowds::all.size() == 3u);
    BOOST_TEST(contains(crowds::all[2], "19 int ("));
    BOOST_TEST(contains(crowds::all[2], "word)"));
}
