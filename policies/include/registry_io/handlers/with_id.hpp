// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// `with_id(f)`: a handler that is passed its own registration as the first argument. Use it for
// handlers that remove themselves under a condition; `once` removes after the first event.

#ifndef REGISTRY_IO_HANDLERS_WITH_ID_HPP
#define REGISTRY_IO_HANDLERS_WITH_ID_HPP

#include <registry_io/detail/supported.hpp>

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

/// A handler that is passed its registration as the first argument; see `with_id`.
template <class F>
class with_id_handler
{
public:
    /// Throws what moving or copying `f` throws.
    template <class G>
    explicit with_id_handler(std::in_place_t, G&& f) : f_(std::forward<G>(f))
    {
    }

    /// Calls the handler. Throws what the handler throws.
    template <class... Args>
        requires std::is_invocable_v<F const&, registration const&, Args const&...>
    detail::wrapper_result_t<F const&, registration const&, Args const&...> operator()(
        Args const&... args) const
    {
        check_handler();
        return detail::call_handler(f_, self_, args...);
    }
    /// For registries of one thread, whose handlers need not be callable as const objects.
    template <class... Args>
        requires(std::is_invocable_v<F&, registration const&, Args const&...> &&
                 !std::is_invocable_v<F const&, registration const&, Args const&...>)
    detail::wrapper_result_t<F&, registration const&, Args const&...> operator()(
        Args const&... args)
    {
        check_handler();
        registration const& self = self_;
        return detail::call_handler(f_, self, args...);
    }

    /// Called by registries.
    void on_registered(registration const& r) noexcept
    {
        self_ = r;
        detail::tell(f_, r);
    }

    /// For `once`.
    void on_one_shot() noexcept
        requires detail::told_of_one_shot<F>
    {
        f_.on_one_shot();
    }

    /// Returns the wrapped handler, for code that looks for its label.
    F const& handler_of_user() const noexcept { return f_; }

    /// Returns whether the handler is empty. A registry refuses an empty handler.
    friend bool operator==(with_id_handler const& h, std::nullptr_t)
    {
        return detail::is_empty_handler(h.f_);
    }

private:
    void check_handler() const noexcept
    {
        BOOST_ASSERT_MSG(self_,
                         "registry_io: the registry could not tell this handler its id; do not "
                         "put with_id(f) into a std::function, put the std::function into with_id");
    }

    registration self_;
    REGISTRY_IO_NO_UNIQUE_ADDRESS F f_;
};

/// Makes a handler that knows its own id: `f(self, event)`.
///
/// `self` is a `registration const&`: `self.id()` is the handler's id, and `self.unregister()`
/// removes the handler. It converts to `handler_id`, so `f` may take a `handler_id` instead. The id
/// is set before any notify can call the handler, also in transactions.
///
/// Precondition: the result is registered, alone or inside other wrappers of this library, but not
/// inside a `std::function` (asserted). Throws what moving `f` throws. Costs 32 bytes in the
/// handler's block, and nothing per call. Concurrency and reentrancy: those of `f`. In an async
/// registry `f` may take the environment as a third argument, and return a task.
template <class F>
[[nodiscard]] with_id_handler<std::decay_t<F>> with_id(F&& f)
{
    return with_id_handler<std::decay_t<F>>(std::in_place, std::forward<F>(f));
}

}  // namespace v1
}  // namespace registry_io

#endif
