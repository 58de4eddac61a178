// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The interface of Boost.Signals2, for programs that keep their source code. Each header in
// `signals2/` has the same name as in Boost.Signals2.

#ifndef REGISTRY_IO_SIGNALS2_HPP
#define REGISTRY_IO_SIGNALS2_HPP

#include <registry_io/signals2/connection.hpp>
#include <registry_io/signals2/deconstruct.hpp>
#include <registry_io/signals2/dummy_mutex.hpp>
#include <registry_io/signals2/expired_slot.hpp>
#include <registry_io/signals2/last_value.hpp>
#include <registry_io/signals2/mutex.hpp>
#include <registry_io/signals2/optional_last_value.hpp>
#include <registry_io/signals2/shared_connection_block.hpp>
#include <registry_io/signals2/signal.hpp>
#include <registry_io/signals2/signal_type.hpp>
#include <registry_io/signals2/slot.hpp>
#include <registry_io/signals2/trackable.hpp>

#endif
