// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// `shared_connection_block`: blocks a connected slot for a scope, as in Boost.Signals2. Each object
// adds one to the slot's count of blocks.

#ifndef REGISTRY_IO_SIGNALS2_SHARED_CONNECTION_BLOCK_HPP
#define REGISTRY_IO_SIGNALS2_SHARED_CONNECTION_BLOCK_HPP

#include <registry_io/detail/supported.hpp>

#include <utility>

#include <registry_io/signals2/connection.hpp>

namespace registry_io {
inline namespace v1 {
namespace signals2 {

/// Blocks a connected slot while it lives: calls of the signal leave the slot out.
///
/// A slot is blocked while at least one object of this class blocks it; each copy counts. Blocking
/// does not wait for a running call of the slot. Concurrency: one thread at a time may use an
/// object; any number of objects may block the same slot.
class shared_connection_block
{
public:
    /// Blocks the slot, unless `initially_blocking` is false.
    shared_connection_block(signals2::connection const& c = signals2::connection(),
                            bool initially_blocking = true) noexcept
        : of_(c)
    {
        if (initially_blocking)
            block();
    }
    /// Blocks the slot of `other` once more, if `other` blocks it.
    shared_connection_block(shared_connection_block const& other) noexcept
        : shared_connection_block(other.of_, other.blocking_)
    {
    }
    /// Ends this block. Then blocks the slot of `other`, if `other` blocks it.
    shared_connection_block& operator=(shared_connection_block const& other) noexcept
    {
        shared_connection_block copy(other);
        std::swap(of_, copy.of_);
        std::swap(blocking_, copy.blocking_);
        return *this;
    }
    ~shared_connection_block() { unblock(); }

    /// Blocks the slot, unless this object blocks it already.
    void block() noexcept
    {
        if (!std::exchange(blocking_, true) && of_.to_)
            of_.to_->block();
    }
    /// Ends this block. The slot runs again when no block is left.
    void unblock() noexcept
    {
        if (std::exchange(blocking_, false) && of_.to_)
            of_.to_->unblock();
    }
    /// Returns whether this object blocks the slot.
    bool blocking() const noexcept { return blocking_; }

    /// Returns a handle of the slot.
    signals2::connection connection() const noexcept { return of_; }

private:
    signals2::connection of_;
    bool blocking_ = false;
};

}  // namespace signals2
}  // namespace v1
}  // namespace registry_io

#endif
