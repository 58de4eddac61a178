// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// `filtered(predicate, f)`: a handler that runs only for the events that satisfy a predicate. The
// predicate runs in the notify, as part of the handler.

#ifndef REGISTRY_IO_HANDLERS_FILTERED_HPP
#define REGISTRY_IO_HANDLERS_FILTERED_HPP

#include <registry_io/detail/supported.hpp>

#include <cstddef>
#include <type_traits>
#include <utility>

#include <registry_io/config.hpp>
#include <registry_io/detail/callable.hpp>
#include <registry_io/detail/wrapper.hpp>
#include <registry_io/registration.hpp>

namespace registry_io {
inline namespace v1 {

/// A handler that runs only for some events; see `filtered`.
template <class Predicate, class F>
class filtered_handler : public detail::wrapper<filtered_handler<Predicate, F>, F>
{
    using base = detail::wrapper<filtered_handler, F>;
    friend base;

public:
    /// Throws what moving or copying the predicate and `f` throws.
    template <class P, class G>
    filtered_handler(std::in_place_t, P&& predicate, G&& f)
        : base(std::in_place, std::forward<G>(f)), predicate_(std::forward<P>(predicate))
    {
    }

private:
    static bool lacks(filtered_handler const& h) { return detail::is_empty_handler(h.predicate_); }

    template <class G, class Event, class... Args>
    static auto run(filtered_handler const& self, G& f, Event const& event, Args const&... args)
        -> detail::wrapper_result_t<G&, Event const&, Args const&...>
    {
        static_assert(std::is_invocable_r_v<bool, Predicate const&, Event const&>,
                      "registry_io: the predicate of filtered must be callable as a const object "
                      "with Event const&, and return bool");
        if constexpr (std::is_invocable_r_v<bool, Predicate const&, Event const&>)
            if (!static_cast<bool>(detail::call(self.predicate_, event)))
                return detail::skipped<
                    detail::wrapper_result_t<G&, Event const&, Args const&...>>();
        return detail::call_handler(f, event, args...);
    }

    REGISTRY_IO_NO_UNIQUE_ADDRESS Predicate predicate_;
};

/// @cond
namespace detail {
template <class Predicate, class F>
inline constexpr mutable_members mutable_members_of<filtered_handler<Predicate, F>> =
    mutable_members_of<Predicate> == mutable_members::none ? mutable_members_of<F>
    : mutable_members_of<F> == mutable_members::none       ? mutable_members_of<Predicate>
                                                           : mutable_members::possible;
}  // namespace detail
/// @endcond

/// Makes a handler that calls `f` for the events for which `predicate(event)` is true.
///
/// The predicate runs in the notify, as part of the handler: an exception that leaves it is a
/// failure of the handler, and several threads may call it at once. It may be a pointer to a member
/// of the event. Throws what moving `predicate` and `f` throws.
///
/// Order of wrappers: `filtered(p, once(f))` runs `f` for the first event that passes;
/// `once(filtered(p, f))` examines only the first event.
template <class Predicate, class F>
[[nodiscard]] filtered_handler<std::decay_t<Predicate>, std::decay_t<F>> filtered(
    Predicate&& predicate, F&& f)
{
    return filtered_handler<std::decay_t<Predicate>, std::decay_t<F>>(
        std::in_place, std::forward<Predicate>(predicate), std::forward<F>(f));
}

}  // namespace v1
}  // namespace registry_io

#endif
