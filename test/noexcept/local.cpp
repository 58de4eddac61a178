// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#include "contract.hpp"

#include <registry_io/presets/local.hpp>

int main()
{
    test::check_contract<registry_io::LocalRegistry<int>>();

    // Handlers may change their captures.
    registry_io::LocalRegistry<int> r;
    int last = 0;
    r.register_handler([&last, n = 0](int) mutable { last = ++n; });
    r.notify(0);
    r.notify(0);
    BOOST_TEST_EQ(last, 2);
    return boost::report_errors();
}
