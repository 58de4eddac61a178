// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#ifndef REGISTRY_IO_PERF_STATISTICS_HPP
#define REGISTRY_IO_PERF_STATISTICS_HPP

// Pure functions of samples: they use no clock and no file, and take randomness only from the
// generator that the caller passes. All preconditions are stated with the parameters. All functions
// throw only std::bad_alloc and may be called from any thread.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include <boost/math/statistics/univariate_statistics.hpp>

namespace registry_io_perf {

/// Returns the quantile `part` (0 to 1) of unsorted values by linear interpolation. Precondition:
/// there is at least one value. Complexity: O(n log n).
inline double quantile(std::vector<double> v, double part)
{
    std::sort(v.begin(), v.end());
    double const where = part * static_cast<double>(v.size() - 1);
    auto const i = static_cast<std::size_t>(where);
    double const rest = where - static_cast<double>(i);
    return i + 1 < v.size() ? v[i] * (1 - rest) + v[i + 1] * rest : v[i];
}

/// Returns the median of the values. Precondition: there is at least one. Complexity: O(n).
inline double median(std::vector<double> v)
{
    return boost::math::statistics::median(v);
}

/// A value with its confidence interval.
struct interval
{
    double low = 0, middle = 0, high = 0;
};

/// Returns the quartiles of the values. Precondition: there is at least one.
inline interval quartiles(std::vector<double> const& v)
{
    return {quantile(v, 0.25), quantile(v, 0.5), quantile(v, 0.75)};
}

/// Logarithms of the ratios to the baseline, one for each round of one process.
using process_rounds = std::vector<double>;
/// The processes of one layout of the program.
using layout_processes = std::vector<process_rounds>;

/// Returns the ratio over all layouts, and its confidence interval by a hierarchical bootstrap.
///
/// The estimate of a process is the median of its rounds, that of a layout is the mean of its
/// processes, and the result is the mean of the layouts, converted back to a ratio. Each of
/// `repeats` draws resamples layouts, their processes, and their rounds, all with replacement,
/// since results differ more between layouts and processes than within one process. Processes
/// without rounds are ignored. Returns {0, 0, 0} if there are no rounds at all.
inline interval bootstrap(std::vector<layout_processes> const& given, std::mt19937_64& random,
                          int repeats = 1000, double confidence = 0.95)
{
    std::vector<layout_processes> all;
    for (layout_processes const& l : given) {
        layout_processes kept;
        for (process_rounds const& p : l)
            if (!p.empty())
                kept.push_back(p);
        if (!kept.empty())
            all.push_back(std::move(kept));
    }
    if (all.empty())
        return {};
    auto const estimate = [&](auto const& pick, process_rounds& scratch) {
        double sum = 0;
        for (std::size_t l = 0; l != all.size(); ++l) {
            layout_processes const& layout = all[pick(l, all.size())];
            double layout_sum = 0;
            for (std::size_t p = 0; p != layout.size(); ++p) {
                process_rounds const& rounds = layout[pick(p, layout.size())];
                scratch.clear();
                for (std::size_t r = 0; r != rounds.size(); ++r)
                    scratch.push_back(rounds[pick(r, rounds.size())]);
                layout_sum += boost::math::statistics::median(scratch);
            }
            sum += layout_sum / static_cast<double>(layout.size());
        }
        return std::exp(sum / static_cast<double>(all.size()));
    };
    process_rounds scratch;
    double const middle = estimate([](std::size_t i, std::size_t) { return i; }, scratch);
    std::vector<double> drawn;
    for (int i = 0; i < repeats; ++i)
        drawn.push_back(estimate(
            [&](std::size_t, std::size_t n) { return static_cast<std::size_t>(random() % n); },
            scratch));
    double const tail = (1 - confidence) / 2;
    return {quantile(drawn, tail), middle, quantile(drawn, 1 - tail)};
}

/// The result of a comparison with the baseline.
enum class group { better, no_difference, worse };

/// Returns the noise floor: how far a twin of the baseline, which is the same code, appeared to be
/// from it. This is the end of the twin's interval that is farther from 1.
inline double noise_floor(interval const& twin)
{
    return std::max({0.0, std::abs(1 - twin.low), std::abs(twin.high - 1)});
}

/// Returns the smallest difference that counts: 5 %, or the noise floor if that is larger.
inline double margin(double floor)
{
    return std::max(0.05, floor);
}

/// Returns the group of a ratio: "better" or "worse" only if the whole interval lies beyond the
/// margin.
inline group classify(interval const& ratio, double margin)
{
    return ratio.high < 1 - margin ? group::better
        : ratio.low > 1 + margin   ? group::worse
                                   : group::no_difference;
}

/// The properties that decide the choice between candidates.
struct contender
{
    std::string name;
    interval ratio;  ///< to the current alias; lower is better
    bool current = false;
    bool preset = false;
    double bytes = 0;     ///< of memory
    bool allowed = true;  ///< within the limits
};

/// The largest margin within which candidates are treated as tied with the best. On a noisier
/// machine no candidate wins.
inline constexpr double most_margin = 0.10;

/// Returns the indices of the winning group: the best of the candidates that are better than the
/// current alias, and the candidates within the margin of it. Empty if none is better, or if the
/// margin is above `most_margin`. If the current alias itself is not allowed, the best need not be
/// better.
inline std::vector<std::size_t> winning_group(std::vector<contender> const& all, double margin)
{
    bool const replace = std::any_of(all.begin(), all.end(),
                                     [](contender const& c) { return c.current && !c.allowed; });
    auto const may_win = [&](contender const& c) {
        return !c.current && c.allowed && (replace || classify(c.ratio, margin) == group::better);
    };
    std::vector<std::size_t> winners;
    if (margin > most_margin && !replace)
        return winners;
    double best = 0;
    for (contender const& c : all)
        if (may_win(c) && (best == 0 || c.ratio.middle < best))
            best = c.ratio.middle;
    for (std::size_t i = 0; i != all.size(); ++i)
        if (may_win(all[i]) && all[i].ratio.middle <= best * (1 + margin))
            winners.push_back(i);
    return winners;
}

/// Returns the index of the alias to choose; if none is better, that of the current alias. Ties
/// within the winning group are broken in this order: a preset, fewer bytes, the shorter name, the
/// first in alphabetical order. Precondition: one contender is the current alias.
inline std::size_t choose(std::vector<contender> const& all, double margin)
{
    std::vector<std::size_t> const winners = winning_group(all, margin);
    auto const current = static_cast<std::size_t>(std::distance(
        all.begin(),
        std::find_if(all.begin(), all.end(), [](contender const& c) { return c.current; })));
    if (winners.empty())
        return current;
    return *std::min_element(winners.begin(), winners.end(), [&](std::size_t i, std::size_t j) {
        contender const &a = all[i], &b = all[j];
        if (a.preset != b.preset)
            return a.preset;
        if (a.bytes != b.bytes)
            return a.bytes < b.bytes;
        if (a.name.size() != b.name.size())
            return a.name.size() < b.name.size();
        return a.name < b.name;
    });
}

}  // namespace registry_io_perf

#endif
