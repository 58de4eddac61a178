// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The exception that reports a handler that never ended. When a coroutine that awaits a notify is
// destroyed, the notify destroys the handlers that are still waiting, and reports each of them to
// the panic policy as abandoned.

#ifndef REGISTRY_IO_ASYNC_ABANDONED_HPP
#define REGISTRY_IO_ASYNC_ABANDONED_HPP

#include <registry_io/detail/supported.hpp>

#include <stdexcept>

namespace registry_io {
inline namespace v1 {
namespace async {

/// The failure of a handler that was destroyed before it had ended, because the coroutine that
/// awaited the notify was destroyed.
class abandoned : public std::runtime_error
{
public:
    abandoned() : std::runtime_error("abandoned before it had ended") {}
};

}  // namespace async
}  // namespace v1
}  // namespace registry_io

#endif
