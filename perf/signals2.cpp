// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Boost.Signals2, and its interface on our core, in one table: calls, connections, memory, and two
// threads. The other suites measure both among all other subjects.

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "harness.hpp"
#include "memory.hpp"
#include "subject.hpp"

namespace {

using namespace perf;

bool belongs(kind const& k)
{
    return k.event == 4 && (k.name == "bare" || k.name == "signals2" || k.name == "Boost.Signals2");
}

/// Two threads call at once. Reports what a call costs the timed thread.
sample beside_another(subject& s, long times)
{
    std::atomic<bool> stop{false};
    std::atomic<bool> ready{false};
    std::thread other([&] {
        s.enter();
        s.notify(1);
        ready = true;
        while (!stop.load(std::memory_order_relaxed))
            s.notify(100);
        s.leave();
    });
    while (!ready)
        std::this_thread::yield();
    s.notify(10);
    stopwatch const watch;
    s.notify(times);
    sample const taken = watch.stop(static_cast<double>(times));
    stop = true;
    other.join();
    return taken;
}

}  // namespace

int main(int argc, char** argv)
{
    return run_suite(
        argc, argv, "signals2", "Boost.Signals2, and its interface on our core", [](suite& s) {
            for (kind const& k : kinds()) {
                if (!belongs(k))
                    continue;
                auto const row = [&](char const* name, long n, int threads = 1) {
                    return measurement{.name = name,
                                       .subject = std::string(k.name),
                                       .n = n,
                                       .threads = threads,
                                       .bare = k.bare};
                };
                for (long const n : {0L, 1L, 16L, 64L}) {
                    if (!s.wants("call", k))
                        continue;
                    std::shared_ptr<subject> const one = k.make(1);
                    one->fill(n, deed::add);
                    add_repeated(s, row("call", n), [one](long times) { one->notify(times); });
                }
                for (long const n : {1L, 16L}) {
                    if (!s.wants("call, two threads", k))
                        continue;
                    std::shared_ptr<subject> const one = k.make(1);
                    one->fill(n, deed::add_own);
                    long const times =
                        calibrated([&](long t) { one->notify(t); }, s.quick() ? 200e-6 : 500e-6);
                    measurement m = row("call, two threads", n, 2);
                    m.run = [one, times] { return beside_another(*one, times); };
                    s.add(std::move(m));
                    add_repeated(s, row("call, two threads", n), [one](long t) { one->notify(t); });
                }
                for (long const n : {16L, 10000L}) {
                    if (k.bare || !s.wants("connect and disconnect", k))
                        continue;
                    std::shared_ptr<subject> const one = k.make(1);
                    one->reserve(n);
                    one->fill(n, deed::add);
                    add_repeated(
                        s, row("connect and disconnect", n),
                        [one](long times) { one->pairs(times); }, 200e-6, n);
                }
                for (long const n : {1L, 10000L}) {
                    if (k.bare || !s.wants("memory of a connection", k))
                        continue;
                    std::unique_ptr<subject> const one = k.make(1);
                    one->reserve(n);
                    memory_counter const memory;
                    one->fill(n, deed::add);
                    measurement m = row("memory of a connection", n);
                    m.allocations =
                        static_cast<double>(memory.allocations()) / static_cast<double>(n);
                    m.bytes = static_cast<double>(memory.bytes()) / static_cast<double>(n);
                    s.add(std::move(m));
                }
            }
        });
}
