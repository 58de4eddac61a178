// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// What notify costs while another thread registers and removes: at full speed, ten thousand times a
// second, or not at all.

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "harness.hpp"
#include "subject.hpp"

namespace {

using namespace perf;
using clock_type = std::chrono::steady_clock;

enum class pace { quiet, slow, full };

sample beside(subject& s, pace p, long times)
{
    if (p == pace::quiet) {
        stopwatch const watch;
        s.notify(times);
        return watch.stop(static_cast<double>(times));
    }
    std::atomic<bool> running{false};
    std::atomic<bool> stop{false};
    double ns = 0;
    std::thread writer([&] {
        s.enter();
        s.toggle(1);
        running = true;
        long toggles = 0;
        auto const begin = clock_type::now();
        while (!stop.load()) {
            s.toggle(1);
            ++toggles;
            // A toggle is two changes.
            if (p == pace::slow)
                std::this_thread::sleep_until(begin + toggles * std::chrono::microseconds(200));
        }
        std::chrono::duration<double, std::nano> const took = clock_type::now() - begin;
        ns = took.count() / static_cast<double>(2 * toggles + 1);
        s.leave();
    });
    while (!running)
        std::this_thread::yield();
    stopwatch const watch;
    s.notify(times);
    sample taken = watch.stop(static_cast<double>(times));
    stop = true;
    writer.join();
    taken.other_ns = ns;
    return taken;
}

}  // namespace

int main(int argc, char** argv)
{
    return run_suite(argc, argv, "writer", "One thread notifies, another one writes", [](suite& s) {
        for (kind const& k : kinds()) {
            if (!(k.threads || k.bare) || k.event != 4)
                continue;
            for (long const n : {1L, 16L}) {
                std::shared_ptr<subject> const one = k.make(1);
                one->fill(n, deed::add_own);
                long const times =
                    calibrated([&](long t) { one->notify(t); }, s.quick() ? 1e-3 : 3e-3);
                for (pace const p : {pace::quiet, pace::slow, pace::full}) {
                    std::string const name = p == pace::quiet ? "no writer"
                        : p == pace::slow                     ? "10 000 changes a second"
                                                              : "a writer at full speed";
                    if (!s.wants(name, k))
                        continue;
                    // Nothing may write beside the bare loop, because its time shows the state of
                    // the machine.
                    pace const mine = k.bare ? pace::quiet : p;
                    s.add({.name = name,
                           .subject = std::string(k.name),
                           .n = n,
                           .threads = p == pace::quiet ? 1 : 2,
                           .bare = k.bare,
                           .run = [=] { return beside(*one, mine, times); }});
                }
            }
        }
    });
}
