// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The options of hazard_pointer and rcu: removals that share one look at the readers, and captures
// that no reader destroys.

#include <atomic>
#include <thread>

#include <boost/mp11/algorithm.hpp>
#include <boost/test/unit_test.hpp>

#include "stress/stress.hpp"

namespace {

using namespace stress;
namespace reclaim = registry_io::reclaim;

constexpr unsigned batch = 4;

using batching = std::tuple<registry_of<snapshot::basic_hazard_pointer<reclaim::batched<batch>>>,
                            registry_of<snapshot::basic_rcu<void, reclaim::batched<batch>>>>;
using left_to_writers = std::tuple<registry_of<snapshot::basic_hazard_pointer<reclaim::by_writers>>,
                                   registry_of<snapshot::basic_rcu<void, reclaim::by_writers>>>;
using with_options = boost::mp11::mp_append<batching, left_to_writers>;

/// A thread that has notified once, and so has a record, and then stays until this object is
/// destroyed.
template <class Registry>
class idle_reader
{
public:
    explicit idle_reader(Registry const& registry)
        : thread_([this, &registry] {
              registry.notify({});
              hold_.pass();
          })
    {
        hold_.expect(1);
    }
    ~idle_reader()
    {
        hold_.open();
        thread_.join();
    }

private:
    gate hold_;
    std::thread thread_;
};

/// Counts whether the thread that destroys it is one that only notifies.
class watched
{
public:
    watched(census& c, std::atomic<long>& by_readers) : bird_(c), by_readers_(&by_readers) {}
    watched(watched&& other) noexcept
        : bird_(std::move(other.bird_)), by_readers_(std::exchange(other.by_readers_, nullptr))
    {
    }
    watched& operator=(watched&&) = delete;
    ~watched()
    {
        if (by_readers_ != nullptr && is_reader)
            ++*by_readers_;
    }
    void operator()(event const&) const { bird_.sing(); }

    static inline thread_local bool is_reader = false;

private:
    canary bird_;
    std::atomic<long>* by_readers_;
};

BOOST_AUTO_TEST_SUITE(reclaim_options, *boost::unit_test::timeout(120))

BOOST_AUTO_TEST_CASE_TEMPLATE(a_batch_goes_with_its_last_removal, Registry, batching)
{
    census birds;
    Registry registry;
    registry.register_handler([](event const&) {});
    {
        idle_reader const other(registry);
        for (int round = 0; round < 3; ++round) {
            for (unsigned i = 1; i <= batch; ++i) {
                registry.unregister(registry.register_handler(singing(birds)));
                BOOST_TEST(birds.living.load() == (i < batch ? static_cast<long>(i) : 0));
            }
        }
        // Functions that wait look at the readers at once.
        registry.unregister(registry.register_handler(singing(birds)));
        BOOST_TEST(birds.living.load() == 1);
        registry.synchronize();
        BOOST_TEST(birds.living.load() == 0);
        registry.unregister(registry.register_handler(singing(birds)));
        registry.unregister_and_wait(registry.register_handler(singing(birds)));
        BOOST_TEST(birds.living.load() == 0);
        registry.unregister(registry.register_handler(singing(birds)));
        BOOST_TEST(birds.living.load() == 1);
    }
    // No other thread can be reading now, and the writer knows that without looking.
    registry.unregister(registry.register_handler(singing(birds)));
    BOOST_TEST(birds.living.load() == 0);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_unfinished_batch_goes_with_the_registry, Registry, batching)
{
    census birds;
    {
        Registry registry;
        registry.register_handler([](event const&) {});
        idle_reader const other(registry);
        registry.unregister(registry.register_handler(singing(birds)));
        BOOST_TEST(birds.living.load() == 1);
    }
    BOOST_TEST(birds.living.load() == 0);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_a_reader_leaves_goes_with_the_next_writer, Registry,
                              left_to_writers)
{
    for (int way = 0; way < 4; ++way) {
        census birds;
        gate g;
        {
            Registry registry;
            handler_id const spare = registry.register_handler([](event const&) {});
            registry.register_handler([&](event const& e) {
                if (e.value == 1)
                    g.pass();
            });
            handler_id const seen = registry.register_handler(singing(birds));
            std::thread reader([&] { registry.notify({1}); });
            g.expect(1);
            registry.unregister(seen);
            BOOST_TEST(birds.living.load() == 1);
            g.open();
            reader.join();
            BOOST_TEST(birds.living.load() == 1);  // the reader has left, and destroyed nothing
            switch (way) {
            case 0:
                registry.unregister(spare);
                break;
            case 1:
                registry.synchronize();
                break;
            case 2:
                registry.update([](auto& tx) { tx.register_handler(9, [](event const&) {}); });
            default:
                break;  // the registry's destructor
            }
            BOOST_TEST(birds.living.load() == (way == 3 ? 1 : 0));
        }
        BOOST_TEST(birds.living.load() == 0);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_wait_ends_without_the_reader_s_help, Registry, with_options)
{
    census birds;
    gate g;
    Registry registry;
    registry.register_handler([&](event const&) { g.pass(); });
    handler_id const seen = registry.register_handler(singing(birds));
    std::thread reader([&] { registry.notify({}); });
    g.expect(1);
    std::thread opener([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
        g.open();
    });
    registry.unregister_and_wait(seen);
    BOOST_TEST(birds.living.load() == 0);
    opener.join();
    reader.join();
}

// A handler that removes itself is destroyed by the thread that notified, but later, when that
// thread is a writer.
BOOST_AUTO_TEST_CASE_TEMPLATE(a_handler_that_removes_itself_waits_for_a_writer, Registry,
                              left_to_writers)
{
    census birds;
    Registry registry;
    handler_id id;
    id = registry.register_handler([&, bird = canary(birds)](event const&) {
        registry.unregister(id);
        bird.sing();
    });
    registry.notify({});
    BOOST_TEST(birds.living.load() == 1);
    registry.synchronize();
    BOOST_TEST(birds.living.load() == 0);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(readers_and_writers_at_full_speed, Registry, with_options)
{
    census birds;
    std::atomic<long> by_readers{0};
    {
        Registry registry;
        registry.register_handler([](event const&) {});
        crew all;
        for (int r = 0; r < 2; ++r)
            all.add([&] {
                watched::is_reader = true;
                while (!all.stopped())
                    registry.notify({});
            });
        for (unsigned w = 0; w < 2; ++w)
            all.add([&, w] {
                dice d(w);
                std::array<handler_id, 8> mine{};
                while (!all.stopped()) {
                    handler_id& id = mine[d.below(8)];
                    if (id)
                        registry.unregister(id);
                    id = registry.register_handler(static_cast<int>(d.below(3)),
                                                   watched(birds, by_readers));
                    if (d.below(100) == 0)
                        registry.synchronize();
                }
                for (handler_id const id : mine)
                    registry.unregister(id);
            });
        stopwatch const watch;
        while (!watch.over())
            std::this_thread::yield();
        all.stop_and_join();
    }
    BOOST_TEST(birds.living.load() == 0);
    BOOST_TEST(birds.misused.load() == 0);
    if constexpr (boost::mp11::mp_contains<left_to_writers, Registry>::value)
        BOOST_TEST(by_readers.load() == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
