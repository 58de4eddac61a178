// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The wait for the next event. Awaiting it registers a handler and, if the environment can be
// stopped, a stop callback. The first of the two to claim the shared state ends the wait. The
// shared state outlives both, since each may still run while the awaiting coroutine is destroyed.

#ifndef REGISTRY_IO_ASYNC_DETAIL_NEXT_EVENT_HPP
#define REGISTRY_IO_ASYNC_DETAIL_NEXT_EVENT_HPP

#include <registry_io/detail/supported.hpp>

#include <coroutine>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <boost/assert.hpp>

#include <registry_io/async/detail/handler.hpp>
#include <registry_io/async/detail/next_state.hpp>
#include <registry_io/async/environment.hpp>
#include <registry_io/async/stop_token.hpp>
#include <registry_io/handler_guard.hpp>

namespace registry_io {
inline namespace v1 {
namespace async {
namespace detail {

/// The type that `next` returns.
template <class Engine>
class [[nodiscard]] next_event
{
    using Event = typename Engine::event_type::registry_io_event;

public:
    /// Called by the registry.
    explicit next_event(Engine& e) noexcept : engine_(e) {}
    next_event(next_event const&) = delete;
    next_event& operator=(next_event const&) = delete;

    /// Ends the wait, if it is not over.
    ~next_event()
    {
        if (shared_ != nullptr) {
            bool const there = shared_->leave();
            BOOST_ASSERT_MSG(there,
                             "registry_io: the coroutine that awaits next() is destroyed while "
                             "another thread resumes it");
            static_cast<void>(there);
        }
    }

    /// Called by tasks, with the context of the caller.
    void set_context(context const* c) noexcept { env_ = c == nullptr ? nullptr : c->env; }

    /// Returns false: the event is unknown before the handler is registered.
    bool await_ready() const noexcept { return false; }

    /// Registers the handler. Returns false if there is already an event.
    bool await_suspend(std::coroutine_handle<> h)
    {
        executor_ref const none;
        auto s = std::make_shared<shared>(h, env_ != nullptr ? env_->executor() : none);
        guard_ = engine_.register_guard(handler<listener, Event>(listener{s}));
        if (env_ != nullptr && env_->stop().stop_possible())
            on_stop_.emplace(env_->stop(), stopping{s});
        shared_ = std::move(s);
        // From here on the coroutine may be resumed, and this object destroyed.
        return shared_->arm();
    }

    /// Returns the event, or nothing if a stop was requested. Throws what copying the event threw.
    std::optional<Event> await_resume()
    {
        on_stop_.reset();
        guard_.reset();
        return std::exchange(shared_, nullptr)->take();
    }

private:
    static_assert(
        std::is_copy_constructible_v<Event> && std::is_move_constructible_v<Event>,
        "registry_io: next() returns a copy of the event, and this event cannot be copied; "
        "register a handler instead");

    using shared = next_state<Event>;

    struct listener
    {
        std::shared_ptr<shared> s;

        void operator()(Event const& event) const
        {
            // The caller may destroy the `next_event`, and so this listener, during the call.
            if (s->claim())
                shared::end(s, &event);
        }
    };

    struct stopping
    {
        std::shared_ptr<shared> s;
        void operator()() const
        {
            if (s->claim())
                shared::end(s, nullptr);
        }
    };

    Engine& engine_;
    environment const* env_ = nullptr;
    std::shared_ptr<shared> shared_;
    handler_guard guard_;
    std::optional<stop_callback<stopping>> on_stop_;
};

}  // namespace detail
}  // namespace async
}  // namespace v1
}  // namespace registry_io

#endif
