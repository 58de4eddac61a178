// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// A program that has used up the pthread keys whose values are stored in each thread before the
// library's static objects are constructed, as a program that loads the library as a plugin may. No
// thread may allocate there either.

#include <registry_io/panic/propagate.hpp>
#include <registry_io/presets/async.hpp>
#include <registry_io/presets/rcu.hpp>
#include <registry_io/presets/sync.hpp>

#include <boost/mp11/list.hpp>
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <cstddef>
#include <memory>
#include <thread>
#include <vector>

#include <malloc.h>
#include <pthread.h>

namespace {

// Runs before the dynamic initialization of all static objects, which has priority 65535.
[[gnu::constructor(101)]] void take_keys()
{
    for (int i = 0; i < 40; ++i) {
        ::pthread_key_t key{};
        ::pthread_key_create(&key, nullptr);
    }
}

using registries =
    boost::mp11::mp_list<registry_io::SyncRegistry<int>, registry_io::RcuRegistry<int>>;

/// How many bytes allocated by `malloc` and its relatives are in use. Always 0 with a sanitizer.
std::size_t in_use()
{
    return ::mallinfo2().uordblks;
}

}  // namespace

// CONTRACT: a thread's first notify neither allocates nor throws to make itself known.
BOOST_AUTO_TEST_CASE_TEMPLATE(a_thread_allocates_nothing_where_all_keys_would, Registry, registries)
{
    Registry r;
    int calls = 0;
    r.register_handler([&](int const&) { ++calls; });
    std::size_t grown = 1;
    std::thread([&] {
        // The thread's own first allocation is not the library's.
        auto const own = std::make_unique<int>(1);
        std::size_t const before = in_use();
        for (int i = 0; i < 3; ++i)
            r.notify(*own);
        grown = in_use() - before;
    }).join();
    BOOST_TEST(calls == 3);
    BOOST_TEST(grown == 0u);
}

// Such threads leave nothing behind when they exit.
BOOST_AUTO_TEST_CASE_TEMPLATE(threads_that_cannot_be_told_of_their_exit_come_and_go, Registry,
                              registries)
{
    Registry r;
    std::atomic<int> calls{0};
    r.register_handler([&](int const&) { ++calls; });
    for (int round = 0; round < 20; ++round) {
        std::vector<std::thread> threads;
        for (int t = 0; t < 4; ++t)
            threads.emplace_back([&] {
                for (int i = 0; i < 5; ++i)
                    r.notify(i);
            });
        for (std::thread& t : threads)
            t.join();
        auto const captured = std::make_shared<int>(0);
        auto const id = r.register_handler([captured](int const&) {});
        BOOST_TEST(r.unregister(id));
        BOOST_TEST(captured.use_count() == 1);
    }
    BOOST_TEST(calls.load() == 400);
    r.synchronize();
}
