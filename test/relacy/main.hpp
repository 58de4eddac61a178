// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// A program that runs all scenarios for one snapshot policy, which is a template over environments.
//
// If REGISTRY_IO_RELACY_SCENARIOS and REGISTRY_IO_RELACY_MODELS are defined, they list the parts
// that are compiled into the program: a mutant needs few of them, and compiles faster that way.

#ifndef REGISTRY_IO_TEST_RELACY_MAIN_HPP
#define REGISTRY_IO_TEST_RELACY_MAIN_HPP

#include <cstdlib>
#include <cstring>
#include <iterator>
#include <string>

#include <registry_io/reclaim/retired.hpp>

#include "relacy/scenarios.hpp"

namespace relacy {

#ifndef REGISTRY_IO_RELACY_SCENARIOS
#define REGISTRY_IO_RELACY_SCENARIOS ""
#endif
#ifndef REGISTRY_IO_RELACY_MODELS
#define REGISTRY_IO_RELACY_MODELS ""
#endif

inline int ran = 0;
inline int failed = 0;

/// Whether a name is on a list whose items are separated by commas or blanks; an empty list
/// contains all.
constexpr bool is_on(std::string_view list, std::string_view name)
{
    if (list.empty())
        return true;
    while (!list.empty()) {
        std::size_t const end = list.find_first_of(", ");
        if (list.substr(0, end) == name)
            return true;
        list = end == std::string_view::npos ? std::string_view() : list.substr(end + 1);
    }
    return false;
}

template <template <class> class Policy, template <class> class Scenario, fences Model>
void run_under(std::string_view name, std::string_view model)
{
    if (!is_on(chosen.scenario, name) || !is_on(chosen.model, model) ||
        (chosen.first && failed != 0))
        return;
    ++ran;
    failed += !run<Scenario<Policy<env<Model>>>>(name, model);
}

#define REGISTRY_IO_RUN(scenario, model, name)                                                     \
    if constexpr (is_on(REGISTRY_IO_RELACY_SCENARIOS, #scenario) &&                                \
                  is_on(REGISTRY_IO_RELACY_MODELS, name))                                          \
        run_under<Policy, scenario, fences::model>(#scenario, name);
#define REGISTRY_IO_SCENARIO(scenario)                                                             \
    REGISTRY_IO_RUN(scenario, membarrier, "membarrier")                                            \
    REGISTRY_IO_RUN(scenario, none, "fallback")

/// Whether a reader pins only what it can see, and not everything that is retired after it began.
template <class Policy>
inline constexpr bool pins_its_snapshot_alone =
    std::is_base_of_v<reclaim::counted_root<typename Policy::env>, typename Policy::root_header>;

template <template <class> class Policy>
void run_all()
{
    REGISTRY_IO_SCENARIO(protect)
    REGISTRY_IO_SCENARIO(last_reader_out)
    REGISTRY_IO_SCENARIO(nested)
    // Compiler reordering matters only in these scenarios.
    REGISTRY_IO_RUN(protect, pair, "pair")
    REGISTRY_IO_RUN(last_reader_out, pair, "pair")
    REGISTRY_IO_RUN(nested, pair, "pair")
    REGISTRY_IO_SCENARIO(two_writers)
    REGISTRY_IO_SCENARIO(removed_once)
    REGISTRY_IO_SCENARIO(first_writers)
    REGISTRY_IO_SCENARIO(unregister_and_wait)
    REGISTRY_IO_SCENARIO(synchronize)
    REGISTRY_IO_SCENARIO(counted)
    REGISTRY_IO_SCENARIO(wait_alone)
    REGISTRY_IO_SCENARIO(teardown)
    REGISTRY_IO_SCENARIO(thread_exit)
    REGISTRY_IO_SCENARIO(append)
    REGISTRY_IO_SCENARIO(run_ends)
    REGISTRY_IO_SCENARIO(chunks)
    REGISTRY_IO_SCENARIO(sealed)
    REGISTRY_IO_SCENARIO(transaction)
    REGISTRY_IO_SCENARIO(self_removal)
    REGISTRY_IO_SCENARIO(removed_inside)
    REGISTRY_IO_SCENARIO(busy_destructor)
    REGISTRY_IO_SCENARIO(deferred)
    REGISTRY_IO_SCENARIO(address_reuse)
    if constexpr (pins_its_snapshot_alone<Policy<env<fences::none>>>) {
        REGISTRY_IO_SCENARIO(sleeper)
    }
    REGISTRY_IO_RUN(fence_refused, membarrier, "membarrier")
}

#undef REGISTRY_IO_SCENARIO
#undef REGISTRY_IO_RUN

inline bool read_scheduler(std::string_view name)
{
    for (unsigned i = 0; i < std::size(scheduler_names); ++i) {
        if (scheduler_names[i] == name) {
            chosen.scheduler = static_cast<schedulers>(i);
            return true;
        }
    }
    return false;
}

/// Reads SCHEDULER:SEED:NUMBER, the form in which `report` prints a failure.
inline bool read_replay(std::string_view text)
{
    std::size_t const end = text.find(':');
    if (end == text.npos || !read_scheduler(text.substr(0, end)))
        return false;
    char* rest = nullptr;
    chosen.seed = std::strtoul(text.data() + end + 1, &rest, 10);
    chosen.replay = *rest == ':' ? std::strtoul(rest + 1, nullptr, 10) : 0;
    return chosen.replay != 0;
}

inline int program(int argc, char** argv, void (*run_scenarios)())
{
    for (int i = 1; i < argc; ++i) {
        std::string_view const a = argv[i];
        bool const has_value = i + 1 < argc;
        if (a == "--history")
            chosen.history = true;
        else if (a == "--first")
            chosen.first = true;
        else if (a == "--scenario" && has_value)
            chosen.scenario = argv[++i];
        else if (a == "--model" && has_value)
            chosen.model = argv[++i];
        else if (a == "--schedules" && has_value)
            chosen.schedules = std::strtoul(argv[++i], nullptr, 10);
        else if (a == "--seconds" && has_value)
            chosen.seconds = std::strtod(argv[++i], nullptr);
        else if (a == "--seed" && has_value)
            chosen.seed = std::strtoul(argv[++i], nullptr, 10);
        else if (a == "--bound" && has_value)
            chosen.bound = std::atoi(argv[++i]);
        else if (a == "--scheduler" && has_value && read_scheduler(argv[i + 1]))
            ++i;
        else if (a == "--replay" && has_value && read_replay(argv[i + 1]))
            ++i;
        else {
            std::printf("usage: %s [--scenario A,B] [--model membarrier,pair,fallback] "
                        "[--schedules N] [--seconds S] [--seed N] [--bound PREEMPTIONS] "
                        "[--scheduler even|falls|pct|in_turn] [--replay SCHEDULER:SEED:NUMBER] "
                        "[--first] [--history]\n",
                        argv[0]);
            return 2;
        }
    }
    catch_crashes();
    run_scenarios();
    if (ran == 0)
        std::printf("no such scenario or model\n");
    return failed == 0 && ran != 0 ? 0 : 1;
}

template <template <class> class Policy>
int program(int argc, char** argv)
{
    return program(argc, argv, &run_all<Policy>);
}

}  // namespace relacy

#endif
