// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)

#ifndef REGISTRY_IO_REGISTRY_HPP
#define REGISTRY_IO_REGISTRY_HPP

#include <registry_io/detail/supported.hpp>

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <stdexcept>
#include <string_view>
#include <type_traits>
#include <utility>

#include <boost/core/addressof.hpp>
#include <boost/core/no_exceptions_support.hpp>
#include <boost/throw_exception.hpp>

#include <registry_io/config.hpp>
#include <registry_io/detail/callable.hpp>
#include <registry_io/detail/check.hpp>
#include <registry_io/detail/dispatch.hpp>
#include <registry_io/detail/handler.hpp>
#include <registry_io/detail/key.hpp>
#include <registry_io/detail/member.hpp>
#include <registry_io/detail/operations.hpp>
#include <registry_io/detail/refused.hpp>
#include <registry_io/detail/select.hpp>
#include <registry_io/detail/table.hpp>
#include <registry_io/detail/writers.hpp>
#include <registry_io/handler_guard.hpp>
#include <registry_io/handler_id.hpp>
#include <registry_io/panic_info.hpp>
#include <registry_io/policy.hpp>
#include <registry_io/registration.hpp>
#include <registry_io/registry_fwd.hpp>
#include <registry_io/unsynchronized.hpp>
#include <registry_io/version.hpp>

namespace registry_io {
inline namespace v1 {

/// What a transaction did.
struct update_result
{
    std::size_t registered = 0;    ///< how many handlers were added
    std::size_t unregistered = 0;  ///< how many were removed, each counted once

    friend bool operator==(update_result const&, update_result const&) = default;
};

/// An in-process registry of handlers for events of one type.
///
/// Any number of threads may `notify` at once, and register and unregister at any time, if the
/// snapshot policy is `concurrent`; with a policy for one thread all calls must come from one
/// thread at a time. A notify walks the snapshot that was current when it began, whatever happens
/// meanwhile.
///
/// `Event` is passed to handlers by const reference and never copied; it may be incomplete where
/// the registry is declared. The policies decide how readers hold a snapshot, in which order
/// handlers fire, what becomes of their exceptions, and where memory comes from. An empty registry
/// allocates nothing. It is neither copyable nor movable: other threads hold its address.
///
/// Unless said otherwise, members may be called by any thread at any time, from inside handlers
/// too. Writers (all but `notify`, `for_each_handler`, `size`, `empty`) take turns; they never wait
/// for handlers, and neither handlers nor their special members run under the writers' lock. A
/// writer that throws has changed nothing. What is taken out is destroyed when no running notify
/// can see it any more: inside the call when there is none, else by the last of them to end.
template <class Event, class SnapshotPolicy, class OrderingPolicy, class PanicPolicy,
          class AllocPolicy>
    requires detail::acceptable<Event, SnapshotPolicy, OrderingPolicy, PanicPolicy, AllocPolicy>
class basic_registry<Event, SnapshotPolicy, OrderingPolicy, PanicPolicy, AllocPolicy>
{
protected:
    /// @cond
    using writers = detail::writers<SnapshotPolicy, OrderingPolicy, PanicPolicy, AllocPolicy>;
    using root = typename writers::root;
    using columns = typename writers::columns;
    using entry = typename writers::entry;
    using stored_key = typename writers::key;
    using store = typename writers::store;
    using source = typename writers::source;
    using handler_state = typename PanicPolicy::handler_state;
    using dispatcher = detail::dispatcher<writers>;

    static_assert(detail::check_store<SnapshotPolicy, root, source>());
    /// @endcond

public:
    /// What handlers are called with, by const reference.
    using event_type = Event;
    /// How readers hold a snapshot.
    using snapshot_policy = SnapshotPolicy;
    /// In which order handlers fire.
    using ordering_policy = OrderingPolicy;
    /// What becomes of handlers' exceptions.
    using panic_policy = PanicPolicy;
    /// Where memory comes from.
    using alloc_policy = AllocPolicy;
    /// What handlers are sorted by; `void` when they are not.
    using key_type = typename OrderingPolicy::key_type;
    /// What `notify` returns.
    using result_type = typename PanicPolicy::result_type;

    /// The same registry with other policies, in any order; each replaces the one on its axis.
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

    class transaction;

    /// An empty registry.
    ///
    /// Throws what the policies' default constructors throw.
    basic_registry() = default;

    /// An empty registry that expects so many handlers: a hint for the first table.
    explicit basic_registry(std::size_t capacity) : hint_(clamp(capacity)) {}

    /// An empty registry with these policy objects.
    explicit basic_registry(AllocPolicy alloc, OrderingPolicy ordering = {},
                            std::size_t capacity = 0)
        : ordering_(std::move(ordering)), alloc_(std::move(alloc)), hint_(clamp(capacity))
    {
    }

    // Compilers show the line of a deleted function, so it holds the sentence.
    basic_registry(basic_registry const&) = delete;  // registry_io: hold it in a unique_ptr
    basic_registry& operator=(basic_registry const&) = delete;  // registry_io: not assignable

    /// Destroys the handlers; ids and guards that are still around name nothing then.
    ///
    /// Precondition: no call is running or about to start on any thread, which debug builds check
    /// as far as readers' records show. Never waits for user code.
    ~basic_registry()
    {
        if (writers* const w = writers_.load(std::memory_order_acquire))
            w->close();
    }

    // ----- readers

    /// Calls every handler with `event`, in order, on this thread.
    ///
    /// Returns what the panic policy makes of the handlers' exceptions.
    /// Throws: nothing, if the panic policy isolates; else what it lets pass.
    /// Complexity: linear in the number of handlers. No allocation, no lock; a thread's first
    /// notify may take a lock once to make itself known.
    /// Concurrency: safe with any member but the destructor; as lock-free as the snapshot policy
    /// says. Reentrancy: handlers may notify, to any depth that the stack allows.
    result_type notify(Event const& event) const noexcept(PanicPolicy::isolates)
    {
        return dispatcher::template notify<Event>(
            store_, static_cast<void const*>(boost::addressof(event)));
    }

    /// Calls `f(handler_id)`, or `f(handler_id, key)` if it takes two, for each handler of the
    /// current snapshot, in firing order.
    ///
    /// Throws what `f` throws. Complexity: linear; no allocation, no lock.
    /// Concurrency and reentrancy: as `notify`: `f` is where a handler would be.
    template <class F>
    void for_each_handler(F f) const
    {
        dispatcher::template read<Event>(store_, [&](root const& r) {
            std::uint64_t const serial = known().serial;
            r.each_run([&](columns rows, std::uint32_t n) {
                for (std::uint32_t i = 0; i < n; ++i) {
                    handler_id const id(serial, rows.id(i));
                    if constexpr (takes_key<F>)
                        f(id, user_key(rows.keys[i]));
                    else
                        f(id);
                }
            });
        });
    }

    /// How many handlers are registered. Throws: nothing. Constant, wait-free.
    std::size_t size() const noexcept
    {
        writers const* const w = writers_.load(std::memory_order_acquire);
        return w == nullptr ? 0 : w->size.load(std::memory_order_relaxed);
    }

    /// Whether no handler is registered. Throws: nothing. Constant, wait-free.
    bool empty() const noexcept { return size() == 0; }

    // ----- registering

    /// Adds a handler, with a value-initialised key if the ordering has keys.
    ///
    /// `f` is called as `f(event)`, as a const object where several threads may be inside it, and
    /// else as one that is not const; it may be move-only. What a call stores in a `mutable` member
    /// is kept; a call that changes a handler which is one `mutable` pointer ends in the panic
    /// policy's `fatal`. Notifies that begin after this call has returned run it.
    /// Returns its id. With exceptions off: an empty id when a bounded registry is full.
    /// Throws `std::invalid_argument` for an empty `std::function` or null pointer,
    /// `std::length_error` when a bounded registry is full, what constructing `f` throws, what the
    /// alloc policy throws; then nothing has changed.
    /// Complexity: at the end amortised constant, elsewhere logarithmic plus a copy of at most one
    /// chunk, its branch and the spine. One allocation, amortised, none for a trivial handler of
    /// one word.
    template <class F>
    handler_id register_handler(F&& f)
    {
        static_assert(
            std::is_void_v<key_type> || std::is_default_constructible_v<key_type>,
            "registry_io: this ordering policy's key has no default; register with a key");
        if constexpr (std::is_void_v<key_type>)
            return add(detail::no_key(), std::forward<F>(f));
        else if constexpr (std::is_default_constructible_v<key_type>)
            return add(key_type(), std::forward<F>(f));
    }

    /// Adds a handler with a key; otherwise as above.
    ///
    /// A number becomes the key with its value. Throws `std::out_of_range` for one that the key
    /// cannot hold and for a NaN; what converting `priority` throws.
    ///
    /// Two arguments may also be a member function and its object: `register_handler(&S::on_event,
    /// &s)`. The object is a pointer, a `std::shared_ptr`, which keeps the object alive while the
    /// handler is registered, or a `std::weak_ptr`: then the handler runs while the object is alive,
    /// keeps it alive meanwhile, and is removed by the first notify after its end. Throws
    /// `std::invalid_argument` for a null pointer.
    template <class Key, class F>
    handler_id register_handler(Key&& priority, F&& f)
    {
        if constexpr (detail::is_member_not_key<key_type, Key&&>)
            return register_handler(detail::bind_member<Event>(priority, std::forward<F>(f)));
        else if constexpr (detail::check_key<key_type, Key&&, F, Event>())
            return add(key_from(std::forward<Key>(priority)), std::forward<F>(f));
        else
            return {};
    }

    /// Adds a member function and its object as a handler with a key; otherwise as above.
    template <class Key, class Member, class Object>
        requires std::is_member_pointer_v<Member>
    handler_id register_handler(Key&& priority, Member member, Object&& object)
    {
        return register_handler(std::forward<Key>(priority),
                                detail::bind_member<Event>(member, std::forward<Object>(object)));
    }

    /// Adds a handler that is removed when the returned guard is destroyed.
    ///
    /// Otherwise as `register_handler`.
    template <class F>
    handler_guard register_guard(F&& f)
    {
        return guard([&] { return register_handler(std::forward<F>(f)); });
    }

    /// Adds a handler with a key that is removed when the returned guard is destroyed.
    template <class Key, class F>
    handler_guard register_guard(Key&& priority, F&& f)
    {
        return guard(
            [&] { return register_handler(std::forward<Key>(priority), std::forward<F>(f)); });
    }

    /// Adds a member function and its object as a handler with a key, that is removed when the
    /// returned guard is destroyed.
    template <class Key, class Member, class Object>
        requires std::is_member_pointer_v<Member>
    handler_guard register_guard(Key&& priority, Member member, Object&& object)
    {
        return guard([&] {
            return register_handler(std::forward<Key>(priority), member,
                                    std::forward<Object>(object));
        });
    }

    // ----- removing

    /// Removes a handler.
    ///
    /// Returns whether it was registered: true exactly once for each id, also when threads race
    /// for it; false for unknown, stale and foreign ids.
    /// Throws what the alloc policy throws, since a snapshot in use is copied.
    /// Complexity: as registering. Reentrancy: a handler may remove itself; its captures live until
    /// it has returned.
    bool unregister(handler_id id)
    {
        writers* const w = mine(id);
        return w != nullptr && w->remove(id.value());
    }

    /// Removes a handler and waits until no notify runs it, and its captures are destroyed.
    ///
    /// As `unregister`, then `synchronize`, also for an id that is stale. Throws what those throw;
    /// the deadlock is found before anything is removed.
    bool unregister_and_wait(handler_id id)
    {
        writers* const w = mine(id);
        return w != nullptr && w->remove_and_wait(id.value());
    }

    /// Removes all handlers. Returns how many there were. Throws as `unregister`.
    std::size_t clear()
    {
        writers* const w = writers_.load(std::memory_order_acquire);
        return w == nullptr ? 0 : w->clear();
    }

    /// Whether a handler is registered: false for unknown, stale and foreign ids.
    ///
    /// Complexity: linear in at most one chunk, else logarithmic. Takes the writers' lock.
    bool contains(handler_id id) const
    {
        writers* const w = mine(id);
        return w != nullptr && w->contains(id.value());
    }

    /// Names a handler together with this registry, for code that does not know the registry's type.
    ///
    /// Returns a registration that names nothing for a foreign or empty id. Throws: nothing.
    registration registration_of(handler_id id) const noexcept
    {
        writers* const w = mine(id);
        return w != nullptr ? registration(w, id, detail::operations_of<writers>) : registration();
    }

    // ----- several changes at once

    /// Calls `f(transaction&)`, then applies all it asked for at once: readers see all or nothing.
    ///
    /// `f` runs without the lock, on an otherwise unchanged registry; transactions may nest and
    /// overlap. Firing order is by key, then id. If `f` throws nothing has happened.
    /// Returns how many handlers were added and removed.
    /// Throws what `f` throws, what registering and removing throw.
    /// Complexity: that of its parts; one publication.
    template <class F>
    update_result update(F&& f)
    {
        transaction tx(*this);
        std::forward<F>(f)(tx);
        return tx.commit();
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
    void synchronize()
    {
        refuse_foreign();
        if (writers* const w = writers_.load(std::memory_order_acquire))
            w->synchronize();
    }

    // ----- telling of failures

    /// Sets what is told of each failure: `f(panic_info const&)`, called on the notifying thread
    /// right after the handler that failed. What it throws is swallowed.
    ///
    /// Reentrancy: `f` may notify this registry. Failures inside that notify, on this thread, are
    /// handled as if there were no callback.
    ///
    /// `f` is called as a const object, by several threads at once where several notify. A notify
    /// that is running keeps the callback that it began with. Only where the panic policy reports.
    /// Throws as `register_handler`.
    template <class F>
    void on_panic(F&& f)
    {
        static_assert(PanicPolicy::reports,
                      "registry_io: this registry's panic policy has no callback");
        static_assert(std::is_invocable_v<std::decay_t<F> const&, panic_info const&>,
                      "registry_io: the callback of on_panic must be callable as a const object, "
                      "with panic_info const&");
        if constexpr (std::is_invocable_v<std::decay_t<F> const&, panic_info const&>)
            set_hook(detail::report_hook, make_hook<panic_info const&>(std::forward<F>(f)));
    }

    /// Takes the callback away; failures are then logged, if the panic policy does that.
    void clear_panic_callback()
    {
        static_assert(PanicPolicy::reports,
                      "registry_io: this registry's panic policy has no callback");
        if (writers_.load(std::memory_order_acquire) != nullptr)
            set_hook(detail::report_hook, nullptr);
    }

    /// Sets where the panic policy logs to instead of `stderr`: `f(std::string_view)`, one line
    /// without its end. Otherwise as `on_panic`. Only where the panic policy logs.
    template <class F>
    void log_to(F&& f)
    {
        static_assert(PanicPolicy::logs, "registry_io: this registry's panic policy does not log");
        static_assert(std::is_invocable_v<std::decay_t<F> const&, std::string_view>,
                      "registry_io: the sink of log_to must be callable as a const object, with "
                      "std::string_view");
        if constexpr (std::is_invocable_v<std::decay_t<F> const&, std::string_view>)
            set_hook(detail::log_hook, make_hook<std::string_view>(std::forward<F>(f)));
    }

    /// Lets the panic policy log to `stderr` again.
    void log_to_stderr()
    {
        static_assert(PanicPolicy::logs, "registry_io: this registry's panic policy does not log");
        if (writers_.load(std::memory_order_acquire) != nullptr)
            set_hook(detail::log_hook, nullptr);
    }

protected:
    // Not part of the interface: for registries of this library that are built on this one and
    // dispatch in another way.

    /// @cond

    // ----- writers

    static std::uint32_t clamp(std::size_t n) noexcept
    {
        return n < writers::flat_limit ? static_cast<std::uint32_t>(n) : writers::flat_limit;
    }

    /// The writers' block, of a registry that has been written to.
    writers& known() const noexcept { return *writers_.load(std::memory_order_acquire); }

    /// The writers' block, if this id is one of ours.
    writers* mine(handler_id id) const noexcept
    {
        writers* const w = writers_.load(std::memory_order_acquire);
        return w != nullptr && w->serial == id.registry_serial() ? w : nullptr;
    }

    /// How this type of registry is named to a store that asks for it.
    using told_as = typename dispatcher::template kind<Event>;

    static constexpr store make_store() noexcept
    {
        if constexpr (told_store<store, typename told_as::type>)
            return store(told_as());
        else
            return store();
    }

    /// Throws if the calling code's readers would not be seen, where the writers cannot tell.
    void refuse_foreign() const
    {
        if constexpr (told_store<store, typename told_as::type>)
            if (store_.foreign(told_as()))
                detail::refuse_foreign();
    }

    writers& make_known()
    {
        refuse_foreign();
        // acquire: pairs with the release below; the block was built by another thread.
        writers* w = writers_.load(std::memory_order_acquire);
        if (w != nullptr)
            return *w;
        writers* fresh = nullptr;
        BOOST_TRY
        {
            fresh = writers::make(store_, ordering_, alloc_.get_source());
        }
        BOOST_CATCH(...)
        {
            // Another thread may have been first, and have taken the memory for the same block.
            w = writers_.load(std::memory_order_acquire);
            if (w != nullptr)
                return *w;
            BOOST_RETHROW
        }
        BOOST_CATCH_END
        fresh->panic.store(boost::addressof(panic_), std::memory_order_relaxed);
        if (writers_.compare_exchange_strong(w, fresh, std::memory_order_acq_rel,
                                             std::memory_order_acquire))
            return *fresh;
        fresh->drop();  // another thread was first
        return *w;
    }

    /// Whether `F` wants an id and a key.
    template <class F>
    static constexpr bool takes_key = [] {
        if constexpr (std::is_void_v<key_type>)
            return false;
        else
            return std::is_invocable_v<F&, handler_id, key_type const&>;
    }();

    static decltype(auto) user_key(stored_key const& k) noexcept
    {
        if constexpr (detail::key_in_table<key_type>)
            return (k);
        else
            return (*k);
    }

    /// A key, that need not be default-constructible, in a place of its own.
    template <class K>
    struct key_bytes
    {
        alignas(K) std::byte bytes[sizeof(K)];

        key_bytes& operator=(K const& k) noexcept
        {
            std::memcpy(bytes, static_cast<void const*>(boost::addressof(k)), sizeof(K));
            return *this;
        }
        operator K() const noexcept { return std::bit_cast<K>(bytes); }
    };

    /// A handler on its way into a table: owns its block until it is there.
    struct incoming
    {
        entry e{};
        garbage* block = nullptr;
        key_bytes<stored_key> key{};

        incoming() = default;
        incoming(incoming&& other) noexcept
            : e(other.e), block(std::exchange(other.block, nullptr)), key(other.key)
        {
        }
        incoming& operator=(incoming&&) = delete;
        ~incoming()
        {
            if (block != nullptr)
                block->destroy(block);
        }
    };

    /// The id of a handler that is told of it, which must be known before the handler is in the
    /// table; 0 for all others.
    template <class F>
    std::uint64_t reserve_id()
    {
        if constexpr (detail::told_of_registration<std::decay_t<F>>)
            // relaxed: as in writers::add; the place follows from the key and the id.
            return make_known().ids.fetch_add(1, std::memory_order_relaxed) + 1;
        else
            return 0;
    }

    /// Constructs the handler. Without the lock: this is user code. `id` is what `reserve_id` has
    /// returned for it.
    template <class Key, class F>
    incoming prepare(Key&& key, F&& f, [[maybe_unused]] std::uint64_t id)
    {
        using handler = std::decay_t<F>;
        constexpr bool shared = SnapshotPolicy::concurrent;
        using callable = std::conditional_t<shared, handler const, handler>;
        constexpr bool told = detail::told_of_registration<handler>;
        constexpr bool in_entry = !told && detail::fits_entry<handler, Event, shared> &&
            std::is_empty_v<handler_state> && detail::key_in_table<key_type>;
        static_assert(std::is_nothrow_destructible_v<handler>,
                      "registry_io: a handler's destructor must not throw");
        static_assert(std::is_constructible_v<handler, F&&>,
                      "registry_io: the handler cannot be moved or copied into the registry");
        constexpr bool takes_id = !std::is_invocable_v<handler&, Event const&> &&
            std::is_invocable_v<handler&, registration const&, Event const&>;
        static_assert(!takes_id,
                      "registry_io: a handler that takes its own id is registered as with_id(f) "
                      "(<registry_io/handlers/with_id.hpp>)");
        static_assert(takes_id || std::is_invocable_v<handler&, Event const&>,
                      "registry_io: a handler must be callable with Event const&");
        if constexpr (std::is_invocable_v<handler&, Event const&>)
            static_assert(std::is_invocable_v<callable&, Event const&>,
                          "registry_io: several threads may be inside this handler at once, so its "
                          "call operator must be const; wrap it in unsynchronized if it is safe");
        static_assert(detail::check_not_awaitable<callable&, Event>());
        incoming in;
        if constexpr (!std::is_void_v<key_type> && detail::key_in_table<key_type>)
            in.key = key;
        if constexpr (std::is_invocable_v<callable&, Event const&> &&
                      std::is_constructible_v<handler, F&&>) {
            if constexpr (in_entry) {
                refuse_empty(f);
                handler const h(std::forward<F>(f));
                in.e = detail::entry_of_word<handler, Event, PanicPolicy>(h);
            } else {
                using holder = detail::key_holder<key_type, detail::key_in_table<key_type>>;
                using block = detail::block<handler, handler_state, holder, source>;
                refuse_empty(f);
                block* const b =
                    block::make(alloc_.get_source(), std::forward<F>(f), std::forward<Key>(key));
                if (b == nullptr)
                    detail::no_memory();
                in.block = b;
                if constexpr (told) {
                    writers& w = known();
                    detail::tell(
                        b->f,
                        registration(&w, handler_id(w.serial, id), detail::operations_of<writers>));
                }
                in.e =
                    detail::entry_of_block<block, callable, typename writers::block_base, Event>(b);
                if constexpr (!detail::key_in_table<key_type>)
                    in.key = boost::addressof(b->holder.key);
            }
        }
        return in;
    }

    template <class Key>
    static key_type key_from(Key&& priority)
    {
        return detail::key_from<key_type>(std::forward<Key>(priority), [] {
#ifdef BOOST_NO_EXCEPTIONS
            PanicPolicy::fatal("the priority is out of its key's range");
#else
            boost::throw_exception(
                std::out_of_range("registry_io: the priority is out of its key's range"),
                BOOST_CURRENT_LOCATION);
#endif
        });
    }

    template <class F>
    static void refuse_empty(F const& f)
    {
        if (!detail::is_empty_handler(f))
            return;
#ifdef BOOST_NO_EXCEPTIONS
        PanicPolicy::fatal("an empty handler was registered");
#else
        boost::throw_exception(std::invalid_argument("registry_io: the handler is empty"),
                               BOOST_CURRENT_LOCATION);
#endif
    }

    template <class Key, class F>
    handler_id add(Key&& key, F&& f)
    {
        writers& w = make_known();
        std::uint64_t id = reserve_id<F>();
        incoming in = prepare(std::forward<Key>(key), std::forward<F>(f), id);
        // Captures that earlier removals have left to writers may be destroyed in `add`, and the
        // registry with them: nothing of it is touched afterwards.
        std::uint64_t const serial = w.serial;
        if constexpr (detail::told_of_registration<std::decay_t<F>>)
            add_reserved(w, in, id);
        else
            id = w.add(in.e, in.block != nullptr, in.key, hint_);
        if (id == 0)
            return {};
        in.block = nullptr;  // the table has it
        return handler_id(serial, id);
    }

    /// As `writers::add`, with an id that was given out before.
    void add_reserved(writers& w, incoming const& in, std::uint64_t& id)
    {
        w.locked_change([&](auto& change, garbage_list&) {
#ifdef BOOST_NO_EXCEPTIONS
            if (writers::bounded && size() == writers::flat_limit) {
                id = 0;
                return false;
            }
#endif
            if (change.append(in.e, id, true, in.key))
                return false;  // done, and nothing to publish
            change.insert(in.e, id, true, in.key, hint_);
            return true;
        });
    }

    /// A guard of what `add()` registers.
    template <class Add>
    handler_guard guard(Add add)
    {
        writers& w = make_known();
        typename writers::holding const block(w);  // see above
        handler_id const id = add();
        if (!id)
            return {};
        w.hold();
        return handler_guard(&w, id);
    }

    // ----- hooks

    template <class F>
    struct hook_block : detail::hook
    {
        hook_block(source const& s, F&& g)
            : detail::hook(&destroy_hook), memory(s), f(std::forward<F>(g))
        {
        }
        static void destroy_hook(garbage* g) noexcept
        {
            auto* const self = static_cast<hook_block*>(g);
            source s = self->memory;
            self->~hook_block();
            s.deallocate(self, sizeof(hook_block), alignof(hook_block));
        }
        REGISTRY_IO_NO_UNIQUE_ADDRESS source memory;
        std::decay_t<F> f;
    };

    template <class Argument, class F>
    detail::hook* make_hook(F&& f)
    {
        using block = hook_block<F>;
        using callable = std::decay_t<F>;
        static_assert(!detail::returns_awaitable<callable const&, Argument>,
                      "registry_io: a callback and a sink are plain functions; this one returns "
                      "something that must be awaited, and nobody would");
        refuse_empty(f);
        source s = make_known().memory;
        struct room
        {
            source& s;
            void* p;
            ~room()
            {
                if (p != nullptr)
                    s.deallocate(p, sizeof(block), alignof(block));
            }
        } r{s, s.allocate(sizeof(block), alignof(block))};
        if (r.p == nullptr)
            detail::no_memory();
        block* const b = ::new (r.p) block(s, std::forward<F>(f));
        r.p = nullptr;
        auto const call = [](void* state, Argument a) {
            detail::invoke(static_cast<callable const&>(
                               static_cast<block*>(static_cast<detail::hook*>(state))->f),
                           a);
        };
        if constexpr (std::is_same_v<Argument, panic_info const&>)
            b->report = call;
        else
            b->log = call;
        return b;
    }

    void set_hook(detail::hook_kind kind, detail::hook* h)
    {
        // Constructed outside of the lock, and destroyed outside if it cannot be set.
        struct owned
        {
            detail::hook* h;
            ~owned()
            {
                if (h != nullptr)
                    h->destroy(h);
            }
        } incoming_hook{h};
        known().set_hook(kind, h);
        incoming_hook.h = nullptr;
    }

    store store_ = make_store();  // first, so that the registry's address is what notify hands on
    REGISTRY_IO_NO_UNIQUE_ADDRESS mutable PanicPolicy panic_;
    detail::shared<SnapshotPolicy, writers*> writers_{nullptr};
    REGISTRY_IO_NO_UNIQUE_ADDRESS OrderingPolicy ordering_;
    REGISTRY_IO_NO_UNIQUE_ADDRESS AllocPolicy alloc_;
    std::uint32_t hint_ = 0;
    /// @endcond
};

/// Changes that are to be applied together; what `update` hands to its function.
///
/// Ids are given out at once. Nothing is visible before the function has returned. Precondition of
/// all members: called by the thread that called `update`, while its function runs.
template <class Event, class SnapshotPolicy, class OrderingPolicy, class PanicPolicy,
          class AllocPolicy>
    requires detail::acceptable<Event, SnapshotPolicy, OrderingPolicy, PanicPolicy, AllocPolicy>
class basic_registry<Event, SnapshotPolicy, OrderingPolicy, PanicPolicy, AllocPolicy>::transaction
{
public:
    transaction(transaction const&) = delete;
    transaction& operator=(transaction const&) = delete;

    /// Adds a handler, with a value-initialised key if the ordering has keys, when the transaction
    /// ends. Returns the id that it is going to have. Throws as the registry's own.
    template <class F>
    handler_id register_handler(F&& f)
    {
        static_assert(
            std::is_void_v<key_type> || std::is_default_constructible_v<key_type>,
            "registry_io: this ordering policy's key has no default; register with a key");
        if constexpr (std::is_void_v<key_type>)
            return prepare(detail::no_key(), std::forward<F>(f));
        else if constexpr (std::is_default_constructible_v<key_type>)
            return prepare(key_type(), std::forward<F>(f));
    }

    /// Adds a handler with a key, or a member function with its object; otherwise as above.
    template <class Key, class F>
    handler_id register_handler(Key&& priority, F&& f)
    {
        if constexpr (detail::is_member_not_key<key_type, Key&&>)
            return register_handler(detail::bind_member<Event>(priority, std::forward<F>(f)));
        else if constexpr (detail::check_key<key_type, Key&&, F, Event>())
            return prepare(key_from(std::forward<Key>(priority)), std::forward<F>(f));
        else
            return {};
    }

    /// Adds a member function and its object as a handler with a key; otherwise as above.
    template <class Key, class Member, class Object>
        requires std::is_member_pointer_v<Member>
    handler_id register_handler(Key&& priority, Member member, Object&& object)
    {
        return register_handler(std::forward<Key>(priority),
                                detail::bind_member<Event>(member, std::forward<Object>(object)));
    }

    /// Removes a handler when the transaction ends, one of its own too. Whether it was registered
    /// is known only then: see `update_result::unregistered`.
    void unregister(handler_id id)
    {
        if (writers* const w = registry_.mine(id); w != nullptr && id)
            push(new_op(*w, incoming(), id.value(), false));
    }

    /// Removes, when the transaction ends, all handlers that are registered then; not the
    /// transaction's own.
    void clear() noexcept { clear_ = true; }

private:
    friend class basic_registry;

    struct op
    {
        op* next;
        incoming in;
        std::uint64_t id;
        bool adds;
        REGISTRY_IO_NO_UNIQUE_ADDRESS source memory;
    };

    explicit transaction(basic_registry& r) noexcept : registry_(r) {}

    ~transaction()
    {
        // Not through the registry, which a removed handler's captures may have destroyed.
        while (op* const o = first_) {
            first_ = o->next;
            source s = o->memory;
            o->~op();
            s.deallocate(o, sizeof(op), alignof(op));
        }
    }

    template <class Key, class F>
    handler_id prepare(Key&& key, F&& f)
    {
        std::uint64_t const id = registry_.template reserve_id<F>();
        return add(registry_.prepare(std::forward<Key>(key), std::forward<F>(f), id), id);
    }

    handler_id add(incoming in, std::uint64_t reserved)
    {
        writers& w = registry_.make_known();
        op* const o = new_op(w, std::move(in), reserved, true);
        // relaxed: as in writers::add; the place follows from the key and the id.
        if (reserved == 0)
            o->id = w.ids.fetch_add(1, std::memory_order_relaxed) + 1;
        push(o);
        return handler_id(w.serial, o->id);
    }

    op* new_op(writers& w, incoming&& in, std::uint64_t id, bool adds)
    {
        source s = w.memory;
        void* const p = s.allocate(sizeof(op), alignof(op));
        if (p == nullptr)
            detail::no_memory();
        return ::new (p) op{nullptr, std::move(in), id, adds, s};
    }

    void push(op* o) noexcept
    {
        (first_ == nullptr ? first_ : last_->next) = o;
        last_ = o;
    }

    update_result commit()
    {
        update_result result;
        writers* const w = registry_.writers_.load(std::memory_order_acquire);
        if (w == nullptr || (first_ == nullptr && !clear_))
            return result;
        w->locked_change(
            [&](auto& change, garbage_list& dead) {
                if (clear_)
                    result.unregistered += change.clear(dead);
                auto const remove = [&] {
                    for (op* o = first_; o != nullptr; o = o->next)
                        if (!o->adds && change.erase(o->id, dead))
                            ++result.unregistered;
                };
                // What goes first makes room, where room is bounded. What was added here and is to
                // go again goes afterwards.
                if (writers::bounded)
                    remove();
                for (op* o = first_; o != nullptr; o = o->next)
                    if (o->adds) {
                        change.insert(o->in.e, o->id, o->in.block != nullptr, o->in.key,
                                      registry_.hint_);
                        ++result.registered;
                    }
                remove();
                return result.registered + result.unregistered != 0;
            },
            nullptr, false);
        for (op* o = first_; o != nullptr; o = o->next)
            o->in.block = nullptr;  // the registry's now, or already gone
        return result;
    }

    basic_registry& registry_;
    op* first_ = nullptr;
    op* last_ = nullptr;
    bool clear_ = false;
};

}  // namespace v1
}  // namespace registry_io

/// What registries of these policies share, whatever their event: to be instantiated elsewhere
/// (`extern`), or here.
#define REGISTRY_IO_DETAIL_SHARED(EXTERN, ...)                                                     \
    EXTERN template class detail::writers<__VA_ARGS__>;                                            \
    EXTERN template class detail::dispatcher<detail::writers<__VA_ARGS__>>

#endif
