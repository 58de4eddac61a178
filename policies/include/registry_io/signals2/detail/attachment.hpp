// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// What connections and signals share. A hub is the part of a signal that outlives the object: it is
// there while the signal, a running call of it or a connection refers to it. An attachment is one
// connected slot: the block that the tables of the signal hold, and what connections refer to.
// Invariants: the callable of an attachment lives until no call can see it any more (the tables see
// to that); the attachment's memory and the list of what it tracks live until the last connection
// is gone too; and the state is written when somebody blocks or disconnects, never by a call.

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
    /// What can be done with a signal by code that does not know its type.
    struct operations
    {
        void (*close)(hub&) noexcept;                ///< ends the signal: nobody owns it any more
        void (*free)(hub&) noexcept;                 ///< frees the memory
        void (*remove)(hub&, attachment&) noexcept;  ///< takes a slot out of the tables
    };

    explicit hub(operations const& o) noexcept : operations_(&o) {}
    hub(hub const&) = delete;
    hub& operator=(hub const&) = delete;

    /// Becomes an owner, if there is one: the signal then lives until `unlock`.
    bool lock() noexcept
    {
        std::uint32_t n = owners_.load(std::memory_order_relaxed);
        // acquire: pairs with the release in unlock, as for any reference count that comes back.
        while (n != 0)
            if (owners_.compare_exchange_weak(n, n + 1, std::memory_order_acquire,
                                              std::memory_order_relaxed))
                return true;
        return false;
    }
    void unlock() noexcept
    {
        // acq_rel: all use of the signal comes before its end.
        if (owners_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
            operations_->close(*this);
            drop();
        }
    }
    bool expired() const noexcept { return owners_.load(std::memory_order_acquire) == 0; }

    /// Keeps the memory.
    void hold() noexcept { holders_.fetch_add(1, std::memory_order_relaxed); }
    void drop() noexcept
    {
        // acq_rel: as in unlock.
        if (holders_.fetch_sub(1, std::memory_order_acq_rel) == 1)
            operations_->free(*this);
    }

    /// Takes a slot out of the tables of the signal, if that is still there.
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
    std::atomic<std::uint32_t> owners_{1};   // the signal, and whoever uses it by a weak reference
    std::atomic<std::uint32_t> holders_{1};  // all owners together, attachments, weak references
};

/// The panic policies' state of a slot: none.
struct no_state
{
};

/// One connected slot.
class attachment : public registry_io::detail::block_base<no_state>
{
public:
    /// What can be done with a slot by code that does not know the type of its callable.
    struct operations
    {
        void (*free)(attachment&) noexcept;  ///< ends what is left, and frees the memory
        /// The type of the callable, and where it is. That of a reference wrapper is what it
        /// refers to.
        boost::core::typeinfo const& (*type)() noexcept;
        void const* (*callable)(attachment&) noexcept;
        /// The callable, if it is a `boost::function`.
        boost::function_base const* (*function)(attachment&) noexcept;
        /// What the slot tracks; null for all that track nothing.
        tracked_objects const* (*tracked)(attachment const&) noexcept;
        /// Whether nobody can tell when the callable is destroyed.
        bool can_wait;
    };

    attachment(destroy_type d, hub& h, operations const& o) noexcept
        : block_base(d), signal(h), about(o)
    {
        h.hold();
    }
    attachment(attachment const&) = delete;
    attachment& operator=(attachment const&) = delete;

    /// Whether a call must leave this slot out. One load of a word that is not written meanwhile.
    // acquire: pairs with the release in unblock, so that a slot which runs again sees what was
    // written while it was blocked; and with disconnect.
    bool is_idle() const noexcept { return state_.load(std::memory_order_acquire) != 0; }
    bool is_disconnected() const noexcept
    {
        return (state_.load(std::memory_order_acquire) & disconnected) != 0;
    }

    /// Marks the slot. Returns whether it was connected.
    bool mark() noexcept
    {
        // acq_rel: whoever sees the mark sees what was written before it.
        return (state_.fetch_or(disconnected, std::memory_order_acq_rel) & disconnected) == 0;
    }
    /// No call that begins later runs the slot, nor does a running one that has not come to it. If
    /// memory is short the callable stays in the tables, where nothing calls it.
    void disconnect() noexcept
    {
        if (mark())
            signal.remove(*this);
    }

    void block() noexcept { state_.fetch_add(1, std::memory_order_relaxed); }
    void unblock() noexcept { state_.fetch_sub(1, std::memory_order_release); }

    /// For the tables and for connections.
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

    std::atomic<std::uint32_t> references_{2};  // the tables, and whoever connects
    std::atomic<std::uint32_t> state_{0};       // how often it is blocked, and the mark
};

/// Keeps the memory of an attachment.
class attachment_ptr
{
public:
    attachment_ptr() noexcept = default;
    /// Another reference.
    explicit attachment_ptr(attachment& a) noexcept : a_(&a) { a.hold(); }
    /// The reference of whoever has made it.
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
