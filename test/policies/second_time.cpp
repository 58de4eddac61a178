// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Policies that count, limit or retry: what they do in the second round as well as in the first.

#include <registry_io/alloc/pmr.hpp>
#include <registry_io/alloc/pool.hpp>
#include <registry_io/panic/collect.hpp>
#include <registry_io/panic/quarantine.hpp>
#include <registry_io/presets/local.hpp>
#include <registry_io/presets/sync.hpp>
#include <registry_io/queued/deferred.hpp>
#include <registry_io/snapshot/hazard_pointer.hpp>
#include <registry_io/snapshot/rcu.hpp>

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <cstddef>
#include <ctime>
#include <memory>
#include <memory_resource>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <vector>

namespace rio = registry_io;

namespace {

using threaded = rio::SyncRegistry<int>;

void fails(int)
{
    throw std::runtime_error("broken");
}

/// The time that the log's clock shows; if negative, the real time.
std::atomic<long> clock_ms{-1};

/// Memory that fails on demand.
class failing_memory : public std::pmr::memory_resource
{
public:
    bool fails = false;

private:
    void* do_allocate(std::size_t size, std::size_t align) override
    {
        if (fails)
            throw std::bad_alloc();
        return std::pmr::new_delete_resource()->allocate(size, align);
    }
    void do_deallocate(void* p, std::size_t size, std::size_t align) override
    {
        std::pmr::new_delete_resource()->deallocate(p, size, align);
    }
    bool do_is_equal(memory_resource const& other) const noexcept override
    {
        return this == &other;
    }
};

}  // namespace

// Replaces the C library's function, so that a test can set the time.
extern "C" int clock_gettime(clockid_t, std::timespec* now) noexcept
{
    long const ms = clock_ms.load();
    if (ms < 0)
        return std::timespec_get(now, TIME_UTC) == TIME_UTC ? 0 : -1;
    now->tv_sec = ms / 1000;
    now->tv_nsec = ms % 1000 * 1000000;
    return 0;
}

BOOST_AUTO_TEST_CASE(the_log_limits_each_second_anew_and_counts_anew)
{
    threaded r;
    std::vector<std::string> lines;
    r.log_to([&](std::string_view line) { lines.emplace_back(line); });
    r.register_handler(&fails);
    auto const at = [&](long ms) {
        clock_ms = ms;
        std::size_t const before = lines.size();
        r.notify(0);
        return lines.size() - before;
    };
    auto const ends_in = [&](std::string_view end) { return lines.back().ends_with(end); };
    // The rule also holds at the very first instant of the clock.
    BOOST_TEST(at(0) == 1u);
    BOOST_TEST(ends_in("threw: broken"));
    BOOST_TEST(at(1) == 0u);
    BOOST_TEST(at(999) == 0u);
    BOOST_TEST(at(1000) == 1u);
    BOOST_TEST(ends_in(" (and 2 failures held back)"));
    // The second round: the second counts from the last line, not from the first failure.
    BOOST_TEST(at(1500) == 0u);
    BOOST_TEST(at(1999) == 0u);
    BOOST_TEST(at(1999) == 0u);
    BOOST_TEST(at(2000) == 1u);
    BOOST_TEST(ends_in(" (and 3 failures held back)"));
    // After a pause nothing remains to be caught up.
    BOOST_TEST(at(60'400) == 1u);
    BOOST_TEST(ends_in("threw: broken"));
    BOOST_TEST(at(61'399) == 0u);
    BOOST_TEST(at(61'400) == 1u);
    BOOST_TEST(ends_in(" (and 1 failures held back)"));
    // Another handler that fails in the same second is included in the count of handlers.
    auto const other = r.register_handler([](int) { throw std::runtime_error("broken too"); });
    BOOST_TEST(at(62'400) == 1u);
    BOOST_TEST(ends_in("threw: broken"));
    BOOST_TEST(at(63'400) == 1u);
    BOOST_TEST(ends_in(" (and 1 failures held back)"));
    BOOST_TEST(at(64'000) == 0u);
    BOOST_TEST(at(64'400) == 1u);
    BOOST_TEST(ends_in(" (and 3 failures of 2 or more handlers held back)"));
    r.unregister(other);
    clock_ms = -1;
}

BOOST_AUTO_TEST_CASE(a_sink_that_notifies_is_called_once)
{
    clock_ms = 5000;
    threaded r;
    int lines = 0;
    r.register_handler(&fails);
    r.log_to([&](std::string_view) {
        ++lines;
        r.notify(0);
    });
    r.notify(0);
    BOOST_TEST(lines == 1);
    clock_ms = 6000;
    r.notify(0);
    BOOST_TEST(lines == 2);
    clock_ms = -1;
}

BOOST_AUTO_TEST_CASE(collect_counts_the_failures_of_each_notify_alone)
{
    threaded::with<rio::panic::collect<2>> r;
    std::vector<rio::handler_id> ids;
    for (int i = 0; i < 5; ++i)
        ids.push_back(r.register_handler(&fails));
    for (int round = 0; round < 3; ++round) {
        auto const failed = r.notify(0);
        BOOST_TEST(failed.size() == 2u);
        BOOST_TEST(failed.more() == 3u);
        BOOST_TEST((failed[0].handler_id() == ids[0]));
    }
    for (int i = 0; i < 4; ++i)
        r.unregister(ids[static_cast<std::size_t>(i)]);
    auto const last = r.notify(0);
    BOOST_TEST(last.size() == 1u);
    BOOST_TEST(last.more() == 0u);
    BOOST_TEST((last[0].handler_id() == ids[4]));
}

BOOST_AUTO_TEST_CASE(a_handler_that_recovers_starts_its_count_of_failures_anew)
{
    threaded::with<rio::panic::quarantine<3>> r;
    bool works = false;
    r.on_panic([](rio::panic_info const&) {});
    rio::handler_id const id = r.register_handler([&](int) {
        if (!works)
            throw 1;
    });
    for (int round = 0; round < 4; ++round) {
        works = false;
        r.notify(0);
        r.notify(0);
        BOOST_TEST(r.contains(id));
        works = true;
        r.notify(0);
    }
    works = false;
    for (int i = 0; i < 3; ++i)
        r.notify(0);
    BOOST_TEST(!r.contains(id));
}

BOOST_AUTO_TEST_CASE(a_removal_by_quarantine_that_failed_is_tried_again)
{
    failing_memory memory;
    threaded::with<rio::panic::quarantine<2>, rio::alloc::pmr> r{rio::alloc::pmr(&memory)};
    int reports = 0;
    int siblings = 0;
    r.on_panic([&](rio::panic_info const&) { ++reports; });
    rio::handler_id const id = r.register_handler(&fails);
    r.register_handler([&](int) { ++siblings; });
    memory.fails = true;
    for (int i = 1; i <= 4; ++i) {
        r.notify(0);
        BOOST_TEST(reports == i);
        BOOST_TEST(r.contains(id));
    }
    memory.fails = false;
    r.notify(0);
    BOOST_TEST(reports == 5);
    BOOST_TEST(!r.contains(id));
    r.notify(0);
    BOOST_TEST(reports == 5);
    BOOST_TEST(siblings == 6);
    BOOST_TEST(r.size() == 1u);
}

namespace {

struct step
{
    int n;
};

std::vector<int> refused;
void remember(step const& s)
{
    refused.push_back(s.n);
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_queue_that_was_full_takes_events_again_and_may_be_full_again)
{
    rio::LocalRegistry<step> registry;
    std::vector<int> seen;
    registry.register_handler([&](step const& s) { seen.push_back(s.n); });
    rio::queued::deferred<step, 2, rio::queued::call<&remember>> queue;
    for (unsigned round = 1; round <= 3; ++round) {
        seen.clear();
        refused.clear();
        for (int n = 1; n <= 4; ++n)
            BOOST_TEST(queue.post({n}) == (n <= 2));
        BOOST_TEST(queue.lost() == 2 * round);
        BOOST_TEST(refused == (std::vector{3, 4}), boost::test_tools::per_element());
        BOOST_TEST(queue.drain(registry) == 2u);
        BOOST_TEST(seen == (std::vector{1, 2}), boost::test_tools::per_element());
        BOOST_TEST(queue.empty());
    }
}

namespace {

constexpr unsigned batch = 4;
using batching =
    std::tuple<threaded::with<rio::snapshot::basic_hazard_pointer<rio::reclaim::batched<batch>>>,
               threaded::with<rio::snapshot::basic_rcu<void, rio::reclaim::batched<batch>>>>;

}  // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(a_second_batch_goes_as_the_first_one, Registry, batching)
{
    Registry r;
    r.register_handler([](int) {});
    // Another thread that has notified once, so writers have to look at it.
    std::atomic<bool> ready{false};
    std::atomic<bool> go{false};
    std::thread reader([&] {
        r.notify(0);
        ready = true;
        ready.notify_one();
        go.wait(false);
    });
    ready.wait(false);
    auto const token = std::make_shared<int>();
    for (int round = 0; round < 3; ++round) {
        std::vector<rio::handler_id> ids;
        for (unsigned i = 0; i < batch; ++i)
            ids.push_back(r.register_handler([token](int) {}));
        BOOST_TEST(token.use_count() == 1 + static_cast<long>(batch));
        for (unsigned i = 0; i < batch; ++i) {
            BOOST_TEST(r.unregister(ids[i]));
            long const left = i + 1 < batch ? static_cast<long>(batch) : 0;
            BOOST_TEST(token.use_count() == 1 + left);
        }
    }
    go = true;
    go.notify_one();
    reader.join();
}

BOOST_AUTO_TEST_CASE(a_pool_that_was_exhausted_serves_again_and_may_be_exhausted_again)
{
    threaded::with<rio::alloc::pool> r{rio::alloc::pool(8192)};
    auto const token = std::make_shared<int>();
    std::size_t first = 0;
    for (int round = 0; round < 4; ++round) {
        std::size_t n = 0;
        try {
            for (; n < 10'000; ++n)
                r.register_handler([token, n](int) { static_cast<void>(n); });
        } catch (std::bad_alloc const&) {
        }
        BOOST_TEST(n < 10'000u);
        BOOST_TEST(r.size() == n);
        BOOST_TEST(token.use_count() == 1 + static_cast<long>(n));
        r.notify(0);
        if (round == 0)
            first = n;
        // Apart from fragmentation, no round finds less room than the one before.
        BOOST_TEST(n * 2 > first);
        BOOST_TEST(r.clear() == n);
        BOOST_TEST(token.use_count() == 1);
    }
}
