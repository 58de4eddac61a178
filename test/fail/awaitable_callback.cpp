// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: a callback and a sink are plain functions

#include <registry_io/presets/sync.hpp>

namespace rio = registry_io;

struct awaiter
{
    bool await_ready() const { return true; }
    void await_suspend(auto) const {}
    void await_resume() const {}
};

int main()
{
    rio::SyncRegistry<int> registry;
#ifdef REGISTRY_IO_TEST_CONTROL
    registry.on_panic([](rio::panic_info const&) {});
#else
    registry.on_panic([](rio::panic_info const&) { return awaiter(); });
#endif
}
