// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The option of a mailbox that a coroutine drains: `co_await mailbox.drain(registry)`. A coroutine
// that finds no event leaves its handle in the mailbox and sets the flag "asleep". A poster that
// finds the flag set, or a stop request, resumes the coroutine. Invariant: the thread that clears
// the flag resumes the coroutine, and no other thread does.

#ifndef REGISTRY_IO_ASYNC_AWAITED_HPP
#define REGISTRY_IO_ASYNC_AWAITED_HPP

#include <registry_io/detail/supported.hpp>

#include <coroutine>
#include <cstddef>
#include <exception>
#include <optional>
#include <stop_token>
#include <utility>

#include <boost/assert.hpp>
#include <boost/core/no_exceptions_support.hpp>

#include <registry_io/async/awaitable.hpp>
#include <registry_io/async/environment.hpp>
#include <registry_io/async/task.hpp>
#include <registry_io/queued/mailbox.hpp>

namespace registry_io {
inline namespace v1 {
namespace queued {
namespace detail {

template <class Mailbox>
class mailbox_access
{
public:
    using claim = typename Mailbox::claim;
    using entry = typename Mailbox::entry;
    explicit mailbox_access(Mailbox& m) noexcept : mailbox_(m) {}
    auto& traffic() const noexcept { return mailbox_.traffic_; }
    auto& right() const noexcept { return mailbox_.right_; }
    auto& hook() const noexcept { return mailbox_.hook_; }
    bool take(std::optional<entry>& e) const noexcept { return mailbox_.take(e); }

private:
    Mailbox& mailbox_;
};

}  // namespace detail
}  // namespace queued

namespace async {

namespace detail {

/// The hook of the mailbox: resumes the coroutine that waits.
class sleeper
{
public:
    /// Resumes the coroutine. Called by the thread that has cleared the flag.
    void operator()() const
    {
        // A copy: the coroutine may be destroyed as soon as it is posted.
        executor_ref const e = executor_;
        std::coroutine_handle<> const c = coroutine_;
        if (!e) {
            c.resume();
            return;
        }
        BOOST_TRY
        {
            e.post(c);
            return;
        }
        BOOST_CATCH(...)
        {
            *failed_ = std::current_exception();
        }
        BOOST_CATCH_END
        c.resume();
    }

    void set(std::coroutine_handle<> c, executor_ref const& e, std::exception_ptr* failed) noexcept
    {
        coroutine_ = c;
        executor_ = e;
        failed_ = failed;
    }

private:
    std::coroutine_handle<> coroutine_;
    executor_ref executor_;
    std::exception_ptr* failed_ = nullptr;
};

/// The awaiter that waits until there is an event, the mailbox is closed, or a stop is requested.
template <class Mailbox>
class arrival
{
public:
    explicit arrival(Mailbox& m) noexcept : mailbox_(m) {}
    arrival(arrival const&) = delete;
    arrival& operator=(arrival const&) = delete;
    ~arrival()
    {
        if (waits_) {
            [[maybe_unused]] bool const mine = mailbox_.traffic().rouse();
            BOOST_ASSERT_MSG(mine,
                             "registry_io: a coroutine that awaits a mailbox is destroyed "
                             "while it is being resumed");
            end_stop();
        }
    }

    void set_context(context const* c) noexcept { context_ = c; }

    bool await_ready() const noexcept
    {
        return mailbox_.traffic().look() != queued::detail::rest::asleep;
    }

    bool await_suspend(std::coroutine_handle<> h)
    {
        environment const& env = environment_of(context_);
        mailbox_.hook().set(h, env.executor(), &failed_);
        if (env.stop().stop_possible())
            on_stop_.emplace(env.stop(), stopping{this});
        waits_ = true;
        if (mailbox_.traffic().lie_down() == queued::detail::rest::asleep)
            return true;  // this object may be destroyed already
        waits_ = false;
        return false;
    }

    void await_resume()
    {
        waits_ = false;
        end_stop();
        if (failed_ != nullptr)
            std::rethrow_exception(std::move(failed_));
    }

private:
    /// A stop request is a post without an event: its ticket keeps the flag clear until the
    /// coroutine has seen the request.
    struct stopping
    {
        arrival* a;
        void operator()() const
        {
            a->stopped_ = true;
            auto const m = a->mailbox_;
            if (m.traffic().arrive().finds_sleeper() && m.traffic().rouse())
                m.hook()();
        }
    };

    void end_stop() noexcept
    {
        on_stop_.reset();  // waits for the callback if it runs on another thread
        if (stopped_)
            mailbox_.traffic().give_back();
        stopped_ = false;
    }

    queued::detail::mailbox_access<Mailbox> mailbox_;
    context const* context_ = nullptr;
    bool waits_ = false;
    bool stopped_ = false;  ///< written by the callback, and read after the callback has ended
    std::exception_ptr failed_;
    std::optional<std::stop_callback<stopping>> on_stop_;
};

template <class Mailbox, class Registry>
task<queued::drain_result> drain_awaited(Mailbox& mailbox, Registry& registry, std::size_t max)
{
    queued::detail::mailbox_access<Mailbox> const inside(mailbox);
    typename queued::detail::mailbox_access<Mailbox>::claim const mine(inside.right());
    co_await arrival<Mailbox>(mailbox);
    queued::drain_result result;
    std::optional<typename queued::detail::mailbox_access<Mailbox>::entry> e;
    while (result.count != max && inside.take(e)) {
        ++result.count;
        if constexpr (awaitable<decltype(registry.notify(std::as_const(e->event)))>)
            co_await registry.notify(std::as_const(e->event));
        else
            static_cast<void>(registry.notify(std::as_const(e->event)));
        e.reset();
    }
    result.end_of_batch = mailbox.empty();
    co_return result;
}

}  // namespace detail

/// The option of a mailbox that a coroutine drains. `co_await mailbox.drain(registry, max)` waits
/// for the first event, notifies the registry of the events that wait, and returns a
/// `queued::drain_result`. If `registry` is an async registry, each notify is awaited before the
/// next event is taken.
///
/// The count of the result is 0 if the mailbox is closed and empty, if a stop was requested in the
/// environment, or, rarely, if another thread is in the middle of a post. The coroutine is resumed
/// on the executor of its environment; without one it runs on the thread that posts, inside `post`,
/// and so do the handlers. If the executor throws, the coroutine is resumed by the thread that
/// posts, and awaiting throws the same exception.
///
/// Preconditions: the mailbox and the registry live until the drain has ended. A coroutine that
/// awaits is not destroyed while a post, a `close` or a stop request is resuming it; to end it,
/// close the mailbox or request a stop. At any other time it may be destroyed.
struct awaited
{
    /// The axis of mailbox options to which this option belongs.
    using option = queued::when_empty;
    /// The type of the function object that the mailbox calls to wake the consumer.
    using hook_type = detail::sleeper;
    /// Marks an option that has its own `drain`.
    using drains = void;

    /// Called by the mailbox only.
    template <class Mailbox, class Registry>
    static task<queued::drain_result> drain(Mailbox& mailbox, Registry& registry, std::size_t max)
    {
        return detail::drain_awaited(mailbox, registry, max);
    }
};

}  // namespace async
}  // namespace v1
}  // namespace registry_io

#endif
