// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// `slot`: a callable together with the objects that it tracks, with the interface of
// Boost.Signals2. `connect` makes a slot of any callable, and finds the trackable objects that
// `boost::bind` has bound into it.

#ifndef REGISTRY_IO_SIGNALS2_SLOT_HPP
#define REGISTRY_IO_SIGNALS2_SLOT_HPP

#include <registry_io/detail/supported.hpp>

#include <type_traits>
#include <utility>

#include <boost/bind/bind.hpp>
#include <boost/function.hpp>

#include <registry_io/detail/tracking.hpp>
#include <registry_io/signals2/detail/callables.hpp>
#include <registry_io/signals2/detail/tracked_objects.hpp>
#include <registry_io/signals2/slot_base.hpp>

namespace registry_io {
inline namespace v1 {
namespace signals2 {

template <class Signature, class SlotFunction = boost::function<Signature>>
class slot;

namespace detail {

template <class T>
inline constexpr bool is_slot = std::is_base_of_v<slot_base, T>;
template <class T>
inline constexpr bool is_signal = std::is_base_of_v<signal_base, T>;

/// Returns what to store for a callable: a reference to a signal, a copy of anything else.
template <class F>
decltype(auto) storable(F&& f)
{
    using T = std::remove_cvref_t<F>;
    if constexpr (is_signal<T>)
        return typename T::weak_signal_type(f);
    else
        return std::forward<F>(f);
}

}  // namespace detail

/// A callable with the objects that it tracks: a connected slot is called only while all of them
/// exist, keeps them alive during the call, and is disconnected after one of them has been
/// destroyed.
///
/// `connect` makes slots of its arguments itself. Make a slot to track objects:
/// `signal.connect(signal_type::slot_type(&X::f, p.get(), _1).track(p))`. Concurrency: a value
/// type; several threads may call const members.
template <class R, class... Args, class SlotFunction>
class slot<R(Args...), SlotFunction> : public slot_base
{
public:
    /// The type that a call returns.
    using result_type = R;
    /// The signature of the callable.
    using signature_type = R(Args...);
    /// The type in which the callable is stored.
    using slot_function_type = SlotFunction;
    /// The number of arguments.
    static constexpr int arity = sizeof...(Args);
    /// The type of argument `N`.
    template <unsigned N>
    struct arg
    {
        using type = typename detail::signature<R(Args...)>::template argument<N>;  ///< The type.
    };

    /// Makes a slot that calls `f`. It tracks the trackable objects and signals that `boost::bind`
    /// has bound into `f`, and `f` itself if it is one. Throws what copying `f` throws.
    template <class F>
        requires(!detail::is_slot<std::remove_cvref_t<F>>)
    slot(F&& f)
        // Find what is bound before `f` is moved from.
        : function_((detail::track_what_is_bound(tracked_, std::as_const(f)),
                     detail::storable(std::forward<F>(f))))
    {
    }
    /// Makes a slot that calls and tracks the same as `other`.
    template <class Signature, class OtherFunction>
    slot(slot<Signature, OtherFunction> const& other)
        : slot_base(other), function_(other.slot_function())
    {
    }
    /// Makes a slot that calls `boost::bind(f, bound...)`.
    template <class F, class Bound, class... More>
    slot(F const& f, Bound const& bound, More const&... more) : slot(boost::bind(f, bound, more...))
    {
    }

    /// Calls the callable, and keeps the tracked objects alive meanwhile. Throws `expired_slot` if
    /// a tracked object has been destroyed, and what the callable throws.
    R operator()(Args... args) const
    {
        locked_container_type const locked = lock();
        return function_(static_cast<Args&&>(args)...);
    }
    /// The same, for a callable whose call operator is not const.
    R operator()(Args... args)
    {
        locked_container_type const locked = lock();
        return function_(static_cast<Args&&>(args)...);
    }

    /// Tracks an object that a shared pointer of Boost or of the standard owns. `object` is that
    /// pointer or a weak pointer to the object. Returns this slot.
    template <class Pointer>
        requires registry_io::detail::tracks<Pointer>
    slot& track(Pointer const& object)
    {
        return track_foreign(object);
    }
    /// Tracks a signal: the slot runs while the signal exists. Returns this slot.
    slot& track(signal_base const& signal)
    {
        track_signal(signal);
        return *this;
    }
    /// Tracks the objects that another slot tracks. Returns this slot.
    slot& track(slot_base const& other)
    {
        detail::tracked_objects both(tracked_);
        both.insert(both.end(), other.tracked_objects().begin(), other.tracked_objects().end());
        tracked_.swap(both);
        return *this;
    }
    /// Tracks an object that any kind of shared pointer owns, given by that pointer or a weak
    /// pointer to the object. Returns this slot.
    template <class Pointer>
        requires registry_io::detail::tracks<Pointer>
    slot& track_foreign(Pointer const& object)
    {
        using weak = registry_io::detail::weak_of<Pointer>;
        tracked_.emplace_back(std::in_place, detail::weak_object<weak>{weak(object)});
        return *this;
    }

    /// Returns the callable.
    slot_function_type const& slot_function() const noexcept { return function_; }
    /// Returns the callable.
    slot_function_type& slot_function() noexcept { return function_; }

private:
    SlotFunction function_;
};

}  // namespace signals2
}  // namespace v1
}  // namespace registry_io

#endif
