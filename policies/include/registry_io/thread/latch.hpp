// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// A latch that the waiting thread may destroy as soon as its wait returns. `std::latch` does not
// promise that: the call that opens it may still use it then. Invariant: whoever opens a latch does
// not touch it after it has released the mutex.

#ifndef REGISTRY_IO_THREAD_LATCH_HPP
#define REGISTRY_IO_THREAD_LATCH_HPP

#include <registry_io/detail/supported.hpp>

#include <condition_variable>
#include <mutex>

namespace registry_io {
inline namespace v1 {
namespace detail {

/// Lets a thread wait for something that happens once.
class latch
{
public:
    /// Lets `wait` return, now and later.
    void open() noexcept
    {
        // Under the lock: the waiting thread may destroy the latch as soon as it sees `open_`.
        std::lock_guard<std::mutex> const lock(mutex_);
        open_ = true;
        opened_.notify_all();
    }
    /// Blocks until `open` has been called.
    void wait() noexcept
    {
        std::unique_lock<std::mutex> lock(mutex_);
        opened_.wait(lock, [this] { return open_; });
    }

private:
    std::mutex mutex_;
    std::condition_variable opened_;
    bool open_ = false;
};

}  // namespace detail
}  // namespace v1
}  // namespace registry_io

#endif
