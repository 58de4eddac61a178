// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The program of sensors_before.cpp after its migration from Boost.Signals2: only one include and
// one namespace differ. It prints the same.

// tag::head[]
#include <registry_io/signals2.hpp>

namespace signals = registry_io::signals2;
// end::head[]

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

// tag::body[]
/// Slots may object to a reading. The first objection decides.
struct unanimous
{
    using result_type = bool;

    template <class Iterator>
    bool operator()(Iterator first, Iterator last) const
    {
        return std::all_of(first, last, [](bool agrees) { return agrees; });
    }
};

class sensor
{
public:
    using accepted = signals::signal<void(std::string const& name, int value)>;

    explicit sensor(std::string name) : name_(std::move(name)) {}

    signals::signal<bool(int), unanimous> check;
    accepted on_reading;

    void read(int value)
    {
        if (check(value))
            on_reading(name_, value);
    }

private:
    std::string name_;
};

class display : public std::enable_shared_from_this<display>
{
public:
    explicit display(std::ostream& to) : to_(to) {}

    void watch(sensor& s)
    {
        // When the display is destroyed, its slot is disconnected.
        s.on_reading.connect(1, sensor::accepted::slot_type([this](std::string const& name, int v) {
                                    last_ = v;
                                    to_ << name << '=' << v << ' ';
                                }).track_foreign(shared_from_this()));
    }
    int last() const { return last_; }

private:
    std::ostream& to_;
    int last_ = 0;
};

static std::string run(long readings)
{
    std::ostringstream out;
    sensor boiler("boiler");
    sensor outside("outside");

    // Counts the readings of all sensors, before the displays show them.
    sensor::accepted all;
    long count = 0;
    all.connect([&count](std::string const&, int) { ++count; });
    boiler.on_reading.connect(0, all);
    outside.on_reading.connect(0, all);

    boiler.check.connect([](int v) { return v > -50; });
    boiler.check.connect([](int v) { return v < 500; });

    auto panel = std::make_shared<display>(out);
    panel->watch(boiler);
    panel->watch(outside);

    signals::scoped_connection const alarm =
        boiler.on_reading.connect(2, [&out](std::string const& name, int v) {
            if (v > 90)
                out << name << " is hot! ";
        });
    // Runs only for the first reading.
    boiler.on_reading.connect_extended(
        [&out](signals::connection const& self, std::string const&, int v) {
            out << "(first " << v << ") ";
            self.disconnect();
        },
        signals::at_front);

    boiler.read(20);
    boiler.read(95);
    boiler.read(1000);
    outside.read(7);
    {
        signals::shared_connection_block const quiet(alarm);
        boiler.read(99);
    }
    out << "last " << panel->last() << ' ';
    panel.reset();
    boiler.read(91);
    outside.read(8);

    for (long i = 0; i < readings; ++i)
        boiler.read(static_cast<int>(i % 90));
    out << count - readings << " readings, " << boiler.on_reading.num_slots() << " slots";
    return out.str();
}
// end::body[]

int main(int argc, char** argv)
{
    std::string const said = run(argc > 1 ? std::atol(argv[1]) : 0);
    std::cout << said << '\n';
    return said ==
            "(first 20) boiler=20 boiler=95 boiler is hot! outside=7 boiler=99 last 99 "
            "boiler is hot! 6 readings, 2 slots"
        ? 0
        : 1;
}
