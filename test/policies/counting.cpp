// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The snapshot policies whose readers count themselves in the root, one condition after another.

#include <boost/mp11/list.hpp>
#include <boost/test/unit_test.hpp>

#include <system_error>
#include <utility>
#include <vector>

#include <registry_io/ordering/priority.hpp>
#include <registry_io/panic/terminate.hpp>
#include <registry_io/registry.hpp>
#include <registry_io/snapshot/atomic_shared_ptr.hpp>
#include <registry_io/snapshot/locked.hpp>
#include <registry_io/snapshot/single_thread.hpp>

#include <registry_io/alloc/heap.hpp>
#include <registry_io/reclaim/counting.hpp>

#include "policies/played_env.hpp"

namespace {

namespace rio = registry_io;
namespace snapshot = registry_io::snapshot;
namespace reclaim = registry_io::reclaim;

struct event
{
};
template <class Snapshot>
using registry = rio::basic_registry<event, Snapshot, rio::ordering::priority,
                                     rio::panic::terminate, rio::alloc::heap>;
using registries =
    boost::mp11::mp_list<registry<snapshot::single_thread>, registry<snapshot::locked>,
                         registry<snapshot::atomic_shared_ptr>>;

/// Whether a wait is refused because it would wait for itself.
template <class Registry>
bool is_refused(Registry& r)
{
    try {
        r.synchronize();
    } catch (std::system_error const&) {
        return true;
    }
    return false;
}

// CONTRACT: unregister inside a handler: that notify finishes its snapshot, the removed handlers
// included; register inside a handler: the new one fires from the next notify on.
BOOST_AUTO_TEST_CASE_TEMPLATE(changes_inside_of_a_handler_leave_the_running_snapshot_as_it_is,
                              Registry, registries)
{
    // A flat table, and one in chunks, which tables share.
    for (std::size_t const n : {8u, 1000u}) {
        Registry r;
        std::vector<int> called(n);
        std::vector<rio::handler_id> ids;
        int added = 0;
        bool has_changed = false;
        r.register_handler([&](event const&) {
            if (std::exchange(has_changed, true))
                return;
            // The first change copies the parts that it changes. The next changes find a table that
            // no reader holds, but which shares parts with the table that is read.
            for (std::size_t i = 0; i < n; i += n / 8)
                BOOST_TEST(r.unregister(ids[i]));
            for (int i = 0; i < 3; ++i)
                r.register_handler(-1, [&](event const&) { ++added; });
        });
        for (std::size_t i = 0; i < n; ++i)
            ids.push_back(r.register_handler([&called, i](event const&) { ++called[i]; }));
        r.notify({});
        BOOST_TEST(added == 0);
        BOOST_TEST((called == std::vector<int>(n, 1)));
        r.notify({});
        BOOST_TEST(added == 3);
        for (std::size_t i = 0; i < n; ++i)
            BOOST_TEST(called[i] == (i % (n / 8) == 0 ? 1 : 2));
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_wait_is_refused_inside_of_a_handler_and_of_a_destructor, Registry,
                              registries)
{
    struct capture
    {
        explicit capture(bool& r, Registry& of) : refused(&r), owner(&of) {}
        capture(capture&& other) noexcept
            : refused(std::exchange(other.refused, nullptr)), owner(other.owner)
        {
        }
        capture& operator=(capture&&) = delete;
        ~capture()
        {
            if (refused != nullptr)
                *refused = is_refused(*owner);
        }
        void operator()(event const&) const {}
        bool* refused;
        Registry* owner;
    };
    Registry r;
    bool in_destructor = false;
    std::vector<bool> refused;
    BOOST_TEST(!is_refused(r));
    rio::handler_id const id = r.register_handler(capture(in_destructor, r));
    r.register_handler([&](event const&) {
        refused.push_back(is_refused(r));
        // From now on, the table that is read is not the current one.
        r.register_handler(1, [](event const&) {});
        refused.push_back(is_refused(r));
    });
    r.notify({});
    BOOST_TEST((refused == std::vector<bool>{true, true}));
    BOOST_TEST(!is_refused(r));
    BOOST_TEST(r.unregister(id));
    BOOST_TEST(in_destructor);
    BOOST_TEST(!is_refused(r));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(captures_are_destroyed_when_no_reader_can_see_them, Registry,
                              registries)
{
    struct capture
    {
        explicit capture(int& n) : gone(&n) {}
        capture(capture&& other) noexcept : gone(std::exchange(other.gone, nullptr)) {}
        capture& operator=(capture&&) = delete;
        ~capture()
        {
            if (gone != nullptr)
                ++*gone;
        }
        void operator()(event const&) const {}
        int* gone;
    };
    int gone = 0;
    Registry r;
    rio::handler_id ids[2] = {r.register_handler(capture(gone)), r.register_handler(capture(gone))};
    r.notify({});
    BOOST_TEST(r.unregister(ids[0]));
    BOOST_TEST(gone == 1);
    bool done = false;
    r.register_handler(1, [&](event const&) {
        if (std::exchange(done, true))
            return;
        BOOST_TEST(r.unregister(ids[1]));
        BOOST_TEST(gone == 1);
    });
    r.notify({});
    BOOST_TEST(gone == 2);
}

// The writer of these policies, in an environment in which one thread plays all threads.

struct played_root : reclaim::counted_root<test::played_env>
{
    played_root()
    {
        attach(late);
        late.destroy = [](rio::garbage*) noexcept {};
    }
    late_part late;
};

struct played_store
{
    static constexpr bool in_place = false;
    played_root* get() const noexcept { return current; }
    bool unread(played_root const& r) const noexcept { return r.holders() == 1; }
    void exchange(played_root* next) noexcept { current = next; }
    played_root* current = nullptr;
};

// CONTRACT: synchronize returns when every notify that had taken its snapshot has ended.
BOOST_AUTO_TEST_CASE(a_wait_after_a_change_is_signalled)
{
    using source = rio::alloc::basic_heap<>::source;
    using writer = reclaim::counting_writer<test::played_env, played_root, played_store, source>;
    played_store s;
    rio::alloc::basic_heap<> memory;
    writer w(s, memory.get_source());
    played_root roots[2];
    auto const publishes = [&](played_root& next, writer::completion* wait) {
        writer::retirement r = w.reserve({}, wait, [] {});
        w.publish(&next, r, [](rio::garbage_list&) {});
        r.finish();
    };
    publishes(roots[0], nullptr);
    roots[0].enter();
    writer::completion done;
    publishes(roots[1], &done);
    bool has_left = false;
    test::played_env::meanwhile = [&] {
        roots[0].leave();
        has_left = true;
    };
    // Ends the program if nothing signals it.
    done.wait();
    BOOST_TEST(has_left);
    rio::garbage_list nothing;
    w.close(nothing);
}

}  // namespace
