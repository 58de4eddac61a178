// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The name of one registration. An id is two numbers and no address, so that a registry recognises
// stale and foreign ids without reading the memory of a handler.

#ifndef REGISTRY_IO_HANDLER_ID_HPP
#define REGISTRY_IO_HANDLER_ID_HPP

#include <registry_io/detail/supported.hpp>

#include <compare>
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <string_view>  // std::hash, for less than <functional> costs

namespace registry_io {
inline namespace v1 {

/// Names one registered handler.
///
/// An id is never reused by its registry. It carries its registry's process-wide serial number, so
/// that an id of another registry is recognised and refused. Ids of one registry are ordered as
/// their handlers were registered. Registries for microcontrollers have no space for these
/// guarantees, and document their own. A default-constructed id is empty: it names no handler of
/// any registry. Concurrency: a value type; distinct objects are independent.
class handler_id
{
public:
    /// The empty id.
    constexpr handler_id() noexcept = default;

    /// For registries: the id `value` of the registry with this serial.
    constexpr handler_id(std::uint64_t registry_serial, std::uint64_t value) noexcept
        : serial_(registry_serial), value_(value)
    {
    }

    /// The number that the registry gave out: 1 for its first handler, 0 for the empty id.
    constexpr std::uint64_t value() const noexcept { return value_; }

    /// The serial number of the registry; 0 for the empty id.
    constexpr std::uint64_t registry_serial() const noexcept { return serial_; }

    /// Whether the id names a handler, which may have been removed.
    explicit constexpr operator bool() const noexcept { return value_ != 0; }

    /// Compares registry and handler.
    friend constexpr bool operator==(handler_id, handler_id) noexcept = default;

    /// Orders ids by registry, then by registration.
    friend constexpr std::strong_ordering operator<=>(handler_id, handler_id) noexcept = default;

    /// Writes `registry:value`, as the stream writes numbers.
    template <class Char, class CharTraits>
    friend std::basic_ostream<Char, CharTraits>& operator<<(
        std::basic_ostream<Char, CharTraits>& out, handler_id id)
    {
        return out << id.serial_ << out.widen(':') << id.value_;
    }

private:
    std::uint64_t serial_ = 0;
    std::uint64_t value_ = 0;
};

/// A hash of an id, for Boost.Unordered and other users of Boost.ContainerHash.
inline std::size_t hash_value(handler_id id) noexcept
{
    // The multiplier is 2^64 divided by the golden ratio. Serials and values are both small and
    // dense, so one of them must be spread before both are mixed.
    return ((id.registry_serial() * 0x9E3779B97F4A7C15u) ^ id.value()) & SIZE_MAX;
}

}  // namespace v1
}  // namespace registry_io

/// A hash of an id, for the standard's unordered containers.
template <>
struct std::hash<registry_io::handler_id>
{
    std::size_t operator()(registry_io::handler_id id) const noexcept { return hash_value(id); }
};

#endif
