// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// What every registry with tables is made of, whatever its interface: the store that readers read,
// the block that writers write, and the policies. Invariant: `store_` is the first member, so that
// the address of the registry is what `notify` hands on; the block is made by the first
// registration, and stays.

#ifndef REGISTRY_IO_DETAIL_ENGINE_HPP
#define REGISTRY_IO_DETAIL_ENGINE_HPP

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>

#include <boost/core/addressof.hpp>

#include <registry_io/config.hpp>
#include <registry_io/detail/allocation.hpp>
#include <registry_io/detail/callable.hpp>
#include <registry_io/detail/check.hpp>
#include <registry_io/detail/dispatch.hpp>
#include <registry_io/detail/handler.hpp>
#include <registry_io/detail/incoming.hpp>
#include <registry_io/detail/key.hpp>
#include <registry_io/detail/member.hpp>
#include <registry_io/detail/operations.hpp>
#include <registry_io/detail/table.hpp>
#include <registry_io/detail/type_name.hpp>
#include <registry_io/detail/writers.hpp>
#include <registry_io/handler_guard.hpp>
#include <registry_io/handler_id.hpp>
#include <registry_io/panic_info.hpp>
#include <registry_io/policy.hpp>
#include <registry_io/registration.hpp>
#include <registry_io/transaction.hpp>

namespace registry_io {
inline namespace v1 {
namespace detail {

/// All that a registry does. Its members have the names of those of `basic_registry`, whose
/// comments hold here.
template <class Event, class SnapshotPolicy, class OrderingPolicy, class PanicPolicy,
          class AllocPolicy>
class engine
{
public:
    using writers = detail::writers<SnapshotPolicy, OrderingPolicy, PanicPolicy, AllocPolicy>;
    using root = typename writers::root;
    using columns = typename writers::columns;
    using entry = typename writers::entry;
    using stored_key = typename writers::key;
    using store = typename writers::store;
    using source = typename writers::source;
    using handler_state = typename PanicPolicy::handler_state;
    using dispatcher = detail::dispatcher<writers>;

    using event_type = Event;
    using snapshot_policy = SnapshotPolicy;
    using ordering_policy = OrderingPolicy;
    using panic_policy = PanicPolicy;
    using alloc_policy = AllocPolicy;
    using key_type = typename OrderingPolicy::key_type;
    using result_type = typename PanicPolicy::result_type;
    using transaction = basic_transaction<engine>;

    static_assert(detail::check_store<SnapshotPolicy, root, source>());

    REGISTRY_IO_DETAIL_BEGIN_UNINITIALIZED
    engine() = default;
    explicit engine(std::size_t capacity) : hint_(clamp(capacity)) {}
    explicit engine(AllocPolicy alloc, OrderingPolicy ordering = {}, std::size_t capacity = 0)
        : ordering_(std::move(ordering)), alloc_(std::move(alloc)), hint_(clamp(capacity))
    {
    }
    REGISTRY_IO_DETAIL_END_UNINITIALIZED
    engine(engine const&) = delete;
    engine& operator=(engine const&) = delete;
    ~engine()
    {
        if (writers* const w = writers_.load(std::memory_order_acquire))
            w->close();
    }

    // ----- the interface

    result_type notify(Event const& event) const noexcept(PanicPolicy::isolates)
    {
        return dispatcher::template notify<Event>(
            store_, static_cast<void const*>(boost::addressof(event)));
    }

    template <class Sink>
    void notify_to(Event const& event, Sink& sink) const
        noexcept(std::is_nothrow_invocable_v<Sink&, panic_info const&>)
    {
        dispatcher::template notify_to<Event>(
            store_, static_cast<void const*>(boost::addressof(event)), sink);
    }

    template <class F>
    void for_each_handler(F&& f) const
    {
        read([&](root const& r) {
            std::uint64_t const serial = known().serial;
            r.each_table([&](columns rows, std::uint32_t n) {
                for (std::uint32_t i = 0; i < n; ++i) {
                    handler_id const id(serial, rows.id(i));
                    if constexpr (takes_key<F, handler_state const&>)
                        f(id, user_key(rows.cold()[i].key), state_of(rows.entries[i]));
                    else if constexpr (takes_key<F>)
                        f(id, user_key(rows.cold()[i].key));
                    else if constexpr (!std::is_empty_v<handler_state> &&
                                       std::is_invocable_v<F&, handler_id, handler_state const&>)
                        f(id, state_of(rows.entries[i]));
                    else
                        f(id);
                }
            });
        });
    }

    std::size_t size() const noexcept
    {
        writers const* const w = writers_.load(std::memory_order_acquire);
        return w == nullptr ? 0 : w->size.load(std::memory_order_relaxed);
    }
    bool empty() const noexcept { return size() == 0; }

    template <class... KeyAndF>
    handler_id register_handler(KeyAndF&&... f)
    {
        return add_to(*this, std::forward<KeyAndF>(f)...);
    }
    template <class... KeyAndF>
    handler_guard register_guard(KeyAndF&&... f)
    {
        return guard([&] { return register_handler(std::forward<KeyAndF>(f)...); });
    }

    bool unregister(handler_id id)
    {
        writers* const w = mine(id);
        return w != nullptr && w->remove(id.value());
    }
    bool unregister_and_wait(handler_id id)
    {
        writers* const w = mine(id);
        return w != nullptr && w->remove_and_wait(id.value());
    }
    std::size_t clear()
    {
        writers* const w = writers_.load(std::memory_order_acquire);
        return w == nullptr ? 0 : w->clear();
    }
    bool contains(handler_id id) const
    {
        writers* const w = mine(id);
        return w != nullptr && w->contains(id.value());
    }

    registration registration_of(handler_id id) const noexcept
    {
        writers* const w = mine(id);
        return w != nullptr ? registration(w, id, detail::operations_of<writers, Event>)
                            : registration();
    }

    template <class F>
    update_result update(F&& f)
    {
        transaction tx(*this);
        std::forward<F>(f)(tx);
        return tx.commit();
    }

    void synchronize()
    {
        refuse_foreign();
        if (writers* const w = writers_.load(std::memory_order_acquire))
            w->synchronize();
    }

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
    void clear_panic_callback()
    {
        static_assert(PanicPolicy::reports,
                      "registry_io: this registry's panic policy has no callback");
        if (writers_.load(std::memory_order_acquire) != nullptr)
            set_hook(detail::report_hook, nullptr);
    }
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
    void log_to_stderr()
    {
        static_assert(PanicPolicy::logs, "registry_io: this registry's panic policy does not log");
        if (writers_.load(std::memory_order_acquire) != nullptr)
            set_hook(detail::log_hook, nullptr);
    }

    // ----- the writers' block

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
        // acquire: pairs with the release in `first`; the block was built by another thread.
        writers* const w = writers_.load(std::memory_order_acquire);
        if (w != nullptr) [[likely]]
            return *w;
        static constexpr auto kind = writers::kind_of(detail::event_name<Event>);
        return writers::first(writers_, making_, store_, panic_, ordering_, alloc_, kind);
    }

    // ----- for registries that make the blocks of handlers themselves, and walk by themselves

    /// Calls `f(root const&)` with the current snapshot protected, as a notify does, or does not
    /// call it when there is none.
    template <class F>
    void read(F f) const
    {
        dispatcher::template read<Event>(store_, f);
    }

    /// Adds a handler whose block the caller has made: `e.state` points to the block's base
    /// `writers::block_base`, whose `destroy` ends the handler. No other handler has `id`, which is
    /// below 2^63. If this throws, the block is still the caller's.
    void adopt(entry const& e, stored_key const& key, std::uint64_t id)
    {
        make_known().add(e, 0, true, key, hint_, id);
    }

    // ----- the way of a handler into a table

    /// Makes a key and a handler of the arguments of `register_handler`, and calls
    /// `to.add(key, f)`. `to` is an engine or a transaction.
    template <class To, class F>
    static handler_id add_to(To& to, F&& f)
    {
        if constexpr (detail::check_default_key<key_type>())
            return to.add(detail::default_key<key_type>(), std::forward<F>(f));
        else
            return {};
    }
    template <class To, class Key, class F>
    static handler_id add_to(To& to, Key&& priority, F&& f)
    {
        if constexpr (detail::is_member_not_key<key_type, Key&&>)
            return add_to(to, detail::bind_member<Event>(priority, std::forward<F>(f)));
        else if constexpr (detail::check_key<key_type, Key&&, F, Event>())
            return to.add(key_from(std::forward<Key>(priority)), std::forward<F>(f));
        else
            return {};
    }
    template <class To, class Key, class Member, class Object>
    static handler_id add_to(To& to, Key&& priority, Member member, Object&& object)
    {
        return add_to(to, std::forward<Key>(priority),
                      detail::bind_member<Event>(member, std::forward<Object>(object)));
    }

    /// Whether `F` wants an id, a key, and what else there is.
    template <class F, class... More>
    static constexpr bool takes_key = [] {
        if constexpr (std::is_void_v<key_type> ||
                      (sizeof...(More) != 0 && std::is_empty_v<handler_state>))
            return false;
        else
            return std::is_invocable_v<F&, handler_id, key_type const&, More...>;
    }();

    /// What the panic policy keeps for a handler.
    static handler_state const& state_of(entry const& e) noexcept
    {
        return dispatcher::state_of(e);
    }

    static decltype(auto) user_key(stored_key const& k) noexcept
    {
        if constexpr (detail::key_in_table<key_type>)
            return (k);
        else
            return (*k);
    }

    using incoming = detail::incoming<writers, Event, SnapshotPolicy::concurrent>;

    /// The id of a handler that is told of it, which must be known before the handler is in the
    /// table; 0 for all others.
    template <class F>
    std::uint64_t reserve_id()
    {
        if constexpr (detail::told_of_registration<std::decay_t<F>>)
            return make_known().next_id();
        else
            return 0;
    }

    /// Constructs the handler. Without the lock: this is user code. `id` is what `reserve_id` has
    /// returned for it.
    template <class Key, class F>
    incoming prepare(Key&& key, F&& f, std::uint64_t id)
    {
        return incoming::make(alloc_.get_source(), panic_, std::forward<Key>(key),
                              std::forward<F>(f), [&] {
                                  writers& w = known();
                                  return registration(&w, handler_id(w.serial, id),
                                                      detail::operations_of<writers, Event>);
                              });
    }

    template <class Key>
    static key_type key_from(Key&& priority)
    {
        return detail::key_from<key_type>(std::forward<Key>(priority), [] {
#ifdef BOOST_NO_EXCEPTIONS
            PanicPolicy::fatal("the priority is out of its key's range");
#else
            detail::refuse_priority();
#endif
        });
    }

    template <class Key, class F>
    handler_id add(Key&& key, F&& f)
    {
        writers& w = make_known();
        std::uint64_t const reserved = reserve_id<F>();
        incoming in = prepare(std::forward<Key>(key), std::forward<F>(f), reserved);
        // Captures that earlier removals have left to writers may be destroyed in `add`, and the
        // registry with them: nothing of it is touched afterwards.
        std::uint64_t const serial = w.serial;
        std::uint64_t const id = w.add(in.e, in.run, in.block != nullptr, in.key, hint_, reserved);
        if (id == 0)
            return {};
        in.block = nullptr;  // the table has it
        return handler_id(serial, id);
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

    // ----- callbacks

    template <class F>
    struct hook_block : hook
    {
        hook_block(source const& s, F&& g) : hook(&destroy_hook), memory(s), f(std::forward<F>(g))
        {
        }
        static void destroy_hook(garbage* g) noexcept
        {
            auto* const self = static_cast<hook_block*>(g);
            detail::destroy(self, self->memory);
        }
        REGISTRY_IO_NO_UNIQUE_ADDRESS source memory;
        std::decay_t<F> f;
    };

    template <class Argument, class F>
    hook* make_hook(F&& f)
    {
        using block = hook_block<F>;
        using callable = std::decay_t<F>;
        static_assert(!detail::returns_awaitable<callable const&, Argument>,
                      "registry_io: a callback and a sink are plain functions; this one returns "
                      "something that must be awaited, and nobody would");
        incoming::refuse_empty(f);
        source s = make_known().memory;
        block* const b = detail::create<block>(s, s, std::forward<F>(f));
        auto const call = [](void* state, Argument a) {
            detail::invoke(
                static_cast<callable const&>(static_cast<block*>(static_cast<hook*>(state))->f), a);
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
    detail::atomic_of<SnapshotPolicy, writers*> writers_{nullptr};
    REGISTRY_IO_NO_UNIQUE_ADDRESS OrderingPolicy ordering_;
    REGISTRY_IO_NO_UNIQUE_ADDRESS AllocPolicy alloc_;
    std::uint32_t hint_ = 0;
    // A thread makes the writers' block.
    detail::atomic_of<SnapshotPolicy, std::uint32_t> making_{0};
};

}  // namespace detail
}  // namespace v1
}  // namespace registry_io

/// What registries of these policies share, whatever their event: declared
/// (REGISTRY_IO_DETAIL_EXTERN), or instantiated here (`template class`). In an order in which none
/// is a member of one before, as its visibility would be fixed by then.
#define REGISTRY_IO_DETAIL_SHARED(INSTANTIATE, ...)                                                \
    INSTANTIATE detail::row_order<detail::shapes<__VA_ARGS__>>;                                    \
    INSTANTIATE detail::pieces<detail::shapes<__VA_ARGS__>>;                                       \
    INSTANTIATE detail::writers<__VA_ARGS__>;                                                      \
    INSTANTIATE detail::draft<detail::writers<__VA_ARGS__>>;                                       \
    INSTANTIATE detail::flat_edit<detail::writers<__VA_ARGS__>>;                                   \
    INSTANTIATE detail::spine_edit<detail::writers<__VA_ARGS__>>;                                  \
    INSTANTIATE detail::edit<detail::writers<__VA_ARGS__>>;                                        \
    INSTANTIATE detail::dispatcher<detail::writers<__VA_ARGS__>>

#endif
