// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The panic policy that catches nothing: an exception that leaves a handler ends the program. It
// generates the least code.

#ifndef REGISTRY_IO_PANIC_TERMINATE_HPP
#define REGISTRY_IO_PANIC_TERMINATE_HPP

#include <registry_io/detail/supported.hpp>

#include <registry_io/config.hpp>
#include <registry_io/fatal.hpp>
#include <registry_io/policy.hpp>

namespace registry_io {
inline namespace v1 {
namespace panic {

/// A handler that throws ends the program, through `std::terminate`.
///
/// `notify` is `noexcept` and has no landing pad, which gives the smallest code. There is no
/// callback.
/// Use it without exceptions, or if a failing handler is a bug that the program must not survive.
struct REGISTRY_IO_EXPORT terminate
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

    /// Prints the reason, and ends the program.
    [[noreturn]] static void fatal(char const* reason) noexcept { registry_io::fatal(reason); }
};

}  // namespace panic
}  // namespace v1
}  // namespace registry_io

#endif
