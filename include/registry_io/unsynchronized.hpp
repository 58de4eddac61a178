// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The way out when a registry asks for a const call operator: a wrapper for handlers that see to
// their own synchronization.

#ifndef REGISTRY_IO_UNSYNCHRONIZED_HPP
#define REGISTRY_IO_UNSYNCHRONIZED_HPP

#include <registry_io/detail/supported.hpp>

#include <cstddef>
#include <utility>

#include <registry_io/detail/callable.hpp>
#include <registry_io/registration.hpp>

namespace registry_io {
inline namespace v1 {

/// Lets a handler with a mutable call operator be registered where several threads notify.
///
/// The caller promises that calls of it do not overlap, or that it locks what it changes; nothing
/// is checked. A handler that is nested in its own call overlaps itself.
template <class F>
class unsynchronized
{
public:
    /// Throws what moving `f` throws.
    explicit unsynchronized(F f) : f_(std::move(f)) {}
    /// Moves the handler.
    unsynchronized(unsynchronized&&) = default;
    ~unsynchronized() {}  // not trivial: it must not be called through a copy of its bytes

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

    /// Whether it wraps an empty handler, which a registry refuses.
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
