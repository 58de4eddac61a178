// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// What our signals promise beyond Boost.Signals2: what is allocated, what is written, and when.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <new>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

#include <malloc.h>

#include <boost/test/unit_test.hpp>
#include <registry_io/signals2.hpp>

#include "memory.hpp"

namespace s2 = registry_io::signals2;

namespace {

template <class Mutex>
using with_mutex = s2::signal<void(int), s2::optional_last_value<void>, int, std::less<int>,
                              boost::function<void(int)>,
                              boost::function<void(s2::connection const&, int)>, Mutex>;

}  // namespace

BOOST_AUTO_TEST_CASE(a_call_allocates_nothing)
{
    s2::signal<int(int)> s;
    with_mutex<s2::mutex> of_void;
    long sum = 0;
    auto const object = std::make_shared<int>(1);
    s(1);
    of_void(1);
    for (int i = 0; i < 300; ++i) {
        s.connect(i % 5, [&](int n) { return static_cast<int>(sum += n); });
        of_void.connect([&](int n) { sum += n; });
    }
    s2::signal<int(int)>::slot_type slot([&](int n) { return static_cast<int>(sum += n); });
    for (int i = 0; i < 4; ++i)
        slot.track_foreign(object);
    s.connect(slot);
    of_void.connect(with_mutex<s2::mutex>::slot_type([&](int n) { sum += n; }).track(object));
    s.connect_extended([&](s2::connection const&, int n) { return n; });
    s(1);
    of_void(1);
    std::uint64_t const before = test::allocations();
    for (int i = 0; i < 10; ++i) {
        s(1);
        of_void(1);
    }
    BOOST_TEST(test::allocations() == before);
    BOOST_TEST(sum != 0);
}

BOOST_AUTO_TEST_CASE(a_connection_is_one_allocation)
{
    s2::signal<void(int)> s;
    long sum = 0;
    std::vector<s2::connection> all(2000);
    for (int i = 0; i < 1000; ++i)
        all[static_cast<std::size_t>(i)] = s.connect([&](int n) { sum += n; });
    std::uint64_t const before = test::allocations();
    for (int i = 1000; i < 2000; ++i)
        all[static_cast<std::size_t>(i)] = s.connect([&](int n) { sum += n; });
    // Now and then, also a table of 128 rows.
    BOOST_TEST(test::allocations() - before <= 1000u + 1000u / 128 * 2 + 4);
    all.clear();
}

BOOST_AUTO_TEST_CASE(a_connect_that_fails_changes_nothing)
{
    for (bool const track : {false, true}) {
        auto const token = std::make_shared<int>(0);
        auto const object = std::make_shared<int>(1);
        for (int size : {0, 1, 16, 127, 128, 300}) {
            s2::signal<void(int)> s;
            for (int i = 0; i < size; ++i)
                s.connect(i % 3, [](int) {});
            for (long n = 0;; ++n) {
                test::failing_allocation const fails(n);
                try {
                    s2::signal<void(int)>::slot_type const slot([token](int) {});
                    s2::connection const c = track
                        ? s.connect(1, s2::signal<void(int)>::slot_type(slot).track(object))
                        : s.connect(1, [token](int) {}, s2::at_front);
                    if (!fails.has_failed()) {
                        BOOST_TEST(c.connected());
                        break;
                    }
                    c.disconnect();
                } catch (std::bad_alloc const&) {
                }
                BOOST_TEST(token.use_count() == 1);
                BOOST_TEST(s.num_slots() == static_cast<std::size_t>(size));
            }
            s(0);
        }
        BOOST_TEST(token.use_count() == 1);
        BOOST_TEST(object.use_count() == 1);
    }
}

BOOST_AUTO_TEST_CASE(a_callable_whose_copy_throws_is_not_connected)
{
    struct thrower
    {
        thrower() = default;
        thrower(thrower const&) { throw std::runtime_error("copy"); }
        void operator()(int) const {}
    };
    s2::signal<void(int)> s;
    thrower const f;
    BOOST_CHECK_THROW(s.connect(f), std::runtime_error);
    BOOST_TEST(s.empty());
}

BOOST_AUTO_TEST_CASE(disconnecting_works_without_memory)
{
    for (long n = 0; n < 4; ++n) {
        s2::signal<void(int)> s;
        int runs = 0;
        std::vector<s2::connection> all;
        auto const token = std::make_shared<int>(0);
        for (int i = 0; i < 300; ++i)
            all.push_back(s.connect(i % 3, [&runs, token](int) { ++runs; }));
        {
            test::failing_allocation const fails(n);
            all[7].disconnect();
        }
        {
            test::failing_allocation const fails(n);
            s.disconnect(1);
        }
        BOOST_TEST(!all[7].connected());
        BOOST_TEST(s.num_slots() == 200u);
        s(0);
        BOOST_TEST(runs == 200);
        s.disconnect(2);  // removes the slot whose removal had failed
        BOOST_TEST(token.use_count() == 101);
        s.disconnect_all_slots();
        BOOST_TEST(token.use_count() == 1);
    }
}

// A removed callable whose destruction has no visible effect may stay in the tables for a while,
// but never more than a few of them.
BOOST_AUTO_TEST_CASE(disconnected_slots_do_not_pile_up)
{
    s2::signal<void(int)> s;
    int runs = 0;
    s2::connection const kept = s.connect([&](int) { ++runs; });
    std::uint64_t const before = test::allocations();
    std::size_t const used = ::mallinfo2().uordblks;
    for (int i = 0; i < 1000; ++i) {
        s2::connection const c =
            s.connect(i % 7, [&](int) { ++runs; }, i % 2 == 0 ? s2::at_front : s2::at_back);
        c.disconnect();
        BOOST_TEST(s.num_slots() == 1u);
    }
    BOOST_TEST(test::allocations() - before <= 4000u);
    BOOST_TEST(::mallinfo2().uordblks < used + 20'000);  // 1000 slots take 100 000 bytes
    s(0);
    BOOST_TEST(runs == 1);
    BOOST_TEST(kept.connected());
}

BOOST_AUTO_TEST_CASE(disconnected_slots_of_a_large_signal_do_not_pile_up)
{
    s2::signal<void(int)> s;
    int runs = 0;
    std::vector<s2::connection> all;
    for (int i = 0; i < 3000; ++i)
        all.push_back(s.connect(i % 5, [&runs](int) { ++runs; }));
    // A sanitizer's allocator returns 0 here; its leak checker tests this instead.
    std::size_t const before = ::mallinfo2().uordblks;
    for (std::size_t i = 0; i < 20000; ++i) {
        s2::connection& c = all[i * 7 % all.size()];
        c.disconnect();
        c = s.connect(static_cast<int>(i % 5), [&runs](int) { ++runs; });
    }
    BOOST_TEST(s.num_slots() == 3000u);
    BOOST_TEST(::mallinfo2().uordblks < before + 500'000);  // 20000 slots take two million bytes
    s(0);
    BOOST_TEST(runs == 3000);
    // Down to few, and the last of them in the way of small signals.
    while (all.size() > 3) {
        all.back().disconnect();
        all.pop_back();
    }
    BOOST_TEST(s.num_slots() == 3u);
    s(0);
    BOOST_TEST(runs == 3003);
    for (s2::connection const& c : all)
        c.disconnect();
    BOOST_TEST(s.empty());
    s(0);
    BOOST_TEST(runs == 3003);
}

BOOST_AUTO_TEST_CASE(a_moved_from_signal_can_be_assigned_to)
{
    s2::signal<void()> s;
    s2::signal<void()> t(std::move(s));
    s = std::move(t);
    int runs = 0;
    s.connect([&] { ++runs; });
    s();
    BOOST_TEST(runs == 1);
    s2::signal<void()>& self = s;
    s = std::move(self);
    s();
    BOOST_TEST(runs == 2);
    static_assert(!std::is_copy_constructible_v<s2::signal<void()>>);
    static_assert(std::is_nothrow_move_constructible_v<s2::signal<void()>>);
}

BOOST_AUTO_TEST_CASE(a_connection_is_a_word)
{
    static_assert(sizeof(s2::connection) == sizeof(void*));
    static_assert(sizeof(s2::signal<void()>) == 2 * sizeof(void*));
    BOOST_TEST(true);
}

namespace {

/// Adds the results of the slots to a number that is its state.
struct add_to
{
    using result_type = int;
    std::shared_ptr<int> first;
    template <class I>
    int operator()(I at, I end) const
    {
        int sum = *first;
        for (; at != end; ++at)
            sum += *at;
        return sum;
    }
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_combiner_that_cannot_be_set_leaves_the_one_before)
{
    using signal = s2::signal<int(), add_to>;
    auto const hundred = std::make_shared<int>(100);
    auto const thousand = std::make_shared<int>(1000);
    for (int const slots : {0, 1, 3}) {
        // The constructor of the signal needs memory for the first combiner.
        std::unique_ptr<signal> s;
        for (long n = 0; s == nullptr; ++n) {
            BOOST_TEST_REQUIRE(n < 100);
            try {
                test::failing_allocation const fails(n);
                s = std::make_unique<signal>(add_to{hundred});
            } catch (std::bad_alloc const&) {
                BOOST_TEST(hundred.use_count() == 1);
            }
        }
        for (int i = 0; i < slots; ++i)
            s->connect([] { return 1; });
        for (long n = 0;; ++n) {
            BOOST_TEST_REQUIRE(n < 100);
            try {
                test::failing_allocation const fails(n);
                s->set_combiner(add_to{thousand});
                break;
            } catch (std::bad_alloc const&) {
            }
            BOOST_TEST((*s)() == 100 + slots);
            BOOST_TEST(thousand.use_count() == 1);
        }
        BOOST_TEST((*s)() == 1000 + slots);
        BOOST_TEST(hundred.use_count() == 1);
    }
}
