// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The program whose probes test/probes reads.

#include <registry_io/observe/named.hpp>
#include <registry_io/observe/traced.hpp>
#include <registry_io/presets/sync.hpp>

#include <sys/mman.h>

namespace rio = registry_io;

struct reading
{
    int value;
};

int main()
{
    // bpftrace reads a string only if its page is in memory, which a constant's is from its first
    // use on.
    ::mlockall(MCL_CURRENT);
    rio::SyncRegistry<reading>::with<
        rio::observe::traced<rio::observe::named<rio::panic::catch_log>>>
        r;
    r.on_panic([](rio::panic_info const&) {});
    r.register_handler(2, rio::observe::name("first", [](reading const&) {}));
    r.register_handler(1, rio::observe::name("second", [](reading const&) { throw 1; }));
    r.notify({1});
    return 0;
}
