// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// notify(event, sink): the failures of one notify are passed to its caller, whatever the policies.

#include <atomic>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <pthread.h>

#include <boost/mp11/list.hpp>
#include <boost/test/unit_test.hpp>

#include <registry_io/observe/named.hpp>
#include <registry_io/observe/recorded.hpp>
#include <registry_io/panic/collect.hpp>
#include <registry_io/panic/propagate.hpp>
#include <registry_io/panic/quarantine.hpp>
#include <registry_io/panic/terminate.hpp>
#include <registry_io/presets.hpp>
#include <registry_io/presets/fixed.hpp>
#include <registry_io/snapshot/atomic_shared_ptr.hpp>
#include <registry_io/snapshot/locked.hpp>

#include "memory.hpp"

namespace {

namespace rio = registry_io;

bool const quiet = ::setenv("REGISTRY_IO_RECORDING_DIRECTORY", "", 1) == 0;

using rio::SyncRegistry;
using registries = boost::mp11::mp_list<
    SyncRegistry<int>, SyncRegistry<int>::with<rio::panic::terminate>,
    SyncRegistry<int>::with<rio::panic::propagate>, SyncRegistry<int>::with<rio::panic::collect<1>>,
    SyncRegistry<int>::with<rio::panic::quarantine<1>>,
    SyncRegistry<int>::with<rio::observe::recorded<rio::panic::terminate>>,
    SyncRegistry<int>::with<rio::observe::named<rio::panic::propagate>>,
    SyncRegistry<int>::with<rio::snapshot::locked>,
    SyncRegistry<int>::with<rio::snapshot::atomic_shared_ptr>, rio::RcuRegistry<int>,
    rio::LocalRegistry<int>, rio::FixedRegistry<int, 8>>;

}  // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(a_sink_is_told_of_each_failure_of_its_notify_and_nobody_else_is,
                              Registry, registries)
{
    Registry r;
    std::vector<std::string> log;
    if constexpr (Registry::panic_policy::reports)
        r.on_panic([&](rio::panic_info const&) { log.emplace_back("callback"); });
    r.register_handler([&](int i) { log.push_back("a" + std::to_string(i)); });
    auto const failing = r.register_handler([](int) { throw std::runtime_error("broken"); });
    r.register_handler([&](int i) { log.push_back("b" + std::to_string(i)); });
    auto const other = r.register_handler([](int) { throw 1; });
    std::vector<rio::panic_info> failures;
    auto const sink = [&](rio::panic_info const& info) {
        log.emplace_back("sink");
        failures.push_back(info);
    };
    r.notify(7, sink);
    std::vector<std::string> const expected{"a7", "sink", "b7", "sink"};
    BOOST_TEST(log == expected, boost::test_tools::per_element());
    BOOST_TEST_REQUIRE(failures.size() == 2u);
    BOOST_TEST(failures[0].handler_id() == failing);
    BOOST_TEST(failures[0].message() == "broken");
    BOOST_TEST(failures[1].handler_id() == other);
    BOOST_TEST(failures[1].message().empty());
    // Quarantine has not counted these failures.
    BOOST_TEST(r.size() == 4u);
    r.clear();
    r.notify(8, sink);
    BOOST_TEST(failures.size() == 2u);
}

BOOST_AUTO_TEST_CASE(a_sink_is_told_in_large_registries_and_nested_notifies_have_their_own_way)
{
    SyncRegistry<int> r;
    int logged = 0;
    r.on_panic([&](rio::panic_info const&) { ++logged; });
    for (int i = 0; i < 999; ++i)
        r.register_handler([i](int) {
            if (i % 3 == 0)
                throw i;
        });
    std::vector<rio::handler_id> failures;
    r.notify(0, [&](rio::panic_info const& info) { failures.push_back(info.handler_id()); });
    BOOST_TEST(failures.size() == 333u);
    BOOST_TEST(std::is_sorted(failures.begin(), failures.end()));
    BOOST_TEST(logged == 0);
    r.clear();
    bool outer = true;
    r.register_handler([&](int) {
        if (std::exchange(outer, false))
            r.notify(0);
        throw 1;
    });
    int told = 0;
    r.notify(0, [&](rio::panic_info const&) { ++told; });
    BOOST_TEST(told == 1);
    BOOST_TEST(logged == 1);
}

BOOST_AUTO_TEST_CASE(what_a_sink_throws_leaves_the_notify_and_releases_the_snapshot)
{
    SyncRegistry<int> r;
    auto const held = std::make_shared<int>(0);
    rio::handler_id id;
    id = r.register_handler([&, held](int) {
        r.unregister(id);
        throw 1;
    });
    bool second = false;
    r.register_handler([&](int) { second = true; });
    auto const throws = [](rio::panic_info const&) { throw std::runtime_error("enough"); };
    auto const quiet_sink = [](rio::panic_info const&) noexcept {};
    static_assert(!noexcept(r.notify(0, throws)));
    static_assert(noexcept(r.notify(0, quiet_sink)));
    BOOST_CHECK_EXCEPTION(r.notify(0, throws), std::runtime_error, [](std::runtime_error const& e) {
        return e.what() == std::string_view("enough");
    });
    BOOST_TEST(!second);
    BOOST_TEST(held.use_count() == 1);
    r.synchronize();
    r.notify(0, quiet_sink);
    BOOST_TEST(second);
}

BOOST_AUTO_TEST_CASE(sinks_of_threads_are_apart_and_nothing_is_allocated)
{
    SyncRegistry<int> r;
    r.register_handler([](int i) {
        if (i % 2 != 0)
            throw i;
    });
    std::atomic<int> wrong{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&, t] {
            for (int i = 0; i < 200; ++i) {
                int told = 0;
                r.notify(t, [&](rio::panic_info const& info) {
                    try {
                        std::rethrow_exception(info.exception());
                    } catch (int value) {
                        told += value == t ? 1 : 100;
                    }
                });
                wrong += told != t % 2 ? 1 : 0;
            }
        });
    for (std::thread& t : threads)
        t.join();
    BOOST_TEST(wrong == 0);
    r.notify(0, [](rio::panic_info const&) {});
    std::uint64_t const before = test::allocations();
    r.notify(0, [](rio::panic_info const&) {});
    BOOST_TEST(test::allocations() == before);
}

BOOST_AUTO_TEST_CASE(a_thread_that_is_cancelled_in_a_notify_with_a_sink_unwinds)
{
    SyncRegistry<int> r;
    std::atomic<bool> inside{false};
    auto const held = std::make_shared<int>(0);
    auto const id = r.register_handler([&, held](int) {
        inside = true;
        for (;;)
            ::pthread_testcancel();
    });
    int told = 0;
    std::thread t([&] { r.notify(0, [&](rio::panic_info const&) { ++told; }); });
    while (!inside)
        std::this_thread::yield();
    ::pthread_cancel(t.native_handle());
    t.join();
    BOOST_TEST(told == 0);
    r.unregister_and_wait(id);
    BOOST_TEST(held.use_count() == 1);
}
