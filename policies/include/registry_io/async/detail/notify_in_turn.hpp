// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// A notify that runs the handlers one after the other. A handler that waits interrupts the walk;
// its end resumes the walk at the next row, on the thread where the handler ended. At most one
// handler waits at a time, so the walk needs no synchronisation of its own: the end of a handler
// happens before what follows.

#ifndef REGISTRY_IO_ASYNC_DETAIL_NOTIFY_IN_TURN_HPP
#define REGISTRY_IO_ASYNC_DETAIL_NOTIFY_IN_TURN_HPP

#include <registry_io/detail/supported.hpp>

#include <coroutine>
#include <cstdint>
#include <exception>

#include <boost/core/no_exceptions_support.hpp>

#include <registry_io/async/detail/operation.hpp>
#include <registry_io/async/environment.hpp>
#include <registry_io/async/task.hpp>
#include <registry_io/config.hpp>

namespace registry_io {
inline namespace v1 {
namespace async {
namespace detail {

/// The type that `notify_sequential` returns.
template <class Engine, class Failures = to_policy<Engine>>
class [[nodiscard]] notify_in_turn : public operation<Engine, Failures>
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

    /// Runs the handlers until one waits. Returns whether all have ended.
    bool await_ready()
    {
        this->engine_.store_.read([this](root const& r) { begin(r); });
        return this->handlers_ == nullptr;
    }

    /// Returns whether the caller has to wait.
    bool await_suspend(std::coroutine_handle<> h) noexcept
    {
        this->caller_ = h;
        return waits_for(*this->handlers_);
    }

    /// Returns the result.
    result_type await_resume() { return this->result(); }

private:
    BOOST_FORCEINLINE void begin(root const& r)
    {
        activated const here(&this->where_);
        typename base::scope_of_read const s(*this, r);
        auto const seen = r.look();
        promise* waiting = nullptr;
        if (seen.is_flat()) [[likely]] {
            entry const* const first = r.rows().entries;
            waiting = run(r, nullptr, first, first + seen.size());
        } else {
            parts_ = typename root::chunk_range(r, seen);
            waiting = run_parts(r);
        }
        if (promise* const p = waiting) [[unlikely]] {
            this->keep(*p, at{&r, part_, next_ - 1});
            this->hold(r);
            return;
        }
        this->conclude_at_once();
    }

    /// Runs the handlers from `next` to `end`, of the chunk `part` or of a flat table, until one
    /// waits, and returns that handler; returns null at the end. Stores the place of the walk only
    /// if a handler waits.
    BOOST_FORCEINLINE promise* run(root const& r, chunk const* part, entry const* next,
                                   entry const* end)
    {
        while (next != end) {
            if (this->stopped()) [[unlikely]] {
                parts_ = {};
                return nullptr;
            }
            entry const* const now = next++;
            if (promise* const p = this->start(at{&r, part, now})) [[unlikely]] {
                part_ = part;
                next_ = next;
                end_ = end;
                return p;
            }
        }
        return nullptr;
    }

    /// Runs the handlers of the remaining chunks, as `run`.
    promise* run_parts(root const& r)
    {
        while (!parts_.empty()) {
            std::uint32_t n = 0;
            chunk const& c = parts_.next(n);
            entry const* const first = c.rows().entries;
            if (promise* const p = run(r, &c, first, first + n))
                return p;
        }
        return nullptr;
    }

    /// Continues after a handler has waited.
    promise* run_on() noexcept
    {
        activated const here(&this->where_);
        if (this->escaped_ != nullptr)
            return nullptr;  // an exception that leaves the panic policy ends the notify
        BOOST_TRY
        {
            promise* p = run(*this->root_, part_, next_, end_);
            if (p == nullptr)
                p = run_parts(*this->root_);
            if (p != nullptr) {
                this->keep(*p, at{this->root_, part_, next_ - 1});
                return p;
            }
        }
        BOOST_CATCH(...)
        {
            this->escaped_ = std::current_exception();
        }
        BOOST_CATCH_END
        return nullptr;
    }

    /// Waits for this handler, then runs the handlers after it. Returns whether one of them waits;
    /// then this object may already be destroyed. A loop and not a recursion, so that handlers that
    /// end at once need no stack.
    bool waits_for(promise& first) noexcept
    {
        for (promise* p = &first; p != nullptr; p = run_on()) {
            if (p->call_at_end(&ended, this))
                return true;
            this->report(*p);
        }
        return false;
    }

    /// Called when a handler has ended, on any thread.
    static std::coroutine_handle<> ended(promise& p) noexcept
    {
        auto& self = *static_cast<notify_in_turn*>(p.argument());
        self.report(p);
        if (promise* const next = self.run_on(); next != nullptr && self.waits_for(*next))
            return std::noop_coroutine();
        return self.caller_goes_on();
    }

    // The place of the walk. The first three are set only when a handler waits.
    entry const* next_;
    entry const* end_;                  // of the current table or chunk
    chunk const* part_;                 // the current chunk, if there are several
    typename root::chunk_range parts_;  // the remaining chunks
};

}  // namespace detail
}  // namespace async
}  // namespace v1
}  // namespace registry_io

#endif
