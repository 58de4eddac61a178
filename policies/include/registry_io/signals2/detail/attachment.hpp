// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The state that connections and signals share. A hub is the part of a signal that outlives the
// signal object: it exists while the signal, a running call of it or a connection refers to it. An
// attachment is one connected slot: the block that the tables of the signal hold, and that
// connections refer to. Invariants: the tables keep the callable of an attachment alive until no
// call can see it. The attachment's memory and the list of tracked objects live until the last
// connection is gone, too. Blocking and disconnecting write the state; a call never does.

#ifndef REGISTRY_IO_SIGNALS2_DETAIL_ATTACHMENT_HPP
#define REGISTRY_IO_SIGNALS2_DETAIL_ATTACHMENT_HPP

#include <registry_io/detail/supported.hpp>

#include <atomic>
#include <cstdint>
#include <utility>

#include <boost/core/typeinfo.hpp>

#include <registry_io/detail/handler.hpp>

namespace boost {
class function_base;
}  // namespace boost

namespace registry_io {
inline namespace v1 {
namespace signals2 {
namespace detail {

class attachment;
class tracked_objects;

/// The part of a signal that connections refer to.
class hub
{
public:
    /// Operations on a signal for code that does not know its type.
    struct operations
    {
        void (*close)(hub&) noexcept;                ///< ends the signal when it has no owner left
        void (*free)(hub&) noexcept;                 ///< frees the memory
        void (*remove)(hub&, attachment&) noexcept;  ///< takes a slot out of the tables
    };

    explicit hub(operations const& o) noexcept : operations_(&o) {}
    hub(hub const&) = delete;
    hub& operator=(hub const&) = delete;

    /// Becomes an owner if the signal has one: the signal then lives until `unlock`.
    bool lock() noexcept
    {
        std::uint32_t n = owners_.load(std::memory_order_relaxed);
        // acquire: pairs with the release in unlock. Without it, the new owner might not see the
        // changes of earlier owners.
        while (n != 0)
            if (owners_.compare_exchange_weak(n, n + 1, std::memory_order_acquire,
                                              std::memory_order_relaxed))
                return true;
        return false;
    }
    void unlock() noexcept
    {
        // acq_rel: pairs with the unlock of other owners. Without it, the end could overtake their
        // use of the signal.
        if (owners_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
            operations_->close(*this);
            drop();
        }
    }
    bool expired() const noexcept { return owners_.load(std::memory_order_acquire) == 0; }

    /// Keeps the memory until `drop`.
    void hold() noexcept { holders_.fetch_add(1, std::memory_order_relaxed); }
    void drop() noexcept
    {
        // acq_rel: as in unlock.
        if (holders_.fetch_sub(1, std::memory_order_acq_rel) == 1)
            operations_->free(*this);
    }

    /// Takes a slot out of the tables of the signal, if the signal still exists.
    void remove(attachment& a) noexcept
    {
        if (!lock())
            return;
        operations_->remove(*this, a);
        unlock();
    }

protected:
    ~hub() = default;

private:
    operations const* operations_;
    std::atomic<std::uint32_t> owners_{1};   // the signal, and each user of a weak reference
    std::atomic<std::uint32_t> holders_{1};  // all owners together, attachments, weak references
};

/// The state that panic policies keep for a slot: none.
struct no_state
{
};

/// One connected slot.
class attachment : public registry_io::detail::block_base<no_state>
{
public:
    /// Operations on a slot for code that does not know the type of its callable.
    struct operations
    {
        void (*free)(attachment&) noexcept;  ///< destroys what is left, and frees the memory
        /// The type of the callable, and its address. For a reference wrapper, those of the object
        /// that it refers to.
        boost::core::typeinfo const& (*type)() noexcept;
        void const* (*callable)(attachment&) noexcept;
        /// Returns the callable if it is a `boost::function`, and otherwise null.
        boost::function_base const* (*function)(attachment&) noexcept;
        /// Returns the tracked objects. The pointer is null if the slot can track nothing.
        tracked_objects const* (*tracked)(attachment const&) noexcept;
        /// Whether the program cannot observe when the callable is destroyed.
        bool can_wait;
    };

    attachment(destroy_type d, hub& h, operations const& o) noexcept
        : block_base(d), signal(h), about(o)
    {
        h.hold();
    }
    attachment(attachment const&) = delete;
    attachment& operator=(attachment const&) = delete;

    /// Returns whether a call must leave this slot out. One load of a word that calls do not write.
    // acquire: pairs with the releases in unblock and mark. Without it, a slot that runs again
    // might not see what was written while it was blocked.
    bool is_idle() const noexcept { return state_.load(std::memory_order_acquire) != 0; }
    bool is_disconnected() const noexcept
    {
        return (state_.load(std::memory_order_acquire) & disconnected) != 0;
    }

    /// Marks the slot as disconnected. Returns whether it was connected.
    bool mark() noexcept
    {
        // acq_rel: pairs with the acquire in is_idle and is_disconnected. A thread that sees the
        // mark sees what was written before it.
        return (state_.fetch_or(disconnected, std::memory_order_acq_rel) & disconnected) == 0;
    }
    /// Afterwards no call runs the slot, unless the call has reached it already. If memory runs
    /// out, the callable stays in the tables, and nothing calls it.
    void disconnect() noexcept
    {
        if (mark())
            signal.remove(*this);
    }

    void block() noexcept { state_.fetch_add(1, std::memory_order_relaxed); }
    // release: pairs with the acquire in is_idle.
    void unblock() noexcept { state_.fetch_sub(1, std::memory_order_release); }

    /// Adds a reference, for the tables or a connection.
    void hold() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
    void drop() noexcept
    {
        // acq_rel: as in hub::unlock.
        if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1)
            about.free(*this);
    }

    hub& signal;
    operations const& about;
    std::uint64_t id = 0;

protected:
    ~attachment() { signal.drop(); }

private:
    static constexpr std::uint32_t disconnected = std::uint32_t(1) << 31;

    std::atomic<std::uint32_t> references_{
        2};                                // the tables, and the connection that `connect` returns
    std::atomic<std::uint32_t> state_{0};  // the number of blocks, and the mark
};

/// Keeps the memory of an attachment alive.
class attachment_ptr
{
public:
    attachment_ptr() noexcept = default;
    /// Adds a reference.
    explicit attachment_ptr(attachment& a) noexcept : a_(&a) { a.hold(); }
    /// Takes over the reference that the creator holds.
    static attachment_ptr adopt(attachment& a) noexcept
    {
        attachment_ptr p;
        p.a_ = &a;
        return p;
    }
    attachment_ptr(attachment_ptr const& other) noexcept : a_(other.a_)
    {
        if (a_ != nullptr)
            a_->hold();
    }
    attachment_ptr(attachment_ptr&& other) noexcept : a_(std::exchange(other.a_, nullptr)) {}
    attachment_ptr& operator=(attachment_ptr other) noexcept
    {
        std::swap(a_, other.a_);
        return *this;
    }
    ~attachment_ptr()
    {
        if (a_ != nullptr)
            a_->drop();
    }

    attachment* get() const noexcept { return a_; }
    attachment* operator->() const noexcept { return a_; }
    explicit operator bool() const noexcept { return a_ != nullptr; }

private:
    attachment* a_ = nullptr;
};

}  // namespace detail
}  // namespace signals2
}  // namespace v1
}  // namespace registry_io

#endif
