// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The registry for microcontrollers: `basic_registry` for snapshot policies that publish by storing
// single words. It has the interface of `registry.hpp`, but neither locks nor allocates, and its
// readers are interrupts. `detail/linked.hpp` has the list, and explains why it is safe.

#ifndef REGISTRY_IO_LINKED_REGISTRY_HPP
#define REGISTRY_IO_LINKED_REGISTRY_HPP

#include <registry_io/detail/supported.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <type_traits>

#include <boost/core/addressof.hpp>

#include <registry_io/config.hpp>
#include <registry_io/detail/callable.hpp>
#include <registry_io/detail/check.hpp>
#include <registry_io/detail/key.hpp>
#include <registry_io/detail/linked.hpp>
#include <registry_io/detail/node_list.hpp>
#include <registry_io/detail/refused.hpp>
#include <registry_io/detail/select.hpp>
#include <registry_io/handler_guard.hpp>
#include <registry_io/handler_id.hpp>
#include <registry_io/policy.hpp>
#include <registry_io/registry_fwd.hpp>
#include <registry_io/version.hpp>

namespace registry_io {
inline namespace v1 {

/// A registry for one CPU core without an operating system: the same interface over a linked list
/// that is changed by single stores, for snapshot policies with `publication_kind::word_store`.
///
/// You may call `notify` at any time, also in an interrupt at any instruction of any member. It
/// sees the list as it was before a change or as it is after the change, and masks no interrupts.
/// Members that change the registry must be called where the snapshot policy's `may_write()` is
/// true, also by handlers; anywhere else they call the panic policy's `fatal`.
///
/// A handler sees everything that was stored before its registration, also if it runs in an
/// interrupt. After its removal, the writer sees everything that the handler has stored.
///
/// In addition to the general contract: a running notify skips handlers that have been removed, and
/// runs the others. A handler is one trivial word: a function pointer, or a lambda that captures at
/// most one pointer or reference. So nothing is ever destroyed, and there is nothing to wait for.
/// No member throws or allocates: a full registry returns an empty id, and any other misuse calls
/// `fatal`. An id recurs after the same slot has been used 4096 times, and ids do not show the
/// order of registration. If a handler is removed while a notify runs, its slot is free again when
/// the outermost notify has ended.
///
/// With `alloc::intrusive` there are no slots: each handler lies in a node that the caller owns.
/// Ids are searched in the list. An id recurs if the same node is registered again 16384
/// registrations later, counted over all such registries.
///
/// Constant-initialised, and all zero when empty; trivially destructible. Guards must not outlive
/// the registry.
template <class Event, class SnapshotPolicy, class OrderingPolicy, class PanicPolicy,
          class AllocPolicy>
    requires detail::acceptable_words<Event, SnapshotPolicy, OrderingPolicy, PanicPolicy,
                                      AllocPolicy>
class basic_registry<Event, SnapshotPolicy, OrderingPolicy, PanicPolicy, AllocPolicy>
{
    static constexpr bool caller_owned = node_policy<AllocPolicy>;
    using list =
        std::conditional_t<caller_owned,
                           detail::node_list<SnapshotPolicy, OrderingPolicy, PanicPolicy>,
                           detail::linked_list<SnapshotPolicy, OrderingPolicy, PanicPolicy>>;
    using node = typename list::node;
    using handle = typename list::handle_type;
    using any_node = detail::static_node<list>;
    using stored_key = typename list::stored_key;

public:
    /// The type with which handlers are called, by const reference.
    using event_type = Event;
    /// How readers hold a snapshot.
    using snapshot_policy = SnapshotPolicy;
    /// In which order handlers run.
    using ordering_policy = OrderingPolicy;
    /// How handlers are called, and what happens after misuse.
    using panic_policy = PanicPolicy;
    /// Where handlers lie, and how many there may be.
    using alloc_policy = AllocPolicy;
    /// The type by which handlers are sorted; `void` if they are not sorted.
    using key_type = typename OrderingPolicy::key_type;
    /// What `notify` returns.
    using result_type = void;
    /// With `alloc::intrusive`: the type of node that you declare for each handler. Destroying a
    /// node that is in use calls `fatal`.
    using handler_node =
        std::conditional_t<caller_owned, detail::checked_node<list, PanicPolicy>, void>;
    /// The type of node for nodes that are never destroyed. It is trivially destructible, so a
    /// static node needs no code at the end of the program. Its destruction is not checked.
    using static_handler_node = std::conditional_t<caller_owned, any_node, void>;

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

    /// An empty registry.
    constexpr basic_registry() noexcept = default;
    // Compilers show the line of a deleted function, so it holds the sentence.
    basic_registry(basic_registry const&) = delete;  // registry_io: hold it in a unique_ptr
    basic_registry& operator=(basic_registry const&) = delete;  // registry_io: not assignable

    // ----- readers

    /// Calls every handler with `event`, in order.
    ///
    /// Throws: nothing. Complexity: linear in the number of handlers. Concurrency: in any
    /// interrupt, at any time. Reentrancy: handlers may notify, 254 levels deep, interrupts
    /// included. Level 255 calls `fatal` if the registry is changed there, or if a handler that has
    /// been removed meanwhile is still in the list. Level 256 always calls `fatal`.
    void notify(Event const& event) const noexcept
    {
        all_.list.notify(static_cast<void const*>(boost::addressof(event)));
    }

    /// Calls `f(handler_id)`, or `f(handler_id, key)` if `f` takes two arguments, for each handler,
    /// in firing order.
    ///
    /// Throws what `f` throws. Concurrency and reentrancy: as `notify`; `f` is called like a
    /// handler. The 255th level calls `fatal`.
    template <class F>
    void for_each_handler(F f) const
    {
        auto call = [&](node const& n) {
            if constexpr (std::is_invocable_v<F&, handler_id, stored_key>)
                f(id_of(all_.list.handle(n)), list::key_of(n));
            else
                f(id_of(all_.list.handle(n)));
        };
        all_.list.each(call);
    }

    /// How many handlers are registered. Throws: nothing. Complexity: linear. In any interrupt.
    std::size_t size() const noexcept { return all_.list.size(); }

    /// Whether no handler is registered. Throws: nothing. Complexity: linear. In any interrupt.
    bool empty() const noexcept { return all_.list.empty(); }

    /// Whether a handler is registered: false for unknown and stale ids, and for foreign ids as
    /// `unregister`.
    ///
    /// Throws: nothing. Complexity: constant; linear with `alloc::intrusive`. In any interrupt; an
    /// interrupt during `clear` may get either answer for a handler that is being removed.
    bool contains(handler_id id) const noexcept
    {
        return all_.list.find(end, handle_of(id)) != nullptr;
    }

    // ----- registering

    /// Adds a handler, with a value-initialised key if the ordering has keys.
    ///
    /// `f` is called as `f(event)`, as a const copy. If a call changes a `mutable` member of the
    /// copy, `fatal` is called. Notifies that begin after this call has returned run the handler.
    /// Returns the handler's id; an empty id if the registry is full. Throws: nothing; a null
    /// pointer calls `fatal`. Complexity: linear.
    template <class F>
    BOOST_FORCEINLINE handler_id register_handler(F&& f) noexcept
    {
        if constexpr (detail::check_default_key<key_type>())
            return add(stored_key(), static_cast<F&&>(f));
        else
            return {};
    }

    /// Adds a handler with a key; otherwise as above. A number that the key cannot hold, or a NaN,
    /// calls `fatal`.
    template <class Key, class F>
        requires(!std::is_base_of_v<any_node, Key>)
    BOOST_FORCEINLINE handler_id register_handler(Key priority, F&& f) noexcept
    {
        if constexpr (detail::check_key<key_type, Key const&, F, Event>())
            return add(key_from(priority), static_cast<F&&>(f));
        else
            return {};
    }

    /// Adds a handler that lies in `n`, with `alloc::intrusive`; otherwise as above.
    ///
    /// Returns an empty id if `n` is in use by this registry or another one. Precondition: `n`
    /// exists while it is `linked()`.
    template <class F>
        requires(caller_owned)
    BOOST_FORCEINLINE handler_id register_handler(any_node& n, F&& f) noexcept
    {
        static_assert(detail::check_default_key<key_type>());
        return add(stored_key(), static_cast<F&&>(f), n.node_);
    }

    /// Adds a handler with a key that lies in `n`; otherwise as above.
    template <class Key, class F>
        requires(caller_owned)
    BOOST_FORCEINLINE handler_id register_handler(any_node& n, Key priority, F&& f) noexcept
    {
        if constexpr (detail::check_key<key_type, Key const&, F, Event>())
            return add(key_from(priority), static_cast<F&&>(f), n.node_);
        else
            return {};
    }

    /// Adds a handler that lies in `n` and is removed when the returned guard is destroyed.
    template <class... KeyAndF>
        requires(caller_owned)
    handler_guard register_guard(any_node& n, KeyAndF&&... f) noexcept
    {
        return guard(register_handler(n, static_cast<KeyAndF&&>(f)...));
    }

    /// Adds a handler that is removed when the returned guard is destroyed.
    ///
    /// Otherwise as `register_handler`. Precondition: the guard does not outlive the registry.
    template <class F>
    handler_guard register_guard(F&& f) noexcept
    {
        return guard(register_handler(static_cast<F&&>(f)));
    }

    /// Adds a handler with a key that is removed when the returned guard is destroyed.
    template <class Key, class F>
        requires(!std::is_base_of_v<any_node, Key>)
    handler_guard register_guard(Key priority, F&& f) noexcept
    {
        return guard(register_handler(priority, static_cast<F&&>(f)));
    }

    // ----- removing

    /// Removes a handler.
    ///
    /// Returns whether it was registered: true exactly once for each id; false for unknown and
    /// stale ids, and for ids of another registry of the same specialisation. Without
    /// `alloc::intrusive`, that registry must lie within 64 KB of this one. Precondition: the id is
    /// not from a registry of another kind. Throws: nothing. Complexity: linear. Reentrancy: a
    /// handler may remove itself.
    bool unregister(handler_id id) noexcept { return all_.list.remove(end, handle_of(id)) == 0; }

    /// Removes a handler, as `unregister`: if the caller may write and no notify is running, there
    /// is nothing to wait for. Inside a handler it would wait for itself, and calls `fatal`.
    bool unregister_and_wait(handler_id id) noexcept
    {
        synchronize();
        return unregister(id);
    }

    /// Removes all handlers. A notify in an interrupt sees all of them or none. Returns the number
    /// of removed handlers. Throws: nothing. Complexity: linear.
    std::size_t clear() noexcept { return all_.list.clear(); }

    /// Refuses transactions, with an error sentence: they need more than one store.
    template <class F>
    void update(F&&)
    {
        static_assert(sizeof(F) == 0,
                      "registry_io: a registry that is changed by single stores has no "
                      "transactions");
    }

    // ----- waiting

    /// Does nothing if the caller may write and no notify is running; otherwise calls `fatal`,
    /// since it would wait for itself.
    void synchronize() noexcept
    {
        list::check_writer();
        if (all_.list.is_notifying()) [[unlikely]]
            PanicPolicy::fatal("registry_io: waiting here would wait for itself");
    }

private:
    using slot_list = detail::linked_slots<list, AllocPolicy::capacity>;
    static_assert(sizeof(slot_list) <= 0xFFFF,
                  "registry_io: the slots of this registry take more than 65535 bytes");

    // The offset at which the slots end.
    static constexpr std::uint32_t end = sizeof(slot_list);
    static_assert(caller_owned || end == list::first_slot + AllocPolicy::capacity * sizeof(node));

    /// The view of a notify for the panic policy's scope, which is made for each handler.
    struct notify_view
    {
        PanicPolicy& policy() const noexcept
        {
            static constinit PanicPolicy p{};
            return p;
        }
        panic_hooks hooks() const noexcept { return {}; }
    };
    struct handler_view
    {
        handler_id id() const noexcept { return {}; }
        typename PanicPolicy::handler_state& state() const noexcept
        {
            static constinit typename PanicPolicy::handler_state s{};
            return s;
        }
        handler_view compact() const noexcept { return {}; }
    };

    template <class F>
    static void call_word(void* state, void const* event) noexcept
    {
        struct bytes
        {
            std::byte b[sizeof(F)];
        } copy;
        std::memcpy(copy.b, static_cast<void const*>(&state), sizeof(F));
        F const f = __builtin_bit_cast(F, copy);
        typename PanicPolicy::template scope<notify_view> scope{notify_view{}};
        scope.invoke([&] { f(*static_cast<Event const*>(event)); }, handler_view{});
        scope.finish();
        detail::check_unchanged<F, PanicPolicy>(boost::addressof(f),
                                                static_cast<void const*>(&state));
    }

    // Inline, so that an id which the caller drops is never made.
    template <class F, class... Node>
    BOOST_FORCEINLINE handler_id add(stored_key key, F f, Node&... n) noexcept
    {
        static_assert(caller_owned == (sizeof...(Node) == 1),
                      "registry_io: the handlers of this registry lie in the caller's nodes; call "
                      "register_handler(node, f)");
        static_assert(std::is_invocable_v<F&, Event const&>,
                      "registry_io: a handler must be callable with Event const&");
        static_assert(detail::check_not_awaitable<F const&, Event>());
        if constexpr (std::is_invocable_v<F&, Event const&>)
            static_assert(detail::is_word<F, Event> && !std::is_member_pointer_v<F>,
                          "registry_io: a handler of this registry is one trivial word that is "
                          "called as const: a function, or a lambda that captures at most one "
                          "pointer or reference; keep larger data outside and capture a reference");
        if constexpr (detail::is_word<F, Event> && !std::is_member_pointer_v<F> &&
                      caller_owned == (sizeof...(Node) == 1)) {
            if (detail::is_empty_handler(f)) [[unlikely]]
                PanicPolicy::fatal("registry_io: an empty handler was registered");
            void* state = nullptr;
            if constexpr (!std::is_empty_v<F>)
                std::memcpy(static_cast<void*>(&state),
                            static_cast<void const*>(boost::addressof(f)), sizeof(F));
            return id_of(all_.list.add(n..., typename list::place(end, key), &call_word<F>, state));
        } else {
            return {};
        }
    }

    /// Small keys save memory, so a number that does not fit must not wrap silently.
    template <class Key>
    static stored_key key_from(Key const& priority) noexcept
    {
        return detail::key_from<stored_key>(priority, [] {
            PanicPolicy::fatal("registry_io: the priority is out of its key's range");
        });
    }

    // The address is the serial number, since such registries live as long as the program.
    std::uintptr_t serial() const noexcept { return reinterpret_cast<std::uintptr_t>(this); }
    static handle handle_of(handler_id id) noexcept { return static_cast<handle>(id.value()); }
    handler_id id_of(handle h) const noexcept { return handler_id(h == 0 ? 0 : serial(), h); }

    handler_guard guard(handler_id id) const noexcept
    {
        return id ? handler_guard(const_cast<detail::guard_anchor*>(&anchor), id) : handler_guard();
    }

    // The guard's id names the registry, so all registries share one anchor in read-only memory.
    static bool unregister_guarded(detail::guard_anchor*, handler_id id)
    {
        // The guard has no pointer to the registry; the serial number in its id is the address.
        std::uintptr_t const address = id.registry_serial() & UINTPTR_MAX;
        // NOLINTNEXTLINE(performance-no-int-to-ptr)
        return reinterpret_cast<basic_registry*>(address)->unregister(id);
    }
    static void release_guarded(detail::guard_anchor*) noexcept {}
    static constexpr detail::guard_anchor::kind_type kind{&unregister_guarded, &release_guarded,
                                                          nullptr};
    static constexpr detail::guard_anchor anchor{&kind};

    // mutable: a notify stores its level, and restores the previous one.
    mutable slot_list all_;
};

}  // namespace v1
}  // namespace registry_io

#endif
