// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#ifndef REGISTRY_IO_HANDLERS_CONNECTION_HPP
#define REGISTRY_IO_HANDLERS_CONNECTION_HPP

#include <registry_io/detail/supported.hpp>

#include <memory>
#include <utility>

#include <boost/core/no_exceptions_support.hpp>

#include <registry_io/handler_id.hpp>
#include <registry_io/handlers/blockable.hpp>
#include <registry_io/registration.hpp>

namespace registry_io {
inline namespace v1 {

/// A copyable handle of one handler, of any registry; see `connect`.
///
/// It does not own the handler: destroying it changes nothing. It may outlive the registry; then it
/// names nothing any more (with `alloc::fixed` that is a precondition violation, as for guards).
/// Copies are handles of the same handler, and share its blocks.
///
/// Concurrency: a value type, whose const members may be called by any thread at any time, except
/// while another thread destroys the registry.
class connection
{
public:
    /// A handle of nothing.
    connection() noexcept = default;

    /// The id of the handler; empty for a handle of nothing.
    handler_id id() const noexcept { return state_ == nullptr ? handler_id() : state_->r.id(); }

    /// Whether the handler is registered. False when the registry is gone. As the registry's.
    bool contains() const
    {
        return state_ != nullptr && state_->r.operations().contains(state_->r.anchor(), id());
    }

    /// Removes the handler. Returns whether it was registered: true exactly once, for all copies.
    /// Throws as the registry's `unregister`.
    bool unregister() const { return state_ != nullptr && state_->r.unregister(); }

    /// Blocks the handler for as long as the guard lives. Blocks are counted; see `blockable`.
    /// A handle of nothing gives a guard of nothing.
    block_guard block() const noexcept
    {
        return state_ == nullptr ? block_guard() : block_guard(state_->blocks);
    }

    /// Whether the handler is blocked.
    bool blocked() const noexcept { return state_ != nullptr && state_->blocks.blocked(); }

    /// Whether both are handles of the same handler.
    friend bool operator==(connection const& a, connection const& b) noexcept
    {
        return a.id() == b.id();
    }

    /// @cond
    template <class Registry, class... KeyAndF>
    static connection make(Registry& registry, KeyAndF&&... arguments)
    {
        auto s = std::make_shared<state>();
        handler_id const id = s->add(registry, std::forward<KeyAndF>(arguments)...);
        if (!id)
            return {};
        s->hold(registry.registration_of(id));
        connection c;
        c.state_ = std::move(s);
        return c;
    }
    /// @endcond

private:
    struct state
    {
        state() = default;
        state(state const&) = delete;
        state& operator=(state const&) = delete;
        ~state()
        {
            if (r)
                r.anchor()->release(r.anchor());
        }

        template <class Registry, class F>
        handler_id add(Registry& registry, F&& f)
        {
            return registry.register_handler(blockable(blocks, std::forward<F>(f)));
        }
        template <class Registry, class Key, class F>
        handler_id add(Registry& registry, Key&& priority, F&& f)
        {
            return registry.register_handler(std::forward<Key>(priority),
                                             blockable(blocks, std::forward<F>(f)));
        }

        void hold(registration const& registered) noexcept
        {
            if (!registered)
                return;
            registered.operations().hold(registered.anchor());
            r = registered;
        }

        registration r;
        block_count blocks;
    };

    std::shared_ptr<state const> state_;
};

/// Registers `f` with `registry`, and returns a copyable handle of the handler.
///
/// The handler can be blocked through the handle. For a handler that is to go with a scope take
/// `register_guard`, and for one that is to go with an object an `owner` or `tracked`: they cost
/// less. Throws as `register_handler`, and `std::bad_alloc`; then nothing has changed. Costs two
/// allocations more than the handler, and in a call a load and a branch.
template <class Registry, class F>
connection connect(Registry& registry, F&& f)
{
    return connection::make(registry, std::forward<F>(f));
}

/// The same with a priority.
template <class Registry, class Key, class F>
connection connect(Registry& registry, Key&& priority, F&& f)
{
    return connection::make(registry, std::forward<Key>(priority), std::forward<F>(f));
}

}  // namespace v1
}  // namespace registry_io

#endif
