// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The four axes on which a registry can be configured, and the concept of each: what a policy must
// have. Comments state the semantics that a compiler cannot check. The core is written against
// these concepts alone. Start with `archetype.hpp` when you write a policy of your own, and test it
// with the laws in `test/laws.hpp`.

#ifndef REGISTRY_IO_POLICY_HPP
#define REGISTRY_IO_POLICY_HPP

#include <registry_io/detail/supported.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include <registry_io/garbage.hpp>
#include <registry_io/registry_fwd.hpp>

namespace registry_io {
inline namespace v1 {

/// The four axes. A policy says which one it belongs to: `using category = axis::ordering;`.
namespace axis {
/// How readers hold a table while a writer replaces it, and when the old one may go.
struct snapshot;
/// In which order handlers fire.
struct ordering;
/// How a handler is called and what becomes of its exception.
struct panic;
/// Where memory comes from, and whether there is a bound.
struct alloc;
}  // namespace axis

/// A type that says it belongs to this axis.
template <class P, class Axis>
concept policy_of = std::is_class_v<P> && std::same_as<typename P::category, Axis>;

/// What a panic policy wants done with a handler that has just been called.
enum class verdict : unsigned char { keep, remove };

// ---------------------------------------------------------------------------------------------
// Alloc

// tag::alloc_policy[]
/// Where a registry's bytes come from.
///
/// `P::source` is a small copyable handle that allocates; each block keeps a copy, so that whoever
/// sees it last can free it without the registry. `P::capacity` is the largest number of handlers,
/// 0 for no bound. `P::inside` says that the memory lies inside the policy object, that is inside
/// the registry, and dies with it. `P::concurrent` says that `allocate` may be called by several
/// threads, and `deallocate` by any thread, without a lock.
///
/// * `allocate(size, align)` returns memory, or throws, or returns null; the latter is reported to
///   the user as `std::bad_alloc`. `align` is a power of two.
/// * `deallocate(p, size, align)` takes back what a copy of the same source gave.
/// * `plentiful`, a constant that may be absent: whether some hundred kilobytes more do not matter.
template <class P>
concept alloc_policy = policy_of<P, axis::alloc> && std::default_initializable<P> &&
    requires(P p, typename P::source s, void* memory, std::size_t n) {
        { P::capacity } -> std::convertible_to<std::size_t>;
        { P::inside } -> std::convertible_to<bool>;
        { P::concurrent } -> std::convertible_to<bool>;
        { p.get_source() } noexcept -> std::same_as<typename P::source>;
        requires std::copy_constructible<typename P::source>;
        { s.allocate(n, n) } -> std::same_as<void*>;
        { s.deallocate(memory, n, n) } noexcept;
    };
// end::alloc_policy[]

/// An alloc policy that has no bytes: each handler lies in a node that is the caller's. For
/// snapshot policies that store words.
template <class P>
concept node_policy = policy_of<P, axis::alloc> && requires { requires P::caller_owned; };

// ---------------------------------------------------------------------------------------------
// Ordering

// tag::ordering_policy[]
/// Where a new handler goes.
///
/// `P::key_type` is what users sort by, `void` when handlers fire in the order of registration.
/// With a key, `p.before(a, b)` is a strict weak order: a handler of key `a` fires before one of
/// key `b`. Handlers with equivalent keys fire in registration order; the core guarantees that.
/// `before` runs under the writers' lock: it must not call into the registry.
template <class P>
concept ordering_policy = policy_of<P, axis::ordering> && std::default_initializable<P> &&
    (std::is_void_v<typename P::key_type> ||
     requires(P const& p, std::add_lvalue_reference_t<std::add_const_t<typename P::key_type>> k) {
         { p.before(k, k) } -> std::convertible_to<bool>;
     });
// end::ordering_policy[]

// ---------------------------------------------------------------------------------------------
// Panic

/// The hooks that a panic policy may call while a notify runs. Valid until the scope ends.
class panic_hooks
{
public:
    /// How a callback is called: with its state.
    using report_type = void (*)(void*, panic_info const&);
    /// How a log sink is called: with its state.
    using log_type = void (*)(void*, std::string_view);

    constexpr panic_hooks() noexcept = default;
    /// For registries: each function with its state; null where there is none.
    constexpr panic_hooks(report_type r, void* report_state, log_type l, void* log_state) noexcept
        : report_(r), report_state_(report_state), log_(l), log_state_(log_state)
    {
    }

    /// Whether the user has set a callback (`on_panic`).
    bool has_report() const noexcept { return report_ != nullptr; }
    /// Whether the user has replaced the log sink (`log_to`).
    bool has_log() const noexcept { return log_ != nullptr; }
    /// Calls the user's callback, which may throw. Precondition: there is one.
    void report(panic_info const& info) const { report_(report_state_, info); }
    /// Calls the user's log sink, which may throw. Precondition: there is one.
    void log(std::string_view text) const { log_(log_state_, text); }

private:
    report_type report_ = nullptr;
    void* report_state_ = nullptr;
    log_type log_ = nullptr;
    void* log_state_ = nullptr;
};

// tag::panic_archetypes[]
/// What a panic policy's scope is made from: its notify. A word, to be copied.
template <class Policy>
struct notify_archetype
{
    /// The policy object of the registry; shared by all notifies, also by concurrent ones.
    Policy& policy() const noexcept;
    /// The hooks of the snapshot that is walked.
    panic_hooks hooks() const noexcept;
};

/// How a panic policy sees the handler that it calls. `State` is the policy's `handler_state`.
template <class State>
struct handler_archetype
{
    /// The handler's id.
    handler_id id() const noexcept;
    /// Not to be used when `State` is empty.
    State& state() const noexcept;
    /// The same handler in a few words, and in few types however many places there are that call:
    /// to be passed to a function that is not inlined. What `id()` does there costs a notify
    /// nothing while no handler fails.
    handler_archetype compact() const noexcept;
};
// end::panic_archetypes[]

// tag::panic_policy[]
/// How one handler is called, and what becomes of its exception.
///
/// * `P::isolates`: no exception leaves `notify`, which is then `noexcept`.
/// * `P::reports`, `P::logs`: the registry offers `on_panic`, and `log_to`.
/// * `P::result_type`: what `notify` returns; may be `void`.
/// * `P::handler_state`: default-constructed for each handler, shared by all calls of that handler,
///   also by concurrent ones. An empty class costs nothing.
/// * `P::scope<Notify>`: made for one notify, on the stack of the notifying thread, from an object
///   like `notify_archetype`; looking at that costs, so it is for failures.
///   `invoke(call, handler)` calls `call()` exactly once and returns a verdict; `handler` is like
///   `handler_archetype`. An exception that leaves `invoke` ends the notify: siblings that follow
///   do not run. `finish()` is called after the last handler, and may throw unless `P::isolates`.
/// * `P::fatal(reason)` does not return: bad input where exceptions are off ends there.
///
/// A notify also has `event_name()`, the name of the type of events, in registries that tell it.
///
/// More members cost nothing where they are missing:
///
/// * `p.registering(state, handler, event)` is called for each handler, by the thread that
///   registers it, before it is in the table and without the lock. `event` is the name of the type
///   of events. It may throw; then the handler is not registered.
/// * `p.changed(added, removed)`, which must not throw, is called under the writers' lock after
///   each change of the table, with the numbers of handlers that it has added and removed.
/// * `running(handler)` of a scope, or `running()`, returns an object that an asynchronous registry
///   keeps while a handler runs until it first waits; then it calls the object's `end()`. The
///   handler and the notify may be over by then. `invoke` then only tells how the handler has
///   ended.
/// * `calls_apart`, which is true, of a scope says that its `invoke` is too much code to have for
///   each type of handler. Otherwise handlers of one type that stand side by side are called in a
///   loop, with an `invoke` of its own into which the handler may be inlined.
/// * `P::adapted` says that P wraps another panic policy and sees each call even in a notify with a
///   sink of its own, which takes the place of a policy that is no adaptor.
template <class P>
concept panic_policy = policy_of<P, axis::panic> && std::default_initializable<P> &&
    std::default_initializable<typename P::handler_state> &&
    requires(typename P::template scope<notify_archetype<P>> s, notify_archetype<P> const& notify,
             void (&call)(), handler_archetype<typename P::handler_state> const& handler) {
        { P::isolates } -> std::convertible_to<bool>;
        { P::reports } -> std::convertible_to<bool>;
        { P::logs } -> std::convertible_to<bool>;
        typename P::result_type;
        requires std::constructible_from<typename P::template scope<notify_archetype<P>>,
                                         notify_archetype<P> const&>;
        { s.invoke(call, handler) } -> std::same_as<verdict>;
        { s.finish() } -> std::same_as<typename P::result_type>;
        { &P::fatal } -> std::convertible_to<void (*)(char const*)>;
    };
// end::panic_policy[]

// ---------------------------------------------------------------------------------------------
// Snapshot

/// How a snapshot policy makes a change visible to readers.
enum class publication_kind : unsigned char {
    root_swap,  ///< by a new table, whose root replaces the old one: `root_swap_policy`
    word_store  ///< by one store of a word into the list that is walked: `word_store_policy`
};

// tag::snapshot_policy[]
/// What `read` is called with may tell more of itself: if `sight = f.brief(root)` is true, then
/// `f.call_brief(root, sight)` does what `f(root)` does, in little code; else `f.call_long(root,
/// sight)` does. That one can stay out of line, at the end of a jump, so that the brief way pays
/// for no register that only the long one needs.
/// `f.shared()` is one that does the same in code that other events have, too, for what is not the
/// fast path.
template <class F, class Root>
concept brief_reader = requires(F f, Root& root) {
    { f.brief(root) } noexcept;
    requires std::constructible_from<bool, decltype(f.brief(root))>;
    f.call_brief(root, f.brief(root));
    f.call_long(root, f.brief(root));
    f.shared()(root);
};

/// A store that wants to know which type of registry it lies in, as one does whose readers keep
/// something for each type. `Registry` stands for that type. The store is made from
/// `std::type_identity<Registry>`, and `read` and `foreign` (see the writer's) take it first.
template <class Store, class Registry>
concept told_store = std::constructible_from<Store, std::type_identity<Registry>> &&
    requires(Store const& s, std::type_identity<Registry> registry) {
        { s.foreign(registry) } noexcept -> std::same_as<bool>;
    };

/// What takes the place of `f` where a path is out of line.
template <class Root, class F>
constexpr auto shared_reader(F f) noexcept
{
    if constexpr (brief_reader<F, Root>)
        return f.shared();
    else
        return f;
}

/// How readers hold a table's root while a writer replaces it.
///
/// `P::root_header` is the base class that the policy wants in each root. It derives from
/// `garbage`, and the core derives its `Root` from it; the core sets `destroy`, and `birth` to the
/// version of the root (1, 2, ... in the order of publication), before it publishes. The policy
/// knows nothing else about a root. A policy may bring the
/// atomics for what the core shares between readers and writers, `P::atomic<T>`, with the members
/// of `std::atomic<T>`, which is used otherwise; and `P::env::nap()`, with which a first
/// registration waits for another one. Without it that wait spins.
///
/// `P::store<Root>` lies in the registry and holds what readers read. An empty store has no root.
/// * `read(f)` calls `f(root)` with the current root protected, or does not call it when there is
///   none. The root and everything that it shows stay valid until `f` has returned or thrown, even
///   if `f` destroys the registry: then `read` touches nothing of the store any more.
///   Reads may nest. When `P::concurrent`, `read` may be called by any thread. A store with a fast
///   path that is inlined may ask a `brief_reader` which part of `f` belongs there.
///   A `told_store` is told the type of its registry in each read.
///
/// `P::store<Root>::writer<Source>` lies in the block that the first registration allocates.
/// It is made from the store and an alloc source. All members below are called with `mutex()`
/// held, but those that say otherwise.
/// * `foreign()`: without the lock. Whether the calling code has another copy of the policy's
///   variables than the code that made the writer, as can happen between shared objects.
/// * `current()`: the root, null when there is none.
/// * `exclusive()`: no reader holds the current root and none can until the lock is given up, and
///   `reserve` cannot fail, so the core may edit it in place.
/// * `reserve(dead, wait, fail)`: prepares a publication that takes `dead` out, and at whose
///   completion `wait` (null, or a `completion`) is signalled. May throw, unless `exclusive` was
///   true; then nothing has happened. Calls `fail`, which does not return, when there is no
///   memory. Returns a movable `retirement`.
/// * `publish(root, retirement, recycle)`: makes `root` (possibly null, possibly the current one)
///   current and retires what it replaces: the old root, and then what was taken out, each of which
///   is destroyed (`garbage::destroy`) when no reader can see it any more. What lies in `dead` is
///   visible to readers of the roots from its `birth` on. Within one publication the old root is
///   destroyed last. Before it returns it may call `recycle(free)` with what no reader can see
///   already: the core takes some of it out of that list. Does not throw.
///   Its cost must not depend on how many roots and things wait for readers.
/// * `held()`: whether waiting readers may hold the current root, so that `synchronize` has to
///   replace it by a copy to make sure that a reader in a loop cannot starve it.
/// * `retirement::finish()`: called once, without the lock. Destroys what no reader can see, or
///   leaves it to the last reader. Does not throw. `retirement::idle()`: whether it has nothing to
///   do; asked for under the lock, after `publish`.
/// * `would_deadlock()`: without the lock. Whether this thread is inside a read, or inside a
///   destruction, that `synchronize` would wait for.
/// * `completion::wait()`: without the lock. Returns when every read that had begun before
///   `publish` has ended and all that was retired before is destroyed.
/// * `close(dead)`: without the lock; the registry is being destroyed, and no other thread is
///   inside. Takes out the current root and `dead`, and destroys everything, but for what this
///   thread is inside of: that is destroyed when it leaves. The writer lives until the last root is
///   destroyed. Debug builds assert that no other reader is inside.
template <class P, class Root, class Source>
concept snapshot_store =
    requires(typename P::template store<Root> s,
             typename P::template store<Root>::template writer<Source> w,
             typename P::template store<Root>::template writer<Source>::retirement r,
             typename P::template store<Root>::template writer<Source>::completion c, Root* root,
             garbage_list& dead, void (&recycle)(garbage_list&), void (&fail)()) {
        w.mutex().lock();
        w.mutex().unlock();
        { w.foreign() } noexcept -> std::same_as<bool>;
        { w.current() } noexcept -> std::same_as<Root*>;
        { w.exclusive() } noexcept -> std::same_as<bool>;
        { w.reserve(dead, &c, fail) } -> std::same_as<decltype(r)>;
        { w.publish(root, r, recycle) } noexcept;
        { w.held() } noexcept -> std::same_as<bool>;
        { w.would_deadlock() } noexcept -> std::same_as<bool>;
        { w.close(dead) } noexcept;
        { r.finish() } noexcept;
        { r.idle() } noexcept -> std::same_as<bool>;
        { c.wait() } noexcept;
    };

/// See `snapshot_store`, which says what a store has to do once its root is known.
template <class P>
concept root_swap_policy = policy_of<P, axis::snapshot> && requires {
    { P::concurrent } -> std::convertible_to<bool>;
    typename P::root_header;
    requires std::default_initializable<typename P::root_header>;
    requires std::derived_from<typename P::root_header, garbage>;
};

/// A policy for one core, whose readers may interrupt a writer at any instruction, and run to their
/// end before it goes on. It keeps nothing: the core's list needs no protection from such readers.
///
/// * `may_write()`: whether the calling context may change a registry. It must be false in every
///   context that can interrupt another one which uses the same registry; a write there is refused.
template <class P>
concept word_store_policy = policy_of<P, axis::snapshot> && requires {
    { P::concurrent } -> std::convertible_to<bool>;
    requires P::publication == publication_kind::word_store;
    { P::may_write() } noexcept -> std::same_as<bool>;
};

/// Either of the two. They use tables of different kinds.
template <class P>
concept snapshot_policy = root_swap_policy<P> || word_store_policy<P>;
// end::snapshot_policy[]

// tag::pinning_snapshot_policy[]
/// A snapshot policy whose snapshots can be held for longer than a read, and on other threads.
///
/// * `root.hold()`, called inside a read of this root, keeps it, and all that it shows, as a read
///   would; `root.drop()` ends that. The two need not be called by the same thread where
///   `P::concurrent`. `drop` may destroy captures, so it is not called under a lock.
/// * A snapshot that is held delays the destruction of nothing but itself and what it shows.
///   `synchronize` waits for it; `would_deadlock` need not know of it.
template <class P>
concept pinning_snapshot_policy = snapshot_policy<P> && requires(typename P::root_header& root) {
    { root.hold() } noexcept;
    { root.drop() } noexcept;
};
// end::pinning_snapshot_policy[]

}  // namespace v1
}  // namespace registry_io

#endif
