// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// `connection` and `scoped_connection`: handles of a connected slot, with the interface of
// Boost.Signals2. Each is a counted pointer to the slot's attachment, which outlives the signal.

#ifndef REGISTRY_IO_SIGNALS2_CONNECTION_HPP
#define REGISTRY_IO_SIGNALS2_CONNECTION_HPP

#include <registry_io/detail/supported.hpp>

#include <functional>
#include <utility>

#include <registry_io/signals2/detail/attachment.hpp>
#include <registry_io/signals2/detail/tracked_objects.hpp>

namespace registry_io {
inline namespace v1 {
namespace signals2 {

class shared_connection_block;

/// A copyable handle of one connected slot.
///
/// It does not own the slot: destroying it changes nothing. It may outlive the signal; the slot is
/// then disconnected. Concurrency: any thread may call const members at any time, also while
/// another thread destroys the signal.
class connection
{
public:
    /// Creates a handle of no slot.
    connection() noexcept = default;
    /// Creates another handle of the same slot.
    connection(connection const&) noexcept = default;
    /// Takes over the slot of `other`, which then is a handle of no slot.
    connection(connection&& other) noexcept = default;
    /// Becomes another handle of the same slot.
    connection& operator=(connection const&) noexcept = default;
    /// Takes over the slot of `other`, which then is a handle of no slot.
    connection& operator=(connection&& other) noexcept = default;

    /// Disconnects the slot. Does nothing if it is not connected.
    ///
    /// Afterwards no call of the signal runs the slot, including running calls that have not
    /// reached it. Does not wait for a running call of the slot. The captures of the slot are
    /// destroyed here, or when the last running call of the signal ends.
    void disconnect() const noexcept
    {
        if (to_)
            to_->disconnect();
    }

    /// Returns whether the slot is connected. Disconnects a slot that tracks a destroyed object.
    bool connected() const noexcept
    {
        if (!to_ || to_->is_disconnected())
            return false;
        if (!detail::tracks_expired(*to_.get()))
            return true;
        to_->disconnect();
        return false;
    }

    /// Returns whether the slot is blocked or not connected.
    bool blocked() const noexcept { return !to_ || to_->is_idle(); }

    /// Swaps the slots of the two handles.
    void swap(connection& other) noexcept { std::swap(to_, other.to_); }

    /// Returns whether both are handles of the same slot, or of none.
    friend bool operator==(connection const& a, connection const& b) noexcept
    {
        return a.to_.get() == b.to_.get();
    }
    /// Orders handles strictly and totally, for containers.
    friend bool operator<(connection const& a, connection const& b) noexcept
    {
        return std::less<>()(a.to_.get(), b.to_.get());
    }

    /// @cond
    // For signals.
    explicit connection(detail::attachment_ptr to) noexcept : to_(std::move(to)) {}
    /// @endcond

protected:
    /// @cond
    friend class shared_connection_block;
    detail::attachment_ptr to_{};
    /// @endcond
};

/// Swaps the slots of the two handles.
inline void swap(connection& a, connection& b) noexcept
{
    a.swap(b);
}

/// A connection that disconnects its slot when it is destroyed. Move-only.
class scoped_connection : public connection
{
public:
    /// Creates a handle of no slot.
    scoped_connection() noexcept = default;
    /// Creates a handle that disconnects the slot of `other` when it is destroyed.
    scoped_connection(connection const& other) noexcept : connection(other) {}
    /// Takes over the slot of `other`, and disconnects it when this handle is destroyed.
    scoped_connection(connection&& other) noexcept : connection(std::move(other)) {}
    /// Takes over the slot of `other`, which then is a handle of no slot.
    scoped_connection(scoped_connection&& other) noexcept = default;
    /// Disconnects the slot of this handle, and becomes a handle of the slot of `other`.
    scoped_connection& operator=(connection const& other) noexcept
    {
        return *this = scoped_connection(other);
    }
    /// Disconnects the slot of this handle, and takes over the slot of `other`.
    scoped_connection& operator=(connection&& other) noexcept
    {
        return *this = scoped_connection(std::move(other));
    }
    /// Disconnects the slot of this handle, and takes over the slot of `other`.
    scoped_connection& operator=(scoped_connection&& other) noexcept
    {
        if (this != &other) {
            disconnect();
            connection::operator=(static_cast<connection&&>(other));
        }
        return *this;
    }
    ~scoped_connection() { disconnect(); }

    /// Releases the slot, which stays connected, and returns a handle of it.
    connection release() noexcept
    {
        connection mine;
        connection::swap(mine);
        return mine;
    }
};

/// Swaps the slots of the two handles.
inline void swap(scoped_connection& a, scoped_connection& b) noexcept
{
    a.swap(b);
}

}  // namespace signals2
}  // namespace v1
}  // namespace registry_io

#endif
