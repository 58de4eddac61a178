// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// What the tests of wrapped handlers share: a registry of each snapshot policy, and threads.

#ifndef REGISTRY_IO_TEST_HANDLERS_SUPPORT_HPP
#define REGISTRY_IO_TEST_HANDLERS_SUPPORT_HPP

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <memory>
#include <system_error>
#include <thread>
#include <vector>

#include <boost/mp11/list.hpp>

#include <registry_io/alloc/heap.hpp>
#include <registry_io/alloc/pmr.hpp>
#include <registry_io/ordering/priority.hpp>
#include <registry_io/panic/propagate.hpp>
#include <registry_io/registry.hpp>
#include <registry_io/snapshot/atomic_shared_ptr.hpp>
#include <registry_io/snapshot/hazard_pointer.hpp>
#include <registry_io/snapshot/locked.hpp>
#include <registry_io/snapshot/rcu.hpp>
#include <registry_io/snapshot/single_thread.hpp>

// See test/stress/stress.hpp: libstdc++'s atomic<shared_ptr> is formally a race in itself.
#if defined(__SANITIZE_THREAD__)
#define REGISTRY_IO_TEST_TSAN
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define REGISTRY_IO_TEST_TSAN
#endif
#endif

namespace test {

namespace rio = registry_io;

/// Neither copyable nor movable: a registry never copies an event.
struct event
{
    explicit event(int v) : value(v) {}
    event(event const&) = delete;
    event& operator=(event const&) = delete;
    int value;
};

template <class Snapshot, class Event = event, class Alloc = rio::alloc::heap>
using registry_of =
    rio::basic_registry<Event, Snapshot, rio::ordering::priority, rio::panic::propagate, Alloc>;

/// One for each snapshot policy that supports several threads.
template <class Event = event>
using shared_registries = boost::mp11::mp_list<registry_of<rio::snapshot::hazard_pointer, Event>,
                                               registry_of<rio::snapshot::rcu, Event>,
#ifndef REGISTRY_IO_TEST_TSAN
                                               registry_of<rio::snapshot::atomic_shared_ptr, Event>,
#endif
                                               registry_of<rio::snapshot::locked, Event>>;

/// One for each hosted snapshot policy.
template <class Event = event>
using registries = boost::mp11::mp_push_back<shared_registries<Event>,
                                             registry_of<rio::snapshot::single_thread, Event>>;

/// Counts how many captures that hold its token are alive.
struct probe
{
    std::shared_ptr<int> token = std::make_shared<int>(0);
    long alive() const { return token.use_count() - 1; }
};

/// Runs `f(i)` on `n` threads that start at the same moment.
template <class F>
void race(int n, F f)
{
    std::atomic<int> waiting{n};
    std::vector<std::thread> all;
    for (int i = 0; i < n; ++i)
        all.emplace_back([&, i] {
            --waiting;
            while (waiting != 0)
                std::this_thread::yield();
            f(i);
        });
    for (std::thread& t : all)
        t.join();
}

/// Whether `f` is refused because it would wait for itself.
template <class F>
bool deadlock_refused(F f)
{
    try {
        f();
    } catch (std::system_error const& e) {
        return e.code() == std::errc::resource_deadlock_would_occur;
    }
    return false;
}

}  // namespace test

#endif
