// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The objects that a slot tracks, through any kind of pointer. A weak pointer of two words, such as
// those of the standard and of Boost, is stored in place; a larger one on the heap. The locked
// objects of a call are stored on the caller's stack, up to a few.

#ifndef REGISTRY_IO_SIGNALS2_DETAIL_TRACKED_OBJECTS_HPP
#define REGISTRY_IO_SIGNALS2_DETAIL_TRACKED_OBJECTS_HPP

#include <registry_io/detail/supported.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <type_traits>
#include <utility>
#include <vector>

#include <registry_io/signals2/detail/attachment.hpp>

namespace registry_io {
inline namespace v1 {
namespace signals2 {
namespace detail {

/// A value of any copyable type that has `Operations`.
template <class Operations>
class erased
{
    static constexpr std::size_t words = 2;
    template <class T>
    static constexpr bool fits = sizeof(T) <= words * sizeof(void*) &&
        alignof(T) <= alignof(void*) && std::is_nothrow_move_constructible_v<T>;

    struct table
    {
        void (*copy)(erased& to, erased const& from);  // null if it cannot be copied
        void (*move)(erased& to, erased& from) noexcept;
        void (*destroy)(erased&) noexcept;
        Operations operations;
    };

    table const* table_ = nullptr;
    alignas(void*) mutable std::byte room_[words * sizeof(void*)];

public:
    erased() noexcept = default;
    template <class T>
    // NOLINTNEXTLINE(performance-unnecessary-value-param): it is moved from.
    erased(std::in_place_t, T value)
    {
        make<T>(std::move(value));
        table_ = &table_of<T>;
    }
    erased(erased const& other)
    {
        if (other.table_ != nullptr)
            other.table_->copy(*this, other);
        table_ = other.table_;
    }
    erased(erased&& other) noexcept
    {
        if (other.table_ != nullptr)
            other.table_->move(*this, other);
        table_ = std::exchange(other.table_, nullptr);
    }
    erased& operator=(erased other) noexcept
    {
        reset();
        if (other.table_ != nullptr)
            other.table_->move(*this, other);
        table_ = std::exchange(other.table_, nullptr);
        return *this;
    }
    ~erased() { reset(); }

    void reset() noexcept
    {
        if (table_ != nullptr)
            std::exchange(table_, nullptr)->destroy(*this);
    }
    Operations const& operations() const noexcept { return table_->operations; }

    template <class T>
    T& get() const noexcept
    {
        if constexpr (fits<T>)
            return *std::launder(reinterpret_cast<T*>(room_));
        else
            return **std::launder(reinterpret_cast<T**>(room_));
    }

private:
    template <class T, class U>
    void make(U&& value)
    {
        if constexpr (fits<T>)
            ::new (static_cast<void*>(room_)) T(std::forward<U>(value));
        else
            ::new (static_cast<void*>(room_)) T*(new T(std::forward<U>(value)));
    }

    template <class T>
    static constexpr table table_of{
        [](erased& to, erased const& from) { to.make<T>(std::as_const(from.get<T>())); },
        [](erased& to, erased& from) noexcept {
            if constexpr (fits<T>) {
                to.make<T>(std::move(from.get<T>()));
                from.get<T>().~T();
            } else {
                ::new (static_cast<void*>(to.room_)) T*(&from.get<T>());
            }
        },
        [](erased& e) noexcept {
            if constexpr (fits<T>)
                e.get<T>().~T();
            else
                delete &e.get<T>();
        },
        Operations::template of<erased, T>()};
};

/// An object that is kept alive during a call: a shared pointer of any kind.
struct nothing_more
{
    template <class Erased, class T>
    static constexpr nothing_more of() noexcept
    {
        return {};
    }
};
using locked_object = erased<nothing_more>;

struct weak_operations;
/// An object that a slot tracks. Its type has `expired()` and `lock_into(locked_object&)`, which
/// returns false if the object has been destroyed.
using tracked_object = erased<weak_operations>;

struct weak_operations
{
    bool (*expired)(tracked_object const&) noexcept;
    bool (*lock)(tracked_object const&, locked_object&);

    template <class Erased, class T>
    static constexpr weak_operations of() noexcept
    {
        return {
            [](Erased const& e) noexcept { return e.template get<T>().expired(); },
            [](Erased const& e, locked_object& to) { return e.template get<T>().lock_into(to); }};
    }
};

/// A weak pointer of the standard, of Boost, or of another library.
template <class Weak>
struct weak_object
{
    Weak weak;

    bool expired() const noexcept { return weak.expired(); }
    bool lock_into(locked_object& to) const
    {
        auto strong = weak.lock();
        // Check the owner, not the pointer, which may be null although an object is owned.
        if (weak.expired())
            return false;
        to = locked_object(std::in_place, std::move(strong));
        return true;
    }
};

/// A weak reference to a signal.
class weak_hub
{
public:
    explicit weak_hub(hub& h) noexcept : hub_(&h) { h.hold(); }
    weak_hub(weak_hub const& other) noexcept : weak_hub(*other.hub_) {}
    weak_hub& operator=(weak_hub const&) = delete;
    ~weak_hub() { hub_->drop(); }

    hub& get() const noexcept { return *hub_; }
    bool expired() const noexcept { return hub_->expired(); }

    class owner
    {
    public:
        explicit owner(hub& locked) noexcept : hub_(&locked) {}
        owner(owner&& other) noexcept : hub_(std::exchange(other.hub_, nullptr)) {}
        owner(owner const& other) noexcept : hub_(other.hub_)
        {
            if (hub_ != nullptr)
                static_cast<void>(hub_->lock());  // succeeds: this object owns it already
        }
        owner& operator=(owner const&) = delete;
        ~owner()
        {
            if (hub_ != nullptr)
                hub_->unlock();
        }

    private:
        hub* hub_;
    };
    bool lock_into(locked_object& to) const
    {
        if (!hub_->lock())
            return false;
        to = locked_object(std::in_place, owner(*hub_));
        return true;
    }

private:
    hub* hub_;
};

/// Tells when an object has ended that no shared pointer owns. It cannot keep the object alive.
class lifetime
{
public:
    lifetime() : state_(new state) {}
    lifetime(lifetime const& other) noexcept : state_(other.state_)
    {
        state_->references.fetch_add(1, std::memory_order_relaxed);
    }
    lifetime& operator=(lifetime const&) = delete;
    ~lifetime()
    {
        // acq_rel: pairs with the other releases of references, which happen before the deletion.
        if (state_->references.fetch_sub(1, std::memory_order_acq_rel) == 1)
            delete state_;
    }

    // release: pairs with the acquire in expired.
    void end() noexcept { state_->ended.store(true, std::memory_order_release); }
    bool expired() const noexcept { return state_->ended.load(std::memory_order_acquire); }
    bool lock_into(locked_object&) const noexcept { return !expired(); }

private:
    struct state
    {
        std::atomic<std::uint32_t> references{1};
        std::atomic<bool> ended{false};
    };
    state* state_;
};

/// The objects that are locked for one call.
class locked_objects
{
public:
    /// Locks an object. Returns false if it has been destroyed.
    bool lock(tracked_object const& object)
    {
        if (count_ == few) {
            more_.emplace_back();
            return object.operations().lock(object, more_.back());
        }
        return object.operations().lock(object, first_[count_++]);
    }
    void clear() noexcept
    {
        while (count_ != 0)
            first_[--count_].reset();
        more_.clear();
    }

private:
    static constexpr std::size_t few = 4;
    locked_object first_[few];
    std::size_t count_ = 0;
    std::vector<locked_object> more_;
};

/// All objects that a slot tracks.
class tracked_objects : public std::vector<tracked_object>
{
public:
    bool expired() const noexcept
    {
        for (tracked_object const& o : *this)
            if (o.operations().expired(o))
                return true;
        return false;
    }
    /// Locks all objects. Returns false if one has been destroyed.
    bool lock(locked_objects& locked) const
    {
        for (tracked_object const& o : *this)
            if (!locked.lock(o))
                return false;
        return true;
    }
};

/// Returns whether a slot tracks an object that has been destroyed.
inline bool tracks_expired(attachment const& a) noexcept
{
    if (a.about.tracked == nullptr)
        return false;
    return a.about.tracked(a)->expired();
}

/// Locks what a slot tracks for a call. If an object has been destroyed, disconnects the slot and
/// returns false.
inline bool lock_for_call(attachment& a, locked_objects& locked)
{
    if (a.is_idle())
        return false;
    if (a.about.tracked == nullptr)
        return true;
    if (a.about.tracked(a)->lock(locked))
        return true;
    a.disconnect();
    return false;
}

}  // namespace detail
}  // namespace signals2
}  // namespace v1
}  // namespace registry_io

#endif
