// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The first include of every public header. It replaces the hundreds of errors of a compiler that
// is too old, or of a missing `-std=c++20`, by one sentence. The include of a header that does not
// exist, whose name says what is wrong, ends the compilation there.

#ifndef REGISTRY_IO_DETAIL_SUPPORTED_HPP
#define REGISTRY_IO_DETAIL_SUPPORTED_HPP

#if __cplusplus < 202002L && (!defined(_MSVC_LANG) || _MSVC_LANG < 202002L)
#error "registry_io needs C++20: compile with -std=c++20 (b2: cxxstd=20; CMake: cxx_std_20)"
#include <registry_io/needs_cxx_20>
#elif defined(__clang__) && !defined(__apple_build_version__)
#if __clang_major__ < 16
#error "registry_io needs clang 16 or later"
#include <registry_io/needs_clang_16>
#endif
#elif defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 12
#error "registry_io needs gcc 12 or later"
#include <registry_io/needs_gcc_12>
#endif

#endif
