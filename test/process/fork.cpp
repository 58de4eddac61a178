// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The child of a fork goes on using the registries of its parent, whatever the parent's other
// threads were reading.

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <coroutine>
#include <exception>
#include <memory>
#include <thread>
#include <tuple>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <registry_io/presets/async.hpp>

#include "detached.hpp"
#include "process/child.hpp"
#include "stress/stress.hpp"

namespace {

using namespace stress;

using lock_free_registries =
    std::tuple<registry_of<snapshot::hazard_pointer>, registry_of<snapshot::rcu>>;

using registry_io::AsyncRegistry;
using test::detached;

/// A panic policy whose constructor cannot run at compile time.
struct made_at_run_time : registry_io::panic::catch_log
{
    inline static std::atomic<bool> slow{false};
    inline static std::atomic<bool> waiting{false};

    made_at_run_time() noexcept
    {
        for (; slow; std::this_thread::yield())
            waiting = true;
    }
};

/// What a child does with a registry; returns 0 if all went well.
template <class Registry>
int use(Registry& registry, handler_id old)
{
    census birds;
    long tally = 0;
    handler_id const id = registry.register_handler(1, [bird = canary(birds)](event const& e) {
        bird.sing();
        ++*e.tally;
    });
    registry.notify({0, &tally});
    if (tally != 1)
        return 1;
    if (!registry.unregister(id))
        return 2;
    if (birds.living.load() != 0 || birds.misused.load() != 0)
        return 3;
    if (!registry.unregister(old) || registry.contains(old))
        return 4;
    registry.synchronize();
    for (int i = 0; i < 200; ++i)
        registry.register_handler(i % 3, singing(birds));
    registry.notify({0, &tally});
    registry.clear();
    registry.synchronize();
    if (birds.living.load() != 0 || birds.misused.load() != 0)
        return 5;
    return 0;
}

/// A handler forks, removes a handler that its snapshot still shows, and goes on, in both
/// processes; `depth` notifies are open, the last of which forks. Returns 0 if all went well.
template <class Registry>
int fork_and_go_on(int depth)
{
    census birds;
    Registry registry;
    handler_id first;
    handler_id last;
    pid_t child = -1;
    first = registry.register_handler(3, [](event const&) {});
    registry.register_handler(2, [&](event const& e) {
        if (e.value > 1) {
            registry.notify({e.value - 1});
            return;
        }
        if (e.value == 0)
            return;
        registry.unregister(first);
        child = ::fork();
        if (child == 0)
            ::alarm(20);
        registry.unregister(last);
    });
    last = registry.register_handler(1, singing(birds));
    registry.notify({depth});
    int outcome = birds.living.load() == 0 && birds.misused.load() == 0 ? 0 : 1;
    registry.synchronize();
    handler_id const next = registry.register_handler(singing(birds));
    registry.notify({0});
    registry.unregister_and_wait(next);
    if (birds.living.load() != 0 || birds.misused.load() != 0)
        outcome = 2;
    if (child == 0)
        ::_exit(outcome);
    int status = -1;
    ::waitpid(child, &status, 0);
    return outcome == 0 && status == 0 ? 0 : 10 + outcome;
}

BOOST_AUTO_TEST_SUITE(fork, *boost::unit_test::timeout(120))

BOOST_AUTO_TEST_CASE_TEMPLATE(a_child_goes_on_without_the_parent_s_readers, Registry,
                              lock_free_registries)
{
    Registry registry;
    gate g;
    registry.register_handler(9, [&](event const& e) {
        if (e.value == 1)
            g.pass();
    });
    handler_id const old = registry.register_handler([](event const&) {});
    std::thread sleeper([&] { registry.notify({1}); });
    g.expect(1);
    crew readers;
    for (int i = 0; i < 2; ++i)
        readers.add([&] {
            while (!readers.stopped())
                registry.notify({0});
        });
    // The sleeper holds a root that is current at the first fork, and replaced before the second.
    int const first = process::in_child([&] { return use(registry, old); });
    registry.unregister(registry.register_handler(3, [](event const&) {}));
    int const second = process::in_child([&] { return use(registry, old); });
    int others = 0;
    for (int i = 0; i < 10; ++i)
        others += process::in_child([&] { return use(registry, old); }) != 0;
    // The parent is not affected.
    census birds;
    handler_id const id = registry.register_handler(singing(birds));
    registry.unregister(id);
    readers.stop_and_join();
    g.open();
    sleeper.join();
    BOOST_TEST(first == 0);
    BOOST_TEST(second == 0);
    BOOST_TEST(others == 0);
    BOOST_TEST(birds.living.load() == 0);
    BOOST_TEST(registry.contains(old));
    registry.synchronize();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_child_goes_on_when_nobody_was_inside, Registry, registries)
{
    Registry registry;
    handler_id const old = registry.register_handler([](event const&) {});
    registry.notify({});
    std::thread([&] { registry.notify({}); }).join();
    BOOST_TEST(process::in_child([&] { return use(registry, old); }) == 0);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_handler_that_forks_keeps_its_snapshot_in_both_processes, Registry,
                              registries)
{
    // The handler has had its own root replaced before it forks. In the child it removes a handler
    // that this root still shows.
    census birds;
    Registry registry;
    handler_id first;
    handler_id last;
    int outcome = -1;
    first = registry.register_handler(3, [](event const&) {});
    registry.register_handler(2, [&](event const&) {
        registry.unregister(first);
        outcome = process::in_child([&] {
            registry.unregister(last);
            // The notify could go on here, so the handler that it is going to call must be alive.
            return birds.living.load() == 1 ? 0 : 1;
        });
    });
    last = registry.register_handler(1, singing(birds));
    registry.notify({});
    BOOST_TEST(outcome == 0);
    BOOST_TEST(registry.contains(last));
    BOOST_TEST(birds.living.load() == 1);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_handler_that_forks_goes_on_in_both_processes_at_any_depth, Registry,
                              registries)
{
    for (int const depth : {1, 2, 4, 5, 6, 12})
        BOOST_TEST_REQUIRE(process::in_child([&] { return fork_and_go_on<Registry>(depth); }) == 0);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_child_waits_for_no_reader_of_the_parent_at_any_depth, Registry,
                              registries)
{
    for (int const depth : {1, 4, 5, 6, 12}) {
        Registry registry;
        gate g;
        registry.register_handler([&](event const& e) {
            if (e.value > 1)
                registry.notify({e.value - 1});
            else
                g.pass();
        });
        std::thread sleeper([&] { registry.notify({depth}); });
        g.expect(1);
        int const outcome = process::in_child([&] {
            registry.synchronize();
            return 0;
        });
        g.open();
        sleeper.join();
        BOOST_TEST(outcome == 0);
    }
}

BOOST_AUTO_TEST_CASE(what_a_suspended_notify_holds_survives_the_fork)
{
    // On one thread: a coroutine has begun a sequential notify, and its first handler waits.
    census birds;
    AsyncRegistry<event> registry;
    std::coroutine_handle<> waiting;
    struct gate_of_one
    {
        std::coroutine_handle<>& to;
        explicit gate_of_one(std::coroutine_handle<>& h) noexcept : to(h) {}
        bool await_ready() const noexcept { return false; }
        void await_suspend(std::coroutine_handle<> h) const noexcept { to = h; }
        void await_resume() const noexcept {}
    };
    registry.register_handler(
        9, [&](event const&) -> registry_io::async::task<> { co_await gate_of_one(waiting); });
    handler_id const second =
        registry.register_handler([bird = canary(birds)](event const&) { bird.sing(); });
    bool over = false;
    event const e;
    auto const run = [](AsyncRegistry<event>& r, event const& of, bool& done) -> detached {
        co_await r.notify_sequential(of);
        done = true;
    };
    run(registry, e, over);
    // Replaces the root that the notify holds.
    registry.unregister(registry.register_handler([](event const&) {}));
    int const outcome = process::in_child([&] {
        if (!registry.unregister(second))
            return 1;
        if (birds.living.load() != 1)
            return 2;
        waiting.resume();
        if (!over)
            return 3;
        return birds.living.load() == 0 && birds.misused.load() == 0 ? 0 : 4;
    });
    BOOST_TEST(outcome == 0);
    registry.unregister(second);
    waiting.resume();
    BOOST_TEST(over);
    BOOST_TEST(birds.living.load() == 0);
    BOOST_TEST(birds.misused.load() == 0);
}

BOOST_AUTO_TEST_CASE(a_child_takes_frames_though_a_thread_of_the_parent_held_their_depot)
{
    crew workers;
    for (int i = 0; i < 2; ++i)
        workers.add([&] {
            std::vector<void*> frames;
            while (!workers.stopped()) {
                for (int n = 0; n < 200; ++n)
                    frames.push_back(registry_io::async::detail::allocate_frame(100));
                for (void* const f : frames)
                    registry_io::async::detail::deallocate_frame(f, 100);
                frames.clear();
            }
        });
    int failed = 0;
    for (int i = 0; i < 100; ++i)
        failed += process::in_child([] {
                      ::alarm(30);
                      std::vector<void*> frames;
                      for (int n = 0; n < 200; ++n)
                          frames.push_back(registry_io::async::detail::allocate_frame(100));
                      for (void* const f : frames)
                          registry_io::async::detail::deallocate_frame(f, 100);
                      return 0;
                  }) != 0;
    workers.stop_and_join();
    BOOST_TEST(failed == 0);
}

// CONTRACT: nothing waits for a thread that no longer exists.
BOOST_AUTO_TEST_CASE(a_child_waits_for_no_thread_that_was_making_the_policy_of_a_lost_registry)
{
    using registry = registry_io::SyncRegistry<event>::with<made_at_run_time>;
    auto const fail_without_registry = [] {
        auto r = std::make_unique<registry>();
        registry& of = *r;
        r->register_handler([&](event const&) {
            r.reset();
            throw 1;
        });
        of.notify({});
    };
    // Only the panic policy that replaces the destroyed registry's policy is constructed inside the
    // handler.
    std::thread other([&] {
        auto r = std::make_unique<registry>();
        registry& of = *r;
        r->register_handler([&](event const&) {
            r.reset();
            made_at_run_time::slow = true;
            throw 1;
        });
        of.notify({});
    });
    while (!made_at_run_time::waiting)
        std::this_thread::yield();
    int const outcome = process::in_child([&] {
        made_at_run_time::slow = false;
        process::silence();
        fail_without_registry();
        return 0;
    });
    made_at_run_time::slow = false;
    other.join();
    BOOST_TEST(outcome == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
