// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// `expired_slot`: the exception that a slot throws when an object that it tracks has been
// destroyed, as in Boost.Signals2. Signals catch it and disconnect the slot.

#ifndef REGISTRY_IO_SIGNALS2_EXPIRED_SLOT_HPP
#define REGISTRY_IO_SIGNALS2_EXPIRED_SLOT_HPP

#include <registry_io/detail/supported.hpp>

#include <exception>

namespace registry_io {
inline namespace v1 {
namespace signals2 {

/// Thrown by the call of a slot when an object that the slot tracks has been destroyed.
///
/// A signal disconnects a slot that throws it. The combiners of this library then go on with the
/// next slot; in your own combiner, dereferencing the iterator throws it.
class expired_slot : public std::exception
{
public:
    /// Says that the slot has expired.
    char const* what() const noexcept override { return "registry_io: a slot has expired"; }
};

}  // namespace signals2
}  // namespace v1
}  // namespace registry_io

#endif
