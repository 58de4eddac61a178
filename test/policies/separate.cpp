// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The presets, with everything that they share instantiated only by <registry_io/src.hpp>: if
// anything is missing there, this file does not link.

#define REGISTRY_IO_SEPARATE_COMPILATION
#include <registry_io/presets/local.hpp>
#include <registry_io/presets/rcu.hpp>
#include <registry_io/presets/sync.hpp>

#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include <boost/test/unit_test.hpp>

namespace {

using registries =
    std::tuple<registry_io::SyncRegistry<int>, registry_io::RcuRegistry<int>,
               registry_io::LocalRegistry<int>, registry_io::SyncRegistry<std::string>>;

}  // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(presets_work_with_what_they_share_in_another_file, Registry,
                              registries)
{
    using event = typename Registry::event_type;
    Registry r;
    std::vector<int> told;
    auto const says = [&told](int what) {
        return [&told, what](event const&) { told.push_back(what); };
    };
    r.on_panic([&told](registry_io::panic_info const&) { told.push_back(-1); });
    registry_io::handler_id const first = r.register_handler(2, says(2));
    r.register_handler(1, says(1));
    r.register_handler([](event const&) { throw std::runtime_error("as it should"); });
    {
        registry_io::handler_guard const guard = r.register_guard(3, says(3));
        r.notify(event());
    }
    BOOST_TEST(r.unregister(first));
    r.update([&](auto& change) {
        for (int i = 0; i < 300; ++i)
            change.register_handler(i, [](event const&) {});
    });
    BOOST_TEST(r.unregister_and_wait(r.register_handler(says(4))));
    r.synchronize();
    r.notify(event());
    BOOST_TEST(r.size() == 302u);
    BOOST_TEST(r.clear() == 302u);
    BOOST_TEST(told == (std::vector<int>{3, 2, 1, -1, 1, -1}), boost::test_tools::per_element());
}

// Last, so that all of the above has seen only the declarations.
#include <registry_io/src.hpp>
// The order of the two does not matter.
#include <registry_io/presets/async.hpp>
