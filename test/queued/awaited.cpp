// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// A mailbox that a coroutine drains.

#include <registry_io/async/asio.hpp>
#include <registry_io/async/awaited.hpp>
#include <registry_io/presets/async.hpp>
#include <registry_io/presets/sync.hpp>

#include <atomic>
#include <coroutine>
#include <exception>
#include <optional>
#include <stop_token>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include "async/support.hpp"
#include "queued/support.hpp"

namespace {

namespace async = registry_io::async;
namespace queued = registry_io::queued;
using async::task;
using queued::post_result;
using test::movable;
using test::plain;

template <class Event, class... More>
using mailbox_of = queued::mailbox<Event, 8, async::awaited, More...>;

template <class Mailbox, class Registry>
task<int> drain_to_the_end(Mailbox& mailbox, Registry& registry)
{
    int sum = 0;
    do {
        queued::drain_result const r = co_await mailbox.drain(registry, 3);
        sum += static_cast<int>(r.count);
    } while (!mailbox.closed() || !mailbox.empty());
    co_return sum;
}

/// Keeps the posted coroutines, and lets a test resume them.
struct manual
{
    std::vector<std::coroutine_handle<>> queue;
    int failures = 0;
    void post(std::coroutine_handle<> h)
    {
        if (failures != 0) {
            --failures;
            throw std::bad_alloc();
        }
        queue.push_back(h);
    }
    void run()
    {
        auto const all = std::exchange(queue, {});
        for (auto h : all)
            h.resume();
    }
};

/// Starts a task and keeps its frame.
struct started
{
    struct promise_type
    {
        async::environment env;
        started get_return_object() noexcept
        {
            return {std::coroutine_handle<promise_type>::from_promise(*this)};
        }
        std::suspend_always initial_suspend() const noexcept { return {}; }
        std::suspend_always final_suspend() const noexcept { return {}; }
        void return_void() const noexcept {}
        void unhandled_exception() const noexcept { std::terminate(); }
    };
    std::coroutine_handle<promise_type> h;
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_coroutine_drains_what_waits_without_waiting)
{
    registry_io::SyncRegistry<plain> registry;
    std::vector<int> seen;
    registry.register_handler([&](plain const& p) { seen.push_back(p.number); });
    mailbox_of<plain> mailbox;
    for (int n = 1; n <= 4; ++n)
        mailbox.post({0, n});
    auto const first = async::sync_wait(mailbox.drain(registry, 3));
    BOOST_TEST(first.count == 3u);
    BOOST_TEST(!first.end_of_batch);
    BOOST_TEST(async::sync_wait(mailbox.drain(registry)).end_of_batch);
    BOOST_TEST(seen == (std::vector{1, 2, 3, 4}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_coroutine_waits_for_posts_of_other_threads_on_its_executor)
{
    boost::asio::io_context io;
    registry_io::AsyncRegistry<movable> registry;
    mailbox_of<movable> mailbox;
    std::thread::id const here = std::this_thread::get_id();
    int seen = 0;
    int elsewhere = 0;
    int misordered = 0;
    registry.register_handler([&](movable const& m) -> task<> {
        elsewhere += std::this_thread::get_id() != here;
        misordered += m.at() != ++seen;
        co_return;
    });
    int sum = 0;
    std::exception_ptr failed;
    async::async_run(drain_to_the_end(mailbox, registry),
                     boost::asio::bind_executor(io, [&](std::exception_ptr e, int n) {
                         failed = e;
                         sum = n;
                     }));
    std::thread poster([&] {
        for (int n = 1; n <= 500; ++n)
            while (mailbox.post(movable::make(0, n)) != post_result::posted)
                std::this_thread::yield();
        mailbox.close();
    });
    io.run();
    poster.join();
    BOOST_TEST((failed == nullptr));
    BOOST_TEST(sum == 500);
    BOOST_TEST(seen == 500);
    BOOST_TEST(elsewhere == 0);
    BOOST_TEST(misordered == 0);
}

BOOST_AUTO_TEST_CASE(without_an_executor_the_posting_thread_runs_the_coroutine)
{
    registry_io::SyncRegistry<plain> registry;
    mailbox_of<plain> mailbox;
    std::atomic<int> seen{0};
    registry.register_handler([&](plain const&) { ++seen; });
    std::thread poster([&] {
        for (int n = 0; n < 300; ++n)
            while (mailbox.post({0, n}) != post_result::posted)
                std::this_thread::yield();
        mailbox.close();
    });
    BOOST_TEST(async::sync_wait(drain_to_the_end(mailbox, registry)) == 300);
    poster.join();
    BOOST_TEST(seen == 300);
}

BOOST_AUTO_TEST_CASE(a_stop_request_ends_the_wait)
{
    registry_io::SyncRegistry<plain> registry;
    mailbox_of<plain> mailbox;
    std::stop_source stop;
    std::thread stopper([&] {
        std::this_thread::yield();
        stop.request_stop();
    });
    async::environment const env(stop.get_token());
    auto const r = async::sync_wait(mailbox.drain(registry), env);
    stopper.join();
    BOOST_TEST(r.count == 0u);
    BOOST_TEST(mailbox.stats().posted == 0u);
    // An earlier stop request does not lose the waiting events.
    mailbox.post({0, 1});
    BOOST_TEST(async::sync_wait(mailbox.drain(registry), env).count == 1u);
    BOOST_TEST(async::sync_wait(mailbox.drain(registry), env).count == 0u);
    BOOST_TEST(mailbox.stats().posted == 1u);
    BOOST_TEST(mailbox.empty());
}

BOOST_AUTO_TEST_CASE(stops_and_posts_race)
{
    registry_io::SyncRegistry<plain> registry;
    std::atomic<int> seen{0};
    registry.register_handler([&](plain const&) { ++seen; });
    mailbox_of<plain> mailbox;
    for (int round = 0; round < 300; ++round) {
        std::stop_source stop;
        std::thread stopper([&] { stop.request_stop(); });
        std::thread poster([&] { mailbox.post({0, round}); });
        async::environment const env(stop.get_token());
        async::sync_wait(mailbox.drain(registry), env);
        stopper.join();
        poster.join();
        async::sync_wait(mailbox.drain(registry), env);
    }
    BOOST_TEST(seen == 300);
    BOOST_TEST(mailbox.empty());
    BOOST_TEST(mailbox.stats().posted == 300u);
}

BOOST_AUTO_TEST_CASE(an_executor_that_throws_is_replaced_by_the_posting_thread)
{
    registry_io::SyncRegistry<plain> registry;
    mailbox_of<plain> mailbox;
    manual executor;
    executor.failures = 1;
    async::environment const env(async::executor_ref::to(executor));
    std::thread poster([&] {
        while (mailbox.post({0, 1}) != post_result::posted) {
        }
    });
    // Either the coroutine found the event, or the executor was asked and has thrown.
    int failed = 0;
    int count = 0;
    try {
        count = static_cast<int>(async::sync_wait(mailbox.drain(registry), env).count);
    } catch (std::bad_alloc const&) {
        ++failed;
    }
    poster.join();
    BOOST_TEST(count + failed == 1);
    if (failed != 0)
        BOOST_TEST(async::sync_wait(mailbox.drain(registry)).count == 1u);
}

BOOST_AUTO_TEST_CASE(two_coroutines_that_drain_at_once_are_refused)
{
    registry_io::AsyncRegistry<plain> registry;
    mailbox_of<plain> mailbox;
    int refused = 0;
    registry.register_handler([&](plain const&) -> task<> {
        try {
            co_await mailbox.drain(registry);
        } catch (std::system_error const& e) {
            refused += e.code() == std::errc::device_or_resource_busy;
        }
    });
    mailbox.post({0, 1});
    BOOST_TEST(async::sync_wait(mailbox.drain(registry)).count == 1u);
    BOOST_TEST(refused == 1);
}

BOOST_AUTO_TEST_CASE(a_drain_that_waits_may_be_destroyed)
{
    registry_io::SyncRegistry<plain> registry;
    mailbox_of<plain> mailbox;
    int seen = 0;
    registry.register_handler([&](plain const&) { ++seen; });
    {
        auto t = mailbox.drain(registry);
        auto const run = [](auto& drain) -> started { co_await std::move(drain); };
        started const s = run(t);
        s.h.resume();
        BOOST_TEST(!s.h.done());
        s.h.destroy();
    }
    mailbox.post({0, 1});  // resumes no coroutine
    BOOST_TEST(seen == 0);
    BOOST_TEST(async::sync_wait(mailbox.drain(registry)).count == 1u);
    BOOST_TEST(seen == 1);
}
