// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// `std::stop_token`, if the standard library has it. libc++ 19 has it only with
// `-fexperimental-library`; without that flag coroutines work, but no stop can be requested.

#ifndef REGISTRY_IO_ASYNC_STOP_TOKEN_HPP
#define REGISTRY_IO_ASYNC_STOP_TOKEN_HPP

#include <registry_io/detail/supported.hpp>

#include <version>

#if defined(__cpp_lib_jthread)
#include <stop_token>
#endif

namespace registry_io {
inline namespace v1 {
namespace async {

#if defined(__cpp_lib_jthread)

/// `std::stop_token`, or a stand-in where the standard library has none.
using stop_token = std::stop_token;

/// `std::stop_callback`, or a stand-in where the standard library has none.
template <class F>
using stop_callback = std::stop_callback<F>;

#else

/// Stands in for `std::stop_token`: no stop is ever requested.
class stop_token
{
public:
    /// Returns false.
    bool stop_requested() const noexcept { return false; }
    /// Returns false.
    bool stop_possible() const noexcept { return false; }
};

/// Stands in for `std::stop_callback`: the function is never called.
template <class F>
class stop_callback
{
public:
    /// Ignores both arguments.
    stop_callback(stop_token const&, F const&) noexcept {}
    stop_callback(stop_callback const&) = delete;
    stop_callback& operator=(stop_callback const&) = delete;
};

#endif

}  // namespace async
}  // namespace v1
}  // namespace registry_io

#endif
