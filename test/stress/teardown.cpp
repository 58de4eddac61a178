// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Registries that come and go: destroyed right after a wait, at addresses that are reused, nested
// in each other, many at once.

#include <array>
#include <atomic>
#include <cstring>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <shared_mutex>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "stress/stress.hpp"

namespace {

using namespace stress;

BOOST_AUTO_TEST_SUITE(teardown, *boost::unit_test::timeout(120))

BOOST_AUTO_TEST_CASE_TEMPLATE(a_registry_may_go_right_after_the_wait, Registry,
                              registries_with<alloc::pmr>)
{
    // When the wait returns, a notify that has taken its snapshot no longer uses the registry, even
    // if its thread has not returned yet. So the registry and its memory resource are destroyed,
    // and their memory is overwritten.
    struct place
    {
        alignas(Registry) std::array<std::byte, sizeof(Registry)> registry;
        alignas(counting_resource) std::array<std::byte, sizeof(counting_resource)> memory;
    };
    auto const room = std::make_unique<place>();
    census birds;
    std::atomic<unsigned> generation{0};  // each reader notifies each registry once
    std::atomic<int> inside{0};
    std::atomic<long> leaked{0};
    constexpr int threads = 2;
    crew readers;
    for (int r = 0; r < threads; ++r)
        readers.add([&] {
            unsigned last = 0;
            while (!readers.stopped()) {
                unsigned const now = generation.load(std::memory_order_acquire);
                if (now == last) {
                    std::this_thread::yield();
                } else {
                    last = now;
                    reinterpret_cast<Registry*>(room->registry.data())->notify({});
                }
            }
        });
    dice d(0);
    stopwatch const watch;
    for (int round = 0; round < 300 || !watch.over(); ++round) {
        auto* const memory = ::new (room->memory.data()) counting_resource;
        auto* const registry = ::new (room->registry.data()) Registry(alloc::pmr(memory));
        inside.store(0);
        // The first handler runs after the snapshot has been taken.
        registry->register_handler(9, [&](event const&) { ++inside; });
        handler_id const id = registry->register_handler(1, singing(birds));
        registry->register_handler(singing(birds));
        generation.fetch_add(1, std::memory_order_release);
        while (inside.load() != threads)
            if (d.below(2) == 0)
                std::this_thread::yield();
        switch (d.below(4)) {
        case 0:
            registry->synchronize();
            break;
        case 1:
            registry->unregister_and_wait(id);
            break;
        case 2:
            registry->clear();
            registry->synchronize();
            break;
        case 3:
            registry->unregister(id);
            registry->register_handler(5, singing(birds));
            registry->synchronize();
            break;
        }
        registry->~Registry();
        std::memset(static_cast<void*>(room->registry.data()), 0xDD, sizeof(Registry));
        leaked += memory->blocks.load();
        leaked += birds.living.load();
        memory->~counting_resource();
        std::memset(static_cast<void*>(room->memory.data()), 0xDD, sizeof(counting_resource));
    }
    readers.stop_and_join();
    BOOST_TEST(leaked.load() == 0);
    BOOST_TEST(birds.misused.load() == 0);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_registry_may_go_after_the_join, Registry, registries)
{
    census birds;
    stopwatch const watch;
    for (int round = 0; round < 20 || !watch.over(); ++round) {
        auto registry = std::make_unique<Registry>();
        for (int i = 0; i < 3; ++i)
            registry->register_handler(i, singing(birds));
        crew threads;
        threads.add([&] { registry->notify({}); });
        threads.add([&] { registry->unregister(registry->register_handler(singing(birds))); });
        threads.join();
        registry.reset();
        if (birds.living.load() != 0)
            break;
    }
    BOOST_TEST(birds.living.load() == 0);
    BOOST_TEST(birds.misused.load() == 0);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(roots_of_one_registry_may_lie_where_another_s_lay, Registry,
                              registries)
{
    // The locks only keep a registry alive while it is used, so they order accesses to one registry
    // only. The tables of all registries come from the same heap and reuse each other's memory all
    // the time.
    constexpr unsigned many = 6;
    struct cell
    {
        std::shared_mutex mutex;
        std::optional<Registry> registry;
        std::vector<handler_id> ids;
        std::mutex ids_mutex;
    };
    std::array<cell, many> cells;
    for (cell& c : cells)
        c.registry.emplace();
    census birds;
    crew readers;
    for (unsigned r = 0; r < 2; ++r)
        readers.add([&, r] {
            dice d(r);
            while (!readers.stopped()) {
                cell& c = cells[d.below(many)];
                std::shared_lock const lock(c.mutex);
                c.registry->notify({});
            }
        });
    crew writers;
    for (unsigned w = 0; w < 2; ++w)
        writers.add([&, w] {
            dice d(10 + w);
            while (!writers.stopped()) {
                cell& c = cells[d.below(many)];
                if (d.below(20) == 0) {
                    std::unique_lock const lock(c.mutex);
                    c.registry.reset();
                    c.registry.emplace();
                    c.ids.clear();
                } else {
                    std::shared_lock const lock(c.mutex);
                    std::lock_guard const ids(c.ids_mutex);
                    if (c.ids.size() < 3 || (c.ids.size() < 8 && d.below(2) == 0)) {
                        c.ids.push_back(c.registry->register_handler(static_cast<int>(d.below(2)),
                                                                     singing(birds)));
                    } else {
                        c.registry->unregister(c.ids.back());
                        c.ids.pop_back();
                    }
                }
            }
        });
    stopwatch const watch;
    while (!watch.over())
        std::this_thread::yield();
    writers.stop_and_join();
    readers.stop_and_join();
    for (cell& c : cells)
        c.registry.reset();
    BOOST_TEST(birds.living.load() == 0);
    BOOST_TEST(birds.misused.load() == 0);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(deeply_nested_notifies_keep_their_snapshots, Registry, registries)
{
    // Each level removes a handler that all outer levels still show.
    constexpr int depth = 40;
    constexpr unsigned many = 3;
    census birds;
    std::array<Registry, many> registries;
    auto dive = [&](auto& victims) {
        return [&](event const& e) {
            Registry& here = registries[static_cast<unsigned>(e.value) % many];
            auto& mine = victims[static_cast<unsigned>(e.value) % many];
            if (!mine.empty()) {
                here.unregister(mine.back());
                mine.pop_back();
            }
            if (e.value < depth)
                registries[static_cast<unsigned>(e.value + 1) % many].notify(
                    {e.value + 1, e.tally});
        };
    };
    stopwatch const watch;
    crew others;
    // Readers that come and go, and a writer.
    others.add([&] {
        dice d(1);
        while (!others.stopped())
            registries[d.below(many)].notify({depth + 1, nullptr});
    });
    others.add([&] {
        dice d(2);
        while (!others.stopped()) {
            Registry& r = registries[d.below(many)];
            r.unregister(r.register_handler(singing(birds)));
        }
    });
    long wrong = 0;
    for (int round = 0; round < 5 || !watch.over(); ++round) {
        std::array<std::vector<handler_id>, many> victims;
        std::vector<handler_id> divers;
        long tally = 0;
        for (unsigned r = 0; r < many; ++r) {
            for (int i = 0; i <= depth / 3 + 1; ++i)
                victims[r].push_back(
                    registries[r].register_handler(1, [bird = canary(birds)](event const& e) {
                        bird.sing();
                        if (e.tally != nullptr)
                            ++*e.tally;
                    }));
            divers.push_back(
                registries[r].register_handler(2, [dived = dive(victims)](event const& e) {
                    if (e.tally != nullptr)
                        dived(e);
                }));
        }
        std::array<long, many> left;
        for (unsigned r = 0; r < many; ++r)
            left[r] = static_cast<long>(victims[r].size());
        long called = 0;
        for (int level = 0; level <= depth; ++level)
            called += left[static_cast<unsigned>(level) % many]--;
        registries[0].notify({0, &tally});
        wrong += tally != called;
        for (unsigned r = 0; r < many; ++r) {
            registries[r].unregister(divers[r]);
            for (handler_id id : victims[r])
                registries[r].unregister(id);
        }
    }
    others.stop_and_join();
    for (Registry& r : registries)
        r.synchronize();
    BOOST_TEST(wrong == 0);
    BOOST_TEST(birds.living.load() == 0);
    BOOST_TEST(birds.misused.load() == 0);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(thousands_of_registries_live_side_by_side, Registry, registries)
{
    census birds;
    std::vector<std::unique_ptr<Registry>> many;
    for (int i = 0; i < 2000; ++i) {
        many.push_back(std::make_unique<Registry>());
        many.back()->register_handler(singing(birds));
    }
    crew readers;
    std::atomic<long> sum{0};
    for (int r = 0; r < 2; ++r)
        readers.add([&] {
            for (auto& m : many)
                m->notify({});
            ++sum;
        });
    for (auto& m : many)
        m->unregister(m->register_handler(1, singing(birds)));
    readers.join();
    BOOST_TEST(birds.living.load() == 2000);
    many.clear();
    BOOST_TEST(birds.living.load() == 0);
    BOOST_TEST(birds.misused.load() == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
