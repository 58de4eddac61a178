// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)

#include "contract.hpp"

#include <registry_io/presets/fixed.hpp>

int main()
{
    test::check_contract<registry_io::FixedRegistry<int, 8>>();

    // One too many: an empty id, and nothing has changed.
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

    // Room again, also for one after the other without end.
    BOOST_TEST(r.unregister(second));
    for (int i = 0; i < 1000; ++i) {
        registry_io::handler_id const id = r.register_handler(i, count);
        BOOST_TEST(id);
        BOOST_TEST(id != second);
        BOOST_TEST(r.unregister(id));
    }
    return boost::report_errors();
}
