// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The guarantees of the thread-safety page of Boost.Signals2, and those that a call of our signals
// adds: no allocation, and no write to anything that threads share. Both libraries run the same
// threads.

#ifndef SIDE

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include <boost/signals2.hpp>
#include <boost/test/unit_test.hpp>
#include <registry_io/signals2.hpp>

namespace {

/// Runs `f(i)` on `n` threads, and joins them.
template <class F>
void on_threads(int n, F f)
{
    std::vector<std::thread> all;
    for (int i = 0; i < n; ++i)
        all.emplace_back(f, i);
    for (std::thread& t : all)
        t.join();
}

constexpr int rounds = 300;

}  // namespace

namespace with_boost {
namespace s2 = boost::signals2;
#define SIDE theirs
#include "threads.cpp"
#undef SIDE
}  // namespace with_boost
namespace with_registry_io {
namespace s2 = registry_io::signals2;
#define SIDE ours
#include "threads.cpp"
}  // namespace with_registry_io

#else

BOOST_AUTO_TEST_SUITE(SIDE)

BOOST_AUTO_TEST_CASE(threads_call_connect_and_disconnect)
{
    s2::signal<void(int)> s;
    std::atomic<long> kept{0};
    std::atomic<long> passing{0};
    s.connect([&](int i) { kept += i; });
    on_threads(4, [&](int i) {
        for (int k = 0; k < rounds; ++k) {
            if (i < 2) {
                s(1);
            } else {
                s2::scoped_connection const c = s.connect(k % 3, [&](int n) { passing += n; });
                s2::connection const copy = c;
                if (k % 2 == 0)
                    copy.disconnect();
                s(0);
            }
        }
    });
    BOOST_TEST(kept == 2 * rounds);
    BOOST_TEST(s.num_slots() == 1u);
}

BOOST_AUTO_TEST_CASE(a_slot_that_was_disconnected_is_not_begun_again)
{
    s2::signal<void()> s;
    std::atomic<int> wrong{0};
    std::atomic<bool> done{false};
    std::thread caller([&] {
        while (!done)
            s();
    });
    for (int k = 0; k < rounds; ++k) {
        // A call may be running the slot when it is disconnected; none begins it after that.
        auto const gate = std::make_shared<std::atomic<int>>(0);
        s2::connection const c = s.connect([&wrong, gate] {
            if (gate->load() == 2)
                ++wrong;
        });
        c.disconnect();
        s();
        gate->store(c.connected() ? 2 : 1);
    }
    done = true;
    caller.join();
    BOOST_TEST(wrong == 0);
}

BOOST_AUTO_TEST_CASE(tracked_objects_end_on_another_thread)
{
    s2::signal<void()> s;
    std::atomic<int> wrong{0};
    struct object
    {
        explicit object(std::atomic<int>& w) : wrong(w) {}
        object(object const&) = delete;
        ~object() { alive = false; }
        void run()
        {
            if (!alive)
                ++wrong;
        }
        std::atomic<int>& wrong;
        std::atomic<bool> alive{true};
    };
    std::atomic<bool> done{false};
    std::thread caller([&] {
        while (!done)
            s();
    });
    for (int k = 0; k < rounds; ++k) {
        auto owner = std::make_shared<object>(wrong);
        object* const raw = owner.get();
        s2::connection const c =
            s.connect(s2::signal<void()>::slot_type([raw] { raw->run(); }).track_foreign(owner));
        s();
        owner.reset();
        static_cast<void>(c.connected());
    }
    done = true;
    caller.join();
    BOOST_TEST(wrong == 0);
    s();
    BOOST_TEST(s.empty());
}

BOOST_AUTO_TEST_CASE(connections_are_used_while_their_signal_is_destroyed)
{
    for (int k = 0; k < rounds; ++k) {
        auto s = std::make_unique<s2::signal<void()>>();
        std::vector<s2::connection> all;
        for (int i = 0; i < 8; ++i)
            all.push_back(s->connect([] {}));
        on_threads(3, [&](int i) {
            if (i == 0) {
                s.reset();
                return;
            }
            for (s2::connection const& c : all) {
                s2::shared_connection_block const block(c);
                c.disconnect();
                static_cast<void>(c.connected());
            }
        });
        for (s2::connection const& c : all)
            BOOST_TEST(!c.connected());
    }
}

BOOST_AUTO_TEST_CASE(a_signal_that_is_a_slot_is_destroyed_while_it_is_called)
{
    s2::signal<void()> outer;
    std::atomic<bool> done{false};
    std::atomic<long> calls{0};
    std::thread caller([&] {
        while (!done)
            outer();
    });
    for (int k = 0; k < rounds; ++k) {
        s2::signal<void()> inner;
        inner.connect([&] { ++calls; });
        outer.connect(inner);
        outer();
    }
    done = true;
    caller.join();
    BOOST_TEST(calls >= rounds);
    outer();
    BOOST_TEST(outer.empty());
}

BOOST_AUTO_TEST_CASE(blocks_of_several_threads)
{
    s2::signal<void()> s;
    std::atomic<int> runs{0};
    s2::connection const c = s.connect([&] { ++runs; });
    s2::shared_connection_block const always(c);
    on_threads(3, [&](int) {
        for (int k = 0; k < rounds; ++k) {
            s2::shared_connection_block block(c);
            s();
            block.unblock();
        }
    });
    BOOST_TEST(runs == 0);
    BOOST_TEST(c.blocked());
}

struct sum
{
    using result_type = int;
    explicit sum(int b = 0) : base(std::make_shared<int>(b)) {}
    template <class Iterator>
    int operator()(Iterator first, Iterator last) const
    {
        int n = *base;
        for (; first != last; ++first)
            n += *first;
        return n;
    }
    std::shared_ptr<int> base;
};

BOOST_AUTO_TEST_CASE(the_combiner_is_replaced_while_others_call)
{
    s2::signal<int(), sum> s{sum(100)};
    s2::signal<int(), sum> none{sum(100)};
    s.connect([] { return 1; });
    std::atomic<int> wrong{0};
    on_threads(3, [&](int i) {
        for (int k = 0; k < rounds; ++k) {
            if (i == 0) {
                s.set_combiner(sum(100 * (k + 1)));
                none.set_combiner(sum(100 * (k + 1)));
            } else {
                if (s() % 100 != 1 || none() % 100 != 0)
                    ++wrong;
                static_cast<void>(s.combiner());
            }
        }
    });
    BOOST_TEST(wrong == 0);
}

BOOST_AUTO_TEST_CASE(groups_and_all_are_disconnected_while_others_call)
{
    s2::signal<void()> s;
    std::atomic<bool> done{false};
    std::atomic<long> calls{0};
    std::thread caller([&] {
        while (!done)
            s();
    });
    auto const slots = [&](int k) {
        for (int i = 0; i < 20; ++i)
            s.connect(i % 4, [&] { ++calls; });
        s.disconnect(k % 4);
        if (k % 3 == 0)
            s.disconnect_all_slots();
    };
    on_threads(2, [&](int) {
        for (int k = 0; k < rounds / 10; ++k)
            slots(k);
    });
    s.disconnect_all_slots();
    done = true;
    caller.join();
    BOOST_TEST(s.empty());
}

BOOST_AUTO_TEST_SUITE_END()

#endif
