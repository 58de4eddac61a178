// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Names handlers, finds a slow handler and one that hangs, and collects the failures of one notify.

#include <registry_io.hpp>
#include <registry_io/observe/crowded.hpp>
#include <registry_io/observe/limited.hpp>
#include <registry_io/observe/named.hpp>
#include <registry_io/observe/timed.hpp>
#include <registry_io/observe/watched.hpp>
#if __has_include(<sys/sdt.h>)
#include <registry_io/observe/traced.hpp>
#endif

#include <chrono>
#include <semaphore>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <boost/core/lightweight_test.hpp>

namespace rio = registry_io;

struct order
{
    int amount;
};

std::binary_semaphore hangs{0};

// tag::watched[]
struct to_my_log
{
    static void report(rio::observe::overdue const& o) noexcept;
};
// end::watched[]
std::string overdue_handler;
void to_my_log::report(rio::observe::overdue const& o) noexcept
{
    overdue_handler = o.label.name();
    hangs.release();
}

int main()
{
    {
        // tag::named[]
        namespace observe = registry_io::observe;

        rio::SyncRegistry<order>::with<observe::named<rio::panic::catch_log>> placed;
        placed.register_handler(
            observe::name("audit", [](order const&) { throw std::runtime_error("disk full"); }));
        placed.notify({7});
        // stderr: registry_io: handler 1:1 'audit' (shop.cpp:12) of order threw: disk full
        // end::named[]
    }
    {
        // tag::timed[]
        namespace observe = registry_io::observe;

        using panic = observe::timed<observe::named<rio::panic::catch_log>>;
        rio::SyncRegistry<order>::with<panic> placed;
        placed.register_handler(observe::name("total", [](order const&) {}));
        placed.register_handler(observe::name("invoice", [](order const&) {
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
        }));
        for (int i = 0; i < 10; ++i)
            placed.notify({i});

        std::string const table = observe::to_table(observe::timings(placed));
        // end::timed[]
        BOOST_TEST(table.find("invoice") < table.find("total'"));
    }
    {
        // tag::watch[]
        using panic =
            rio::observe::watched<50, rio::observe::named<rio::panic::catch_log>, to_my_log>;
        rio::SyncRegistry<order>::with<panic> placed;  // 50: milliseconds
        // end::watch[]
        placed.register_handler(rio::observe::name("hangs", [](order const&) { hangs.acquire(); }));
        placed.notify({1});
        BOOST_TEST_EQ(overdue_handler, "hangs");
    }
    {
        // tag::sink[]
        rio::SyncRegistry<order> placed;
        placed.register_handler([](order const&) { throw std::runtime_error("disk full"); });

        std::vector<rio::panic_info> failures;
        placed.notify({7}, [&](rio::panic_info const& f) { failures.push_back(f); });
        if (!failures.empty()) {
            // only this order was not handled
        }
        // end::sink[]
        BOOST_TEST_EQ(failures.size(), 1u);
    }
    {
        // tag::limited[]
        using panic = rio::observe::forbidden<rio::panic::catch_log>;
        rio::SyncRegistry<order>::with<panic> placed;
        placed.register_handler([&](order const& o) { placed.notify({o.amount + 1}); });
        placed.notify({0});  // logs that the handler has notified its own registry
        // end::limited[]
    }
    {
        // tag::crowded[]
        using panic = rio::observe::crowded<100, rio::panic::catch_log>;
        rio::SyncRegistry<order>::with<panic> placed;  // reports the 101st handler
        // end::crowded[]
        placed.register_handler([](order const&) {});
    }
#if __has_include(<sys/sdt.h>)
    {
        // tag::traced[]
        using panic = rio::observe::traced<rio::observe::named<rio::panic::catch_log>>;
        rio::SyncRegistry<order>::with<panic> placed;
        placed.register_handler(rio::observe::name("audit", [](order const&) {}));
        placed.notify({7});  // readelf -n lists the probes; bpftrace and gdb stop at them
        // end::traced[]
    }
#endif
    return boost::report_errors();
}
