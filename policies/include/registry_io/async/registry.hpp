// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// `basic_async_registry`: a registry whose handlers may be coroutines. It uses the engine of
// `basic_registry`, so tables, ids, guards and policies are the same. The two ways of notifying and
// the wait for the next event have their own headers in `detail/`. Include
// `registry_io/presets/async.hpp` for `AsyncRegistry`.

#ifndef REGISTRY_IO_ASYNC_REGISTRY_HPP
#define REGISTRY_IO_ASYNC_REGISTRY_HPP

#include <registry_io/detail/supported.hpp>

#include <type_traits>
#include <utility>

#include <boost/core/addressof.hpp>

#include <registry_io/async/abandoned.hpp>
#include <registry_io/async/detail/handler.hpp>
#include <registry_io/async/detail/next_event.hpp>
#include <registry_io/async/detail/notify_all.hpp>
#include <registry_io/async/detail/notify_in_turn.hpp>
#include <registry_io/async/environment.hpp>
#include <registry_io/async/task.hpp>
#include <registry_io/registry.hpp>

namespace registry_io {
inline namespace v1 {

template <class Event, class SnapshotPolicy, class OrderingPolicy, class PanicPolicy,
          class AllocPolicy>
class basic_async_registry;

/// Unregisters its handler when it is destroyed. A notify that is running the handler finishes it
/// first.
using async_handler_guard = handler_guard;

/// An in-process registry whose handlers are coroutines, or plain functions.
///
/// `co_await registry.notify(event)` runs all handlers at once and continues when the last of them
/// has ended; `co_await registry.notify_sequential(event)` runs them one after the other, in order.
/// Both can be awaited in a coroutine of any type, and handlers can await any awaitable. A handler
/// that fails never stops its siblings. The event is borrowed: it must live until the notify has
/// ended, and handlers may refer to it as long as they run.
///
/// Registration, removal, order, ids, guards, transactions and policies are those of
/// `basic_registry`, whose comments apply here. A notify walks the snapshot that was current when
/// it was first awaited, and lasts until its caller has been resumed. While handlers wait, a count
/// holds the snapshot, so a handler that waits for an hour pins nothing but that snapshot. Snapshot
/// policies without such a count are refused.
template <class Event, class SnapshotPolicy, class OrderingPolicy, class PanicPolicy,
          class AllocPolicy>
class basic_async_registry
    : private basic_registry<async::detail::call<Event>, SnapshotPolicy, OrderingPolicy,
                             PanicPolicy, AllocPolicy>::engine
{
    static_assert(registry_io::detail::check_event<Event>());
    static_assert(
        !snapshot_policy<SnapshotPolicy> || pinning_snapshot_policy<SnapshotPolicy>,
        "registry_io: this snapshot policy cannot hold a snapshot while handlers wait without "
        "delaying the destruction of all garbage (pinning_snapshot_policy); use "
        "hazard_pointer in an async registry");

    using base = typename basic_registry<async::detail::call<Event>, SnapshotPolicy, OrderingPolicy,
                                         PanicPolicy, AllocPolicy>::engine;

public:
    /// The type with which handlers are called, by const reference.
    using event_type = Event;
    using typename base::alloc_policy;
    using typename base::key_type;
    using typename base::ordering_policy;
    using typename base::panic_policy;
    using typename base::result_type;
    using typename base::snapshot_policy;

    /// The same registry with other policies, in any order; each replaces the policy on its axis.
    template <class... Policies>
    using with = std::enable_if_t<
        registry_io::detail::check_with<Policies...>(),
        basic_async_registry<
            Event,
            typename registry_io::detail::select<axis::snapshot, SnapshotPolicy, Policies...>::type,
            typename registry_io::detail::select<axis::ordering, OrderingPolicy, Policies...>::type,
            typename registry_io::detail::select<axis::panic, PanicPolicy, Policies...>::type,
            typename registry_io::detail::select<axis::alloc, AllocPolicy, Policies...>::type>>;

    /// The same registry for events of another type.
    template <class Other>
    using rebind_event =
        basic_async_registry<Other, SnapshotPolicy, OrderingPolicy, PanicPolicy, AllocPolicy>;

    class transaction;
    /// The type that `notify` returns, to be awaited.
    using notify_all = async::detail::notify_all<base>;
    /// The type that `notify_sequential` returns, to be awaited.
    using notify_in_turn = async::detail::notify_in_turn<base>;
    /// The type that `next` returns, to be awaited.
    using next_event = async::detail::next_event<base>;

    using base::base;
    /// An empty registry.
    basic_async_registry() = default;
    // As in basic_registry.
    basic_async_registry(basic_async_registry const&)  // registry_io: hold it in a unique_ptr
        = delete;
    basic_async_registry& operator=(basic_async_registry const&)  // registry_io: not assignable
        = delete;

    // As in basic_registry.
    using base::clear;
    using base::clear_panic_callback;
    using base::contains;
    using base::empty;
    using base::for_each_handler;
    using base::log_to;
    using base::log_to_stderr;
    using base::on_panic;
    using base::registration_of;
    using base::size;
    using base::unregister;

    // ----- notifying

    /// Runs all handlers at once when it is awaited. Each handler is started, in order, on the
    /// awaiting thread; handlers that wait continue when what they wait for completes.
    ///
    /// Awaiting it returns the result that the panic policy makes of the failures, or throws what
    /// that policy lets through. If all handlers end without waiting, the caller is not suspended.
    /// Otherwise it is resumed on the executor of the environment or, without one, by the thread
    /// that ends the last handler. If the executor throws, the thread that ends the last handler
    /// resumes the caller as well, and awaiting throws the executor's exception instead of any
    /// other result. Environment: after a stop request, no further handlers are started; a task
    /// that awaits this passes on its own environment. Precondition: `event` and this registry live
    /// until the notify has ended. Await the result once, in the expression that creates it.
    /// Destroying the coroutine that awaits it, while it waits, destroys the handlers that wait;
    /// each is reported to the panic policy as failed with `async::abandoned`. Precondition: none
    /// of them is running then, or about to be resumed, and neither is the coroutine itself: once
    /// the last handler has ended, the executor holds the coroutine and resumes it (asserted). The
    /// callback for failures must not destroy it either while it handles a failure of this notify.
    /// Concurrency: safe with any member except the destructor. Allocates only the frames of
    /// coroutines.
    notify_all notify(Event const& event) const noexcept { return notify_all(*this, event); }

    /// Runs all handlers at once in the given environment; otherwise as above.
    notify_all notify(Event const& event, async::environment env) const noexcept
    {
        return notify_all(*this, event, std::move(env));
    }

    /// Runs the handlers one after the other when it is awaited. Otherwise as `notify`.
    notify_in_turn notify_sequential(Event const& event) const noexcept
    {
        return notify_in_turn(*this, event);
    }

    /// Runs the handlers one after the other in the given environment; otherwise as above.
    notify_in_turn notify_sequential(Event const& event, async::environment env) const noexcept
    {
        return notify_in_turn(*this, event, std::move(env));
    }

    /// Refuses temporary events that g++ 12 would destroy twice, with an error sentence.
    notify_all notify(Event&& event) const noexcept
    {
        static_assert(temporary_is_sound());
        return notify_all(*this, event);
    }
    /// The same, in the given environment.
    notify_all notify(Event&& event, async::environment env) const noexcept
    {
        static_assert(temporary_is_sound());
        return notify_all(*this, event, std::move(env));
    }
    /// The same for `notify_sequential`.
    notify_in_turn notify_sequential(Event&& event) const noexcept
    {
        static_assert(temporary_is_sound());
        return notify_in_turn(*this, event);
    }
    /// The same for `notify_sequential` in the given environment.
    notify_in_turn notify_sequential(Event&& event, async::environment env) const noexcept
    {
        static_assert(temporary_is_sound());
        return notify_in_turn(*this, event, std::move(env));
    }

    /// Runs all handlers at once, and passes the failures of this one notify to `sink`, whatever
    /// the panic policy is: `sink(panic_info const&)` is called for each handler that failed, one
    /// call at a time, on the thread that ended a handler. The panic policy does not see the
    /// failures. Adaptors (`observe::timed` and others) see each call as usual.
    ///
    /// Awaiting it returns nothing. It throws what `sink` throws; no further handlers are started
    /// then. A sink that is passed as an lvalue must live until the notify has ended; another one
    /// is moved into the returned object. When the awaiting coroutine is destroyed while handlers
    /// wait, the sink is called with `async::abandoned` for each. Otherwise as `notify`.
    template <class Sink>
        requires async::detail::sink_of_notify<Sink>
    auto notify(Event const& event, Sink&& sink) const
    {
        return into_sink<async::detail::notify_all, Sink>(event, std::forward<Sink>(sink));
    }
    /// The same in the given environment.
    template <class Sink>
    auto notify(Event const& event, async::environment env, Sink&& sink) const
    {
        return into_sink<async::detail::notify_all, Sink>(event, std::forward<Sink>(sink),
                                                          std::move(env));
    }
    /// The same, with the handlers one after the other.
    template <class Sink>
        requires async::detail::sink_of_notify<Sink>
    auto notify_sequential(Event const& event, Sink&& sink) const
    {
        return into_sink<async::detail::notify_in_turn, Sink>(event, std::forward<Sink>(sink));
    }
    /// The same, with the handlers one after the other, in the given environment.
    template <class Sink>
    auto notify_sequential(Event const& event, async::environment env, Sink&& sink) const
    {
        return into_sink<async::detail::notify_in_turn, Sink>(event, std::forward<Sink>(sink),
                                                              std::move(env));
    }

    /// The same for temporary events.
    template <class Sink>
        requires async::detail::sink_of_notify<Sink>
    auto notify(Event&& event, Sink&& sink) const
    {
        static_assert(temporary_is_sound());
        return into_sink<async::detail::notify_all, Sink>(event, std::forward<Sink>(sink));
    }
    /// The same for temporary events.
    template <class Sink>
    auto notify(Event&& event, async::environment env, Sink&& sink) const
    {
        static_assert(temporary_is_sound());
        return into_sink<async::detail::notify_all, Sink>(event, std::forward<Sink>(sink),
                                                          std::move(env));
    }
    /// The same for temporary events.
    template <class Sink>
        requires async::detail::sink_of_notify<Sink>
    auto notify_sequential(Event&& event, Sink&& sink) const
    {
        static_assert(temporary_is_sound());
        return into_sink<async::detail::notify_in_turn, Sink>(event, std::forward<Sink>(sink));
    }
    /// The same for temporary events.
    template <class Sink>
    auto notify_sequential(Event&& event, async::environment env, Sink&& sink) const
    {
        static_assert(temporary_is_sound());
        return into_sink<async::detail::notify_in_turn, Sink>(event, std::forward<Sink>(sink),
                                                              std::move(env));
    }

    /// Waits for the next event when it is awaited, and returns a copy of that event.
    ///
    /// It registers a handler, and the first notify that sees the handler provides the event. The
    /// caller is resumed on the executor of its environment or, without one, in the middle of that
    /// notify, as the handler, on the notifying thread. If a stop is requested in the environment,
    /// the wait ends and returns nothing.
    ///
    /// Destroying the coroutine that awaits it, while it waits, removes the handler. A notify that
    /// is just copying the event then does nothing further, and a resumption that is queued in the
    /// executor does nothing when it runs; it must run, or be destroyed, for its memory to be
    /// freed. Precondition: the coroutine is not being resumed on another thread (asserted). So if
    /// another thread may notify or request the stop, destroy the coroutine on its executor, or
    /// while that thread waits. Awaiting it throws what `register_handler` throws, what copying the
    /// event throws, and what the executor throws when it should resume the coroutine, which is
    /// then resumed as if there were no executor. Returns `std::optional<Event>`.
    next_event next() { return next_event(*this); }

    // ----- registering

    /// Adds a handler: `f(event)` or `f(event, environment)`, which returns nothing, a task, or
    /// another awaitable. Otherwise as `basic_registry::register_handler`.
    ///
    /// The environment is valid as long as the handler runs. The captures of `f` live until the
    /// notify has ended, so a coroutine may use them. An `f` with captures that makes coroutines
    /// takes one allocation.
    template <class F>
    handler_id register_handler(F&& f)
    {
        return add_to(static_cast<base&>(*this), std::forward<F>(f));
    }

    /// Adds a handler with a key, or a member function with its object; otherwise as above.
    template <class Key, class F>
    handler_id register_handler(Key&& priority, F&& f)
    {
        return add_to(static_cast<base&>(*this), std::forward<Key>(priority), std::forward<F>(f));
    }

    /// Adds a member function and its object as a handler with a key; otherwise as above.
    template <class Key, class Member, class Object>
        requires std::is_member_pointer_v<Member>
    handler_id register_handler(Key&& priority, Member member, Object&& object)
    {
        return add_to(static_cast<base&>(*this), std::forward<Key>(priority), member,
                      std::forward<Object>(object));
    }

    /// Adds a handler that is removed when the returned guard is destroyed.
    template <class F>
    async_handler_guard register_guard(F&& f)
    {
        return this->guard([&] { return register_handler(std::forward<F>(f)); });
    }

    /// Adds a handler with a key that is removed when the returned guard is destroyed.
    template <class Key, class F>
    async_handler_guard register_guard(Key&& priority, F&& f)
    {
        return this->guard(
            [&] { return register_handler(std::forward<Key>(priority), std::forward<F>(f)); });
    }

    /// Adds a member function and its object as a handler with a key, which is removed when the
    /// returned guard is destroyed.
    template <class Key, class Member, class Object>
        requires std::is_member_pointer_v<Member>
    async_handler_guard register_guard(Key&& priority, Member member, Object&& object)
    {
        return this->guard([&] {
            return register_handler(std::forward<Key>(priority), member,
                                    std::forward<Object>(object));
        });
    }

    /// Calls `f(transaction&)`, and then applies all its changes at once. As in `basic_registry`.
    template <class F>
    update_result update(F&& f)
    {
        return base::update([&](typename base::transaction& t) {
            transaction mine(t);
            std::forward<F>(f)(mine);
        });
    }

    // ----- waiting

    /// Blocks the thread until every notify of this registry that had begun before the call has
    /// ended, including those whose handlers wait. Otherwise as `basic_registry::synchronize`.
    ///
    /// It is refused inside a handler of this registry, before and after the handler has waited,
    /// and in the tasks that such a handler awaits. A coroutine of another type that such a handler
    /// awaits is not recognised after it has waited: there the thread would wait for itself.
    void synchronize()
    {
        refuse_inside();
        base::synchronize();
    }

    /// Calls `unregister`, then `synchronize`; a deadlock is detected before anything is removed.
    bool unregister_and_wait(handler_id id)
    {
        refuse_inside();
        return base::unregister_and_wait(id);
    }

private:
    /// Makes a handler of the last arguments of `register_handler`, and registers it with `to`: the
    /// base class or its transaction.
    template <class To, class F>
    static handler_id add_to(To& to, F&& f)
    {
        if constexpr (async::detail::check_handler<std::decay_t<F>, Event>())
            return to.register_handler(wrap(std::forward<F>(f)));
        else
            return {};
    }
    template <class To, class Key, class F>
    static handler_id add_to(To& to, Key&& priority, F&& f)
    {
        if constexpr (registry_io::detail::is_member_not_key<key_type, Key&&>)
            return add_to(to,
                          registry_io::detail::bind_member<Event, async::environment>(
                              priority, std::forward<F>(f)));
        else if constexpr (registry_io::detail::check_key<key_type, Key&&, F, Event>()) {
            if constexpr (async::detail::check_handler<std::decay_t<F>, Event>())
                return to.register_handler(std::forward<Key>(priority), wrap(std::forward<F>(f)));
        }
        return {};
    }
    template <class To, class Key, class Member, class Object>
    static handler_id add_to(To& to, Key&& priority, Member member, Object&& object)
    {
        return add_to(to, std::forward<Key>(priority),
                      registry_io::detail::bind_member<Event, async::environment>(
                          member, std::forward<Object>(object)));
    }
    template <class F>
    static auto wrap(F&& f)
    {
        return async::detail::handler<std::decay_t<F>, Event>(std::forward<F>(f));
    }

    template <template <class, class> class Operation, class Sink, class... Env>
    auto into_sink(Event const& event, Sink&& sink, Env&&... env) const
    {
        static_assert(std::is_invocable_v<Sink&, panic_info const&>,
                      "registry_io: the sink of notify must be callable with panic_info const&");
        using failures = async::detail::to_sink<base, Sink>;
        if constexpr (std::is_invocable_v<Sink&, panic_info const&>)
            return Operation<base, failures>(*this, event, std::forward<Env>(env)...,
                                             failures{std::forward<Sink>(sink)});
        else
            return notify(event);
    }

    void refuse_inside() const
    {
        if (async::detail::inside(boost::addressof(this->panic_)))
            registry_io::detail::refuse_deadlock();
    }

    static consteval bool temporary_is_sound()
    {
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
        constexpr bool sound =
            !std::is_aggregate_v<Event> || std::is_trivially_destructible_v<Event>;
#else
        constexpr bool sound = true;
#endif
        static_assert(sound,
                      "registry_io: g++ before 13 destroys an aggregate twice that is made in the "
                      "operand of co_await; give the event a name, or a constructor");
        return true;
    }
};

/// Changes that are applied together; `update` passes it to its function. As in `basic_registry`.
template <class Event, class SnapshotPolicy, class OrderingPolicy, class PanicPolicy,
          class AllocPolicy>
class basic_async_registry<Event, SnapshotPolicy, OrderingPolicy, PanicPolicy,
                           AllocPolicy>::transaction
{
public:
    transaction(transaction const&) = delete;
    transaction& operator=(transaction const&) = delete;

    /// Adds a handler when the transaction ends. Returns the id that the handler will have.
    template <class F>
    handler_id register_handler(F&& f)
    {
        return add_to(of_base_, std::forward<F>(f));
    }

    /// Adds a handler with a key, or a member function with its object; otherwise as above.
    template <class Key, class F>
    handler_id register_handler(Key&& priority, F&& f)
    {
        return add_to(of_base_, std::forward<Key>(priority), std::forward<F>(f));
    }

    /// Adds a member function and its object as a handler with a key; otherwise as above.
    template <class Key, class Member, class Object>
        requires std::is_member_pointer_v<Member>
    handler_id register_handler(Key&& priority, Member member, Object&& object)
    {
        return add_to(of_base_, std::forward<Key>(priority), member, std::forward<Object>(object));
    }

    /// Removes a handler when the transaction ends.
    void unregister(handler_id id) { of_base_.unregister(id); }

    /// Removes, when the transaction ends, all handlers that are registered at that time.
    void clear() noexcept { of_base_.clear(); }

private:
    friend class basic_async_registry;
    explicit transaction(typename basic_async_registry::base::transaction& t) noexcept : of_base_(t)
    {
    }

    typename basic_async_registry::base::transaction& of_base_;
};

}  // namespace v1
}  // namespace registry_io

#endif
