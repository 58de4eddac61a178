// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#include "laws.hpp"

#include <registry_io/snapshot/locked.hpp>

REGISTRY_IO_LAWS_OF(registry_io::snapshot::locked)
