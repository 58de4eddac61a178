// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// How much heap memory a registry and its handlers take. The bytes are counted, not timed.

#include <memory>
#include <string>

#include "harness.hpp"
#include "memory.hpp"
#include "subject.hpp"

int main(int argc, char** argv)
{
    using namespace perf;
    return run_suite(argc, argv, "memory", "Memory for each handler and registry", [](suite& s) {
        for (kind const& k : kinds()) {
            if (k.event != 4)
                continue;
            if (s.wants("empty registry", k)) {
                std::unique_ptr<subject> const one = k.make(1);
                subject::footprint const empty = one->empty();
                s.add({.name = "empty registry",
                       .subject = std::string(k.name),
                       .allocations = static_cast<double>(empty.allocations),
                       .bytes = static_cast<double>(empty.bytes)});
            }
            for (deed const d : {deed::add, deed::own}) {
                std::string const name = d == deed::add ? "trivial capture of 8 bytes"
                                                        : "capture of 8 bytes with a destructor";
                if (!s.wants(name, k))
                    continue;
                for (long const n : {1L, 16L, 1000L, 10000L}) {
                    if (n > 1000 && k.copies)
                        continue;
                    std::unique_ptr<subject> const one = k.make(1);
                    one->reserve(n);
                    memory_counter const memory;
                    one->fill(n, d);
                    one->settle();
                    double const each = static_cast<double>(n);
                    s.add({.name = name,
                           .subject = std::string(k.name),
                           .n = n,
                           .allocations = static_cast<double>(memory.allocations()) / each,
                           .bytes = static_cast<double>(memory.bytes()) / each});
                }
            }
        }
    });
}
