// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// What notify costs when many registries, each with one handler, are notified in turn.

#include <memory>
#include <string>

#include "harness.hpp"
#include "subject.hpp"

int main(int argc, char** argv)
{
    using namespace perf;
    return run_suite(argc, argv, "registries", "Many registries, notified in turn", [](suite& s) {
        for (kind const& k : kinds()) {
            if (k.event != 4)
                continue;
            for (long const n : {1L, 64L, 4096L}) {
                std::string const name = "in turn";
                if (!s.wants(name, k))
                    continue;
                std::shared_ptr<subject> const all = k.make(n);
                all->fill(1, deed::add);
                add_repeated(s,
                             {.name = name, .subject = std::string(k.name), .n = n, .bare = k.bare},
                             [all](long times) { all->notify_in_turn(times); });
            }
        }
    });
}
