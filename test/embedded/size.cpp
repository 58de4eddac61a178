// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The size of a registry. This program is linked with no registry, with one, with a second one for
// another event type, and with changes inside handlers; check_size takes the differences.

#include <cstdint>

#ifndef REGISTRIES
#error "REGISTRIES is how many there are"
#endif

std::uint32_t volatile calls;

#if REGISTRIES > 0
#include <registry_io/alloc/intrusive.hpp>
#include <registry_io/presets/firmware.hpp>

namespace {

#ifdef NODES
template <class Event>
using registry =
    registry_io::FirmwareRegistry<Event, 8>::template with<registry_io::alloc::intrusive>;
template <class Registry>
constinit typename Registry::static_handler_node nodes[8];
#else
template <class Event>
using registry = registry_io::FirmwareRegistry<Event, 8>;
#endif

struct tick
{
    std::uint32_t n;
};
constinit registry<tick> ticks;

struct key
{
    std::uint16_t code;
};
[[maybe_unused]] constinit registry<key> keys;

/// The cost of each event type: adds eight handlers, calls them all, and removes one.
template <class Event, class Registry>
[[gnu::always_inline]] inline void use(Registry& registry)
{
    registry_io::handler_id last;
    for (int i = 0; i != 8; ++i) {
        auto const count = [c = &calls](Event const&) { *c = *c + 1; };
#ifdef NODES
        last = registry.register_handler(nodes<Registry>[i], i, count);
#else
        last = registry.register_handler(i, count);
#endif
    }
    registry.notify(Event{1});
    registry.unregister(last);
}

}  // namespace
#endif

int main()
{
    calls = 0;
#if REGISTRIES > 0
    use<tick>(ticks);
#endif
#if REGISTRIES > 1
    use<key>(keys);
#endif
    return 0;
}
