// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Tutorial: the order in which handlers fire.

#include <registry_io.hpp>

#include <string>

#include <boost/core/lightweight_test.hpp>

// tag::alias[]
namespace rio = registry_io;
// end::alias[]

// tag::key[]
struct stage
{
    int major = 0;
    int minor = 0;
};
struct earlier
{
    bool operator()(stage a, stage b) const
    {
        return a.major != b.major ? a.major < b.major : a.minor < b.minor;
    }
};
using by_stage = rio::ordering::basic_priority<stage, earlier>;
// end::key[]

int main()
{
    {
        // tag::priority[]
        rio::SyncRegistry<std::string> lines;
        std::string said;
        lines.register_handler([&](std::string const& s) { said += " then " + s; });  // 0
        lines.register_handler(-5, [&](std::string const&) { said += " last"; });
        lines.register_handler(10, [&](std::string const& s) { said += "first " + s; });
        lines.notify("x");
        BOOST_TEST_EQ(said, "first x then x last");
        // end::priority[]
    }
    {
        // tag::custom[]
        rio::SyncRegistry<int>::with<by_stage> boot;
        std::string order;
        boot.register_handler(stage{2, 1}, [&](int) { order += "network "; });
        boot.register_handler(stage{1, 5}, [&](int) { order += "disks "; });
        boot.register_handler(stage{2, 0}, [&](int) { order += "firewall "; });
        boot.notify(0);
        BOOST_TEST_EQ(order, "disks firewall network ");
        // end::custom[]
    }
    {
        // tag::fifo[]
        rio::SyncRegistry<int>::with<rio::ordering::fifo> plain;  // no key, and none accepted
        plain.register_handler([](int) {});
        // end::fifo[]
        BOOST_TEST_EQ(plain.size(), 1u);
    }
    return boost::report_errors();
}
