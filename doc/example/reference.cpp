// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Examples for the reference that do not occur in a guide.

#include <registry_io.hpp>
#include <registry_io/async/pmr_frames.hpp>
#include <registry_io/presets/async.hpp>
#include <registry_io/presets/firmware.hpp>
#include <registry_io/queued/deferred.hpp>

#include <cstdlib>
#include <exception>
#include <iostream>
#include <memory>
#include <memory_resource>
#include <new>
#include <string>

#include <boost/core/lightweight_test.hpp>

namespace rio = registry_io;

namespace {

void snapshots()
{
    // tag::locked[]
    rio::SyncRegistry<int>::with<rio::snapshot::locked> locked;
    // end::locked[]
    // tag::atomic_shared_ptr[]
    rio::SyncRegistry<int>::with<rio::snapshot::atomic_shared_ptr> shared;
    // end::atomic_shared_ptr[]
    // tag::prompt[]
    using prompt = rio::snapshot::basic_hazard_pointer<rio::reclaim::prompt>;
    rio::SyncRegistry<int>::with<prompt> same_as_sync;
    // end::prompt[]
    // tag::batched[]
    using batched = rio::snapshot::basic_hazard_pointer<rio::reclaim::batched<64>>;
    rio::SyncRegistry<int>::with<batched> often_changed;
    // end::batched[]
    // tag::by_writers[]
    using by_writers = rio::snapshot::basic_hazard_pointer<rio::reclaim::by_writers>;
    rio::SyncRegistry<int>::with<by_writers> with_deadlines;
    // end::by_writers[]
    BOOST_TEST(locked.empty() && shared.empty() && same_as_sync.empty());
    BOOST_TEST(often_changed.empty() && with_deadlines.empty());
}

// tag::barrier[]
struct network;  // names a domain

void end_of_a_memory_resource()
{
    std::pmr::synchronized_pool_resource memory;
    {
        rio::SyncRegistry<int>::with<rio::snapshot::basic_rcu<network>, rio::alloc::pmr> packets{
            rio::alloc::pmr(&memory)};
        packets.register_handler([text = std::string("captured")](int) {});
    }
    rio::snapshot::rcu_barrier<network>();  // everything that was removed has been freed
}
// end::barrier[]

void orderings()
{
    // tag::descending[]
    using by_name = rio::ordering::basic_priority<std::string, rio::ordering::descending>;
    rio::SyncRegistry<int>::with<by_name> r;
    std::string order;
    r.register_handler("a", [&](int) { order += "a"; });
    r.register_handler("b", [&](int) { order += "b"; });
    r.notify(0);
    BOOST_TEST_EQ(order, "ba");
    // end::descending[]
}

// tag::trap[]
[[noreturn]] void my_fault(char const* /*reason*/)
{
    std::abort();  // or reset the device
}
using samples = rio::FirmwareRegistry<int, 8>::with<rio::panic::basic_trap<&my_fault>>;
// end::trap[]

// tag::intrusive[]
using driver_events = rio::FirmwareRegistry<int, 1>::with<rio::alloc::intrusive>;

constinit driver_events events;
constinit driver_events::static_handler_node mine;  // belongs to one driver
int last = 0;

void start_driver()
{
    events.register_handler(mine, 7, [](int n) { last = n; });
}
// end::intrusive[]

// tag::writer[]
struct main_loop
{
    static bool is_here() noexcept { return true; }  // real code asks the processor
};
using main_loop_events =
    rio::FirmwareRegistry<int, 4>::with<rio::snapshot::basic_interrupt_safe<main_loop>>;
// end::writer[]

void firmware()
{
    static samples s;
    BOOST_TEST(s.empty());
    start_driver();
    events.notify(3);
    BOOST_TEST_EQ(last, 3);
    static main_loop_events m;
    BOOST_TEST(static_cast<bool>(m.register_handler([](int) {})));
}

// tag::full[]
int dropped = 0;
void on_full(int const&)
{
    ++dropped;
}

void post_and_drain()
{
    rio::LocalRegistry<int> readings;
    int sum = 0;
    readings.register_handler([&](int n) { sum += n; });

    rio::queued::deferred<int, 2, rio::queued::call<&on_full>> queue;
    queue.post(1);  // usually in an interrupt
    queue.post(2);
    BOOST_TEST(!queue.post(3));  // full: on_full(3) was called
    queue.drain(readings);       // in the main loop
    BOOST_TEST_EQ(sum, 3);
    BOOST_TEST_EQ(dropped, 1);
}
// end::full[]

// tag::closed[]
// In zero-initialised memory: no constructor runs. Posts before open() are dropped and counted.
constinit rio::queued::deferred<int, 4, rio::queued::discard> at_namespace_scope{
    rio::queued::closed};
// end::closed[]

// tag::frame_memory[]
class counted_frames final : public rio::async::frame_memory
{
public:
    void* allocate(std::size_t size) override
    {
        ++taken;
        return ::operator new(size);
    }
    void deallocate(void* p, std::size_t) noexcept override { ::operator delete(p); }

    int taken = 0;
};
// end::frame_memory[]

void frames()
{
    // tag::pmr_frames[]
    rio::AsyncRegistry<int> r;
    r.register_handler([](int) -> rio::async::task<> { co_return; });

    std::pmr::unsynchronized_pool_resource memory;  // one thread runs the handlers here
    rio::async::pmr_frames in_memory(&memory);
    int const event = 1;
    rio::async::sync_wait(r.notify(event, rio::async::environment(in_memory)));
    // end::pmr_frames[]

    counted_frames counted;
    rio::async::sync_wait(r.notify(event, rio::async::environment(counted)));
    BOOST_TEST_EQ(counted.taken, 1);
}

void environment_of_a_task()
{
    // tag::this_environment[]
    auto const stopped = []() -> rio::async::task<bool> {
        rio::async::environment const& env = co_await rio::async::this_environment;
        co_return env.stop().stop_requested();
    };
    BOOST_TEST(!rio::async::sync_wait(stopped()));
    // end::this_environment[]
}

// tag::abandoned[]
template <class Registry>
void count_abandoned(Registry& r, int& n)
{
    r.on_panic([&n](rio::panic_info const& info) {
        try {
            std::rethrow_exception(info.exception());
        } catch (rio::async::abandoned const&) {
            ++n;  // the coroutine that awaited the notify was destroyed
        } catch (std::exception const& e) {
            std::cerr << e.what() << '\n';
        }
    });
}
// end::abandoned[]

// tag::concepts[]
static_assert(rio::snapshot_policy<rio::snapshot::rcu>);
static_assert(rio::ordering_policy<rio::ordering::fifo>);
static_assert(rio::panic_policy<rio::panic::catch_log>);
static_assert(rio::alloc_policy<rio::alloc::heap>);
static_assert(rio::policy_of<rio::alloc::heap, rio::axis::alloc>);
// end::concepts[]

}  // namespace

int main()
{
    snapshots();
    end_of_a_memory_resource();
    orderings();
    firmware();
    post_and_drain();
    frames();
    environment_of_a_task();
    rio::AsyncRegistry<int> r;
    int abandoned = 0;
    count_abandoned(r, abandoned);
    BOOST_TEST(!at_namespace_scope.post(1));
    // tag::version[]
    BOOST_TEST_EQ(std::string(rio::version()), REGISTRY_IO_VERSION_STRING);
    // end::version[]
    return boost::report_errors();
}
