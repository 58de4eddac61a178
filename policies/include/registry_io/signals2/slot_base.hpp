// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// `slot_base`: the base class of slots of all signatures, as in Boost.Signals2. It holds the
// tracked objects and locks them for a call.

#ifndef REGISTRY_IO_SIGNALS2_SLOT_BASE_HPP
#define REGISTRY_IO_SIGNALS2_SLOT_BASE_HPP

#include <registry_io/detail/supported.hpp>

#include <utility>
#include <vector>

#include <registry_io/detail/raise.hpp>
#include <registry_io/signals2/detail/tracked_objects.hpp>
#include <registry_io/signals2/expired_slot.hpp>
#include <registry_io/signals2/signal_base.hpp>

namespace registry_io {
inline namespace v1 {
namespace signals2 {

/// The base class of slots of all signatures: the objects that a slot tracks.
class slot_base
{
public:
    /// The type that keeps tracked objects alive.
    using locked_container_type = std::vector<detail::locked_object>;
    /// The type of the list of tracked objects.
    using tracked_container_type = detail::tracked_objects;

    /// Returns the tracked objects.
    tracked_container_type const& tracked_objects() const noexcept { return tracked_; }

    /// Keeps all tracked objects alive for as long as the result lives. Throws `expired_slot` if
    /// one of them has been destroyed, and `std::bad_alloc`.
    locked_container_type lock() const
    {
        locked_container_type all;
        all.reserve(tracked_.size());
        for (detail::tracked_object const& o : tracked_) {
            all.emplace_back();
            if (!o.operations().lock(o, all.back()))
                registry_io::detail::raise(expired_slot());
        }
        return all;
    }

    /// Returns whether a tracked object has been destroyed.
    bool expired() const noexcept { return tracked_.expired(); }

protected:
    /// @cond
    slot_base() = default;
    ~slot_base() = default;
    slot_base(slot_base const&) = default;
    slot_base(slot_base&&) = default;
    slot_base& operator=(slot_base const&) = default;
    slot_base& operator=(slot_base&&) = default;

    void track_signal(signal_base const& s)
    {
        tracked_.emplace_back(std::in_place, s.weak_reference());
    }
    detail::tracked_objects tracked_;
    /// @endcond
};

}  // namespace signals2
}  // namespace v1
}  // namespace registry_io

#endif
