// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// `observe::crowded`: a panic policy that wraps another one and detects leaks of handlers, at no
// cost to a notify.

#ifndef REGISTRY_IO_OBSERVE_CROWDED_HPP
#define REGISTRY_IO_OBSERVE_CROWDED_HPP

#include <registry_io/detail/supported.hpp>

#include <atomic>
#include <cstddef>
#include <cstdio>

#include <registry_io/handler_label.hpp>
#include <registry_io/observe/detail/adaptor.hpp>

namespace registry_io {
inline namespace v1 {
namespace observe {

/// A registry that has more handlers than its threshold.
struct crowd
{
    std::size_t handlers;        ///< the number of handlers, including the new one
    char const* event;           ///< the event type
    handler_label const& label;  ///< the handler that is being registered
};

/// Writes a line to `stderr` for each report.
struct crowd_to_stderr
{
    /// Writes the line. Throws: nothing.
    static void report(crowd const& c) noexcept
    {
        char handler[301];
        c.label.write(handler, sizeof handler);
        std::fprintf(stderr,
                     "registry_io: a registry of %s has %lu handlers; the last one was registered "
                     "as %s. If they leak, keep their guards and destroy the guards\n",
                     c.event, static_cast<unsigned long>(c.handlers), handler);
    }
};

namespace detail {

struct crowd_state
{
};

}  // namespace detail

/// Detects leaks of handlers: a panic policy that behaves like `Panic`. When a handler is
/// registered in addition to `Threshold` others, it calls `Report::report(crowd const&)` with that
/// handler's name and source location, and again each time the number has doubled.
///
/// The report runs on the registering thread, before the handler is in the table, and must not
/// throw. Handlers of a transaction that has not ended do not count yet. A notify does the same
/// work as with `Panic`. The source location is known for handlers that are registered with `name`
/// or `here` (<registry_io/observe/named.hpp>), with or without the policy `named`; for other
/// handlers the type is known.
/// Use it: where there should be only a few handlers.
template <std::size_t Threshold, class Panic, class Report = crowd_to_stderr>
class crowded : public detail::adaptor<Panic, detail::crowd_state>
{
    static_assert(Threshold > 0, "registry_io: observe::crowded needs a threshold of at least 1");
    using base = detail::adaptor<Panic, detail::crowd_state>;

public:
    /// Like that of the wrapped policy.
    template <class Notify>
    using scope = detail::transparent_scope<Panic, Notify>;

    /// Called by the registry, under its writers' lock, for each change of its table.
    void changed(std::size_t added, std::size_t removed) noexcept
    {
        // relaxed: a count orders nothing, and writers take turns.
        handlers_.store(handlers_.load(std::memory_order_relaxed) + added - removed,
                        std::memory_order_relaxed);
        if constexpr (requires { base::changed(added, removed); })
            base::changed(added, removed);
    }

    /// Called by the registry for each handler, before it is in the table.
    template <class State, class F>
    void registering([[maybe_unused]] State& state, F const& f, char const* event)
    {
        std::size_t const n = handlers_.load(std::memory_order_relaxed) + 1;
        std::size_t next = next_.load(std::memory_order_relaxed);
        // If several threads get here, only one reports.
        if (n > next && next_.compare_exchange_strong(next, 2 * n, std::memory_order_relaxed)) {
            handler_label const label = detail::label_in(f);
            Report::report(crowd{n, event, label});
        }
        if constexpr (requires { base::registering(state, f, event); })
            base::registering(state, f, event);
    }

private:
    std::atomic<std::size_t> handlers_{0};
    std::atomic<std::size_t> next_{Threshold};
};

}  // namespace observe
}  // namespace v1
}  // namespace registry_io

#endif
