// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The alloc policy of registries whose handlers lie in nodes that the caller owns. The registry
// then allocates nothing; see `linked_registry.hpp`.

#ifndef REGISTRY_IO_ALLOC_INTRUSIVE_HPP
#define REGISTRY_IO_ALLOC_INTRUSIVE_HPP

#include <registry_io/detail/supported.hpp>

#include <cstddef>

#include <registry_io/policy.hpp>

namespace registry_io {
inline namespace v1 {
namespace alloc {

/// Each handler lies in a node that is the caller's; the registry has no memory of its own.
///
/// `register_handler(node, f)` takes a `handler_node` of the registry, or a `static_handler_node`;
/// the id is empty when that node is in use. A node says with `linked()` whether it is: it is free
/// again when its handler has been removed and no notify that ran then is running any more.
/// Destroying it earlier ends in the panic policy's `fatal`. Clear a registry that is destroyed
/// before its nodes. Finding a handler by its id is linear.
/// Take it: with `snapshot::interrupt_safe`, where nobody knows how many handlers there will be,
/// but each of those who register knows about their own.
struct intrusive
{
    using category = axis::alloc;
    static constexpr std::size_t capacity = 0;
    static constexpr bool caller_owned = true;
};

}  // namespace alloc
}  // namespace v1
}  // namespace registry_io

#endif
