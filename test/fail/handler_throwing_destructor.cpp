// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: a handler's destructor must not throw

#include <registry_io/presets/sync.hpp>

namespace rio = registry_io;

template <bool Nothrow>
struct handler
{
    handler() = default;
    handler(handler const&) = default;
    ~handler() noexcept(Nothrow) {}
    void operator()(int) const {}
};

int main()
{
    rio::SyncRegistry<int> registry;
#ifdef REGISTRY_IO_TEST_CONTROL
    registry.register_handler(handler<true>());
#else
    registry.register_handler(handler<false>());
#endif
}
