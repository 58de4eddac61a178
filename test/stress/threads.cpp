// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Threads that start, notify and exit, and threads that notify while they exit.

#include <pthread.h>

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <tuple>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "stress/stress.hpp"

namespace {

using namespace stress;

/// Runs a function when the thread exits, from the destructor of a pthread key.
class exit_key
{
public:
    exit_key()
    {
        pthread_key_create(&key_, [](void* f) { (*static_cast<std::function<void()>*>(f))(); });
    }
    void arm(std::function<void()>& f) { pthread_setspecific(key_, &f); }

private:
    pthread_key_t key_{};
};

// Destructors run in the order in which the keys were created: this one runs before the library's,
// which is created by the first registration.
exit_key const early_key;

template <class F>
struct at_thread_exit
{
    F* f = nullptr;
    ~at_thread_exit()
    {
        if (f != nullptr)
            (*f)();
    }
};

BOOST_AUTO_TEST_SUITE(threads, *boost::unit_test::timeout(120))

BOOST_AUTO_TEST_CASE(ten_thousand_threads_notify_once_and_go)
{
#ifdef REGISTRY_IO_TEST_TSAN
    long const all_of_them = 1000;  // each takes ten times as long there
#else
    long const all_of_them = budget() < std::chrono::milliseconds(100) ? 1000 : 10000;
#endif
    census birds;
    std::atomic<long> ran{0};
    {
        registries all;
        auto const each = [&all](auto f) { std::apply([&](auto&... r) { (f(r), ...); }, all); };
        each([&](auto& r) { r.register_handler([&](event const&) { ++ran; }); });
        crew writers;
        writers.add([&] {
            while (!writers.stopped())
                each([&](auto& r) {
                    r.unregister(r.register_handler(1, singing(birds)));
                    std::this_thread::yield();
                });
        });
        for (long batch = 0; batch < all_of_them / 8; ++batch) {
            crew eight;
            for (int i = 0; i < 8; ++i)
                eight.add([&] { each([](auto& r) { r.notify({}); }); });
        }
        writers.stop_and_join();
        // Records of threads that have exited do not get in the way.
        each([&](auto& r) {
            r.unregister(r.register_handler(singing(birds)));
            r.synchronize();
        });
        BOOST_TEST(birds.living.load() == 0);
    }
    BOOST_TEST(ran.load() == all_of_them * static_cast<long>(std::tuple_size_v<registries>));
    BOOST_TEST(birds.misused.load() == 0);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_thread_may_notify_while_it_exits, Registry, registries)
{
    census birds;
    Registry registry;
    std::atomic<long> ran{0};
    std::atomic<long> late{0};
    registry.register_handler([&](event const&) { ++ran; });
    registry.register_handler(singing(birds));
    exit_key late_key;
    crew writers;
    writers.add([&] {
        while (!writers.stopped())
            registry.unregister(registry.register_handler(1, singing(birds)));
    });

    // Nested, so that it needs more than one slot; then again with a removal inside.
    std::function<void()> const notifies = [&] {
        registry.notify({});
        handler_id id;
        id = registry.register_handler(2, [&, bird = canary(birds)](event const& e) {
            bird.sing();
            if (e.value == 1) {
                registry.notify({2});
                registry.unregister(id);
                registry.notify({3});
                bird.sing();
            }
        });
        registry.notify({1});
        late += registry.contains(id);
    };
    // With and without a notify before the thread begins to exit.
    for (int variant = 0; variant < 16; ++variant)
        for (int i = 0; i < 3; ++i) {
            std::function<void()> f = notifies;
            std::thread([&, variant] {
                if ((variant & 1) != 0)
                    registry.notify({});
                if ((variant & 2) != 0)
                    const_cast<exit_key&>(early_key).arm(f);
                if ((variant & 4) != 0)
                    late_key.arm(f);
                if ((variant & 8) != 0) {
                    thread_local at_thread_exit<std::function<void()>> hook;
                    hook.f = &f;
                }
            }).join();
        }
    writers.stop_and_join();
    BOOST_TEST(ran.load() > 100);
    BOOST_TEST(late.load() == 0);
    BOOST_TEST(birds.misused.load() == 0);
    BOOST_TEST(birds.living.load() == 1);
    // Records of threads that have exited do not get in the way.
    registry.clear();
    BOOST_TEST(birds.living.load() == 0);
    registry.synchronize();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(threads_exit_while_their_readings_are_removed, Registry, registries)
{
    census birds;
    Registry registry;
    std::vector<handler_id> ids;
    stopwatch const watch;
    while (!watch.over()) {
        for (int i = 0; i < 4; ++i)
            ids.push_back(registry.register_handler(i, singing(birds)));
        crew some;
        for (int i = 0; i < 3; ++i)
            some.add([&] { registry.notify({}); });
        for (handler_id id : ids)
            registry.unregister(id);
        ids.clear();
        some.join();
        if (birds.living.load() != 0)
            break;
    }
    BOOST_TEST(birds.living.load() == 0);
    BOOST_TEST(birds.misused.load() == 0);
}

// The recipe of the tutorial (doc/example/lifetimes.cpp, tag self).
BOOST_AUTO_TEST_CASE_TEMPLATE(a_handler_that_removes_itself_runs_once_beside_other_notifies,
                              Registry, registries)
{
    struct shot
    {
        std::atomic_flag fired;
        handler_id id;
    };
    long trials = 0;
    long not_once = 0;
    long left = 0;
    stopwatch const watch;
    while (!watch.over()) {
        Registry registry;
        registry.register_handler([](event const&) {});
        std::atomic<long> calls{0};
        std::atomic<bool> begun{false};
        crew readers;
        for (int i = 0; i < 2; ++i)
            readers.add([&] {
                while (!readers.stopped()) {
                    registry.notify({});
                    begun = true;
                }
            });
        while (!begun)
            std::this_thread::yield();
        auto const self = std::make_shared<shot>();
        registry.update([&](auto& tx) {
            self->id = tx.register_handler([&, self](event const&) {
                if (self->fired.test_and_set())
                    return;
                registry.unregister(self->id);
                ++calls;
            });
        });
        registry.notify({});
        readers.stop_and_join();
        ++trials;
        not_once += calls.load() != 1;
        left += registry.contains(self->id);
    }
    BOOST_TEST(trials > 0);
    BOOST_TEST(not_once == 0);
    BOOST_TEST(left == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
