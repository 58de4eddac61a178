// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// When captures are destroyed: by the end of the last notify that was in flight at the removal, or
// by the end of the removal, without any later operation. A function that waits returns at that
// moment: it waits for nothing else, and never for itself.

#include <array>
#include <atomic>
#include <memory>
#include <system_error>

#include <boost/test/unit_test.hpp>

#include "stress/stress.hpp"

namespace {

using namespace stress;

template <class Domain, class Panic = panic::terminate>
using domain_registry = registry_of<snapshot::basic_rcu<Domain>, alloc::heap, Panic>;

/// Whether f() is refused because it would wait for itself.
template <class F>
bool is_refused(F f)
{
    try {
        f();
    } catch (std::system_error const& e) {
        return e.code() == std::errc::resource_deadlock_would_occur;
    }
    return false;
}

/// Calls a function when it is destroyed, unless it was moved from.
template <class F>
class at_destruction
{
public:
    explicit at_destruction(F f) : f_(std::make_unique<F>(std::move(f))) {}
    at_destruction(at_destruction&&) = default;
    ~at_destruction()
    {
        if (f_ != nullptr)
            (*f_)();
    }
    void operator()(event const&) const {}

private:
    std::unique_ptr<F> f_;
};

BOOST_AUTO_TEST_SUITE(promptness, *boost::unit_test::timeout(120))

BOOST_AUTO_TEST_CASE_TEMPLATE(a_removal_without_readers_destroys_the_captures, Registry, registries)
{
    // There are no readers, only other writers.
    Registry registry;
    registry.register_handler([](event const&) {});
    std::atomic<long> late{0};
    crew writers;
    for (int w = 0; w < 3; ++w)
        writers.add([&] {
            census mine;
            while (!writers.stopped()) {
                handler_id const id = registry.register_handler(singing(mine));
                registry.unregister(id);
                late += mine.living.load() != 0;
                // The captures belong to this thread alone.
                if (!eventually([&] { return mine.living.load() == 0; }))
                    std::abort();
            }
        });
    stopwatch const watch;
    while (!watch.over())
        std::this_thread::yield();
    writers.stop_and_join();
    BOOST_TEST(late.load() == 0);
}

BOOST_AUTO_TEST_CASE(writers_of_one_domain_do_not_hold_up_each_other_s_captures)
{
    // There are no readers, only writers of other registries of the domain.
    std::atomic<long> late{0};
    crew writers;
    for (int w = 0; w < 3; ++w)
        writers.add([&] {
            domain_registry<shared_domain> registry;
            census mine;
            while (!writers.stopped()) {
                handler_id const id = registry.register_handler(singing(mine));
                registry.unregister(id);
                late += mine.living.load() != 0;
                if (!eventually([&] { return mine.living.load() == 0; }))
                    std::abort();
            }
        });
    // The bug needs a writer that loses its processor at the wrong moment.
    stopwatch const watch;
    while (!watch.over(10 * budget()))
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    writers.stop_and_join();
    BOOST_TEST(late.load() == 0);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_parked_reader_destroys_what_it_held_when_it_leaves, Registry,
                              registries)
{
    for (int variant = 0; variant < 4; ++variant) {
        census birds;
        Registry registry;
        gate g;
        std::atomic<long> after{0};
        registry.register_handler(2, [&](event const& e) {
            if (e.value == 1)
                g.pass();
        });
        handler_id const victim =
            registry.register_handler(1, [&after, bird = canary(birds)](event const& e) {
                bird.sing();
                after += e.value;
            });
        crew others;
        std::thread sleeper([&] { registry.notify({1}); });
        g.expect(1);
        for (int i = 0; i < 2; ++i)
            others.add([&] {
                while (!others.stopped())
                    registry.notify({0});
            });
        switch (variant) {
        case 0:
            registry.unregister(victim);
            break;
        case 1:
            registry.clear();
            break;
        case 2:
            registry.update([&](auto& tx) { tx.unregister(victim); });
            break;
        case 3:
            // The root that the reader holds is replaced before the root that is replaced with the
            // victim's removal.
            registry.register_handler(3, [](event const&) {});
            registry.unregister(victim);
            break;
        }
        BOOST_TEST(birds.living.load() == 1);
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
        others.stop_and_join();
        BOOST_TEST(birds.living.load() == 1);
        g.open();
        sleeper.join();
        BOOST_TEST(birds.living.load() == 0);
        BOOST_TEST(after.load() == 1);
        BOOST_TEST(birds.misused.load() == 0);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(captures_go_with_the_last_notify_that_was_in_flight, Registry,
                              registries)
{
    // An odd number says that the reader is inside a notify.
    struct alignas(64) reader
    {
        std::atomic<unsigned> turn{0};
    };
    Registry registry;
    std::array<reader, 2> inside;
    census birds;
    std::atomic<long> late{0};
    long rounds = 0;
    registry.register_handler([](event const&) {});
    crew readers;
    for (reader& r : inside)
        readers.add([&] {
            while (!readers.stopped()) {
                r.turn.fetch_add(1);
                registry.notify({});
                r.turn.fetch_add(1);
            }
        });
    stopwatch const watch;
    while (!watch.over()) {
        handler_id const id = registry.register_handler(singing(birds));
        registry.unregister(id);
        for (reader& r : inside) {
            unsigned const turn = r.turn.load();
            while (turn % 2 != 0 && r.turn.load() == turn)
                std::this_thread::yield();
        }
        late += birds.living.load() != 0;
        ++rounds;
        if (!eventually([&] { return birds.living.load() == 0; }))
            break;
    }
    readers.stop_and_join();
    BOOST_TEST(late.load() == 0);
    BOOST_TEST(birds.living.load() == 0);
    BOOST_TEST(birds.misused.load() == 0);
    BOOST_TEST(rounds > 0);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(after_unregister_and_wait_nothing_runs_and_captures_are_gone,
                              Registry, registries)
{
    Registry registry;
    std::atomic<long> wrong{0};
    crew readers;
    for (int i = 0; i < 2; ++i)
        readers.add([&] {
            while (!readers.stopped())
                registry.notify({});
        });
    crew writers;
    for (int w = 0; w < 2; ++w)
        writers.add([&] {
            while (!writers.stopped()) {
                census birds;
                std::atomic<long> inside{0};
                handler_id const id =
                    registry.register_handler([&inside, bird = canary(birds)](event const&) {
                        ++inside;
                        bird.sing();
                        --inside;
                    });
                if (!registry.unregister_and_wait(id))
                    ++wrong;
                if (inside.load() != 0 || birds.living.load() != 0 || birds.misused.load() != 0)
                    ++wrong;
            }
        });
    stopwatch const watch;
    while (!watch.over())
        std::this_thread::yield();
    writers.stop_and_join();
    readers.stop_and_join();
    BOOST_TEST(wrong.load() == 0);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(synchronize_waits_for_what_others_have_removed, Registry, registries)
{
    // A thread that finds an id already removed, and waits, must not meet its captures either.
    Registry registry;
    registry.register_handler([](event const&) {});
    std::atomic<long> alive_after{0};
    crew readers;
    readers.add([&] {
        while (!readers.stopped())
            registry.notify({});
    });
    stopwatch const watch;
    while (!watch.over()) {
        census birds;
        handler_id const id = registry.register_handler(singing(birds));
        crew racers;
        for (int w = 0; w < 2; ++w)
            racers.add([&] {
                registry.unregister_and_wait(id);
                alive_after += birds.living.load();
            });
        racers.join();
    }
    readers.stop_and_join();
    BOOST_TEST(alive_after.load() == 0);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(readers_in_a_loop_cannot_starve_synchronize, Registry, registries)
{
    Registry registry;
    std::atomic<bool> slow{true};
    registry.register_handler([&](event const&) {
        // Long enough that some reader is always inside.
        for (int i = 0; i < 50 && slow.load(std::memory_order_relaxed); ++i)
            std::this_thread::yield();
    });
    crew readers;
    for (int i = 0; i < 3; ++i)
        readers.add([&] {
            while (!readers.stopped())
                registry.notify({});
        });
    std::atomic<int> done{0};
    crew waiters;
    for (int i = 0; i < 2; ++i)
        waiters.add([&] {
            for (int n = 0; n < 10; ++n, ++done)
                registry.synchronize();
        });
    BOOST_TEST(eventually([&] { return done.load() == 20; }));
    slow.store(false);
    readers.stop_and_join();
    waiters.join();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(synchronize_waits_for_a_parked_reader, Registry, registries)
{
    Registry registry;
    gate g;
    registry.register_handler([&](event const& e) {
        if (e.value == 1)
            g.pass();
    });
    std::thread sleeper([&] { registry.notify({1}); });
    g.expect(1);
    std::atomic<bool> back{false};
    std::thread waiter([&] {
        registry.synchronize();
        back.store(true);
    });
    for (int i = 0; i < 20; ++i) {
        registry.notify({0});
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    BOOST_TEST(!back.load());
    g.open();
    sleeper.join();
    waiter.join();
    BOOST_TEST(back.load());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(synchronize_waits_for_a_destructor_that_is_running, Registry,
                              registries)
{
    Registry registry;
    gate in_handler;
    gate in_destructor;
    registry.register_handler(2, [&](event const&) { in_handler.pass(); });
    handler_id const id =
        registry.register_handler(1, at_destruction([&] { in_destructor.pass(); }));
    std::thread sleeper([&] { registry.notify({}); });
    in_handler.expect(1);
    registry.register_handler(3, [](event const&) {});  // two roots show the handler now
    registry.unregister(id);
    in_handler.open();
    in_destructor.expect(1);
    std::atomic<bool> back{false};
    std::thread waiter([&] {
        registry.synchronize();
        back.store(true);
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    BOOST_TEST(!back.load());
    in_destructor.open();
    sleeper.join();
    waiter.join();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_destructor_that_is_running_holds_up_who_waits_and_nobody_else,
                              Registry, registries)
{
    census birds;
    Registry registry;
    gate in_destructor;
    handler_id const slow =
        registry.register_handler(at_destruction([&] { in_destructor.pass(); }));
    std::thread remover([&] { registry.unregister(slow); });
    in_destructor.expect(1);
    auto removes_at_once = [&] {
        registry.unregister(registry.register_handler(singing(birds)));
        return birds.living.load() == 0;
    };
    BOOST_TEST(removes_at_once());
    std::atomic<bool> back{false};
    std::thread waiter([&] {
        registry.synchronize();
        back.store(true);
    });
    for (int i = 0; i < 20; ++i) {
        BOOST_TEST(removes_at_once());
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    BOOST_TEST(!back.load());
    in_destructor.open();
    remover.join();
    waiter.join();
    BOOST_TEST(birds.misused.load() == 0);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(waiting_is_refused_inside_handlers_by_two_threads, Registry,
                              registries)
{
    Registry registry;
    std::atomic<int> refused{0};
    std::atomic<int> arrived{0};
    handler_id self;
    self = registry.register_handler([&](event const&) {
        ++arrived;
        while (arrived.load() < 2)  // both are inside
            std::this_thread::yield();
        refused += is_refused([&] { registry.synchronize(); });
        refused += is_refused([&] { registry.unregister_and_wait(self); });
    });
    crew readers;
    for (int i = 0; i < 2; ++i)
        readers.add([&] { registry.notify({}); });
    readers.join();
    BOOST_TEST(refused.load() == 4);
    BOOST_TEST(registry.contains(self));
    registry.synchronize();
    BOOST_TEST(registry.unregister_and_wait(self));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(waiting_is_refused_at_any_depth, Registry, registries)
{
    Registry registry;
    Registry between;
    int refused = 0;
    int deepest = 0;
    // Deeper than a thread has slots.
    registry.register_handler([&](event const& e) {
        if (e.value < 20)
            between.notify(e);
        else
            deepest = e.value;
        refused += is_refused([&] { registry.synchronize(); });
        if (e.value > 0)  // otherwise the notify of `between` has ended
            refused += is_refused([&] { between.synchronize(); });
    });
    between.register_handler([&](event const& e) { registry.notify({e.value + 1}); });
    registry.notify({0});
    BOOST_TEST(deepest == 20);
    BOOST_TEST(refused == 41);
    between.synchronize();
    registry.synchronize();
}

BOOST_AUTO_TEST_CASE(waiting_is_refused_for_any_registry_of_the_same_domain)
{
    domain_registry<shared_domain> one;
    registry_io::basic_registry<int, snapshot::basic_rcu<shared_domain>, ordering::fifo,
                                panic::terminate, alloc::heap>
        other;
    struct another_domain
    {
    };
    domain_registry<another_domain> independent;
    int refused = 0;
    other.register_handler([](int) {});
    independent.register_handler([](event const&) {});
    one.register_handler([&](event const&) {
        refused += is_refused([&] { other.synchronize(); });
        refused += is_refused([&] { snapshot::rcu_synchronize<shared_domain>(); });
        refused += is_refused([&] { independent.synchronize(); }) ? 100 : 0;
    });
    one.notify({});
    BOOST_TEST(refused == 2);
    other.synchronize();
    snapshot::rcu_barrier<shared_domain>();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(waiting_is_refused_in_destructors_of_captures, Registry, registries)
{
    Registry registry;
    std::atomic<int> refused{0};
    auto tries = [&] { refused += is_refused([&] { registry.synchronize(); }); };

    // Destroyed by the removal.
    handler_id id = registry.register_handler(at_destruction(tries));
    BOOST_TEST(refused.load() == 0);
    registry.unregister(id);
    BOOST_TEST(refused.load() == 1);
    id = registry.register_handler(at_destruction(tries));
    registry.unregister_and_wait(id);
    BOOST_TEST(refused.load() == 2);

    // Destroyed by the last reader.
    gate g;
    registry.register_handler(1, [&](event const&) { g.pass(); });
    id = registry.register_handler(at_destruction(tries));
    std::thread sleeper([&] { registry.notify({}); });
    g.expect(1);
    registry.unregister(id);
    BOOST_TEST(refused.load() == 2);
    g.open();
    sleeper.join();
    BOOST_TEST(refused.load() == 3);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(destructors_of_captures_may_use_the_registry, Registry, registries)
{
    census birds;
    Registry registry;
    std::atomic<long> replaced{0};
    crew readers;
    for (int i = 0; i < 2; ++i)
        readers.add([&] {
            while (!readers.stopped())
                registry.notify({});
        });
    stopwatch const watch;
    while (!watch.over()) {
        handler_id const other = registry.register_handler(singing(birds));
        handler_id const id = registry.register_handler(at_destruction([&, other] {
            registry.unregister(other);
            registry.unregister(registry.register_handler(singing(birds)));
            registry.notify({});
            ++replaced;
        }));
        registry.unregister(id);
    }
    readers.stop_and_join();
    registry.synchronize();
    BOOST_TEST(birds.living.load() == 0);
    BOOST_TEST(birds.misused.load() == 0);
    BOOST_TEST(registry.empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
