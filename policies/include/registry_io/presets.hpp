// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// All presets that need no coroutines. A preset is an alias of `basic_registry` with a policy for
// each axis, chosen to fit one kind of program. To compile faster, include only the header of the
// preset that you use.

#ifndef REGISTRY_IO_PRESETS_HPP
#define REGISTRY_IO_PRESETS_HPP

#include <registry_io/detail/supported.hpp>

#include <registry_io/presets/firmware.hpp>
#include <registry_io/presets/fixed.hpp>
#include <registry_io/presets/local.hpp>
#include <registry_io/presets/rcu.hpp>
#include <registry_io/presets/sync.hpp>

#endif
