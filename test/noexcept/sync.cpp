// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#include "contract.hpp"

#include <atomic>
#include <thread>

#include <registry_io/presets/sync.hpp>

int main()
{
    using registry = registry_io::SyncRegistry<int>;
    test::check_contract<registry>();

    // Two threads notify while this one registers, beyond one chunk, and removes.
    registry r;
    std::atomic<bool> stop{false};
    std::atomic<int> calls{0};
    std::atomic<int> alive{0};
    struct counted
    {
        std::atomic<int>* alive;
        explicit counted(std::atomic<int>& a) : alive(&a) { ++a; }
        counted(counted const& other) : alive(other.alive) { ++*alive; }
        ~counted() { --*alive; }
    };
    r.register_handler([&](int) { ++calls; });
    auto const notify = [&] {
        while (!stop)
            r.notify(0);
    };
    std::thread first(notify);
    std::thread second(notify);
    for (int round = 0; round < 10; ++round) {
        std::vector<registry_io::handler_id> ids;
        ids.reserve(300);
        for (int i = 0; i < 300; ++i)
            ids.push_back(
                r.register_handler(i % 7, [c = counted(alive)](int) { BOOST_TEST(*c.alive > 0); }));
        for (registry_io::handler_id const id : ids)
            BOOST_TEST(r.unregister(id));
        r.synchronize();
        BOOST_TEST_EQ(alive.load(), 0);
    }
    stop = true;
    first.join();
    second.join();
    int const before = calls;
    r.notify(0);
    BOOST_TEST_EQ(calls.load(), before + 1);
    return boost::report_errors();
}
