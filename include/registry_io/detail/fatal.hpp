// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)

#ifndef REGISTRY_IO_DETAIL_FATAL_HPP
#define REGISTRY_IO_DETAIL_FATAL_HPP

#include <cstdio>
#include <exception>

namespace registry_io {
inline namespace v1 {
namespace detail {

/// Says why, and ends the program: what the panic policies' fatal does.
[[noreturn]] inline void fatal(char const* reason) noexcept
{
    std::fprintf(stderr, "registry_io: %s\n", reason);
    std::terminate();
}

}  // namespace detail
}  // namespace v1
}  // namespace registry_io

#endif
