// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Throws an exception. With exceptions off, passes it to `boost::throw_exception`, which the user
// then defines. `boost::throw_exception` is not used in both cases, because it derives a class with
// a clone function from each type of exception: more than a kilobyte of code for each type.

#ifndef REGISTRY_IO_DETAIL_RAISE_HPP
#define REGISTRY_IO_DETAIL_RAISE_HPP

#include <boost/config.hpp>

#ifdef BOOST_NO_EXCEPTIONS
#include <source_location>

#include <boost/throw_exception.hpp>
#endif

#include <registry_io/config.hpp>

namespace registry_io {
inline namespace v1 {
namespace detail {

#ifdef BOOST_NO_EXCEPTIONS

template <class Exception>
[[noreturn]] void raise(Exception const& e,
                        std::source_location const& from = std::source_location::current())
{
    boost::throw_exception(
        e, boost::source_location(from.file_name(), from.line(), from.function_name()));
}

#else

template <class Exception>
[[noreturn]] REGISTRY_IO_DETAIL_COLD void raise(Exception const& e)
{
    throw e;
}

#endif

}  // namespace detail
}  // namespace v1
}  // namespace registry_io

#endif
