// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// observe::watched reports a handler that runs too long while it runs. The handlers here return
// when the report arrives, so no result depends on timing.

#include <atomic>
#include <coroutine>
#include <cstdlib>
#include <mutex>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include <registry_io/observe/named.hpp>
#include <registry_io/observe/watched.hpp>
#include <registry_io/presets.hpp>
#include <registry_io/presets/async.hpp>

#include "memory.hpp"
#include "observe/support.hpp"

namespace {

namespace rio = registry_io;
namespace observe = rio::observe;

/// Keeps the reports of one test case; `Tag` separates the cases.
template <class Tag>
struct kept
{
    static void report(observe::overdue const& o) noexcept
    {
        std::lock_guard<std::mutex> const lock(mutex);
        all.push_back(o);
        came.release();
    }
    inline static std::mutex mutex;
    inline static std::vector<observe::overdue> all;
    inline static std::counting_semaphore<> came{0};
};

template <class Tag, std::uint64_t Limit = 1, class Clock = observe::monotonic_clock>
using policy = observe::watched<Limit, observe::named<rio::panic::catch_log>, kept<Tag>, Clock>;

}  // namespace

BOOST_AUTO_TEST_CASE(a_handler_that_runs_too_long_is_reported_while_it_runs)
{
    struct tag;
    rio::SyncRegistry<int>::with<policy<tag>> r;
    auto const id =
        r.register_handler(observe::name("sleeper", [](int) { kept<tag>::came.acquire(); }));
    r.notify(0);
    // Another thread, with a known name.
    std::thread other([&] {
        ::pthread_setname_np(::pthread_self(), "worker 7");
        r.notify(0);
    });
    other.join();
    std::lock_guard<std::mutex> const lock(kept<tag>::mutex);
    BOOST_TEST_REQUIRE(kept<tag>::all.size() == 2u);
    for (observe::overdue const& o : kept<tag>::all) {
        BOOST_TEST(o.id == id);
        BOOST_TEST(o.label.name() == std::string("sleeper"));
        BOOST_TEST(o.event == std::string("int"));
        BOOST_TEST(o.running_ns >= 1'000'000u);
    }
    BOOST_TEST(::pthread_equal(kept<tag>::all[0].thread, ::pthread_self()));
    BOOST_TEST(kept<tag>::all[1].thread_name == std::string("worker 7"));
}

BOOST_AUTO_TEST_CASE(a_handler_within_its_limit_is_not_reported_and_an_overdue_one_once)
{
    // This clock advances only when a handler advances it.
    struct tag;
    rio::SyncRegistry<int>::with<policy<tag, 5, test::hand_clock>> r;
    r.register_handler([](int ms) {
        test::hand_clock::advance(static_cast<std::uint64_t>(ms) * 1'000'000);
        if (ms >= 5)
            kept<tag>::came.acquire();
        else
            std::this_thread::sleep_for(std::chrono::milliseconds(10));  // time for the watchdog
    });
    r.notify(4);
    r.notify(5);
    r.notify(4);
    std::lock_guard<std::mutex> const lock(kept<tag>::mutex);
    BOOST_TEST(kept<tag>::all.size() == 1u);
}

BOOST_AUTO_TEST_CASE(nested_handlers_are_each_watched)
{
    struct tag;
    rio::SyncRegistry<int>::with<policy<tag>> r;
    r.register_handler(observe::name("both", [&r](int i) {
        if (i == 0)
            return r.notify(1);
        kept<tag>::came.acquire();
        kept<tag>::came.acquire();
    }));
    r.notify(0);
    std::lock_guard<std::mutex> const lock(kept<tag>::mutex);
    BOOST_TEST(kept<tag>::all.size() == 2u);
}

BOOST_AUTO_TEST_CASE(a_coroutine_is_watched_until_it_waits)
{
    struct tag;
    rio::AsyncRegistry<int>::with<policy<tag>> r;
    test::gate g;
    r.register_handler(observe::name("coroutine", [&](int) -> rio::async::task<> {
        kept<tag>::came.acquire();
        co_await g;
    }));
    int ended = 0;
    test::notify_of(r, 0, ended);
    g.open();
    BOOST_TEST(ended == 1);
    std::lock_guard<std::mutex> const lock(kept<tag>::mutex);
    BOOST_TEST_REQUIRE(kept<tag>::all.size() == 1u);
    BOOST_TEST(kept<tag>::all[0].label.name() == std::string("coroutine"));
}

namespace {

/// A report function that notifies a registry which is itself watched.
struct notifies
{
    static void report(observe::overdue const&) noexcept;
};
rio::SyncRegistry<int>::with<observe::watched<1, rio::panic::catch_log, notifies>>* reported;
std::binary_semaphore told{0};

void notifies::report(observe::overdue const&) noexcept
{
    reported->notify(1);
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_report_may_notify_the_watched_registry)
{
    rio::SyncRegistry<int>::with<observe::watched<1, rio::panic::catch_log, notifies>> r;
    reported = &r;
    r.register_handler([](int i) {
        if (i == 0)
            told.acquire();
        else
            told.release();
    });
    r.notify(0);
    BOOST_TEST(!told.try_acquire());
}

BOOST_AUTO_TEST_CASE(threads_and_the_watchdog_race)
{
    struct tag;
    rio::SyncRegistry<int>::with<policy<tag>> r;
    std::atomic<bool> stop{false};
    std::vector<std::thread> threads;
    for (int n = 0; n < 3; ++n)
        threads.emplace_back([&] {
            while (!stop)
                r.notify(0);
        });
    for (int i = 0; i < 50; ++i) {
        auto const g = r.register_guard(observe::name("comes and goes", [](int) {
            std::this_thread::sleep_for(std::chrono::microseconds(900));
        }));
        r.notify(0);
    }
    stop = true;
    for (std::thread& t : threads)
        t.join();
}

BOOST_AUTO_TEST_CASE(a_watched_notify_does_not_allocate)
{
    struct tag;
    rio::SyncRegistry<int>::with<policy<tag, 100'000>> r;
    r.register_handler([](int) {});
    r.notify(0);
    std::uint64_t const before = test::allocations();
    r.notify(0);
    BOOST_TEST(test::allocations() == before);
}

#if !defined(__SANITIZE_THREAD__)
namespace {

/// Takes no lock, which another thread could hold at the fork.
struct counted_in_child
{
    static void report(observe::overdue const&) noexcept
    {
        if (child) {
            ++reports;
            came.release();
        }
    }
    inline static std::atomic<bool> child{false};
    inline static std::atomic<int> reports{0};
    inline static std::counting_semaphore<> came{0};
};

}  // namespace

BOOST_AUTO_TEST_CASE(the_child_of_a_fork_inside_a_handler_is_watched)
{
    using watched =
        rio::SyncRegistry<int>::with<observe::watched<1, rio::panic::catch_log, counted_in_child>>;
    watched r;
    int status = -1;
    r.register_handler([&](int i) {
        if (i == 1)
            return counted_in_child::came.acquire();
        pid_t const child = ::fork();
        if (child == 0) {
            counted_in_child::child = true;
            r.notify(1);
            std::_Exit(77);
        }
        ::waitpid(child, &status, 0);
    });
    // Calls of other threads do not exist in the child.
    std::binary_semaphore go{0};
    watched of_the_other;
    std::binary_semaphore inside{0};
    of_the_other.register_handler([&](int) {
        inside.release();
        go.acquire();
    });
    std::thread other([&] { of_the_other.notify(0); });
    inside.acquire();
    r.notify(0);
    go.release();
    other.join();
    BOOST_TEST((WIFEXITED(status) && WEXITSTATUS(status) == 77));
}
#endif
