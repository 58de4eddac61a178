// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Declarations without definitions, for headers that only name the registry or its companions.
// Include the full header where you call members.

#ifndef REGISTRY_IO_REGISTRY_FWD_HPP
#define REGISTRY_IO_REGISTRY_FWD_HPP

#include <registry_io/detail/supported.hpp>

namespace registry_io {
inline namespace v1 {

class handler_id;
class handler_guard;
class panic_info;

template <class Event, class SnapshotPolicy, class OrderingPolicy, class PanicPolicy,
          class AllocPolicy>
class basic_registry;

template <class Event>
class registry_ref;

}  // namespace v1
}  // namespace registry_io

#endif
