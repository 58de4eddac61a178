// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// A notify or a task as an operation of Boost.Asio, for any completion token. A detached coroutine
// awaits it in the environment of the completion handler, and then posts the handler. Invariant:
// anything that can throw does so before the coroutine has begun.

#ifndef REGISTRY_IO_ASYNC_DETAIL_ASIO_INITIATION_HPP
#define REGISTRY_IO_ASYNC_DETAIL_ASIO_INITIATION_HPP

#include <registry_io/detail/supported.hpp>

#include <coroutine>
#include <exception>
#include <type_traits>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/core/no_exceptions_support.hpp>

#include <registry_io/async/awaitable.hpp>
#include <registry_io/async/detail/asio_executor.hpp>
#include <registry_io/async/detail/detached.hpp>
#include <registry_io/async/environment.hpp>
#include <registry_io/async/stop_token.hpp>
#include <registry_io/async/task.hpp>

namespace registry_io {
inline namespace v1 {
namespace async {
namespace detail {

/// A detached coroutine awaits this to set its context.
class standing
{
public:
    explicit standing(context const& c) noexcept : context_(c) {}
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> h) const noexcept
    {
        h.promise().belong(&context_);
        return false;
    }
    void await_resume() const noexcept {}

private:
    context const& context_;
};

/// The completion signature of an operation of this library, and the call of its handler.
template <class Result>
struct completion_of
{
    static_assert(
        !std::is_reference_v<Result> && std::is_default_constructible_v<Result> &&
            std::is_move_constructible_v<Result> && std::is_move_assignable_v<Result>,
        "registry_io: the result of a task that async_run starts must be an object with a "
        "default constructor that can be moved; a task that fails has no other result");

    using signature = void(std::exception_ptr, Result);
    using storage = Result;

    template <class Handler>
    static void call(Handler& h, std::exception_ptr e, storage& r)
    {
        std::move(h)(std::move(e), std::move(r));
    }
};
template <>
struct completion_of<void>
{
    using signature = void(std::exception_ptr);
    struct storage
    {
    };
    template <class Handler>
    static void call(Handler& h, std::exception_ptr e, storage&)
    {
        std::move(h)(std::move(e));
    }
};

/// Runs what `start()` returns for an Asio completion handler, in the handler's environment.
template <class Start, class Handler, class Slot>
detached run_for(Start start, Handler h, Slot slot, boost::asio::any_io_executor executor,
                 stop_token stop)
{
    using result = await_result<std::invoke_result_t<Start&>>;
    using completion = completion_of<result>;
    environment const env(executor_ref(&executor, asio_executor_operations), std::move(stop));
    context const here{&env, nullptr, nullptr};
    co_await standing(here);
    std::exception_ptr failed;
    typename completion::storage value{};
    BOOST_TRY
    {
        if constexpr (std::is_void_v<result>)
            co_await start();
        else
            value = co_await start();
    }
    BOOST_CATCH(...)
    {
        failed = std::current_exception();
    }
    BOOST_CATCH_END
    if (slot.is_connected())
        slot.clear();
    // Always posted, because the operation may have ended inside the function that starts it.
    boost::asio::post(
        executor,
        [h = std::move(h), failed = std::move(failed), value = std::move(value)]() mutable {
            completion::call(h, std::move(failed), value);
        });
}

/// Starts an operation of this library: Asio's completion tokens call it with a handler.
template <class Start>
class initiation
{
public:
    explicit initiation(Start s) : start_(std::move(s)) {}

    /// Starts the operation. Throws only before the operation has begun.
    template <class Handler>
    void operator()(Handler&& h) &&
    {
        // Tracks outstanding work, which keeps the context running until the completion.
        boost::asio::any_io_executor executor = boost::asio::prefer(
            boost::asio::any_io_executor(boost::asio::get_associated_executor(h)),
            boost::asio::execution::outstanding_work.tracked);
        auto slot = boost::asio::get_associated_cancellation_slot(h);
        std::stop_source stop(std::nostopstate);
        if (slot.is_connected())
            stop = std::stop_source();
        auto const c =
            run_for<Start, std::decay_t<Handler>>(std::move(start_), std::forward<Handler>(h), slot,
                                                  std::move(executor), stop.get_token())
                .coroutine;
        if (slot.is_connected()) {
            BOOST_TRY
            {
                slot.assign(
                    [stop](boost::asio::cancellation_type) mutable { stop.request_stop(); });
            }
            BOOST_CATCH(...)
            {
                c.destroy();
                BOOST_RETHROW
            }
            BOOST_CATCH_END
        }
        c.resume();
    }

private:
    Start start_;
};

template <class Start, class Token>
auto initiate(Start s, Token&& token)
{
    using completion = completion_of<await_result<std::invoke_result_t<Start&>>>;
    return boost::asio::async_initiate<Token, typename completion::signature>(
        initiation<Start>(std::move(s)), token);
}

}  // namespace detail
}  // namespace async
}  // namespace v1
}  // namespace registry_io

#endif
