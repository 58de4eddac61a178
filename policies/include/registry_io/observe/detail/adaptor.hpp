// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The base of all policies of `observe/`: a panic policy that wraps another one and passes on
// everything that it does not observe. Adaptors can be nested in any order. The state of each
// adaptor is stored next to the state of the policy that it wraps.

#ifndef REGISTRY_IO_OBSERVE_DETAIL_ADAPTOR_HPP
#define REGISTRY_IO_OBSERVE_DETAIL_ADAPTOR_HPP

#include <registry_io/detail/supported.hpp>

#include <concepts>
#include <cstddef>
#include <cstdlib>
#include <exception>
#include <type_traits>
#include <utility>

#include <registry_io/config.hpp>
#include <registry_io/detail/sink.hpp>
#include <registry_io/handler_label.hpp>
#include <registry_io/panic_info.hpp>
#include <registry_io/policy.hpp>

namespace registry_io {
inline namespace v1 {
namespace observe {
namespace detail {

/// Returns a handler's label, as the adaptors around it pass it on: empty if there is none.
template <class F>
handler_label label_in(F const& f)
{
    if constexpr (requires {
                      { f.label() } -> std::convertible_to<handler_label const&>;
                  })
        return f.label();
    else if constexpr (requires { f.handler_of_user(); })
        return detail::label_in(f.handler_of_user());
    else
        return handler_label::of_type<F>();
}

/// The common part of every adaptor of a panic policy: repeats the properties of the wrapped
/// policy.
///
/// `State` is the state that the adaptor keeps for each handler. It is stored next to the policy's
/// own state, as another base class, so each adaptor finds its part in the state of the outermost
/// one.
template <class Panic, class State>
class adaptor
{
    static_assert(panic_policy<Panic>,
                  "registry_io: an adaptor of observe must be given a panic policy");
    static_assert(!std::is_base_of_v<State, typename Panic::handler_state>,
                  "registry_io: this adaptor of observe is used twice; use it once");

public:
    using category = axis::panic;
    /// The wrapped policy. In a notify with its own sink, only the innermost policy is replaced.
    using adapted = Panic;
    static constexpr bool isolates = Panic::isolates;
    static constexpr bool reports = Panic::reports;
    static constexpr bool logs = Panic::logs;
    using result_type = typename Panic::result_type;

    struct handler_state : Panic::handler_state, State
    {
    };

    /// Called for invalid input if exceptions are off: calls that of the wrapped policy.
    [[noreturn]] static void fatal(char const* reason) noexcept
    {
        Panic::fatal(reason);
        std::abort();
    }

    /// Called by the registry, under its writers' lock, for each change of its table.
    void changed(std::size_t added, std::size_t removed) noexcept
        requires requires(Panic& p, std::size_t n) { p.changed(n, n); }
    {
        panic_.changed(added, removed);
    }

    /// Called by the registry for each handler, before it is in the table.
    template <class S, class F>
    void registering(S& state, F const& f, char const* event)
        requires requires(Panic& p) { p.registering(state, f, event); }
    {
        panic_.registering(state, f, event);
    }

    /// Returns the wrapped policy.
    Panic& wrapped() noexcept { return panic_; }

private:
    REGISTRY_IO_NO_UNIQUE_ADDRESS Panic panic_;
};

/// The state of an adaptor that keeps no state. `Tag` makes each a distinct type.
template <class Tag>
struct no_state
{
};

/// A notify as the wrapped policy sees it.
template <class Panic, class Notify>
struct inner_notify
{
    Notify notify;
    Panic& policy() const noexcept { return notify.policy().wrapped(); }
    panic_hooks hooks() const noexcept { return notify.hooks(); }
    char const* event_name() const noexcept { return registry_io::detail::event_name_of(notify); }
    decltype(auto) sink() const noexcept
        requires requires { notify.sink(); }
    {
        return notify.sink();
    }
};

struct nothing_runs
{
    void end() noexcept {}
};

/// The object that a wrapped policy keeps while a handler runs separately from `invoke`.
template <class Scope, class View>
auto running_of(Scope& scope, View handler) noexcept
{
    if constexpr (requires { scope.running(handler); })
        return scope.running(handler);
    else if constexpr (requires { scope.running(); })
        return scope.running();
    else
        return nothing_runs();
}

template <class Outer, class Inner>
struct both_running
{
    Outer outer;
    Inner inner;
    void end() noexcept
    {
        inner.end();
        outer.end();
    }
};

/// An adaptor's own object and the one that it wraps. Constructed in place: neither needs to be
/// movable.
template <class Outer, class Inner>
auto run_both(Outer outer, Inner inner) noexcept
{
    return both_running<decltype(outer()), decltype(inner())>{outer(), inner()};
}

/// The scope of an adaptor that does nothing in a notify.
template <class Panic, class Notify>
class transparent_scope : public registry_io::detail::scope_of<Panic, inner_notify<Panic, Notify>>
{
    using inner = registry_io::detail::scope_of<Panic, inner_notify<Panic, Notify>>;

public:
    explicit transparent_scope(Notify notify) noexcept : inner(inner_notify<Panic, Notify>{notify})
    {
    }
};

/// The scope of an adaptor that observes each call from outside.
///
/// `Observer` is constructed from the notify. `begin(handler)` returns an object that is kept while
/// the handler runs, and whose `end()` is called when the handler has returned or thrown;
/// `begin_apart(handler)` does the same for a coroutine until it first waits. The object that
/// `begin_apart` returns must keep nothing of the notify and of the handler: both may have ended
/// when it is destroyed. `failed(handler)` is called for each failure while the exception
/// propagates.
template <class Panic, class Notify, class Observer>
class observing_scope
{
    using wrapped_notify = inner_notify<Panic, Notify>;
    using inner_scope = registry_io::detail::scope_of<Panic, wrapped_notify>;

    template <class View>
    struct watching
    {
        Observer& observer;
        View handler;
        bool done = false;
        BOOST_FORCEINLINE ~watching()
        {
            if (!done)
                failed(observer, handler);
        }
        // Not an exception handler, because rethrowing costs as much as the first throw.
        REGISTRY_IO_DETAIL_COLD static void failed(Observer& o, View h) noexcept
        {
            // A thread that is cancelled unwinds without an exception.
            if (std::uncaught_exceptions() != 0)
                o.failed(h);
        }
    };

    template <class Object>
    struct ended
    {
        Object object;
        BOOST_FORCEINLINE ~ended() { object.end(); }
    };
    template <class Object>
    ended(Object) -> ended<Object>;

    template <class Call, class View>
    struct observed
    {
        Call call;
        Observer* observer;
        View handler;
        BOOST_FORCEINLINE void operator()() const
        {
            watching<View> w{*observer, handler};
            {
                ended const here{observer->begin(handler)};
                call();
            }
            w.done = true;
        }
    };
    template <class Call, class View>
    struct settled
    {
        Call call;
        Observer* observer;
        View handler;
        BOOST_FORCEINLINE void operator()() const
        {
            watching<View> w{*observer, handler};
            call();
            w.done = true;
        }
    };

public:
    /// Handlers of one type are not called in a loop of their own, because the observer's code
    /// around each call would be repeated for each type of handler.
    static constexpr bool calls_apart = true;

    explicit observing_scope(Notify notify) noexcept
        : observer_(notify), inner_(wrapped_notify{notify})
    {
    }
    observing_scope(observing_scope const&) = delete;
    observing_scope& operator=(observing_scope const&) = delete;

    template <class Call, class View>
    BOOST_FORCEINLINE verdict invoke(Call call, View handler) noexcept(
        noexcept(inner_.invoke(observed<Call, View>{call, nullptr, handler}, handler)))
    {
        if (apart_)
            return inner_.invoke(settled<Call, View>{call, &observer_, handler}, handler);
        return inner_.invoke(observed<Call, View>{call, &observer_, handler}, handler);
    }

    auto finish() noexcept(noexcept(inner_.finish())) { return inner_.finish(); }

    /// For registries that run handlers separately from `invoke`, which then only reports how they
    /// ended: returns an object that is kept while a handler runs on this thread.
    template <class View>
    auto running(View handler) noexcept
    {
        apart_ = true;
        return detail::run_both([&] { return observer_.begin_apart(handler); },
                                [&] { return detail::running_of(inner_, handler); });
    }

private:
    Observer observer_;
    inner_scope inner_;
    bool apart_ = false;
};

}  // namespace detail
}  // namespace observe
}  // namespace v1
}  // namespace registry_io

#endif
