// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)

#ifndef REGISTRY_IO_DETAIL_REPORT_HPP
#define REGISTRY_IO_DETAIL_REPORT_HPP

#include <cstdint>
#include <exception>
#include <string_view>

#include <boost/core/no_exceptions_support.hpp>

#include <registry_io/config.hpp>
#include <registry_io/handler_id.hpp>
#include <registry_io/panic_info.hpp>
#include <registry_io/policy.hpp>

namespace registry_io {
inline namespace v1 {
namespace detail {

/// A callback (`on_panic`) that is running on this thread.
struct running_report
{
    std::uint64_t registry;  ///< its serial
    running_report* outer;
};
/// The innermost one.
inline constinit thread_local running_report* innermost_report = nullptr;

/// Tells the callback of the exception that is being handled. What the callback throws is
/// swallowed.
///
/// Returns whether there was a callback to tell. Inside a callback of the same registry, on the same
/// thread, there is none: it would be called again for each failure that it causes itself, until
/// the stack is used up.
REGISTRY_IO_DETAIL_COLD inline bool report(panic_hooks const& hooks, handler_id id,
                                           std::string_view message) noexcept
{
    if (!hooks.has_report())
        return false;
    for (running_report* r = innermost_report; r != nullptr; r = r->outer)
        if (r->registry == id.registry_serial())
            return false;
    running_report mine{id.registry_serial(), innermost_report};
    innermost_report = &mine;
    BOOST_TRY
    {
        hooks.report(panic_info(id, std::current_exception(), message));
    }
    BOOST_CATCH(...) {}
    BOOST_CATCH_END
    innermost_report = mine.outer;
    return true;
}

}  // namespace detail
}  // namespace v1
}  // namespace registry_io

#endif
