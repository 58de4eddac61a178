// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// One small program, with Boost.Signals2 and with registry_io.

#include <boost/core/lightweight_test.hpp>
#include <boost/signals2/signal.hpp>
#include <registry_io/presets/sync.hpp>

#include <stdexcept>
#include <string>

static std::string out;

static void show(int t)
{
    out += "show " + std::to_string(t) + " ";
}
static void record(int)
{
    out += "record ";
}
static void warn(int t)
{
    out += t > 90 ? "warn " : "";
}

static void with_signals2()
{
    // tag::before[]
    namespace bs2 = boost::signals2;

    bs2::signal<void(int)> temperature;

    temperature.connect(1, show);
    temperature.connect(0, record);  // runs first
    {
        bs2::scoped_connection c = temperature.connect(2, warn);
        temperature(95);
    }
    temperature(96);
    // end::before[]
}

static void with_registry_io()
{
    // tag::after[]
    namespace rio = registry_io;

    rio::SyncRegistry<int> temperature;

    temperature.register_handler(-1, show);
    temperature.register_handler(0, record);  // runs first
    {
        auto const g = temperature.register_guard(-2, warn);
        temperature.notify(95);
    }
    temperature.notify(96);
    // end::after[]
}

int main()
{
    with_signals2();
    BOOST_TEST_EQ(out, "record show 95 warn record show 96 ");
    out.clear();
    with_registry_io();
    BOOST_TEST_EQ(out, "record show 95 warn record show 96 ");

    // What the page says about exceptions and about slots that are disconnected during a call.
    {
        boost::signals2::signal<void(int)> s;
        int later = 0;
        s.connect([](int) { throw std::runtime_error("no"); });
        s.connect([&](int) { ++later; });
        BOOST_TEST_THROWS(s(1), std::runtime_error);
        BOOST_TEST_EQ(later, 0);  // the exception ends the call
    }
    {
        boost::signals2::signal<void(int)> s;
        int calls = 0;
        boost::signals2::connection second;
        s.connect([&](int) { second.disconnect(); });
        second = s.connect([&](int) { ++calls; });
        s(1);
        BOOST_TEST_EQ(calls, 0);  // disconnected slots are skipped at once

        registry_io::SyncRegistry<int> r;
        registry_io::handler_id other;
        r.register_handler([&](int) { r.unregister(other); });
        other = r.register_handler([&](int) { ++calls; });
        r.notify(1);
        BOOST_TEST_EQ(calls, 1);  // a running notify finishes its snapshot
        r.notify(1);
        BOOST_TEST_EQ(calls, 1);
    }
    return boost::report_errors();
}
