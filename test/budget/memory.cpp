// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// How much heap memory registries and handlers may take. All of it is counted, so the figures are
// the same on every machine with pointers of 8 bytes.

#include <registry_io/alloc/pmr.hpp>
#include <registry_io/presets.hpp>

#include <boost/mp11/list.hpp>
#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <memory>
#include <vector>

#include "memory.hpp"

using presets = boost::mp11::mp_list<registry_io::SyncRegistry<int>, registry_io::RcuRegistry<int>,
                                     registry_io::LocalRegistry<int>>;

namespace {

constexpr int handlers = 10000;

/// 8 bytes with a destructor.
struct owner
{
    std::unique_ptr<int> p;
    void operator()(int const&) const {}
};

/// A registry whose memory is counted, and the memory that it took.
template <class Preset>
struct counted
{
    test::counting_resource memory;
    typename Preset::template with<registry_io::alloc::pmr> registry{
        registry_io::alloc::pmr(&memory)};

    double bytes_for_each() const { return static_cast<double>(memory.bytes()) / handlers; }
};

}  // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(an_empty_registry_is_at_most_64_bytes_and_allocates_nothing, Preset,
                              presets)
{
    static_assert(sizeof(Preset) <= 64);
    std::uint64_t const before = test::allocations();
    {
        Preset const r;
        r.notify(1);
    }
    BOOST_TEST(test::allocations() == before);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_registry_with_one_handler_is_small, Preset, presets)
{
    // The registry itself, the writers' block, and a table of one row.
    counted<Preset> c;
    int sum = 0;
    c.registry.register_handler([&sum](int const& event) { sum += event; });
    // The block holds copies of the resource's address beside what it holds with the heap.
    constexpr std::int64_t copies = 4 * sizeof(void*);
    BOOST_TEST(static_cast<std::int64_t>(sizeof(Preset)) + c.memory.bytes() <= 208 + copies);
    c.registry.notify(1);
    BOOST_TEST(sum == 1);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_registry_with_four_handlers_keeps_no_table_that_is_too_small,
                              Preset, presets)
{
    counted<Preset> one;
    one.registry.register_handler([](int const&) {});
    counted<Preset> four;
    for (int i = 0; i < 4; ++i)
        four.registry.register_handler([](int const&) {});
    // Three rows more, and what replaced roots need.
    BOOST_TEST(four.memory.bytes() - one.memory.bytes() <= 3 * 32 + 424);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_notify_allocates_nothing, Preset, presets)
{
    for (int const size : {0, 1, 4, 16, 1000}) {
        Preset r;
        int sum = 0;
        for (int i = 0; i < size; ++i)
            r.register_handler([&sum](int const& event) { sum += event; });
        std::uint64_t const before = test::allocations();
        for (int i = 0; i < 100; ++i)
            r.notify(1);
        BOOST_TEST(test::allocations() == before);
        BOOST_TEST(sum == 100 * size);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_handler_of_one_word_takes_36_bytes_and_no_allocation_of_its_own,
                              Preset, presets)
{
    counted<Preset> c;
    int sum = 0;
    std::uint64_t const before = test::allocations();
    for (int i = 0; i < handlers; ++i)
        c.registry.register_handler([&sum](int const& event) { sum += event; });
    std::uint64_t const taken = test::allocations() - before;
    BOOST_TEST(c.bytes_for_each() <= 36);
    BOOST_TEST(taken <= handlers / 25u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_handler_with_a_destructor_takes_one_allocation, Preset, presets)
{
    counted<Preset> c;
    std::vector<std::unique_ptr<int>> captures(handlers);
    std::uint64_t const before = test::allocations();
    for (auto& p : captures)
        c.registry.register_handler(owner{std::move(p)});
    std::uint64_t const taken = test::allocations() - before;
    BOOST_TEST(c.bytes_for_each() <= 96);
    BOOST_TEST(taken <= handlers + handlers / 25u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_pair_gives_back_what_it_takes, Preset, presets)
{
    counted<Preset> c;
    std::vector<registry_io::handler_id> ids;
    for (int i = 0; i < handlers; ++i)
        ids.push_back(c.registry.register_handler(owner{}));
    std::int64_t const before = c.memory.bytes();
    for (std::size_t i = 0; i < ids.size(); i += 3) {
        c.registry.unregister(ids[i]);
        ids[i] = c.registry.register_handler(owner{});
    }
    // Chunks may be less full than before, but what was removed has been freed.
    BOOST_TEST(static_cast<double>(c.memory.bytes()) <= 1.5 * static_cast<double>(before));
}
