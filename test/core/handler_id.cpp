// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#include <registry_io/handler_id.hpp>
#include <registry_io/presets/sync.hpp>

#include <boost/container_hash/hash.hpp>
#include <boost/test/unit_test.hpp>

#include <map>
#include <set>
#include <sstream>
#include <type_traits>
#include <unordered_set>
#include <vector>

using registry_io::handler_id;
using registry = registry_io::SyncRegistry<int>;

static_assert(std::is_trivially_copyable_v<handler_id>);
static_assert(sizeof(handler_id) == 16);
static_assert(handler_id() == handler_id() && !handler_id());
static_assert(handler_id(1, 2) == handler_id(1, 2) && handler_id(1, 2) != handler_id(2, 2));
static_assert(handler_id(1, 9) < handler_id(2, 1) && handler_id(1, 1) < handler_id(1, 2));
static_assert(std::is_same_v<decltype(handler_id().value()), std::uint64_t>);
static_assert(!std::is_convertible_v<handler_id, bool>);

BOOST_AUTO_TEST_CASE(ids_of_one_registry_are_ordered_as_registered)
{
    registry r;
    std::vector<handler_id> ids;
    for (int i = 0; i < 10; ++i)
        ids.push_back(r.register_handler([](int) {}));
    for (std::size_t i = 0; i < ids.size(); ++i) {
        BOOST_TEST(ids[i].value() == i + 1);
        BOOST_TEST(ids[i].registry_serial() == ids[0].registry_serial());
        BOOST_TEST(static_cast<bool>(ids[i]));
    }
    BOOST_TEST((std::set<handler_id>(ids.rbegin(), ids.rend()).size() == ids.size()));
    BOOST_TEST((*std::set<handler_id>(ids.rbegin(), ids.rend()).begin() == ids.front()));
}

BOOST_AUTO_TEST_CASE(ids_hash_without_needless_collisions)
{
    std::unordered_set<handler_id> ids;
    std::set<std::size_t> hashes;
    std::set<std::size_t> boost_hashes;
    for (std::uint64_t serial = 1; serial <= 30; ++serial) {
        for (std::uint64_t value = 1; value <= 100; ++value) {
            handler_id const id(serial, value);
            ids.insert(id);
            hashes.insert(std::hash<handler_id>()(id));
            boost_hashes.insert(boost::hash<handler_id>()(id));
        }
    }
    BOOST_TEST(ids.size() == 3000u);
    BOOST_TEST(hashes.size() == 3000u);
    BOOST_TEST(boost_hashes.size() == 3000u);
    BOOST_TEST(ids.count(handler_id(7, 7)) == 1u);
    BOOST_TEST(ids.count(handler_id(31, 1)) == 0u);
}

BOOST_AUTO_TEST_CASE(an_id_is_written_as_registry_and_value)
{
    std::ostringstream out;
    out << handler_id(12, 345) << ' ' << handler_id();
    BOOST_TEST(out.str() == "12:345 0:0");
    std::wostringstream wide;
    wide << handler_id(1, 2);
    BOOST_TEST((wide.str() == L"1:2"));
}

BOOST_AUTO_TEST_CASE(the_empty_id_names_no_handler)
{
    registry r;
    r.register_handler([](int) {});
    BOOST_TEST(!r.contains(handler_id()));
    BOOST_TEST(!r.unregister(handler_id()));
    BOOST_TEST(r.size() == 1u);
}

BOOST_AUTO_TEST_CASE(an_id_of_another_registry_is_refused_even_where_that_one_lay)
{
    handler_id old;
    alignas(registry) std::byte place[sizeof(registry)];
    auto* r = ::new (static_cast<void*>(place)) registry;
    old = r->register_handler([](int) {});
    r->~registry();
    r = ::new (static_cast<void*>(place)) registry;
    handler_id const fresh = r->register_handler([](int) {});
    BOOST_TEST(old.value() == fresh.value());
    BOOST_TEST(old.registry_serial() != fresh.registry_serial());
    BOOST_TEST(!r->contains(old));
    BOOST_TEST(!r->unregister(old));
    BOOST_TEST(r->contains(fresh));
    r->~registry();
}

BOOST_AUTO_TEST_CASE(values_that_were_never_given_out_name_nothing)
{
    registry r;
    handler_id const id = r.register_handler([](int) {});
    for (std::uint64_t const value : {std::uint64_t(0), id.value() + 1, ~std::uint64_t(0),
                                      id.value() + (std::uint64_t(1) << 63)})
        BOOST_TEST(!r.unregister(handler_id(id.registry_serial(), value)));
    BOOST_TEST(r.size() == 1u);
}
