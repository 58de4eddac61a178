// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: this handler returns something that must be awaited

#include <registry_io/presets/sync.hpp>

namespace rio = registry_io;

struct awaiter
{
    bool await_ready() const { return true; }
    void await_suspend(auto) const {}
    void await_resume() const {}
};

struct plain
{
};
awaiter operator co_await(plain)
{
    return {};
}

int main()
{
    rio::SyncRegistry<int> registry;
#ifdef REGISTRY_IO_TEST_CONTROL
    registry.register_handler([](int) {});
#else
    registry.register_handler([](int) { return plain(); });
#endif
}
