// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Decides what ends the wait for the next event. A handler and a stop callback race on any threads,
// while the waiting coroutine may be destroyed. One flag decides which of the two ends the wait,
// and one word holds the state of the wait. Invariant: the coroutine is resumed at most once, and
// never after `leave` has returned true.

#ifndef REGISTRY_IO_ASYNC_DETAIL_NEXT_STATE_HPP
#define REGISTRY_IO_ASYNC_DETAIL_NEXT_STATE_HPP

#include <atomic>
#include <coroutine>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

#include <boost/core/no_exceptions_support.hpp>

#include <registry_io/async/detail/posted.hpp>
#include <registry_io/async/environment.hpp>

namespace registry_io {
inline namespace v1 {
namespace async {
namespace detail {

/// The state that a coroutine awaiting the next event shares with the handler and the stop
/// callback. Whichever of these two claims it first ends the wait.
template <class Event>
class next_state
{
public:
    /// Throws `std::bad_alloc`.
    next_state(std::coroutine_handle<> caller, executor_ref const& e)
        : caller_(caller), executor_(e)
    {
        // Allocated now, because a lack of memory could not be reported later.
        if (executor_)
            resumption_ = resume_if_there(this).coroutine;
    }
    next_state(next_state const&) = delete;
    next_state& operator=(next_state const&) = delete;
    ~next_state()
    {
        if (resumption_)
            resumption_.destroy();
    }

    /// Called by the coroutine: from now on it waits. Returns false if the wait is already over.
    // release: pairs with the acquire of advance_to and may_resume, so that the coroutine is
    // resumed only after its own writes. acquire: pairs with their release, so that it sees the
    // event.
    bool arm() noexcept { return state_.exchange(armed, std::memory_order_acq_rel) != over; }

    /// Called when the coroutine is destroyed. Returns false if another thread is resuming it.
    bool leave() noexcept
    {
        claim();
        // release: pairs with the acquire of may_resume: what the coroutine did happens before
        // another thread frees the state. acquire: pairs with the releases of advance_to and
        // may_resume: what other threads did with the state happens before this thread frees it.
        return state_.exchange(gone, std::memory_order_acq_rel) != over;
    }

    /// Called by the coroutine when the wait is over.
    std::optional<Event> take()
    {
        if (exception_ != nullptr)
            std::rethrow_exception(std::move(exception_));
        return std::move(event_);
    }

    /// Returns true for the first call only.
    // relaxed: the state orders what follows.
    bool claim() noexcept { return !claimed_.exchange(true, std::memory_order_relaxed); }

    /// Ends the wait, with the event unless it is null. Precondition: the caller's `claim` has
    /// returned true.
    // By value: the caller's own reference may be destroyed together with the registry.
    // NOLINTNEXTLINE(performance-unnecessary-value-param)
    static void end(std::shared_ptr<next_state> s, Event const* event)
    {
        next_state& me = *s;
        if (event != nullptr) {
            BOOST_TRY
            {
                me.event_.emplace(*event);
            }
            BOOST_CATCH(...)
            {
                me.exception_ = std::current_exception();
            }
            BOOST_CATCH_END
        }
        if (!me.executor_) {
            if (me.advance_to(over) == armed)
                me.caller_.resume();
            return;
        }
        // Once the word is written, the coroutine may be destroyed, and with it the last reference
        // to this state, except for the one that the posted coroutine holds.
        auto const posted = std::exchange(me.resumption_, {});
        posted.promise().keeps = s;
        if (me.advance_to(in_queue) != armed)
            return posted.destroy();
        BOOST_TRY
        {
            me.executor_.post(posted);
            return;
        }
        BOOST_CATCH(...)
        {
            me.exception_ = std::current_exception();
        }
        BOOST_CATCH_END
        posted.destroy();
        if (me.may_resume())
            me.caller_.resume();
    }

private:
    enum word : unsigned char {
        beginning,  ///< the coroutine is still running
        armed,      ///< it waits
        in_queue,   ///< the executor will resume it, unless it is destroyed first
        over,       ///< it is being resumed, or is still running and will notice
        gone        ///< it is being destroyed
    };

    /// The coroutine that is posted instead of the waiting one, which may be destroyed before this
    /// runs.
    static posted resume_if_there(next_state* s)
    {
        if (s->may_resume())
            co_await hand_over(s->caller_);
    }

    /// Marks the wait as over, unless the coroutine is gone. Returns the previous word.
    word advance_to(word next) noexcept
    {
        word was = state_.load(std::memory_order_relaxed);
        do {
            if (was == gone)
                return gone;
            // release: pairs with the acquire of arm and may_resume; without it, the coroutine
            // could miss the event. acquire: pairs with the release of arm; without it, this thread
            // could resume the coroutine before its last writes.
        } while (!state_.compare_exchange_weak(was, was == beginning ? over : next,
                                               std::memory_order_acq_rel,
                                               std::memory_order_relaxed));
        return was;
    }

    bool may_resume() noexcept
    {
        word was = in_queue;
        // acquire: pairs with advance_to and arm: the event, and what the coroutine did before it
        // waited. release: pairs with the acquire of leave, which may free the state.
        return state_.compare_exchange_strong(was, over, std::memory_order_acq_rel,
                                              std::memory_order_acquire);
    }

    std::atomic<bool> claimed_{false};
    std::atomic<word> state_{beginning};
    std::optional<Event> event_;
    std::exception_ptr exception_;
    std::coroutine_handle<> caller_;
    executor_ref executor_;
    std::coroutine_handle<posted::promise_type> resumption_;  ///< owned until it is posted
};

}  // namespace detail
}  // namespace async
}  // namespace v1
}  // namespace registry_io

#endif
