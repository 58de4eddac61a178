// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// What notify costs each of several threads that notify one registry whose handlers share nothing.

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "harness.hpp"
#include "subject.hpp"

namespace {

using namespace perf;

/// Makes all threads notify `times` times at once. Returns the mean over the threads.
sample together(subject& s, int threads, long times)
{
    std::atomic<int> ready{0};
    std::vector<sample> taken(static_cast<std::size_t>(threads));
    auto const run = [&](std::size_t i) {
        s.enter();
        s.notify(10);  // the first notify makes the thread known
        ++ready;
        while (ready.load() != threads) {
        }
        stopwatch const watch;
        s.notify(times);
        taken[i] = watch.stop(static_cast<double>(times));
        s.leave();
    };
    std::vector<std::thread> others;
    for (int i = 1; i < threads; ++i)
        others.emplace_back(run, static_cast<std::size_t>(i));
    run(0);
    for (std::thread& t : others)
        t.join();
    sample mean;
    for (sample const& one : taken) {
        mean.ns += one.ns / threads;
        mean.disturbed = mean.disturbed || one.disturbed;
    }
    return mean;
}

}  // namespace

int main(int argc, char** argv)
{
    return run_suite(argc, argv, "threads", "Several threads notify", [](suite& s) {
        int const processors = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
        for (kind const& k : kinds()) {
            if (!k.readers || k.event != 4)
                continue;
            for (long const n : {1L, 16L}) {
                if (!s.wants("together", k))
                    continue;
                std::shared_ptr<subject> const one = k.make(1);
                one->fill(n, deed::add_own);
                long const times =
                    calibrated([&](long t) { one->notify(t); }, s.quick() ? 200e-6 : 500e-6);
                for (int threads = 1; threads <= processors; threads *= 2)
                    s.add({.name = "together",
                           .subject = std::string(k.name),
                           .n = n,
                           .threads = threads,
                           .bare = k.bare,
                           .run = [=] { return together(*one, threads, times); }});
            }
        }
    });
}
