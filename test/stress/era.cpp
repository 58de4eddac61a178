// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// An era and two threads: one hangs garbage on it and uses it again when it has closed, the other
// one drains it. Nothing else orders the two, so ThreadSanitizer sees each memory order of an era
// that is too weak.

#include <atomic>
#include <thread>

#include <boost/test/unit_test.hpp>

#include <registry_io/garbage.hpp>
#include <registry_io/reclaim/env.hpp>
#include <registry_io/reclaim/era.hpp>

namespace {

namespace reclaim = registry_io::reclaim;

/// Garbage that adds its value to a number of the thread that destroys it.
struct item : registry_io::garbage
{
    explicit item(long v) : garbage(&destroy_item), value(v) {}

    static void destroy_item(registry_io::garbage* g) noexcept
    {
        auto* const self = static_cast<item*>(g);
        sum += self->value;
        delete self;
    }

    long value;
    static inline thread_local long sum = 0;
};

}  // namespace

BOOST_AUTO_TEST_CASE(what_hangs_on_an_era_and_the_era_itself_change_hands_completely)
{
    constexpr int rounds = 2000;
    constexpr int hung = 4;
    reclaim::era<reclaim::std_env> e;
    std::atomic<int> round{0};
    long drained = 0;
    std::thread drainer([&] {
        for (int r = 1; r <= rounds; ++r) {
            while (round.load(std::memory_order_acquire) < r)
                std::this_thread::yield();
            e.drop();
        }
        drained = item::sum;
    });
    long expected = 0;
    for (int r = 1; r <= rounds; ++r) {
        e.restart();
        e.own.push(new item(r));
        // From here on, only the other thread holds the era.
        round.store(r, std::memory_order_release);
        expected += r;
        for (int i = 1; i <= hung; ++i) {
            auto* const g = new item(i);
            if (!e.hang_one(*g))
                g->destroy(g);
            expected += i;
        }
        while (!e.closed())
            std::this_thread::yield();
    }
    drainer.join();
    BOOST_TEST(drained + item::sum == expected);
    item::sum = 0;
}
