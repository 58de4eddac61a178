// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// An operation of Boost.Asio as an awaitable for tasks. The operation begins when it is awaited,
// and its completion handler resumes the task. Invariant: once the operation has been started, only
// its completion touches the awaiter, since the task may go on at any moment.

#ifndef REGISTRY_IO_ASYNC_DETAIL_ASIO_OPERATION_HPP
#define REGISTRY_IO_ASYNC_DETAIL_ASIO_OPERATION_HPP

#include <registry_io/detail/supported.hpp>

#include <coroutine>
#include <exception>
#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/post.hpp>
#include <boost/core/no_exceptions_support.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>

#include <registry_io/async/detail/asio_executor.hpp>
#include <registry_io/async/environment.hpp>
#include <registry_io/async/stop_token.hpp>

// The name is used by Asio, and is also a macro of Qt.
#pragma push_macro("emit")
#undef emit

namespace registry_io {
inline namespace v1 {
namespace async {
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
            if (void* const target = executor_.target(asio_executor_operations)) {
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
                if (a.executor_ && a.executor_.target(asio_executor_operations) == nullptr) {
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

}  // namespace detail
}  // namespace async
}  // namespace v1
}  // namespace registry_io

#pragma pop_macro("emit")

#endif
