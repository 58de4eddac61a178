// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// `mutex`: the mutex type of a signal for several threads, as in Boost.Signals2. It is the default,
// and only selects the implementation: no signal contains such a mutex.

#ifndef REGISTRY_IO_SIGNALS2_MUTEX_HPP
#define REGISTRY_IO_SIGNALS2_MUTEX_HPP

#include <registry_io/detail/supported.hpp>

#include <mutex>

namespace registry_io {
inline namespace v1 {
namespace signals2 {

/// The default mutex of a signal: any number of threads may use the signal and its connections.
///
/// The type only selects the implementation; a signal contains no mutex. Any other type but
/// `dummy_mutex` selects the same. By itself, it is a `std::mutex`.
class mutex : public std::mutex
{
};

}  // namespace signals2
}  // namespace v1
}  // namespace registry_io

#endif
