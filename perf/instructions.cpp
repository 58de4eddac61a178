// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// How many instructions a notify takes, by itself and inside a handler of another registry.
// valgrind's callgrind counts them in a run of this same program.
//
// The program starts itself under valgrind, once for each subject, with the subject's name as its
// argument. That process marks the runs to be counted by dumping the counters.

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <unistd.h>

#include <valgrind/callgrind.h>

#include "harness.hpp"
#include "subject.hpp"

namespace {

using namespace perf;

constexpr std::array<long, 5> sizes{0, 1, 4, 16, 64};
constexpr std::array<char const*, 2> cases{"one thread", "inside a handler"};
constexpr long few = 1000;
constexpr long many = 3000;

/// The part that runs under valgrind.
int counted(std::string const& name)
{
    for (kind const& k : kinds()) {
        if (k.name != name || k.event != 4)
            continue;
        for (bool const nested : {false, true})
            for (long const n : sizes) {
                std::unique_ptr<subject> const both = k.make(2);
                both->fill(n, deed::add);
                both->nest();
                both->notify(10);
                both->notify_nested(10);
                for (long const times : {few, many}) {
                    CALLGRIND_ZERO_STATS;
                    if (nested)
                        both->notify_nested(times);
                    else
                        both->notify(times);
                    CALLGRIND_DUMP_STATS_AT(std::to_string(times).c_str());
                }
            }
        return 0;
    }
    return 1;
}

/// Returns the sums of a run's dumps, in order.
std::vector<double> dumps(std::filesystem::path const& folder)
{
    std::vector<double> sums;
    for (int i = 1;; ++i) {
        std::ifstream file(folder / ("out." + std::to_string(i)));
        if (!file)
            return sums;
        std::string word;
        while (file >> word && word != "summary:") {
        }
        double sum = 0;
        file >> sum;
        sums.push_back(sum);
    }
}

std::vector<double> count(std::string const& name)
{
    std::string folder = std::filesystem::temp_directory_path() / "registry_io.XXXXXX";
    if (mkdtemp(folder.data()) == nullptr)
        throw std::runtime_error("cannot make a folder for callgrind's files");
    std::string const program = std::filesystem::read_symlink("/proc/self/exe");
    std::string const command = "valgrind --tool=callgrind --callgrind-out-file='" + folder +
        "/out' '" + program + "' counted '" + name + "' >'" + folder + "/log' 2>&1";
    int const status = std::system(command.c_str());
    std::vector<double> const sums = dumps(folder);
    std::filesystem::remove_all(folder);
    if (status != 0 || sums.size() < 2 * cases.size() * sizes.size())
        throw std::runtime_error("valgrind failed: " + command);
    std::vector<double> each;
    for (std::size_t i = 0; i != cases.size() * sizes.size(); ++i)
        each.push_back((sums[2 * i + 1] - sums[2 * i]) / (many - few));
    return each;
}

}  // namespace

int main(int argc, char** argv)
{
    if (argc == 3 && std::string(argv[1]) == "counted")
        return counted(argv[2]);
    return run_suite(argc, argv, "instructions", "Instructions for each notify", [](suite& s) {
        for (kind const& k : kinds()) {
            bool const wanted = s.wants(cases[0], k) || s.wants(cases[1], k);
            if (k.event != 4 || !wanted || (s.quick() && !k.bare && !k.ours))
                continue;
            std::fprintf(stderr, "\rinstructions: %-24s", std::string(k.name).c_str());
            std::vector<double> const each = count(std::string(k.name));
            for (std::size_t i = 0; i != each.size(); ++i)
                if (char const* const name = cases[i / sizes.size()]; s.wants(name, k))
                    s.add({.name = name,
                           .subject = std::string(k.name),
                           .n = sizes[i % sizes.size()],
                           .bare = k.bare,
                           .instructions = each[i]});
        }
        std::fprintf(stderr, "\r");
    });
}
