// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)

// Between the library's coroutines and Boost.Asio.

#include <atomic>
#include <chrono>
#include <exception>
#include <future>
#include <stdexcept>
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

namespace {

namespace asio = boost::asio;
namespace async = registry_io::async;
namespace panic = registry_io::panic;
using registry_io::AsyncRegistry;
using test::task;

/// An operation that completes at once, with what it is given.
template <class Signature, class Token, class... Values>
auto complete_with(asio::any_io_executor e, Token&& token, Values... values)
{
    return asio::async_initiate<Token, Signature>(
        [](auto handler, asio::any_io_executor executor, auto... v) {
            asio::post(executor, [h = std::move(handler), v...]() mutable { std::move(h)(v...); });
        },
        token, std::move(e), std::move(values)...);
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
            // The task's environment has the strand: it is resumed there, though it waited for
            // another one.
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
