// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// `trackable`: the base class of objects whose slots are disconnected when they are destroyed, as
// in Boost.Signals2. For one thread. With several threads, track a shared pointer instead.

#ifndef REGISTRY_IO_SIGNALS2_TRACKABLE_HPP
#define REGISTRY_IO_SIGNALS2_TRACKABLE_HPP

#include <registry_io/detail/supported.hpp>

#include <registry_io/signals2/detail/tracked_objects.hpp>

namespace registry_io {
inline namespace v1 {
namespace signals2 {

/// A base class of objects whose slots are disconnected when they are destroyed.
///
/// A slot tracks such an object automatically in two cases: the slot is made by `boost::bind` from
/// the object, a pointer or a reference to it, or the callable is such an object. Captures of a
/// lambda are not tracked, because they cannot be inspected. Do not use it with several threads:
/// the derived object is destroyed before this base class, and another thread may run the slot
/// meanwhile. Use `slot::track` with a shared pointer instead.
class trackable
{
public:
    /// @cond
    detail::lifetime const& tracked_lifetime() const noexcept { return lifetime_; }
    /// @endcond

protected:
    /// Throws `std::bad_alloc`.
    trackable() = default;
    /// Slots that track `other` do not track the copy. Throws `std::bad_alloc`.
    trackable(trackable const&) : trackable() {}
    /// Slots keep tracking the objects that they track.
    trackable& operator=(trackable const&) noexcept { return *this; }
    /// Makes the slots that track this object expire.
    ~trackable() { lifetime_.end(); }

private:
    detail::lifetime lifetime_{};
};

}  // namespace signals2
}  // namespace v1
}  // namespace registry_io

#endif
