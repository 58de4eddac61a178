// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// What a tap learns about each call of a handler: which handler, and which event type. The adaptors
// `tapped` and `traced` share it.

#ifndef REGISTRY_IO_OBSERVE_TAPPED_CALL_HPP
#define REGISTRY_IO_OBSERVE_TAPPED_CALL_HPP

#include <registry_io/detail/supported.hpp>

#include <registry_io/handler_id.hpp>
#include <registry_io/handler_label.hpp>

namespace registry_io {
inline namespace v1 {
namespace observe {

/// A call of a handler, as a tap sees it.
struct tapped_call
{
    handler_id id;
    handler_label const& label;  ///< empty unless the registry also has `named`
    char const* event;           ///< the event type
};

}  // namespace observe
}  // namespace v1
}  // namespace registry_io

#endif
