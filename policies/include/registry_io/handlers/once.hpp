// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// `once(f)`: a handler that runs at most once, for the first event, and removes itself. An atomic
// flag decides between threads that notify at the same time.

#ifndef REGISTRY_IO_HANDLERS_ONCE_HPP
#define REGISTRY_IO_HANDLERS_ONCE_HPP

#include <registry_io/detail/supported.hpp>

#include <atomic>
#include <cstddef>
#include <type_traits>
#include <utility>

#include <boost/assert.hpp>

#include <registry_io/config.hpp>
#include <registry_io/detail/callable.hpp>
#include <registry_io/detail/wrapper.hpp>
#include <registry_io/registration.hpp>

namespace registry_io {
inline namespace v1 {

/// A handler that runs at most once; see `once`.
template <class F>
class once_handler
{
public:
    /// Throws what moving or copying `f` throws.
    template <class G>
    explicit once_handler(std::in_place_t, G&& f) : f_(std::forward<G>(f))
    {
    }
    /// Moves the handler. Precondition: it is not registered yet.
    once_handler(once_handler&& other) noexcept(std::is_nothrow_move_constructible_v<F>)
        : self_(other.self_), f_(std::move(other.f_))
    {
    }

    /// Calls the handler the first time, and does nothing afterwards. Throws what the handler
    /// throws.
    template <class... Args>
        requires std::is_invocable_v<F&, Args const&...>
    detail::wrapper_result_t<F&, Args const&...> operator()(Args const&... args) const
    {
        BOOST_ASSERT_MSG(self_,
                         "registry_io: the registry could not tell this handler its id; do not put "
                         "once(f) into a std::function, put the std::function into once");
        // relaxed: the exchange alone decides which call runs, and the other calls do nothing that
        // depends on what that call has written.
        bool const first = !fired_.exchange(true, std::memory_order_relaxed);
        // Before the call, so that neither a nested notify nor the handler itself finds it
        // registered. If this fails for lack of memory, every later call tries again.
        detail::remove_if_possible(self_);
        if (!first)
            return detail::skipped<detail::wrapper_result_t<F&, Args const&...>>();
        return detail::call_handler(f_, args...);
    }

    /// Called by registries.
    void on_registered(registration const& r) noexcept
    {
        self_ = r;
        detail::tell_one_shot(f_);
        detail::tell(f_, r);
    }

    /// Returns the wrapped handler, for code that looks for its label.
    F const& handler_of_user() const noexcept { return f_; }

    /// Returns whether the handler is empty. A registry refuses an empty handler.
    friend bool operator==(once_handler const& h, std::nullptr_t)
    {
        return detail::is_empty_handler(h.f_);
    }

private:
    registration self_;
    mutable std::atomic<bool> fired_{false};
    REGISTRY_IO_NO_UNIQUE_ADDRESS mutable F f_;  // never called twice, so it need not be const
};

/// Makes a handler that runs at most once and then removes itself.
///
/// The first call wins, also if several threads notify at once. It disarms the handler, removes it
/// from its registry, and then calls `f`. So `f` runs once even if it notifies the registry, and an
/// exception that leaves `f` does not arm the handler again. Calls of notifies that took their
/// snapshot before the removal do nothing. The captures of `f` live until the last of these
/// notifies has ended.
///
/// `f` need not be callable as a const object, because only one call ever runs it. If the removal
/// fails for lack of memory, `f` has still run, and the next notify tries the removal again.
///
/// To remove the handler before it has run, use its id or its guard as for any other handler. If
/// that returns true and no notify was running, `f` has not run and never will.
///
/// Precondition: the result is registered, alone or inside other wrappers of this library, but not
/// inside a `std::function` (asserted). Throws what moving `f` throws. Costs 40 bytes in the
/// handler's block. Complexity of the call: that of `unregister`.
template <class F>
[[nodiscard]] once_handler<std::decay_t<F>> once(F&& f)
{
    return once_handler<std::decay_t<F>>(std::in_place, std::forward<F>(f));
}

}  // namespace v1
}  // namespace registry_io

#endif
