// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: this member function cannot be called on this object with Event const&

#include <memory>
#include <registry_io/presets/local.hpp>

namespace rio = registry_io;

struct listener
{
    void hear(int) const {}
    void hear_other(char const*) const {}
};

int main()
{
    std::weak_ptr<listener> const object;
    rio::LocalRegistry<int> registry;
#ifdef REGISTRY_IO_TEST_CONTROL
    static_cast<void>(registry.register_guard(1, &listener::hear, object));
#else
    static_cast<void>(registry.register_guard(1, &listener::hear_other, object));
#endif
}
