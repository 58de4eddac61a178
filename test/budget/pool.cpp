// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// How many instructions a change of a registry with alloc::pool takes. The cost must not depend on
// how many handlers and holes there are. test/within_budget compiles this file, runs it under
// callgrind and compares the dumps with the lines below. Each line names an operation, the number
// of handlers, half of which were removed at random, and how many instructions the longest of 200
// operations may take. "all at once": a transaction that removes the remaining handlers, per
// handler. "next": the registration after it.
//
// budget gcc register 1000 3150
// budget gcc register 40000 3150
// budget gcc unregister 1000 3300
// budget gcc unregister 40000 3300
// budget gcc all-at-once 1000 2150
// budget gcc all-at-once 40000 2150
// budget gcc next 1000 1900
// budget gcc next 40000 2300
// budget clang register 1000 3400
// budget clang register 40000 3400
// budget clang unregister 1000 3460
// budget clang unregister 40000 3460
// budget clang all-at-once 1000 2160
// budget clang all-at-once 40000 2160
// budget clang next 1000 2000
// budget clang next 40000 2350

#include <algorithm>
#include <cstddef>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <valgrind/callgrind.h>

#include <registry_io/alloc/pool.hpp>
#include <registry_io/presets/sync.hpp>

namespace {

void dump(char const* name, std::size_t n, std::size_t times)
{
    std::string const label = name + (' ' + std::to_string(n)) + ' ' + std::to_string(times);
    CALLGRIND_DUMP_STATS_AT(label.c_str());
}

void count(std::size_t n)
{
    using registry = registry_io::SyncRegistry<int>::with<registry_io::alloc::pool>;
    registry r{registry_io::alloc::pool(n * 400 + (std::size_t(1) << 20))};
    auto const handler = [p = std::make_shared<int>(), q = 0LL](int const&) {};
    std::vector<registry_io::handler_id> ids;
    for (std::size_t i = 0; i < n; ++i)
        ids.push_back(r.register_handler(handler));
    std::shuffle(ids.begin(), ids.end(), std::mt19937(1));
    for (std::size_t i = 0; i < n / 2; ++i) {
        r.unregister(ids.back());
        ids.pop_back();
    }
    // Larger than the removed handlers, so that it does not fit into their holes.
    auto const larger = [handler, more = std::make_shared<int>(), q = 0LL](int const&) {};
    for (int i = 0; i < 200; ++i) {
        CALLGRIND_ZERO_STATS;
        registry_io::handler_id const id = r.register_handler(larger);
        dump("register", n, 1);
        CALLGRIND_ZERO_STATS;
        r.unregister(id);
        dump("unregister", n, 1);
    }
    CALLGRIND_ZERO_STATS;
    r.update([&](auto& changes) {
        for (registry_io::handler_id const id : ids)
            changes.unregister(id);
    });
    dump("all-at-once", n, ids.size());
    CALLGRIND_ZERO_STATS;
    r.register_handler(larger);
    dump("next", n, 1);
}

}  // namespace

int main()
{
    count(1000);
    count(40000);
}
