// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// CONTRACT: destroying a registry while another thread is inside of it is a precondition violation,
// which an assertion finds. Each program that must die is a child of this one.

#include <registry_io/presets/sync.hpp>
#include <registry_io/snapshot/atomic_shared_ptr.hpp>
#include <registry_io/snapshot/locked.hpp>

#include <boost/mp11/list.hpp>
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <csignal>
#include <thread>

#include "process/child.hpp"

namespace {

namespace rio = registry_io;
using process::in_child;

struct event
{
};
using registries =
    boost::mp11::mp_list<rio::SyncRegistry<event>,
                         rio::SyncRegistry<event>::with<rio::snapshot::locked>,
                         rio::SyncRegistry<event>::with<rio::snapshot::atomic_shared_ptr>>;

/// Destroys a registry while another thread runs one of its handlers, or after it has.
template <class Registry>
int destroys(bool while_running)
{
    process::silence();
    // They are never destroyed: the thread does not end.
    auto* const registry = new Registry;
    auto* const inside = new std::atomic<bool>(false);
    registry->register_handler([=](event const&) {
        *inside = true;
        inside->notify_one();
        inside->wait(while_running);
    });
    std::thread([=] { registry->notify({}); }).detach();
    inside->wait(false);
    if (!while_running)
        registry->synchronize();
    delete registry;
    return 0;
}

}  // namespace

#if !defined(BOOST_ASSERT_IS_VOID)
BOOST_AUTO_TEST_CASE_TEMPLATE(a_registry_that_is_destroyed_while_a_notify_runs_is_found, Registry,
                              registries)
{
    BOOST_TEST(in_child([] { return destroys<Registry>(true); }) == -SIGABRT);
    BOOST_TEST(in_child([] { return destroys<Registry>(false); }) == 0);
}
#else
BOOST_AUTO_TEST_CASE(there_are_no_assertions)
{
    BOOST_TEST(true);
}
#endif
