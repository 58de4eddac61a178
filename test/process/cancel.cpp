// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// A thread that is cancelled inside a handler.

#include <pthread.h>
#include <unistd.h>

#include <atomic>

#include <boost/test/unit_test.hpp>

#include "process/child.hpp"
#include "stress/stress.hpp"

namespace {

using namespace stress;

template <class Panic>
using registries_that = registries_with<alloc::heap, Panic>;

/// Cancels a thread that is inside a handler. Returns whether the cancellation ended it.
template <class Registry>
bool cancel_inside(Registry& registry, std::atomic<bool>& inside)
{
    pthread_t thread{};
    auto const run = [](void* r) -> void* {
        static_cast<Registry*>(r)->notify({1});
        return nullptr;
    };
    if (pthread_create(&thread, nullptr, run, &registry) != 0)
        return false;
    while (!inside.load())
        std::this_thread::yield();
    pthread_cancel(thread);
    void* result = nullptr;
    pthread_join(thread, &result);
    return result == PTHREAD_CANCELED;
}

/// Stays in a handler until the thread is cancelled.
inline void stand(std::atomic<bool>& inside)
{
    inside.store(true);
    for (;;)
        ::usleep(1000);  // a cancellation point
}

BOOST_AUTO_TEST_SUITE(cancel, *boost::unit_test::timeout(120))

BOOST_AUTO_TEST_CASE_TEMPLATE(cancellation_unwinds_and_releases_the_snapshot, Registry,
                              registries_that<panic::propagate>)
{
    census birds;
    Registry registry;
    std::atomic<bool> inside{false};
    std::atomic<long> after{0};
    registry.register_handler(9, [&](event const& e) {
        if (e.value == 1)
            stand(inside);
    });
    handler_id const id = registry.register_handler([&after, bird = canary(birds)](event const& e) {
        bird.sing();
        after += e.value;
    });
    BOOST_TEST(cancel_inside(registry, inside));
    BOOST_TEST(after.load() == 0);
    BOOST_TEST(registry.unregister(id));
    BOOST_TEST(birds.living.load() == 0);
    registry.notify({0});
    registry.synchronize();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(cancellation_inside_nested_notifies_releases_all_of_them, Registry,
                              registries_that<panic::propagate>)
{
    census birds;
    Registry registry;
    std::atomic<bool> inside{false};
    std::atomic<int> depth{0};
    handler_id const id = registry.register_handler([&, bird = canary(birds)](event const& e) {
        bird.sing();
        if (e.value != 1)
            return;
        if (++depth < 10)
            registry.notify({1});
        else
            stand(inside);
    });
    BOOST_TEST(cancel_inside(registry, inside));
    BOOST_TEST(registry.unregister_and_wait(id));
    BOOST_TEST(birds.living.load() == 0);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(cancellation_terminates_where_notify_isolates, Registry,
                              registries_that<panic::catch_log>)
{
    int const outcome = process::in_child([] {
        process::silence();
        Registry registry;
        std::atomic<bool> inside{false};
        registry.register_handler([&](event const& e) {
            if (e.value == 1)
                stand(inside);
        });
        cancel_inside(registry, inside);
        return 0;
    });
    BOOST_TEST(outcome == -SIGABRT);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
