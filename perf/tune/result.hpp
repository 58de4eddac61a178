// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#ifndef REGISTRY_IO_PERF_TUNE_RESULT_HPP
#define REGISTRY_IO_PERF_TUNE_RESULT_HPP

#include <map>
#include <string>
#include <vector>

#include "../include/registry_io_perf/statistics.hpp"
#include "candidates.hpp"
#include "job.hpp"

namespace tune {

/// One sample, in the form that tune.json contains.
struct taken
{
    int layout = 0, process = 0, round = 0;
    double ns = 0;
    bool disturbed = false;
};

/// A candidate that was measured in full.
struct finalist
{
    std::string alias;
    bool preset = false;
    double bytes = 0;
    std::vector<taken> samples = {};
    registry_io_perf::interval ratio{1, 1, 1};
    registry_io_perf::group group = registry_io_perf::group::no_difference;
    std::map<std::string, double> figures = {};  ///< by objective: nanoseconds, or bytes
    std::string beyond = {};                     ///< if not empty, the limit that it exceeds
};

/// The fastest candidate at one point of the plane of handlers and changes.
struct sensitivity
{
    long handlers = 0;
    double changes = 0;  ///< per notify
    std::string winner;  ///< an alias
    double ratio = 1;    ///< to the current alias
};

struct result
{
    job asked;
    std::string event = "Event";
    std::string door;  ///< the kind of input that the workload comes from
    std::vector<std::pair<std::string, std::string>> machine;
    std::vector<finalist> finalists = {};  ///< the first is the current alias
    std::vector<taken> twin_samples = {};
    registry_io_perf::interval twin{1, 1, 1};
    double margin = 0.05;
    std::size_t chosen = 0;
    std::vector<pruned> refused = {};  ///< by the compiler, with its sentence
    std::vector<pruned> failed = {};   ///< while they ran
    std::vector<pruned> dropped = {};  ///< after the screening
    std::vector<pruned> not_searched = {};
    std::vector<sensitivity> plane = {};
    int layouts = 0, processes = 0, rounds = 0;
    long samples = 0, disturbed = 0;
    double seconds = 0;
    bool interrupted = false;
    std::string trouble = {};  ///< if not empty, what ended the measurement early
    bool enough = false;       ///< at least 10 processes over at least 3 layouts
    bool pinned = false, price = false;
};

/// Returns the name of a group for the output.
inline char const* name_of(registry_io_perf::group g)
{
    return g == registry_io_perf::group::better ? "better"
        : g == registry_io_perf::group::worse   ? "worse"
                                                : "no difference";
}

/// Returns the comment and the alias, to be pasted.
std::string snippet(result const& r);

/// Returns the contents of tune.json.
json::object to_json(result const& r);

/// Returns the page: a single HTML document that refers to nothing outside itself.
std::string to_html(result const& r);

}  // namespace tune

#endif
