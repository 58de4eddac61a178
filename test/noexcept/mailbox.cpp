// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// A mailbox and its pump without exceptions and RTTI.

#include "contract.hpp"

#include <atomic>
#include <memory>
#include <thread>

#include <registry_io/presets/sync.hpp>
#include <registry_io/queued/mailbox.hpp>
#include <registry_io/queued/pump.hpp>

namespace queued = registry_io::queued;

int main()
{
    using event = std::unique_ptr<int>;
    registry_io::SyncRegistry<event> registry;
    std::atomic<int> sum{0};
    registry.register_handler([&](event const& e) { sum += *e; });
    queued::mailbox<event, 4, queued::block<>> mailbox;
    queued::pump pump(mailbox, registry);
    auto const post = [&] {
        for (int n = 1; n <= 100; ++n)
            mailbox.post(std::make_unique<int>(n));
    };
    std::thread first(post);
    std::thread second(post);
    first.join();
    second.join();
    pump.stop();
    BOOST_TEST(sum == 2 * 5050);

    queued::mailbox<int, 2, queued::drop_oldest, queued::urgent_lane> small;
    registry_io::SyncRegistry<int> numbers;
    int last = 0;
    numbers.register_handler([&](int n) { last = n; });
    for (int n = 1; n <= 3; ++n)
        small.post(n);
    small.post_urgent(9);
    small.drain(numbers);
    BOOST_TEST(last == 3);
    BOOST_TEST(small.stats().dropped == 1);
    return boost::report_errors();
}
