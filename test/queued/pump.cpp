// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The thread that drains a mailbox, and wake-ups by an eventfd and by Asio.

#include <registry_io/presets/sync.hpp>
#include <registry_io/queued/mailbox.hpp>
#include <registry_io/queued/pump.hpp>

#include <array>
#include <atomic>
#include <memory>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/test/unit_test.hpp>

#include "memory.hpp"
#include "queued/support.hpp"

#if defined(__linux__)
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>
#endif

namespace queued = registry_io::queued;
using queued::post_result;
using test::plain;

BOOST_AUTO_TEST_CASE_TEMPLATE(a_pump_drains_on_its_own_thread_and_stops_when_all_is_done, Waiting,
                              decltype(std::tuple<queued::park, queued::yield, queued::spin>()))
{
    registry_io::SyncRegistry<plain> registry;
    queued::mailbox<plain, 64, queued::block<>, Waiting> mailbox;
    std::atomic<int> seen{0};
    std::atomic<int> elsewhere{0};
    std::atomic<int> flushed{0};
    auto const here = std::this_thread::get_id();
    registry.register_handler([&](plain const&) {
        ++seen;
        elsewhere += std::this_thread::get_id() != here;
    });
    queued::pump pump(mailbox, registry, "a name that is longer than fifteen", [&] { ++flushed; });
    for (int n = 0; n < 500; ++n)
        BOOST_TEST((mailbox.post({0, n}) == post_result::posted));
    pump.stop();
    pump.stop();
    BOOST_TEST(seen == 500);
    BOOST_TEST(elsewhere == 500);
    BOOST_TEST(flushed >= 1);
    BOOST_TEST((mailbox.post({0, 0}) == post_result::closed));
}

BOOST_AUTO_TEST_CASE(a_pump_stops_in_its_destructor_and_when_the_mailbox_is_closed_by_a_handler)
{
    registry_io::SyncRegistry<plain> registry;
    queued::mailbox<plain, 8> mailbox;
    std::atomic<int> seen{0};
    registry.register_handler([&](plain const& p) {
        ++seen;
        if (p.number == 1)
            mailbox.close();
    });
    {
        queued::pump const pump(mailbox, registry);
        mailbox.post({0, 0});
        mailbox.post({0, 1});
    }
    BOOST_TEST(seen == 2);
    BOOST_TEST(mailbox.closed());
}

BOOST_AUTO_TEST_CASE(a_pumps_thread_has_its_name)
{
#if defined(__linux__)
    registry_io::SyncRegistry<plain> registry;
    queued::mailbox<plain, 8> mailbox;
    std::string name;
    registry.register_handler([&](plain const&) {
        char text[32] = {};
        ::pthread_getname_np(::pthread_self(), text, sizeof text);
        name = text;
    });
    queued::pump pump(mailbox, registry, "prices");
    mailbox.post({0, 0});
    pump.stop();
    BOOST_TEST(name == "prices");
#endif
}

BOOST_AUTO_TEST_CASE(an_eventfd_wakes_a_loop_that_polls)
{
#if defined(__linux__)
    struct signal_fd
    {
        int fd;
        void operator()() const noexcept
        {
            std::uint64_t const one = 1;
            [[maybe_unused]] auto const written = ::write(fd, &one, sizeof one);
        }
    };
    int const fd = ::eventfd(0, EFD_CLOEXEC);
    BOOST_REQUIRE(fd != -1);
    queued::mailbox<plain, 16, queued::block<>, queued::wake<signal_fd>> mailbox(signal_fd{fd});
    std::thread poster([&] {
        for (int n = 1; n <= 300; ++n)
            mailbox.post({0, n});
        mailbox.close();
    });
    int seen = 0;
    int misordered = 0;
    test::sink into{[&](plain const& p) { misordered += p.number != ++seen; }};
    while (!mailbox.closed() || !mailbox.empty()) {
        ::pollfd p{fd, POLLIN, 0};
        BOOST_REQUIRE(::poll(&p, 1, 30000) == 1);
        std::uint64_t times = 0;
        BOOST_REQUIRE(::read(fd, &times, sizeof times) == sizeof times);
        mailbox.drain(into, 5);
    }
    poster.join();
    ::close(fd);
    BOOST_TEST(seen == 300);
    BOOST_TEST(misordered == 0);
#endif
}

BOOST_AUTO_TEST_CASE(asio_runs_the_drains_that_the_hook_posts)
{
    boost::asio::io_context io;
    auto work = boost::asio::make_work_guard(io);
    registry_io::SyncRegistry<plain> registry;
    using mailbox_type = queued::mailbox<plain, 16, queued::block<>, queued::wake<>>;
    std::atomic<int> overlapping{0};
    mailbox_type mailbox([&] {
        boost::asio::post(io, [&] {
            mailbox.drain(registry, 4);
            if (mailbox.closed() && mailbox.empty())
                work.reset();
        });
    });
    int seen = 0;
    registry.register_handler([&](plain const&) { ++seen; });
    std::vector<std::thread> posters;
    for (int t = 0; t < 3; ++t) {
        posters.emplace_back([&, t] {
            for (int n = 0; n < 200; ++n)
                mailbox.post({t, n});
        });
    }
    std::thread closer([&] {
        for (std::thread& t : posters)
            t.join();
        mailbox.close();
    });
    io.run();
    closer.join();
    BOOST_TEST(seen == 600);
    BOOST_TEST(overlapping == 0);
}

BOOST_AUTO_TEST_CASE(a_pump_that_cannot_start_leaves_the_mailbox_as_it_was)
{
    registry_io::SyncRegistry<plain> registry;
    queued::mailbox<plain, 4> mailbox;
    std::atomic<int> seen{0};
    registry.register_handler([&](plain const&) { ++seen; });
    BOOST_TEST((mailbox.post({0, 1}) == post_result::posted));
    for (long n = 0;; ++n) {
        BOOST_TEST_REQUIRE(n < 100);
        auto const captured = std::make_shared<int>();
        try {
            test::failing_allocation const at(n);
            queued::pump pump(
                mailbox, registry, "a name that is longer than fifteen",
                [captured, large = std::array<int*, 4>()] { static_cast<void>(large); });
            pump.stop();
            break;
        } catch (std::bad_alloc const&) {
        }
        BOOST_TEST(captured.use_count() == 1);
        BOOST_TEST(!mailbox.closed());
        BOOST_TEST(seen == 0);
    }
    BOOST_TEST(seen == 1);
}
