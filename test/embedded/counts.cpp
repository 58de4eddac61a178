// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// How many instructions a notify takes. The emulator's clock advances by one step for each
// instruction, so the figures are exact and the same on every machine.

#include "board.hpp"

#include <registry_io/presets/firmware.hpp>

namespace {

struct tick
{
    std::uint32_t n;
};

constinit registry_io::FirmwareRegistry<tick, 8> registry;
std::uint32_t counters[8];

// Counts from the call to the return, handlers included. The two clock readings add one
// instruction.
[[gnu::noinline]] std::uint32_t instructions_of(tick const& event)
{
    std::uint32_t const before = board::clock();
    registry.notify(event);
    std::uint32_t const after = board::clock();
    return before - after;
}

[[gnu::noinline]] std::uint32_t instructions_of_nothing()
{
    std::uint32_t const before = board::clock();
    std::uint32_t const after = board::clock();
    return before - after;
}

std::uint32_t rounded(std::uint32_t ticks)
{
    // A step is 1024 ns.
    std::uint64_t const ns = std::uint64_t(ticks) * BOARD_NS_PER_1000_TICKS;
    std::uint32_t n = 0;
    for (std::uint64_t sum = 512'000; sum + 512'000 < ns + 512'000; sum += 1'024'000)
        ++n;
    return n;
}

}  // namespace

int main()
{
    board::start_clock();
    std::uint32_t const none = instructions_of_nothing();
    std::uint32_t handlers = 0;
    for (std::uint32_t const n : {0u, 1u, 4u, 8u}) {
        for (; handlers != n; ++handlers)
            registry.register_handler(0, [c = &counters[handlers]](tick const&) { ++*c; });
        std::uint32_t const ticks = instructions_of({n});
        board::print("notify ");
        board::print(n);
        board::print(" ");
        board::print(rounded(ticks - none));
        board::print("\n");
    }
    return 0;
}
