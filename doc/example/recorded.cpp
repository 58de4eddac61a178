// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Records the workload of a registry.

#include <registry_io.hpp>
#include <registry_io/observe/recorded.hpp>

#include <cstdio>
#include <string>

#include <boost/core/lightweight_test.hpp>

namespace rio = registry_io;

// tag::alias[]
struct order
{
    int amount;
};
struct orders;  // names the recording

using order_recording = rio::observe::recorded<rio::panic::catch_log, orders>;
using order_registry = rio::SyncRegistry<order>::with<order_recording>;
// end::alias[]

int main()
{
    // tag::run[]
    static_cast<void>(order_recording::directory(""));  // "": do not write a file at exit

    order_registry placed;
    int total = 0;
    placed.register_handler([&](order const& o) { total += o.amount; });
    for (int i = 0; i < 1000; ++i)
        placed.notify({i % 10});

    if (std::error_code const failed = order_recording::write("orders.json"))
        std::fprintf(stderr, "orders.json: %s\n", failed.message().c_str());
    // end::run[]

    BOOST_TEST_EQ(total, 4500);
    BOOST_TEST(order_recording::text().find("\"notify\": 1000,") != std::string::npos);
    BOOST_TEST_EQ(std::remove("orders.json"), 0);
    return boost::report_errors();
}
