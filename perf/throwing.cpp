// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// What a handler that throws costs, compared with a hand-written loop with a try and a catch in it.

#include <memory>
#include <string>
#include <string_view>

#include "harness.hpp"
#include "subject.hpp"

int main(int argc, char** argv)
{
    using namespace perf;
    return run_suite(argc, argv, "throwing", "Handlers that throw", [](suite& s) {
        for (kind k : kinds()) {
            // Here the baseline is the loop with a try: the plain loop lets the exception through.
            k.bare = k.name == "bare, try";
            if (!k.fails || k.event != 4 || k.name == "bare")
                continue;
            for (long const n : {1L, 16L}) {
                std::string const name = n == 1 ? "it alone" : "behind others";
                if (!s.wants(name, k))
                    continue;
                std::shared_ptr<subject> const one = k.make(1);
                one->fill(n - 1, deed::add);
                one->fill(1, deed::fail);
                add_repeated(s,
                             {.name = name, .subject = std::string(k.name), .n = n, .bare = k.bare},
                             [one](long times) { one->notify_failing(times); });
            }
        }
    });
}
