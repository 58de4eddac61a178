// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Names a registered handler together with its registry, whose type the holder need not know.
// Handlers that know their registration, such as `once(f)` and `with_id(f)`, and `owner` are built
// on it. `on_registered` is the member by which a registry passes it to a handler.

#ifndef REGISTRY_IO_REGISTRATION_HPP
#define REGISTRY_IO_REGISTRATION_HPP

#include <registry_io/detail/supported.hpp>

#include <cstddef>

#include <registry_io/handler_guard.hpp>
#include <registry_io/handler_id.hpp>

namespace registry_io {
inline namespace v1 {
namespace detail {

/// The operations on a registry for code that knows its anchor, but not its type. Each function is
/// safe after the registry has been destroyed if the caller holds a reference to the anchor.
struct anchor_operations
{
    /// Adds a reference to the anchor. The caller must hold one, or the registry must exist.
    void (*hold)(guard_anchor*) noexcept;
    /// Whether the handler is registered.
    bool (*contains)(guard_anchor*, handler_id);
    /// Removes all these handlers in one publication. Returns how many were registered.
    std::size_t (*remove)(guard_anchor*, handler_id const* ids, std::size_t count);
    /// Throws if `synchronize` would wait for itself here.
    void (*refuse_deadlock)(guard_anchor*);
    /// Waits as the registry's `synchronize` does.
    void (*synchronize)(guard_anchor*);
};

}  // namespace detail

/// Names one registered handler together with its registry.
///
/// A registry passes it to a handler that has a member `void on_registered(registration const&)
/// noexcept`. The registry calls that member once, when the handler lies in its final place and
/// before any notify can call it. `with_id` and `once` are built on it; a wrapper of your own must
/// pass the call on to the handler that it wraps, with `detail::tell`.
///
/// A registration does not keep the registry alive. You may use it inside the handler while the
/// handler runs, and anywhere while the registry exists.
class registration
{
public:
    /// Names nothing.
    constexpr registration() noexcept = default;

    /// For registries.
    constexpr registration(detail::guard_anchor* anchor, handler_id id,
                           detail::anchor_operations const& operations) noexcept
        : anchor_(anchor), id_(id), operations_(&operations)
    {
    }

    /// The handler's id; empty if the registration names nothing.
    constexpr handler_id id() const noexcept { return id_; }

    /// The same, so that a handler that is passed a registration may take a `handler_id`.
    constexpr operator handler_id() const noexcept { return id_; }

    /// Whether it names a handler.
    explicit constexpr operator bool() const noexcept { return anchor_ != nullptr; }

    /// Removes the handler. Returns whether it was registered.
    ///
    /// Throws as the registry's `unregister`. Reentrancy: a handler may remove itself; its captures
    /// live until it has returned.
    bool unregister() const { return anchor_ != nullptr && anchor_->unregister(id_); }

    /// @cond
    detail::guard_anchor* anchor() const noexcept { return anchor_; }
    detail::anchor_operations const& operations() const noexcept { return *operations_; }
    /// @endcond

private:
    detail::guard_anchor* anchor_ = nullptr;
    handler_id id_;
    detail::anchor_operations const* operations_ = nullptr;
};

namespace detail {

/// Whether a handler has the member `on_registered`.
template <class F>
concept told_of_registration = requires(F& f, registration const& r) { f.on_registered(r); };

/// Passes `r` to the handler's `on_registered`, if it has one.
template <class F>
void tell(F& f, registration const& r) noexcept
{
    if constexpr (told_of_registration<F>) {
        static_assert(noexcept(f.on_registered(r)), "registry_io: on_registered must be noexcept");
        f.on_registered(r);
    }
}

}  // namespace detail
}  // namespace v1
}  // namespace registry_io

#endif
