// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The version of the library, for the preprocessor and as text. Packages and the change log state
// the same version; a test compares them.

#ifndef REGISTRY_IO_VERSION_HPP
#define REGISTRY_IO_VERSION_HPP

#include <registry_io/detail/supported.hpp>

/// The version of the headers, as MMmmpp in decimal digits (1.2.3 is 10203).
#define REGISTRY_IO_VERSION 10100

/// The version of the headers, as text.
#define REGISTRY_IO_VERSION_STRING "1.1.0"

namespace registry_io {
inline namespace v1 {

/// The version of the headers, as text.
///
/// Throws: nothing.
constexpr char const* version() noexcept
{
    return REGISTRY_IO_VERSION_STRING;
}

}  // namespace v1
}  // namespace registry_io

#endif
