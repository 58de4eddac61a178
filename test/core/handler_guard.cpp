// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#include <registry_io/handler_guard.hpp>
#include <registry_io/presets/local.hpp>
#include <registry_io/presets/sync.hpp>

#include <boost/mp11/list.hpp>
#include <boost/test/unit_test.hpp>

#include <memory>
#include <optional>
#include <type_traits>
#include <vector>

using registry_io::handler_guard;
using registry_io::handler_id;
using registries =
    boost::mp11::mp_list<registry_io::SyncRegistry<int>, registry_io::LocalRegistry<int>>;

static_assert(!std::is_copy_constructible_v<handler_guard>);
static_assert(!std::is_copy_assignable_v<handler_guard>);
static_assert(std::is_nothrow_move_constructible_v<handler_guard>);
static_assert(std::is_nothrow_move_assignable_v<handler_guard>);
static_assert(std::is_nothrow_default_constructible_v<handler_guard>);

BOOST_AUTO_TEST_CASE_TEMPLATE(a_guard_removes_its_handler, Registry, registries)
{
    Registry r;
    int calls = 0;
    handler_id id;
    {
        handler_guard const g = r.register_guard([&](int) { ++calls; });
        id = g.id();
        BOOST_TEST(r.contains(id));
        BOOST_TEST(static_cast<bool>(g));
        r.notify(0);
    }
    BOOST_TEST(!r.contains(id));
    r.notify(0);
    BOOST_TEST(calls == 1);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_guard_moves, Registry, registries)
{
    Registry r;
    handler_guard a = r.register_guard([](int) {});
    handler_id const first = a.id();
    handler_guard b = std::move(a);
    BOOST_TEST(!a);  // NOLINT(bugprone-use-after-move): that is what is tested
    // NOLINTNEXTLINE(clang-analyzer-cplusplus.Move,bugprone-use-after-move)
    BOOST_TEST(!a.id());
    BOOST_TEST((b.id() == first));
    handler_guard c = r.register_guard(3, [](int) {});
    handler_id const second = c.id();
    c = std::move(b);
    // The handler that the target held is removed.
    BOOST_TEST(!r.contains(second));
    BOOST_TEST(r.contains(first));
    handler_guard& same = c;
    c = std::move(same);
    BOOST_TEST(r.contains(first));
    std::vector<handler_guard> many;
    for (int i = 0; i < 20; ++i)
        many.push_back(r.register_guard([](int) {}));
    BOOST_TEST(r.size() == 21u);
    many.clear();
    BOOST_TEST(r.size() == 1u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(release_leaves_the_handler_registered, Registry, registries)
{
    Registry r;
    handler_id id;
    {
        handler_guard g = r.register_guard([](int) {});
        id = g.release();
        BOOST_TEST(!g);
        BOOST_TEST(!g.release());
        BOOST_TEST(!g.reset());
    }
    BOOST_TEST(r.contains(id));
    BOOST_TEST(r.unregister(id));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(reset_removes_now_and_tells_whether_it_did, Registry, registries)
{
    Registry r;
    handler_guard g = r.register_guard([](int) {});
    BOOST_TEST(g.reset());
    BOOST_TEST(r.empty());
    BOOST_TEST(!g.reset());
    g = r.register_guard([](int) {});
    r.unregister(g.id());
    BOOST_TEST(!g.reset());
    BOOST_TEST(!g);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_guard_may_outlive_its_registry, Registry, registries)
{
    auto const token = std::make_shared<int>();
    handler_guard dropped;
    handler_guard reset;
    handler_guard released;
    {
        Registry r;
        dropped = r.register_guard([token](int) {});
        reset = r.register_guard([token](int) {});
        released = r.register_guard([token](int) {});
    }
    BOOST_TEST(token.use_count() == 1);
    BOOST_TEST(!reset.reset());
    BOOST_TEST(static_cast<bool>(released.release()));
    // A new registry, perhaps at the same address, has nothing to do with the old guard.
    Registry other;
    other.register_handler([](int) {});
    {
        handler_guard const last = std::move(dropped);
    }
    BOOST_TEST(other.size() == 1u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_guard_held_by_its_own_handler_goes_with_the_registry, Registry,
                              registries)
{
    auto const token = std::make_shared<int>();
    {
        Registry r;
        auto holder = std::make_shared<std::optional<handler_guard>>();
        *holder = r.register_guard([holder, token](int) {});
        holder.reset();
        r.notify(0);
    }
    BOOST_TEST(token.use_count() == 1);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_guard_may_go_with_the_captures_that_it_removes, Registry,
                              registries)
{
    // An object that its own handler keeps alive until the handler is removed.
    struct widget
    {
        handler_guard guard;
        std::shared_ptr<int> token;
    };
    for (int way = 0; way < 2; ++way) {
        auto const token = std::make_shared<int>();
        Registry r;
        auto w = std::make_shared<widget>();
        w->token = token;
        w->guard = r.register_guard([w](int) {});
        widget& itself = *w;
        w.reset();
        BOOST_TEST(token.use_count() == 2);
        if (way == 0)
            BOOST_TEST(itself.guard.reset());
        else
            r.unregister(itself.guard.id());
        BOOST_TEST(token.use_count() == 1);
        BOOST_TEST(r.empty());
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_guard_may_be_assigned_to_in_the_captures_that_this_removes,
                              Registry, registries)
{
    struct session
    {
        handler_guard guard;
    };
    for (bool const to_another : {false, true}) {
        Registry r;
        auto owner = std::make_shared<session>();
        std::weak_ptr<session> const gone = owner;
        session& s = *owner;
        s.guard = r.register_guard([owner](int) {});
        owner.reset();
        if (to_another)
            s.guard = r.register_guard([](int) {});
        else
            s.guard = {};
        // The session is destroyed, and so is the guard that was just moved into it.
        BOOST_TEST(gone.expired());
        BOOST_TEST(r.empty());
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_guard_of_nothing_does_nothing, Registry, registries)
{
    handler_guard g;
    BOOST_TEST(!g);
    BOOST_TEST(!g.id());
    BOOST_TEST(!g.reset());
    BOOST_TEST(!g.release());
    handler_guard const h = std::move(g);
    BOOST_TEST(!h);
}
