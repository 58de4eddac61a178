// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// What notify costs on one thread, depending on the number of handlers, their types and the size of
// the event, and what it costs inside a handler of another registry.

#include <array>
#include <memory>
#include <string>
#include <utility>

#include "harness.hpp"
#include "subject.hpp"

constexpr char const* inside = "inside a handler";

// "one" is what the other cases measure.
constexpr std::array patterns{std::pair{perf::pattern::blocks, "four blocks of types"},
                              std::pair{perf::pattern::pairs, "pairs of types"},
                              std::pair{perf::pattern::alternating, "two types in turn"},
                              std::pair{perf::pattern::different, "all of different types"}};

int main(int argc, char** argv)
{
    using namespace perf;
    return run_suite(argc, argv, "notify", "One thread notifies", [](suite& s) {
        for (kind const& k : kinds()) {
            for (long const n : {0L, 1L, 4L, 16L}) {
                if (!s.wants(inside, k) || k.event != 4)
                    continue;
                std::shared_ptr<subject> const two = k.make(2);
                two->fill(n, deed::add);
                two->nest();
                add_repeated(
                    s, {.name = inside, .subject = std::string(k.name), .n = n, .bare = k.bare},
                    [two](long times) { two->notify_nested(times); });
            }
            for (auto const& [p, name] : patterns)
                for (long const n : {2L, 4L, 8L, 16L, 64L}) {
                    if (!s.wants(name, k) || k.event != 4)
                        continue;
                    std::shared_ptr<subject> const one = k.make(1);
                    one->fill_with_types(n, p);
                    add_repeated(
                        s, {.name = name, .subject = std::string(k.name), .n = n, .bare = k.bare},
                        [one](long times) { one->notify(times); });
                }
            for (long const n : {0L, 1L, 2L, 4L, 8L, 16L, 64L, 1024L}) {
                std::string const name = "event of " + std::to_string(k.event) + " bytes";
                if (!s.wants(name, k) || (k.event != 4 && n != 16) || (s.quick() && n == 1024))
                    continue;
                std::shared_ptr<subject> const one = k.make(1);
                one->fill(n, deed::add);
                add_repeated(s,
                             {.name = name, .subject = std::string(k.name), .n = n, .bare = k.bare},
                             [one](long times) { one->notify(times); });
            }
        }
    });
}
