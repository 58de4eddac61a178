// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// A notify that runs all handlers at once. It starts them in order; those that wait end later, on
// any thread. Reports to the panic policy are made one at a time and without a lock: a handler that
// ends is pushed on a stack (Treiber, 1986), and `reporters_` counts the handlers that are pushed
// and not yet reported. The thread that raises that count from zero reports handlers until the
// count is zero again. Invariant: there is at most one reporter; `missing_` is the number of
// handlers that wait plus one for the caller, and the thread that brings it to zero resumes the
// caller.

#ifndef REGISTRY_IO_ASYNC_DETAIL_NOTIFY_ALL_HPP
#define REGISTRY_IO_ASYNC_DETAIL_NOTIFY_ALL_HPP

#include <registry_io/detail/supported.hpp>

#include <atomic>
#include <coroutine>
#include <cstdint>
#include <exception>
#include <utility>

#include <boost/core/no_exceptions_support.hpp>

#include <registry_io/async/detail/operation.hpp>
#include <registry_io/async/environment.hpp>
#include <registry_io/async/task.hpp>
#include <registry_io/config.hpp>

namespace registry_io {
inline namespace v1 {
namespace async {
namespace detail {

/// The type that `notify` returns.
template <class Engine, class Failures = to_policy<Engine>>
class [[nodiscard]] notify_all : public operation<Engine, Failures>
{
    using base = operation<Engine, Failures>;
    using typename base::at;
    using typename base::chunk;
    using typename base::entry;
    using typename base::promise;
    using typename base::root;

public:
    using base::base;
    using typename base::result_type;

    /// Starts the handlers. Returns whether all have ended.
    bool await_ready()
    {
        this->engine_.store_.read([this](root const& r) { begin(r); });
        return this->handlers_ == nullptr;
    }

    /// Returns whether the caller has to wait.
    bool await_suspend(std::coroutine_handle<> h) noexcept
    {
        this->caller_ = h;
        // acq_rel: pairs with the decrement in end_of. release: the last handler's thread sees
        // `caller_`. acquire: if all have ended, the caller sees what the handlers did.
        return missing_.fetch_sub(1, std::memory_order_acq_rel) != 1;
    }

    /// Returns the result.
    result_type await_resume() { return this->result(); }

private:
    BOOST_FORCEINLINE void begin(root const& r)
    {
        activated const here(&this->where_);
        typename base::scope_of_read const s(*this, r);
        auto const seen = r.look();
        if (seen.is_flat()) [[likely]]
            walk(r, nullptr, r.rows().entries, seen.size());
        else
            r.each_chunk(
                seen, [&](chunk const& c, std::uint32_t m) { walk(r, &c, c.rows().entries, m); });
        if (this->handlers_ == nullptr) [[likely]]
            this->conclude_at_once();
        else
            all_are_started(r);
    }

    BOOST_FORCEINLINE void walk(root const& r, chunk const* part, entry const* e, std::uint32_t n)
    {
        for (entry const* const end = e + n; e != end; ++e) {
            at const where{&r, part, e};
            if (this->handlers_ != nullptr) [[unlikely]]
                start_another(where);
            else if (this->stopped()) [[unlikely]]
                return;
            else if (promise* const p = this->start(where)) [[unlikely]]
                waits(*p, where);
        }
    }

    /// Starts a handler while another one waits. Exceptions are kept for the end of the notify.
    BOOST_NOINLINE void start_another(at where) noexcept
    {
        if (this->escaped_ != nullptr || this->stopped())
            return;  // an exception that leaves the panic policy ends the notify
        BOOST_TRY
        {
            if (promise* const p = this->start(where))
                waits(*p, where);
        }
        BOOST_CATCH(...)
        {
            this->escaped_ = std::current_exception();
        }
        BOOST_CATCH_END
    }

    BOOST_NOINLINE void waits(promise& p, at where) noexcept
    {
        this->keep(p, where);
        if (p.call_at_end(&ended, this)) {
            ++started_;
        } else {
            // It has ended in the meantime.
            this->root_ = const_cast<root*>(where.snapshot);
            this->report(p);
        }
    }

    /// Ends the time in which this thread was the reporter; reports the handlers that have ended
    /// meanwhile.
    BOOST_NOINLINE void all_are_started(root const& r) noexcept
    {
        this->hold(r);
        // relaxed: no other thread reads it before this thread stops reporting.
        missing_.store(started_ + 1, std::memory_order_relaxed);
        std::uint32_t reported = 0;
        // acquire: pairs with the increment in end_of, so that pop finds the pushed handler.
        // release: the next reporter sees the reports of this thread.
        while (reporters_.fetch_sub(1, std::memory_order_acq_rel) != 1) {
            this->report(*pop());
            ++reported;
        }
        // relaxed: the caller's own count remains until await_suspend.
        if (reported != 0)
            missing_.fetch_sub(reported, std::memory_order_relaxed);
    }

    /// Called when a handler has ended, on any thread.
    static std::coroutine_handle<> ended(promise& p) noexcept
    {
        return static_cast<notify_all*>(p.argument())->end_of(p);
    }

    /// Reports one handler at a time, without a lock: if another thread is already reporting, it
    /// leaves the handler to that thread.
    std::coroutine_handle<> end_of(promise& p) noexcept
    {
        promise* head = ended_.load(std::memory_order_relaxed);
        do
            p.next_ended = head;
        // release: pairs with the acquire of pop. Without it, the reporter could read the promise
        // before its last writes.
        while (!ended_.compare_exchange_weak(head, &p, std::memory_order_release,
                                             std::memory_order_relaxed));
        // release: pairs with the reporter's decrements, so that it finds what was pushed. acquire:
        // pairs with the previous reporter's last decrement, so that its reports come first.
        if (reporters_.fetch_add(1, std::memory_order_acq_rel) != 0)
            return std::noop_coroutine();
        std::uint32_t reported = 0;
        do {
            this->report(*pop());
            ++reported;
        } while (reporters_.fetch_sub(1, std::memory_order_acq_rel) != 1);
        // This object may be destroyed after this line, unless all handlers have ended. acq_rel:
        // pairs with await_suspend and the other decrements. Without it, the caller could continue
        // before it sees what the handlers did.
        if (missing_.fetch_sub(reported, std::memory_order_acq_rel) != reported)
            return std::noop_coroutine();
        return this->caller_goes_on();
    }

    /// For the reporter only: pops the next finished handler. Precondition: there is one.
    promise* pop() noexcept
    {
        if (to_report_ == nullptr) {
            // acquire: pairs with the push. Handlers that ended first are reported first.
            promise* p = ended_.exchange(nullptr, std::memory_order_acquire);
            while (p != nullptr) {
                promise* const next = p->next_ended;
                p->next_ended = std::exchange(to_report_, p);
                p = next;
            }
        }
        return std::exchange(to_report_, to_report_->next_ended);
    }

    std::atomic<std::uint32_t> missing_{0};  // handlers that wait, plus one for the caller
    std::uint32_t started_ = 0;  // handlers that wait, as counted while they are started
    // Handlers left to report, plus one while handlers are started.
    std::atomic<std::uint32_t> reporters_{1};
    std::atomic<promise*> ended_{nullptr};  // the last one to end is first
    promise* to_report_ = nullptr;          // the first one to end is first
};

}  // namespace detail
}  // namespace async
}  // namespace v1
}  // namespace registry_io

#endif
