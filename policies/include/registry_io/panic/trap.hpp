// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The panic policy for programs without a C library: misuse calls your hook and then executes a
// trap instruction. It catches nothing.

#ifndef REGISTRY_IO_PANIC_TRAP_HPP
#define REGISTRY_IO_PANIC_TRAP_HPP

#include <registry_io/detail/supported.hpp>

#include <registry_io/config.hpp>
#include <registry_io/policy.hpp>

namespace registry_io {
inline namespace v1 {
namespace panic {

/// Misuse calls `Hook(reason)`, and then executes a trap instruction.
///
/// `notify` is `noexcept`; a handler that throws ends the program. Nothing is printed, and nothing
/// from the C library is needed. The hook may log, reset the device, or stop: it need not return.
/// Use it without exceptions and without `stderr`.
template <auto Hook>
struct basic_trap
{
    using category = axis::panic;
    static constexpr bool isolates = true;
    static constexpr bool reports = false;
    static constexpr bool logs = false;
    using result_type = void;
    struct handler_state
    {
    };

    template <class Notify>
    class scope
    {
    public:
        explicit scope(Notify) noexcept {}

        template <class Call, class View>
        BOOST_FORCEINLINE verdict invoke(Call call, View) noexcept
        {
            call();
            return verdict::keep;
        }

        void finish() noexcept {}
    };

    /// Calls the hook, and does not return.
    [[noreturn]] static void fatal([[maybe_unused]] char const* reason) noexcept
    {
        if constexpr (Hook != nullptr)
            Hook(reason);
        __builtin_trap();
    }
};

/// Has no hook: only a trap, which a Cortex-M handles as a fault.
using trap = basic_trap<nullptr>;

}  // namespace panic
}  // namespace v1
}  // namespace registry_io

#endif
