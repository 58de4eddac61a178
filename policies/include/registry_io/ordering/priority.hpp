// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The ordering policy with keys: handlers fire by a key that you give at registration, and in the
// order of registration among equivalent keys. The order is a strict weak order, as for
// `std::sort`.

#ifndef REGISTRY_IO_ORDERING_PRIORITY_HPP
#define REGISTRY_IO_ORDERING_PRIORITY_HPP

#include <registry_io/detail/supported.hpp>

#include <registry_io/config.hpp>
#include <registry_io/policy.hpp>

namespace registry_io {
inline namespace v1 {
namespace ordering {

// clang-format off: it takes the macro for a type, and the struct for a variable.
/// Greater keys first, by `>`.
struct REGISTRY_IO_EXPORT descending
{
    template <class Key>
    constexpr bool operator()(Key const& a, Key const& b) const
    {
        return a > b;
    }
};
// clang-format on

/// Handlers fire by key, in registration order among equivalent keys.
///
/// `Key` is any copyable type, by default `int`. A registration without a key uses a
/// value-initialised one. `Before(a, b)` is a strict weak order that says whether a handler with
/// key `a` fires before one with key `b`; by default the greater key fires first. (A NaN has no
/// place in such an order, and registries refuse it.) Keys that are not trivially copyable, or
/// larger than two words, are stored once, next to the captures.
/// Use it if handlers have ranks. Appending at the end is as cheap as with `fifo`.
template <class Key = int, class Before = descending>
struct REGISTRY_IO_EXPORT basic_priority
{
    using category = axis::ordering;
    using key_type = Key;

    basic_priority() = default;
    explicit basic_priority(Before before) : before_(static_cast<Before&&>(before)) {}

    /// Whether a handler with key `a` fires before one with key `b`.
    bool before(Key const& a, Key const& b) const { return before_(a, b); }

private:
    REGISTRY_IO_NO_UNIQUE_ADDRESS Before before_;
};

/// Handlers fire by an `int`, the greatest first.
using priority = basic_priority<>;

// clang-format off: as above, it miscounts the braces
}  // namespace ordering
}  // namespace v1
}  // namespace registry_io
// clang-format on

#endif
