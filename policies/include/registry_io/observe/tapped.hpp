// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// `observe::tapped`: a panic policy that wraps another one and calls your functions around each
// notify and each handler.

#ifndef REGISTRY_IO_OBSERVE_TAPPED_HPP
#define REGISTRY_IO_OBSERVE_TAPPED_HPP

#include <registry_io/detail/supported.hpp>

#include <registry_io/observe/detail/adaptor.hpp>
#include <registry_io/observe/detail/tap.hpp>

namespace registry_io {
inline namespace v1 {
namespace observe {

/// Calls your functions for everything that happens in a registry: a panic policy that behaves like
/// `Panic`. `Tap` is a class with static functions, which must not throw and are called on the
/// notifying thread:
///
/// * `notify_begins(char const* event)` and `notify_ends(char const* event)`, with the event type.
///   A notify of an empty registry calls neither.
/// * `handler_begins(tapped_call const&)` and `handler_ends(tapped_call const&)`, around each
///   handler. A coroutine's call ends where it first waits.
/// * `handler_failed(tapped_call const&)`, when a handler throws; after its `handler_ends`.
///
/// They may do whatever a handler may do. All registries with the same `Tap` call the same
/// functions.
/// Use it: to trace, log or count in your own way.
template <class Tap, class Panic>
class tapped : public detail::adaptor<Panic, detail::tap_state<Tap>>
{
public:
    /// Like that of the wrapped policy, with calls of the tap.
    template <class Notify>
    using scope = detail::observing_scope<Panic, Notify,
                                          typename detail::tap_observer<Tap>::template of<Notify>>;
};

}  // namespace observe
}  // namespace v1
}  // namespace registry_io

#endif
