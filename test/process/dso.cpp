// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Shared objects that are loaded with local symbols only. The linker decides whether they share the
// library's variables with the program and with each other. If they do not, a registry refuses
// them, and a registry_ref works for them.
//
// The arguments are plugins built from process/dso_plugin.cpp.

#include <dlfcn.h>

#include <filesystem>
#include <string>
#include <thread>
#include <tuple>
#include <type_traits>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "process/child.hpp"
#include "process/dso.hpp"

#include <registry_io/registry_ref.hpp>

namespace {

using namespace stress;

struct module
{
    std::string name;
    dso::plugin plugin;
    bool (*through)(registry_io::registry_ref<event> const&) = nullptr;
};

/// The program itself, and each plugin twice, loaded from two files.
std::vector<module> const& modules()
{
    static std::vector<module> const all = [] {
        std::vector<module> result;
        result.push_back({"the program", dso::plugin_here(), nullptr});
        auto const& suite = boost::unit_test::framework::master_test_suite();
        for (int i = 1; i < suite.argc; ++i) {
            std::filesystem::path const original = suite.argv[i];
            std::filesystem::path const copy = original.string() + ".copy";
            std::filesystem::copy_file(original, copy,
                                       std::filesystem::copy_options::overwrite_existing);
            for (auto const& path : {original, copy}) {
                void* const handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
                BOOST_REQUIRE_MESSAGE(handle != nullptr, ::dlerror());
                module m;
                m.name = path.filename().string();
                reinterpret_cast<void (*)(dso::plugin*)>(::dlsym(handle, "registry_io_plugin"))(
                    &m.plugin);
                m.through =
                    reinterpret_cast<decltype(m.through)>(::dlsym(handle, "registry_io_through"));
                result.push_back(m);
            }
        }
        return result;
    }();
    return all;
}

// See stress.hpp: the standard library's implementation is formally a race.
using snapshots = std::tuple<snapshot::hazard_pointer, snapshot::rcu, snapshot::locked
#ifndef REGISTRY_IO_TEST_TSAN
                             ,
                             snapshot::atomic_shared_ptr
#endif
                             >;

int refused_by_hazard_pointers = 0;

BOOST_AUTO_TEST_SUITE(shared_objects, *boost::unit_test::timeout(120))

BOOST_AUTO_TEST_CASE(there_are_plugins)
{
    BOOST_TEST(modules().size() > 1u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_registry_is_shared_or_refused, Snapshot, snapshots)
{
    using functions = dso::functions<Snapshot>;
    constexpr bool needs_domain = std::is_same_v<Snapshot, snapshot::hazard_pointer> ||
        std::is_same_v<Snapshot, snapshot::rcu>;
    int refusals = 0;
    for (module const& owner : modules()) {
        auto const& owners = std::get<functions>(owner.plugin);
        for (module const& user : modules()) {
            auto const& users = std::get<functions>(user.plugin);
            BOOST_TEST_CONTEXT(owner.name << " makes it, " << user.name << " uses it")
            {
                gate g;
                census birds;
                auto* const registry = owners.make(g, birds);
                bool const refused = users.refused(*registry);
                BOOST_TEST((!refused || (needs_domain && &owner != &user)));
                BOOST_TEST(registry->size() == 2u);
                if (refused) {
                    ++refusals;
                    // Uses a thread that is new to the user's domain. A thread that is already
                    // known there is caught only by an assertion.
                    int const outcome = process::in_child([&] {
                        process::silence();
                        std::thread([&] { users.notify(*registry, 0); }).join();
                        return 0;
                    });
                    BOOST_TEST(outcome == -SIGABRT);
                } else {
                    // If it is accepted, the owner's removals see the user's readers.
                    std::thread reader([&] { users.notify(*registry, 1); });
                    g.expect(1);
                    owners.clear(*registry);
                    BOOST_TEST(birds.living.load() == 1);
                    g.open();
                    reader.join();
                    BOOST_TEST(birds.living.load() == 0);
                }
                owners.destroy(registry);
                BOOST_TEST(birds.living.load() == 0);
                BOOST_TEST(birds.misused.load() == 0);
            }
        }
    }
    BOOST_TEST_MESSAGE(refusals << " of " << modules().size() * modules().size() << " are refused");
    if (std::is_same_v<Snapshot, snapshot::hazard_pointer>)
        refused_by_hazard_pointers = refusals;
    else if (needs_domain)
        // The name of an RCU domain contains the event type too. If that type is hidden from other
        // objects, so is the domain.
        BOOST_TEST(refusals >= refused_by_hazard_pointers);
}

// Whichever object asks for a registration, a guard runs the code of the object that made it.
BOOST_AUTO_TEST_CASE_TEMPLATE(a_guard_works_after_another_object_has_asked, Snapshot, snapshots)
{
    using functions = dso::functions<Snapshot>;
    for (module const& owner : modules()) {
        auto const& owners = std::get<functions>(owner.plugin);
        for (module const& user : modules()) {
            BOOST_TEST_CONTEXT(owner.name << " makes it, " << user.name << " asks")
            {
                gate g;
                census birds;
                auto* const registry = owners.make(g, birds);
                registry_io::handler_guard guard = owners.guard(*registry);
                BOOST_TEST(std::get<functions>(user.plugin).ask(*registry, guard.id()));
                BOOST_TEST(guard.reset());
                BOOST_TEST(registry->size() == 2u);
                owners.destroy(registry);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_reference_serves_every_object, Snapshot, snapshots)
{
    registry_of<Snapshot> registry;
    registry.register_handler([](event const&) {});
    for (module const& m : modules())
        if (m.through != nullptr)
            BOOST_TEST_CONTEXT(m.name)
    BOOST_TEST(m.through(registry));
    BOOST_TEST(registry.size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
