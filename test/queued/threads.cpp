// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// A mailbox between threads: laws for all options, histories, and wake-ups.

#include <registry_io/queued/mailbox.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <system_error>
#include <thread>
#include <tuple>
#include <vector>

#include <boost/mp11.hpp>
#include <boost/test/unit_test.hpp>

#include "memory.hpp"
#include "queued/support.hpp"

namespace {

using namespace boost::mp11;
namespace queued = registry_io::queued;
using queued::post_result;
using test::movable;
using test::plain;

template <class Event, class Full, class... More>
using mailbox_of = queued::mailbox<Event, 4, Full, More...>;
using full_options = mp_list<queued::fail, queued::drop_newest, queued::drop_oldest,
                             queued::block<>, test::by_thread>;
using all_mailboxes = mp_rename<
    mp_append<mp_product<mailbox_of, mp_list<plain, movable>, full_options>,
              mp_product<mailbox_of, mp_list<plain>, full_options, mp_list<queued::yield>>,
              mp_product<mailbox_of, mp_list<plain>, full_options, mp_list<queued::urgent_lane>>,
              mp_product<mailbox_of, mp_list<plain, movable>, full_options,
                         mp_list<queued::many_consumers>>>,
    std::tuple>;

template <class Mailbox>
inline constexpr bool has_urgent =
    requires(Mailbox& m, typename Mailbox::event_type e) { m.post_urgent(std::move(e)); };
template <class Mailbox>
inline constexpr bool has_many = false;
template <class Event, std::size_t N, class... Options>
inline constexpr bool has_many<queued::mailbox<Event, N, Options...>> =
    (std::is_same_v<Options, queued::many_consumers> || ...);

constexpr int posters = 3;
constexpr int posts = 3000;

struct counts
{
    std::atomic<std::uint64_t> posted{0}, dropped{0}, full{0}, closed{0}, drained{0}, misordered{0};

    void add(post_result r)
    {
        (r == post_result::posted        ? posted
             : r == post_result::dropped ? dropped
             : r == post_result::full    ? full
                                         : closed)
            .fetch_add(1, std::memory_order_relaxed);
    }
};

template <class Mailbox>
void post_all(Mailbox& mailbox, counts& c, int thread)
{
    using event = typename Mailbox::event_type;
    for (int n = 1; n <= posts; ++n) {
        bool is_urgent = false;
        if constexpr (has_urgent<Mailbox>) {
            is_urgent = n % 8 == 0;
            if (is_urgent)
                c.add(mailbox.post_urgent(event::make(thread, n)));
        }
        if (!is_urgent)
            c.add(mailbox.post(event::make(thread, n)));
        if (n % 64 == 0)
            std::this_thread::yield();
    }
}

/// Drains until the end, and checks the order of each lane of each poster.
template <class Mailbox>
void drain_all(Mailbox& mailbox, counts& c)
{
    int last[2][posters] = {};
    test::sink into{[&](typename Mailbox::event_type const& e) {
        c.drained.fetch_add(1, std::memory_order_relaxed);
        int& before = last[has_urgent<Mailbox> && e.at() % 8 == 0][e.by()];
        if (e.at() <= before)
            c.misordered.fetch_add(1, std::memory_order_relaxed);
        before = e.at();
    }};
    while (mailbox.wait())
        mailbox.drain(into, 3);
}

}  // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(each_poster_keeps_its_order_and_every_event_is_counted_once, Mailbox,
                              all_mailboxes)
{
    Mailbox mailbox;
    counts c;
    std::vector<std::thread> consumers;
    for (int n = 0; n < (has_many<Mailbox> ? 2 : 1); ++n)
        consumers.emplace_back([&] { drain_all(mailbox, c); });
    std::vector<std::thread> threads;
    for (int n = 0; n < posters; ++n)
        threads.emplace_back([&, n] { post_all(mailbox, c, n); });
    for (std::thread& t : threads)
        t.join();
    mailbox.close();
    for (std::thread& t : consumers)
        t.join();
    auto const s = mailbox.stats();
    BOOST_TEST(c.misordered == 0u);
    BOOST_TEST(s.waiting == 0u);
    BOOST_TEST(s.posted == c.posted);
    BOOST_TEST(s.refused == c.full);
    BOOST_TEST(c.drained + s.dropped + s.coalesced + s.refused ==
               static_cast<std::uint64_t>(posters * posts));
    BOOST_TEST(s.high_water >= 1u);
    BOOST_TEST(s.high_water <= mailbox.capacity());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(closing_beside_posts_loses_nothing_that_was_accepted, Mailbox,
                              all_mailboxes)
{
    for (int round = 0; round < 30; ++round) {
        Mailbox mailbox;
        counts c;
        std::thread consumer([&] { drain_all(mailbox, c); });
        std::vector<std::thread> threads;
        for (int n = 0; n < 2; ++n) {
            threads.emplace_back([&, n] {
                for (int i = 1; i <= 20; ++i)
                    c.add(mailbox.post(Mailbox::event_type::make(n, i)));
            });
        }
        for (int i = 0; i < round; ++i)
            std::this_thread::yield();
        mailbox.close();
        for (std::thread& t : threads)
            t.join();
        consumer.join();
        auto const s = mailbox.stats();
        BOOST_TEST(s.waiting == 0u);
        BOOST_TEST(s.posted == c.posted);
        BOOST_TEST(s.refused == c.full + c.closed);
        BOOST_TEST(c.drained + s.dropped + s.coalesced + s.refused == 40u);
    }
}

BOOST_AUTO_TEST_CASE(close_wakes_a_poster_that_sleeps_until_there_is_room)
{
    queued::mailbox<movable, 1, queued::block<>> mailbox;
    mailbox.post(movable::make(0, 1));
    std::atomic<bool> kept{false};
    std::thread poster([&] {
        movable m = movable::make(0, 2);
        kept = mailbox.post(std::move(m)) == post_result::closed && m.is_there();
    });
    std::this_thread::yield();
    mailbox.close();
    poster.join();
    BOOST_TEST(kept);
}

BOOST_AUTO_TEST_CASE(close_wakes_a_consumer_that_sleeps)
{
    queued::mailbox<plain, 1> mailbox;
    std::atomic<bool> something{true};
    std::thread consumer([&] { something = mailbox.wait(); });
    std::this_thread::yield();
    mailbox.close();
    consumer.join();
    BOOST_TEST(!something);
}

BOOST_AUTO_TEST_CASE(a_second_thread_that_drains_is_refused)
{
    queued::mailbox<plain, 4> mailbox;
    mailbox.post({0, 1});
    std::atomic<int> refused{0};
    test::sink into{[&](plain const&) {
        std::thread([&] {
            test::sink nowhere{[](plain const&) {}};
            try {
                mailbox.drain(nowhere);
            } catch (std::system_error const& e) {
                if (e.code() == std::errc::device_or_resource_busy)
                    ++refused;
            }
        }).join();
    }};
    BOOST_TEST(mailbox.drain(into).count == 1u);
    BOOST_TEST(refused == 1);
}

BOOST_AUTO_TEST_CASE(a_handler_on_another_thread_may_block_while_this_one_drains)
{
    // The drain of one mailbox posts to another one, which a second thread drains.
    queued::mailbox<plain, 2, queued::block<>> first;
    queued::mailbox<plain, 1, queued::block<>> second;
    std::atomic<int> seen{0};
    std::thread consumer([&] {
        test::sink into{[&](plain const&) { ++seen; }};
        while (second.wait())
            second.drain(into);
    });
    std::atomic<int> lost{0};
    std::thread relay([&] {
        test::sink into{[&](plain const& p) {
            if (second.post(p) != post_result::posted)
                ++lost;
        }};
        while (first.wait())
            first.drain(into);
    });
    for (int n = 0; n < 2000; ++n)
        if (first.post({0, n}) != post_result::posted)
            ++lost;
    first.close();
    relay.join();
    second.close();
    consumer.join();
    BOOST_TEST(seen == 2000);
    BOOST_TEST(lost == 0);
}

BOOST_AUTO_TEST_CASE(posting_and_draining_allocate_nothing)
{
    queued::mailbox<plain, 8> direct;
    queued::mailbox<movable, 8, queued::drop_oldest, queued::urgent_lane> pooled;
    queued::mailbox<plain, 8, test::by_thread> keyed;
    std::vector<movable> events;
    events.reserve(40);
    for (int n = 0; n < 40; ++n)
        events.push_back(movable::make(0, n));
    test::sink plain_into{[](plain const&) {}};
    test::sink movable_into{[](movable const&) {}};
    auto const before = test::allocations();
    for (int n = 0; n < 40; ++n) {
        direct.post({0, n});
        keyed.post({n, n});
        pooled.post(std::move(events[static_cast<std::size_t>(n)]));
        if (n % 5 == 0) {
            direct.drain(plain_into);
            keyed.drain(plain_into);
            pooled.drain(movable_into);
        }
    }
    BOOST_TEST(test::allocations() == before);
}

// ----- Histories

namespace {

/// An operation of a history: when it began and ended, and what it returned.
struct operation
{
    int begin;
    int end;
    bool is_post;
    int value;  ///< posted, or taken; 0: full, or nothing was there
};

/// Whether a queue of this capacity explains the remaining operations.
bool explains(std::vector<operation> const& h, unsigned done, std::vector<int> const& queue,
              std::size_t capacity)
{
    if (done == (1u << h.size()) - 1)
        return true;
    int first_end = 1 << 30;
    for (std::size_t i = 0; i < h.size(); ++i)
        if ((done >> i & 1) == 0)
            first_end = std::min(first_end, h[i].end);
    for (std::size_t i = 0; i < h.size(); ++i) {
        if ((done >> i & 1) != 0 || h[i].begin > first_end)
            continue;
        std::vector<int> next = queue;
        if (h[i].is_post && h[i].value != 0) {
            if (next.size() == capacity)
                continue;
            next.push_back(h[i].value);
        } else if (h[i].is_post) {
            // A place is taken from the beginning of the post that fills it to the end of the take
            // that empties it: while others overlap, fewer events may be in the queue.
            std::size_t passing = 0;
            for (operation const& o : h)
                passing += (!o.is_post || o.value != 0) && o.begin < h[i].end && h[i].begin < o.end;
            if (next.size() + passing < capacity)
                continue;
        } else if (h[i].value != 0) {
            if (next.empty() || next.front() != h[i].value)
                continue;
            next.erase(next.begin());
        } else if (!next.empty()) {
            continue;
        }
        if (explains(h, done | 1u << i, next, capacity))
            return true;
    }
    return false;
}

template <class Event>
int linearizable_histories(int rounds)
{
    constexpr int threads = 3;
    constexpr int steps = 4;
    int explained = 0;
    for (int round = 0; round < rounds; ++round) {
        queued::mailbox<Event, 2, queued::many_consumers> mailbox;
        std::atomic<int> clock{0};
        std::atomic<int> ready{0};
        std::array<std::vector<operation>, threads> parts;
        std::vector<std::thread> all;
        for (int t = 0; t < threads; ++t) {
            all.emplace_back([&, t] {
                std::minstd_rand random(static_cast<unsigned>(round * threads + t + 1));
                auto& part = parts[static_cast<std::size_t>(t)];
                part.reserve(steps);
                ++ready;
                while (ready < threads)
                    std::this_thread::yield();
                for (int s = 1; s <= steps; ++s) {
                    operation o{clock++, 0, random() % 2 == 0, 0};
                    if (o.is_post) {
                        int const value = t * steps + s;
                        if (mailbox.post(Event::make(t, value)) == post_result::posted)
                            o.value = value;
                    } else {
                        test::sink into{[&](Event const& e) { o.value = e.at(); }};
                        mailbox.drain(into, 1);
                    }
                    o.end = clock++;
                    part.push_back(o);
                    if (random() % 2 == 0)
                        std::this_thread::yield();
                }
            });
        }
        for (std::thread& t : all)
            t.join();
        std::vector<operation> h;
        for (auto const& part : parts)
            h.insert(h.end(), part.begin(), part.end());
        explained += explains(h, 0, {}, 2);
    }
    return explained;
}

}  // namespace

BOOST_AUTO_TEST_CASE(histories_of_three_threads_are_those_of_a_bounded_queue)
{
    BOOST_TEST(linearizable_histories<plain>(400) == 400);
    BOOST_TEST(linearizable_histories<movable>(400) == 400);
}
