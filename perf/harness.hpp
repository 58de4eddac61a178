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
    std::string rows;    ///< where the rows go, one JSON object a line; empty: the terminal
    double seconds = 0;  ///< how long the rounds may take
    std::vector<std::string> rest;  ///< what a suite makes of its further arguments
};

using registry_io_perf::sample;
using registry_io_perf::stopwatch;

/// One line of a table.
struct measurement
{
    std::string name;     ///< the case
    std::string subject;  ///< the policy or the peer
    long n = 0;
    int threads = 1;
    bool bare = false;  ///< what the others with the same case, n and threads are compared with

    /// Takes one sample. Empty where all there is to know is known already.
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

    /// Whether this one is to be measured: the filter lets it through, a quick run has the time.
    /// The yardstick always is.
    bool wants(std::string_view case_name, kind const& k) const;

    void add(measurement m) { all_.push_back(std::move(m)); }

    /// Takes samples in rounds: in each one every measurement once, in a new random order, but
    /// those that are compared with each other side by side. Then writes the rows.
    int run();

private:
    std::string name_;
    options options_;
    std::vector<measurement> all_;
};

/// How many operations make a sample of about this many seconds.
using registry_io_perf::calibrated;

/// Adds the measurement of an operation that can be repeated at will, with its allocations. Each
/// sample begins after so many operations more that are not timed, or a fiftieth of a second of
/// them: where what is worked on is large, the samples of others have driven it from the caches.
void add_repeated(suite& s, measurement m, std::function<void(long)> operations,
                  double seconds = 200e-6, long warm_up = 0);

/// main() for a suite: parses the arguments, lets `fill` add the measurements, and runs.
int run_suite(int argc, char** argv, std::string_view name, std::string_view about,
              std::function<void(suite&)> const& fill);

}  // namespace perf

#endif
