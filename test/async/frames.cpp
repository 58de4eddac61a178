// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Where coroutine frames come from, and how many allocations a notify may make.

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory_resource>
#include <new>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/mp11.hpp>
#include <boost/test/unit_test.hpp>

#include <registry_io/async/pmr_frames.hpp>
#include <registry_io/presets/async.hpp>

#include "async/support.hpp"
#include "memory.hpp"

namespace {

namespace async = registry_io::async;
using registry_io::AsyncRegistry;
using registry_io::panic_info;
using test::gate;
using test::modes;
using test::task;

/// Frames are not recycled under AddressSanitizer, so that it can find uses after their end.
constexpr bool recycled = async::detail::frames_recycled;

/// Suspends, and is resumed at once.
struct turn_round
{
    bool await_ready() const noexcept { return false; }
    bool await_suspend(std::coroutine_handle<>) const noexcept { return false; }
    void await_resume() const noexcept {}
};

}  // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(once_warm_an_async_notify_allocates_nothing, Mode, modes)
{
    for (int handlers : {1, 16, 200}) {
        AsyncRegistry<int> r;
        long sum = 0;
        auto const one = [](int const& e) -> task<int> { co_return e; };
        for (int i = 0; i < handlers; ++i)
            switch (i % 4) {
            case 0:  // ends at once
                r.register_handler([&](int const& e) -> task<> {
                    sum += e;
                    co_return;
                });
                break;
            case 1:  // waits once
                r.register_handler([&](int const& e) -> task<> {
                    co_await turn_round{};
                    sum += e;
                });
                break;
            case 2:  // has a task of its own
                r.register_handler([&](int const& e) -> task<> { sum += co_await one(e); });
                break;
            case 3:
                r.register_handler([&](int const& e) { sum += e; });
                break;
            }
        std::uint64_t allocated = 0;
        auto const loop = [&]() -> task<> {
            int const e = 1;
            for (int i = 0; i < 3; ++i)
                co_await Mode::notify(r, e);
            std::uint64_t const before = test::allocations();
            for (int i = 0; i < 100; ++i)
                co_await Mode::notify(r, e);
            allocated = test::allocations() - before;
        };
        async::sync_wait(loop());
        BOOST_TEST(sum == 103 * handlers);
        if (recycled)
            BOOST_TEST(allocated == 0u);
    }
}

BOOST_AUTO_TEST_CASE(what_a_thread_allocates_and_another_frees_is_bounded)
{
    if (!recycled)
        return;
    // Counts the allocations of the frames alone, without the other memory of a thread.
    constexpr int rounds = 200;
    constexpr int frames = 100;
    std::uint64_t allocated_late = 0;
    for (int i = 0; i < rounds; ++i) {
        std::uint64_t const before = test::allocations();
        void* taken[frames];
        for (void*& p : taken)
            p = async::detail::allocate_frame(500);
        std::uint64_t const here = test::allocations() - before;
        if (i >= rounds / 2)
            allocated_late += here;
        std::thread([&] {
            for (void* p : taken)
                async::detail::deallocate_frame(p, 500);
        }).join();
    }
    // The other thread keeps at most two bundles of 32 frames, and returns them when it exits. All
    // other frames come back to this thread.
    BOOST_TEST(allocated_late <= static_cast<std::uint64_t>(rounds / 2 * 64));
    BOOST_TEST(allocated_late < static_cast<std::uint64_t>(rounds / 2 * frames));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(frames_come_from_the_memory_of_the_environment, Mode, modes)
{
    AsyncRegistry<int> r;
    test::counting_resource resource;
    async::pmr_frames memory(&resource);
    gate wait;
    std::int64_t in_use = 0;
    // Hides the coroutine behind a std::function, so that the compiler cannot merge its frame into
    // its caller's.
    std::function<task<>()> const sub = [&]() -> task<> {
        co_await wait;
        in_use = resource.blocks();
    };
    r.register_handler([&](int) -> task<> {
        co_await turn_round{};
        co_await sub();  // made after the handler has waited: the memory is the same
    });
    int const e = 1;
    {
        auto caller = test::drive([&] { return Mode::notify(r, e, async::environment(memory)); });
        BOOST_TEST(resource.blocks() == 2);
        // Other coroutines on this thread are not affected: neither a task that is made here,
        task<> const outside = [](int) -> task<> { co_return; }(e);
        BOOST_TEST(resource.blocks() == 2);
        // nor another notify.
        AsyncRegistry<int> other;
        other.register_handler([&](int) -> task<> { co_return; });
        async::sync_wait(Mode::notify(other, e));
        BOOST_TEST(resource.blocks() == 2);
        wait.open();
        BOOST_TEST(caller.done());
    }
    BOOST_TEST(in_use == 2);
    BOOST_TEST(resource.blocks() == 0);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(frames_in_place_are_bounded_and_a_handler_without_one_has_failed,
                              Mode, modes)
{
    AsyncRegistry<int> r;
    gate wait;
    int ran = 0;
    std::vector<std::string> told;
    r.on_panic([&](panic_info const& p) { told.emplace_back(p.message()); });
    for (int i = 0; i < 4; ++i)
        r.register_handler([&](int) -> task<> {
            co_await wait;
            ++ran;
        });
    int const e = 1;
    async::fixed_frames<1024, 3> memory;
    {
        auto caller = test::drive([&] { return Mode::notify(r, e, async::environment(memory)); });
        wait.open();
        BOOST_TEST(caller.done());
    }
    BOOST_TEST(memory.in_use() == 0u);
    // In turn, frames are kept until the notify ends as well.
    BOOST_TEST(ran == 3);
    BOOST_TEST(told.size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_frame_that_cannot_be_allocated_is_a_failure_of_its_handler)
{
    AsyncRegistry<int> r;
    int ran = 0;
    std::vector<panic_info> told;
    told.reserve(8);
    r.on_panic([&](panic_info const& p) { told.push_back(p); });
    // Larger than the frames that are recycled.
    struct large
    {
        char volatile bytes[4096];
    };
    r.register_handler([&](int) -> task<> {
        large l;
        l.bytes[0] = 1;
        asm volatile("" : : "r"(&l) : "memory");  // keeps the whole object in the frame
        co_await turn_round{};
        ran += l.bytes[0];
    });
    r.register_handler([&](int) { ran += 10; });
    int const e = 1;
    auto n = r.notify(e);
    bool ready = false;
    bool failed = false;
    {
        test::failing_allocation const first(0);
        ready = n.await_ready();
        failed = first.has_failed();
    }
    BOOST_TEST(failed);
    BOOST_TEST(ready);
    BOOST_TEST(ran == 10);
    BOOST_TEST_REQUIRE(told.size() == 1u);
    BOOST_CHECK_THROW(std::rethrow_exception(told[0].exception()), std::bad_alloc);
}

namespace {

/// Aligned as strictly as frames are. Counts the objects that are misaligned.
struct alignas(async::frame_alignment) aligned
{
    aligned() noexcept { look(); }
    explicit aligned(int i) noexcept : n(i) { look(); }
    aligned(aligned const& o) noexcept : n(o.n) { look(); }
    aligned& operator=(aligned const& o) noexcept
    {
        n = o.n;
        look();
        return *this;
    }
    ~aligned() { look(); }

    void look() const noexcept
    {
        // volatile: otherwise the compiler would assume the alignment, and not check it.
        std::uintptr_t const volatile address = reinterpret_cast<std::uintptr_t>(this);
        wrong += address % async::frame_alignment != 0;
        ++seen;
    }

    bool await_ready() const noexcept
    {
        look();
        return false;
    }
    bool await_suspend(std::coroutine_handle<>) const noexcept
    {
        look();
        return false;
    }
    aligned await_resume() const noexcept { return *this; }

    int n = 0;
    static inline int wrong = 0;
    static inline int seen = 0;
};

/// A coroutine with an `aligned` as its parameter, local variable, operand and result.
task<aligned> pass_on(char, aligned a, gate& wait)
{
    char volatile odd[3] = {};
    aligned local(a.n + odd[0]);
    co_await wait;
    local.look();
    a.look();
    co_return co_await aligned(local.n + 1);
}

}  // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(whatever_a_coroutine_holds_is_aligned_as_frames_are, Mode, modes)
{
    async::fixed_frames<2048, 16> places;
    async::pmr_frames resource(std::pmr::new_delete_resource());
    async::frame_memory* const memories[] = {nullptr, &places, &resource};
    for (async::frame_memory* const memory : memories) {
        AsyncRegistry<int> r;
        gate wait;
        int sum = 0;
        // One as a capture, and one as the awaitable that a handler returns.
        r.register_handler([&, capture = aligned(1)](int) -> task<> {
            capture.look();
            aligned const a = co_await pass_on('a', capture, wait);
            a.look();
            sum += a.n;
        });
        r.register_handler([](int) { return aligned(2); });
        int const e = 1;
        {
            auto const env = memory != nullptr ? async::environment(*memory) : async::environment();
            auto const caller = test::drive([&] { return Mode::notify(r, e, env); });
            wait.open();
            BOOST_TEST_REQUIRE(caller.done());
        }
        BOOST_TEST(sum == 2);
        BOOST_TEST(async::sync_wait(pass_on('a', aligned(2), wait)).n == 3);
        BOOST_TEST(async::sync_wait(aligned(3)).n == 3);
    }
    BOOST_TEST(aligned::seen > 0);
    BOOST_TEST(aligned::wrong == 0);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_event_may_be_aligned_as_frames_are, Mode, modes)
{
    // next() copies the event when it returns it.
    AsyncRegistry<aligned> r;
    int got = 0;
    // The coroutine runs in a handler: the frame of a foreign coroutine is not aligned like this,
    // and neither is the frame of a task that the compiler has merged into it.
    AsyncRegistry<int> starter;
    starter.register_handler([&](int) -> task<> {
        auto const e = co_await r.next();
        e->look();
        got += e->n;
    });
    int const now = 0;
    auto const listening = test::drive([&] { return starter.notify(now); });
    r.register_handler([&](aligned const& e) -> task<> {
        aligned const local = e;
        local.look();
        got += local.n;
        co_return;
    });
    aligned const e(4);
    async::sync_wait(Mode::notify(r, e));
    BOOST_TEST(listening.done());
    BOOST_TEST(got == 8);
    BOOST_TEST(aligned::wrong == 0);
}

BOOST_AUTO_TEST_CASE(threads_come_and_go_with_frames)
{
    AsyncRegistry<int> r;
    for (int i = 0; i < 4; ++i)
        r.register_handler([](int) -> task<> { co_return; });
    for (int i = 0; i < 200; ++i)
        std::thread([&] {
            int const e = 1;
            async::sync_wait(r.notify(e));
        }).join();
    BOOST_TEST(r.size() == 4u);
}
