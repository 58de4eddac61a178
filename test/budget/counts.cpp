// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// How many instructions a change takes while there are many of something else, on which the cost
// must not depend. test/within_budget compiles this file, runs it under callgrind and compares the
// dumps with the lines below. Each line names a snapshot policy and what there are many of, how
// many, and how many instructions one registration and removal of a handler may take while one
// notify is in flight. "guards": handlers of the same registry, each held by a guard; the registry
// is large at both sizes. "registries": other registries of the same type, each with a handler.
// "threads": threads that have notified and exited.
//
// budget gcc atomic_shared_ptr.guards 2000 3710
// budget gcc atomic_shared_ptr.guards 20000 3710
// budget gcc atomic_shared_ptr.registries 10 2090
// budget gcc atomic_shared_ptr.registries 1000 2090
// budget gcc atomic_shared_ptr.threads 2 2100
// budget gcc atomic_shared_ptr.threads 200 2100
// budget gcc hazard_pointer.guards 2000 3700
// budget gcc hazard_pointer.guards 20000 3700
// budget gcc hazard_pointer.registries 10 2060
// budget gcc hazard_pointer.registries 1000 2060
// budget gcc hazard_pointer.threads 2 2130
// budget gcc hazard_pointer.threads 200 2130
// budget gcc locked.guards 2000 3500
// budget gcc locked.guards 20000 3500
// budget gcc locked.registries 10 1880
// budget gcc locked.registries 1000 1880
// budget gcc locked.threads 2 1890
// budget gcc locked.threads 200 1890
// budget gcc rcu.guards 2000 4700
// budget gcc rcu.guards 20000 4700
// budget gcc rcu.registries 10 2130
// budget gcc rcu.registries 1000 2130
// budget gcc rcu.threads 2 2750
// budget gcc rcu.threads 200 2750
// budget gcc single_thread.guards 2000 3210
// budget gcc single_thread.guards 20000 3210
// budget gcc single_thread.registries 10 1650
// budget gcc single_thread.registries 1000 1650
// budget clang atomic_shared_ptr.guards 2000 3840
// budget clang atomic_shared_ptr.guards 20000 3840
// budget clang atomic_shared_ptr.registries 10 2225
// budget clang atomic_shared_ptr.registries 1000 2225
// budget clang atomic_shared_ptr.threads 2 2230
// budget clang atomic_shared_ptr.threads 200 2230
// budget clang hazard_pointer.guards 2000 3820
// budget clang hazard_pointer.guards 20000 3820
// budget clang hazard_pointer.registries 10 2195
// budget clang hazard_pointer.registries 1000 2195
// budget clang hazard_pointer.threads 2 2230
// budget clang hazard_pointer.threads 200 2230
// budget clang locked.guards 2000 3620
// budget clang locked.guards 20000 3620
// budget clang locked.registries 10 2020
// budget clang locked.registries 1000 2020
// budget clang locked.threads 2 2030
// budget clang locked.threads 200 2030
// budget clang rcu.guards 2000 4750
// budget clang rcu.guards 20000 4750
// budget clang rcu.registries 10 2200
// budget clang rcu.registries 1000 2200
// budget clang rcu.threads 2 2790
// budget clang rcu.threads 200 2790
// budget clang single_thread.guards 2000 3320
// budget clang single_thread.guards 20000 3320
// budget clang single_thread.registries 10 1740
// budget clang single_thread.registries 1000 1740

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <valgrind/callgrind.h>

#include <registry_io/presets/local.hpp>
#include <registry_io/presets/rcu.hpp>
#include <registry_io/presets/sync.hpp>
#include <registry_io/snapshot/atomic_shared_ptr.hpp>
#include <registry_io/snapshot/locked.hpp>

namespace {

namespace snapshot = registry_io::snapshot;
using default_registry = registry_io::SyncRegistry<int>;

constexpr int times = 100;

/// Counts what a registration and removal of a handler costs inside a notify of the same registry.
template <class Registry>
void measure(Registry& r, std::string const& name, int n)
{
    auto const id = r.register_handler(1, [&](int const&) {
        auto const pair = [&](int i) {
            r.unregister(r.register_handler([p = std::make_unique<int>(i)](int const&) {}));
        };
        pair(0);
        // Flushes the cost of threads that have exited: it would appear in the next dump even
        // though the counters are reset.
        CALLGRIND_DUMP_STATS_AT("before 0 1");
        CALLGRIND_ZERO_STATS;
        for (int i = 0; i < times; ++i)
            pair(i);
        std::string const label = name + ' ' + std::to_string(n) + ' ' + std::to_string(times);
        CALLGRIND_DUMP_STATS_AT(label.c_str());
    });
    r.notify(0);
    r.unregister(id);
}

template <class Registry>
void guards(std::string const& name, int n)
{
    Registry r;
    std::vector<registry_io::handler_guard> all;
    for (int i = 0; i < n; ++i)
        all.push_back(r.register_guard([](int const&) {}));
    measure(r, name + ".guards", n);
}

template <class Registry>
void registries(std::string const& name, int n)
{
    std::vector<std::unique_ptr<Registry>> all;
    for (int i = 0; i < n; ++i) {
        all.push_back(std::make_unique<Registry>());
        all.back()->register_handler([](int const&) {});
        all.back()->notify(0);
    }
    Registry r;
    measure(r, name + ".registries", n);
}

template <class Registry>
void threads(std::string const& name, int n)
{
    Registry r;
    r.register_handler([](int const&) {});
    for (int i = 0; i < n; ++i)
        std::thread([&r] { r.notify(0); }).join();
    measure(r, name + ".threads", n);
}

template <class Registry>
void count(std::string const& name, bool shared = true)
{
    for (int const n : {2000, 20000})
        guards<Registry>(name, n);
    for (int const n : {10, 1000})
        registries<Registry>(name, n);
    if (shared)
        for (int const n : {2, 200})
            threads<Registry>(name, n);
}

}  // namespace

int main()
{
    count<default_registry>("hazard_pointer");
    count<registry_io::RcuRegistry<int>>("rcu");
    count<default_registry::with<snapshot::locked>>("locked");
    count<default_registry::with<snapshot::atomic_shared_ptr>>("atomic_shared_ptr");
    count<registry_io::LocalRegistry<int>>("single_thread", false);
}
