// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#include <registry_io.hpp>
#include <registry_io/presets/async.hpp>

#include <boost/mp11/list.hpp>
#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

namespace alloc = registry_io::alloc;
namespace ordering = registry_io::ordering;
namespace panic = registry_io::panic;
namespace snapshot = registry_io::snapshot;
using registry_io::basic_registry;

using threaded = registry_io::SyncRegistry<int>;

// Template arguments can be deduced from a preset.
template <class Registry>
struct arguments_of : std::false_type
{
};
template <class Event>
struct arguments_of<registry_io::SyncRegistry<Event>> : std::true_type
{
};
template <class Event>
struct arguments_of<registry_io::AsyncRegistry<Event>> : std::true_type
{
};
template <class Event>
std::type_identity<Event> event_of(registry_io::LocalRegistry<Event> const&);
template <class Event, std::size_t N>
std::integral_constant<std::size_t, N> bound_of(registry_io::FixedRegistry<Event, N> const&);
template <class Event, std::size_t N>
std::integral_constant<std::size_t, N> bound_of(registry_io::FirmwareRegistry<Event, N> const&);

template <template <class> class Preset>
using of_bool = Preset<bool>;

static_assert(arguments_of<registry_io::SyncRegistry<int>>::value);
static_assert(arguments_of<registry_io::AsyncRegistry<int>>::value);
static_assert(!arguments_of<registry_io::RcuRegistry<int>>::value);
static_assert(std::is_same_v<decltype(event_of(std::declval<registry_io::LocalRegistry<int>>())),
                             std::type_identity<int>>);
static_assert(decltype(bound_of(std::declval<registry_io::FixedRegistry<int, 3>>()))::value == 3);
static_assert(decltype(bound_of(std::declval<registry_io::FirmwareRegistry<int, 5>>()))::value ==
              5);
static_assert(std::is_same_v<of_bool<registry_io::SyncRegistry>, registry_io::SyncRegistry<bool>>);

// Presets are aliases of exactly these types.
static_assert(std::is_same_v<threaded,
                             basic_registry<int, snapshot::hazard_pointer, ordering::priority,
                                            panic::catch_log, alloc::heap>>);
static_assert(std::is_same_v<registry_io::RcuRegistry<int>, threaded::with<snapshot::rcu>>);
static_assert(
    std::is_same_v<registry_io::LocalRegistry<int>, threaded::with<snapshot::single_thread>>);
static_assert(std::is_same_v<registry_io::FixedRegistry<int, 8>,
                             threaded::with<alloc::fixed<8>, snapshot::single_thread>>);

// with<...> takes policies in any order, and replaces only those.
static_assert(std::is_same_v<threaded::with<>, threaded>);
static_assert(std::is_same_v<threaded::with<alloc::pmr, panic::terminate>,
                             threaded::with<panic::terminate, alloc::pmr>>);
static_assert(
    std::is_same_v<
        threaded::with<ordering::fifo, snapshot::locked, alloc::pool, panic::collect<2>>,
        basic_registry<int, snapshot::locked, ordering::fifo, panic::collect<2>, alloc::pool>>);
static_assert(std::is_same_v<threaded::with<panic::terminate>::with<panic::catch_log>, threaded>);

static_assert(
    std::is_same_v<threaded::rebind_event<std::string>, registry_io::SyncRegistry<std::string>>);
static_assert(std::is_same_v<threaded::with<ordering::fifo>::rebind_event<char>::event_type, char>);

static_assert(std::is_same_v<threaded::key_type, int>);
static_assert(std::is_void_v<threaded::with<ordering::fifo>::key_type>);
static_assert(std::is_void_v<threaded::result_type>);
static_assert(std::is_same_v<threaded::with<panic::collect<3>>::result_type, panic::collected<3>>);

// A registry has an address, and keeps it.
static_assert(!std::is_copy_constructible_v<threaded> && !std::is_move_constructible_v<threaded>);
static_assert(!std::is_copy_assignable_v<threaded> && !std::is_move_assignable_v<threaded>);

// A capacity is not a registry.
static_assert(!std::is_convertible_v<std::size_t, threaded>);
static_assert(!std::is_convertible_v<alloc::heap, threaded>);

static_assert(noexcept(std::declval<threaded const&>().notify(1)));
static_assert(!noexcept(std::declval<threaded::with<panic::propagate> const&>().notify(1)));

// The policies satisfy the concept of their own axis, and of no other.
template <class... P>
constexpr bool all_snapshots =
    (registry_io::snapshot_policy<P> && ...) && (!registry_io::alloc_policy<P> && ...) &&
    (!registry_io::panic_policy<P> && ...) && (!registry_io::ordering_policy<P> && ...);
static_assert(
    all_snapshots<snapshot::hazard_pointer, snapshot::rcu, snapshot::basic_rcu<int>,
                  snapshot::basic_hazard_pointer<registry_io::reclaim::batched<8>>,
                  snapshot::basic_rcu<void, registry_io::reclaim::by_writers>, snapshot::locked,
                  snapshot::atomic_shared_ptr, snapshot::single_thread>);
template <class... P>
constexpr bool all_orderings =
    (registry_io::ordering_policy<P> && ...) && (!registry_io::snapshot_policy<P> && ...);
static_assert(
    all_orderings<ordering::fifo, ordering::priority, ordering::basic_priority<std::string>>);
template <class... P>
constexpr bool all_panics =
    (registry_io::panic_policy<P> && ...) && (!registry_io::alloc_policy<P> && ...);
static_assert(all_panics<panic::catch_log, panic::terminate, panic::propagate, panic::collect<>,
                         panic::quarantine<>>);
template <class... P>
constexpr bool all_allocs =
    (registry_io::alloc_policy<P> && ...) && (!registry_io::panic_policy<P> && ...);
static_assert(all_allocs<alloc::heap, alloc::pmr, alloc::pool, alloc::fixed<4>>);
static_assert(!registry_io::alloc_policy<int>);
static_assert(!registry_io::ordering_policy<std::less<>>);

// Usable in the static constructors of other objects, whatever the order of initialisation.
constinit registry_io::SyncRegistry<int> global_sync;
constinit registry_io::RcuRegistry<int> global_rcu;
constinit registry_io::LocalRegistry<int> global_local;

struct early
{
    early()
    {
        global_sync.register_handler([this](int n) { sum += n; });
        global_rcu.register_handler([this](int n) { sum += n; });
        global_local.register_handler([this](int n) { sum += n; });
    }
    int sum = 0;
} const registered_early;

}  // namespace

BOOST_AUTO_TEST_CASE(a_global_registry_is_there_before_static_constructors)
{
    global_sync.notify(1);
    global_rcu.notify(10);
    global_local.notify(100);
    BOOST_TEST(registered_early.sum == 111);
}

BOOST_AUTO_TEST_CASE(a_registry_moves_in_a_unique_ptr)
{
    auto p = std::make_unique<threaded>();
    int calls = 0;
    p->register_handler([&](int) { ++calls; });
    auto q = std::move(p);
    q->notify(0);
    BOOST_TEST(calls == 1);
}

BOOST_AUTO_TEST_CASE(a_capacity_is_a_hint_and_no_bound)
{
    for (std::size_t const capacity :
         {std::size_t(0), std::size_t(1), std::size_t(1000), ~std::size_t(0)}) {
        threaded r(capacity);
        BOOST_TEST(r.empty());
        for (int i = 0; i < 300; ++i)
            r.register_handler([](int) {});
        BOOST_TEST(r.size() == 300u);
    }
}

BOOST_AUTO_TEST_CASE(for_each_handler_gives_ids_and_keys_in_firing_order)
{
    threaded r;
    auto const low = r.register_handler(-4, [](int) {});
    auto const high = r.register_handler(9, [](int) {});
    std::vector<registry_io::handler_id> ids;
    std::vector<int> keys;
    r.for_each_handler([&](registry_io::handler_id id) { ids.push_back(id); });
    BOOST_TEST((ids == std::vector{high, low}));
    r.for_each_handler([&](registry_io::handler_id, int const& key) { keys.push_back(key); });
    BOOST_TEST(keys == (std::vector<int>{9, -4}), boost::test_tools::per_element());
    threaded::with<ordering::fifo> f;
    auto const only = f.register_handler([](int) {});
    ids.clear();
    f.for_each_handler([&](registry_io::handler_id id) { ids.push_back(id); });
    BOOST_TEST((ids == std::vector{only}));
}

BOOST_AUTO_TEST_CASE(registries_of_one_type_are_independent)
{
    threaded a;
    threaded b;
    int calls = 0;
    a.register_handler([&](int) {
        ++calls;
        // With hazard pointers, waiting for another registry does not deadlock.
        b.synchronize();
    });
    auto const id = b.register_handler([&](int n) {
        calls += 10;
        a.notify(n);
    });
    BOOST_TEST(!a.contains(id));
    BOOST_TEST(!a.unregister(id));
    a.notify(0);
    BOOST_TEST(calls == 1);
    a.clear();
    b.notify(0);
    BOOST_TEST(calls == 11);
}
