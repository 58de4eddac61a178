// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: this snapshot policy cannot hold a snapshot while handlers wait without

#include <registry_io/presets/async.hpp>
#include <registry_io/snapshot/rcu.hpp>

int main()
{
#ifdef REGISTRY_IO_TEST_CONTROL
    registry_io::AsyncRegistry<int> r;
#else
    registry_io::AsyncRegistry<int>::with<registry_io::snapshot::rcu> r;
#endif
    r.clear();
}
