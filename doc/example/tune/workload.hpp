// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// A user's own workload for registry_tune: two threads notify of the lines of a package log. It is
// compiled once for each candidate, which is passed as the template `Registry`.

#ifndef REGISTRY_IO_EXAMPLE_TUNE_WORKLOAD_HPP
#define REGISTRY_IO_EXAMPLE_TUNE_WORKLOAD_HPP

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

struct package_event
{
    std::string action;   // install, remove, status, ...
    std::string package;  // the word after it
};

template <template <class> class Registry>
struct workload
{
    workload()
    {
        char const* const given = std::getenv("PACKAGE_LOG");
        std::filesystem::path const sample =
            std::filesystem::path(__FILE__).parent_path() / "../sample-dpkg.log";
        std::ifstream log(given != nullptr ? std::filesystem::path(given) : sample);
        std::string date, time, rest;
        for (package_event e; log >> date >> time >> e.action >> e.package; std::getline(log, rest))
            events.push_back(e);
        if (events.empty())
            throw std::runtime_error("PACKAGE_LOG names no package log");

        registry.register_handler([this](package_event const& e) {
            std::lock_guard const lock(mutex);
            ++actions[e.action];
        });
        registry.register_handler([this](package_event const& e) {
            std::lock_guard const lock(mutex);
            ++packages[e.package];
        });
        for (std::atomic<std::size_t>& n : seen)
            registry.register_handler([&n](package_event const& e) {
                if (e.action == "remove")
                    ++n;
            });
    }

    // Runs what is timed, `times` times. Without `threads` and the second parameter, it runs on one
    // thread.
    void run(long times, long thread)
    {
        for (std::size_t i = static_cast<std::size_t>(thread); times > 0; --times, i += 2)
            (void)registry.notify(events[i % events.size()]);
    }
    long threads() const { return 2; }

    // For the objective `removal`: runs while the other threads notify. Omit it if handlers never
    // change.
    void change(long times)
    {
        for (; times > 0; --times)
            registry.unregister(registry.register_handler([](package_event const&) {}));
    }

    std::vector<package_event> events;
    std::mutex mutex;  // for what handlers share
    std::map<std::string, std::size_t> actions, packages;
    std::array<std::atomic<std::size_t>, 4> seen{};
    Registry<package_event> registry;
};

#endif
