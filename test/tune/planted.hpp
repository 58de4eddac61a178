// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// A workload whose handlers do 15 % more work if the registry uses RCU: a slowdown that the tuner
// has to find.

#ifndef REGISTRY_IO_TEST_TUNE_PLANTED_HPP
#define REGISTRY_IO_TEST_TUNE_PLANTED_HPP

#include <string_view>

template <template <class> class Registry>
struct workload
{
    workload()
    {
        for (unsigned& sum : sums)
            registry.register_handler([&sum](unsigned const& seed) {
                unsigned x = seed;
                for (int i = 0; i < steps; ++i) {
                    x = x * 1664525 + 1013904223;
                    asm volatile("" : "+r"(x));  // no step is left out
                }
                sum += x;
            });
    }

    void run(long times)
    {
        for (unsigned seed = 0; times > 0; --times)
            (void)registry.notify(++seed);
    }

private:
    template <class T>
    static constexpr std::string_view name_of()
    {
        return __PRETTY_FUNCTION__;
    }
    static constexpr bool slow =
        name_of<Registry<unsigned>>().find("rcu") != std::string_view::npos;
    static constexpr int steps = slow ? 115 : 100;

    unsigned sums[6] = {};
    Registry<unsigned> registry;
};

#endif
