// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Tutorial: one thread, and no heap.

#include <registry_io/presets/fixed.hpp>
#include <registry_io/presets/local.hpp>

#include <stdexcept>

#include <boost/core/lightweight_test.hpp>

// tag::alias[]
namespace rio = registry_io;
// end::alias[]

int main()
{
    {
        // tag::local[]
        rio::LocalRegistry<int> clicks;
        int last = 0;
        clicks.register_handler([&last, count = 0](int) mutable { last = ++count; });
        clicks.notify(0);
        clicks.notify(0);
        BOOST_TEST_EQ(last, 2);
        // end::local[]
    }
    {
        // tag::fixed[]
        static rio::FixedRegistry<int, 2> ticks;
        static int seen;
        ticks.register_handler([](int n) { seen += n; });
        ticks.register_handler(1, [](int n) { seen += 10 * n; });
        ticks.notify(1);
        BOOST_TEST_EQ(seen, 11);
        BOOST_TEST_THROWS(ticks.register_handler([](int) {}), std::length_error);
        // end::fixed[]
        BOOST_TEST_EQ(ticks.size(), 2u);
    }
    return boost::report_errors();
}
