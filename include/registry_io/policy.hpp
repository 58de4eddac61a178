// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The four axes on which a registry can be configured, and the concept that a policy of each axis
// must satisfy. Comments state the semantics that a compiler cannot check. The core is written
// against these concepts alone. To write a policy of your own, start with `archetype.hpp`, and test
// the policy with the laws in `test/laws.hpp`.

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
/// How readers hold a table while a writer replaces it, and when the old table is destroyed.
struct snapshot;
/// In which order handlers fire.
struct ordering;
/// How a handler is called, and what happens to its exception.
struct panic;
/// Where memory comes from, and whether it is bounded.
struct alloc;
}  // namespace axis

/// A class whose `category` is this axis.
template <class P, class Axis>
concept policy_of = std::is_class_v<P> && std::same_as<typename P::category, Axis>;

/// What a panic policy decides about a handler that has just been called.
enum class verdict : unsigned char { keep, remove };

// ---------------------------------------------------------------------------------------------
// Alloc

// tag::alloc_policy[]
/// Where a registry's memory comes from.
///
/// `P::source` is a small copyable handle that allocates. Each block keeps a copy, so that the
/// block can be freed without the registry. `P::capacity` is the largest number of handlers, 0 for
/// no bound. `P::inside` says that the memory lies inside the policy object, that is inside the
/// registry, and ends with it. `P::concurrent` says that several threads may call `allocate`, and
/// any thread `deallocate`, without a lock.
///
/// * `allocate(size, align)` returns memory, throws, or returns null. Users get `std::bad_alloc`
///   for null. `align` is a power of two.
/// * `deallocate(p, size, align)` frees memory that a copy of the same source returned.
/// * `plentiful`, an optional constant, says that some hundred kilobytes more do not matter.
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

/// An alloc policy without memory: each handler lies in a node that the caller owns. For snapshot
/// policies that store words.
template <class P>
concept node_policy = policy_of<P, axis::alloc> && requires { requires P::caller_owned; };

// ---------------------------------------------------------------------------------------------
// Ordering

// tag::ordering_policy[]
/// In which order handlers fire.
///
/// `P::key_type` is the type that handlers are sorted by, `void` if they fire in the order of
/// registration. With a key, `p.before(a, b)` is a strict weak order: a handler with key `a` fires
/// before a handler with key `b`. The core fires handlers with equivalent keys in the order of
/// registration.
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
    /// The function that calls a callback, whose state is the first argument.
    using report_type = void (*)(void*, panic_info const&);
    /// The function that calls a log sink, whose state is the first argument.
    using log_type = void (*)(void*, std::string_view);

    constexpr panic_hooks() noexcept = default;
    /// For registries: each function with its state; null if there is none.
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
/// How a panic policy sees a notify: the argument of its scope's constructor. One word; copy it.
template <class Policy>
struct notify_archetype
{
    /// The policy object of the registry. All notifies share it, also concurrent ones.
    Policy& policy() const noexcept;
    /// The hooks of the notify's snapshot.
    panic_hooks hooks() const noexcept;
};

/// How a panic policy sees the handler that it calls. `State` is the policy's `handler_state`.
template <class State>
struct handler_archetype
{
    /// The handler's id.
    handler_id id() const noexcept;
    /// The handler's state. Do not use it if `State` is empty.
    State& state() const noexcept;
    /// The same handler in a few words, and with few types for all places of a call. Pass it to a
    /// function that is not inlined: there, `id()` costs a notify nothing while no handler fails.
    handler_archetype compact() const noexcept;
};
// end::panic_archetypes[]

// tag::panic_policy[]
/// How one handler is called, and what happens to its exception.
///
/// * `P::isolates`: no exception leaves `notify`, which is then `noexcept`.
/// * `P::reports`, `P::logs`: the registry offers `on_panic`, and `log_to`.
/// * `P::result_type`: what `notify` returns; may be `void`.
/// * `P::handler_state`: default-constructed for each handler, shared by all calls of that handler,
///   also by concurrent ones. An empty class costs nothing.
/// * `P::scope<Notify>`: made for one notify, on the stack of the notifying thread, from an object
///   like `notify_archetype`. Calling that object's members costs time, so do it only after a
///   failure. `invoke(call, handler)` calls `call()` exactly once and returns a verdict; `handler`
///   is like `handler_archetype`. An exception that leaves `invoke` ends the notify: the handlers
///   that follow do not run. `finish()` is called after the last handler, and may throw unless
///   `P::isolates`.
/// * `P::fatal(reason)` does not return. It is called for misuse, and, with exceptions off, for bad
///   input.
///
/// A notify may also have `event_name()`, the name of the type of events.
///
/// Optional members, which cost nothing if they are missing:
///
/// * `p.registering(state, handler, event)` is called for each handler, by the thread that
///   registers it, before it is in the table and without the lock. `event` is the name of the type
///   of events. It may throw; then the handler is not registered.
/// * `p.changed(added, removed)`, which must not throw, is called under the writers' lock after
///   each change of the table, with the numbers of handlers that it has added and removed.
/// * `running(handler)` of a scope, or `running()`, returns an object that an asynchronous registry
///   keeps while a handler runs until it first waits. The registry then calls the object's `end()`,
///   when the handler and the notify may have ended. `invoke` then only reports how the handler has
///   ended.
/// * `calls_apart` of a scope, if true, says that its `invoke` is too much code to exist once for
///   each type of handler. Otherwise adjacent handlers of one type are called in a loop, whose own
///   `invoke` the handler may be inlined into.
/// * `P::adapted` says that P wraps another panic policy. An adaptor sees each call even in a
///   notify with a sink of its own; the sink replaces other policies.
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
    word_store  ///< by one store of a word into the list that readers walk: `word_store_policy`
};

// tag::snapshot_policy[]
/// An argument of `read` that is split into a brief and a long part. If `sight = f.brief(root)` is
/// true, `f.call_brief(root, sight)` does what `f(root)` does, in little code; otherwise
/// `f.call_long(root, sight)` does. `call_long` can stay out of line, at the end of a jump, so that
/// the brief path saves no register that only the long path needs. `f.shared()` returns a function
/// object that does the same in code that all event types share, for slow paths.
template <class F, class Root>
concept brief_reader = requires(F f, Root& root) {
    { f.brief(root) } noexcept;
    requires std::constructible_from<bool, decltype(f.brief(root))>;
    f.call_brief(root, f.brief(root));
    f.call_long(root, f.brief(root));
    f.shared()(root);
};

/// A store that knows the type of its registry, since its readers keep data for each type.
/// `Registry` represents that type. The store is constructed from `std::type_identity<Registry>`;
/// `read` and `foreign` (see the writer's) take it as their first argument.
template <class Store, class Registry>
concept told_store = std::constructible_from<Store, std::type_identity<Registry>> &&
    requires(Store const& s, std::type_identity<Registry> registry) {
        { s.foreign(registry) } noexcept -> std::same_as<bool>;
    };

/// Returns `f.shared()` if `f` has it, otherwise `f`: for paths that are out of line.
template <class Root, class F>
constexpr auto shared_reader(F f) noexcept
{
    if constexpr (brief_reader<F, Root>)
        return f.shared();
    else
        return f;
}

/// A root's header that keeps apart what the root needs when it is replaced: `late_part`, which is
/// the garbage in place of the root.
template <class Header>
concept has_late_part = requires(Header& h, typename Header::late_part& late) {
    requires std::derived_from<typename Header::late_part, garbage>;
    requires std::is_trivially_destructible_v<typename Header::late_part>;
    requires std::default_initializable<typename Header::late_part>;
    { late.root } -> std::same_as<Header*&>;
    { h.attach(late) } noexcept;
};

/// A root's header that is garbage when the root is replaced, or has a part that is.
template <class Header>
concept garbage_of_root = std::derived_from<Header, garbage> || has_late_part<Header>;

/// How readers hold a table's root while a writer replaces it.
///
/// `P::root_header` is the base class that the policy wants in each root. It derives from
/// `garbage`, and the core derives its `Root` from it; the core sets `destroy`, and `birth` to the
/// version of the root (1, 2, ... in the order of publication), before it publishes. The policy
/// knows nothing else about a root. A policy may define `P::atomic<T>`, with the members of
/// `std::atomic<T>`, for data that the core shares between readers and writers; the default is
/// `std::atomic<T>`. It may define `P::env::nap()`, with which a first registration waits for
/// another one; the default is to spin.
///
/// A header may keep the garbage apart: see `has_late_part`. Then `attach(late)` stores the part's
/// address and sets `late.root`, and the root's `attach` calls it and sets `late.destroy` and
/// `late.birth`. The core attaches a part to each root. If the writer has `prepare()`, a registry
/// with one handler is smaller: a root that is made while there is none, and while the writer is
/// not prepared, may have no part. The writer keeps a part for it, and attaches that to a root
/// without one:
/// * in `prepare()`, to the current root. The core calls `prepare` before it makes another root,
///   and `reserve` must call it if there is a root or something in `dead`. It may throw.
///   `prepared()` says whether it has succeeded.
/// * in `publish`, to the next root, if the writer is prepared.
/// * in `close`, to the current root.
///
/// `P::store<Root>` lies in the registry and holds what readers read. An empty store has no root.
/// * `read(f)` calls `f(root)` with the current root protected; it does not call `f` if there is no
///   root. The root and everything that it shows stay valid until `f` has returned or thrown. If
///   `f` destroys the registry, `read` does not touch the store afterwards.
///   Reads may nest. If `P::concurrent`, any thread may call `read`. A store with an inlined fast
///   path may ask a `brief_reader` which part of `f` belongs there.
///   A `told_store` gets the type of its registry in each read.
///
/// `P::store<Root>::writer<Source>` lies in the block that the first registration allocates.
/// It is made from the store and an alloc source. All members below are called with `mutex()`
/// held, except those that say otherwise.
/// * `foreign()`: without the lock. Whether the calling code has another copy of the policy's
///   variables than the code that made the writer, which can happen between shared objects.
/// * `current()`: the root, null if there is none.
/// * `exclusive()`: whether the core may edit the current root in place: no reader holds it, none
///   can until the lock is released, and `reserve` cannot fail.
/// * `reserve(dead, wait, fail)`: prepares a publication that takes `dead` out, and at whose
///   completion `wait` (null, or a `completion`) is signalled. May throw, unless `exclusive` was
///   true; then nothing has changed. Calls `fail`, which does not return, if there is no memory.
///   Returns a movable `retirement`.
/// * `publish(root, retirement, recycle)`: makes `root` (possibly null, possibly the current one)
///   current and retires what it replaces: the old root, and then `dead`. Each object is destroyed
///   (`garbage::destroy`) when no reader can see it any more. An object in `dead` is visible to
///   readers of the roots from its `birth` on. Within one publication the old root is destroyed
///   last. Before it returns, it may call `recycle(free)` with the objects that no reader can see
///   already: the core takes some of them out of that list. Does not throw.
///   Its cost must not depend on how many roots and other objects wait for readers.
/// * `held()`: whether waiting readers may hold the current root. `synchronize` then replaces the
///   root by a copy, so that a reader in a loop cannot starve it.
/// * `retirement::finish()`: called once, without the lock. Destroys the objects that no reader can
///   see, and leaves the others to the last reader. Does not throw. `retirement::idle()`: whether
///   `finish` has nothing to do; called under the lock, after `publish`.
/// * `would_deadlock()`: without the lock. Whether this thread is inside a read or a destruction
///   that `synchronize` would wait for.
/// * `completion::wait()`: without the lock. Returns when every read that had begun before
///   `publish` has ended and everything that was retired before is destroyed.
/// * `close(dead)`: without the lock. The registry is being destroyed, and no other thread is
///   inside. Takes out the current root and `dead`, and destroys everything except what this thread
///   is inside of, which is destroyed when the thread leaves it. The writer lives until the last
///   root is destroyed. Debug builds assert that no other reader is inside.
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
        requires !requires { w.prepare(); } || requires {
            { w.prepared() } noexcept -> std::same_as<bool>;
        };
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

/// A snapshot policy that publishes roots. `snapshot_store` states the requirements of its store.
template <class P>
concept root_swap_policy = policy_of<P, axis::snapshot> && requires {
    { P::concurrent } -> std::convertible_to<bool>;
    typename P::root_header;
    requires std::default_initializable<typename P::root_header>;
    requires garbage_of_root<typename P::root_header>;
};

/// A policy for one CPU core, whose readers may interrupt a writer at any instruction, and run to
/// their end before the writer goes on. It has no store: the linked list of such a registry needs
/// no protection from these readers.
///
/// * `may_write()`: whether the calling context may change a registry. It must be false in every
///   context that can interrupt another context which uses the same registry; writes are refused
///   there.
template <class P>
concept word_store_policy = policy_of<P, axis::snapshot> && requires {
    { P::concurrent } -> std::convertible_to<bool>;
    requires P::publication == publication_kind::word_store;
    { P::may_write() } noexcept -> std::same_as<bool>;
};

/// Either kind of snapshot policy.
template <class P>
concept snapshot_policy = root_swap_policy<P> || word_store_policy<P>;
// end::snapshot_policy[]

// tag::pinning_snapshot_policy[]
/// A snapshot policy whose snapshots can be held for longer than a read, and on other threads.
///
/// * `root.hold()`, called inside a read of this root, keeps the root and everything that it shows,
///   as a read does; `root.drop()` ends this. If `P::concurrent`, different threads may call the
///   two. `drop` may destroy captures, so it is not called under a lock.
/// * A snapshot that is held delays only the destruction of itself and of what it shows.
///   `synchronize` waits for it; `would_deadlock` need not know about it.
template <class P>
concept pinning_snapshot_policy = snapshot_policy<P> && requires(typename P::root_header& root) {
    { root.hold() } noexcept;
    { root.drop() } noexcept;
};
// end::pinning_snapshot_policy[]

}  // namespace v1
}  // namespace registry_io

#endif
