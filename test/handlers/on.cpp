// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#include "support.hpp"

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <stdexcept>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>

#include <registry_io/handlers/filtered.hpp>
#include <registry_io/handlers/on.hpp>
#include <registry_io/handlers/once.hpp>
#include <registry_io/handlers/tracked.hpp>
#include <registry_io/handlers/with_id.hpp>
#include <registry_io/presets/sync.hpp>

namespace rio = registry_io;

namespace {

struct message
{
    int value;
};

using registries = test::registries<message>;
using shared_registries = test::shared_registries<message>;

/// Runs the posted functions when `run` is called, on any thread.
struct queue
{
    void push(std::function<void()> f)
    {
        std::lock_guard<std::mutex> const lock(mutex);
        all.push_back(std::move(f));
    }
    std::size_t run()
    {
        for (std::size_t n = 0;; ++n) {
            std::function<void()> f;
            {
                std::lock_guard<std::mutex> const lock(mutex);
                if (all.empty())
                    return n;
                f = std::move(all.front());
                all.pop_front();
            }
            f();
        }
    }
    auto executor()
    {
        return [this](auto f) { push(std::move(f)); };
    }

    std::mutex mutex;
    std::deque<std::function<void()>> all;
};

}  // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(a_handler_runs_where_it_is_posted_to, Registry, registries)
{
    Registry r;
    queue q;
    std::vector<int> log;
    r.register_handler(rio::on(q.executor(), [&](message const& m) { log.push_back(m.value); }));
    for (int i = 0; i < 3; ++i)
        r.notify({i});  // the event no longer exists when the call runs
    BOOST_TEST(log.empty());
    BOOST_TEST(q.run() == 3u);
    BOOST_TEST((log == std::vector{0, 1, 2}));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_posted_call_does_nothing_after_the_handler_was_removed, Registry,
                              registries)
{
    Registry r;
    queue q;
    test::probe p;
    int calls = 0;
    auto const handler = [&] {
        return rio::on(q.executor(), [&, held = p.token](message const&) { ++calls; });
    };
    rio::handler_id const id = r.register_handler(handler());
    r.notify({0});
    BOOST_TEST(r.unregister_and_wait(id));
    BOOST_TEST(p.alive() == 0);  // although a call is still queued
    BOOST_TEST(q.run() == 1u);
    BOOST_TEST(calls == 0);

    r.register_handler(handler());
    r.notify({0});
    r.clear();
    BOOST_TEST(p.alive() == 0);
    q.run();
    BOOST_TEST(calls == 0);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_copy_of_a_posted_handler_is_a_handler_of_its_own, Registry,
                              registries)
{
    Registry r;
    queue q;
    int calls = 0;
    auto const f = rio::on(q.executor(), [&](message const&) { ++calls; });
    rio::handler_id const id = r.register_handler(f);
    r.notify({0});
    BOOST_TEST(r.unregister_and_wait(id));
    q.run();
    BOOST_TEST(calls == 0);  // although `f` still exists

    std::vector<rio::handler_id> told;
    auto const g =
        rio::on(q.executor(), rio::with_id([&](rio::registration const& self, message const&) {
                    told.push_back(self.id());
                }));
    std::vector const ids{r.register_handler(g), r.register_handler(g)};
    r.notify({0});
    q.run();
    BOOST_TEST((told == ids));

    using move_only =
        decltype(rio::on(q.executor(), [p = std::unique_ptr<int>()](message const&) {}));
    static_assert(!std::is_copy_constructible_v<move_only>);
    static_assert(std::is_nothrow_move_constructible_v<move_only>);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_posted_call_outlives_the_registry_harmlessly, Registry, registries)
{
    queue q;
    int calls = 0;
    {
        Registry r;
        r.register_handler(rio::on(q.executor(), [&](message const&) { ++calls; }));
        r.register_handler(rio::on(q.executor(), rio::once([&](message const&) { ++calls; })));
        r.notify({0});
    }
    BOOST_TEST(q.run() == 2u);
    BOOST_TEST(calls == 0);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_call_that_runs_keeps_its_captures_until_it_ends, Registry,
                              shared_registries)
{
    Registry r;
    queue q;
    test::probe p;
    std::atomic<bool> inside{false};
    std::atomic<bool> go{false};
    std::atomic<bool> ended{false};
    rio::handler_id const id =
        r.register_handler(rio::on(q.executor(), [&, held = p.token](message const&) {
            inside = true;
            while (!go)
                std::this_thread::yield();
            ended = held != nullptr;
        }));
    r.notify({0});
    std::thread runner([&] { q.run(); });
    while (!inside)
        std::this_thread::yield();
    BOOST_TEST(r.unregister_and_wait(id));  // does not wait for the executor
    BOOST_TEST(!ended);
    BOOST_TEST(p.alive() == 1);
    go = true;
    runner.join();
    BOOST_TEST(ended.load());
    BOOST_TEST(p.alive() == 0);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(on_composes_with_once_and_tracked_in_any_order, Registry, registries)
{
    Registry r;
    queue q;
    test::probe p;
    std::vector<int> log;
    auto const note = [&](int n) {
        return [&log, n, held = p.token](message const&) { log.push_back(n); };
    };
    auto object = std::make_shared<int>(0);
    auto const all = [](message const&) { return true; };
    r.register_handler(9, rio::once(rio::on(q.executor(), note(1))));
    r.register_handler(8, rio::once(rio::filtered(all, rio::on(q.executor(), note(2)))));
    r.register_handler(7, rio::once(rio::tracked(object, rio::on(q.executor(), note(3)))));
    r.register_handler(6, rio::on(q.executor(), rio::once(note(4))));
    r.register_handler(5, rio::on(q.executor(), rio::tracked(object, note(5))));
    r.register_handler(4, rio::tracked(object, rio::on(q.executor(), note(6))));
    r.notify({0});
    r.notify({0});
    object.reset();
    q.run();
    BOOST_TEST((log == std::vector{1, 2, 3, 4, 6, 6}));
    r.notify({0});
    q.run();
    BOOST_TEST(log.size() == 6u);
    BOOST_TEST(r.empty());
    BOOST_TEST(p.alive() == 0);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_posted_one_shot_runs_once_under_threads, Registry,
                              shared_registries)
{
    Registry r;
    queue q;
    std::atomic<int> runs{0};
    for (int i = 0; i < 50; ++i)
        r.register_handler(rio::on(q.executor(), rio::once([&](message const&) { ++runs; })));
    test::race(4, [&](int t) {
        for (int i = 0; i < 20; ++i) {
            if (t < 2)
                r.notify({i});
            q.run();
        }
    });
    r.notify({0});
    q.run();
    BOOST_TEST(runs == 50);
    BOOST_TEST(r.empty());
}

BOOST_AUTO_TEST_CASE(what_the_executor_throws_is_a_failure_of_the_handler)
{
    test::registry_of<rio::snapshot::rcu, message> r;
    r.register_handler(
        rio::on([](auto) { throw std::runtime_error("full"); }, [](message const&) {}));
    BOOST_CHECK_THROW(r.notify({0}), std::runtime_error);
}

BOOST_AUTO_TEST_CASE(asio_s_executors_take_handlers)
{
    boost::asio::io_context io;
    boost::asio::thread_pool pool(2);
    rio::SyncRegistry<message>
        r;  // its handlers hold executors, which must go before their contexts
    std::atomic<int> calls{0};
    std::thread::id where;
    r.register_handler(rio::on(io.get_executor(), [&](message const& m) {
        where = std::this_thread::get_id();
        calls += m.value;
    }));
    r.register_handler(rio::on(boost::asio::any_io_executor(io.get_executor()),
                               [&](message const& m) { calls += m.value; }));
    r.register_handler(rio::on(boost::asio::make_strand(pool.get_executor()),
                               [&](message const& m) { calls += m.value; }));
    r.notify({1});
    std::thread runner([&] { io.run(); });
    std::thread::id const id = runner.get_id();
    runner.join();
    pool.join();
    BOOST_TEST(calls == 3);
    BOOST_TEST((where == id));
}

BOOST_AUTO_TEST_CASE(an_empty_handler_or_executor_is_refused)
{
    rio::SyncRegistry<message> r;
    queue q;
    BOOST_CHECK_THROW(
        r.register_handler(rio::on(q.executor(), std::function<void(message const&)>())),
        std::invalid_argument);
    BOOST_CHECK_THROW(r.register_handler(rio::on(std::function<void(std::function<void()>)>(),
                                                 [](message const&) {})),
                      std::invalid_argument);
}
