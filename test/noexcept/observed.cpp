// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#include "contract.hpp"

#include <string>

#include <registry_io/observe/crowded.hpp>
#include <registry_io/observe/limited.hpp>
#include <registry_io/observe/named.hpp>
#include <registry_io/observe/tapped.hpp>
#include <registry_io/observe/timed.hpp>
#include <registry_io/observe/watched.hpp>
#include <registry_io/panic/catch_log.hpp>
#include <registry_io/presets/sync.hpp>

namespace rio = registry_io;
namespace observe = rio::observe;

namespace {

struct counting
{
    static void notify_begins(char const*) noexcept { ++notifies; }
    static void notify_ends(char const*) noexcept { --notifies; }
    static void handler_begins(observe::tapped_call const&) noexcept { ++handlers; }
    static void handler_ends(observe::tapped_call const&) noexcept { --handlers; }
    static void handler_failed(observe::tapped_call const&) noexcept { handlers = 1000; }
    static inline int notifies = 0;
    static inline int handlers = 0;
};

template <class P>
using observed = observe::named<
    observe::timed<observe::watched<1000, observe::limited<100, observe::crowded<1000, P>>>>>;

}  // namespace

int main()
{
    using registry =
        rio::SyncRegistry<int>::with<observe::tapped<counting, observed<rio::panic::catch_log>>>;
    test::check_contract<registry>();
    BOOST_TEST_EQ(counting::notifies, 0);
    BOOST_TEST_EQ(counting::handlers, 0);

    registry r;
    int sum = 0;
    r.register_handler(observe::name("adder", [&](int i) { sum += i; }));
    r.notify(3);
    // Without exceptions there is no failure to pass to a sink.
    int told = 0;
    r.notify(4, [&](rio::panic_info const&) { ++told; });
    BOOST_TEST_EQ(sum, 7);
    BOOST_TEST_EQ(told, 0);
    auto const all = observe::timings(r);
    BOOST_TEST_EQ(all.handlers.size(), 1u);
    BOOST_TEST_EQ(all.handlers[0].times.calls, 2u);
    BOOST_TEST_EQ(std::string(all.handlers[0].label.name()), "adder");
    return boost::report_errors();
}
