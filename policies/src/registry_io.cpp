// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The compiled library: one file for the code that the presets' registries share. What a shared
// object exports is what src.hpp instantiates, and what must exist once in a process.

#include <registry_io/src.hpp>
