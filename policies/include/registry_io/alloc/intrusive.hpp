// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The alloc policy for registries whose handlers are stored in nodes that the caller owns. The
// registry then allocates nothing; see `linked_registry.hpp`.

#ifndef REGISTRY_IO_ALLOC_INTRUSIVE_HPP
#define REGISTRY_IO_ALLOC_INTRUSIVE_HPP

#include <registry_io/detail/supported.hpp>

#include <cstddef>

#include <registry_io/policy.hpp>

namespace registry_io {
inline namespace v1 {
namespace alloc {

/// Stores each handler in a node that the caller owns; the registry has no memory of its own.
///
/// `register_handler(node, f)` takes a `handler_node` of the registry, or a `static_handler_node`.
/// It returns an empty id if that node is in use. `linked()` says whether a node is in use: it is
/// free again when its handler has been removed and every notify that was running then has ended.
/// Destroying a node earlier calls the panic policy's `fatal`. Clear a registry that is destroyed
/// before its nodes. Finding a handler by its id takes linear time.
/// Use it with `snapshot::interrupt_safe`, if the total number of handlers is not known, but each
/// piece of code that registers handlers knows its own number.
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
