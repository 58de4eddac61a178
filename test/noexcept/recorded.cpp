// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#include "contract.hpp"

#include <cstdlib>
#include <string>

#include <registry_io/observe/recorded.hpp>
#include <registry_io/panic/catch_log.hpp>
#include <registry_io/presets/sync.hpp>

int main()
{
    using policy = registry_io::observe::recorded<registry_io::panic::catch_log>;
    BOOST_TEST(!policy::directory(""));
    test::check_contract<registry_io::SyncRegistry<int>::with<policy>>();
    BOOST_TEST(policy::text().find("\"notify\": 0,") == std::string::npos);
    BOOST_TEST(policy::text().find("\"failures\": 0,") != std::string::npos);
    return boost::report_errors();
}
