// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: this handler returns something that must be awaited

#include <registry_io/presets/sync.hpp>
#include <registry_io/registry_ref.hpp>

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
    rio::registry_ref<int>(registry).register_handler([](int) {});
#else
    rio::registry_ref<int>(registry).register_handler([](int) { return awaiter(); });
#endif
}
