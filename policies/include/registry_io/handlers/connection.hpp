// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// `connect(registry, f)`: registers a handler and returns a copyable handle, which can query,
// remove and block the handler. For users of Boost.Signals2 and Qt, whose connections work in the
// same way.

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
/// It does not own the handler: destroying it changes nothing. It may outlive the registry, and
/// then refers to no handler (with `alloc::fixed` that violates a precondition, as for guards).
/// Copies refer to the same handler, and share its blocks.
///
/// Concurrency: any thread may call the const members at any time, except while another thread
/// destroys the registry or assigns to this handle.
class connection
{
public:
    /// Creates a handle that refers to no handler.
    connection() noexcept = default;

    /// Returns the id of the handler; empty if there is none.
    handler_id id() const noexcept { return state_ == nullptr ? handler_id() : state_->r.id(); }

    /// Returns whether the handler is registered, and false if the registry has been destroyed.
    /// Otherwise as the registry's `contains`.
    bool contains() const
    {
        return state_ != nullptr && state_->r.operations().contains(state_->r.anchor(), id());
    }

    /// Removes the handler. Returns whether it was registered: of all calls on all copies, exactly
    /// one returns true. Throws what the registry's `unregister` throws.
    bool unregister() const { return state_ != nullptr && state_->r.unregister(); }

    /// Blocks the handler as long as the guard lives. Blocks are counted; see `blockable`. If the
    /// handle refers to no handler, the guard blocks nothing.
    block_guard block() const noexcept
    {
        return state_ == nullptr ? block_guard() : block_guard(state_->blocks);
    }

    /// Returns whether the handler is blocked.
    bool blocked() const noexcept { return state_ != nullptr && state_->blocks.blocked(); }

    /// Returns whether both refer to the same handler.
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
                r.anchor()->release();
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
/// The handler can be blocked through the handle. To remove a handler at the end of a scope, use
/// `register_guard`; to remove it together with an object, use an `owner` or `tracked`: they cost
/// less. Throws what `register_handler` throws, and `std::bad_alloc`; then nothing has changed.
/// Costs two more allocations than the handler itself, and a load and a branch per call.
template <class Registry, class F>
connection connect(Registry& registry, F&& f)
{
    return connection::make(registry, std::forward<F>(f));
}

/// Registers `f` with a priority; otherwise as above.
template <class Registry, class Key, class F>
connection connect(Registry& registry, Key&& priority, F&& f)
{
    return connection::make(registry, std::forward<Key>(priority), std::forward<F>(f));
}

}  // namespace v1
}  // namespace registry_io

#endif
