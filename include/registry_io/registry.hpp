// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The registry: register handlers, notify them of events and remove them, at any time, from any
// thread. This header is the interface. It chooses no policies; include a preset for a registry
// that is ready to use. The implementation is in `detail/engine.hpp`.

#ifndef REGISTRY_IO_REGISTRY_HPP
#define REGISTRY_IO_REGISTRY_HPP

#include <registry_io/detail/supported.hpp>

#include <cstddef>
#include <type_traits>
#include <utility>

#include <registry_io/detail/check.hpp>
#include <registry_io/detail/engine.hpp>
#include <registry_io/detail/refused.hpp>
#include <registry_io/detail/select.hpp>
#include <registry_io/handler_guard.hpp>
#include <registry_io/handler_id.hpp>
#include <registry_io/panic_info.hpp>
#include <registry_io/policy.hpp>
#include <registry_io/registration.hpp>
#include <registry_io/registry_fwd.hpp>
#include <registry_io/transaction.hpp>
#include <registry_io/unsynchronized.hpp>
#include <registry_io/version.hpp>

namespace registry_io {
inline namespace v1 {

/// An in-process registry of handlers for events of one type.
///
/// Any number of threads may `notify` at once, and register and unregister at any time, if the
/// snapshot policy is `concurrent`; with a policy for one thread all calls must come from one
/// thread at a time. A notify walks the snapshot that was current when it began, whatever happens
/// meanwhile.
///
/// `Event` is passed to handlers by const reference and never copied; it may be incomplete where
/// the registry is declared. The policies decide how readers hold a snapshot, in which order
/// handlers run, how their exceptions are handled, and where memory comes from. An empty registry
/// allocates nothing. It is neither copyable nor movable: other threads hold its address.
///
/// Unless said otherwise, members may be called by any thread at any time, from inside handlers
/// too. Writers (all but `notify`, `for_each_handler`, `size`, `empty`) take turns; they never wait
/// for handlers, and neither handlers nor their special members run under the writers' lock. A
/// writer that throws has changed nothing. A removed handler is destroyed when no running notify
/// can see it any more: inside the call if there is no such notify, otherwise by the last of these
/// notifies to end.
template <class Event, class SnapshotPolicy, class OrderingPolicy, class PanicPolicy,
          class AllocPolicy>
    requires detail::acceptable<Event, SnapshotPolicy, OrderingPolicy, PanicPolicy, AllocPolicy>
class basic_registry<Event, SnapshotPolicy, OrderingPolicy, PanicPolicy, AllocPolicy>
{
public:
    /// @cond
    // For registries of this library that use the same engine.
    using engine = detail::engine<Event, SnapshotPolicy, OrderingPolicy, PanicPolicy, AllocPolicy>;
    /// @endcond

    /// The type with which handlers are called, by const reference.
    using event_type = Event;
    /// How readers hold a snapshot.
    using snapshot_policy = SnapshotPolicy;
    /// In which order handlers run.
    using ordering_policy = OrderingPolicy;
    /// How handlers' exceptions are handled.
    using panic_policy = PanicPolicy;
    /// Where memory comes from.
    using alloc_policy = AllocPolicy;
    /// The type by which handlers are sorted; `void` if they are not sorted.
    using key_type = typename OrderingPolicy::key_type;
    /// What `notify` returns.
    using result_type = typename PanicPolicy::result_type;

    /// The same registry with other policies, in any order; each replaces the policy on its axis.
    template <class... Policies>
    using with = std::enable_if_t<
        detail::check_with<Policies...>(),
        basic_registry<Event,
                       typename detail::select<axis::snapshot, SnapshotPolicy, Policies...>::type,
                       typename detail::select<axis::ordering, OrderingPolicy, Policies...>::type,
                       typename detail::select<axis::panic, PanicPolicy, Policies...>::type,
                       typename detail::select<axis::alloc, AllocPolicy, Policies...>::type>>;

    /// The same registry for events of another type.
    template <class Other>
    using rebind_event =
        basic_registry<Other, SnapshotPolicy, OrderingPolicy, PanicPolicy, AllocPolicy>;

    /// The type that `update` passes to its function.
    using transaction = typename engine::transaction;

    /// An empty registry.
    ///
    /// Throws what the policies' default constructors throw.
    REGISTRY_IO_DETAIL_BEGIN_UNINITIALIZED
    basic_registry() = default;
    REGISTRY_IO_DETAIL_END_UNINITIALIZED

    /// An empty registry. `capacity` is the expected number of handlers: a hint for the first
    /// table.
    explicit basic_registry(std::size_t capacity) : engine_(capacity) {}

    /// An empty registry with these policy objects.
    explicit basic_registry(AllocPolicy alloc, OrderingPolicy ordering = {},
                            std::size_t capacity = 0)
        : engine_(std::move(alloc), std::move(ordering), capacity)
    {
    }

    // Compilers show the line of a deleted function, so it holds the sentence.
    basic_registry(basic_registry const&) = delete;  // registry_io: hold it in a unique_ptr
    basic_registry& operator=(basic_registry const&) = delete;  // registry_io: not assignable

    /// Destroys the handlers. Ids and guards that still exist then refer to no handler.
    ///
    /// Precondition: no call is running or about to start on any thread; debug builds check this as
    /// far as the records of readers show it. Never waits for user code. If a handler of the
    /// registry destroys it and no change has replaced a table before, the destructor allocates
    /// memory; if that fails, the captures are never destroyed.
    ~basic_registry() = default;

    // ----- readers

    /// Calls every handler with `event`, in order, on this thread.
    ///
    /// Returns the result that the panic policy makes of the handlers' exceptions. Throws: nothing
    /// if the panic policy isolates; otherwise what the policy lets through. Complexity: linear in
    /// the number of handlers. No allocation, no lock, except that a thread's first notify may take
    /// a lock once to make the thread's record. Concurrency: safe with any member except the
    /// destructor; lock-free if the snapshot policy is. Reentrancy: handlers may notify, to any
    /// depth that the stack allows.
    result_type notify(Event const& event) const noexcept(PanicPolicy::isolates)
    {
        return engine_.notify(event);
    }

    /// Notifies as above, and passes the failures of this notify to `sink`, whatever the panic
    /// policy is: `sink(panic_info const&)` is called on this thread, right after each handler that
    /// failed and before the next handler runs. The panic policy does not see the failures: nothing
    /// is logged, reported to `on_panic`, thrown, collected, or counted for quarantine. Adaptors
    /// (`observe::timed` and others) see each call as usual.
    ///
    /// Throws what `sink` throws; handlers that follow do not run then. `noexcept` if `sink` is.
    /// Concurrency and reentrancy: as `notify`. The sink does not apply to nested notifies.
    template <class Sink>
    void notify(Event const& event, Sink&& sink) const
        noexcept(std::is_nothrow_invocable_v<Sink&, panic_info const&>)
    {
        static_assert(std::is_invocable_v<Sink&, panic_info const&>,
                      "registry_io: the sink of notify must be callable with panic_info const&");
        if constexpr (std::is_invocable_v<Sink&, panic_info const&>)
            engine_.notify_to(event, sink);
    }

    /// Calls `f(handler_id)`, or `f(handler_id, key)` if `f` takes two arguments, for each handler
    /// of the current snapshot, in the order in which they run. If the panic policy keeps a state
    /// for each handler, as those of `observe` do, `f` may take the state as a further argument:
    /// `panic_policy::handler_state const&`.
    ///
    /// Throws what `f` throws. Complexity: linear; no allocation, no lock. Concurrency and
    /// reentrancy: as `notify`; `f` is called like a handler.
    template <class F>
    void for_each_handler(F f) const
    {
        engine_.for_each_handler(f);
    }

    /// How many handlers are registered. Throws: nothing. Constant, wait-free.
    std::size_t size() const noexcept { return engine_.size(); }

    /// Whether no handler is registered. Throws: nothing. Constant, wait-free.
    bool empty() const noexcept { return engine_.empty(); }

    // ----- registering

    /// Adds a handler, with a value-initialised key if the ordering has keys.
    ///
    /// `f` is called as `f(event)`. If several threads may be inside it, it is called as a const
    /// object, otherwise as a non-const one. It may be move-only. What a call stores in a `mutable`
    /// member is kept; but if the handler consists of one `mutable` pointer, a call that changes
    /// the pointer calls the panic policy's `fatal`. Notifies that begin after this call has
    /// returned run the handler. Returns the handler's id. With exceptions off, returns an empty id
    /// if a bounded registry is full. Throws `std::invalid_argument` for an empty `std::function`
    /// or null pointer, `std::length_error` if a bounded registry is full, what constructing `f`
    /// throws, and what the alloc policy throws; then nothing has changed. Complexity: at the end
    /// amortised constant, elsewhere logarithmic plus a copy of at most one chunk, its branch and
    /// the spine. One allocation, amortised; none for a trivial handler of one word.
    template <class F>
    handler_id register_handler(F&& f)
    {
        return engine_.register_handler(std::forward<F>(f));
    }

    /// Adds a handler with a key; otherwise as above.
    ///
    /// A number becomes the key with its value. Throws `std::out_of_range` for a number that the
    /// key cannot hold and for a NaN, and what converting `priority` throws.
    ///
    /// The two arguments may also be a member function and a pointer to its object:
    /// `register_handler(&S::on_event, &s)`. A `std::shared_ptr` keeps the object alive while the
    /// handler is registered. With a `std::weak_ptr`, the handler runs while the object is alive,
    /// keeps the object alive during the call, and is removed by the first notify after the end of
    /// the object. Throws `std::invalid_argument` for a null pointer.
    template <class Key, class F>
    handler_id register_handler(Key&& priority, F&& f)
    {
        return engine_.register_handler(std::forward<Key>(priority), std::forward<F>(f));
    }

    /// Adds a member function and its object as a handler with a key; otherwise as above.
    template <class Key, class Member, class Object>
        requires std::is_member_pointer_v<Member>
    handler_id register_handler(Key&& priority, Member member, Object&& object)
    {
        return engine_.register_handler(std::forward<Key>(priority), member,
                                        std::forward<Object>(object));
    }

    /// Adds a handler that is removed when the returned guard is destroyed.
    ///
    /// Otherwise as `register_handler`.
    template <class F>
    handler_guard register_guard(F&& f)
    {
        return engine_.register_guard(std::forward<F>(f));
    }

    /// Adds a handler with a key that is removed when the returned guard is destroyed.
    template <class Key, class F>
    handler_guard register_guard(Key&& priority, F&& f)
    {
        return engine_.register_guard(std::forward<Key>(priority), std::forward<F>(f));
    }

    /// Adds a member function and its object as a handler with a key, that is removed when the
    /// returned guard is destroyed.
    template <class Key, class Member, class Object>
        requires std::is_member_pointer_v<Member>
    handler_guard register_guard(Key&& priority, Member member, Object&& object)
    {
        return engine_.register_guard(std::forward<Key>(priority), member,
                                      std::forward<Object>(object));
    }

    // ----- removing

    /// Removes a handler.
    ///
    /// Returns whether it was registered: true exactly once for each id, also when threads race
    /// for it; false for unknown, stale and foreign ids.
    /// Throws what the alloc policy throws, since a snapshot in use is copied.
    /// Complexity: as registering. Reentrancy: a handler may remove itself; its captures live until
    /// it has returned.
    bool unregister(handler_id id) { return engine_.unregister(id); }

    /// Removes a handler and waits until no notify runs it, and its captures are destroyed.
    ///
    /// Calls `unregister`, then `synchronize`, also for a stale id. Throws what both throw; a
    /// deadlock is detected before anything is removed.
    bool unregister_and_wait(handler_id id) { return engine_.unregister_and_wait(id); }

    /// Removes all handlers. Returns the number of removed handlers. Throws as `unregister`.
    std::size_t clear() { return engine_.clear(); }

    /// Whether a handler is registered: false for unknown, stale and foreign ids.
    ///
    /// Complexity: linear in at most one chunk, otherwise logarithmic. Takes the writers' lock.
    bool contains(handler_id id) const { return engine_.contains(id); }

    /// Names a handler together with this registry, for code that does not know the registry's
    /// type.
    ///
    /// Returns a registration that names nothing for a foreign or empty id. Throws: nothing.
    registration registration_of(handler_id id) const noexcept
    {
        return engine_.registration_of(id);
    }

    // ----- several changes at once

    /// Calls `f(transaction&)`, and then applies all its changes at once: readers see all of them
    /// or none.
    ///
    /// `f` runs without the lock, on an otherwise unchanged registry; transactions may nest and
    /// overlap. Handlers run in the order of their keys, then of their ids. If `f` throws, nothing
    /// has changed. Returns how many handlers were added and removed. Throws what `f` throws, and
    /// what registering and removing throw. Complexity: that of the changes; one publication.
    template <class F>
    update_result update(F&& f)
    {
        return engine_.update(std::forward<F>(f));
    }

    // ----- waiting

    /// Returns when every notify of this registry that had taken its snapshot before the call has
    /// ended, and what had been removed before the call is destroyed.
    ///
    /// A thread that notifies in a loop cannot starve it. It does not wait for a notify that was
    /// called and has not taken its snapshot yet, so it alone does not make destruction safe.
    /// Throws `std::system_error` with `std::errc::resource_deadlock_would_occur` when it would
    /// wait for itself: inside a handler of this registry (or of any in its RCU domain), or inside
    /// the destructor of a removed handler's captures; and what the alloc policy throws. Nothing
    /// has changed then.
    void synchronize() { engine_.synchronize(); }

    // ----- handling failures

    /// Sets the callback that is invoked for each failing handler: `f(panic_info const&)`, on the
    /// notifying thread, right after the handler. Exceptions that it throws are swallowed.
    ///
    /// Reentrancy: `f` may notify this registry. Failures inside that notify, on this thread, are
    /// handled as if there were no callback.
    ///
    /// `f` is called as a const object; if several threads notify, by all of them at once. A
    /// running notify keeps the callback that it began with. Requires a panic policy that reports.
    /// Throws as `register_handler`.
    template <class F>
    void on_panic(F&& f)
    {
        engine_.on_panic(std::forward<F>(f));
    }

    /// Removes the callback; failures are then logged, if the panic policy logs.
    void clear_panic_callback() { engine_.clear_panic_callback(); }

    /// Sets the sink of the log, instead of `stderr`: `f(std::string_view)`, called with one line,
    /// without a newline. Otherwise as `on_panic`. Requires a panic policy that logs.
    template <class F>
    void log_to(F&& f)
    {
        engine_.log_to(std::forward<F>(f));
    }

    /// Makes the panic policy log to `stderr` again.
    void log_to_stderr() { engine_.log_to_stderr(); }

private:
    engine engine_;
};

}  // namespace v1
}  // namespace registry_io

#endif
