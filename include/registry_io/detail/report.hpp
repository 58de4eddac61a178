// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// How a panic policy calls the callback of a registry (`on_panic`) after a failure. A list of the
// callbacks that run on this thread, innermost first, keeps a callback from being called for a
// failure that it causes itself. Invariant: the list is as deep as the callbacks on this thread's
// stack.

#ifndef REGISTRY_IO_DETAIL_REPORT_HPP
#define REGISTRY_IO_DETAIL_REPORT_HPP

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <string_view>
#include <type_traits>

#include <registry_io/config.hpp>
#include <registry_io/handler_id.hpp>
#include <registry_io/handler_label.hpp>
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

/// Keeps the exception paths of two nested try blocks apart; an object of it lies in the outer one.
/// Otherwise clang merges the paths and keeps the number of the catch clause in a register, which
/// each call must save.
class clauses_apart
{
public:
    clauses_apart() noexcept = default;
    clauses_apart(clauses_apart const&) = delete;
    clauses_apart& operator=(clauses_apart const&) = delete;
    BOOST_FORCEINLINE ~clauses_apart()
    {
#ifdef __clang__
        asm volatile("");
#endif
    }
};

/// The label of a handler if the panic policy keeps no labels.
struct no_label
{
    operator handler_label() const noexcept { return {}; }
};

/// The label of a handler that has failed, if the panic policy keeps labels.
template <class View>
decltype(auto) label_of(View const& handler) noexcept
{
    if constexpr (requires { handler.state().label(); })
        return handler.state().label();
    else
        return no_label();
}

/// The name of the type of events; null if the notify has no `event_name`.
template <class Notify>
char const* event_name_of(Notify const& notify) noexcept
{
    if constexpr (requires { notify.event_name(); })
        return notify.event_name();
    else
        return nullptr;
}

/// Writes which handler failed: `handler 1:2 'name' (file:line) of Event`. Returns the number of
/// characters, without the null at the end. Cuts the text at 300 characters.
template <class Label>
std::size_t describe(char (&to)[301], handler_id id, char const* event, Label const& label) noexcept
{
    char text[221] = "";
    char const* between = "";
    if constexpr (!std::is_same_v<Label, no_label>)
        between = label.write(text, sizeof text) != 0 ? " " : "";
    int const n = std::snprintf(to, sizeof to, "handler %llu:%llu%s%s%s%s",
                                static_cast<unsigned long long>(id.registry_serial()),
                                static_cast<unsigned long long>(id.value()), between, text,
                                event == nullptr ? "" : " of ", event == nullptr ? "" : event);
    auto const written = static_cast<std::size_t>(n);
    return written < sizeof to ? written : sizeof to - 1;
}

/// Calls the callback with the exception that is being handled. Throws what the callback throws.
///
/// Returns whether it has called the callback. It does not if this thread is inside a callback of
/// the same registry: a callback that fails would be called again and again, until the stack
/// overflows.
template <class Label = no_label>
bool report(panic_hooks const& hooks, handler_id id, std::string_view message,
            Label const& label = {})
{
    if (!hooks.has_report() || running_report::of(id.registry_serial()))
        return false;
    running_report const running(id.registry_serial());
    hooks.report(panic_info(id, std::current_exception(), message, label));
    return true;
}

}  // namespace detail
}  // namespace v1
}  // namespace registry_io

#endif
