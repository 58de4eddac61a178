// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#ifndef REGISTRY_IO_PERF_HARNESS_HPP
#define REGISTRY_IO_PERF_HARNESS_HPP

#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "include/registry_io_perf/stopwatch.hpp"
#include "subject.hpp"

namespace perf {

struct options
{
    bool quick = false;
    std::string filter;  ///< of "suite/case/subject", a regular expression
    std::string rows;    ///< the file for the rows, one JSON object per line; empty: the terminal
    double seconds = 0;  ///< how long the rounds may take
    std::vector<std::string> rest;  ///< further arguments, for the suite itself
};

using registry_io_perf::sample;
using registry_io_perf::stopwatch;

/// One line of a table.
struct measurement
{
    std::string name;     ///< the case
    std::string subject;  ///< the policy, or the other library
    long n = 0;
    int threads = 1;
    bool bare = false;  ///< the bare loop: the baseline for this case, n and threads

    /// Takes one sample. Empty if the result is already known.
    std::function<sample()> run = nullptr;

    std::optional<double> ns = {};
    std::optional<double> instructions = {};
    std::optional<double> allocations = {};
    std::optional<double> bytes = {};
};

/// A set of measurements that answers one question.
class suite
{
public:
    suite(std::string name, options o) : name_(std::move(name)), options_(std::move(o)) {}

    options const& opts() const noexcept { return options_; }
    bool quick() const noexcept { return options_.quick; }

    /// Whether to measure this: the filter matches, and a quick run has time for it. The bare loop
    /// is always measured.
    bool wants(std::string_view case_name, kind const& k) const;

    void add(measurement m) { all_.push_back(std::move(m)); }

    /// Takes samples in rounds. Each round takes every measurement once, in a new random order, but
    /// keeps those that are compared with each other side by side. Then writes the rows.
    int run();

private:
    std::string name_;
    options options_;
    std::vector<measurement> all_;
};

/// Returns how many operations make a sample of about this many seconds.
using registry_io_perf::calibrated;

/// Adds the measurement of an operation that can be repeated any number of times, with its
/// allocations. Before each sample the same number of operations, or as many as fit into a fiftieth
/// of a second, runs untimed: on large data the other samples have evicted it from the caches.
void add_repeated(suite& s, measurement m, std::function<void(long)> operations,
                  double seconds = 200e-6, long warm_up = 0);

/// main() of a suite: parses the arguments, lets `fill` add the measurements, and runs them.
int run_suite(int argc, char** argv, std::string_view name, std::string_view about,
              std::function<void(suite&)> const& fill);

}  // namespace perf

#endif
