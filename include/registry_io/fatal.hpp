// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Ends the program with a message. Each panic policy has a `fatal` of its own for errors that
// cannot be handled. A policy that runs on an operating system can call this function.

#ifndef REGISTRY_IO_FATAL_HPP
#define REGISTRY_IO_FATAL_HPP

#include <registry_io/detail/supported.hpp>

#include <cstdio>
#include <exception>

namespace registry_io {
inline namespace v1 {

/// Writes `registry_io: ` and the reason to `stderr`, and calls `std::terminate`.
///
/// The usual implementation of `fatal` in a panic policy that runs on an operating system. Throws:
/// nothing. Concurrency: safe on any thread.
[[noreturn]] inline void fatal(char const* reason) noexcept
{
    std::fprintf(stderr, "registry_io: %s\n", reason);
    std::terminate();
}

}  // namespace v1
}  // namespace registry_io

#endif
