// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// A mailbox on one thread: each option, compared with a naive model, and each misuse.

#include <registry_io/presets/local.hpp>
#include <registry_io/presets/sync.hpp>
#include <registry_io/queued/mailbox.hpp>

#include <functional>
#include <map>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <system_error>
#include <tuple>
#include <vector>

#include <boost/mp11.hpp>
#include <boost/test/unit_test.hpp>

#include "queued/model.hpp"
#include "queued/support.hpp"

namespace rio = registry_io;
using rio::queued::post_result;
using test::full_of;
using test::has_urgent;
using test::model;
using test::movable;
using test::odd;
using test::plain;

namespace {

using namespace boost::mp11;
namespace queued = rio::queued;

template <class Event, class Full, class... More>
using mailbox_of = queued::mailbox<Event, 3, Full, More...>;
using full_options = mp_list<queued::fail, queued::drop_newest, queued::drop_oldest,
                             queued::block<0>, test::by_thread>;
using events = mp_list<plain, odd, movable>;
using all_mailboxes = mp_rename<
    mp_append<
        mp_product<mailbox_of, events, full_options>,
        mp_product<mailbox_of, mp_list<plain, movable>, full_options, mp_list<queued::urgent_lane>>,
        mp_product<mailbox_of, mp_list<plain, movable>, full_options,
                   mp_list<queued::many_consumers>, mp_list<queued::measure_waits>>>,
    std::tuple>;

struct failed
{
};

}  // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(random_posts_and_drains_agree_with_a_naive_model, Mailbox,
                              all_mailboxes)
{
    using event = typename Mailbox::event_type;
    using naive = model<typename full_of<Mailbox>::type>;
    std::minstd_rand random(7);
    for (int round = 0; round < 20; ++round) {
        Mailbox mailbox;
        naive expected;
        int n = 0;
        std::uint64_t attempts = 0;
        std::uint64_t drained = 0;
        for (int step = 0; step < 300; ++step) {
            auto const dice = random() % 100;
            if (dice < 70) {
                int const thread = static_cast<int>(random() % 5);
                int const lane = has_urgent<Mailbox> && random() % 3 == 0 ? 1 : 0;
                event e = event::make(thread, ++n);
                ++attempts;
                post_result r{};
                if constexpr (has_urgent<Mailbox>)
                    r = lane == 1 ? mailbox.post_urgent(std::move(e)) : mailbox.post(std::move(e));
                else
                    r = mailbox.post(std::move(e));
                BOOST_REQUIRE((r == expected.post(lane, {thread, n})));
                // The caller still owns an event that was not accepted.
                if (r == post_result::full || r == post_result::closed)
                    BOOST_TEST((e.is_there() && e.by() == thread && e.at() == n));
            } else if (dice < 99) {
                std::size_t const max = random() % 6;
                std::vector<typename naive::item> seen;
                test::sink into{[&](event const& e) { seen.push_back({e.by(), e.at()}); }};
                auto const result = mailbox.drain(into, max);
                BOOST_TEST(result.count == seen.size());
                BOOST_REQUIRE((seen == expected.drain(max)));
                BOOST_TEST(result.end_of_batch == mailbox.empty());
                drained += result.count;
            } else if (step > 250) {
                mailbox.close();
                expected.closed = true;
            }
            auto const s = mailbox.stats();
            std::size_t const waiting = expected.lanes[0].size() + expected.lanes[1].size();
            BOOST_REQUIRE(s.posted == expected.posted);
            BOOST_REQUIRE(s.dropped == expected.dropped);
            BOOST_REQUIRE(s.coalesced == expected.coalesced);
            BOOST_REQUIRE(s.refused == expected.refused);
            BOOST_REQUIRE(s.waiting == waiting);
            BOOST_REQUIRE(s.high_water == expected.high);
            BOOST_REQUIRE(attempts == drained + s.waiting + s.dropped + s.coalesced + s.refused);
            BOOST_TEST(mailbox.empty() == (waiting == 0));
        }
        BOOST_TEST(mailbox.closed() == expected.closed);
    }
}

BOOST_AUTO_TEST_CASE(a_registry_is_notified_of_what_was_posted_in_order)
{
    rio::SyncRegistry<std::string> registry;
    std::vector<std::string> seen;
    registry.register_handler([&](std::string const& s) { seen.push_back(s); });
    queued::mailbox<std::string, 4> mailbox;
    static_assert(mailbox.capacity() == 4);
    BOOST_TEST(mailbox.empty());
    BOOST_TEST(mailbox.drain(registry).end_of_batch);
    std::string const kept = "one, which is too long for a small string";
    BOOST_TEST((mailbox.post(kept) == post_result::posted));
    BOOST_TEST((mailbox.post("two") == post_result::posted));
    BOOST_TEST(seen.empty());
    BOOST_TEST(mailbox.drain(registry).count == 2u);
    BOOST_TEST(seen == (std::vector<std::string>{kept, "two"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_handlers_post_is_drained_up_to_the_limit)
{
    rio::SyncRegistry<plain> registry;
    queued::mailbox<plain, 3> mailbox;
    int seen = 0;
    registry.register_handler([&](plain const& p) {
        ++seen;
        mailbox.post(p);
    });
    mailbox.post({1, 1});
    auto const first = mailbox.drain(registry);
    BOOST_TEST(first.count == 3u);
    BOOST_TEST(!first.end_of_batch);
    BOOST_TEST(mailbox.drain(registry, 5).count == 5u);
    BOOST_TEST(seen == 8);
    BOOST_TEST(mailbox.stats().waiting == 1u);
}

BOOST_AUTO_TEST_CASE(an_urgent_event_that_a_handler_posts_is_drained_next)
{
    queued::mailbox<plain, 4, queued::urgent_lane> mailbox;
    std::vector<int> seen;
    test::sink into{[&](plain const& p) {
        seen.push_back(p.number);
        if (p.number == 1)
            mailbox.post_urgent({0, 10});
    }};
    mailbox.post({0, 1});
    mailbox.post({0, 2});
    static_assert(mailbox.capacity() == 8);
    mailbox.drain(into);
    BOOST_TEST(seen == (std::vector{1, 10, 2}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(with_latest_the_newest_event_alone_waits)
{
    queued::mailbox<movable, 1, queued::latest> mailbox;
    for (int n = 1; n <= 3; ++n)
        BOOST_TEST((mailbox.post(movable::make(0, n)) == post_result::posted));
    std::vector<int> seen;
    test::sink into{[&](movable const& m) { seen.push_back(m.at()); }};
    BOOST_TEST(mailbox.drain(into).count == 1u);
    BOOST_TEST(seen == (std::vector{3}), boost::test_tools::per_element());
    BOOST_TEST(mailbox.stats().coalesced == 2u);
    BOOST_TEST(mailbox.stats().dropped == 0u);
}

BOOST_AUTO_TEST_CASE(a_key_may_be_a_member_or_a_string)
{
    struct file
    {
        std::string name;
        int version;
    };
    queued::mailbox<file, 40, queued::coalesce<&file::name>> mailbox;
    for (int version = 1; version <= 3; ++version)
        for (int n = 0; n < 40; ++n)
            BOOST_TEST((mailbox.post({"a file with the number " + std::to_string(n), version}) ==
                        post_result::posted));
    BOOST_TEST((mailbox.post({"another one", 1}) == post_result::dropped));
    int seen = 0;
    test::sink into{[&](file const& f) {
        BOOST_TEST(f.version == 3);
        BOOST_TEST(f.name == "a file with the number " + std::to_string(seen));
        ++seen;
    }};
    mailbox.drain(into);
    BOOST_TEST(seen == 40);
    BOOST_TEST(mailbox.stats().coalesced == 80u);
    BOOST_TEST(mailbox.stats().dropped == 1u);
}

BOOST_AUTO_TEST_CASE(what_a_handler_throws_leaves_drain_and_later_events_wait)
{
    queued::mailbox<movable, 4> mailbox;
    for (int n = 1; n <= 3; ++n)
        mailbox.post(movable::make(0, n));
    std::vector<int> seen;
    test::sink into{[&](movable const& m) {
        seen.push_back(m.at());
        if (m.at() == 2)
            throw failed();
    }};
    BOOST_CHECK_THROW(mailbox.drain(into), failed);
    BOOST_TEST(mailbox.stats().waiting == 1u);
    BOOST_TEST(mailbox.drain(into).count == 1u);
    BOOST_TEST(seen == (std::vector{1, 2, 3}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_drain_inside_a_drain_is_refused_and_changes_nothing)
{
    queued::mailbox<plain, 4> mailbox;
    mailbox.post({0, 1});
    mailbox.post({0, 2});
    int refused = 0;
    std::function<void(plain const&)> again;
    test::sink into{[&](plain const& p) { again(p); }};
    again = [&](plain const&) {
        try {
            mailbox.drain(into);
        } catch (std::system_error const& e) {
            refused += e.code() == std::errc::device_or_resource_busy;
        }
        BOOST_CHECK_THROW(mailbox.discard(), std::system_error);
    };
    BOOST_TEST(mailbox.drain(into).count == 2u);
    BOOST_TEST(refused == 2);
    BOOST_TEST(mailbox.drain(into).count == 0u);  // the right to drain was given back
}

BOOST_AUTO_TEST_CASE(with_many_consumers_a_drain_inside_a_drain_takes_the_next_events)
{
    queued::mailbox<plain, 4, queued::many_consumers> mailbox;
    for (int n = 1; n <= 3; ++n)
        mailbox.post({0, n});
    std::vector<int> seen;
    std::function<void(plain const&)> again;
    test::sink into{[&](plain const& p) { again(p); }};
    again = [&](plain const& p) {
        seen.push_back(p.number);
        mailbox.drain(into, 1);
    };
    BOOST_TEST(mailbox.drain(into).count == 1u);
    BOOST_TEST(seen == (std::vector{1, 2, 3}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_closed_mailbox_takes_nothing_and_gives_the_rest)
{
    queued::mailbox<movable, 4> mailbox;
    mailbox.post(movable::make(0, 1));
    BOOST_TEST(!mailbox.closed());
    mailbox.close();
    mailbox.close();
    BOOST_TEST(mailbox.closed());
    movable late = movable::make(0, 2);
    BOOST_TEST((mailbox.post(std::move(late)) == post_result::closed));
    // The next calls would wait for ever for an event that was taken and not counted.
    BOOST_REQUIRE(late.is_there());
    BOOST_TEST(mailbox.wait());
    int seen = 0;
    test::sink into{[&](movable const& m) { seen = m.at(); }};
    BOOST_TEST(mailbox.drain(into).end_of_batch);
    BOOST_TEST(seen == 1);
    BOOST_TEST(!mailbox.wait());
    BOOST_TEST(mailbox.stats().refused == 1u);
}

BOOST_AUTO_TEST_CASE(discard_counts_what_it_destroys)
{
    auto const life = std::make_shared<int>(1);
    queued::mailbox<std::shared_ptr<int>, 4, queued::urgent_lane> mailbox;
    mailbox.post(life);
    mailbox.post_urgent(life);
    BOOST_TEST(life.use_count() == 3);
    BOOST_TEST(mailbox.discard() == 2u);
    BOOST_TEST(life.use_count() == 1);
    BOOST_TEST(mailbox.stats().dropped == 2u);
    BOOST_TEST(mailbox.empty());
}

BOOST_AUTO_TEST_CASE(a_mailbox_destroys_what_still_waits)
{
    auto const life = std::make_shared<int>(1);
    {
        queued::mailbox<std::shared_ptr<int>, 4> direct;
        queued::mailbox<std::shared_ptr<int>, 1, queued::latest> last;
        for (int n = 0; n < 3; ++n) {
            direct.post(life);
            last.post(life);
        }
        BOOST_TEST(life.use_count() == 5);
    }
    BOOST_TEST(life.use_count() == 1);
}

BOOST_AUTO_TEST_CASE(block_on_the_draining_thread_is_refused_at_once)
{
    queued::mailbox<plain, 2, queued::block<>> mailbox;
    std::vector<post_result> results;
    test::sink into{[&](plain const& p) {
        if (p.number > 2)
            return;
        for (int n = 3; n <= 4; ++n)
            results.push_back(mailbox.post({0, n}));
    }};
    mailbox.post({0, 1});
    mailbox.post({0, 2});
    mailbox.drain(into, 1);
    BOOST_TEST((results == std::vector{post_result::posted, post_result::full}));
    BOOST_TEST(mailbox.stats().refused == 1u);
}

BOOST_AUTO_TEST_CASE(block_gives_up_after_its_time)
{
    queued::mailbox<plain, 1, queued::block<5>> mailbox;
    mailbox.post({0, 1});
    auto const before = std::chrono::steady_clock::now();
    BOOST_TEST((mailbox.post({0, 2}) == post_result::full));
    BOOST_TEST((std::chrono::steady_clock::now() - before >= std::chrono::milliseconds(5)));
    BOOST_TEST(mailbox.stats().refused == 1u);
    BOOST_TEST(mailbox.stats().waiting == 1u);
}

BOOST_AUTO_TEST_CASE(a_wait_with_a_limit_ends)
{
    queued::mailbox<plain, 1> parked;
    queued::mailbox<plain, 1, queued::spin> spinning;
    queued::mailbox<plain, 1, queued::yield> yielding;
    BOOST_TEST(!parked.wait_for(std::chrono::milliseconds(1)));
    BOOST_TEST(!spinning.wait_for(std::chrono::milliseconds(1)));
    BOOST_TEST(!yielding.wait_for(std::chrono::milliseconds(1)));
    parked.post({0, 1});
    spinning.post({0, 1});
    yielding.post({0, 1});
    BOOST_TEST(parked.wait_for(std::chrono::milliseconds(1)));
    BOOST_TEST(spinning.wait_for(std::chrono::milliseconds(1)));
    BOOST_TEST(yielding.wait_for(std::chrono::milliseconds(1)));
}

BOOST_AUTO_TEST_CASE(the_hook_is_called_once_for_each_drain_that_is_needed)
{
    int calls = 0;
    queued::mailbox<plain, 8, queued::wake<>> mailbox([&] { ++calls; });
    std::vector<int> seen;
    test::sink into{[&](plain const& p) { seen.push_back(p.number); }};
    mailbox.post({0, 1});
    mailbox.post({0, 2});
    mailbox.post({0, 3});
    BOOST_TEST(calls == 1);
    BOOST_TEST(!mailbox.drain(into, 2).end_of_batch);
    BOOST_TEST(calls == 2);  // something is left
    BOOST_TEST(mailbox.drain(into).end_of_batch);
    BOOST_TEST(calls == 2);
    mailbox.post({0, 4});
    BOOST_TEST(calls == 3);
    mailbox.drain(into);
    BOOST_TEST(seen == (std::vector{1, 2, 3, 4}), boost::test_tools::per_element());
    mailbox.close();
    BOOST_TEST(calls == 4);
    BOOST_TEST((mailbox.post({0, 5}) == post_result::closed));
    BOOST_TEST(calls == 4);
}

BOOST_AUTO_TEST_CASE(a_handler_that_throws_does_not_cut_the_hook_off)
{
    int calls = 0;
    queued::mailbox<plain, 8, queued::wake<>> mailbox([&] { ++calls; });
    test::sink failing{[](plain const&) { throw failed(); }};
    mailbox.post({0, 1});
    mailbox.post({0, 2});
    BOOST_CHECK_THROW(mailbox.drain(failing), failed);
    BOOST_TEST(calls == 2);  // for the second event
    BOOST_CHECK_THROW(mailbox.drain(failing), failed);
    mailbox.post({0, 3});
    BOOST_TEST(calls == 3);
}

BOOST_AUTO_TEST_CASE(a_hook_that_throws_is_called_again_by_the_next_post)
{
    int calls = 0;
    queued::mailbox<plain, 8, queued::wake<>> mailbox([&] {
        if (++calls == 1)
            throw failed();
    });
    BOOST_CHECK_THROW(mailbox.post({0, 1}), failed);
    BOOST_TEST(mailbox.stats().waiting == 1u);  // posted nevertheless
    BOOST_TEST((mailbox.post({0, 2}) == post_result::posted));
    BOOST_TEST(calls == 2);
    int seen = 0;
    test::sink into{[&](plain const&) { ++seen; }};
    mailbox.drain(into);
    BOOST_TEST(seen == 2);
}

BOOST_AUTO_TEST_CASE(an_empty_hook_is_refused)
{
    using mailbox = queued::mailbox<plain, 2, queued::wake<>>;
    BOOST_CHECK_THROW(mailbox(nullptr), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(the_longest_wait_is_measured)
{
    queued::mailbox<plain, 4, queued::measure_waits> mailbox;
    mailbox.post({0, 1});
    auto const posted = std::chrono::steady_clock::now();
    while (std::chrono::steady_clock::now() - posted < std::chrono::milliseconds(2)) {
    }
    test::sink into{[](plain const&) {}};
    mailbox.drain(into);
    mailbox.post({0, 2});
    mailbox.drain(into);
    BOOST_TEST((mailbox.stats().longest_wait >= std::chrono::milliseconds(2)));
}
