// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// `observe::traced`: a panic policy that wraps another one and contains static probes (USDT) around
// each notify and each handler, for bpftrace, SystemTap, perf and gdb.

#ifndef REGISTRY_IO_OBSERVE_TRACED_HPP
#define REGISTRY_IO_OBSERVE_TRACED_HPP

#include <registry_io/detail/supported.hpp>

#if !__has_include(<sys/sdt.h>)
#error "registry_io: observe::traced needs <sys/sdt.h>; install systemtap-sdt-dev"
#endif

#include <sys/sdt.h>

#include <registry_io/observe/detail/adaptor.hpp>
#include <registry_io/observe/detail/tap.hpp>

namespace registry_io {
inline namespace v1 {
namespace observe {
namespace detail {

/// The probes. Each one is a `nop`, and a note that says where its arguments are.
struct probes
{
    static void notify_begins([[maybe_unused]] char const* event) noexcept
    {
        DTRACE_PROBE1(registry_io, notify__begin, event);
    }
    static void notify_ends([[maybe_unused]] char const* event) noexcept
    {
        DTRACE_PROBE1(registry_io, notify__end, event);
    }
    static void handler_begins(tapped_call const& c) noexcept
    {
        DTRACE_PROBE4(registry_io, handler__begin, c.id.registry_serial(), c.id.value(), c.event,
                      c.label.name());
    }
    static void handler_ends(tapped_call const& c) noexcept
    {
        DTRACE_PROBE4(registry_io, handler__end, c.id.registry_serial(), c.id.value(), c.event,
                      c.label.name());
    }
    static void handler_failed(tapped_call const& c) noexcept
    {
        DTRACE_PROBE4(registry_io, handler__failed, c.id.registry_serial(), c.id.value(), c.event,
                      c.label.name());
    }
};

}  // namespace detail

/// Static probes for bpftrace, SystemTap, perf and gdb (USDT): a panic policy that behaves like
/// `Panic`. The provider is `registry_io`:
///
/// * `notify__begin` and `notify__end`, with the event type (a `char const*`);
/// * `handler__begin`, `handler__end` and `handler__failed`, with the registry's serial number, the
///   handler's number, the event type and the handler's name (empty unless the registry also has
///   `named`; both are `char const*`).
///
/// While no tool is attached, a probe costs one `nop` and the computation of its arguments. Needs
/// <sys/sdt.h> (package systemtap-sdt-dev) to compile, and nothing to run.
/// Use it: to trace a running program from outside.
template <class Panic>
class traced : public detail::adaptor<Panic, detail::tap_state<detail::probes>>
{
public:
    /// Like that of the wrapped policy, with the probes.
    template <class Notify>
    using scope =
        detail::observing_scope<Panic, Notify,
                                typename detail::tap_observer<detail::probes>::template of<Notify>>;
};

}  // namespace observe
}  // namespace v1
}  // namespace registry_io

#endif
