// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Names and source locations of handlers, as the log line, panic_info and for_each_handler show
// them.

#include <atomic>
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <boost/mp11/list.hpp>
#include <boost/test/unit_test.hpp>

#include <registry_io/handlers/blockable.hpp>
#include <registry_io/handlers/filtered.hpp>
#include <registry_io/handlers/latest.hpp>
#include <registry_io/handlers/on.hpp>
#include <registry_io/handlers/once.hpp>
#include <registry_io/handlers/tracked.hpp>
#include <registry_io/handlers/with_id.hpp>
#include <registry_io/observe/named.hpp>
#include <registry_io/observe/recorded.hpp>
#include <registry_io/panic/collect.hpp>
#include <registry_io/panic/propagate.hpp>
#include <registry_io/panic/quarantine.hpp>
#include <registry_io/presets.hpp>
#include <registry_io/presets/async.hpp>
#include <registry_io/registry_ref.hpp>

#include "observe/support.hpp"

namespace {

namespace rio = registry_io;
namespace observe = rio::observe;

bool const quiet = ::setenv("REGISTRY_IO_RECORDING_DIRECTORY", "", 1) == 0;

struct reading
{
    int value;
};

using catching = observe::named<rio::panic::catch_log>;
using registry = rio::SyncRegistry<reading>::with<catching>;

template <class Registry>
std::vector<std::string> labels(Registry const& r)
{
    std::vector<std::string> all;
    r.for_each_handler(
        [&](rio::handler_id, typename Registry::panic_policy::handler_state const& s) {
            all.push_back(s.label().text());
        });
    return all;
}

bool contains(std::string_view text, std::string_view part)
{
    return text.find(part) != text.npos;
}

void fail(reading const&)
{
    throw std::runtime_error("broken");
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_log_line_tells_the_name_and_the_place_of_the_handler)
{
    registry r;
    std::vector<std::string> lines;
    r.log_to([&](std::string_view line) { lines.emplace_back(line); });
    unsigned const line = __LINE__ + 1;
    r.register_handler(observe::name("audit", fail));
    r.notify({1});
    BOOST_TEST_REQUIRE(lines.size() == 1);
    BOOST_TEST(contains(lines[0], " 'audit' ("));
    BOOST_TEST(contains(lines[0], "named.cpp:" + std::to_string(line) + ") of "));
    BOOST_TEST(contains(lines[0], "reading threw: broken"));
}

BOOST_AUTO_TEST_CASE(a_handler_without_a_name_is_told_by_its_type)
{
    registry r;
    std::vector<std::string> lines;
    r.log_to([&](std::string_view line) { lines.emplace_back(line); });
    struct unlabelled
    {
        void operator()(reading const&) const { throw 1; }
    };
    r.register_handler(unlabelled());
    unsigned const line = __LINE__ + 1;
    r.register_handler(observe::here([](reading const&) {}));
    r.notify({1});
    BOOST_TEST_REQUIRE(lines.size() == 1);
    BOOST_TEST(contains(lines[0], "unlabelled) of "));
    std::vector<std::string> const all = labels(r);
    BOOST_TEST_REQUIRE(all.size() == 2);
    BOOST_TEST(contains(all[0], "unlabelled)"));
    BOOST_TEST(contains(all[1], "named.cpp:" + std::to_string(line) + ")"));
    BOOST_TEST(!contains(all[1], "'"));
}

BOOST_AUTO_TEST_CASE(a_panic_info_carries_the_label_and_may_outlive_the_handler)
{
    std::optional<rio::panic_info> kept;
    {
        registry r;
        r.on_panic([&](rio::panic_info const& info) { kept = info; });
        r.register_handler(observe::name(std::string("a name made up at run time"), fail));
        r.notify({1});
    }
    BOOST_TEST_REQUIRE(kept.has_value());
    BOOST_TEST(kept->label().name() == std::string_view("a name made up at run time"));
    BOOST_TEST(kept->label().has_place());
    BOOST_TEST(contains(kept->label().where().file_name(), "named.cpp"));
    BOOST_TEST(contains(kept->label().type(), "reading"));
}

BOOST_AUTO_TEST_CASE(each_panic_policy_reports_the_label)
{
    auto const check = [](auto& r, auto notify) {
        std::string told;
        r.on_panic([&](rio::panic_info const& info) { told = info.label().name(); });
        r.register_handler(observe::name("one", fail));
        notify();
        BOOST_TEST(told == "one");
    };
    rio::SyncRegistry<reading>::with<observe::named<rio::panic::propagate>> propagating;
    check(propagating, [&] { BOOST_CHECK_THROW(propagating.notify({1}), std::runtime_error); });
    rio::SyncRegistry<reading>::with<observe::named<rio::panic::quarantine<2>>> quarantined;
    check(quarantined, [&] {
        quarantined.notify({1});
        quarantined.notify({1});
    });
    BOOST_TEST(quarantined.empty());
    rio::SyncRegistry<reading>::with<observe::named<rio::panic::collect<2>>> collecting;
    collecting.register_handler(observe::name("two", fail));
    auto const failures = collecting.notify({1});
    BOOST_TEST_REQUIRE(failures.size() == 1u);
    BOOST_TEST(failures[0].label().name() == std::string_view("two"));
}

BOOST_AUTO_TEST_CASE(labels_are_seen_through_other_adaptors_in_any_order)
{
    struct outer;
    struct inner;
    auto const check = [](auto& r) {
        std::string told;
        r.on_panic([&](rio::panic_info const& info) { told = info.label().name(); });
        r.register_handler(observe::name("seen", fail));
        r.notify({1});
        BOOST_TEST(told == "seen");
    };
    rio::SyncRegistry<reading>::with<observe::recorded<catching, outer>> a;
    check(a);
    rio::SyncRegistry<reading>::with<
        observe::named<observe::recorded<rio::panic::catch_log, inner>>>
        b;
    check(b);
}

BOOST_AUTO_TEST_CASE(for_each_handler_hands_on_the_state_with_and_without_a_key)
{
    registry r;
    r.register_handler(1, observe::name("low", [](reading const&) {}));
    r.register_handler(7, observe::name("high", [](reading const&) {}));
    std::vector<std::string> all;
    r.for_each_handler([&](rio::handler_id, int key, catching::handler_state const& state) {
        all.push_back(std::to_string(key) + state.label().name());
    });
    std::vector<std::string> const expected{"7high", "1low"};
    BOOST_TEST(all == expected, boost::test_tools::per_element());
    BOOST_TEST(labels(r).size() == 2u);
    // Functions that take an id, or an id and a key, still work.
    int calls = 0;
    r.for_each_handler([&](rio::handler_id) { ++calls; });
    r.for_each_handler([&](rio::handler_id, int) { ++calls; });
    BOOST_TEST(calls == 4);
}

BOOST_AUTO_TEST_CASE(a_name_needs_no_named_policy)
{
    rio::SyncRegistry<int> r;
    int sum = 0;
    r.register_handler(observe::name("adder", [&sum](int i) { sum += i; }));
    r.notify(3);
    BOOST_TEST(sum == 3);
    // Invalid handlers are refused as without a name.
    BOOST_CHECK_THROW(r.register_handler(observe::name("empty", std::function<void(int)>())),
                      std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(names_come_through_guards_transactions_and_references)
{
    registry r;
    auto const guard = r.register_guard(observe::name("guarded", fail));
    r.update([](auto& tx) { tx.register_handler(observe::name("in a transaction", fail)); });
    rio::registry_ref<reading> const ref(r);
    ref.register_handler(observe::name("by reference", fail));
    std::vector<std::string> const all = labels(r);
    BOOST_TEST_REQUIRE(all.size() == 3u);
    BOOST_TEST(contains(all[0], "'guarded'"));
    BOOST_TEST(contains(all[1], "'in a transaction'"));
    BOOST_TEST(contains(all[2], "'by reference'"));
}

BOOST_AUTO_TEST_CASE(an_asynchronous_registry_shows_names)
{
    rio::AsyncRegistry<reading>::with<catching> r;
    std::string told;
    r.on_panic([&](rio::panic_info const& info) { told = info.label().text(); });
    r.register_handler(observe::name("async", fail));
    int ended = 0;
    test::notify_of(r, reading{1}, ended);
    BOOST_TEST(contains(told, "'async' ("));
}

BOOST_AUTO_TEST_CASE(labels_are_shared_by_threads)
{
    registry r;
    std::atomic<int> right{0};
    r.on_panic([&](rio::panic_info const& info) {
        rio::handler_label const copy = info.label();
        right += copy.name() == std::string_view("shared") ? 1 : 0;
    });
    std::vector<std::thread> threads;
    std::atomic<bool> stop{false};
    for (int t = 0; t < 2; ++t)
        threads.emplace_back([&] {
            while (!stop)
                r.notify({0});
        });
    for (int i = 0; i < 300; ++i) {
        auto const g = r.register_guard(observe::name("shared", fail));
        r.notify({0});
    }
    stop = true;
    for (std::thread& t : threads)
        t.join();
    BOOST_TEST(right >= 300);
}

BOOST_AUTO_TEST_CASE(the_default_log_line_tells_the_type_of_events)
{
    rio::SyncRegistry<reading> r;
    std::vector<std::string> lines;
    r.log_to([&](std::string_view line) { lines.emplace_back(line); });
    r.register_handler(fail);
    r.notify({1});
    BOOST_TEST_REQUIRE(lines.size() == 1u);
    BOOST_TEST(contains(lines[0], "reading threw: broken"));
    // With more adaptors and another event type, the log still names the event's own type.
    rio::AsyncRegistry<reading> a;
    std::string line;
    a.log_to([&](std::string_view l) { line = l; });
    a.register_handler(fail);
    int ended = 0;
    test::notify_of(a, reading{1}, ended);
    BOOST_TEST(contains(line, "reading threw: broken"));
    BOOST_TEST(!contains(line, "call<"));
}

BOOST_AUTO_TEST_CASE(a_name_is_seen_through_wrappers_and_wrappers_work_inside_a_name)
{
    registry r;
    int calls = 0;
    auto const count = [&](reading const&) { ++calls; };
    auto const object = std::make_shared<int>(0);
    rio::block_count const blocks;
    r.register_handler(observe::name("outer", rio::once(count)));
    r.register_handler(rio::once(observe::name("inner", count)));
    r.register_handler(
        observe::name("id", rio::with_id([&](rio::registration const& self, reading const&) {
                          ++calls;
                          self.unregister();
                      })));
    r.register_handler(rio::tracked(object, observe::name("tracked", count)));
    r.register_handler(rio::blockable(blocks, observe::name("blockable", count)));
    r.register_handler(
        rio::filtered([](reading const&) { return true; }, observe::name("filtered", count)));
    r.register_handler(rio::on([](auto f) { f(); }, observe::name("on", count)));
    r.register_handler(
        rio::with_id(observe::name("with_id", [&](rio::handler_id, reading const&) { ++calls; })));
    std::vector<std::string> const names{"outer",     "inner",    "id", "tracked",
                                         "blockable", "filtered", "on", "with_id"};
    auto const all = labels(r);
    BOOST_TEST_REQUIRE(all.size() == names.size());
    for (std::size_t i = 0; i < names.size(); ++i)
        BOOST_TEST(contains(all[i], "'" + names[i] + "' ("));
    r.notify({1});
    BOOST_TEST(calls == 8);
    BOOST_TEST(r.size() == 5u);  // three have removed themselves
    r.notify({1});
    BOOST_TEST(calls == 13);
    rio::latest<registry> state;
    state.register_handler(observe::name("late", count));
    BOOST_TEST(labels(state)[0].starts_with("'late' ("));
}
