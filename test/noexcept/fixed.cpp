// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#include "contract.hpp"

#include <registry_io/presets/fixed.hpp>

namespace {

/// Counts its objects. Not trivial, so it is stored in a block of its own.
struct counted
{
    explicit counted(int& alive) : alive_(&alive) { ++*alive_; }
    counted(counted const& other) : alive_(other.alive_) { ++*alive_; }
    counted& operator=(counted const&) = delete;
    ~counted() { --*alive_; }
    void operator()(int) const {}

private:
    int* alive_;
};

}  // namespace

int main()
{
    test::check_contract<registry_io::FixedRegistry<int, 8>>();

    // One handler too many: returns an empty id and changes nothing.
    registry_io::FixedRegistry<int, 2> r;
    int calls = 0;
    auto const count = [&](int) { ++calls; };
    BOOST_TEST(r.register_handler(count));
    registry_io::handler_id const second = r.register_handler(1, count);
    BOOST_TEST(second);
    BOOST_TEST(!r.register_handler(count));
    BOOST_TEST(!r.register_handler(2, count));
    BOOST_TEST(!r.register_guard(count));
    BOOST_TEST_EQ(r.size(), 2u);
    r.notify(0);
    BOOST_TEST_EQ(calls, 2);

    // There is room again, also for any number of handlers one after the other.
    BOOST_TEST(r.unregister(second));
    for (int i = 0; i < 1000; ++i) {
        registry_io::handler_id const id = r.register_handler(i, count);
        BOOST_TEST(id);
        BOOST_TEST(id != second);
        BOOST_TEST(r.unregister(id));
    }

    // A handler that does not fit is destroyed, and its memory can be used for the next one.
    int alive = 0;
    BOOST_TEST(r.register_handler(count));
    for (int i = 0; i < 10; ++i)
        BOOST_TEST(!r.register_handler(counted(alive)));
    BOOST_TEST_EQ(alive, 0);
    r.clear();
    BOOST_TEST(r.register_handler(counted(alive)));
    BOOST_TEST(r.register_handler(counted(alive)));
    BOOST_TEST_EQ(alive, 2);
    r.clear();
    BOOST_TEST_EQ(alive, 0);
    return boost::report_errors();
}
