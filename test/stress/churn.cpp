// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Readers and writers at full speed: no handler runs after its destruction, no transaction is seen
// partly, every id is removed once, and handlers fire in the order of their keys and ids.

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "stress/stress.hpp"

namespace {

using namespace stress;

/// Two readers that add up the values of the handlers of a notify. The sum is 0 if all or none of
/// each pair has run.
template <class Registry>
void tally(crew& readers, Registry const& registry, std::atomic<long>& torn,
           std::atomic<long>& seen)
{
    for (int r = 0; r < 2; ++r)
        readers.add([&] {
            while (!readers.stopped()) {
                long sum = 0;
                registry.notify({0, &sum});
                torn += sum != 0;
                ++seen;
            }
        });
}

BOOST_AUTO_TEST_SUITE(churn, *boost::unit_test::timeout(120))

BOOST_AUTO_TEST_CASE_TEMPLATE(no_handler_runs_after_its_captures_are_destroyed, Registry,
                              registries)
{
    census birds;
    std::atomic<long> ran{0};
    {
        Registry registry;
        crew readers;
        crew writers;
        for (unsigned r = 0; r < 2; ++r)
            readers.add([&] {
                while (!readers.stopped())
                    registry.notify({});
            });
        for (unsigned w = 0; w < 2; ++w)
            writers.add([&, w] {
                dice d(w);
                std::vector<handler_id> ids;
                bool growing = true;
                auto one = [&] {
                    return [&ran, bird = canary(birds)](event const&) {
                        bird.sing();
                        ran.fetch_add(1, std::memory_order_relaxed);
                    };
                };
                while (!writers.stopped()) {
                    // Grows beyond one table, and shrinks again.
                    if (ids.size() > 180)
                        growing = false;
                    if (ids.size() < 4)
                        growing = true;
                    unsigned const what = d.below(100);
                    if (what < (growing ? 70u : 20u)) {
                        ids.push_back(
                            registry.register_handler(static_cast<int>(d.below(3)), one()));
                    } else if (what < 95 && !ids.empty()) {
                        std::swap(ids[d.below(static_cast<unsigned>(ids.size()))], ids.back());
                        registry.unregister(ids.back());
                        ids.pop_back();
                    } else if (what < 99) {
                        registry.update([&](auto& tx) {
                            for (int i = 0; i < 3; ++i) {
                                if (!ids.empty()) {
                                    tx.unregister(ids.back());
                                    ids.pop_back();
                                }
                            }
                            ids.push_back(tx.register_handler(static_cast<int>(d.below(3)), one()));
                            ids.push_back(tx.register_handler(one()));
                        });
                    } else if (d.below(20) == 0) {
                        registry.clear();
                        ids.clear();
                    }
                }
            });
        stopwatch const watch;
        while (!watch.over())
            std::this_thread::yield();
        writers.stop_and_join();
        readers.stop_and_join();
        BOOST_TEST(birds.living.load() == static_cast<long>(registry.size()));
        registry.clear();
        BOOST_TEST(birds.living.load() == 0);
        registry.register_handler(singing(birds));
    }
    BOOST_TEST(birds.living.load() == 0);
    BOOST_TEST(birds.misused.load() == 0);
    BOOST_TEST(ran.load() > 0);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(readers_see_all_of_a_transaction_or_nothing, Registry, registries)
{
    Registry registry;
    std::atomic<long> torn{0};
    std::atomic<long> seen{0};
    crew readers;
    crew writers;
    tally(readers, registry, torn, seen);
    for (unsigned w = 0; w < 2; ++w)
        writers.add([&, w] {
            dice d(w);
            std::vector<std::array<handler_id, 2>> pairs;
            while (!writers.stopped()) {
                registry.update([&](auto& tx) {
                    auto key = [&] { return static_cast<int>(d.below(7)); };
                    if (pairs.size() > 100 || (!pairs.empty() && d.below(3) == 0)) {
                        for (handler_id id : pairs.back())
                            tx.unregister(id);
                        pairs.pop_back();
                    }
                    long const n = static_cast<long>(d.below(100));
                    handler_id const plus =
                        tx.register_handler(key(), [n](event const& e) { *e.tally += n; });
                    handler_id const minus =
                        tx.register_handler(key(), [n](event const& e) { *e.tally -= n; });
                    pairs.push_back({plus, minus});
                });
            }
            registry.update([&](auto& tx) {
                for (auto const& p : pairs)
                    for (handler_id id : p)
                        tx.unregister(id);
            });
        });
    stopwatch const watch;
    while (!watch.over())
        std::this_thread::yield();
    writers.stop_and_join();
    readers.stop_and_join();
    BOOST_TEST(torn.load() == 0);
    BOOST_TEST(seen.load() > 0);
    BOOST_TEST(registry.empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(readers_see_one_state_of_a_very_large_registry, Registry, registries)
{
    // The tables have branches, which fill and split, become sparse and are merged.
    Registry registry;
    std::atomic<long> torn{0};
    std::atomic<long> seen{0};
    std::atomic<long> wrong{0};
    crew readers;
    crew writers;
    for (unsigned w = 0; w < 2; ++w)
        writers.add([&, w] {
            dice d(w);
            std::vector<std::array<handler_id, 2>> pairs;
            std::size_t const most = 4000;
            bool growing = true;
            while (!writers.stopped()) {
                // Now and then many changes at once, close together.
                unsigned const changes = d.below(4) == 0 ? 500 : 1;
                int const around = static_cast<int>(d.below(1000));
                growing = pairs.size() < 500 || (growing && pairs.size() < most);
                std::size_t removed = 0;
                auto const result = registry.update([&](auto& tx) {
                    for (unsigned i = 0; i < changes; ++i) {
                        if (d.below(8) < (growing ? 2u : 6u) && !pairs.empty()) {
                            std::swap(pairs[d.below(static_cast<unsigned>(pairs.size()))],
                                      pairs.back());
                            for (handler_id id : pairs.back())
                                tx.unregister(id);
                            pairs.pop_back();
                            removed += 2;
                            continue;
                        }
                        auto key = [&] { return around + static_cast<int>(d.below(20)); };
                        long const n = static_cast<long>(d.below(100));
                        pairs.push_back(
                            {tx.register_handler(key(), [n](event const& e) { *e.tally += n; }),
                             tx.register_handler(key(), [n](event const& e) { *e.tally -= n; })});
                    }
                });
                wrong += result.unregistered != removed;
            }
            for (auto const& p : pairs)
                for (handler_id id : p)
                    wrong += !registry.unregister(id);
        });
    tally(readers, registry, torn, seen);
    stopwatch const watch;
    while (!watch.over(3 * budget()))
        std::this_thread::yield();
    // The readers stop before the writers, which end with incomplete pairs.
    readers.stop_and_join();
    writers.stop_and_join();
    BOOST_TEST(torn.load() == 0);
    BOOST_TEST(seen.load() > 0);
    BOOST_TEST(wrong.load() == 0);
    BOOST_TEST(registry.empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(ids_and_firing_order_agree_when_registrations_race, Registry,
                              registries)
{
    Registry registry;
    std::atomic<long> wrong{0};
    crew readers;
    readers.add([&] {
        while (!readers.stopped()) {
            int last_key = 1000;
            handler_id last;
            registry.for_each_handler([&](handler_id id, int key) {
                if (key > last_key || (key == last_key && !(last < id)))
                    ++wrong;
                last_key = key;
                last = id;
            });
        }
    });
    // The handlers record the order in which they fire.
    constexpr unsigned threads = 3;
    constexpr unsigned each = 100;
    std::array<std::array<handler_id, each>, threads> ids;
    std::atomic<unsigned> ready{0};
    std::vector<std::pair<unsigned, unsigned>> fired;
    crew writers;
    for (unsigned w = 0; w < threads; ++w)
        writers.add([&, w] {
            ++ready;
            while (ready.load() != threads)
                std::this_thread::yield();
            for (unsigned i = 0; i < each; ++i)
                ids[w][i] = registry.register_handler(
                    static_cast<int>(i % 3),
                    [&fired, w, i](event const&) { fired.emplace_back(w, i); });
        });
    writers.join();
    readers.stop_and_join();
    registry.notify({});
    BOOST_TEST(wrong.load() == 0);
    BOOST_TEST(fired.size() == threads * each);
    BOOST_TEST(std::is_sorted(fired.begin(), fired.end(), [&](auto a, auto b) {
        if (a.second % 3 != b.second % 3)
            return a.second % 3 > b.second % 3;
        return ids[a.first][a.second] < ids[b.first][b.second];
    }));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_id_is_removed_once_when_threads_race_for_it, Registry, registries)
{
    census birds;
    std::atomic<std::size_t> cleared{0};
    std::atomic<std::size_t> removed{0};
    std::size_t registered = 0;
    Registry registry;
    crew readers;
    readers.add([&] {
        while (!readers.stopped())
            registry.notify({});
    });
    stopwatch const watch;
    for (unsigned round = 0; round < 3 || !watch.over(); ++round) {
        std::vector<handler_id> ids;
        for (unsigned i = 0; i < 150; ++i)
            ids.push_back(registry.register_handler(singing(birds)));
        registered += ids.size();
        crew racers;
        for (unsigned w = 0; w < 3; ++w)
            racers.add([&, w, round] {
                dice d(w + round * 3);
                for (std::size_t n = 0; n < ids.size(); ++n) {
                    // Either in the same order as the other threads, to meet them, or at random.
                    handler_id const id =
                        ids[d.below(2) == 0 ? n : d.below(static_cast<unsigned>(ids.size()))];
                    if (d.below(500) == 0)
                        cleared += registry.clear();
                    else
                        removed += d.below(20) == 0 ? registry.unregister_and_wait(id)
                                                    : registry.unregister(id);
                }
            });
        racers.join();
        for (handler_id id : ids)
            removed += registry.unregister(id);
    }
    readers.stop_and_join();
    BOOST_TEST(removed.load() + cleared.load() == registered);
    BOOST_TEST(registry.empty());
    BOOST_TEST(birds.living.load() == 0);
    BOOST_TEST(birds.misused.load() == 0);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_running_notify_keeps_its_snapshot_when_chunks_go_and_come, Registry,
                              registries)
{
    // Three chunks: the middle one has room, and the last one holds one handler. The first handler
    // removes that one, so that the chunk with room becomes the last; the handler that it then adds
    // must not be seen.
    Registry registry;
    std::vector<int> called;
    std::vector<handler_id> ids;
    bool first_time = true;
    handler_id added;
    ids.push_back(registry.register_handler([&](event const&) {
        called.push_back(0);
        if (std::exchange(first_time, false)) {
            registry.unregister(ids.back());
            added = registry.register_handler([&](event const&) { called.push_back(-1); });
        }
    }));
    for (int i = 1; i < 257; ++i)
        ids.push_back(
            registry.register_handler([&called, i](event const&) { called.push_back(i); }));
    BOOST_TEST(registry.unregister(ids[200]));

    std::vector<int> expected;
    for (int i = 0; i < 257; ++i)
        if (i != 200)
            expected.push_back(i);
    registry.notify({});
    BOOST_TEST((called == expected));

    expected.back() = -1;
    called.clear();
    registry.notify({});
    BOOST_TEST((called == expected));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
