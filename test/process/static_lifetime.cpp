// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Registries at namespace scope, used before and after main. Each failure there ends the process
// with its own exit code.

#include <cstdio>
#include <cstdlib>
#include <thread>
#include <tuple>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "stress/stress.hpp"

namespace {

using namespace stress;

void demand(bool ok, char const* what)
{
    if (ok)
        return;
    std::fprintf(stderr, "%s\n", what);
    std::_Exit(99);
}

struct everything
{
    // Constructed before the registries and destroyed after them: by then its guards refer to no
    // handler.
    std::vector<registry_io::handler_guard> guards;
    ~everything() { guards.clear(); }
} outlives;

census& birds()
{
    static auto* const c = new census;  // for destructors that run at any time
    return *c;
}

std::tuple<registry_of<snapshot::hazard_pointer>, registry_of<snapshot::rcu>,
           registry_of<snapshot::locked>, registry_of<snapshot::atomic_shared_ptr>>
    all;

template <class F>
void each(F f)
{
    std::apply([&](auto&... r) { (f(r), ...); }, all);
}

/// Uses the registries from this thread and from another one.
void use_all(char const* what)
{
    each([&](auto& registry) {
        long tally = 0;
        handler_id const id =
            registry.register_handler(1, [bird = canary(birds())](event const& e) {
                bird.sing();
                ++*e.tally;
            });
        registry.notify({0, &tally});
        std::thread([&] {
            long other = 0;
            registry.notify({0, &other});
            demand(other >= 1, what);
        }).join();
        demand(tally >= 1, what);
        long const before = birds().living.load();
        demand(registry.unregister(id), what);
        demand(birds().living.load() == before - 1, what);
        demand(birds().misused.load() == 0, what);
        registry.synchronize();
    });
}

struct before_and_after
{
    before_and_after()
    {
        use_all("a static constructor could not use a registry");
        each([](auto& registry) {
            outlives.guards.push_back(registry.register_guard([](event const& e) { ++*e.tally; }));
            registry.register_handler(singing(birds()));
        });
    }
    ~before_and_after() { use_all("a static destructor could not use a registry"); }
} const uses;

struct last_thread_local
{
    ~last_thread_local() { use_all("a thread_local destructor of main could not use a registry"); }
};

BOOST_AUTO_TEST_CASE(a_registry_at_namespace_scope_is_used_in_main_too)
{
    thread_local last_thread_local const uses_it_late;
    static_cast<void>(uses_it_late);
    std::atexit([] { use_all("a function for exit could not use a registry"); });
    use_all("main could not use a registry");
    BOOST_TEST(birds().living.load() == 4);
    BOOST_TEST(outlives.guards.size() == 4u);
}

}  // namespace
