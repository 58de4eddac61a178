// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// `signal_base`: the base class of signals of all signatures, as in Boost.Signals2. Slots track a
// signal through it.

#ifndef REGISTRY_IO_SIGNALS2_SIGNAL_BASE_HPP
#define REGISTRY_IO_SIGNALS2_SIGNAL_BASE_HPP

#include <registry_io/detail/supported.hpp>

#include <utility>

#include <registry_io/signals2/detail/attachment.hpp>
#include <registry_io/signals2/detail/tracked_objects.hpp>

namespace registry_io {
inline namespace v1 {
namespace signals2 {

/// The base class of all signals, so that slots can track them.
class signal_base
{
public:
    signal_base(signal_base const&) = delete;
    signal_base& operator=(signal_base const&) = delete;
    virtual ~signal_base() = default;

    /// @cond
    // Precondition: this signal has not been moved from.
    detail::weak_hub weak_reference() const noexcept { return detail::weak_hub(*hub_); }
    /// @endcond

protected:
    /// @cond
    explicit signal_base(detail::hub* h) noexcept : hub_(h) {}
    void swap_hubs(signal_base& other) noexcept { std::swap(hub_, other.hub_); }
    /// Null after this signal has been moved from.
    detail::hub* hub_;
    /// @endcond
};

}  // namespace signals2
}  // namespace v1
}  // namespace registry_io

#endif
