// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The asymmetric fence: readers stop only the compiler from reordering, and a writer that needs a
// full fence makes every core execute one (P1202; `membarrier(2)` on Linux). If the kernel does not
// offer that, readers use sequentially consistent stores and loads instead. The library chooses
// once for the process. Invariant: a light fence and a heavy fence are ordered, as two full fences
// are.

#ifndef REGISTRY_IO_RECLAIM_FENCE_HPP
#define REGISTRY_IO_RECLAIM_FENCE_HPP

#include <registry_io/detail/supported.hpp>

#include <atomic>
#include <cstdio>
#include <exception>

#include <registry_io/config.hpp>

#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace registry_io {
inline namespace v1 {

/// The mechanism under the snapshot policies: eras, thread records, asymmetric fences.
namespace reclaim {

/// Which side pays for the order between a reader's announcement and its second load of the root.
enum class fence_mode : unsigned char {
    undecided,
    asymmetric,  ///< readers keep the compiler in order, writers interrupt every core (membarrier)
    full  ///< readers use sequentially consistent stores and loads, writers need nothing more
};

namespace detail {

REGISTRY_IO_EXPORT inline constinit std::atomic<fence_mode> chosen_fence{fence_mode::undecided};

#if defined(__linux__) && defined(SYS_membarrier)
inline bool membarrier(int command) noexcept
{
    return ::syscall(SYS_membarrier, command, 0u, 0) == 0;
}
// The kernel's numbers (linux/membarrier.h), which are part of its stable interface; they are
// repeated here because old kernel headers lack them.
inline constexpr int membarrier_private_expedited = 1 << 3;
inline constexpr int membarrier_register_private_expedited = 1 << 4;
#endif

}  // namespace detail

/// Chooses the mode for the whole process on the first call. Every call returns that mode.
///
/// `wish` counts only on the first call: `full` forces the fallback (for tests, and for sandboxes
/// that kill a process which tries the system call). Call it before the first registration. If
/// membarrier is missing or refused, the mode is `full`.
/// Source of the idea: N. Hillerstrom and P. McKenney's asymmetric fences (P1202), and the Linux
/// `membarrier(2)` page for the command's guarantee.
inline fence_mode decide_fence_mode(fence_mode wish = fence_mode::asymmetric) noexcept
{
    // acquire: pairs with the exchange below. A thread that sees `asymmetric` calls membarrier only
    // after the registration.
    fence_mode known = detail::chosen_fence.load(std::memory_order_acquire);
    if (known != fence_mode::undecided)
        return known;
    fence_mode mine = fence_mode::full;
#if defined(__linux__) && defined(SYS_membarrier)
    if (wish == fence_mode::asymmetric &&
        detail::membarrier(detail::membarrier_register_private_expedited))
        mine = fence_mode::asymmetric;
#else
    static_cast<void>(wish);
#endif
    // Two threads may both register with the kernel, which is harmless. The first exchange decides.
    // release: the registration comes before it.
    if (detail::chosen_fence.compare_exchange_strong(known, mine, std::memory_order_acq_rel,
                                                     std::memory_order_acquire))
        return mine;
    return known;
}

/// The writer's half. Returns false if the kernel refuses the fence that it granted before: then
/// the caller must not free anything that a reader may hold.
inline bool heavy_fence(fence_mode mode) noexcept
{
#if defined(__linux__) && defined(SYS_membarrier)
    if (mode == fence_mode::asymmetric)
        return detail::membarrier(detail::membarrier_private_expedited);
#endif
    // Full mode: readers and writers use sequentially consistent stores and loads of the shared
    // words, and their total order replaces the fence.
    return mode == fence_mode::full;
}

/// The reader's half: keeps the compiler, and only the compiler, from moving a load before a store.
inline void light_fence() noexcept
{
    std::atomic_signal_fence(std::memory_order_seq_cst);
}

/// Ends the program if the kernel refuses the fence that it granted at the start, as it does when
/// the process enters a sandbox later. A thread that waits for readers cannot go on: it might
/// return too early, and no reader will wake it.
[[noreturn]] BOOST_NOINLINE inline void fence_refused() noexcept
{
    std::fputs(
        "registry_io: synchronize cannot wait for readers: the kernel now refuses "
        "membarrier, which it granted before; allow it in the sandbox, or enter the sandbox or "
        "call reclaim::decide_fence_mode(fence_mode::full) before the first registration\n",
        stderr);
    std::terminate();
}

}  // namespace reclaim
}  // namespace v1
}  // namespace registry_io

#endif
