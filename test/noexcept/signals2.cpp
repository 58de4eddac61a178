// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Signals without exceptions and run-time type information.

#include "contract.hpp"

#include <functional>
#include <memory>

#include <registry_io/signals2.hpp>

namespace s2 = registry_io::signals2;

namespace {

int called = 0;
void function(int by)
{
    called += by;
}
struct functor
{
    int n;
    void operator()(int by) const { called += n * by; }
    friend bool operator==(functor a, functor b) { return a.n == b.n; }
};

template <class Mutex>
void check()
{
    using signal = s2::signal<void(int), s2::optional_last_value<void>, int, std::less<int>,
                              boost::function<void(int)>,
                              boost::function<void(s2::connection const&, int)>, Mutex>;
    called = 0;
    signal s;
    s(1);
    s.connect(&function);
    s.connect(1, functor{10});
    s.connect(functor{100}, s2::at_front);
    s(1);
    BOOST_TEST_EQ(called, 111);
    s.disconnect(&function);
    s.disconnect(functor{10});
    s(1);
    BOOST_TEST_EQ(called, 211);
    s.disconnect(functor{100});
    BOOST_TEST(s.empty());

    auto object = std::make_shared<int>(1);
    s.connect(typename signal::slot_type(function).track_foreign(object));
    s.connect_extended([](s2::connection const& self, int by) {
        called += by;
        self.disconnect();
    });
    called = 0;
    s(1);
    s(1);
    BOOST_TEST_EQ(called, 3);
    object.reset();
    s(1);
    BOOST_TEST_EQ(called, 3);
    BOOST_TEST_EQ(s.num_slots(), 0u);

    s2::connection c;
    {
        signal inner;
        c = s.connect(inner);
        inner.connect(&function);
        s(1);
        BOOST_TEST_EQ(called, 4);
    }
    BOOST_TEST(!c.connected());
}

}  // namespace

int main()
{
    check<s2::mutex>();
    check<s2::dummy_mutex>();
    s2::signal<int(int)> r;
    r.connect([](int i) { return i + 1; });
    BOOST_TEST_EQ(*r(1), 2);
    return boost::report_errors();
}
