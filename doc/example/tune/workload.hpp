// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)

// A workload of one's own for registry_tune: how many lines of a package log are counted. It is
// compiled once for each candidate, which arrives as the template `Registry`.

#ifndef REGISTRY_IO_EXAMPLE_TUNE_WORKLOAD_HPP
#define REGISTRY_IO_EXAMPLE_TUNE_WORKLOAD_HPP

#include <array>
#include <cstddef>
#include <string_view>

struct package_event
{
    std::string_view action;
    std::string_view package;
};

template <template <class> class Registry>
struct workload
{
    workload()
    {
        registry.register_handler([this](package_event const&) { ++events; });
        for (std::string_view const action : {"install", "upgrade", "remove", "purge"})
            registry.register_handler([this, action](package_event const& e) {
                if (e.action == action)
                    names += e.package.size();
            });
    }

    // What is timed, so many times.
    void run(long times)
    {
        static constexpr std::array<package_event, 3> log{
            {{"install", "libc6"}, {"upgrade", "cmake"}, {"remove", "nano"}}};
        for (long i = 0; i < times; ++i)
            (void)registry.notify(log[static_cast<std::size_t>(i) % log.size()]);
    }

    // For the objective `removal`; leave it out if handlers stay.
    void change(long times)
    {
        for (long i = 0; i < times; ++i)
            registry.unregister(registry.register_handler([](package_event const&) {}));
    }

    std::size_t events = 0, names = 0;
    Registry<package_event> registry;
};

#endif
