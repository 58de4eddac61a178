// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#include <registry_io/presets/local.hpp>
#include <registry_io/queued/deferred.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <type_traits>
#include <vector>

#include <boost/test/unit_test.hpp>

namespace rio = registry_io;

namespace {

struct step
{
    int n;
};

// As in firmware: usable before any code runs, and with no destructor to run at the end.
constinit rio::queued::deferred<step, 4> global{rio::queued::closed};
static_assert(std::is_trivially_destructible_v<decltype(global)>);

std::vector<int> refused;
void remember(step const& s)
{
    refused.push_back(s.n);
}

}  // namespace

BOOST_AUTO_TEST_CASE(posted_events_are_notified_in_order_when_they_are_drained)
{
    rio::LocalRegistry<step> registry;
    std::vector<int> seen;
    registry.register_handler([&](step const& s) { seen.push_back(s.n); });
    rio::queued::deferred<step, 4> queue;
    static_assert(queue.capacity() == 4);
    BOOST_TEST(queue.empty());
    BOOST_TEST(queue.drain(registry) == 0u);
    for (int n = 1; n <= 3; ++n)
        BOOST_TEST(queue.post({n}));
    BOOST_TEST(seen.empty());
    BOOST_TEST(queue.drain(registry, 2) == 2u);
    BOOST_TEST(seen == (std::vector{1, 2}), boost::test_tools::per_element());
    BOOST_TEST(!queue.empty());
    BOOST_TEST(queue.drain(registry) == 1u);
    BOOST_TEST(seen == (std::vector{1, 2, 3}), boost::test_tools::per_element());
    BOOST_TEST(queue.empty());
    BOOST_TEST(queue.lost() == 0u);
}

BOOST_AUTO_TEST_CASE(a_full_queue_gives_up_what_is_posted_and_counts_it)
{
    rio::LocalRegistry<step> registry;
    std::vector<int> seen;
    registry.register_handler([&](step const& s) { seen.push_back(s.n); });
    rio::queued::deferred<step, 2, rio::queued::call<&remember>> queue;
    refused.clear();
    for (int n = 1; n <= 5; ++n)
        BOOST_TEST(queue.post({n}) == (n <= 2));
    BOOST_TEST(queue.lost() == 3u);
    BOOST_TEST(refused == (std::vector{3, 4, 5}), boost::test_tools::per_element());
    BOOST_TEST(queue.drain(registry) == 2u);
    BOOST_TEST(seen == (std::vector{1, 2}), boost::test_tools::per_element());
    BOOST_TEST(queue.post({6}));
    BOOST_TEST(queue.lost() == 3u);
}

BOOST_AUTO_TEST_CASE(what_handlers_post_is_drained_up_to_the_limit)
{
    rio::LocalRegistry<step> registry;
    rio::queued::deferred<step, 3> queue;
    std::vector<int> seen;
    registry.register_handler([&](step const& s) {
        seen.push_back(s.n);
        BOOST_TEST(queue.post({s.n + 1}));
    });
    BOOST_TEST(queue.post({1}));
    BOOST_TEST(queue.drain(registry) == 3u);
    BOOST_TEST(seen == (std::vector{1, 2, 3}), boost::test_tools::per_element());
    BOOST_TEST(!queue.empty());
}

BOOST_AUTO_TEST_CASE(what_is_posted_to_a_closed_queue_is_lost_and_counted)
{
    rio::LocalRegistry<step> registry;
    BOOST_TEST(!global.post({1}));
    BOOST_TEST(global.lost() == 1u);
    BOOST_TEST(global.empty());
    BOOST_TEST(global.drain(registry) == 0u);
    global.open();
    BOOST_TEST(global.post({2}));
    global.open();  // it is open
    BOOST_TEST(global.drain(registry) == 1u);
    BOOST_TEST(global.lost() == 1u);
}

namespace {

struct posting
{
    rio::queued::deferred<posting, 4>* queue = nullptr;
    posting() = default;
    explicit posting(rio::queued::deferred<posting, 4>& q) : queue(&q) {}
    // Posts in the middle of another post, as an interrupt would.
    posting(posting const& other) noexcept
    {
        if (other.queue != nullptr)
            BOOST_TEST(!other.queue->post(posting()));
    }
    posting& operator=(posting const&) = delete;
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_post_that_interrupts_another_one_is_given_up_and_counted)
{
    rio::LocalRegistry<posting> registry;
    int calls = 0;
    registry.register_handler([&](posting const&) { ++calls; });
    rio::queued::deferred<posting, 4> queue;
    BOOST_TEST(queue.post(posting(queue)));
    BOOST_TEST(queue.lost() == 1u);
    BOOST_TEST(queue.post(posting()));
    BOOST_TEST(queue.drain(registry) == 2u);
    BOOST_TEST(calls == 2);
}

BOOST_AUTO_TEST_CASE(events_that_were_not_drained_are_destroyed_with_the_queue)
{
    struct owning
    {
        std::shared_ptr<int> what;
    };
    auto const what = std::make_shared<int>(0);
    {
        rio::queued::deferred<owning, 4> queue;
        BOOST_TEST(queue.post({what}));
        BOOST_TEST(queue.post({what}));
        BOOST_TEST(what.use_count() == 3);
    }
    BOOST_TEST(what.use_count() == 1);
}

BOOST_AUTO_TEST_CASE(one_thread_may_post_while_another_one_drains)
{
    constexpr int count = 20'000;
    rio::queued::deferred<step, 16> queue;
    rio::LocalRegistry<step> registry;
    int next = 0;
    registry.register_handler([&](step const& s) {
        BOOST_REQUIRE(s.n == next);
        ++next;
    });
    std::thread poster([&] {
        for (int n = 0; n != count;)
            if (queue.post({n}))
                ++n;
            else
                std::this_thread::yield();
    });
    while (next != count)
        if (queue.drain(registry) == 0)
            std::this_thread::yield();
    poster.join();
    BOOST_TEST(queue.empty());
}

// With ThreadSanitizer this shows that any context may read the count.
BOOST_AUTO_TEST_CASE(another_thread_may_read_how_many_were_lost)
{
    rio::LocalRegistry<step> registry;
    int seen = 0;
    registry.register_handler([&](step const&) { ++seen; });
    rio::queued::deferred<step, 2> queue;
    constexpr std::uint32_t posts = 20000;
    std::atomic<bool> done{false};
    std::thread poster([&] {
        for (std::uint32_t i = 0; i < posts; ++i)
            queue.post({0});
        done = true;
    });
    std::uint32_t last = 0;
    bool grows = true;
    std::thread third([&] {
        while (!done) {
            std::uint32_t const now = queue.lost();
            grows = grows && now >= last;
            last = now;
        }
    });
    while (!done)
        queue.drain(registry);
    poster.join();
    third.join();
    queue.drain(registry);
    BOOST_TEST(grows);
    BOOST_TEST(queue.lost() + static_cast<std::uint32_t>(seen) == posts);
}
