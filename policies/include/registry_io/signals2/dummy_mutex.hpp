// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// `dummy_mutex`: the mutex type of a signal for a single thread, as in Boost.Signals2. The type
// only selects the implementation: no signal contains such a mutex.

#ifndef REGISTRY_IO_SIGNALS2_DUMMY_MUTEX_HPP
#define REGISTRY_IO_SIGNALS2_DUMMY_MUTEX_HPP

#include <registry_io/detail/supported.hpp>

namespace registry_io {
inline namespace v1 {
namespace signals2 {

/// As the mutex of a signal, states that one thread at a time uses the signal and its connections.
/// The signal then does no synchronization.
class dummy_mutex
{
public:
    /// Does nothing.
    void lock() noexcept {}
    /// Does nothing. Returns true.
    bool try_lock() noexcept { return true; }
    /// Does nothing.
    void unlock() noexcept {}
};

}  // namespace signals2
}  // namespace v1
}  // namespace registry_io

#endif
