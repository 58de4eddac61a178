// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Tutorial: what happens to an exception that leaves a handler.

#include <registry_io.hpp>

#include <stdexcept>
#include <string>
#include <string_view>

#include <boost/core/lightweight_test.hpp>

// tag::fail[]
namespace rio = registry_io;

static void fail(int)
{
    throw std::runtime_error("no disk");
}
// end::fail[]

int main()
{
    {
        // tag::isolated[]
        rio::SyncRegistry<int> events;
        int siblings = 0;
        std::string told;
        events.register_handler(1, fail);
        events.register_handler([&](int) { ++siblings; });
        events.on_panic([&](rio::panic_info const& info) { told = info.message(); });
        events.notify(1);  // noexcept
        BOOST_TEST_EQ(siblings, 1);
        BOOST_TEST_EQ(told, "no disk");
        // end::isolated[]

        // tag::log[]
        std::string line;
        events.clear_panic_callback();  // without a callback failures are logged
        events.log_to([&](std::string_view s) { line = s; });
        events.notify(2);
        BOOST_TEST(line.ends_with("threw: no disk"));
        // end::log[]
    }
    {
        // tag::propagate[]
        rio::SyncRegistry<int>::with<rio::panic::propagate> events;
        int siblings = 0;
        events.register_handler(1, fail);
        events.register_handler([&](int) { ++siblings; });
        BOOST_TEST_THROWS(events.notify(1), std::runtime_error);
        BOOST_TEST_EQ(siblings, 1);  // all siblings have run before the exception leaves
        // end::propagate[]
    }
    {
        // tag::collect[]
        rio::SyncRegistry<int>::with<rio::panic::collect<2>> events;
        for (int i = 0; i < 3; ++i)
            events.register_handler(fail);
        auto const failures = events.notify(1);
        BOOST_TEST_EQ(failures.size(), 2u);
        BOOST_TEST_EQ(failures.more(), 1u);
        BOOST_TEST_EQ(failures[0].message(), "no disk");
        // end::collect[]
    }
    {
        // tag::quarantine[]
        rio::SyncRegistry<int>::with<rio::panic::quarantine<3>> events;
        int reports = 0;
        events.on_panic([&](rio::panic_info const&) { ++reports; });
        events.register_handler(fail);
        for (int i = 0; i < 5; ++i)
            events.notify(i);
        BOOST_TEST_EQ(reports, 3);  // the third failure in a row was the last
        BOOST_TEST(events.empty());
        // end::quarantine[]
    }
    return boost::report_errors();
}
