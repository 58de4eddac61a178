// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: this adaptor of observe is used twice; use it once

#include <registry_io/observe/named.hpp>
#include <registry_io/observe/timed.hpp>
#include <registry_io/presets/sync.hpp>

namespace rio = registry_io;
namespace observe = rio::observe;

int main()
{
#ifdef REGISTRY_IO_TEST_CONTROL
    using panic = observe::named<observe::timed<rio::panic::catch_log>>;
#else
    using panic = observe::named<observe::timed<observe::named<rio::panic::catch_log>>>;
#endif
    rio::SyncRegistry<int>::with<panic> registry;
    registry.notify(1);
}
