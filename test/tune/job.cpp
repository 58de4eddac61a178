// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// What registry_tune accepts: jobs, recordings and aliases, and its messages for wrong input.
// Nothing is measured here.

#include <boost/test/unit_test.hpp>

// Included here, so that neither build has to link Boost.JSON.
#include <boost/json/src.hpp>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <unistd.h>

#include "../../perf/tune/candidates.hpp"
#include "../../perf/tune/job.hpp"

using namespace tune;

namespace {

job read(std::string const& text)
{
    return read_job(json::parse(text), "job");
}

/// Returns the message of the `bad_input` that `f` throws.
template <class F>
std::string refusal(F const& f)
{
    try {
        f();
    } catch (bad_input const& e) {
        return e.what();
    }
    return "accepted";
}

std::string refused(std::string const& text)
{
    return refusal([&] { read(text); });
}

bool contains(std::string const& text, std::string const& part)
{
    return text.find(part) != std::string::npos;
}

/// A file that is removed at the end of its scope.
struct temporary
{
    explicit temporary(std::string const& text)
        : path(std::filesystem::temp_directory_path() /
               ("registry_tune_test." + std::to_string(::getpid())))
    {
        std::ofstream(path) << text;
    }
    ~temporary() { std::filesystem::remove(path); }
    std::string path;
};

std::string recording(std::string const& version, std::string const& processor,
                      std::string const& more = "")
{
    return R"({"registry_io_recording": 1, "version": ")" + version + R"(", "registry":
        "registry_io::v1::basic_registry<app::order, registry_io::v1::snapshot::single_thread>",
        "processor": ")" +
        processor +
        R"(", "threads": 2, "seconds": 10, "sampled_one_in": 1, "clock_ns": 20,
        "counts": {"notify": 2000, "register": 30, "unregister": 20, "failures": 80,
                   "nested": 1500},
        "histograms": {"inter_arrival_ns": [[13, 100]], "handler_ns": [[7, 50]],
        "handlers_at_notify": [[2, 10]],
        "depth": [[0, 5]], "change_interval_ns": []}, "sums": {"inter_arrival_ns": 1200000,
        "handler_ns": 11000, "handlers_at_notify": 50, "depth": 5, "change_interval_ns": 0})" +
        more + "}";
}

std::vector<std::string> aliases(job const& j)
{
    std::vector<std::string> all;
    for (candidate const& c : candidates_for(j, false).candidates)
        all.push_back(c.alias);
    return all;
}

bool has(std::vector<std::string> const& all, std::string const& one)
{
    return std::find(all.begin(), all.end(), one) != all.end();
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_job_file_is_read_as_it_was_written)
{
    job const j = read(R"({"registry_tune": 1,
        "requires": {"threads": true, "order": "fifo", "panic": "collect", "heap": false,
                     "blocking": false, "memory_bound": "64KB"},
        "workload": {"registries": 3, "event_bytes": 64, "notifying_threads": 2,
                     "interval": "1.5us",
                     "nesting": 1, "handlers": {"histogram": [[1, 5], [4, 5]], "mean": 14.5},
                     "handler_time": {"histogram": [[8, 2]], "mean": "300ns"}, "failures": 0.25,
                     "changes_per_second": 100,
                     "batch": 4, "waiting_removals": 0.5},
        "current": "RcuRegistry<order>", "objective": "removal",
        "limits": {"notify_p99": "2ms", "bytes": "1MB"}})");
    BOOST_TEST(j.interval == 1500);
    BOOST_TEST(j.memory_bound == 65536);
    BOOST_TEST(j.handlers.buckets.size() == 2u);
    BOOST_TEST(j.handlers.mean == 14.5);
    BOOST_TEST(j.handler_time.mean == 300);
    BOOST_TEST(j.limits.at("notify_p99") == 2e6);
    BOOST_TEST(j.limits.at("bytes") == 1048576);
    job const again = read_job(write_job(j), "again");
    BOOST_TEST((again == j));
    BOOST_TEST((read_job(write_job(job{}), "default") == job{}));
}

BOOST_AUTO_TEST_CASE(an_unknown_key_is_refused_with_the_keys_there_are)
{
    BOOST_TEST(refused(R"({"registry_tune": 1, "workload": {"handler": 3}})") ==
               "job.workload.handler: is unknown; the keys here are registries, event_bytes, "
               "notifying_threads, interval, nesting, handlers, handler_time, failures, "
               "changes_per_second, batch, waiting_removals");
    BOOST_TEST(contains(refused(R"({"registry_tune": 1, "goal": 1})"), "job.goal: is unknown"));
    BOOST_TEST(contains(refused(R"({"registry_tune": 1, "limits": {"speed": "1ns"}})"),
                        "job.limits.speed: is unknown"));
}

BOOST_AUTO_TEST_CASE(a_wrong_unit_is_refused_with_an_example)
{
    BOOST_TEST(
        refused(R"({"registry_tune": 1, "workload": {"interval": "3min"}})") ==
        "job.workload.interval: \"3min\" is not a number with one of the units ns, us, ms, s; "
        "write for example \"250ns\"");
    BOOST_TEST(contains(refused(R"({"registry_tune": 1, "workload": {"interval": 3}})"), "quotes"));
    for (char const* const wrong : {"", "5", "ns", "-1ns", "1e999ns", "nanns", "1 ns", "1nss"})
        BOOST_TEST(contains(refusal([&] { parse_time(wrong, "x"); }), "is not a number with"));
    BOOST_TEST(contains(refusal([&] { parse_bytes("3ms", "x"); }), "\"64KB\""));
}

BOOST_AUTO_TEST_CASE(a_version_that_is_not_known_is_refused)
{
    BOOST_TEST(contains(refused(R"({"registry_tune": 2})"), "version 1"));
    BOOST_TEST(contains(refused("{}"), "registry_tune: is missing"));
}

BOOST_AUTO_TEST_CASE(values_out_of_range_and_of_another_type_are_refused)
{
    auto const workload = [](std::string const& member) {
        return refused(R"({"registry_tune": 1, "workload": {)" + member + "}}");
    };
    BOOST_TEST(contains(workload(R"("failures": 1.5)"), "share"));
    BOOST_TEST(contains(workload(R"("batch": 0)"), "at least 1"));
    BOOST_TEST(contains(workload(R"("nesting": 0.5)"), "whole number"));
    BOOST_TEST(contains(workload(R"("handlers": "many")"), "number"));
    BOOST_TEST(contains(workload(R"("handlers": {"histogram": [[70, 1]]})"), "0 to 63"));
    BOOST_TEST(contains(workload(R"("handlers": {"histogram": []})"), "counts nothing"));
    BOOST_TEST(
        contains(workload(R"("handlers": {"histogram": [[1, 1]], "mean": -1})"), "at least 0"));
    BOOST_TEST(contains(workload(R"("handler_time": {"histogram": [[1, 1]], "mean": 3})"),
                        "handler_time.mean: must be text"));
    BOOST_TEST(
        contains(refused(R"({"registry_tune": 1, "requires": {"heap": 1}})"), "true or false"));
    BOOST_TEST(contains(refused(R"({"registry_tune": 1, "objective": "speed"})"), "notify_p50"));
    BOOST_TEST(contains(refused(R"({"registry_tune": 1, "current": "x; y"})"), "name of a type"));
}

BOOST_AUTO_TEST_CASE(impossible_requirements_are_refused)
{
    BOOST_TEST(contains(refused(R"({"registry_tune": 1, "requires": {"threads": false},
                                    "workload": {"notifying_threads": 2}})"),
                        "no alias can keep both"));
    BOOST_TEST(contains(refused(R"({"registry_tune": 1, "requires": {"panic": "terminate"},
                                    "workload": {"failures": 0.1}})"),
                        "would end the program"));
}

BOOST_AUTO_TEST_CASE(files_that_are_no_jobs_are_refused)
{
    BOOST_TEST(contains(refusal([] { read_job_file("/nowhere/job.json"); }), "cannot be read"));
    temporary const broken("{");
    BOOST_TEST(contains(refusal([&] { read_job_file(broken.path); }), "is not JSON"));
    temporary const list("[]");
    BOOST_TEST(contains(refusal([&] { read_job_file(list.path); }), "one JSON object"));
}

BOOST_AUTO_TEST_CASE(a_recording_becomes_a_job)
{
    temporary const file(recording("1.0.0", "a processor"));
    job const j = read_recording(file.path, "1.0.0", "a processor", false);
    BOOST_TEST(j.notifying_threads == 2);
    // Means rather than the middles of buckets: 50 handlers at 10 notifies.
    BOOST_TEST((spread_out(j.handlers) == std::vector<double>{5}));
    // 220 ns minus one reading of the clock; three notifies in four are inside a handler.
    BOOST_TEST(spread_out(j.handler_time).size() == 1u);
    BOOST_TEST(spread_out(j.handler_time)[0] == 50, boost::test_tools::tolerance(1e-9));
    BOOST_TEST(j.interval == 12000);
    BOOST_TEST(j.nesting == 3);
    BOOST_TEST(j.changes_per_second == 2);
    BOOST_TEST(j.failures == 80 / (2000 * 5.0));
    parsed_alias const a = parse_alias(j.current);
    BOOST_TEST(a.event == "app::order");
    BOOST_TEST(a.alias == "basic_registry<Event, snapshot::single_thread>");
    // The job that is stored in tune.json contains the means as well.
    job const again = read_job(write_job(j), "again");
    BOOST_TEST(spread_out(again.handler_time)[0] == 50, boost::test_tools::tolerance(1e-9));
}

BOOST_AUTO_TEST_CASE(a_recording_of_another_version_or_machine_is_refused)
{
    temporary const file(recording("1.0.0", "a processor"));
    auto const read_as = [&](char const* version, char const* processor) {
        return refusal([&] { read_recording(file.path, version, processor, false); });
    };
    BOOST_TEST(contains(read_as("1.1.0", "a processor"), "recorded with registry_io 1.0.0"));
    BOOST_TEST(contains(read_as("1.0.0", "another"), "recorded on \"a processor\""));
    BOOST_TEST(contains(read_as("1.0.0", "another"), "--any-recording"));
    BOOST_TEST((read_recording(file.path, "2.0.0", "another", true).notifying_threads == 2));
    temporary const more(recording("1.0.0", "a processor", R"(, "note": 1)"));
    BOOST_TEST(contains(read_as("1.0.0", "a processor"), "note: is unknown"));
}

BOOST_AUTO_TEST_CASE(aliases_are_taken_apart_and_put_together)
{
    BOOST_TEST(parse_alias("SyncRegistry").alias == "SyncRegistry<Event>");
    BOOST_TEST(parse_alias("SyncRegistry::with<ordering::fifo>").alias ==
               "SyncRegistry<Event>::with<ordering::fifo>");
    parsed_alias const a =
        parse_alias("registry_io::SyncRegistry<std::pair<int, int>>::with<panic::collect<8>>");
    BOOST_TEST(a.event == "std::pair<int, int>");
    BOOST_TEST(a.alias == "SyncRegistry<Event>::with<panic::collect<8>>");
    BOOST_TEST(dependent(a.alias) ==
               "typename SyncRegistry<Event>::template with<panic::collect<8>>");
    BOOST_TEST(
        qualified(a.alias, a.event) ==
        "registry_io::SyncRegistry<std::pair<int, int>>::with<registry_io::panic::collect<8>>");
    BOOST_TEST(contains(refusal([] { parse_alias("SyncRegistry<int"); }), "do not match"));
    std::vector<std::string> const two = split("A<x, y>, B");
    BOOST_TEST(two.size() == 2u);
    BOOST_TEST(two[1] == "B");
}

// The type names in a recording, as both compilers write them.
BOOST_AUTO_TEST_CASE(the_full_name_of_a_registry_becomes_a_preset)
{
    auto const named = [](std::string const& kind, std::string const& snapshot,
                          std::string const& panic, std::string const& alloc) {
        return parse_alias(kind + "<Event, " + snapshot +
                           ", registry_io::v1::ordering::basic_priority<>, " + panic + ", " +
                           alloc + ">")
            .alias;
    };
    std::string const hazard =
        "registry_io::v1::snapshot::basic_hazard_pointer<registry_io::v1::reclaim::prompt>";
    std::string const heap = "registry_io::v1::alloc::basic_heap<> ";
    std::string const recorded =
        "registry_io::v1::observe::recorded<registry_io::v1::panic::catch_log, app::orders>";
    BOOST_TEST(named("basic_registry", hazard, recorded, heap) == "SyncRegistry<Event>");
    BOOST_TEST(named("basic_async_registry", hazard, recorded, heap) == "AsyncRegistry<Event>");
    BOOST_TEST(named("basic_registry", "registry_io::snapshot::basic_rcu<void>",
                     "registry_io::panic::catch_log",
                     "registry_io::alloc::basic_heap<>") == "RcuRegistry<Event>");
    BOOST_TEST(named("basic_registry", "registry_io::v1::snapshot::single_thread",
                     "registry_io::v1::observe::recorded<registry_io::v1::panic::collect<8> >",
                     "registry_io::v1::alloc::fixed<64> ") ==
               "LocalRegistry<Event>::with<panic::collect<8>, alloc::fixed<64>>");
    BOOST_TEST(named("basic_async_registry", "registry_io::snapshot::locked", recorded, heap) ==
               "AsyncRegistry<Event>::with<snapshot::locked>");
    // A user's own domain is not changed.
    BOOST_TEST(named("basic_registry", "registry_io::snapshot::basic_rcu<app::domain>",
                     "registry_io::panic::catch_log",
                     heap) == "SyncRegistry<Event>::with<snapshot::basic_rcu<app::domain>>");
}

BOOST_AUTO_TEST_CASE(asynchronous_registries_are_searched)
{
    job j;
    j.current = "AsyncRegistry<order>";
    std::vector<std::string> all = aliases(j);
    BOOST_TEST(has(all, "AsyncRegistry<Event>::with<snapshot::atomic_shared_ptr>"));
    BOOST_TEST(has(all, "AsyncRegistry<Event>::with<snapshot::locked>"));
    // A coroutine that waits keeps its snapshot, which rcu does not allow. Other kinds of
    // registries are not candidates.
    j.blocking = false;
    j.threads = false;
    all = aliases(j);
    BOOST_TEST(has(all, "AsyncRegistry<Event>::with<snapshot::single_thread>"));
    for (std::string const& a : all)
        BOOST_TEST((a.starts_with("AsyncRegistry<Event>") && !contains(a, "rcu")));
}

BOOST_AUTO_TEST_CASE(a_memory_resource_is_searched_where_handlers_change)
{
    job j;
    auto const any = [&] {
        std::vector<std::string> const all = aliases(j);
        return std::any_of(all.begin(), all.end(),
                           [](std::string const& a) { return contains(a, "alloc::pmr"); });
    };
    auto const said = [&] {
        std::vector<pruned> const all = candidates_for(j, false).not_searched;
        return std::any_of(all.begin(), all.end(),
                           [](pruned const& p) { return contains(p.what, "alloc::pmr"); });
    };
    BOOST_TEST(!any());
    BOOST_TEST(said());
    j.changes_per_second = 10;
    BOOST_TEST(any());
    BOOST_TEST(!said());
    j.memory_bound = 1024;
    BOOST_TEST(!any());
    BOOST_TEST(said());
    j.memory_bound = 0;
    j.heap = false;
    BOOST_TEST(!any());
    BOOST_TEST(contains(broken_requirement(j, "SyncRegistry<Event>::with<alloc::pmr>"), "heap"));
}

BOOST_AUTO_TEST_CASE(requirements_prune_what_is_searched)
{
    job j;
    std::vector<std::string> all = aliases(j);
    BOOST_TEST(!has(all, "RcuRegistry<Event>"));
    // The lock of this policy is not held while handlers run.
    BOOST_TEST(has(all, "SyncRegistry<Event>::with<snapshot::locked>"));
    BOOST_TEST(broken_requirement(j, "SyncRegistry<Event>::with<snapshot::locked>") == "");
    BOOST_TEST(!has(all, "LocalRegistry<Event>"));
    // The current alias is the baseline, not a candidate.
    BOOST_TEST(!has(all, "SyncRegistry<Event>"));
    j.blocking = false;
    BOOST_TEST(has(aliases(j), "RcuRegistry<Event>"));
    j.threads = false;
    BOOST_TEST(has(aliases(j), "LocalRegistry<Event>"));
    BOOST_TEST(has(aliases(j), "LocalRegistry<Event>::with<alloc::fixed<32>>"));
    j.heap = false;
    all = aliases(j);
    BOOST_TEST(std::none_of(all.begin(), all.end(), [](std::string const& a) {
        return a.find("alloc::") == std::string::npos;
    }));
}

BOOST_AUTO_TEST_CASE(an_alias_that_does_not_keep_a_requirement_is_known)
{
    job j;
    BOOST_TEST(broken_requirement(j, "SyncRegistry<Event>") == "");
    BOOST_TEST(broken_requirement(j, "LocalRegistry<Event>") == "is for one thread");
    BOOST_TEST(contains(broken_requirement(j, "RcuRegistry<Event>"), "block"));
    BOOST_TEST(broken_requirement(j, "RcuRegistry<Event>::with<snapshot::hazard_pointer>") == "");
    j.memory_bound = 1024;
    BOOST_TEST(contains(broken_requirement(j, "SyncRegistry<Event>"), "no bound"));
    BOOST_TEST(broken_requirement(j, "SyncRegistry<Event>::with<alloc::pool>") == "");
    j.heap = false;
    BOOST_TEST(contains(broken_requirement(j, "SyncRegistry<Event>"), "heap"));
    BOOST_TEST(broken_requirement(j, "SyncRegistry<Event>::with<alloc::pool>") == "");
}

BOOST_AUTO_TEST_CASE(order_and_panic_policy_stay_as_they_are)
{
    job j;
    j.current = "SyncRegistry<Event>::with<panic::collect<8>, ordering::fifo>";
    for (std::string const& a : aliases(j))
        BOOST_TEST(a.starts_with(j.current + "::with<snapshot::"));
    j.current = "SyncRegistry<Event>";
    j.panic = "propagate";
    for (std::string const& a : aliases(j))
        BOOST_TEST(contains(a, "panic::propagate"));
    BOOST_TEST(prices_for(j).size() == 7u);
    j.failures = 0.1;
    BOOST_TEST(prices_for(j).size() == 6u);
}

BOOST_AUTO_TEST_CASE(a_distribution_is_spread_out_by_its_shares)
{
    BOOST_TEST(spread_out({5, {}}).size() == 1u);
    std::vector<double> v = spread_out({0, {{0, 3}, {4, 1}}});
    BOOST_TEST(v.size() == 16u);
    BOOST_TEST(std::count(v.begin(), v.end(), 1.0) == 12);
    BOOST_TEST(middle_of({{0, 1}, {10, 5}}) == 1448.15, boost::test_tools::tolerance(1e-4));
    // Where the mean is known it is kept, and so are the shares.
    v = spread_out({0, {{0, 3}, {4, 1}}, 10});
    double sum = 0;
    for (double const one : v)
        sum += one;
    BOOST_TEST(sum == 160, boost::test_tools::tolerance(1e-9));
    BOOST_TEST(std::count(v.begin(), v.end(), v.front()) == 12);
    BOOST_TEST((spread_out({0, {{3, 7}}, 12}) == std::vector<double>{12}));
    // A handler that once waited for a processor does not appear among the values, and does not
    // shift them.
    v = spread_out({0, {{6, 999}, {25, 1}}, (999 * 96.0 + 45e6) / 1000});
    BOOST_TEST(v.back() == 90.5, boost::test_tools::tolerance(0.1));
}

BOOST_AUTO_TEST_CASE(a_recorded_duration_has_no_clock_and_no_nested_notify_in_it)
{
    quantity q = own_time({0, {{5, 3}, {9, 1}}, 175}, 20, 1);
    BOOST_TEST(q.mean == 155, boost::test_tools::tolerance(1e-9));
    BOOST_TEST(q.buckets.size() == 2u);
    BOOST_TEST(q.buckets[0].first == 4);
    q = own_time({0, {{5, 3}, {9, 1}}, 175}, 20, 0.5);
    BOOST_TEST(q.mean == 77.5, boost::test_tools::tolerance(1e-9));
    // Handlers that take less time than the clock count as taking none.
    q = own_time({0, {{4, 10}}, 18}, 20, 1);
    BOOST_TEST(q.buckets.empty());
    BOOST_TEST(q.value == 0);
    BOOST_TEST((own_time({7, {}}, 20, 1) == quantity{7, {}}));
}
