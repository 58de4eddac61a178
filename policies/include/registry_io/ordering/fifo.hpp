// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The ordering policy without keys: handlers fire in the order of their registration. Since ids are
// assigned in that order too, the rows of a table are sorted by id, and binary search finds a
// handler.

#ifndef REGISTRY_IO_ORDERING_FIFO_HPP
#define REGISTRY_IO_ORDERING_FIFO_HPP

#include <registry_io/detail/supported.hpp>

#include <registry_io/config.hpp>
#include <registry_io/policy.hpp>

namespace registry_io {
inline namespace v1 {
namespace ordering {

/// Handlers fire in the order of their registration.
///
/// There is no key: a registration with a priority does not compile. Registering appends, and ids
/// are found by binary search, so no index is kept.
/// Use it if the order does not matter; its writes are the cheapest.
struct REGISTRY_IO_EXPORT fifo
{
    using category = axis::ordering;
    using key_type = void;
};

}  // namespace ordering
}  // namespace v1
}  // namespace registry_io

#endif
