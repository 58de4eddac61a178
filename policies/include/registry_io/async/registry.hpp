// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// `basic_async_registry`: a registry whose handlers may be coroutines. It stands on the engine of
// `basic_registry`, and its handlers are that engine's, so tables, ids, guards and policies are the
// same. The two ways of notifying and the wait for the next event have headers of their own in
// `detail/`. Include `registry_io/presets/async.hpp` for `AsyncRegistry`.

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

/// Unregisters its handler when it is destroyed; a handler that is in the middle of a notify is
/// finished first, by that notify.
using async_handler_guard = handler_guard;

/// An in-process registry whose handlers are coroutines, or plain functions.
///
/// `co_await registry.notify(event)` runs all handlers at once and goes on when the last of them
/// has ended; `co_await registry.notify_sequential(event)` runs one after the other, in order. Both
/// can be awaited in a coroutine of any type, and any awaitable can be awaited in a handler. A
/// handler that fails never stops its siblings. The event is borrowed: it must live until the
/// notify has ended, and handlers may refer to it as long as they run.
///
/// Registering, removing, order, ids, guards, transactions and the policies are those of
/// `basic_registry`, whose comments hold here. A notify walks the snapshot that was current when it
/// was awaited first; it lasts until it has been resumed. The snapshot is held by a count while
/// handlers wait, so that one which waits for an hour holds up nothing but itself; snapshot
/// policies without such a count are refused.
template <class Event, class SnapshotPolicy, class OrderingPolicy, class PanicPolicy,
          class AllocPolicy>
class basic_async_registry
    : private basic_registry<async::detail::call<Event>, SnapshotPolicy, OrderingPolicy,
                             PanicPolicy, AllocPolicy>::engine
{
    static_assert(registry_io::detail::check_event<Event>());
    static_assert(!snapshot_policy<SnapshotPolicy> || pinning_snapshot_policy<SnapshotPolicy>,
                  "registry_io: the readers of this snapshot policy cannot hold a snapshot while "
                  "handlers wait without holding up all others (pinning_snapshot_policy); take "
                  "hazard_pointer for an async registry");

    using base = typename basic_registry<async::detail::call<Event>, SnapshotPolicy, OrderingPolicy,
                                         PanicPolicy, AllocPolicy>::engine;

public:
    /// What handlers are called with, by const reference.
    using event_type = Event;
    using typename base::alloc_policy;
    using typename base::key_type;
    using typename base::ordering_policy;
    using typename base::panic_policy;
    using typename base::result_type;
    using typename base::snapshot_policy;

    /// The same registry with other policies, in any order; each replaces the one on its axis.
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
    /// What `notify` returns, to be awaited.
    using notify_all = async::detail::notify_all<base>;
    /// What `notify_sequential` returns, to be awaited.
    using notify_in_turn = async::detail::notify_in_turn<base>;
    /// What `next` returns, to be awaited.
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

    /// What runs all handlers at once when it is awaited: each is started, in order, on the thread
    /// that awaits, and those that wait go on as what they wait for completes.
    ///
    /// Awaiting it returns what the panic policy makes of the failures, or throws what that lets
    /// pass. When all handlers end without waiting, the caller is not suspended. Else it is resumed
    /// on the executor of the environment, or, without one, by whoever ends the last handler. If
    /// the executor throws, it is resumed by whoever ends the last handler too, and awaiting throws
    /// what the executor has thrown, instead of any other result. Of the environment: if a stop is
    /// requested handlers that have not been started are not; a task that awaits this gives it its
    /// own environment. Precondition: `event` and this registry live until it has ended. Await it
    /// once, where it is made. Destroying the coroutine that awaits it, while it waits, destroys
    /// the handlers that wait; each is reported to the panic policy as failed by
    /// `async::abandoned`. Precondition: none of them is running then, or going to be resumed; nor
    /// is the coroutine itself: when the last handler has ended the executor has it, and resumes it
    /// (asserted). Nor may the callback for failures destroy it while it is told of a failure of
    /// this notify. Concurrency: safe with any member but the destructor. Allocates frames for
    /// coroutines alone.
    notify_all notify(Event const& event) const noexcept { return notify_all(*this, event); }

    /// The same in an environment of its own.
    notify_all notify(Event const& event, async::environment env) const noexcept
    {
        return notify_all(*this, event, std::move(env));
    }

    /// What runs the handlers one after the other when it is awaited. Otherwise as `notify`.
    notify_in_turn notify_sequential(Event const& event) const noexcept
    {
        return notify_in_turn(*this, event);
    }

    /// The same in an environment of its own.
    notify_in_turn notify_sequential(Event const& event, async::environment env) const noexcept
    {
        return notify_in_turn(*this, event, std::move(env));
    }

    /// Events that g++ 12 would destroy twice are refused, with a sentence.
    notify_all notify(Event&& event) const noexcept
    {
        static_assert(temporary_is_sound());
        return notify_all(*this, event);
    }
    /// The same in an environment of its own.
    notify_all notify(Event&& event, async::environment env) const noexcept
    {
        static_assert(temporary_is_sound());
        return notify_all(*this, event, std::move(env));
    }
    /// The same, in turn.
    notify_in_turn notify_sequential(Event&& event) const noexcept
    {
        static_assert(temporary_is_sound());
        return notify_in_turn(*this, event);
    }
    /// The same, in turn, in an environment of its own.
    notify_in_turn notify_sequential(Event&& event, async::environment env) const noexcept
    {
        static_assert(temporary_is_sound());
        return notify_in_turn(*this, event, std::move(env));
    }

    /// What waits for the next event when it is awaited, and returns a copy of it.
    ///
    /// It registers a handler, and the first notify that sees it gives the event. The
    /// caller is resumed on the executor of its environment; without an executor, in the middle of
    /// that notify, by the thread that notifies, as the handler. When the environment's stop is
    /// requested it ends, and returns nothing.
    ///
    /// Destroying the coroutine that awaits it, while it waits, removes the handler. A notify that
    /// is copying the event then does nothing further, and a resumption that lies in the executor's
    /// queue does nothing when it runs; it must run, or be destroyed, for its memory to be freed.
    /// Precondition: the coroutine is not being resumed on another thread (asserted). So if another
    /// thread may notify or request the stop, destroy it on its executor, or where that thread
    /// waits. Awaiting it throws as `register_handler`, what copying the event throws, and what the
    /// executor throws when it is to resume the coroutine, which is then resumed as if there were
    /// no executor. Returns `std::optional<Event>`.
    next_event next() { return next_event(*this); }

    // ----- registering

    /// Adds a handler: `f(event)` or `f(event, environment)`, which returns nothing, or a task, or
    /// something else that can be awaited. Otherwise as `basic_registry::register_handler`.
    ///
    /// The environment is valid for as long as the handler runs. What `f` captured lives until the
    /// notify has ended, so a coroutine may use it. A stateful `f` that makes coroutines is one
    /// allocation.
    template <class F>
    handler_id register_handler(F&& f)
    {
        if constexpr (async::detail::check_handler<std::decay_t<F>, Event>())
            return base::register_handler(wrap(std::forward<F>(f)));
        else
            return {};
    }

    /// Adds a handler with a key, or a member function with its object; otherwise as above.
    template <class Key, class F>
    handler_id register_handler(Key&& priority, F&& f)
    {
        if constexpr (registry_io::detail::is_member_not_key<key_type, Key&&>)
            return register_handler(registry_io::detail::bind_member<Event, async::environment>(
                priority, std::forward<F>(f)));
        else if constexpr (registry_io::detail::check_key<key_type, Key&&, F, Event>()) {
            if constexpr (async::detail::check_handler<std::decay_t<F>, Event>())
                return base::register_handler(std::forward<Key>(priority),
                                              wrap(std::forward<F>(f)));
        }
        return {};
    }

    /// Adds a member function and its object as a handler with a key; otherwise as above.
    template <class Key, class Member, class Object>
        requires std::is_member_pointer_v<Member>
    handler_id register_handler(Key&& priority, Member member, Object&& object)
    {
        return register_handler(std::forward<Key>(priority),
                                registry_io::detail::bind_member<Event, async::environment>(
                                    member, std::forward<Object>(object)));
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

    /// Adds a member function and its object as a handler with a key, that is removed when the
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

    /// Calls `f(transaction&)`, then applies all it asked for at once. As in `basic_registry`.
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
    /// ended, those whose handlers wait included. Otherwise as `basic_registry::synchronize`.
    ///
    /// It is refused inside a handler of this registry, before and after it has waited, and in the
    /// tasks that such a handler awaits. A coroutine of another kind that such a handler awaits is
    /// not recognised after it has waited: then the thread waits for itself.
    void synchronize()
    {
        refuse_inside();
        base::synchronize();
    }

    /// `unregister`, then `synchronize`; the deadlock is found before anything is removed.
    bool unregister_and_wait(handler_id id)
    {
        refuse_inside();
        return base::unregister_and_wait(id);
    }

private:
    template <class F>
    static auto wrap(F&& f)
    {
        return async::detail::handler<std::decay_t<F>, Event>(std::forward<F>(f));
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

/// Changes that are to be applied together; what `update` hands to its function. As in
/// `basic_registry`.
template <class Event, class SnapshotPolicy, class OrderingPolicy, class PanicPolicy,
          class AllocPolicy>
class basic_async_registry<Event, SnapshotPolicy, OrderingPolicy, PanicPolicy,
                           AllocPolicy>::transaction
{
public:
    transaction(transaction const&) = delete;
    transaction& operator=(transaction const&) = delete;

    /// Adds a handler when the transaction ends. Returns the id that it is going to have.
    template <class F>
    handler_id register_handler(F&& f)
    {
        if constexpr (async::detail::check_handler<std::decay_t<F>, Event>())
            return of_base_.register_handler(wrap(std::forward<F>(f)));
        else
            return {};
    }

    /// Adds a handler with a key, or a member function with its object; otherwise as above.
    template <class Key, class F>
    handler_id register_handler(Key&& priority, F&& f)
    {
        if constexpr (registry_io::detail::is_member_not_key<key_type, Key&&>)
            return register_handler(registry_io::detail::bind_member<Event, async::environment>(
                priority, std::forward<F>(f)));
        else if constexpr (registry_io::detail::check_key<key_type, Key&&, F, Event>()) {
            if constexpr (async::detail::check_handler<std::decay_t<F>, Event>())
                return of_base_.register_handler(std::forward<Key>(priority),
                                                 wrap(std::forward<F>(f)));
        }
        return {};
    }

    /// Adds a member function and its object as a handler with a key; otherwise as above.
    template <class Key, class Member, class Object>
        requires std::is_member_pointer_v<Member>
    handler_id register_handler(Key&& priority, Member member, Object&& object)
    {
        return register_handler(std::forward<Key>(priority),
                                registry_io::detail::bind_member<Event, async::environment>(
                                    member, std::forward<Object>(object)));
    }

    /// Removes a handler when the transaction ends.
    void unregister(handler_id id) { of_base_.unregister(id); }

    /// Removes, when the transaction ends, all handlers that are registered then.
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
