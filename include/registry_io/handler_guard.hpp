// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The owner of one registration: it unregisters the handler when it is destroyed. A guard refers to
// a part of the registry, the anchor, which lives until the last guard is destroyed. A guard may
// therefore outlive its registry.

#ifndef REGISTRY_IO_HANDLER_GUARD_HPP
#define REGISTRY_IO_HANDLER_GUARD_HPP

#include <registry_io/detail/supported.hpp>

#include <utility>

#include <registry_io/handler_id.hpp>

namespace registry_io {
inline namespace v1 {

namespace detail {

/// The part of a registry that a guard refers to, and that may outlive the registry.
struct guard_anchor
{
    /// The functions that all registries of one type share.
    struct kind_type
    {
        /// Unregisters the handler, unless the registry has been destroyed.
        bool (*unregister)(guard_anchor*, handler_id);
        /// Drops a guard's reference. Frees the anchor if this was the last reference and the
        /// registry has been destroyed.
        void (*release)(guard_anchor*) noexcept;
        /// The type of the registry's events, for logs and debuggers.
        char const* event_name;
    };
    /// Set once, by the code that makes the registry's first registration: its functions are those
    /// that run, whichever shared object removes.
    kind_type const* kind;

    bool unregister(handler_id id) { return kind->unregister(this, id); }
    void release() noexcept { kind->release(this); }
};

}  // namespace detail

/// Unregisters its handler when it is destroyed.
///
/// Move-only. A guard that outlives its registry is safe and does nothing (with an alloc policy
/// that keeps everything inside the registry, `alloc::fixed`, that is a precondition violation,
/// checked by an assertion). Destroying a guard while another thread destroys the registry is a
/// precondition violation, like any other call into a registry during its destruction.
/// Concurrency: distinct guards are independent. Reentrancy: a handler may drop its own guard.
class [[nodiscard]] handler_guard
{
public:
    /// A guard that holds no handler.
    handler_guard() noexcept = default;

    /// For registries: takes over one reference to `anchor`.
    handler_guard(detail::guard_anchor* anchor, handler_id id) noexcept : anchor_(anchor), id_(id)
    {
    }

    handler_guard(handler_guard const&) = delete;
    handler_guard& operator=(handler_guard const&) = delete;

    /// Takes over what `other` holds.
    handler_guard(handler_guard&& other) noexcept
        : anchor_(std::exchange(other.anchor_, nullptr)), id_(std::exchange(other.id_, {}))
    {
    }

    /// Takes over what `other` holds, then unregisters what this guard held. This guard may lie in
    /// the captures that the removal destroys. Terminates if the removal fails.
    handler_guard& operator=(handler_guard&& other) noexcept
    {
        handler_guard before(std::move(other));
        std::swap(before.anchor_, anchor_);
        std::swap(before.id_, id_);
        return *this;  // the destructor of `before` removes; nothing touches this guard after it
    }

    /// Unregisters the handler. A removal copies a table. If there is no memory for the copy, the
    /// program terminates, since a destructor cannot report the failure; call `reset` first to
    /// handle it.
    ~handler_guard() { reset(); }

    /// The id of the guarded handler; empty if the guard holds none.
    handler_id id() const noexcept { return id_; }

    /// Whether the guard holds a handler.
    explicit operator bool() const noexcept { return anchor_ != nullptr; }

    /// Unregisters the handler now; the guard then holds nothing.
    ///
    /// The guard may lie in the captures that this destroys. Returns whether the handler was still
    /// registered. Throws what `unregister` throws; then the guard still holds the handler.
    bool reset()
    {
        if (anchor_ == nullptr)
            return false;
        // The guard may lie in the captures that are now destroyed. It therefore holds nothing
        // during the removal, and is touched again only if the removal fails and destroys nothing.
        struct removal
        {
            handler_guard& guard;
            detail::guard_anchor* anchor = std::exchange(guard.anchor_, nullptr);
            handler_id id = std::exchange(guard.id_, {});
            bool done = false;

            ~removal()
            {
                if (done) {
                    anchor->release();
                } else {
                    guard.anchor_ = anchor;
                    guard.id_ = id;
                }
            }
        } r{*this};
        bool const removed = r.anchor->unregister(r.id);
        r.done = true;
        return removed;
    }

    /// Releases the handler, which stays registered. Returns its id.
    handler_id release() noexcept
    {
        if (detail::guard_anchor* anchor = std::exchange(anchor_, nullptr))
            anchor->release();
        return std::exchange(id_, {});
    }

private:
    detail::guard_anchor* anchor_ = nullptr;
    handler_id id_;
};

}  // namespace v1
}  // namespace registry_io

#endif
