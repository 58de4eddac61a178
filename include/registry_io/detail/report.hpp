// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// How a panic policy tells the callback of a registry (`on_panic`) about a failure. A list of the
// callbacks that run on this thread, innermost first, keeps a callback from being told of the
// failures that it causes itself. Invariant: the list is as deep as the callbacks on this thread's
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

/// Stands in a try block around another one, and keeps the ways to their two handlers apart. clang
/// makes one way of both, and then keeps in a register, which each call would have to save, to
/// which of them it leads.
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

/// Stands for a label where handlers have none.
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

/// The name of the type of events, null where the registry does not tell.
template <class Notify>
char const* event_name_of(Notify const& notify) noexcept
{
    if constexpr (requires { notify.event_name(); })
        return notify.event_name();
    else
        return nullptr;
}

/// Writes which handler of which registry: `handler 1:2 'name' (file:line) of Event`. Returns how
/// many characters; cuts at 300, the null at the end not included.
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

/// Tells the callback of the exception that is being handled. Throws what the callback throws.
///
/// Returns whether there was a callback to tell. Inside a callback of the same registry, on the
/// same thread, there is none: it would be called again for each failure that it causes itself,
/// until the stack is used up.
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
