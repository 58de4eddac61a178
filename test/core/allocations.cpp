// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#include <registry_io/alloc/pmr.hpp>
#include <registry_io/panic/propagate.hpp>
#include <registry_io/panic/terminate.hpp>
#include <registry_io/presets.hpp>
#include <registry_io/snapshot/atomic_shared_ptr.hpp>
#include <registry_io/snapshot/locked.hpp>

#include <boost/mp11/list.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <memory_resource>
#include <new>
#include <thread>
#include <utility>
#include <vector>

#include <malloc.h>
#include <pthread.h>

#include "memory.hpp"

using registry_io::handler_id;
using threaded = registry_io::SyncRegistry<int>;
using registries =
    boost::mp11::mp_list<threaded, registry_io::RcuRegistry<int>, registry_io::LocalRegistry<int>,
                         threaded::with<registry_io::snapshot::locked>,
                         threaded::with<registry_io::snapshot::atomic_shared_ptr>>;

// An empty registry is small, because many objects have one that never gets a handler.
static_assert(sizeof(registry_io::SyncRegistry<int>) <= 64);
static_assert(sizeof(registry_io::RcuRegistry<int>) <= 64);
static_assert(sizeof(registry_io::LocalRegistry<int>) <= 64);
static_assert(sizeof(threaded::with<registry_io::panic::terminate>) <= 32);

BOOST_AUTO_TEST_CASE_TEMPLATE(an_empty_registry_allocates_nothing, Registry, registries)
{
    std::uint64_t const before = test::allocations();
    {
        Registry r;
        Registry hinted(100);
        r.notify(0);
        hinted.notify(0);
        static_cast<void>(r.size() + r.clear());
        r.contains(handler_id());
        r.synchronize();
        r.for_each_handler([](handler_id) {});
        r.clear_panic_callback();
        r.log_to_stderr();
    }
    BOOST_TEST(test::allocations() == before);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(notify_allocates_nothing, Registry, registries)
{
    for (int const size : {1, 2, 128, 129, 400}) {
        Registry r;
        std::array<int, 8> counts{};
        for (int i = 0; i < size; ++i)
            r.register_handler(i % 3, [&counts, i, room = counts](int n) {
                counts[static_cast<std::size_t>(i) % 8] += n + room[0];
            });
        std::uint64_t const before = test::allocations();
        for (int i = 0; i < 10; ++i)
            r.notify(1);
        BOOST_TEST(test::allocations() == before);
        BOOST_TEST(counts[0] == 10 * ((size + 7) / 8));
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(nested_notifies_allocate_nothing, Registry, registries)
{
    Registry r;
    int depth = 0;
    r.register_handler([&](int n) {
        if (++depth < 50)
            r.notify(n);
        --depth;
    });
    std::uint64_t const before = test::allocations();
    r.notify(0);
    BOOST_TEST(test::allocations() == before);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_failing_handler_costs_its_siblings_no_allocation, Registry,
                              registries)
{
    // The exception object itself lies in the runtime's own memory, and owns no heap memory.
    Registry r;
    int told = 0;
    int calls = 0;
    r.on_panic([&](registry_io::panic_info const&) { ++told; });
    r.register_handler([&](int) { ++calls; });
    r.register_handler([&](int) { throw 1; });
    r.register_handler([&](int) { ++calls; });
    std::uint64_t const before = test::allocations();
    for (int i = 0; i < 5; ++i)
        r.notify(0);
    BOOST_TEST(test::allocations() == before);
    BOOST_TEST(told == 5);
    BOOST_TEST(calls == 10);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_trivial_handler_of_one_word_costs_no_allocation_of_its_own,
                              Registry, registries)
{
    Registry r;
    int calls = 0;
    std::uint64_t const before = test::allocations();
    for (int i = 0; i < 128; ++i)
        r.register_handler([&calls](int) { ++calls; });
    // The writers' block and tables that double in size: far fewer allocations than handlers.
    BOOST_TEST(test::allocations() - before <= 32u);
    r.notify(0);
    BOOST_TEST(calls == 128);
    std::uint64_t const then = test::allocations();
    for (int i = 0; i < 10 * 128; ++i)
        r.register_handler([&calls](int) { ++calls; });
    BOOST_TEST(test::allocations() - then <= 120u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_handler_without_state_costs_no_allocation, Registry, registries)
{
    Registry r(64);
    r.register_handler([](int) {});
    std::uint64_t const before = test::allocations();
    for (int i = 0; i < 60; ++i)
        r.register_handler([](int) {});
    void (*const function)(int const&) = [](int const&) {};
    r.register_handler(function);
    BOOST_TEST(test::allocations() == before);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(captures_of_one_word_cost_no_allocation, Registry, registries)
{
    struct thing
    {
        int n = 0;
        auto counts()
        {
            return [this](int e) { n += e; };
        }
    };
    enum class color : unsigned char { red };
    Registry r(64);
    r.register_handler([](int) {});
    int sum = 0;
    int* const p = &sum;
    thing t;
    std::uint64_t const before = test::allocations();
    r.register_handler([&sum](int e) { sum += e; });
    r.register_handler([&sum](auto const& e) { sum += e; });
    r.register_handler([p](int e) { *p += e; });
    r.register_handler(t.counts());
    r.register_handler([i = 7, b = true](int) { static_cast<void>(i + b); });
    r.register_handler([d = 1.5](auto) { static_cast<void>(d); });
    r.register_handler([c = color::red](int) { static_cast<void>(c); });
    r.register_handler([f = [i = 7](int) { static_cast<void>(i); }](int e) { f(e); });
    BOOST_TEST(test::allocations() == before);
    r.notify(1);
    BOOST_TEST(sum == 3);
    BOOST_TEST(t.n == 1);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_larger_handler_costs_one_allocation, Registry, registries)
{
    Registry r(64);
    auto const token = std::make_shared<int>();
    r.register_handler([token](int) {});
    std::uint64_t const before = test::allocations();
    for (int i = 0; i < 20; ++i)
        r.register_handler([token](int) {});
    BOOST_TEST(test::allocations() - before == 20u);
}

BOOST_AUTO_TEST_CASE(memory_comes_from_the_alloc_policy_alone)
{
    test::counting_resource memory;
    {
        threaded::with<registry_io::alloc::pmr> r{registry_io::alloc::pmr(&memory)};
        BOOST_TEST(memory.blocks() == 0);
        std::vector<handler_id> ids;
        ids.reserve(300);
        auto const token = std::make_shared<int>();
        for (int i = 0; i < 300; ++i)
            ids.push_back(r.register_handler(i % 5, [token](int) {}));
        BOOST_TEST(memory.blocks() > 300);
        registry_io::handler_guard const kept = r.register_guard([token](int) {});
        for (handler_id const id : ids)
            r.unregister(id);
        BOOST_TEST(token.use_count() == 2);
        BOOST_TEST(memory.blocks() < 20);
    }
    BOOST_TEST(memory.blocks() == 0);
    BOOST_TEST(memory.bytes() == 0);
}

// CONTRACT: a thread's first notify neither allocates nor throws to make itself known. glibc
// allocates for the values of all keys but the first 32. In this test those 32 are taken by others,
// which would show if any registry type created a key of its own.
BOOST_AUTO_TEST_CASE_TEMPLATE(a_first_notify_allocates_nothing_beside_many_keys, Registry,
                              registries)
{
    std::vector<::pthread_key_t> keys(40);
    for (::pthread_key_t& k : keys)
        BOOST_TEST_REQUIRE(::pthread_key_create(&k, nullptr) == 0);
    struct event_of_its_own
    {
    };
    typename Registry::template rebind_event<event_of_its_own> r;
    int calls = 0;
    r.register_handler([&](event_of_its_own) { ++calls; });
    std::size_t grown = 1;
    std::thread([&] {
        // The thread's own first allocation is not the library's.
        auto const own = std::make_unique<int>(1);
        // Not test::allocations, because the C library does not use operator new.
        std::size_t const before = ::mallinfo2().uordblks;
        r.notify({});
        grown = ::mallinfo2().uordblks - before;
    }).join();
    BOOST_TEST(calls == 1);
    BOOST_TEST(grown == 0u);
    for (::pthread_key_t const k : keys)
        ::pthread_key_delete(k);
}

namespace {

/// Memory that ends when the test says so, and goes with the test.
class scarce : public std::pmr::memory_resource
{
public:
    bool refuses = false;

private:
    void* do_allocate(std::size_t size, std::size_t align) override
    {
        if (refuses)
            throw std::bad_alloc();
        return room_.allocate(size, align);
    }
    void do_deallocate(void*, std::size_t, std::size_t) override {}
    bool do_is_equal(memory_resource const& other) const noexcept override
    {
        return this == &other;
    }

    std::pmr::monotonic_buffer_resource room_;
};

/// Runs `end` in the notify, and counts in `destroyed` when it is destroyed. Owns no memory.
template <class F>
struct ends_its_registry
{
    F const* end;
    int* destroyed;

    ends_its_registry(F const& f, int& d) noexcept : end(&f), destroyed(&d) {}
    ends_its_registry(ends_its_registry&& other) noexcept
        : end(other.end), destroyed(std::exchange(other.destroyed, nullptr))
    {
    }
    ~ends_its_registry()
    {
        if (destroyed != nullptr)
            ++*destroyed;
    }
    void operator()(int const&) const { (*end)(); }
};

using that_are_small =
    boost::mp11::mp_list<registry_io::SyncRegistry<int>, registry_io::LocalRegistry<int>>;

}  // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(
    a_registry_that_ends_inside_its_only_handler_keeps_the_captures_where_memory_is_short, Preset,
    that_are_small)
{
    using registry_type = typename Preset::template with<registry_io::alloc::pmr>;
    for (bool const is_short : {false, true}) {
        scarce memory;
        int called = 0;
        int destroyed = 0;
        int destroyed_inside = -1;
        auto registry = std::make_unique<registry_type>(registry_io::alloc::pmr(&memory));
        registry_type const& r = *registry;
        auto const end = [&] {
            ++called;
            memory.refuses = is_short;
            registry.reset();
            destroyed_inside = destroyed;
        };
        registry->register_handler(ends_its_registry(end, destroyed));
        r.notify(1);
        BOOST_TEST(called == 1);
        BOOST_TEST(destroyed_inside == 0);
        // No registry is left that could learn that the handler has returned.
        BOOST_TEST(destroyed == (is_short ? 0 : 1));
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_first_change_may_add_one_handler_and_take_out_another, Preset,
                              that_are_small)
{
    Preset registry;
    int called = 0;
    registry_io::handler_id kept;
    auto const owner = std::make_shared<int>(1);
    registry.update([&](auto& tx) {
        kept = tx.register_handler([&](int const&) { ++called; });
        tx.unregister(tx.register_handler([owner](int const&) {}));
    });
    BOOST_TEST(owner.use_count() == 1);
    registry.notify(1);
    BOOST_TEST(called == 1);
    registry.register_handler([&](int const&) { ++called; });
    BOOST_TEST(registry.unregister(kept));
    registry.notify(1);
    BOOST_TEST(called == 2);
}
