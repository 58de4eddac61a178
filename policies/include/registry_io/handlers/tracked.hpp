// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

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
/// object. `f` is called as `f(*object, event)` if that is a call, else as `f(event)`; so `f` may
/// be a pointer to a member function of the object. The object is kept alive while `f` runs, and in
/// an async registry while the task runs that `f` returns. So the destructor of the object may run
/// in a notify, when the last owner has gone meanwhile.
///
/// When the object has been destroyed, the handler does not run, and the next notify removes it. To
/// remove it at once, give the object an `owner` and register through that.
///
/// What counts is the life of what the pointer shares ownership of. A pointer that shares ownership
/// with none is refused at registration, with `std::invalid_argument`, as an empty handler. If the
/// stored pointer is null (an aliasing pointer may be), `f(event)` is called, but `f(*object,
/// event)` is not, and the handler is removed.
///
/// Precondition: the result is registered, alone or in other wrappers of this library. Throws what
/// moving `f` throws. Costs 48 bytes in the handler's block, and taking and dropping a reference in
/// a call.
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
