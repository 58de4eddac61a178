// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#include "harness.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <fstream>
#include <functional>
#include <iostream>
#include <limits>
#include <map>
#include <random>
#include <regex>
#include <tuple>
#include <utility>

#include <CLI/CLI.hpp>

#include "include/registry_io_perf/statistics.hpp"
#include "memory.hpp"

namespace perf {
namespace {

void number(std::ostream& out, char const* key, std::optional<double> const& v)
{
    if (v)
        out << ",\"" << key << "\":" << *v;
}

struct series
{
    measurement const* what;
    std::vector<sample> samples;  ///< one for each round
    long disturbed = 0;           ///< disturbed samples, including those that were repeated
};

}  // namespace

bool suite::wants(std::string_view case_name, kind const& k) const
{
    if (k.bare)
        return true;
    // A quick run has no time for all variations of our presets.
    if (options_.quick && options_.filter.empty() && k.variation)
        return false;
    if (options_.filter.empty())
        return true;
    std::string const text = name_ + "/" + std::string(case_name) + "/" + std::string(k.name);
    return std::regex_search(text, std::regex(options_.filter));
}

int suite::run()
{
    // Measurements that are compared with each other stay together.
    std::map<std::tuple<std::string, long, int>, std::vector<std::size_t>> groups;
    std::vector<series> taken;
    for (measurement const& m : all_) {
        groups[{m.name, m.n, m.threads}].push_back(taken.size());
        taken.push_back({&m, {}, 0});
    }
    std::vector<std::vector<std::size_t>*> order;
    bool any = false;
    // With a filter, leave out a group that contains only the bare loop.
    std::erase_if(groups, [&](auto const& group) {
        return !options_.filter.empty() &&
            std::all_of(group.second.begin(), group.second.end(),
                        [&](std::size_t i) { return taken[i].what->bare; });
    });
    for (auto& [key, members] : groups) {
        order.push_back(&members);
        for (std::size_t const i : members)
            any = any || taken[i].what->run != nullptr;
    }

    std::mt19937 random(std::random_device{}());
    auto const begin = std::chrono::steady_clock::now();
    auto const elapsed = [&] {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    };
    double const seconds = options_.seconds > 0 ? options_.seconds : (options_.quick ? 4.0 : 30.0);
    int const least = options_.quick ? 3 : 5;
    int const most = 201;
    int rounds = 0;
    while (any && rounds < most && (rounds < least || elapsed() < seconds)) {
        std::shuffle(order.begin(), order.end(), random);
        for (auto* members : order) {
            std::shuffle(members->begin(), members->end(), random);
            for (std::size_t const i : *members) {
                series& s = taken[i];
                if (s.what->run == nullptr)
                    continue;
                double const before = elapsed();
                sample one = s.what->run();
                // A long sample would only be disturbed again.
                bool const brief = elapsed() - before < 0.02;
                for (int again = 0; one.disturbed && brief && again < 2; ++again) {
                    ++s.disturbed;
                    one = s.what->run();
                }
                s.disturbed += one.disturbed ? 1 : 0;
                s.samples.push_back(one);
            }
        }
        ++rounds;
        std::fprintf(stderr, "\r%s: %zu measurements, round %d, %.0f of %.0f s ", name_.c_str(),
                     all_.size(), rounds, elapsed(), seconds);
    }
    std::fprintf(stderr, any ? "\n" : "%s: %zu measurements\n", name_.c_str(), all_.size());

    std::ofstream file;
    if (!options_.rows.empty())
        file.open(options_.rows, std::ios::app);
    std::ostream& out = options_.rows.empty() ? std::cout : file;
    out.precision(6);
    for (auto const& [key, members] : groups) {
        series const* yard = nullptr;
        for (std::size_t const i : members)
            if (taken[i].what->bare)
                yard = &taken[i];
        // A bare loop that was slow once tells about the machine, not about the subject measured
        // beside it.
        double bare_limit = std::numeric_limits<double>::infinity();
        if (yard != nullptr && !yard->samples.empty()) {
            std::vector<double> v;
            for (sample const& s : yard->samples)
                v.push_back(s.ns);
            bare_limit = 1.25 * registry_io_perf::median(std::move(v));
        }
        std::vector<std::size_t> sorted = members;
        std::sort(sorted.begin(), sorted.end());
        for (std::size_t const i : sorted) {
            series const& s = taken[i];
            measurement const& m = *s.what;
            std::vector<double> ns, ratios, others;
            long disturbed = s.disturbed;
            auto const take = [&](bool all) {
                for (std::size_t r = 0; r != s.samples.size(); ++r) {
                    sample const& one = s.samples[r];
                    bool const good = !one.disturbed;
                    if (one.other_ns && (good || all))
                        others.push_back(*one.other_ns);
                    if (good || all)
                        ns.push_back(one.ns);
                    if (yard == nullptr || r >= yard->samples.size())
                        continue;
                    sample const& base = yard->samples[r];
                    bool const slow = base.ns > bare_limit;
                    if (good && slow && !base.disturbed && !all)
                        ++disturbed;
                    if ((good && !base.disturbed && !slow) || all)
                        ratios.push_back(one.ns / base.ns);
                }
            };
            take(false);
            // If most samples were disturbed, use the disturbed ones too.
            if (ns.size() * 2 < s.samples.size() ||
                (yard != nullptr && ratios.size() * 3 < s.samples.size())) {
                ns.clear();
                ratios.clear();
                others.clear();
                take(true);
            }
            auto const head = [&](std::string const& name) {
                out << "{\"suite\":\"" << name_ << "\",\"case\":\"" << name << "\",\"subject\":\""
                    << m.subject << "\",\"n\":" << m.n << ",\"threads\":" << m.threads
                    << ",\"bare\":" << (m.bare ? "true" : "false");
            };
            head(m.name);
            if (!ns.empty()) {
                registry_io_perf::interval const t = registry_io_perf::quartiles(ns);
                out << ",\"ns\":" << t.middle << ",\"ns_low\":" << t.low
                    << ",\"ns_high\":" << t.high;
            } else {
                number(out, "ns", m.ns);
                if (m.ns && yard != nullptr && yard->what->ns)
                    out << ",\"ratio\":" << *m.ns / *yard->what->ns;
            }
            if (!ratios.empty()) {
                registry_io_perf::interval const t = registry_io_perf::quartiles(ratios);
                out << ",\"ratio\":" << t.middle << ",\"ratio_low\":" << t.low
                    << ",\"ratio_high\":" << t.high;
            }
            number(out, "instructions", m.instructions);
            number(out, "allocations", m.allocations);
            number(out, "bytes", m.bytes);
            out << ",\"disturbed\":" << disturbed << ",\"samples\":[";
            char const* comma = "";
            for (sample const& one : s.samples) {
                out << comma << one.ns;
                comma = ",";
            }
            out << "]}\n";
            if (!others.empty()) {
                registry_io_perf::interval const t = registry_io_perf::quartiles(others);
                head(m.name + ", the writer");
                out << ",\"ns\":" << t.middle << ",\"ns_low\":" << t.low
                    << ",\"ns_high\":" << t.high << ",\"disturbed\":" << disturbed
                    << ",\"samples\":[]}\n";
            }
        }
    }
    return out.good() ? 0 : 1;
}

void add_repeated(suite& s, measurement m, std::function<void(long)> operations, double seconds,
                  long warm_up)
{
    long const times = calibrated(operations, seconds);
    {
        memory_counter const memory;
        operations(std::min(times, 1000L));
        m.allocations =
            static_cast<double>(memory.allocations()) / static_cast<double>(std::min(times, 1000L));
    }
    m.run = [operations = std::move(operations), times, warm_up] {
        auto const begin = std::chrono::steady_clock::now();
        for (long left = warm_up;
             left > 0 && std::chrono::steady_clock::now() - begin < std::chrono::milliseconds(20);
             left -= times)
            operations(times);
        stopwatch const watch;
        operations(times);
        return watch.stop(static_cast<double>(times));
    };
    s.add(std::move(m));
}

int run_suite(int argc, char** argv, std::string_view name, std::string_view about,
              std::function<void(suite&)> const& fill)
{
    options o;
    CLI::App app{std::string(about), "perf." + std::string(name)};
    app.add_flag("--quick", o.quick, "Few sizes and few rounds");
    app.add_option("--filter", o.filter, "A regular expression for suite/case/policy_or_peer");
    app.add_option("--rows", o.rows, "Append the rows to this file, as JSON, one per line");
    app.add_option("--seconds", o.seconds, "Time for the rounds, in seconds");
    app.add_option("rest", o.rest, "Arguments of this suite");
    CLI11_PARSE(app, argc, argv);
    try {
        suite s{std::string(name), o};
        fill(s);
        return s.run();
    } catch (std::exception const& e) {
        std::fprintf(stderr, "perf.%s: %s\n", argv[0], e.what());
        return 1;
    }
}

}  // namespace perf
