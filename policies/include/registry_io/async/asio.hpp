// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Connects the coroutines of this library with Boost.Asio: Asio executors for environments, Asio
// operations that tasks can await, and notifies and tasks as Asio operations. No other public
// header needs Asio; version 1.81 and later work. The two directions are implemented in
// detail/asio_operation.hpp and detail/asio_initiation.hpp.

#ifndef REGISTRY_IO_ASYNC_ASIO_HPP
#define REGISTRY_IO_ASYNC_ASIO_HPP

#include <registry_io/detail/supported.hpp>

#include <functional>
#include <type_traits>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>

#include <registry_io/async/detail/asio_executor.hpp>
#include <registry_io/async/detail/asio_initiation.hpp>
#include <registry_io/async/detail/asio_operation.hpp>
#include <registry_io/async/environment.hpp>
#include <registry_io/async/task.hpp>

namespace registry_io {
inline namespace v1 {
namespace async {

/// A reference to an Asio executor, for an environment. Precondition: `e` outlives it.
inline executor_ref on(boost::asio::any_io_executor& e) noexcept
{
    return executor_ref(&e, detail::asio_executor_operations);
}

/// A completion token that turns an Asio operation into an awaitable for tasks: `std::size_t n =
/// co_await socket.async_read_some(buffer, async::use_task);`
///
/// Awaiting it returns the result of the operation: nothing, a value, or a tuple. A leading error
/// code or `std::exception_ptr` is thrown if it reports an error. The operation begins when it is
/// awaited. If the executor of the task's environment is an Asio executor, the task is resumed on
/// it, and a stop request cancels the operation (terminal cancellation) on that executor, which
/// must run one handler at a time: a strand, or a context that a single thread runs. Otherwise the
/// task is resumed where the operation completes, and a stop request has no effect. A stop request
/// that cannot be posted for lack of memory has no effect.
/// Throws what starting the operation throws. If the environment's executor is not one of Asio's
/// and throws when it should resume the task, the task is resumed where the operation completes,
/// and awaiting rethrows that exception. If an Asio executor throws then, the exception leaves the
/// function that runs the context, and the task is not resumed.
/// Precondition: a coroutine that waits for the operation is not destroyed before the operation has
/// ended, or its context has been destroyed.
struct use_task_t
{
};
/// The only object of type `use_task_t`.
inline constexpr use_task_t use_task{};

namespace detail {

/// See `asio_handler`.
template <class F>
class asio_function
{
public:
    asio_function(boost::asio::any_io_executor e, F f) : executor_(std::move(e)), f_(std::move(f))
    {
    }

    template <class Event>
        requires std::is_invocable_v<F const&, Event const&>
    task<> operator()(Event const& event) const
    {
        co_await boost::asio::co_spawn(executor_, std::invoke(f_, event), use_task);
    }

private:
    boost::asio::any_io_executor executor_;
    F f_;
};

}  // namespace detail

/// Performs a notify as an Asio operation, with any completion token: `co_await
/// async_notify(registry, event, boost::asio::use_awaitable)`.
///
/// The completion signature is `void(std::exception_ptr)`, followed by the result if the panic
/// policy has one. The handlers' environment contains the completion handler's associated executor,
/// and a stop token that its cancellation slot triggers. The completion handler is posted to that
/// executor. As with a buffer, `registry` and `event` must live until then.
/// Throws, before anything has begun, if there is no memory for the operation. If there is no
/// memory to post the completion handler at the end, the program ends, since the handler cannot be
/// called elsewhere.
/// Precondition: the executor's context runs until the completion, or is destroyed together with
/// everything that the handlers wait for. Otherwise a handler that still waits is leaked, since
/// nothing owns it.
template <class Registry, class Token>
auto async_notify(Registry const& registry, typename Registry::event_type const& event,
                  Token&& token)
{
    return detail::initiate([&registry, &event] { return registry.notify(event); },
                            std::forward<Token>(token));
}

/// Performs a sequential notify as an Asio operation; otherwise as `async_notify`.
template <class Registry, class Token>
auto async_notify_sequential(Registry const& registry, typename Registry::event_type const& event,
                             Token&& token)
{
    return detail::initiate([&registry, &event] { return registry.notify_sequential(event); },
                            std::forward<Token>(token));
}

/// Runs a task as an Asio operation, with any completion token. Otherwise as `async_notify`. `T`
/// must have a default constructor, because a task that fails has no result.
template <class T, class Token>
auto async_run(task<T> t, Token&& token)
{
    return detail::initiate([t = std::move(t)]() mutable -> task<T>&& { return std::move(t); },
                            std::forward<Token>(token));
}

/// Makes a handler from a function that returns `boost::asio::awaitable<void>`, and runs it on this
/// executor. `synchronize` does not recognise that the code of such a coroutine is inside the
/// notify.
template <class F>
auto asio_handler(boost::asio::any_io_executor executor, F f)
{
    return detail::asio_function<F>(std::move(executor), std::move(f));
}

}  // namespace async
}  // namespace v1
}  // namespace registry_io

/// @cond
/// Turns an operation into an awaitable that starts it.
template <class R, class... Args>
class boost::asio::async_result<registry_io::async::use_task_t, R(Args...)>
{
public:
    template <class Initiation, class... InitArgs>
    static auto initiate(Initiation&& initiation, registry_io::async::use_task_t,
                         InitArgs&&... args)
    {
        return registry_io::async::detail::asio_operation<std::decay_t<Initiation>, R(Args...),
                                                          std::decay_t<InitArgs>...>(
            std::forward<Initiation>(initiation), std::forward<InitArgs>(args)...);
    }
};
/// @endcond

#endif
