// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// registry_tune: measures which alias of a registry suits a workload best.

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <limits>
#include <memory>
#include <numeric>
#include <optional>
#include <random>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>

#include <registry_io/version.hpp>

#include "../include/registry_io_perf/profile.hpp"
#include "../include/registry_io_perf/stopwatch.hpp"
#include "build.hpp"
#include "candidates.hpp"
#include "job.hpp"
#include "result.hpp"

namespace tune {
namespace {

namespace fs = std::filesystem;
using steady = std::chrono::steady_clock;

// Exit statuses.
constexpr int found = 0, went_wrong = 1, wrong_input = 2, nothing_better = 3, was_interrupted = 130;

struct settings
{
    double budget = 120;
    double time_limit = 10;  ///< for one answer of a workload
    int layouts = 15;
    int rounds = 15;
    std::string workload;  ///< the user's header
    std::string pin;
    bool price = false;
    bool quiet = false;
    unsigned long seed = 0;
};

std::string processor()
{
    std::ifstream in("/proc/cpuinfo");
    for (std::string line; std::getline(in, line);)
        if (line.starts_with("model name"))
            return line.substr(line.find(':') + 2);
    return "unknown";
}

std::string today()
{
    std::time_t const now = std::time(nullptr);
    char day[32];
    std::strftime(day, sizeof day, "%Y-%m-%d", std::gmtime(&now));
    return day;
}

/// Returns how many steps of arithmetic take a nanosecond. Measured only once, so that all
/// candidates do the same work.
double steps_per_ns()
{
    double best = std::numeric_limits<double>::infinity();
    unsigned long value = static_cast<unsigned long>(std::time(nullptr));
    long const steps = 100'000;
    for (int i = 0; i < 9; ++i) {
        registry_io_perf::stopwatch const watch;
        value = registry_io_perf::work_steps(value, steps);
        best = std::min(best, watch.stop(static_cast<double>(steps)).ns);
    }
    // The value must be used, or the compiler removes the loop.
    return value == 42 ? 1 : 1 / best;
}

registry_io_perf::profile profile_of(job const& j)
{
    registry_io_perf::profile p;
    p.registries = j.registries;
    p.threads = j.notifying_threads;
    p.nesting = j.nesting;
    p.handlers.clear();
    for (double const n : spread_out(j.handlers))
        p.handlers.push_back(std::lround(n));
    double const steps = steps_per_ns();
    p.work.clear();
    for (double const ns : spread_out(j.handler_time))
        p.work.push_back(std::lround(ns * steps));
    p.failures = j.failures;
    p.changes = j.changes_per_second * j.interval * 1e-9;
    p.batch = j.batch;
    p.waiting = j.waiting_removals;
    if (j.memory_bound > 0)
        p.pool = std::lround(j.memory_bound / static_cast<double>(j.registries * (j.nesting + 1)));
    return p;
}

class session
{
public:
    session(result& r, settings const& s, builder& b) : r_(r), s_(s), builder_(b)
    {
        seed_ = s.seed != 0 ? s.seed : std::random_device{}();
        random_.seed(seed_);
        arguments_ = profile_of(r.asked).arguments();
    }

    unsigned long seed() const noexcept { return seed_; }

    void run()
    {
        std::vector<candidate> all = candidates();
        compile(all);
        screen();
        // Having no competitor is a valid answer, unless the time was too short to look for one.
        if (r_.asked.objective == "bytes" || field_.size() < 2)
            r_.enough = field_.size() > 1 || !skipped_;
        else
            try {
                measure();
            } catch (failed const& e) {
                // Keeps what was measured before.
                if (r_.samples == 0)
                    throw;
                r_.trouble = e.what();
                r_.enough = false;
                conclude();
                return;
            }
        bool const usable = r_.enough || r_.processes > 0;
        if (usable && !interrupted)
            figures();
        if (usable && !interrupted && s_.workload.empty() && !s_.price && !r_.pinned &&
            r_.asked.objective != "bytes" && field_.size() > 1)
            explore();
        conclude();
    }

private:
    struct running
    {
        candidate what;
        std::vector<fs::path> programs;  ///< one for each layout
        std::string type = {};
        double bytes = 0;
        long times = 1;
        double screened = 1;
        std::vector<taken> samples = {};
    };

    double elapsed() const { return std::chrono::duration<double>(steady::now() - begin_).count(); }

    void progress(std::string const& what, bool last = false)
    {
        if (s_.quiet)
            return;
        bool const terminal = ::isatty(2) != 0;
        if (!terminal && !last)
            return;
        std::fprintf(stderr,
                     terminal ? "\r\033[K%s, at most %.0f s left%s" : "%s, at most %.0f s left%s",
                     what.c_str(), std::max(0.0, s_.budget - elapsed()), last ? "\n" : "");
    }

    std::vector<candidate> candidates()
    {
        std::string const current = parse_alias(r_.asked.current).alias;
        std::vector<candidate> all{{current, is_preset(current)}};
        if (r_.pinned) {
            std::vector<std::string> const pair = split(s_.pin);
            std::string const other = parse_alias(pair[1]).alias;
            all.push_back({other, is_preset(other)});
        } else if (s_.price) {
            for (candidate& c : prices_for(r_.asked))
                all.push_back(std::move(c));
        } else {
            search_space space = candidates_for(r_.asked, !s_.workload.empty());
            all.insert(all.end(), space.candidates.begin(), space.candidates.end());
            r_.not_searched = std::move(space.not_searched);
        }
        return all;
    }

    /// Calls `f(i)` for all i below n, on all processors.
    template <class F>
    void in_parallel(std::size_t n, std::string const& what, F const& f)
    {
        std::atomic<std::size_t> next{0}, done{0};
        std::vector<std::exception_ptr> thrown(n);
        auto const work = [&] {
            for (std::size_t i; (i = next++) < n;) {
                try {
                    f(i);
                } catch (...) {
                    thrown[i] = std::current_exception();
                }
                ++done;
            }
        };
        unsigned const wide = std::max(1u, std::thread::hardware_concurrency());
        std::vector<std::thread> threads;
        for (unsigned t = 0; t < wide && t < n; ++t)
            threads.emplace_back(work);
        while (done.load() < n) {
            progress(what + " " + std::to_string(done.load()) + " of " + std::to_string(n));
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        }
        for (std::thread& t : threads)
            t.join();
        progress(what + " " + std::to_string(n) + " of " + std::to_string(n), true);
        for (std::exception_ptr const& e : thrown)
            if (e)
                std::rethrow_exception(e);
    }

    void compile(std::vector<candidate> const& all)
    {
        std::vector<std::optional<built>> made(all.size());
        in_parallel(all.size(), "compiling", [&](std::size_t i) {
            // Always compiles the current alias and both aliases of a pair; the others while more
            // than half of the time is left.
            if (!interrupted && (i == 0 || r_.pinned || elapsed() < s_.budget / 2))
                made[i] = builder_.build(all[i].alias, 0);
        });
        for (std::size_t i = 0; i != all.size(); ++i) {
            if (!made[i]) {
                skipped_ = true;
                r_.not_searched.push_back(
                    {all[i].alias, "the budget was spent before it compiled"});
                continue;
            }
            if (made[i]->refusal.empty()) {
                field_.push_back({.what = all[i], .programs = {made[i]->program}});
                continue;
            }
            if (i == 0 && !interrupted)
                throw failed("the current alias " + all[0].alias +
                             " does not compile: " + made[i]->refusal);
            if (i == 1 && r_.pinned)
                throw failed(all[1].alias + " does not compile: " + made[i]->refusal);
            if (!interrupted)
                r_.refused.push_back({all[i].alias, made[i]->refusal});
        }
    }

    std::unique_ptr<child> start(running const& c, std::size_t layout,
                                 std::vector<std::string> const& arguments)
    {
        std::vector<std::string> argv{c.programs[layout].string()};
        argv.insert(argv.end(), arguments.begin(), arguments.end());
        return std::make_unique<child>(argv, s_.time_limit);
    }

    taken sample(child& c, std::string const& objective, long times)
    {
        std::istringstream answer(c.ask("sample " + objective + " " + std::to_string(times)));
        taken t;
        int disturbed = 0;
        if (!(answer >> t.ns >> disturbed))
            throw gone("the workload wrote to its standard output");
        t.disturbed = disturbed != 0;
        return t;
    }

    /// Records that a candidate cannot be measured. Throws if there is no answer without it.
    void note_failure(std::size_t i, std::string const& why)
    {
        if (i == 0)
            throw failed("the current alias " + field_[0].what.alias +
                         " cannot be measured: " + why);
        if (r_.pinned)
            throw failed(field_[i].what.alias + " cannot be measured: " + why);
        r_.failed.push_back({field_[i].what.alias, why});
    }

    /// Like note_failure, and also removes the candidate from the field.
    void lose(std::size_t i, std::string const& why)
    {
        if (interrupted)
            return;
        note_failure(i, why);
        field_.erase(field_.begin() + static_cast<long>(i));
    }

    std::string timed() const
    {
        return r_.asked.objective == "bytes" ? "notify_p50" : r_.asked.objective;
    }

    /// Runs a few rounds of each candidate, and keeps those that may be within a quarter of the
    /// best.
    void screen()
    {
        progress("screening " + std::to_string(field_.size()) + " candidates", true);
        std::vector<std::unique_ptr<child>> children;
        for (std::size_t i = 0; i < field_.size() && !interrupted;) {
            try {
                auto c = start(field_[i], 0, arguments_);
                std::istringstream greeting(c->greeting());
                std::string version, bytes;
                std::getline(greeting, version, '\t');
                std::getline(greeting, bytes, '\t');
                std::getline(greeting, field_[i].type);
                field_[i].bytes = std::strtod(bytes.c_str(), nullptr);
                // For prices, the same type shows that the option costs nothing.
                auto const same = std::find_if(
                    field_.begin(), field_.begin() + static_cast<long>(i),
                    [&](running const& other) { return other.type == field_[i].type; });
                if (same != field_.begin() + static_cast<long>(i) && !r_.pinned) {
                    r_.not_searched.push_back(
                        {field_[i].what.alias, "is the same type as " + same->what.alias});
                    field_.erase(field_.begin() + static_cast<long>(i));
                    continue;
                }
                field_[i].times = std::stol(c->ask("calibrate " + timed() + " 300"));
                children.push_back(std::move(c));
                ++i;
            } catch (gone const& e) {
                lose(i, e.what());
                if (interrupted)
                    break;
            }
        }
        if (interrupted || r_.asked.objective == "bytes")
            return;
        std::vector<std::vector<double>> ratios(field_.size());
        for (int round = 0; round < 9 && !interrupted; ++round) {
            std::vector<double> ns(field_.size(), 0);
            for (std::size_t const i : shuffled(field_.size()))
                try {
                    taken const t =
                        children[i] ? sample(*children[i], timed(), field_[i].times) : taken{};
                    ns[i] = t.ns;
                } catch (gone const& e) {
                    if (interrupted)
                        break;
                    note_failure(i, e.what());
                    children[i] = nullptr;
                }
            for (std::size_t i = 0; i != field_.size(); ++i)
                if (children[i] && ns[0] > 0 && ns[i] > 0)
                    ratios[i].push_back(ns[i] / ns[0]);
        }
        double best = 1;
        for (std::size_t i = 0; i != field_.size(); ++i)
            if (!ratios[i].empty()) {
                field_[i].screened = registry_io_perf::median(ratios[i]);
                best = std::min(best, field_[i].screened);
            }
        std::vector<running> kept;
        for (std::size_t i = 0; i != field_.size(); ++i) {
            if (i != 0 && (!children[i] || ratios[i].empty()))
                continue;
            bool const hopeless = i != 0 && !s_.price && !r_.pinned &&
                registry_io_perf::quantile(ratios[i], 0.1) > 1.25 * best;
            if (hopeless) {
                std::ostringstream why;
                why.precision(2);
                why << std::fixed << field_[i].screened << " of the current alias in the screening";
                r_.dropped.push_back({field_[i].what.alias, why.str()});
            } else {
                kept.push_back(std::move(field_[i]));
            }
        }
        // Each candidate in the field costs compile time for each layout.
        std::sort(kept.begin() + 1, kept.end(),
                  [](running const& a, running const& b) { return a.screened < b.screened; });
        while (kept.size() > 7 && !s_.price) {
            r_.dropped.push_back(
                {kept.back().what.alias, "six others were faster in the screening"});
            kept.pop_back();
        }
        field_ = std::move(kept);
    }

    std::vector<std::size_t> shuffled(std::size_t n)
    {
        std::vector<std::size_t> order(n);
        std::iota(order.begin(), order.end(), 0);
        std::shuffle(order.begin(), order.end(), random_);
        return order;
    }

    /// Measures the finalists fully: processes and layouts, with a twin of the current alias.
    /// Begins with three layouts, and adds more while they differ by more than the margin and the
    /// budget lasts.
    void measure()
    {
        double const until = s_.budget * (s_.workload.empty() ? 0.85 : 0.95);
        std::size_t const most = static_cast<std::size_t>(s_.layouts);
        std::vector<std::size_t> layouts;
        for (std::size_t made = 0; made != most && !interrupted;) {
            std::size_t const first = made;
            made = made == 0 ? std::min<std::size_t>(3, most) : made + 1;
            compile_layouts(first, made);
            // A layout counts only if all candidates were built with it.
            std::size_t const before = layouts.size();
            for (std::size_t l = first; l != made; ++l)
                if (std::all_of(field_.begin(), field_.end(),
                                [&](running const& c) { return !c.programs[l].empty(); }))
                    layouts.push_back(l);
            // More processes would not narrow the intervals noticeably.
            for (int replicate = 0; replicate < 16 && !interrupted; ++replicate)
                for (std::size_t const at : shuffled(layouts.size() - before)) {
                    if (interrupted || (elapsed() > until && r_.processes > 0))
                        break;
                    std::size_t const i = before + at;
                    // The first layouts form a ring, and each further one is paired with the
                    // previous one, so that no layout is used for the twin more often than others.
                    std::size_t const other = before == 0 ? (i + 1) % layouts.size() : i - 1;
                    one_process(layouts[i], layouts[other], replicate);
                    progress("measuring, process " + std::to_string(r_.processes));
                }
            r_.layouts = static_cast<int>(layouts.size());
            if (layouts.size() == before || elapsed() > until || r_.twin_samples.empty() ||
                registry_io_perf::noise_floor(twin()) < registry_io_perf::margin(0))
                break;
        }
        r_.enough = r_.processes >= 10 && r_.layouts >= 3;
        progress("measured in " + std::to_string(r_.processes) + " processes", true);
    }

    /// Compiles the layouts from `first` up to, but not including, `end` for all finalists.
    void compile_layouts(std::size_t first, std::size_t end)
    {
        for (running& c : field_)
            c.programs.resize(end);
        // The screening has compiled the one without a number.
        first = std::max<std::size_t>(first, 1);
        std::size_t const n = end - first;
        std::vector<std::string> refusals(field_.size() * n);
        in_parallel(refusals.size(), "compiling layouts", [&](std::size_t k) {
            std::size_t const i = k / n, layout = first + k % n;
            if (interrupted || elapsed() > s_.budget * 0.8)
                return;
            built const b = builder_.build(field_[i].what.alias, static_cast<int>(layout));
            field_[i].programs[layout] = b.program;
            refusals[k] = b.refusal;
        });
        for (std::size_t k = 0; k != refusals.size(); ++k)
            if (!refusals[k].empty())
                r_.refused.push_back(
                    {field_[k / n].what.alias + ", in layout " + std::to_string(first + k % n),
                     refusals[k]});
    }

    /// Returns the ratio of the twin to the current alias, which is the same code.
    registry_io_perf::interval twin()
    {
        return registry_io_perf::bootstrap(paired(r_.twin_samples), random_);
    }

    void one_process(std::size_t layout, std::size_t twin_layout, int replicate)
    {
        std::vector<std::unique_ptr<child>> children;
        for (std::size_t i = 0; i < field_.size();)
            try {
                children.push_back(start(field_[i], layout, arguments_));
                ++i;
            } catch (gone const& e) {
                if (interrupted)
                    return;
                lose(i, e.what());
            }
        // The twin is the same source in another layout, so its distance from the baseline shows
        // the effect of layouts.
        std::unique_ptr<child> twin;
        try {
            twin = start(field_[0], twin_layout, arguments_);
        } catch (gone const& e) {
            lose(0, e.what());
            return;
        }
        std::size_t const n = children.size();
        for (int round = 0; round < s_.rounds && !interrupted; ++round)
            for (std::size_t const i : shuffled(n + 1)) {
                if (i < n && !children[i])
                    continue;
                child& c = i < n ? *children[i] : *twin;
                std::size_t const who = i < n ? i : 0;
                try {
                    taken t = sample(c, timed(), field_[who].times);
                    t.layout = static_cast<int>(layout);
                    t.process = replicate;
                    t.round = round;
                    ++r_.samples;
                    r_.disturbed += t.disturbed;
                    (i < n ? field_[i].samples : r_.twin_samples).push_back(t);
                } catch (gone const& e) {
                    if (interrupted)
                        break;
                    note_failure(who, e.what());
                    children[i] = nullptr;
                }
            }
        for (std::size_t i = n; i-- > 1;)
            if (!children[i])
                field_.erase(field_.begin() + static_cast<long>(i));
        ++r_.processes;
        r_.rounds = s_.rounds;
    }

    /// Measures each objective of each finalist once, for the limits and the plots.
    void figures()
    {
        progress("measuring the other objectives", true);
        for (running& c : field_) {
            std::map<std::string, double>& to = figures_[c.what.alias];
            to["bytes"] = c.bytes;
            for (char const* const objective :
                 {"notify_p50", "notify_p99", "throughput", "removal"}) {
                if (interrupted)
                    return;
                try {
                    std::unique_ptr<child> const p = start(c, 0, arguments_);
                    long const times =
                        std::stol(p->ask(std::string("calibrate ") + objective + " 300"));
                    std::vector<double> v;
                    for (int i = 0; i < 7; ++i)
                        v.push_back(sample(*p, objective, times).ns);
                    to[objective] = registry_io_perf::median(v);
                } catch (gone const&) {
                    // A user's workload need not support removals; a limit on them reports that.
                }
            }
        }
    }

    /// Finds where in the plane of handlers and changes another candidate would be the fastest.
    void explore()
    {
        for (long const handlers : {1L, 4L, 16L, 64L})
            for (double const changes : {0.0, 0.001, 0.01, 0.1}) {
                if (interrupted || elapsed() > s_.budget)
                    return;
                progress("exploring " + std::to_string(handlers) + " handlers");
                registry_io_perf::profile p = profile_of(r_.asked);
                p.handlers = {handlers};
                p.changes = changes;
                std::vector<std::unique_ptr<child>> children;
                std::vector<long> times(field_.size(), 1);
                std::vector<std::vector<double>> ratios(field_.size());
                for (std::size_t i = 0; i != field_.size(); ++i)
                    try {
                        children.push_back(start(field_[i], 0, p.arguments()));
                        times[i] = std::stol(children[i]->ask("calibrate " + timed() + " 200"));
                    } catch (gone const&) {
                        children.resize(i + 1);
                        children[i] = nullptr;
                    }
                if (!children[0])
                    continue;
                for (int round = 0; round < 7; ++round) {
                    std::vector<double> ns(field_.size(), 0);
                    for (std::size_t const i : shuffled(field_.size()))
                        try {
                            if (children[i])
                                ns[i] = sample(*children[i], timed(), times[i]).ns;
                        } catch (gone const&) {
                            children[i] = nullptr;
                        }
                    for (std::size_t i = 0; i != field_.size(); ++i)
                        if (ns[i] > 0 && ns[0] > 0)
                            ratios[i].push_back(ns[i] / ns[0]);
                }
                sensitivity s{handlers, changes, field_[0].what.alias, 1};
                for (std::size_t i = 1; i != field_.size(); ++i)
                    if (!ratios[i].empty()) {
                        double const ratio = registry_io_perf::median(ratios[i]);
                        // As in the answer, a candidate within the margin does not win.
                        if (ratio < s.ratio && ratio < 0.95) {
                            s.ratio = ratio;
                            s.winner = field_[i].what.alias;
                        }
                    }
                r_.plane.push_back(s);
            }
    }

    /// Returns the ratios of the samples to those of the current alias, round by round.
    std::vector<registry_io_perf::layout_processes> paired(std::vector<taken> const& samples) const
    {
        std::map<std::tuple<int, int, int>, taken const*> base;
        for (taken const& t : field_[0].samples)
            base[{t.layout, t.process, t.round}] = &t;
        std::map<int, std::map<int, registry_io_perf::process_rounds>> by;
        for (taken const& t : samples) {
            auto const b = base.find({t.layout, t.process, t.round});
            if (b != base.end() && !t.disturbed && !b->second->disturbed && b->second->ns > 0)
                by[t.layout][t.process].push_back(std::log(t.ns / b->second->ns));
        }
        std::vector<registry_io_perf::layout_processes> all;
        for (auto const& [layout, processes] : by) {
            all.emplace_back();
            for (auto const& [process, rounds] : processes)
                all.back().push_back(rounds);
        }
        return all;
    }

    void conclude()
    {
        r_.interrupted = interrupted != 0;
        r_.seconds = elapsed();
        bool const exact = r_.asked.objective == "bytes";
        if (!exact && !r_.twin_samples.empty()) {
            r_.twin = twin();
            if (r_.twin.high == 0) {
                r_.twin = {1, 1, 1};
                r_.enough = false;
            }
        }
        r_.margin = registry_io_perf::margin(exact ? 0 : registry_io_perf::noise_floor(r_.twin));
        std::vector<registry_io_perf::contender> contenders;
        for (std::size_t i = 0; i != field_.size(); ++i) {
            running& c = field_[i];
            finalist f{.alias = c.what.alias, .preset = c.what.preset, .bytes = c.bytes};
            f.figures = figures_[f.alias];
            if (i != 0) {
                if (exact) {
                    double const ratio = c.bytes / std::max(1.0, field_[0].bytes);
                    f.ratio = {ratio, ratio, ratio};
                } else {
                    f.ratio = registry_io_perf::bootstrap(paired(c.samples), random_);
                    // Without an undisturbed round nothing is known.
                    if (f.ratio.high == 0)
                        f.ratio = {0, 1, std::numeric_limits<double>::max()};
                }
                f.group = registry_io_perf::classify(f.ratio, r_.margin);
            }
            // A user who pins two aliases knows their properties.
            if (!r_.pinned && !s_.price)
                f.beyond = broken_requirement(r_.asked, f.alias);
            for (auto const& [name, limit] : r_.asked.limits) {
                auto const at = f.figures.find(name);
                if (at == f.figures.end())
                    f.beyond = "has no measurement of " + name;
                else if (at->second > limit)
                    f.beyond = "is above the limit of " + name;
            }
            contenders.push_back({.name = f.alias,
                                  .ratio = f.ratio,
                                  .current = i == 0,
                                  .preset = f.preset,
                                  .bytes = f.bytes,
                                  .allowed = f.beyond.empty()});
            r_.finalists.push_back(std::move(f));
        }
        // Only now, because all ratios refer to the samples of the first finalist.
        for (std::size_t i = 0; i != field_.size(); ++i)
            r_.finalists[i].samples = std::move(field_[i].samples);
        if (!contenders.empty() && r_.enough && !r_.interrupted && !s_.price)
            r_.chosen = registry_io_perf::choose(contenders, r_.margin);
    }

    result& r_;
    settings const& s_;
    builder& builder_;
    unsigned long seed_ = 0;
    std::mt19937_64 random_;
    steady::time_point begin_ = steady::now();
    std::vector<std::string> arguments_;
    std::vector<running> field_;
    bool skipped_ = false;  ///< the budget was spent before all candidates were compiled
    std::map<std::string, std::map<std::string, double>> figures_;
};

std::string three(double v)
{
    char text[32];
    std::snprintf(text, sizeof text, "%.2f", v);
    return text;
}

std::string figure(std::string const& objective, double v)
{
    char text[48];
    if (objective == "bytes")
        std::snprintf(text, sizeof text, "%.0f B", v);
    else
        std::snprintf(text, sizeof text, v < 99.5 ? "%.1f ns" : "%.0f ns", v);
    return text;
}

/// Returns in one sentence what a policy does better than others.
std::string reason(std::string const& alias)
{
    for (auto const& [part, why] :
         {std::pair("single_thread", "nothing in it is atomic"),
          std::pair("LocalRegistry", "nothing in it is atomic"),
          std::pair("batched", "several removals share one scan of the readers"),
          std::pair("by_writers", "readers free nothing"),
          std::pair("atomic_shared_ptr", "a table is freed by its last reader, without a domain"),
          std::pair("locked", "a short lock costs less here than protection without a lock"),
          std::pair("RcuRegistry", "a nested notify costs next to nothing in an RCU domain"),
          std::pair("snapshot::rcu", "a nested notify costs next to nothing in an RCU domain"),
          std::pair("fixed", "its memory lies in the registry"),
          std::pair("pool", "its memory comes from one piece, not from the heap")})
        if (alias.find(part) != std::string::npos)
            return why;
    return "each notify writes one word of its own thread";
}

void print(result const& r)
{
    std::ostream& out = std::cout;
    if (r.finalists.empty()) {
        out << "Nothing was measured.\n";
        return;
    }
    std::size_t width = 0;
    for (finalist const& f : r.finalists)
        width = std::max(width, f.alias.size());
    out << "\n" << r.asked.objective << ", as a ratio to the current alias (lower is better)\n";
    std::vector<finalist const*> order;
    for (finalist const& f : r.finalists)
        order.push_back(&f);
    std::sort(order.begin(), order.end(), [](finalist const* a, finalist const* b) {
        return a->ratio.middle != b->ratio.middle ? a->ratio.middle < b->ratio.middle : a < b;
    });
    for (finalist const* f : order) {
        out << "  " << f->alias << std::string(width - f->alias.size() + 2, ' ');
        if (f == &r.finalists[0])
            out << "1.00  current";
        else
            out << three(f->ratio.middle) << "  " << three(f->ratio.low) << " to "
                << (f->ratio.high > 1e6 ? "unknown" : three(f->ratio.high)) << "  "
                << name_of(f->group);
        if (auto const at = f->figures.find(r.asked.objective); at != f->figures.end())
            out << "  " << figure(r.asked.objective, at->second);
        out << (f->beyond.empty() ? "" : "  (" + f->beyond + ")") << '\n';
    }
    auto const list = [&](char const* title, std::vector<pruned> const& all) {
        if (all.empty())
            return;
        out << title << '\n';
        for (pruned const& p : all)
            out << "  " << p.what << ": " << p.why << '\n';
    };
    list("Refused by the compiler", r.refused);
    list("Failed while they ran", r.failed);
    list("Dropped after the screening", r.dropped);
    list("Not searched", r.not_searched);
    out << r.samples << " samples, " << r.disturbed << " of them disturbed and left out; "
        << r.processes << " processes, " << r.layouts
        << " layouts; a twin of the current alias was at " << three(r.twin.middle) << " ("
        << three(r.twin.low) << " to " << three(r.twin.high) << "), so less than "
        << three(100 * r.margin) << " % is no difference\n\n";

    finalist const& won = r.finalists[r.chosen];
    if (r.interrupted)
        out << "Interrupted: what was measured is kept, but nothing is chosen.\n";
    else if (!r.trouble.empty())
        out << "Nothing is chosen: " << r.trouble << ". What was measured before is kept.\n";
    else if (!r.enough)
        out << "Too little was measured for an answer: " << r.processes
            << " processes of at least 10, " << r.layouts
            << " layouts of at least 3. Raise --budget or --layouts.\n";
    else if (r.price)
        out << "These are costs. Order and panic policy decide what a program does, so nothing is "
               "chosen.\n";
    else if (r.chosen == 0 && r.margin > registry_io_perf::most_margin)
        out << "Too noisy to tell: identical code differed by more than 10 %. Raise --budget or "
               "--layouts, or run again when the machine is idle.\n";
    else if (r.chosen == 0 && !won.beyond.empty())
        out << "No measured candidate meets your requirements, nor does the current alias: it "
            << won.beyond << ".\n";
    else if (r.chosen == 0)
        out << "No candidate beats the current alias: " << qualified(won.alias, r.event) << '\n';
    else
        out << (r.finalists[0].beyond.empty()
                    ? ""
                    : "The current alias does not meet your requirements: it " +
                        r.finalists[0].beyond + ".\n")
            << "Write the alias below. It takes " << three(won.ratio.middle) << " ("
            << three(won.ratio.low) << " to " << three(won.ratio.high)
            << (r.asked.objective == "bytes" ? ") of the memory of " : ") of the time of ")
            << r.finalists[0].alias << ": " << reason(won.alias) << ".\n\n"
            << snippet(r);
    for (sensitivity const& s : r.plane)
        if (s.winner != won.alias && r.enough) {
            out << "The answer changes with the workload: with " << s.handlers << " handlers and "
                << s.changes << " changes for each notify, " << s.winner << " is the fastest.\n";
            break;
        }
}

/// Writes a file completely or not at all. Throws `failed`.
void write_file(fs::path const& path, std::string const& text)
{
    // A device cannot be replaced.
    bool const replace = !fs::exists(path) || fs::is_regular_file(path);
    fs::path const to = replace ? fs::path(path.string() + ".part") : path;
    errno = 0;
    std::ofstream out(to, std::ios::binary);
    out << text;
    out.close();
    if (!out) {
        std::string const why = std::strerror(errno);
        std::error_code ignored;
        if (replace)
            fs::remove(to, ignored);
        throw failed("cannot write " + path.string() + ": " + why +
                     "; the answer above is complete");
    }
    if (replace)
        fs::rename(to, path);
}

fs::path default_cache()
{
    if (char const* const dir = std::getenv("XDG_CACHE_HOME"); dir != nullptr && *dir != 0)
        return fs::path(dir) / "registry_tune";
    if (char const* const home = std::getenv("HOME"); home != nullptr && *home != 0)
        return fs::path(home) / ".cache/registry_tune";
    return fs::temp_directory_path() / "registry_tune";
}

int run(int argc, char** argv)
{
    settings s;
    std::string job_file, recording, verify, cache, keep, compile_commands, like, json_path,
        html_path;
    std::string interval, handler_time, memory_bound, budget, time_limit, order, panic, current,
        objective, event;
    std::optional<double> handlers, failures, changes, waiting;
    std::optional<long> registries, event_bytes, threads, nesting, batch;
    std::vector<std::string> limits;
    bool one_thread = false, no_heap = false, no_blocking = false, any_recording = false;

    CLI::App app{"Measures which alias of a registry suits your workload best.\n"
                 "Status: 0 something is better, 3 nothing beats the current alias, 2 wrong input, "
                 "1 a failure, 130 interrupted",
                 "registry_tune"};
    app.set_version_flag("--version", REGISTRY_IO_VERSION_STRING);
    auto* const doors = app.add_option_group("Source of the workload (default: the flags)");
    doors->add_option("--job", job_file, "A job file");
    doors->add_option("--recording", recording, "A file that observe::recorded wrote");
    doors->add_option(
        "--workload", s.workload,
        "Your header, with template <template <class> class Registry> struct workload");
    auto* const happens = app.add_option_group("Workload");
    happens->add_option("--handlers", handlers, "Handlers of each registry");
    happens->add_option("--handler-time", handler_time, "Duration of a handler, such as 200ns");
    happens->add_option("--interval", interval,
                        "Time between two notifies of a thread, such as 10us");
    happens->add_option("--notifying-threads", threads, "Threads that notify at once");
    happens->add_option("--registries", registries, "Registries that are notified in turn");
    happens->add_option("--nesting", nesting, "Notifies inside a notify");
    happens->add_option("--event-bytes", event_bytes, "Size of the event");
    happens->add_option("--failures", failures, "Share of calls that throw");
    happens->add_option("--changes-per-second", changes, "Handlers replaced in a second");
    happens->add_option("--batch", batch, "Handlers replaced by one transaction");
    happens->add_option("--waiting-removals", waiting,
                        "Share of removals that wait for running handlers");
    auto* const needs = app.add_option_group("Requirements");
    needs->add_flag("--one-thread", one_thread, "One thread uses a registry");
    needs->add_flag("--no-blocking", no_blocking, "Handlers never block");
    needs->add_flag("--no-heap", no_heap, "No heap");
    needs->add_option("--memory-bound", memory_bound, "Memory of all registries, such as 64KB");
    needs->add_option("--order", order, "priority or fifo (that of the current alias)");
    needs->add_option("--panic", panic, "A panic policy (that of the current alias)");
    needs->add_option("--limit", limits,
                      "The most of an objective, as OBJECTIVE=VALUE: removal=2us");
    auto* const asked = app.add_option_group("What to measure");
    asked->add_option("--current", current, "The current alias (SyncRegistry)");
    asked->add_option("--objective", objective,
                      "notify_p50, notify_p99, throughput, removal or bytes (notify_p50)");
    asked->add_option("--pin", s.pin, "A,B: measure only whether B is better than A");
    asked->add_flag("--price", s.price,
                    "Measure what other panic policies and the other order cost");
    asked->add_option("--verify", verify,
                      "A tune.json: measure whether the chosen alias is still better");
    auto* const how = app.add_option_group("How");
    how->add_option("--budget", budget, "Total time, such as 60s (120s)");
    how->add_option("--time-limit", time_limit, "Time for one answer of a workload (10s)");
    how->add_option("--rounds", s.rounds, "Rounds of a process (15)")->check(CLI::Range(1, 1000));
    how->add_option("--layouts", s.layouts, "The most layouts of each program (15)")
        ->check(CLI::Range(1, 99));
    how->add_option("--seed", s.seed, "Seed of all random choices (random)");
    how->add_option("--compile-commands", compile_commands,
                    "Take the compiler flags from this compile_commands.json");
    how->add_option("--like", like,
                    "Take the flags of the first file in it that ends with this (any)");
    how->add_option("--cache", cache, "The folder in which compiled programs are kept");
    how->add_option("--keep", keep, "A folder for the generated sources");
    how->add_option("--json", json_path, "The file for every sample (tune.json)");
    how->add_option("--html", html_path, "The file for the page (tune.html)");
    how->add_option("--event", event, "The name of your event in the alias to paste");
    how->add_flag("--quiet", s.quiet, "Show no progress");
    how->add_flag("--any-recording", any_recording,
                  "Accept a recording of another version or machine");
    try {
        app.parse(argc, argv);
    } catch (CLI::ParseError const& e) {
        return app.exit(e) == 0 ? 0 : wrong_input;
    }

    if (!job_file.empty() + !recording.empty() + !s.workload.empty() + !verify.empty() > 1 &&
        !(s.workload.size() && job_file.size() && recording.empty() && verify.empty()))
        throw bad_input(
            "--job, --recording, --workload and --verify exclude each other; give only one "
            "(or --job with --workload)");
    result r;
    r.door = "flags";
    if (!job_file.empty()) {
        r.asked = read_job_file(job_file);
        r.door = job_file;
    } else if (!recording.empty()) {
        r.asked = read_recording(recording, REGISTRY_IO_VERSION_STRING, processor(), any_recording);
        r.door = recording;
    } else if (!verify.empty()) {
        json::value const v = detail::read_json(verify);
        json::object const& o = v.as_object();
        json::value const *const j = o.if_contains("job"), *const chosen = o.if_contains("chosen"),
                                 *const header = o.if_contains("workload"),
                                 *const of = o.if_contains("event");
        if (j == nullptr || chosen == nullptr || !chosen->is_string())
            throw bad_input(verify + ": is not a tune.json; it has no job and no chosen alias");
        r.asked = read_job(*j, verify + ".job");
        if (header != nullptr && header->is_string())
            s.workload = header->as_string();
        if (of != nullptr && of->is_string())
            r.event = of->as_string();
        s.pin = r.asked.current + "," + std::string(chosen->as_string());
        r.door = verify;
    }
    if (!s.workload.empty())
        r.door = s.workload;

    // Flags override the values in a file.
    job& j = r.asked;
    if (!interval.empty())
        j.interval = parse_time(interval, "--interval");
    if (!handler_time.empty())
        j.handler_time = {parse_time(handler_time, "--handler-time"), {}};
    if (!memory_bound.empty())
        j.memory_bound = parse_bytes(memory_bound, "--memory-bound");
    if (!budget.empty())
        s.budget = parse_time(budget, "--budget") * 1e-9;
    if (!time_limit.empty())
        s.time_limit = parse_time(time_limit, "--time-limit") * 1e-9;
    if (handlers)
        j.handlers = {*handlers, {}};
    for (auto const& [given, to] :
         {std::pair(failures, &j.failures), std::pair(changes, &j.changes_per_second),
          std::pair(waiting, &j.waiting_removals)})
        if (given)
            *to = *given;
    for (auto const& [given, to] :
         {std::pair(registries, &j.registries), std::pair(event_bytes, &j.event_bytes),
          std::pair(threads, &j.notifying_threads), std::pair(nesting, &j.nesting),
          std::pair(batch, &j.batch)})
        if (given)
            *to = *given;
    for (auto const& [given, to] :
         {std::pair(&order, &j.order), std::pair(&panic, &j.panic), std::pair(&current, &j.current),
          std::pair(&objective, &j.objective)})
        if (!given->empty())
            *to = *given;
    j.threads = j.threads && !one_thread;
    j.heap = j.heap && !no_heap;
    j.blocking = j.blocking && !no_blocking;
    for (std::string const& l : limits) {
        std::size_t const at = l.find('=');
        if (at == std::string::npos)
            throw bad_input("--limit: \"" + l + "\" is not OBJECTIVE=VALUE, such as removal=2us");
        std::string const name = l.substr(0, at);
        require_one_of(name, objectives, "--limit");
        j.limits[name] = parse_limit(name, l.substr(at + 1), "--limit " + name);
    }
    if (!s.pin.empty()) {
        if (split(s.pin).size() != 2)
            throw bad_input("--pin: \"" + s.pin +
                            "\" is not two aliases with a comma between them");
        j.current = split(s.pin)[0];
        r.pinned = true;
    }
    check(j);
    parsed_alias const parsed = parse_alias(j.current);
    if (r.event == "Event")
        r.event = event.empty() ? parsed.event : event;
    j.current = parsed.alias;
    r.price = s.price;
    if (s.price && r.pinned)
        throw bad_input("--price cannot be combined with --pin or --verify; give only one");

    builder b(find_toolchain(compile_commands, like),
              cache.empty() ? default_cache() : fs::path(cache), keep, s.workload, j.event_bytes);
    session work(r, s, b);
    r.machine = {{"processor", processor()},
                 {"processors", std::to_string(std::thread::hardware_concurrency())},
                 {"compiler", b.tools().version},
                 {"flags", b.tools().flags},
                 {"registry_io", REGISTRY_IO_VERSION_STRING},
                 {"date", today()},
                 {"seed", std::to_string(work.seed())},
                 {"profile", hash_of(json::serialize(write_job(j)))}};
    work.run();
    print(r);
    json::object all = to_json(r);
    if (!s.workload.empty())
        all["workload"] = fs::absolute(s.workload).string();
    // Tries both: if one cannot be written, the other is not lost.
    std::string why;
    for (auto const& [path, text] :
         {std::pair(json_path.empty() ? fs::path("tune.json") : fs::path(json_path),
                    json::serialize(all) + "\n"),
          std::pair(html_path.empty() ? fs::path("tune.html") : fs::path(html_path), to_html(r))})
        try {
            write_file(path, text);
            std::cout << "written: " << path.string() << '\n';
        } catch (std::exception const& e) {
            why = e.what();
        }
    if (!(std::cout << std::flush))
        why = "cannot write to the standard output";
    if (!why.empty())
        throw failed(why);
    if (!r.trouble.empty())
        throw failed(r.trouble + "; what was measured before is kept");
    // A list of prices is an answer even though nothing is chosen.
    bool const answered = r.chosen != 0 || (r.price && r.enough);
    return r.interrupted ? was_interrupted : answered ? found : nothing_better;
}

}  // namespace
}  // namespace tune

int main(int argc, char** argv)
{
    struct sigaction on_signal = {};
    on_signal.sa_handler = [](int) { tune::interrupted = 1; };
    ::sigaction(SIGINT, &on_signal, nullptr);
    ::sigaction(SIGTERM, &on_signal, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
    try {
        return tune::run(argc, argv);
    } catch (tune::bad_input const& e) {
        std::cerr << "registry_tune: " << e.what() << '\n';
        return tune::wrong_input;
    } catch (std::exception const& e) {
        std::cerr << "registry_tune: " << e.what() << '\n';
        return tune::interrupted ? tune::was_interrupted : tune::went_wrong;
    }
}
