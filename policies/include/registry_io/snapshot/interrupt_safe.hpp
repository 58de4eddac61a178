// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The snapshot policy for one core whose interrupts notify. It defines which context may write.
// `linked_registry.hpp` has the algorithm, which publishes a change by storing one word.

#ifndef REGISTRY_IO_SNAPSHOT_INTERRUPT_SAFE_HPP
#define REGISTRY_IO_SNAPSHOT_INTERRUPT_SAFE_HPP

#include <registry_io/detail/supported.hpp>

#include <cstdint>

#include <registry_io/detail/refused.hpp>
#include <registry_io/policy.hpp>

namespace registry_io {
inline namespace v1 {

/// The usual writer of a Cortex-M program: thread mode, which is all code outside of interrupts. On
/// other targets, as in tests on a host, every context may write.
struct thread_mode
{
    /// Whether this is thread mode.
    static bool is_here() noexcept
    {
#if defined(__ARM_ARCH_PROFILE) && __ARM_ARCH_PROFILE == 'M'
        std::uint32_t exception = 0;
        __asm__ volatile("mrs %0, ipsr" : "=r"(exception));
        return exception == 0;
#else
        return true;
#endif
    }
};

namespace snapshot {

/// One core, and interrupts that notify.
///
/// An interrupt may notify at any instruction of a register or unregister, at any priority, nested
/// as interrupts nest, and sees exactly the old or the new list. The policy never masks interrupts,
/// and relies only on atomic stores of single words. Make changes in one context, `Writer`, which
/// must have the lowest priority of all contexts that use the registry: a context that can
/// interrupt another user of the registry may only notify. A change in any other context always
/// calls the panic policy's `fatal`, even if it would do no harm. If an interrupt needs a change,
/// it posts the change to the writer, for example with `queued::deferred`.
///
/// Threads that preempt each other are not interrupts: they do not run to completion. Under a
/// scheduler, use a registry from one thread and from interrupts only. Use it for firmware, with
/// `linked_registry.hpp`, which lists the differences from other policies.
template <class Writer = thread_mode>
struct basic_interrupt_safe
{
    using category = axis::snapshot;
    static constexpr bool concurrent = false;
    static constexpr publication_kind publication = publication_kind::word_store;

    static bool may_write() noexcept { return Writer::is_here(); }
};

/// The writer is thread mode.
using interrupt_safe = basic_interrupt_safe<>;

}  // namespace snapshot
}  // namespace v1
}  // namespace registry_io

#endif
