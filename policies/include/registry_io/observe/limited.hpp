// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// `observe::limited`: a panic policy that wraps another one and limits how deeply notifies nest. A
// list on the stack of each thread, innermost first, contains the handlers that the thread is in.

#ifndef REGISTRY_IO_OBSERVE_LIMITED_HPP
#define REGISTRY_IO_OBSERVE_LIMITED_HPP

#include <registry_io/detail/supported.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <utility>

#include <registry_io/config.hpp>
#include <registry_io/detail/raise.hpp>
#include <registry_io/detail/report.hpp>
#include <registry_io/handler_id.hpp>
#include <registry_io/handler_label.hpp>
#include <registry_io/observe/detail/adaptor.hpp>

namespace registry_io {
inline namespace v1 {
namespace observe {

/// The failure of a handler that is not called because its notify is nested too deeply.
class reentrancy_error : public std::logic_error
{
public:
    using std::logic_error::logic_error;
};

namespace detail {

/// A handler that is running on this thread.
struct entered
{
    std::uint64_t registry;  ///< its serial number
    entered const* outer;
    handler_id id;
    handler_label const* label;  ///< null if there is none
};

REGISTRY_IO_EXPORT inline constinit thread_local entered const* innermost_entered = nullptr;

template <class View>
handler_label const* label_pointer(View handler) noexcept
{
    if constexpr (requires { handler.state().label(); })
        return &handler.state().label();
    else
        return nullptr;
}

struct limited_state
{
};

}  // namespace detail

/// Limits how deeply notifies of one registry nest on one thread: a panic policy that behaves like
/// `Panic`. With a depth of 1, no handler may notify its own registry.
///
/// The handlers of a notify that is nested more deeply are not called; each of them fails with a
/// `reentrancy_error`, which names the handler that has notified. The wrapped policy handles that
/// failure: `catch_log` logs it, `propagate` throws it, `terminate` ends the program. With
/// exceptions off, and in an asynchronous registry, the policy's `fatal` is called with the same
/// sentence. Other registries and other threads do not count. A notify that a coroutine makes after
/// it has waited is not nested.
/// Use it: to find a loop of events before it exhausts the stack.
template <std::size_t Depth, class Panic>
class limited : public detail::adaptor<Panic, detail::limited_state>
{
    static_assert(Depth > 0, "registry_io: observe::limited<0> would call no handler at all");

    class running : detail::entered
    {
    public:
        running(handler_id of, handler_label const* l) noexcept
            : detail::entered{of.registry_serial(), detail::innermost_entered, of, l}
        {
            detail::innermost_entered = this;
        }
        running(running const&) = delete;
        running& operator=(running const&) = delete;
        void end() noexcept { detail::innermost_entered = this->outer; }
    };

    class running_apart : detail::entered
    {
    public:
        running_apart(handler_id of, handler_label l) noexcept
            : detail::entered{of.registry_serial(), detail::innermost_entered, of, &kept_},
              kept_(std::move(l))
        {
            detail::innermost_entered = this;
        }
        running_apart(running_apart const&) = delete;
        running_apart& operator=(running_apart const&) = delete;
        void end() noexcept { detail::innermost_entered = this->outer; }

    private:
        handler_label kept_;
    };

    /// Returns the innermost handler of this registry on this thread if the limit is reached,
    /// otherwise null.
    BOOST_FORCEINLINE static detail::entered const* at_limit(std::uint64_t registry) noexcept
    {
        detail::entered const* first = nullptr;
        std::size_t depth = 0;
        for (detail::entered const* e = detail::innermost_entered; e != nullptr; e = e->outer)
            if (e->registry == registry) {
                first = first == nullptr ? e : first;
                if (++depth == Depth)
                    return first;
            }
        return nullptr;
    }

    template <class Notify>
    REGISTRY_IO_DETAIL_COLD static void say(char (&text)[512], Notify notify,
                                            detail::entered const& by) noexcept
    {
        constexpr unsigned long depth{Depth};
        char handler[301];
        registry_io::detail::describe(handler, by.id, registry_io::detail::event_name_of(notify),
                                      by.label != nullptr ? *by.label : handler_label());
        std::snprintf(text, sizeof text,
                      "%s has notified its own registry, nested more than %lu deep, which "
                      "observe::limited forbids; let it post the event, and notify after it has "
                      "returned",
                      handler, depth);
    }

    template <class Notify>
    struct observer
    {
        explicit observer(Notify n) noexcept : notify(n) {}
        template <class View>
        running begin(View handler)
        {
            handler_id const id = handler.id();
            if (detail::entered const* const by = at_limit(id.registry_serial())) [[unlikely]]
                refuse(notify, *by);
            return {id, detail::label_pointer(handler)};
        }
        template <class View>
        running_apart begin_apart(View handler) noexcept
        {
            handler_id const id = handler.id();
            if (detail::entered const* const by = at_limit(id.registry_serial())) {
                char text[512];
                say(text, notify, *by);
                Panic::fatal(text);
            }
            return {id, registry_io::detail::label_of(handler)};
        }
        template <class View>
        void failed(View) noexcept
        {
        }
        Notify notify;
    };

    template <class Notify>
    [[noreturn]] REGISTRY_IO_DETAIL_COLD static void refuse(Notify notify,
                                                            detail::entered const& by)
    {
        char text[512];
        say(text, notify, by);
#ifdef BOOST_NO_EXCEPTIONS
        limited::fatal(text);
#else
        registry_io::detail::raise(reentrancy_error(text));
#endif
    }

public:
    /// Like that of the wrapped policy, with the depth checked before each call.
    template <class Notify>
    using scope = detail::observing_scope<Panic, Notify, observer<Notify>>;
};

/// Forbids handlers to notify their own registry; see `limited`.
template <class Panic>
using forbidden = limited<1, Panic>;

}  // namespace observe
}  // namespace v1
}  // namespace registry_io

#endif
