// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// CONTRACT: a capture's destructor may destroy the registry, also by releasing the last owner of
// it. With the by_writers option, such a capture is destroyed inside any later change, including a
// registration. With AddressSanitizer this also shows that the registry is not used afterwards.

#include <registry_io/presets/sync.hpp>
#include <registry_io/snapshot/hazard_pointer.hpp>
#include <registry_io/snapshot/rcu.hpp>

#include <boost/mp11/list.hpp>
#include <boost/test/unit_test.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace {

namespace rio = registry_io;
namespace reclaim = registry_io::reclaim;

using registry = rio::SyncRegistry<int>;
using registries =
    boost::mp11::mp_list<registry::with<rio::snapshot::basic_hazard_pointer<reclaim::by_writers>>,
                         registry::with<rio::snapshot::basic_rcu<void, reclaim::by_writers>>>;

/// Owns a registry, and is kept alive only by a handler of that registry.
template <class Registry>
struct session
{
    Registry registry;
    rio::handler_id id;
};

/// Makes a session whose only owner is a removed handler, and whose captures are left to writers.
/// Then calls `change(registry)`, which destroys the session.
template <class Registry, class Change>
void ends_in(Change change)
{
    auto s = std::make_shared<session<Registry>>();
    std::weak_ptr<session<Registry>> const gone = s;
    session<Registry>& raw = *s;
    Registry& r = raw.registry;
    r.register_handler([&raw](int event) {
        if (event != 1)
            return;
        // Before and after it, removes other handlers, each from its own table.
        auto const others = [&raw] {
            raw.registry.unregister(
                raw.registry.register_handler(2, [text = std::string(100, 'x')](int) {}));
        };
        others();
        raw.registry.unregister(raw.id);
        others();
    });
    raw.id = r.register_handler([s](int) {});
    s.reset();
    r.notify(1);
    BOOST_TEST_REQUIRE(!gone.expired());
    change(r);
    BOOST_TEST(gone.expired());
}

}  // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(a_registration_may_destroy_the_last_owner_of_its_registry, Registry,
                              registries)
{
    // In front of the other handlers, so that it publishes a table.
    ends_in<Registry>([](Registry& r) {
        rio::handler_id const id = r.register_handler(1, [](int) {});
        BOOST_TEST(bool(id));
    });
    ends_in<Registry>([](Registry& r) {
        rio::handler_guard const guard =
            r.register_guard(1, [text = std::string(100, 'x')](int) {});
        BOOST_TEST(bool(guard.id()));
    });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(other_changes_may_destroy_the_last_owner_of_their_registry, Registry,
                              registries)
{
    ends_in<Registry>([](Registry& r) { r.clear(); });
    ends_in<Registry>([](Registry& r) { r.synchronize(); });
    ends_in<Registry>([](Registry& r) { r.on_panic([](rio::panic_info const&) {}); });
    ends_in<Registry>([](Registry& r) { r.log_to([](std::string_view) {}); });
    ends_in<Registry>([](Registry& r) {
        rio::update_result const result =
            r.update([](auto& tx) { tx.register_handler(1, [](int) {}); });
        BOOST_TEST(result.registered == 1u);
    });
}
