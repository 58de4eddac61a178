// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#include <registry_io/archetype.hpp>
#include <registry_io/registry.hpp>

#include <boost/test/unit_test.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>

namespace archetype = registry_io::archetype;

static_assert(registry_io::alloc_policy<archetype::alloc>);
static_assert(registry_io::ordering_policy<archetype::ordering>);
static_assert(registry_io::panic_policy<archetype::panic>);
static_assert(registry_io::snapshot_policy<archetype::snapshot>);

using registry = registry_io::basic_registry<int, archetype::snapshot, archetype::ordering,
                                             archetype::panic, archetype::alloc>;
using rank = archetype::ordering::key_type;

BOOST_AUTO_TEST_CASE(the_core_needs_no_more_of_policies_than_the_concepts_say)
{
    std::string log;
    auto const token = std::make_shared<int>();
    auto const says = [&](char c) { return [&log, c, token](int) { log += c; }; };
    registry r;
    registry_io::handler_id const b = r.register_handler(rank(2), says('b'));
    r.register_handler(rank(3), says('c'));
    r.register_handler(1, says('a'));
    r.notify(0);
    BOOST_TEST(log == "abc");

    BOOST_TEST(r.unregister(b));
    BOOST_TEST(!r.contains(b));
    BOOST_TEST(token.use_count() == 3);
    {
        registry_io::handler_guard const g = r.register_guard(rank(0), says('0'));
        registry_io::update_result const done = r.update([&](registry::transaction& tx) {
            tx.register_handler(rank(9), says('z'));
            tx.unregister(b);
        });
        BOOST_TEST((done == registry_io::update_result{1, 0}));
        log.clear();
        r.notify(0);
        BOOST_TEST(log == "0acz");
    }
    std::size_t count = 0;
    r.for_each_handler([&](registry_io::handler_id, rank const&) { ++count; });
    BOOST_TEST(count == 3u);
    r.synchronize();
    BOOST_TEST(r.unregister_and_wait(r.register_handler(rank(1), says('x'))));
    BOOST_TEST(r.clear() == 3u);
    BOOST_TEST(r.empty());
    BOOST_TEST(token.use_count() == 1);
}

BOOST_AUTO_TEST_CASE(a_registry_of_archetypes_keeps_snapshots_and_captures)
{
    std::string log;
    auto const token = std::make_shared<int>();
    registry r;
    bool refused = false;
    r.register_handler(rank(1), [&](int) {
        r.clear();
        log += 'a';
        BOOST_TEST(token.use_count() == 2);
        r.register_handler(rank(1), [&](int) { log += 'c'; });
        r.notify(0);
        try {
            r.synchronize();
        } catch (std::system_error const&) {
            refused = true;
        }
    });
    r.register_handler(rank(2), [&log, token](int) { log += 'b'; });
    r.notify(0);
    BOOST_TEST(log == "acb");
    BOOST_TEST(refused);
    BOOST_TEST(token.use_count() == 1);
    r.synchronize();
}

BOOST_AUTO_TEST_CASE(a_registry_of_archetypes_may_be_large)
{
    int sum = 0;
    registry r;
    std::vector<registry_io::handler_id> ids;
    for (int i = 0; i < 500; ++i)
        ids.push_back(r.register_handler(rank(i * 37 % 11), [&sum](int n) { sum += n; }));
    r.notify(1);
    BOOST_TEST(sum == 500);
    for (registry_io::handler_id const id : ids)
        if (!r.contains(id) || !r.unregister(id))
            BOOST_ERROR("lost a handler");
    BOOST_TEST(r.empty());
}

BOOST_AUTO_TEST_CASE(an_exception_that_leaves_invoke_ends_the_notify)
{
    int calls = 0;
    registry r;
    r.register_handler(rank(1), [&](int) { ++calls; });
    registry_io::handler_id const id =
        r.register_handler(rank(2), [](int) { throw std::runtime_error("stop"); });
    r.register_handler(rank(3), [&](int) { ++calls; });
    BOOST_CHECK_THROW(r.notify(0), std::runtime_error);
    BOOST_TEST(calls == 1);
    r.unregister_and_wait(id);
    r.notify(0);
    BOOST_TEST(calls == 3);
}
