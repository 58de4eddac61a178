// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// A wrapper for handlers that synchronize themselves. It lets you register a handler without a
// const call operator in a registry that several threads notify.

#ifndef REGISTRY_IO_UNSYNCHRONIZED_HPP
#define REGISTRY_IO_UNSYNCHRONIZED_HPP

#include <registry_io/detail/supported.hpp>

#include <cstddef>
#include <utility>

#include <registry_io/detail/callable.hpp>
#include <registry_io/registration.hpp>

namespace registry_io {
inline namespace v1 {

/// Makes a handler with a mutable call operator acceptable to registries that several threads
/// notify.
///
/// Precondition, not checked: calls of the handler do not overlap, or it locks what it changes. A
/// handler that is called again inside its own call overlaps itself.
template <class F>
class unsynchronized
{
public:
    /// Throws what moving `f` throws.
    explicit unsynchronized(F f) : f_(std::move(f)) {}
    /// Moves the handler.
    unsynchronized(unsynchronized&&) = default;
    ~unsynchronized() {}  // not trivial, so that the handler is not called through a copy

    /// Calls the handler as a mutable object. Returns what it returns.
    template <class Event>
    decltype(auto) operator()(Event const& event) const
    {
        return detail::invoke(f_, event);
    }

    /// For registries: passes on the registration to the handler.
    void on_registered(registration const& r) noexcept
        requires detail::told_of_registration<F>
    {
        detail::tell(f_, r);
    }

    /// Whether the wrapped handler is empty, which a registry refuses.
    friend bool operator==(unsynchronized const& f, std::nullptr_t)
    {
        return detail::is_empty_handler(f.f_);
    }

private:
    mutable F f_;
};

}  // namespace v1
}  // namespace registry_io

#endif
