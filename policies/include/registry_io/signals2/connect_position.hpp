// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// `connect_position`: whether `connect` adds a slot in front of the others or behind them. The
// names and their meaning are those of Boost.Signals2.

#ifndef REGISTRY_IO_SIGNALS2_CONNECT_POSITION_HPP
#define REGISTRY_IO_SIGNALS2_CONNECT_POSITION_HPP

#include <registry_io/detail/supported.hpp>

namespace registry_io {
inline namespace v1 {
namespace signals2 {

/// Where `connect` adds a slot. Without a group: before all slots, or behind all. With a group:
/// before the slots of that group, or behind them.
enum connect_position : unsigned char { at_back, at_front };

}  // namespace signals2
}  // namespace v1
}  // namespace registry_io

#endif
