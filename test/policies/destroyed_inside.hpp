// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// CONTRACT: a registry may be destroyed inside one of its own handlers, in a capture's destructor,
// and when a capture was its last owner. The running notifies of this thread finish their
// snapshots, and the captures in these live until then. With AddressSanitizer this also shows that
// the registry is not used afterwards.

// A file that includes this header defines REGISTRY_IO_TEST_SNAPSHOTS, the snapshot policies to
// test.

#ifndef REGISTRY_IO_TEST_POLICIES_DESTROYED_INSIDE_HPP
#define REGISTRY_IO_TEST_POLICIES_DESTROYED_INSIDE_HPP

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/mp11/list.hpp>
#include <boost/test/unit_test.hpp>

#include <registry_io/panic/quarantine.hpp>
#include <registry_io/presets/sync.hpp>

namespace {

namespace rio = registry_io;
namespace snapshot = registry_io::snapshot;
namespace reclaim = registry_io::reclaim;

struct event
{
    int value = 0;
};

template <class... Snapshots>
using with_snapshots = boost::mp11::mp_list<typename rio::SyncRegistry<event>::with<Snapshots>...>;
using registries = with_snapshots<REGISTRY_IO_TEST_SNAPSHOTS>;

/// How many captures are alive, and how often a destroyed one was used.
struct census
{
    int living = 0;
    int misused = 0;
};

class canary
{
public:
    explicit canary(census& c) noexcept : census_(&c) { ++census_->living; }
    canary(canary const& other) noexcept : canary(*other.census_) {}
    canary& operator=(canary const&) = delete;
    ~canary()
    {
        --census_->living;
        alive_ = false;
    }
    void sing() const noexcept { census_->misused += alive_ ? 0 : 1; }

private:
    census* census_;
    bool alive_ = true;
};

BOOST_AUTO_TEST_CASE_TEMPLATE(a_handler_may_destroy_its_registry, Registry, registries)
{
    // A single handler, a flat table, and a table in chunks; the handler in the middle destroys.
    for (int const before : {0, 2, 200}) {
        census birds;
        int called = 0;
        auto registry = std::make_unique<Registry>();
        auto const fill = [&] {
            for (int i = 0; i < before; ++i)
                registry->register_handler([&, bird = canary(birds)](event const&) {
                    bird.sing();
                    ++called;
                });
        };
        fill();
        registry->register_handler([&, bird = canary(birds)](event const&) {
            registry.reset();
            bird.sing();
            // The captures of all handlers of this snapshot live until it ends.
            BOOST_TEST(birds.living == 2 * before + 1);
            ++called;
        });
        fill();
        Registry& r = *registry;
        r.notify({});
        BOOST_TEST(called == 2 * before + 1);
        BOOST_TEST(birds.living == 0);
        BOOST_TEST(birds.misused == 0);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_handler_of_a_nested_notify_may_destroy_the_registry, Registry,
                              registries)
{
    // Deeper than there are slots for nested reads.
    for (int const depth : {2, 5, 9}) {
        census birds;
        int called = 0;
        int after = 0;
        auto registry = std::make_unique<Registry>();
        registry->register_handler([&, bird = canary(birds)](event const& e) {
            if (e.value == 0)
                registry.reset();
            else
                registry->notify({e.value - 1});
            bird.sing();
            ++called;
        });
        registry->register_handler([&, bird = canary(birds)](event const&) {
            bird.sing();
            ++after;
        });
        Registry& r = *registry;
        r.notify({depth - 1});
        BOOST_TEST(called == depth);
        BOOST_TEST(after == depth);
        BOOST_TEST(birds.living == 0);
        BOOST_TEST(birds.misused == 0);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_handler_may_change_the_registry_and_then_destroy_it, Registry,
                              registries)
{
    census birds;
    int called = 0;
    auto registry = std::make_unique<Registry>();
    rio::handler_guard guard;
    rio::handler_id last;
    registry->register_handler([&, bird = canary(birds)](event const&) {
        registry->unregister(last);
        registry->register_handler([bird = canary(birds)](event const&) { bird.sing(); });
        guard.reset();
        registry.reset();
        bird.sing();
        ++called;
    });
    guard = registry->register_guard([&, bird = canary(birds)](event const&) {
        bird.sing();
        ++called;
    });
    last = registry->register_handler([&, bird = canary(birds)](event const&) {
        bird.sing();
        ++called;
    });
    Registry& r = *registry;
    r.notify({});
    BOOST_TEST(called == 3);
    BOOST_TEST(birds.living == 0);
    BOOST_TEST(birds.misused == 0);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(handlers_that_fail_after_the_end_of_their_registry_are_isolated,
                              Registry, registries)
{
    int called = 0;
    auto registry = std::make_unique<Registry>();
    registry->register_handler([&](event const&) { registry.reset(); });
    registry->register_handler([&](event const&) {
        ++called;
        throw std::runtime_error("after the end");
    });
    registry->register_handler([&](event const&) { ++called; });
    // The callback belongs to the snapshot, so it still exists.
    std::vector<std::string> told;
    registry->on_panic([&](rio::panic_info const& info) { told.emplace_back(info.message()); });
    Registry& r = *registry;
    r.notify({});
    BOOST_TEST(called == 2);
    BOOST_TEST((told == std::vector<std::string>{"after the end"}));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_handler_to_be_removed_for_failing_after_the_end_is_not, Registry,
                              registries)
{
    using quarantine = typename Registry::template with<rio::panic::quarantine<1>>;
    int called = 0;
    auto registry = std::make_unique<quarantine>();
    registry->on_panic([](rio::panic_info const&) {});
    registry->register_handler([&](event const&) { registry.reset(); });
    registry->register_handler([&](event const&) {
        ++called;
        throw std::runtime_error("after the end");
    });
    registry->register_handler([&](event const&) { ++called; });
    quarantine& r = *registry;
    r.notify({});
    BOOST_TEST(called == 2);
}

/// Owns the registry, and is kept alive only by a handler of that registry.
template <class Registry>
struct session
{
    Registry registry;
    rio::handler_id id;
    rio::handler_guard guard;
    census* ended;

    explicit session(census& c) : ended(&c) { ++ended->living; }
    session(session const&) = delete;
    session& operator=(session const&) = delete;
    ~session() { --ended->living; }
};

template <class Registry, class Register, class Remove>
void last_owner(Register add, Remove remove)
{
    census sessions;
    auto s = std::make_shared<session<Registry>>(sessions);
    session<Registry>& raw = *s;
    std::weak_ptr<session<Registry>> const gone = s;
    add(raw, std::move(s));
    BOOST_TEST(sessions.living == 1);
    remove(raw);
    BOOST_TEST(sessions.living == 0);
    BOOST_TEST(gone.expired());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_capture_may_be_the_last_owner_of_its_registry, Registry, registries)
{
    auto const plain = [](auto& s, auto owner) {
        // In addition, handlers of both kinds before and after it.
        s.registry.register_handler(1, [](event const&) {});
        s.id = s.registry.register_handler([owner](event const&) {});
        s.registry.register_handler(-1, [text = std::string(100, 'x')](event const&) {});
    };
    last_owner<Registry>(plain, [](auto& s) { s.registry.unregister(s.id); });
    last_owner<Registry>(plain, [](auto& s) { s.registry.clear(); });
    last_owner<Registry>(plain, [](auto& s) {
        s.registry.update([&](auto& tx) {
            tx.unregister(s.id);
            tx.register_handler([](event const&) {});
        });
    });
    last_owner<Registry>(plain, [](auto& s) { s.registry.update([&](auto& tx) { tx.clear(); }); });
    last_owner<Registry>(plain, [](auto& s) { s.registry.unregister_and_wait(s.id); });

    // A guard outside the registry's handlers, and one inside.
    rio::handler_guard outside;
    last_owner<Registry>(
        [&](auto& s, auto owner) { outside = s.registry.register_guard([owner](event const&) {}); },
        [&](auto&) { outside.reset(); });
    last_owner<Registry>(
        [](auto& s, auto owner) { s.guard = s.registry.register_guard([owner](event const&) {}); },
        [](auto& s) { s.guard.reset(); });

    // By the handler itself, in a notify.
    last_owner<Registry>(
        [](auto& s, auto owner) {
            s.id = s.registry.register_handler(
                [owner, &s](event const&) { s.registry.unregister(s.id); });
            s.registry.register_handler(-1, [](event const&) {});
        },
        [](auto& s) { s.registry.notify({}); });

    // Not a handler: the callback, and the log's sink.
    last_owner<Registry>(
        [](auto& s, auto owner) { s.registry.on_panic([owner](rio::panic_info const&) {}); },
        [](auto& s) { s.registry.clear_panic_callback(); });
    last_owner<Registry>(
        [](auto& s, auto owner) { s.registry.log_to([owner](std::string_view) {}); },
        [](auto& s) { s.registry.log_to([](std::string_view) {}); });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_destructor_of_a_capture_may_destroy_the_registry, Registry,
                              registries)
{
    struct at_end
    {
        std::unique_ptr<Registry>& registry;
        census& birds;
        bool armed = true;

        at_end(std::unique_ptr<Registry>& r, census& c) : registry(r), birds(c) {}
        at_end(at_end&& other) noexcept
            : registry(other.registry), birds(other.birds), armed(std::exchange(other.armed, false))
        {
        }
        at_end& operator=(at_end&&) = delete;
        ~at_end()
        {
            if (armed)
                registry.reset();
        }
        void operator()(event const&) const {}
    };
    // Outside a notify, and inside a notify that shows it.
    for (bool const inside : {false, true}) {
        census birds;
        auto registry = std::make_unique<Registry>();
        Registry& r = *registry;
        rio::handler_id id;
        r.register_handler(1, [&](event const& e) {
            if (e.value == 1)
                r.unregister(id);
        });
        id = r.register_handler(at_end(registry, birds));
        r.register_handler(-1, [bird = canary(birds)](event const&) { bird.sing(); });
        if (inside)
            r.notify({1});
        else
            r.unregister(id);
        BOOST_TEST((registry == nullptr));
        BOOST_TEST(birds.living == 0);
        BOOST_TEST(birds.misused == 0);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_guard_outlives_a_registry_that_ended_inside, Registry, registries)
{
    census birds;
    auto registry = std::make_unique<Registry>();
    rio::handler_guard guard =
        registry->register_guard([bird = canary(birds)](event const&) { bird.sing(); });
    registry->register_handler([&](event const&) {
        registry.reset();
        BOOST_TEST(!guard.reset());
    });
    Registry& r = *registry;
    r.notify({});
    BOOST_TEST(birds.living == 0);
}

}  // namespace

#endif
