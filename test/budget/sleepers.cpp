// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// How many instructions a change takes while readers sleep. The cost must not depend on the number
// of readers. test/within_budget compiles this file, runs it under callgrind and compares the dumps
// with the lines below. Each line names a registry, how many notifies are in flight, each on its
// own table, and how many instructions one registration and removal of a handler may take.
// "captures": the handler has captures with a destructor. "removals": removes a handler that all of
// these notifies see.
//
// budget gcc SyncRegistry 0 1570
// budget gcc SyncRegistry 30 1760
// budget gcc SyncRegistry 1000 1760
// budget gcc SyncRegistry.captures 0 2090
// budget gcc SyncRegistry.captures 30 2290
// budget gcc SyncRegistry.captures 1000 2290
// budget gcc SyncRegistry.removals 30 1580
// budget gcc SyncRegistry.removals 1000 1580
// budget gcc RcuRegistry 30 1720
// budget gcc RcuRegistry 1000 1720
// budget gcc RcuRegistry.captures 30 2300
// budget gcc RcuRegistry.captures 1000 2300
// budget gcc RcuRegistry.removals 30 1435
// budget gcc RcuRegistry.removals 1000 1430
// budget gcc LocalRegistry 30 1570
// budget gcc LocalRegistry 1000 1570
// budget gcc LocalRegistry.captures 30 2060
// budget gcc LocalRegistry.captures 1000 2060
// budget gcc LocalRegistry.removals 30 1380
// budget gcc LocalRegistry.removals 1000 1380
// budget clang SyncRegistry 0 1615
// budget clang SyncRegistry 30 1850
// budget clang SyncRegistry 1000 1850
// budget clang SyncRegistry.captures 0 2130
// budget clang SyncRegistry.captures 30 2370
// budget clang SyncRegistry.captures 1000 2370
// budget clang SyncRegistry.removals 30 1655
// budget clang SyncRegistry.removals 1000 1655
// budget clang RcuRegistry 30 1720
// budget clang RcuRegistry 1000 1720
// budget clang RcuRegistry.captures 30 2300
// budget clang RcuRegistry.captures 1000 2300
// budget clang RcuRegistry.removals 30 1430
// budget clang RcuRegistry.removals 1000 1430
// budget clang LocalRegistry 30 1600
// budget clang LocalRegistry 1000 1600
// budget clang LocalRegistry.captures 30 2095
// budget clang LocalRegistry.captures 1000 2095
// budget clang LocalRegistry.removals 30 1410
// budget clang LocalRegistry.removals 1000 1410

#include <memory>
#include <string>
#include <vector>

#include <valgrind/callgrind.h>

#include <registry_io/presets/local.hpp>
#include <registry_io/presets/rcu.hpp>
#include <registry_io/presets/sync.hpp>

namespace {

constexpr int times = 100;

void dump(std::string const& name, int n)
{
    std::string const label = name + ' ' + std::to_string(n) + ' ' + std::to_string(times);
    CALLGRIND_DUMP_STATS_AT(label.c_str());
}

template <class Registry>
void measure(Registry& r, std::string const& name, int n,
             std::vector<registry_io::handler_id> const& seen_by_all)
{
    int sum = 0;
    CALLGRIND_ZERO_STATS;
    for (int i = 0; i < times; ++i)
        r.unregister(r.register_handler([&sum](int const& e) { sum += e; }));
    dump(name, n);
    CALLGRIND_ZERO_STATS;
    for (int i = 0; i < times; ++i)
        r.unregister(r.register_handler([p = std::make_unique<int>(i)](int const&) {}));
    dump(name + ".captures", n);
    CALLGRIND_ZERO_STATS;
    for (registry_io::handler_id const id : seen_by_all)
        r.unregister(id);
    dump(name + ".removals", n);
}

template <class Registry>
void count(std::string const& name)
{
    for (int const n : {0, 30, 1000}) {
        Registry r;
        std::vector<registry_io::handler_id> seen_by_all;
        // Runs before all other handlers, so that the other handlers run at the end of each notify.
        r.register_handler(1, [&](int const& left) {
            if (left == 0)
                return measure(r, name, n, seen_by_all);
            // Gives the next notify its own table.
            r.unregister(r.register_handler([](int const&) {}));
            r.notify(left - 1);
        });
        for (int i = 0; i < times; ++i)
            seen_by_all.push_back(
                r.register_handler([p = std::make_unique<int>(i)](int const&) {}));
        if (n == 0)
            measure(r, name, n, seen_by_all);
        else
            r.notify(n - 1);
    }
}

}  // namespace

int main()
{
    count<registry_io::SyncRegistry<int>>("SyncRegistry");
    count<registry_io::RcuRegistry<int>>("RcuRegistry");
    count<registry_io::LocalRegistry<int>>("LocalRegistry");
}
