// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Programs written for other libraries, migrated to registry_io.

#include <registry_io.hpp>

#include <atomic>
#include <memory>
#include <string>

#include <boost/core/lightweight_test.hpp>

namespace {

std::string out;

void show(int t)
{
    out += "show " + std::to_string(t) + " ";
}
void record(int)
{
    out += "record ";
}
void warn(int t)
{
    out += t > 90 ? "warn " : "";
}

void from_sigslot()
{
    // tag::sigslot[]
    registry_io::SyncRegistry<int> temperature;
    temperature.register_handler(2, show);
    temperature.register_handler(3, record);  // runs first
    auto guard = temperature.register_guard(1, warn);
    temperature.notify(95);
    guard.reset();
    temperature.notify(96);
    // end::sigslot[]
    BOOST_TEST_EQ(out, "record show 95 warn record show 96 ");
}

void from_eventpp()
{
    out.clear();
    // tag::eventpp[]
    registry_io::SyncRegistry<int> temperature;
    auto const id = temperature.register_handler(show);
    temperature.register_handler(1, record);  // before `show`
    temperature.notify(95);
    temperature.unregister(id);
    temperature.notify(96);
    // end::eventpp[]
    BOOST_TEST_EQ(out, "record show 95 record ");
}

// tag::qt[]
struct thermometer
{
    registry_io::LocalRegistry<int> changed;
    void measure(int t) { changed.notify(t); }
};

class display
{
public:
    explicit display(thermometer& t) : guard_(t.changed.register_guard(&display::show, this)) {}
    int shown() const { return shown_; }

private:
    void show(int value) { shown_ = value; }

    int shown_ = 0;
    registry_io::handler_guard guard_;
};
// end::qt[]

void from_qt()
{
    thermometer t;
    display const d(t);
    t.measure(95);
    BOOST_TEST_EQ(d.shown(), 95);
}

void from_libsigcxx()
{
    out.clear();
    // tag::libsigcxx[]
    registry_io::LocalRegistry<int> temperature;
    temperature.register_handler(show);
    {
        auto const guard = temperature.register_guard(warn);
        temperature.notify(95);
    }  // removed here
    temperature.notify(96);
    // end::libsigcxx[]
    BOOST_TEST_EQ(out, "show 95 warn show 96 ");
}

void from_etl()
{
    // tag::etl[]
    static int last;
    static registry_io::FixedRegistry<int, 2> temperature;
    auto const id = temperature.register_handler([](int t) { last = t; });
    temperature.notify(95);
    temperature.unregister(id);
    temperature.notify(96);
    // end::etl[]
    BOOST_TEST_EQ(last, 95);
}

void from_rust()
{
    // tag::rust[]
    registry_io::SyncRegistry<unsigned> registry;
    auto const counter = std::make_shared<std::atomic<unsigned>>(0u);
    auto const id = registry.register_handler([counter](unsigned value) { *counter += value; });
    registry.notify(5);
    registry.notify(7);
    BOOST_TEST_EQ(counter->load(), 12u);
    BOOST_TEST(registry.unregister(id));
    // end::rust[]
}

}  // namespace

int main()
{
    from_sigslot();
    from_eventpp();
    from_qt();
    from_libsigcxx();
    from_etl();
    from_rust();
    return boost::report_errors();
}
