// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Connects the coroutines of this library with Boost.Asio: Asio executors for environments, Asio
// operations that tasks can await, and notifies and tasks as Asio operations. It is the only header
// that needs Asio; it works with version 1.81 and later.

#ifndef REGISTRY_IO_ASYNC_ASIO_HPP
#define REGISTRY_IO_ASYNC_ASIO_HPP

#include <registry_io/detail/supported.hpp>

#include <coroutine>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/core/addressof.hpp>
#include <boost/core/no_exceptions_support.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>

#include <registry_io/async/environment.hpp>
#include <registry_io/async/stop_token.hpp>
#include <registry_io/async/task.hpp>

// The name is used by Asio, and is also a macro of Qt.
#pragma push_macro("emit")
#undef emit

namespace registry_io {
inline namespace v1 {
namespace async {

namespace detail {

/// The executors whose `target` is a `boost::asio::any_io_executor`.
inline executor_ref::operations const asio_operations{
    [](void* executor, std::coroutine_handle<> h) {
        boost::asio::post(*static_cast<boost::asio::any_io_executor*>(executor), h);
    }};

}  // namespace detail

/// A reference to an Asio executor, for an environment. Precondition: `e` outlives it.
inline executor_ref on(boost::asio::any_io_executor& e) noexcept
{
    return executor_ref(&e, detail::asio_operations);
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
/// that cannot be posted for lack of memory has no effect either.
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

/// The result of an operation, after a leading error.
template <class... Values>
struct asio_result
{
    std::exception_ptr failed;
    std::optional<std::tuple<Values...>> values;

    void set(Values... v) { values.emplace(std::move(v)...); }

    auto take()
    {
        if (failed != nullptr)
            std::rethrow_exception(std::move(failed));
        // There are values if nothing has failed.
        // NOLINTBEGIN(bugprone-unchecked-optional-access)
        if constexpr (sizeof...(Values) == 1)
            return std::get<0>(std::move(*values));
        else if constexpr (sizeof...(Values) > 1)
            return std::move(*values);
        // NOLINTEND(bugprone-unchecked-optional-access)
    }
};

template <class... Args>
struct asio_result_of
{
    using type = asio_result<std::decay_t<Args>...>;
    template <class... Values>
    static void store(type& r, Values&&... v)
    {
        r.set(std::forward<Values>(v)...);
    }
};
template <class... Args>
struct asio_result_of<boost::system::error_code, Args...>
{
    using type = asio_result<std::decay_t<Args>...>;
    template <class... Values>
    static void store(type& r, boost::system::error_code const& e, Values&&... v)
    {
        if (e)
            r.failed = std::make_exception_ptr(boost::system::system_error(e));
        else
            r.set(std::forward<Values>(v)...);
    }
};
template <class... Args>
struct asio_result_of<std::exception_ptr, Args...>
{
    using type = asio_result<std::decay_t<Args>...>;
    template <class... Values>
    static void store(type& r, std::exception_ptr e, Values&&... v)
    {
        if (e != nullptr)
            r.failed = std::move(e);
        else
            r.set(std::forward<Values>(v)...);
    }
};

/// Passes a stop request to an operation, on the operation's executor, because cancellation slots
/// are not thread-safe. The state is shared, because a request may still be queued when the
/// operation ends.
class asio_canceller
{
public:
    asio_canceller(stop_token const& s, boost::asio::any_io_executor const& e)
        : state_(std::make_shared<state>()), on_stop_(s, request{state_, e})
    {
    }

    boost::asio::cancellation_slot slot() noexcept { return state_->signal.slot(); }

    /// Called on the executor as soon as the operation has ended.
    void ended() noexcept { state_->ended = true; }

private:
    struct state
    {
        boost::asio::cancellation_signal signal{};
        bool ended = false;  // used only on the executor
    };
    struct request
    {
        std::shared_ptr<state> s;
        boost::asio::any_io_executor executor;
        void operator()() const
        {
            // Posted, so that it runs after the start of the operation, which is still in progress
            // on this executor if the token was already stopped.
            BOOST_TRY
            {
                boost::asio::post(executor, [s = s] {
                    if (!s->ended)
                        s->signal.emit(boost::asio::cancellation_type::terminal);
                });
            }
            BOOST_CATCH(...) {}  // the failure cannot be reported; the operation runs to its end
            BOOST_CATCH_END
        }
    };

    std::shared_ptr<state> state_;
    stop_callback<request> on_stop_;
};

/// An operation that begins when it is awaited.
template <class Initiation, class Signature, class... Args>
class asio_operation;

template <class Initiation, class... Results, class... Args>
class asio_operation<Initiation, void(Results...), Args...>
{
    using traits = asio_result_of<std::decay_t<Results>...>;

public:
    template <class Initiate, class... A>
    explicit asio_operation(Initiate&& initiation, A&&... args)
        : initiation_(std::forward<Initiate>(initiation)), args_(std::forward<A>(args)...)
    {
    }

    /// The awaiter that `co_await` obtains.
    class awaiter
    {
    public:
        explicit awaiter(asio_operation& o) noexcept : operation_(o) {}
        awaiter(awaiter const&) = delete;
        awaiter& operator=(awaiter const&) = delete;

        void set_context(context const* c) noexcept { context_ = c; }

        bool await_ready() const noexcept { return false; }

        void await_suspend(std::coroutine_handle<> h)
        {
            coroutine_ = h;
            executor_ = environment_of(context_).executor();
            // Once the operation has started, the task may be resumed, and this object destroyed.
            if (void* const target = executor_.target(asio_operations)) {
                auto const e = *static_cast<boost::asio::any_io_executor*>(target);
                stop_token const& stop = environment_of(context_).stop();
                boost::asio::cancellation_slot slot;
                if (stop.stop_possible()) {
                    canceller_.emplace(stop, e);
                    slot = canceller_->slot();
                }
                start(boost::asio::bind_cancellation_slot(
                    slot, boost::asio::bind_executor(e, handler(this))));
            } else {
                start(handler(this));
            }
        }

        decltype(auto) await_resume()
        {
            canceller_.reset();
            return result_.take();
        }

    private:
        template <class Handler>
        void start(Handler&& h)
        {
            asio_operation& o = operation_;
            std::apply(
                [&](auto&... args) {
                    std::move(o.initiation_)(std::forward<Handler>(h), std::move(args)...);
                },
                o.args_);
        }

        /// The completion handler that Asio calls.
        class handler
        {
        public:
            explicit handler(awaiter* a) noexcept : awaiter_(a) {}

            template <class... Values>
            void operator()(Values&&... v)
            {
                awaiter& a = *awaiter_;
                if (a.canceller_)
                    a.canceller_->ended();
                BOOST_TRY
                {
                    traits::store(a.result_, std::forward<Values>(v)...);
                }
                BOOST_CATCH(...)
                {
                    a.result_.failed = std::current_exception();
                }
                BOOST_CATCH_END
                if (a.executor_ && a.executor_.target(asio_operations) == nullptr) {
                    // A copy: once the task has been posted, this object may be destroyed.
                    executor_ref const e = a.executor_;
                    BOOST_TRY
                    {
                        e.post(a.coroutine_);
                        return;
                    }
                    BOOST_CATCH(...)
                    {
                        a.result_.failed = std::current_exception();
                    }
                    BOOST_CATCH_END
                }
                a.coroutine_.resume();
            }

        private:
            awaiter* awaiter_;
        };

        asio_operation& operation_;
        context const* context_ = nullptr;
        std::coroutine_handle<> coroutine_;
        executor_ref executor_;
        std::optional<asio_canceller> canceller_;
        typename traits::type result_;
    };

    awaiter operator co_await() && noexcept { return awaiter(*this); }

private:
    Initiation initiation_;
    std::tuple<Args...> args_;
};

/// Awaited by a detached coroutine to set its context.
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

/// How an operation of this library completes.
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
    environment const env(on(executor), std::move(stop));
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
    // Always posted, because it may have ended inside the function that starts it.
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

    /// Anything that throws does so here, before the operation has begun.
    template <class Handler>
    void operator()(Handler&& h) &&
    {
        // Its outstanding work keeps the context running meanwhile.
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

template <class Registry, class Event>
class start_notify
{
public:
    start_notify(Registry const& r, Event const& e) noexcept
        : registry_(&r), event_(boost::addressof(e))
    {
    }
    auto operator()() const { return registry_->notify(*event_); }

private:
    Registry const* registry_;
    Event const* event_;
};

template <class Registry, class Event>
class start_notify_sequential
{
public:
    start_notify_sequential(Registry const& r, Event const& e) noexcept
        : registry_(&r), event_(boost::addressof(e))
    {
    }
    auto operator()() const { return registry_->notify_sequential(*event_); }

private:
    Registry const* registry_;
    Event const* event_;
};

template <class T>
class start_task
{
public:
    explicit start_task(task<T> t) noexcept : task_(std::move(t)) {}
    task<T>&& operator()() noexcept { return std::move(task_); }

private:
    task<T> task_;
};

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
/// everything that the handlers wait for. What is still waiting then is leaked, since nothing owns
/// it.
template <class Registry, class Token>
auto async_notify(Registry const& registry, typename Registry::event_type const& event,
                  Token&& token)
{
    using start = detail::start_notify<Registry, typename Registry::event_type>;
    return detail::initiate(start(registry, event), std::forward<Token>(token));
}

/// Performs a sequential notify as an Asio operation; otherwise as `async_notify`.
template <class Registry, class Token>
auto async_notify_sequential(Registry const& registry, typename Registry::event_type const& event,
                             Token&& token)
{
    using start = detail::start_notify_sequential<Registry, typename Registry::event_type>;
    return detail::initiate(start(registry, event), std::forward<Token>(token));
}

/// Runs a task as an Asio operation, with any completion token. Otherwise as `async_notify`. `T`
/// must have a default constructor, because a task that fails has no result.
template <class T, class Token>
auto async_run(task<T> t, Token&& token)
{
    return detail::initiate(detail::start_task<T>(std::move(t)), std::forward<Token>(token));
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

#pragma pop_macro("emit")

#endif
