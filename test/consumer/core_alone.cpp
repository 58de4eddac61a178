// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#include <registry_io/registry.hpp>

#if defined(POLICIES_ARE_OUT_OF_REACH) && __has_include(<registry_io.hpp>)
#error "registry_io::core brings policies along"
#endif

int main() {}
