// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// main() of every test program except those of noexcept/. The tests themselves do not define
// BOOST_TEST_MODULE; they only include <boost/test/unit_test.hpp>. Written out, because the macro
// would have to precede a precompiled header.
#include <boost/test/unit_test.hpp>

int main(int argc, char* argv[])
{
    return boost::unit_test::unit_test_main([] { return true; }, argc, argv);
}
