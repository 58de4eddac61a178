// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// `tracked(object, f)`: a handler that runs only while an object is alive that shared pointers own.
// The implementation is in `detail/tracking.hpp`, since `register_handler` uses it for weak
// pointers too.

#ifndef REGISTRY_IO_HANDLERS_TRACKED_HPP
#define REGISTRY_IO_HANDLERS_TRACKED_HPP

#include <registry_io/detail/supported.hpp>

#include <memory>
#include <type_traits>
#include <utility>

#include <registry_io/detail/tracking.hpp>

namespace registry_io {
inline namespace v1 {

/// Makes a handler that runs only while an object is alive.
///
/// `object` is a `std::weak_ptr` or `std::shared_ptr`, or one of Boost; the handler never owns the
/// object. `f` is called as `f(*object, event)` if that is possible, otherwise as `f(event)`; so
/// `f` may be a pointer to a member function of the object. The object is kept alive while `f` runs
/// and, in an async registry, while the task that `f` returns runs. So the destructor of the object
/// may run in a notify, if its last owner has released it meanwhile.
///
/// After the object has been destroyed, the handler does not run, and the next notify removes it.
/// To remove it at once, give the object an `owner` and register the handler through that.
///
/// What counts is the lifetime of the object whose ownership the pointer shares. A pointer
/// that shares no ownership is refused at registration with `std::invalid_argument`, like an empty
/// handler. If the stored pointer is null, as may be the case for an aliasing pointer, `f(event)`
/// is called; a handler that needs `f(*object, event)` is not called, and is removed.
///
/// Precondition: the result is registered, alone or inside other wrappers of this library. Throws
/// what moving `f` throws. Costs 48 bytes in the handler's block, and per call acquiring and
/// releasing a reference.
template <class Pointer, class F>
[[nodiscard]] auto tracked(Pointer const& object, F&& f)
{
    static_assert(
        detail::tracks<Pointer>,
        "registry_io: tracked takes a std::shared_ptr or a std::weak_ptr to the object, or "
        "one of Boost; a raw pointer does not say when the object is destroyed");
    if constexpr (detail::tracks<Pointer>) {
        using weak = detail::weak_of<Pointer>;
        return detail::tracked_handler<weak, std::decay_t<F>>(std::in_place, weak(object),
                                                              std::forward<F>(f));
    } else {
        return [](auto const&...) {};
    }
}

}  // namespace v1
}  // namespace registry_io

#endif
