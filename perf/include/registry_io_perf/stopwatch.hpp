// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#ifndef REGISTRY_IO_PERF_STOPWATCH_HPP
#define REGISTRY_IO_PERF_STOPWATCH_HPP

// Timing of short pieces of work on a machine that also does other things. Linux only.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <optional>

#include <sys/resource.h>
#include <time.h>

namespace registry_io_perf {

/// One timing of a piece of work.
struct sample
{
    /// Nanoseconds per operation.
    double ns = 0;
    /// True if the thread lost its processor during the sample. Drop such a sample, and count it.
    bool disturbed = false;
    /// The time that each operation of a second thread took meanwhile, in nanoseconds.
    std::optional<double> other_ns = {};
};

/// Times one piece of work of the calling thread, and detects whether it was disturbed.
///
/// A sample is disturbed if the kernel switched the thread away, or if the thread's own clock
/// lagged more than 2 % and 5 us behind the wall clock.
class stopwatch
{
public:
    /// Starts the clocks. Throws nothing.
    stopwatch() noexcept
        : switches_(switches()), cpu_(cpu_seconds()), start_(std::chrono::steady_clock::now())
    {
    }

    /// Returns the time since construction, divided by `operations`. Precondition: it is not 0.
    /// Throws nothing.
    sample stop(double operations) const noexcept
    {
        std::chrono::duration<double> const wall = std::chrono::steady_clock::now() - start_;
        double const cpu = cpu_seconds() - cpu_;
        bool const switched = switches() != switches_;
        return {.ns = wall.count() * 1e9 / operations,
                .disturbed = switched || wall.count() - cpu > 0.02 * wall.count() + 5e-6};
    }

private:
    static double cpu_seconds() noexcept
    {
        timespec t{};
        ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
    }

    static long switches() noexcept
    {
        rusage r{};
        ::getrusage(RUSAGE_THREAD, &r);
        return r.ru_nivcsw + r.ru_nvcsw;
    }

    long switches_;
    double cpu_;
    std::chrono::steady_clock::time_point start_;
};

/// Returns how many operations take about `seconds`. Calls `operations(n)` with growing n, three
/// times each, and uses the fastest call: a disturbed one would lead to samples that are too short.
/// Throws what `operations` throws.
template <class Operations>
long calibrated(Operations const& operations, double seconds)
{
    for (long n = 1;; n *= 4) {
        double best = std::numeric_limits<double>::infinity();
        for (int i = 0; i < 3; ++i) {
            auto const begin = std::chrono::steady_clock::now();
            operations(n);
            std::chrono::duration<double> const took = std::chrono::steady_clock::now() - begin;
            best = std::min(best, took.count());
        }
        if (best > seconds / 8)
            return std::max(1L, std::lround(static_cast<double>(n) * seconds / best));
    }
}

}  // namespace registry_io_perf

#endif
