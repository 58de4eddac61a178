// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Reads Debian's package log, notifies several subscribers of each line from two threads, and
// compares what they saw with a plain count.
//
//     package_log [FILE...]       - means standard input, which is also the default

#include <registry_io/observe/named.hpp>
#include <registry_io/observe/watched.hpp>
#include <registry_io/presets/sync.hpp>

// Escaping strings for JSON by hand is error-prone. The library is included as source rather than
// linked, so the example needs only Boost's headers, at the price of a few seconds of compile time.
#include <boost/json/src.hpp>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <deque>
#include <fstream>
#include <iostream>
#include <map>
#include <mutex>
#include <ranges>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "package_log.hpp"

namespace {

bool suspicious(package_event const& e)
{
    return e.words.starts_with("half-installed ");
}

using counts = std::map<std::string_view, std::size_t>;

void print_top(char const* title, counts const& c, std::size_t n)
{
    std::vector<std::pair<std::string_view, std::size_t>> top(c.begin(), c.end());
    std::ranges::sort(top, [](auto const& a, auto const& b) {
        return a.second != b.second ? a.second > b.second : a.first < b.first;
    });
    std::cout << title;
    for (std::size_t i = 0; i < top.size() && i < n; ++i)
        std::cout << (i == 0 ? "" : ", ") << top[i].first << ' ' << top[i].second;
    std::cout << '\n';
}

// ----- the reports of the registry about its subscribers

namespace observe = registry_io::observe;

// A thread of the registry calls this while a subscriber runs for too long.
struct overdue_subscriber
{
    static void report(observe::overdue const& o) noexcept
    {
        std::lock_guard const lock(mutex);
        std::snprintf(line, sizeof line, "%s, which was running for %llu ms on thread %#llx",
                      o.label.text().c_str(),
                      static_cast<unsigned long long>(o.running_ns / 1000000),
                      static_cast<unsigned long long>(o.thread));
        found = true;
        condition.notify_one();
    }
    inline static std::mutex mutex;
    inline static std::condition_variable condition;
    inline static bool found = false;
    inline static char line[400];
};

using panic_policy =
    observe::watched<40, observe::named<registry_io::panic::catch_log>, overdue_subscriber>;
using observed_registry = registry_io::SyncRegistry<package_event>::with<panic_policy>;

}  // namespace

int main(int argc, char* argv[])
{
    // ----- the lines, and the events that refer to them
    std::deque<std::string> lines;
    std::vector<package_event> events;
    std::size_t unreadable = 0;
    std::string where;  // the first of the unreadable lines
    bool all_read = true;
    std::vector<std::string> names(argv + 1, argv + argc);
    if (names.empty())
        names.emplace_back("-");
    for (std::string const& name : names) {
        std::ifstream file;
        if (name != "-")
            file.open(name, std::ios::binary);
        std::istream& in = name == "-" ? std::cin : file;
        std::string line;
        for (std::size_t number = 1; std::getline(in, line); ++number) {
            if (line.ends_with('\r'))
                line.pop_back();
            lines.push_back(std::move(line));
            if (auto const event = parse(lines.back()))
                events.push_back(*event);
            else if (++unreadable <= 20)
                where += ' ' + name + ':' + std::to_string(number);
        }
        if (in.bad() || (name != "-" && !file.is_open())) {
            std::cerr << "package_log: cannot read " << name << ": "
                      << std::error_code(errno, std::generic_category()).message() << '\n';
            all_read = false;
        }
    }
    if (!all_read && lines.empty())
        return 1;

    // ----- the subscribers; two threads notify, so both may call a subscriber at the same time
    observed_registry registry;

    std::mutex mutex;  // protects what the subscribers share; the registry has no lock for that

    counts actions;
    auto const count_actions = [&](package_event const& e) {
        std::lock_guard const lock(mutex);
        ++actions[e.action];
    };
    registry.register_handler(10, observe::name("actions", count_actions));  // before the others

    std::string json;
    registry.register_handler([&](package_event const& e) {
        std::string const line = boost::json::serialize(boost::json::object{
            {"time", e.time}, {"action", e.action}, {"package", e.package}, {"words", e.words}});
        std::lock_guard const lock(mutex);
        json += line + '\n';
    });

    counts touched;
    registry.register_handler([&](package_event const& e) {
        std::lock_guard const lock(mutex);
        if (!e.package.empty())
            ++touched[e.package];
    });

    // This subscriber throws. The others run nevertheless.
    registry.register_handler(observe::name("audit", [](package_event const& e) {
        if (suspicious(e))
            throw std::runtime_error(std::string(e.package) + " is half-installed");
    }));
    std::vector<std::string> failures;
    registry.on_panic([&](registry_io::panic_info const& info) {
        std::lock_guard const lock(mutex);
        failures.push_back(info.label().text() + ": " + std::string(info.message()));
    });

    // Two subscribers see only a part of the events: one joins while events flow, the other one
    // leaves.
    std::atomic<std::size_t> joiner_saw = 0;
    std::atomic<std::size_t> leaver_saw = 0;
    auto leaver = registry.register_guard([&](package_event const&) { ++leaver_saw; });

    // ----- the events: each thread notifies of every second one
    std::size_t const n = events.size();
    std::size_t const turn = n / 6;  // a third of a thread's share
    auto const notify_half = [&](std::size_t half) {
        for (std::size_t i = half; i < n; i += 2) {
            if (i / 2 == turn && half == 0)
                registry.register_handler([&](package_event const&) { ++joiner_saw; });
            if (i / 2 == turn && half == 1)
                leaver.reset();
            registry.notify(events[i]);
        }
    };
    auto const start = std::chrono::steady_clock::now();
    std::thread other(notify_half, 1);
    notify_half(0);
    other.join();
    std::chrono::duration<double> const took = std::chrono::steady_clock::now() - start;

    // ----- a subscriber that hangs, until the watchdog has named it
    {
        auto const hang = [](package_event const&) {
            std::unique_lock lock(overdue_subscriber::mutex);
            overdue_subscriber::condition.wait(lock, [] { return overdue_subscriber::found; });
        };
        observed_registry other_registry;
        other_registry.register_handler(observe::name("sleeper", hang));
        other_registry.notify({});
    }

    // ----- the plain recount
    counts actions_again;
    counts touched_again;
    std::size_t suspects = 0;
    for (package_event const& e : events) {
        ++actions_again[e.action];
        suspects += suspicious(e) ? 1 : 0;
        if (!e.package.empty())
            ++touched_again[e.package];
    }
    bool const agrees = actions == actions_again && touched == touched_again &&
        failures.size() == suspects &&
        static_cast<std::size_t>(std::ranges::count(json, '\n')) == n &&
        // The other thread's progress varies, but each thread's own events after its change are
        // exact.
        joiner_saw >= (n + 1) / 2 - turn && joiner_saw <= n - turn && leaver_saw >= turn &&
        leaver_saw <= n - (n / 2 - turn);

    // ----- the report
    std::cout << "lines     " << lines.size() << ": " << n << " events, " << unreadable
              << " unreadable" << where << (unreadable > 20 ? " ...\n" : "\n");
    print_top("actions   ", actions, actions.size());
    print_top("touched   ", touched, 5);
    std::cout << "JSON      " << json.size() << " bytes: " << json.substr(0, json.find('\n'))
              << "\nfailures  " << failures.size()
              << (failures.empty() ? "" : ", the first: " + failures.front()) << "\noverdue   "
              << overdue_subscriber::line << "\njoiner    saw " << joiner_saw << "\nleaver    saw "
              << leaver_saw << "\nspeed     " << took.count() * 1e3 << " ms, "
              << static_cast<long>(static_cast<double>(n) / took.count())
              << " events a second\ncheck     the totals are "
              << (agrees ? "those of a plain recount\n" : "NOT those of a plain recount\n");
    return agrees && all_read ? 0 : 1;
}
