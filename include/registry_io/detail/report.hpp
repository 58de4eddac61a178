// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)

// How a panic policy tells the callback of a registry (`on_panic`) about a failure. A list of the
// callbacks that run on this thread, innermost first, keeps a callback from being told of the
// failures that it causes itself. Invariant: the list is as deep as the callbacks on this thread's
// stack.

#ifndef REGISTRY_IO_DETAIL_REPORT_HPP
#define REGISTRY_IO_DETAIL_REPORT_HPP

#include <cstdint>
#include <exception>
#include <string_view>

#include <registry_io/config.hpp>
#include <registry_io/handler_id.hpp>
#include <registry_io/panic_info.hpp>
#include <registry_io/policy.hpp>

namespace registry_io {
inline namespace v1 {
namespace detail {

/// A callback (`on_panic`) that is running on this thread.
class running_report
{
public:
    explicit running_report(std::uint64_t registry) noexcept
        : registry_(registry), outer_(innermost)
    {
        innermost = this;
    }
    running_report(running_report const&) = delete;
    running_report& operator=(running_report const&) = delete;
    ~running_report() { innermost = outer_; }

    static bool of(std::uint64_t registry) noexcept
    {
        running_report const* r = innermost;
        while (r != nullptr && r->registry_ != registry)
            r = r->outer_;
        return r != nullptr;
    }

private:
    static inline constinit thread_local running_report const* innermost = nullptr;

    std::uint64_t registry_;  // its serial
    running_report const* outer_;
};

/// Tells the callback of the exception that is being handled. Throws what the callback throws.
///
/// Returns whether there was a callback to tell. Inside a callback of the same registry, on the
/// same thread, there is none: it would be called again for each failure that it causes itself,
/// until the stack is used up.
inline bool report(panic_hooks const& hooks, handler_id id, std::string_view message)
{
    if (!hooks.has_report() || running_report::of(id.registry_serial()))
        return false;
    running_report const running(id.registry_serial());
    hooks.report(panic_info(id, std::current_exception(), message));
    return true;
}

}  // namespace detail
}  // namespace v1
}  // namespace registry_io

#endif
