// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Tests of the library's coroutines together with Boost.Asio.

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <future>
#include <memory>
#include <new>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/execution/blocking.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/test/unit_test.hpp>

#include <registry_io/async/asio.hpp>
#include <registry_io/panic/collect.hpp>
#include <registry_io/panic/propagate.hpp>
#include <registry_io/presets/async.hpp>

#include "async/support.hpp"
#include "memory.hpp"
#include "process/child.hpp"

namespace {

namespace asio = boost::asio;
namespace async = registry_io::async;
namespace panic = registry_io::panic;
using registry_io::AsyncRegistry;
using test::gate;
using test::task;

/// An operation that completes at once, with the given values.
template <class Signature, class Token, class... Values>
auto complete_with(asio::any_io_executor e, Token&& token, Values... values)
{
    return asio::async_initiate<Token, Signature>(
        [](auto handler, asio::any_io_executor executor, auto... v) {
            asio::post(executor, [h = std::move(handler), v...]() mutable { std::move(h)(v...); });
        },
        token, std::move(e), std::move(values)...);
}

/// An executor of a context. It throws `bad_alloc` once it has accepted `left` functions.
class limited
{
public:
    limited(asio::io_context::executor_type e, int& left) : inner_(std::move(e)), left_(&left) {}

    template <class F>
    void execute(F f) const
    {
        if ((*left_)-- <= 0)
            throw std::bad_alloc();
        asio::any_io_executor const e(inner_);
        e.execute(std::move(f));
    }
    asio::execution_context& query(asio::execution::context_t) const noexcept
    {
        return inner_.context();
    }
    static constexpr asio::execution::blocking_t query(asio::execution::blocking_t) noexcept
    {
        return asio::execution::blocking.never;
    }
    limited require(asio::execution::blocking_t::never_t) const { return *this; }
    bool operator==(limited const& o) const noexcept { return left_ == o.left_; }
    bool operator!=(limited const& o) const noexcept { return left_ != o.left_; }

private:
    asio::io_context::executor_type inner_;
    int* left_;
};

/// Awaits `operation()` in a handler that is notified in the environment `env`.
template <class Operation>
test::foreign in_environment(AsyncRegistry<int>& r, async::environment env, Operation operation)
{
    r.register_handler([operation](int const&) -> task<> { co_await operation(); });
    int const e = 1;
    co_await r.notify(e, std::move(env));
}

}  // namespace

BOOST_AUTO_TEST_CASE(an_asio_coroutine_awaits_a_notify)
{
    asio::io_context io;
    AsyncRegistry<int> r;
    AsyncRegistry<int>::with<panic::collect<>> collecting;
    AsyncRegistry<int>::with<panic::propagate> throwing;
    std::string order;
    asio::steady_timer later(io);
    r.register_handler([&](int const& e) -> task<> {
        later.expires_after(std::chrono::milliseconds(1));
        co_await later.async_wait(async::use_task);
        order += "a" + std::to_string(e);
    });
    r.register_handler([&](int const&) -> task<> {
        co_await asio::post(io.get_executor(), async::use_task);
        order += "b";
    });
    auto const fail = [](int const&) -> task<> {
        throw std::runtime_error("x");
        co_return;
    };
    collecting.register_handler(fail);
    throwing.register_handler(fail);
    bool ended = false;
    asio::co_spawn(
        io,
        [&]() -> asio::awaitable<void> {
            int const e = 1;
            co_await async::async_notify(r, e, asio::use_awaitable);
            order += " ";
            co_await async::async_notify_sequential(r, e, asio::use_awaitable);
            auto const failed = co_await async::async_notify(collecting, e, asio::use_awaitable);
            BOOST_TEST(failed.size() == 1u);
            bool thrown = false;
            try {
                co_await async::async_notify(throwing, e, asio::use_awaitable);
            } catch (std::runtime_error const&) {
                thrown = true;
            }
            BOOST_TEST(thrown);
            int const n = co_await async::async_run([](int m) -> task<int> { co_return m + 1; }(6),
                                                    asio::use_awaitable);
            BOOST_TEST(n == 7);
            ended = true;
        },
        asio::detached);
    io.run();
    BOOST_TEST(ended);
    BOOST_TEST(order == "ba1 a1b");
}

BOOST_AUTO_TEST_CASE(a_notify_takes_any_completion_token)
{
    asio::io_context io;
    AsyncRegistry<int> r;
    int calls = 0;
    r.register_handler([&](int const&) { ++calls; });
    int const e = 1;
    bool inside = true;
    bool called = false;
    async::async_notify(r, e, asio::bind_executor(io.get_executor(), [&](std::exception_ptr p) {
                            BOOST_TEST((p == nullptr));
                            BOOST_TEST(!inside);  // never in the function that starts it
                            called = true;
                        }));
    inside = false;
    BOOST_TEST(calls == 1);
    io.run();
    BOOST_TEST(called);

    io.restart();
    std::future<void> f =
        async::async_notify(r, e, asio::bind_executor(io.get_executor(), asio::use_future));
    io.run();
    f.get();
    BOOST_TEST(calls == 2);
}

BOOST_AUTO_TEST_CASE(a_task_awaits_what_asio_starts)
{
    asio::io_context io;
    auto const ex = io.get_executor();
    bool ended = false;
    auto const body = [&]() -> task<> {
        using async::use_task;
        co_await complete_with<void()>(ex, use_task);
        int const n = co_await complete_with<void(int)>(ex, use_task, 5);
        BOOST_TEST(n == 5);
        std::tuple<int, std::string> const t =
            co_await complete_with<void(int, std::string)>(ex, use_task, 1, std::string("s"));
        BOOST_TEST(std::get<1>(t) == "s");
        boost::system::error_code const none;
        int const m =
            co_await complete_with<void(boost::system::error_code, int)>(ex, use_task, none, 6);
        BOOST_TEST(m == 6);
        int caught = 0;
        try {
            boost::system::error_code const bad(1, boost::system::generic_category());
            co_await complete_with<void(boost::system::error_code)>(ex, use_task, bad);
        } catch (boost::system::system_error const&) {
            ++caught;
        }
        try {
            co_await complete_with<void(std::exception_ptr)>(
                ex, use_task, std::make_exception_ptr(std::runtime_error("x")));
        } catch (std::runtime_error const&) {
            ++caught;
        }
        BOOST_TEST(caught == 2);
        ended = true;
    };
    async::async_run(body(), asio::bind_executor(ex, asio::detached));
    io.run();
    BOOST_TEST(ended);
}

BOOST_AUTO_TEST_CASE(what_is_asked_to_stop_through_asio_stops)
{
    asio::io_context io;
    AsyncRegistry<int> r;
    std::vector<std::string> told;
    r.on_panic([&](registry_io::panic_info const& p) {
        try {
            std::rethrow_exception(p.exception());
        } catch (boost::system::system_error const& x) {
            told.push_back(x.code() == asio::error::operation_aborted ? "aborted" : "?");
        }
    });
    asio::steady_timer first(io);
    asio::steady_timer second(io);
    r.register_handler([&](int const&) -> task<> {
        first.expires_after(std::chrono::hours(1));
        co_await first.async_wait(async::use_task);
    });
    r.register_handler(
        async::asio_handler(io.get_executor(), [&](int const&) -> asio::awaitable<void> {
            second.expires_after(std::chrono::hours(1));
            co_await second.async_wait(asio::use_awaitable);
        }));
    int const e = 1;
    asio::cancellation_signal signal;
    bool called = false;
    async::async_notify(
        r, e,
        asio::bind_cancellation_slot(
            signal.slot(),
            asio::bind_executor(io.get_executor(), [&](std::exception_ptr) { called = true; })));
    asio::post(io, [&] { signal.emit(asio::cancellation_type::terminal); });
    io.run();
    BOOST_TEST(called);
    BOOST_TEST(told == (std::vector<std::string>{"aborted", "aborted"}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(callers_on_a_strand_are_resumed_there)
{
    asio::io_context io;
    auto strand = asio::make_strand(io);
    auto other = asio::make_strand(io);
    AsyncRegistry<int> r;
    for (int i = 0; i < 4; ++i)
        r.register_handler([&](int const&) -> task<> {
            co_await asio::post(other, async::use_task);
            // The task's environment names the strand: the task is resumed there although it waited
            // for another strand.
            BOOST_ASSERT(strand.running_in_this_thread());
        });
    int resumed = 0;  // not atomic: the strand protects it
    for (int i = 0; i < 50; ++i)
        asio::co_spawn(
            strand,
            [&]() -> asio::awaitable<void> {
                int const e = 1;
                for (int k = 0; k < 20; ++k) {
                    co_await async::async_notify(r, e, asio::use_awaitable);
                    BOOST_ASSERT(strand.running_in_this_thread());
                    ++resumed;
                }
            },
            asio::detached);
    {
        std::jthread const second([&] { io.run(); });
        io.run();
    }
    BOOST_TEST(resumed == 1000);
}

BOOST_AUTO_TEST_CASE(an_executor_may_throw_instead_of_resuming_who_awaits_an_asio_operation)
{
    asio::io_context io;
    test::refusing executor;
    AsyncRegistry<int> r;
    bool ended = false;
    int caught = 0;
    auto const caller =
        in_environment(r, async::environment(async::executor_ref::to(executor)), [&]() -> task<> {
            try {
                co_await asio::post(io.get_executor(), async::use_task);
            } catch (test::refusing::refused const&) {
                ++caught;
            }
            try {
                co_await complete_with<void(int)>(io.get_executor(), async::use_task, 1);
            } catch (test::refusing::refused const&) {
                ++caught;
            }
            ended = true;
        });
    io.run();
    BOOST_TEST(caught == 2);
    BOOST_TEST(ended);
    BOOST_TEST_REQUIRE(caller.done());
    // The executor also threw when it was asked to resume the coroutine that awaits the notify.
    BOOST_CHECK_THROW(std::rethrow_exception(caller.thrown()), test::refusing::refused);
    BOOST_TEST(executor.asked == 3);
}

BOOST_AUTO_TEST_CASE(an_asio_executor_may_throw_instead_of_starting_an_operation_or_resuming)
{
    // The executor is asked four times: to start an operation, to end it, to end the second
    // operation, and to resume the coroutine that awaits the notify.
    for (int n = 0; n < 5; ++n) {
        asio::io_context io;
        int left = n;
        asio::any_io_executor any{limited(io.get_executor(), left)};
        std::stop_source stop;
        AsyncRegistry<int> r;
        int started = 0;
        std::vector<std::exception_ptr> told;
        r.on_panic([&](registry_io::panic_info const& p) { told.push_back(p.exception()); });
        int alive = 0;
        bool thrown_out = false;
        {
            auto const caller = in_environment(
                r, async::environment(async::on(any), stop.get_token()), [&]() -> task<> {
                    test::trace const t(alive);
                    ++started;
                    co_await asio::post(any, async::use_task);
                    co_await asio::post(io.get_executor(), async::use_task);
                });
            for (bool again = true; again;) {
                again = false;
                try {
                    io.run();
                } catch (std::bad_alloc const&) {
                    again = thrown_out = true;
                }
            }
            BOOST_TEST(started == 1);
            // If the start is refused, the handler has failed.
            BOOST_TEST(told.size() == (n == 0 ? 1u : 0u));
            // If an end is refused, the exception leaves `run`, and the awaiting coroutine is not
            // resumed.
            bool const lost = n == 1 || n == 2;
            BOOST_TEST(thrown_out == lost);
            BOOST_TEST_REQUIRE(caller.done() == !lost);
            BOOST_TEST((n == 3) == (n > 0 && !lost && caller.thrown() != nullptr));
        }
        BOOST_TEST(alive == 0);
        BOOST_TEST(told.size() == (n <= 2 ? 1u : 0u));
        r.synchronize();
    }
}

BOOST_AUTO_TEST_CASE(each_allocation_of_an_asio_operation_of_ours_may_fail)
{
    for (bool const in_turn : {false, true}) {
        long n = 0;
        for (bool failed = true; failed; ++n) {
            asio::io_context io;
            AsyncRegistry<int> r;
            asio::cancellation_signal signal;
            gate wait;
            int completed = 0;
            int told = 0;
            int alive = 0;
            r.on_panic([&](registry_io::panic_info const& p) {
                ++told;
                BOOST_CHECK_THROW(std::rethrow_exception(p.exception()), std::bad_alloc);
            });
            // This handler waits, so the completion is posted later.
            r.register_handler([&](int const&) -> task<> {
                test::trace const t(alive);
                co_await wait;
            });
            int const e = 1;
            auto const handler = [&] {
                return asio::bind_cancellation_slot(
                    signal.slot(),
                    asio::bind_executor(io.get_executor(),
                                        [&, t = std::make_shared<test::trace>(alive)](
                                            std::exception_ptr p) { completed += p == nullptr; }));
            };
            bool thrown = false;
            failed = false;
            {
                auto h = handler();
                test::failing_allocation const f(n);
                try {
                    if (in_turn)
                        async::async_notify_sequential(r, e, std::move(h));
                    else
                        async::async_notify(r, e, std::move(h));
                } catch (std::bad_alloc const&) {
                    thrown = true;
                }
                failed = f.has_failed();
            }
            BOOST_TEST((thrown || told == 1) == failed);
            // A notify that threw has not begun, and nothing of it remains.
            if (thrown) {
                BOOST_TEST(told == 0);
                BOOST_TEST(alive == 0);
                BOOST_TEST(wait.waiting() == 0u);
            }
            signal.emit(asio::cancellation_type::terminal);
            wait.open();
            io.run();
            BOOST_TEST(completed == (thrown ? 0 : 1));
            BOOST_TEST(alive == 0);
            r.synchronize();
        }
        BOOST_TEST(n > 2);  // at least the stop state; also frames, where they are not recycled
    }
}

BOOST_AUTO_TEST_CASE(a_completion_that_cannot_be_posted_ends_the_program)
{
    int const outcome = process::in_child([] {
        process::silence();
        std::set_terminate([] { std::_Exit(77); });
        asio::io_context io;
        int left = 0;
        AsyncRegistry<int> r;
        int const e = 1;
        async::async_notify(
            r, e, asio::bind_executor(limited(io.get_executor(), left), [](std::exception_ptr) {}));
        return 0;
    });
    BOOST_TEST(outcome == 77);
}

BOOST_AUTO_TEST_CASE(who_waits_for_asio_may_go_when_the_context_has_gone)
{
    for (bool const stops : {false, true}) {
        auto io = std::make_unique<asio::io_context>();
        asio::any_io_executor any(io->get_executor());
        std::stop_source stop;
        AsyncRegistry<int> r;
        int told = 0;
        int alive = 0;
        r.on_panic([&](registry_io::panic_info const& p) {
            ++told;
            BOOST_CHECK_THROW(std::rethrow_exception(p.exception()), async::abandoned);
        });
        {
            auto const env = async::environment(async::on(any), stop.get_token());
            auto const caller = in_environment(r, env, [&]() -> task<> {
                test::trace const t(alive);
                co_await complete_with<void()>(io->get_executor(), async::use_task);
            });
            // The stop request is queued in the context and destroyed with it.
            if (stops)
                stop.request_stop();
            io.reset();
            BOOST_TEST(!caller.done());
            BOOST_TEST(alive == 1);
        }
        BOOST_TEST(told == 1);
        BOOST_TEST(alive == 0);
        any = nullptr;
    }
}
