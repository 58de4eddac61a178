// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The statistics of registry_tune on synthetic samples, so that no test depends on timing.

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <random>
#include <vector>

#include "../../perf/include/registry_io_perf/statistics.hpp"

using namespace registry_io_perf;

namespace {

/// Samples of a candidate that takes `ratio` times as long as the baseline. Each layout, process
/// and round adds its own noise.
std::vector<layout_processes> synthetic(double ratio, std::mt19937_64& random)
{
    std::normal_distribution<double> layout_noise(0, 0.015), process_noise(0, 0.01),
        round_noise(0, 0.02);
    std::vector<layout_processes> all;
    for (int l = 0; l < 3; ++l) {
        double const of_layout = std::log(ratio) + layout_noise(random);
        layout_processes processes;
        for (int p = 0; p < 4; ++p) {
            double const of_process = of_layout + process_noise(random);
            process_rounds rounds;
            for (int r = 0; r < 9; ++r)
                rounds.push_back(of_process + round_noise(random));
            processes.push_back(rounds);
        }
        all.push_back(processes);
    }
    return all;
}

contender candidate(char const* name, interval ratio, bool preset = false, double bytes = 100)
{
    return {.name = name, .ratio = ratio, .preset = preset, .bytes = bytes};
}

contender current()
{
    return {.name = "current", .ratio = {1, 1, 1}, .current = true, .preset = true, .bytes = 100};
}

}  // namespace

BOOST_AUTO_TEST_CASE(quantiles_and_medians)
{
    BOOST_TEST(quantile({4, 1, 3, 2}, 0.5) == 2.5);
    BOOST_TEST(quantile({4, 1, 3, 2}, 0) == 1);
    BOOST_TEST(quantile({4, 1, 3, 2}, 1) == 4);
    BOOST_TEST(median({5, 1, 3}) == 3);
}

BOOST_AUTO_TEST_CASE(no_rounds_give_an_empty_interval)
{
    std::mt19937_64 random(1);
    interval const i = bootstrap({{{}, {}}, {}}, random);
    BOOST_TEST(i.middle == 0);
    BOOST_TEST(i.high == 0);
}

BOOST_AUTO_TEST_CASE(one_slow_round_does_not_move_the_ratio)
{
    std::mt19937_64 random(1);
    interval const i = bootstrap({{{0, 0, 0, 0, 3}}, {{0, 0, 0, 0, 0}}}, random, 100);
    BOOST_TEST(i.middle == 1);
}

// Ratios of one layout say nothing about another layout, and the interval has to reflect that.
BOOST_AUTO_TEST_CASE(the_interval_covers_the_difference_between_layouts)
{
    std::mt19937_64 random(1);
    layout_processes const slow{{0.1, 0.1, 0.1}}, fast{{-0.1, -0.1, -0.1}};
    interval const i = bootstrap({slow, fast}, random);
    BOOST_TEST(i.low < 0.92);
    BOOST_TEST(i.high > 1.09);
}

BOOST_AUTO_TEST_CASE(identical_candidates_are_tied)
{
    std::mt19937_64 random(20260101);
    int tied = 0;
    for (int i = 0; i < 1000; ++i) {
        double const m = margin(noise_floor(bootstrap(synthetic(1, random), random, 100)));
        interval const ratio = bootstrap(synthetic(1, random), random, 100);
        if (classify(ratio, m) == group::no_difference &&
            choose({current(), candidate("same", ratio)}, m) == 0)
            ++tied;
    }
    BOOST_TEST_MESSAGE("tied " << tied << " times");
    BOOST_TEST(tied >= 950);
}

BOOST_AUTO_TEST_CASE(a_planted_slowdown_never_wins)
{
    std::mt19937_64 random(20260102);
    int won = 0, in_group = 0, found = 0;
    for (int i = 0; i < 1000; ++i) {
        double const m = margin(noise_floor(bootstrap(synthetic(1, random), random, 100)));
        // One candidate is slower than the current alias; another is slower than the winner, though
        // faster than the current alias.
        std::vector<contender> const all{
            current(), candidate("slow", bootstrap(synthetic(1.15, random), random, 100), true, 1),
            candidate("fast", bootstrap(synthetic(0.7, random), random, 100)),
            candidate("planted", bootstrap(synthetic(0.7 * 1.15, random), random, 100), true, 1)};
        std::size_t const chosen = choose(all, m);
        won += chosen == 1 || chosen == 3;
        found += chosen == 2;
        for (std::size_t const member : winning_group(all, m))
            in_group += member == 1 || member == 3;
    }
    BOOST_TEST_MESSAGE("found the fast one " << found << " times");
    BOOST_TEST(won == 0);
    BOOST_TEST(in_group == 0);
    BOOST_TEST(found >= 950);
}

BOOST_AUTO_TEST_CASE(the_margin_is_at_least_five_percent)
{
    BOOST_TEST(margin(0.01) == 0.05);
    BOOST_TEST(margin(0.08) == 0.08);
    BOOST_TEST(noise_floor({0.97, 1, 1.01}) == 0.03, boost::test_tools::tolerance(1e-9));
}

BOOST_AUTO_TEST_CASE(groups_need_the_whole_interval)
{
    BOOST_TEST((classify({0.90, 0.92, 0.94}, 0.05) == group::better));
    BOOST_TEST((classify({0.90, 0.92, 0.96}, 0.05) == group::no_difference));
    BOOST_TEST((classify({1.04, 1.10, 1.20}, 0.05) == group::no_difference));
    BOOST_TEST((classify({1.06, 1.10, 1.20}, 0.05) == group::worse));
}

BOOST_AUTO_TEST_CASE(ties_go_by_a_fixed_rule)
{
    interval const fast{0.69, 0.70, 0.71}, near{0.70, 0.71, 0.72};
    BOOST_TEST(choose({current(), candidate("abc", fast), candidate("z", near, true)}, 0.05) == 2);
    BOOST_TEST(choose({current(), candidate("abc", fast), candidate("z", near, false, 50)}, 0.05) ==
               2);
    BOOST_TEST(choose({current(), candidate("abc", fast), candidate("ab", near)}, 0.05) == 2);
    BOOST_TEST(choose({current(), candidate("b", fast), candidate("a", near)}, 0.05) == 2);
    BOOST_TEST(choose({current(), candidate("none", {0.97, 0.98, 0.99})}, 0.05) == 0);
}

BOOST_AUTO_TEST_CASE(nothing_wins_on_a_machine_that_is_too_noisy_or_beyond_a_limit)
{
    contender fast = candidate("fast", {0.4, 0.5, 0.6});
    BOOST_TEST(choose({current(), fast}, 0.10) == 1);
    BOOST_TEST(choose({current(), fast}, 0.11) == 0);
    fast.allowed = false;
    BOOST_TEST(choose({current(), fast}, 0.05) == 0);
}

BOOST_AUTO_TEST_CASE(a_current_alias_that_is_not_allowed_is_replaced)
{
    contender wrong = current();
    wrong.allowed = false;
    interval const slow{1.2, 1.3, 1.4};
    BOOST_TEST(choose({wrong, candidate("slow", slow), candidate("slower", {2, 2, 2})}, 0.05) == 1);
    BOOST_TEST(choose({wrong, candidate("slow", slow)}, 0.2) == 1);
    BOOST_TEST(choose({wrong}, 0.05) == 0);
}
