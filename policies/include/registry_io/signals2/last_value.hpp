// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// `last_value`: the combiner that returns the result of the last slot, and throws if no slot was
// called, as in Boost.Signals2. `optional_last_value` does not throw.

#ifndef REGISTRY_IO_SIGNALS2_LAST_VALUE_HPP
#define REGISTRY_IO_SIGNALS2_LAST_VALUE_HPP

#include <registry_io/detail/supported.hpp>

#include <exception>

#include <registry_io/detail/raise.hpp>
#include <registry_io/signals2/optional_last_value.hpp>

namespace registry_io {
inline namespace v1 {
namespace signals2 {

/// Thrown by `last_value` if no slot was called that returned a value.
class no_slots_error : public std::exception
{
public:
    /// Says that no slot was called.
    char const* what() const noexcept override
    {
        return "registry_io: no slot is connected that could return a value";
    }
};

/// A combiner that calls all slots, and returns the result of the last one.
template <class T>
class last_value
{
public:
    /// The type that a call of the signal returns.
    using result_type = T;

    /// Calls the slots. Throws `no_slots_error` if no slot was called, and what a slot throws.
    template <class InputIterator>
    T operator()(InputIterator first, InputIterator last) const
    {
        boost::optional<T> value = optional_last_value<T>()(first, last);
        if (!value)
            registry_io::detail::raise(no_slots_error());
        return *value;
    }
};

/// The combiner for slots that return nothing. It does not throw if there are no slots.
template <>
class last_value<void> : public optional_last_value<void>
{
};

}  // namespace signals2
}  // namespace v1
}  // namespace registry_io

#endif
