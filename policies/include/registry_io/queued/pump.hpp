// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// A thread that drains a mailbox into a registry. When it is destroyed, it drains the events that
// were posted before, and ends.

#ifndef REGISTRY_IO_QUEUED_PUMP_HPP
#define REGISTRY_IO_QUEUED_PUMP_HPP

#include <registry_io/detail/supported.hpp>

#include <functional>
#include <string>
#include <thread>
#include <utility>

#include <boost/assert.hpp>

#include <registry_io/config.hpp>

#if defined(__linux__)
#include <pthread.h>
#endif

namespace registry_io {
inline namespace v1 {
namespace queued {

/// Owns a thread that notifies a registry of the events that are posted to a mailbox.
///
/// The mailbox must be one that a thread waits for (`park`, `spin` or `yield`), and `notify` of the
/// registry must not throw. Both must outlive the pump.
class pump
{
public:
    /// Starts the thread. The system shows the first 15 characters of `name`, as many as Linux has.
    /// `at_end_of_batch`, if not empty, is called on the thread each time a drain has left no
    /// event. Use it to flush what handlers have collected; it must not throw.
    ///
    /// Throws `std::system_error` if no thread can be started, and `std::bad_alloc`.
    template <class Mailbox, class Registry>
    pump(Mailbox& mailbox, Registry& registry, std::string name = "registry_io pump",
         std::function<void()> at_end_of_batch = nullptr)
        : close_([&mailbox] { mailbox.close(); }),
          thread_([&mailbox, &registry, name = std::move(name),
                   at_end = std::move(at_end_of_batch)]() noexcept {
              name_this_thread(name);
              while (mailbox.wait())
                  if (mailbox.drain(registry).end_of_batch && at_end != nullptr)
                      at_end();
          })
    {
        static_assert(
            requires { mailbox.wait(); },
            "registry_io: a pump waits for events, and the option of this mailbox calls a "
            "hook or resumes a coroutine instead; choose park, spin or yield");
        static_assert(
            noexcept(registry.notify(std::declval<typename Mailbox::event_type const&>())),
            "registry_io: notify of this registry may throw, and a pump's thread has "
            "no caller that could catch it; choose a panic policy that isolates");
    }
    pump(pump const&) = delete;
    pump& operator=(pump const&) = delete;
    /// Calls `stop`.
    ~pump() { stop(); }

    /// Closes the mailbox, lets the thread drain the waiting events, and waits for its end. Does
    /// nothing if it was called before.
    ///
    /// Precondition: the caller is not a handler that the pump runs. (To stop the pump from a
    /// handler, close the mailbox.) Throws: nothing. Concurrency: one thread at a time.
    void stop() noexcept
    {
        if (!thread_.joinable())
            return;
        BOOST_ASSERT_MSG(thread_.get_id() != std::this_thread::get_id(),
                         "registry_io: a pump is stopped by a handler that it runs; close the "
                         "mailbox instead");
        close_();
        thread_.join();
    }

private:
    static void name_this_thread([[maybe_unused]] std::string const& name) noexcept
    {
#if defined(__linux__)
        char cut[16] = {};
        name.copy(cut, 15);
        ::pthread_setname_np(::pthread_self(), cut);
#endif
    }

    std::function<void()> close_;
    std::jthread thread_;
};

}  // namespace queued
}  // namespace v1
}  // namespace registry_io

#endif
