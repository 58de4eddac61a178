// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The operations that a `registration` performs on a registry whose type it does not know: one
// table of functions for each type of registry. Each function gets the anchor, a base class of
// `writers`, which outlives the registry while a reference to it exists.

#ifndef REGISTRY_IO_DETAIL_OPERATIONS_HPP
#define REGISTRY_IO_DETAIL_OPERATIONS_HPP

#include <atomic>
#include <cstddef>

#include <registry_io/detail/writers.hpp>
#include <registry_io/garbage.hpp>
#include <registry_io/handler_id.hpp>
#include <registry_io/registration.hpp>

namespace registry_io {
inline namespace v1 {
namespace detail {

/// The operations of one type of registry; a program contains only the tables that it uses. An
/// event type of this library may know handlers that run outside of a read, such as coroutines. It
/// then has `is_inside(panic)`.
template <class Writers, class Event>
inline constexpr anchor_operations operations_of{
    [](guard_anchor* a) noexcept { static_cast<Writers*>(a)->hold(); },
    [](guard_anchor* a, handler_id id) {
        auto& w = *static_cast<Writers*>(a);
        // relaxed: destroying the registry on another thread meanwhile is a precondition violation,
        // as with guards.
        return w.panic.load(std::memory_order_relaxed) != nullptr &&
            w.serial == id.registry_serial() && w.contains(id.value());
    },
    [](guard_anchor* a, handler_id const* ids, std::size_t count) {
        auto& w = *static_cast<Writers*>(a);
        std::size_t removed = 0;
        if (w.panic.load(std::memory_order_relaxed) == nullptr)
            return removed;
        w.locked_change(
            [&](auto& change, garbage_list& dead) {
                for (std::size_t i = 0; i != count; ++i)
                    if (change.erase(ids[i].value(), dead))
                        ++removed;
                return removed != 0;
            },
            nullptr, false);
        return removed;
    },
    [](guard_anchor* a) {
        auto& w = *static_cast<Writers*>(a);
        void const* const panic = w.panic.load(std::memory_order_relaxed);
        if (panic == nullptr)
            return;
        if constexpr (requires { Event::is_inside(panic); })
            if (Event::is_inside(panic))
                detail::refuse_deadlock();
        if (w.policy_writer.would_deadlock())
            detail::refuse_deadlock();
    },
    [](guard_anchor* a) {
        auto& w = *static_cast<Writers*>(a);
        if (w.panic.load(std::memory_order_relaxed) != nullptr)
            w.synchronize();
    }};

}  // namespace detail
}  // namespace v1
}  // namespace registry_io

#endif
