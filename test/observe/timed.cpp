// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// What observe::timed counts, with a clock that the test advances, and how it writes the results.

#include <atomic>
#include <coroutine>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <registry_io/observe/named.hpp>
#include <registry_io/observe/timed.hpp>
#include <registry_io/panic/propagate.hpp>
#include <registry_io/presets.hpp>
#include <registry_io/presets/async.hpp>

#include "memory.hpp"
#include "observe/support.hpp"

namespace {

namespace rio = registry_io;
namespace observe = rio::observe;
using test::hand_clock;

using policy = observe::timed<observe::named<rio::panic::catch_log>, hand_clock>;
using registry = rio::SyncRegistry<int>::with<policy>;

bool contains(std::string const& text, std::string const& part)
{
    return text.find(part) != text.npos;
}

}  // namespace

BOOST_AUTO_TEST_CASE(calls_failures_and_durations_of_each_handler_are_exact)
{
    registry r;
    r.on_panic([](rio::panic_info const&) {});
    r.register_handler(observe::name("slow", [](int) { hand_clock::advance(1000); }));
    r.register_handler(observe::name("failing", [](int i) {
        hand_clock::advance(static_cast<std::uint64_t>(i));
        if (i % 2 != 0)
            throw std::runtime_error("odd");
    }));
    // The longest call is neither the first nor the last one.
    for (int i = 0; i < 10; ++i)
        r.notify(i * 7 % 10);
    observe::registry_timings const all = observe::timings(r);
    BOOST_TEST(all.event == "int");
    BOOST_TEST_REQUIRE(all.handlers.size() == 2u);
    observe::timing const& slow = all.handlers[0].times;
    BOOST_TEST(all.handlers[0].label.name() == std::string("slow"));
    BOOST_TEST(slow.calls == 10u);
    BOOST_TEST(slow.failures == 0u);
    BOOST_TEST(slow.total_ns == 10'000u);
    BOOST_TEST(slow.greatest_ns == 1000u);
    BOOST_TEST(slow.mean_ns() == 1000u);
    BOOST_TEST(slow.histogram[9] == 10u);  // 512 to 1023
    BOOST_TEST(slow.quantile_ns(0.5) == 1000u);
    observe::timing const& failing = all.handlers[1].times;
    BOOST_TEST(failing.calls == 10u);
    BOOST_TEST(failing.failures == 5u);
    BOOST_TEST(failing.total_ns == 45u);
    BOOST_TEST(failing.greatest_ns == 9u);
    BOOST_TEST(failing.histogram[0] == 2u);
    BOOST_TEST(failing.histogram[1] == 2u);
    BOOST_TEST(failing.histogram[2] == 4u);
    BOOST_TEST(failing.histogram[3] == 2u);
    BOOST_TEST(failing.quantile_ns(0.4) == 3u);
    BOOST_TEST(failing.quantile_ns(1) == 9u);
}

BOOST_AUTO_TEST_CASE(a_failure_is_counted_whatever_becomes_of_it)
{
    rio::SyncRegistry<int>::with<observe::timed<rio::panic::propagate, hand_clock>> r;
    r.register_handler([](int) { throw std::runtime_error("out"); });
    BOOST_CHECK_THROW(r.notify(0), std::runtime_error);
    int told = 0;
    r.notify(0, [&](rio::panic_info const&) { ++told; });
    BOOST_TEST(told == 1);
    observe::timing const t = observe::timings(r).handlers[0].times;
    BOOST_TEST(t.calls == 2u);
    BOOST_TEST(t.failures == 2u);
}

BOOST_AUTO_TEST_CASE(counts_are_exact_when_threads_share_a_handler_and_are_read_meanwhile)
{
    registry r;
    r.on_panic([](rio::panic_info const&) {});
    r.register_handler([](int i) {
        if (i == 0)
            throw 1;
    });
    std::atomic<bool> stop{false};
    std::atomic<int> backwards{0};
    std::thread reader([&] {
        std::uint64_t last = 0;
        do {
            observe::timing const t = observe::timings(r).handlers[0].times;
            backwards += t.calls < last ? 1 : 0;
            last = t.calls;
        } while (!stop);
    });
    std::vector<std::thread> threads;
    for (int n = 0; n < 3; ++n)
        threads.emplace_back([&] {
            for (int i = 0; i < 1000; ++i)
                r.notify(i % 10);
        });
    for (std::thread& t : threads)
        t.join();
    stop = true;
    reader.join();
    BOOST_TEST(backwards == 0);
    observe::timing const t = observe::timings(r).handlers[0].times;
    BOOST_TEST(t.calls == 3000u);
    BOOST_TEST(t.failures == 300u);
}

BOOST_AUTO_TEST_CASE(a_timed_notify_does_not_allocate)
{
    registry r;
    r.register_handler([](int) {});
    r.notify(0);
    std::uint64_t const before = test::allocations();
    for (int i = 0; i < 10; ++i)
        r.notify(i);
    BOOST_TEST(test::allocations() == before);
}

BOOST_AUTO_TEST_CASE(timings_are_written_as_a_table_json_and_for_prometheus)
{
    observe::registry_timings all;
    all.event = "shop::order<\"x\">";
    observe::handler_timing h;
    h.id = rio::handler_id(3, 17);
    h.label = rio::handler_label("write \"audit\"");
    h.times.calls = 4;
    h.times.failures = 1;
    h.times.total_ns = 3'000'100;
    h.times.greatest_ns = 3'000'000;
    h.times.histogram[6] = 3;
    h.times.histogram[21] = 1;
    all.handlers.push_back(h);
    h.id = rio::handler_id(3, 18);
    h.label = {};
    h.times = {};
    h.times.total_ns = 9'000'000;
    all.handlers.push_back(h);

    std::string const table = observe::to_table(all);
    std::size_t const slow = table.find("3:18");
    BOOST_TEST_REQUIRE(slow != table.npos);
    BOOST_TEST(slow < table.find("3:17 'write \"audit\"' ("));  // sorted by total, greatest first
    BOOST_TEST(contains(table, "3.000  3:17"));

    std::string const json = observe::to_json(all);
    BOOST_TEST(contains(json, "{\"event\": \"shop::order<\\\"x\\\">\", \"handlers\": ["));
    BOOST_TEST(
        contains(json, "{\"id\": \"3:17\", \"name\": \"write \\\"audit\\\"\", \"type\": \"\""));
    BOOST_TEST(contains(json, "timed.cpp\", \"line\": "));
    BOOST_TEST(contains(json,
                        "\"calls\": 4, \"failures\": 1, \"total_ns\": 3000100, "
                        "\"greatest_ns\": 3000000, \"histogram_ns\": [[6, 3], [21, 1]]}"));

    std::string const text = observe::to_prometheus(all);
    std::string const labels =
        "{event=\"shop::order<\\\"x\\\">\",id=\"3:17\",handler=\"write \\\"audit\\\"\"";
    std::string const name = "registry_io_handler_duration_seconds";
    BOOST_TEST(contains(text, "# TYPE " + name + " histogram\n"));
    BOOST_TEST(contains(text, name + "_bucket" + labels + ",le=\"255e-9\"} 3\n"));
    BOOST_TEST(contains(text, name + "_bucket" + labels + ",le=\"1048575e-9\"} 3\n"));
    BOOST_TEST(contains(text, name + "_bucket" + labels + ",le=\"4194303e-9\"} 4\n"));
    BOOST_TEST(contains(text, name + "_bucket" + labels + ",le=\"+Inf\"} 4\n"));
    BOOST_TEST(contains(text, name + "_sum" + labels + "} 3000100e-9\n"));
    BOOST_TEST(contains(text, name + "_count" + labels + "} 4\n"));
    BOOST_TEST(contains(text, "registry_io_handler_failures_total" + labels + "} 1\n"));
    BOOST_TEST(contains(text, "registry_io_handler_greatest_seconds" + labels + "} 3000000e-9\n"));
    // Each line is a comment, or a name with labels and one number.
    std::size_t at = 0;
    while (at < text.size()) {
        std::string const line = text.substr(at, text.find('\n', at) - at);
        at += line.size() + 1;
        BOOST_TEST((line.starts_with("# ") || contains(line, "\"} ")), line);
    }
}

BOOST_AUTO_TEST_CASE(a_coroutine_is_timed_until_it_waits)
{
    test::gate g;
    rio::AsyncRegistry<int>::with<policy> r;
    r.on_panic([](rio::panic_info const&) {});
    r.register_handler(2, [&](int) -> rio::async::task<> {
        hand_clock::advance(600);
        co_await g;
        hand_clock::advance(1 << 20);
        throw std::runtime_error("after it has waited");
    });
    r.register_handler(1, [](int) { hand_clock::advance(40); });
    int ended = 0;
    test::notify_of(r, 0, ended);
    BOOST_TEST(ended == 0);
    g.open();
    BOOST_TEST(ended == 1);
    observe::registry_timings const all = observe::timings(r);
    BOOST_TEST(all.handlers[0].times.calls == 1u);
    BOOST_TEST(all.handlers[0].times.total_ns == 600u);
    BOOST_TEST(all.handlers[0].times.failures == 1u);
    BOOST_TEST(all.handlers[1].times.total_ns == 40u);
    BOOST_TEST(all.handlers[1].times.failures == 0u);
}

BOOST_AUTO_TEST_CASE(a_coroutine_that_ends_on_another_thread_with_its_registry_is_timed)
{
    std::optional<rio::AsyncRegistry<int>::with<policy>> r(std::in_place);
    test::gate g;
    r->register_handler(2, [&](int) -> rio::async::task<> { co_await g; });
    r->register_handler(
        1, [&](int) -> rio::async::task<> { co_await test::elsewhere{[&] { r.reset(); }}; });
    int ended = 0;
    test::notify_in_turn_of(*r, 0, ended);
    g.open();
    BOOST_TEST(ended == 1);
    BOOST_TEST(!r.has_value());
}

// CONTRACT: an allocation that fails in a writer changes nothing; here it may be one of the label
// or of the counts.
BOOST_AUTO_TEST_CASE(a_registration_that_runs_out_of_memory_is_not_observed)
{
    registry r;
    int calls = 0;
    r.register_handler(observe::name("first", [&](int) { ++calls; }));
    for (long n = 0;; ++n) {
        BOOST_TEST_REQUIRE(n < 100);
        auto const captured = std::make_shared<int>();
        try {
            test::failing_allocation const at(n);
            r.register_handler(
                1,
                observe::name("a name that is longer than any string keeps inside of itself",
                              [&calls, captured](int) { ++calls; }));
            break;
        } catch (std::bad_alloc const&) {
        }
        BOOST_TEST(captured.use_count() == 1);
        BOOST_TEST(r.size() == 1u);
        r.notify(0);
        BOOST_TEST(std::exchange(calls, 0) == 1);
    }
    BOOST_TEST(observe::timings(r).handlers.size() == 2u);
    BOOST_TEST(observe::timings(r).handlers[0].times.calls == 0u);
}
