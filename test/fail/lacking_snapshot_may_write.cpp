// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: a snapshot policy that stores words needs: static bool may_write() noexcept

#include <registry_io.hpp>

namespace rio = registry_io;

struct mine
{
    using category = rio::axis::snapshot;
    static constexpr bool concurrent = true;
    static constexpr auto publication = rio::publication_kind::word_store;
#ifdef REGISTRY_IO_TEST_CONTROL
    static bool may_write() noexcept { return true; }
#else
    static bool may_write() { return true; }
#endif
};

rio::basic_registry<int, mine, rio::ordering::fifo, rio::panic::trap, rio::alloc::fixed<2>>
    registry;
