// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Tutorial: several threads, several changes at once, and waiting.

#include <registry_io/presets/sync.hpp>

#include <atomic>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <boost/core/lightweight_test.hpp>

#include <registry_io/unsynchronized.hpp>

// tag::alias[]
namespace rio = registry_io;
// end::alias[]

int main()
{
    {
        // tag::threads[]
        rio::SyncRegistry<int> samples;
        std::atomic<long> sum = 0;
        samples.register_handler([&](int n) { sum += n; });

        auto const work = [&] {
            for (int i = 0; i < 1000; ++i)
                samples.notify(1);
        };
        {
            std::jthread const first(work);
            std::jthread const second(work);
        }  // both threads have ended
        BOOST_TEST_EQ(sum.load(), 2000);
        // end::threads[]
    }
    {
        rio::SyncRegistry<int> samples;
        std::vector<int> seen;
        // tag::unsynchronized[]
        samples.register_handler(
            rio::unsynchronized([&seen, n = 0](int v) mutable { seen.push_back(v + n++); }));
        // end::unsynchronized[]
        samples.notify(1);
        samples.notify(1);
        BOOST_TEST((seen == std::vector<int>{1, 2}));
    }
    {
        // tag::update[]
        rio::SyncRegistry<int> samples;
        auto const old = samples.register_handler([](int) {});
        auto const done = samples.update([&](auto& tx) {
            tx.unregister(old);
            tx.register_handler(5, [](int) {});
            tx.register_handler([](int) {});
        });  // a notify sees all of it or nothing
        BOOST_TEST_EQ(done.registered, 2u);
        BOOST_TEST_EQ(done.unregistered, 1u);
        // end::update[]
    }
    {
        // tag::wait[]
        rio::SyncRegistry<int> samples;
        {
            std::string buffer;
            auto const id = samples.register_handler(
                [&buffer](int n) { buffer.assign(static_cast<std::size_t>(n), 'x'); });
            samples.notify(3);
            samples.unregister_and_wait(id);  // no thread is inside the handler any more
        }  // so the buffer may be destroyed
        // end::wait[]

        // tag::refused[]
        bool refused = false;
        samples.register_handler([&](int) {
            try {
                samples.synchronize();  // would wait for this handler itself
            } catch (std::system_error const& e) {
                refused = e.code() == std::errc::resource_deadlock_would_occur;
            }
        });
        samples.notify(1);
        BOOST_TEST(refused);
        // end::refused[]
    }
    return boost::report_errors();
}
