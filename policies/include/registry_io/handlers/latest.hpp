// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// `latest<Registry>`: a registry that remembers the last event, and calls a handler with it when
// the handler registers. Use it for a state, not for a stream of events.

#ifndef REGISTRY_IO_HANDLERS_LATEST_HPP
#define REGISTRY_IO_HANDLERS_LATEST_HPP

#include <registry_io/detail/supported.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <type_traits>
#include <utility>

#include <boost/core/addressof.hpp>

#include <registry_io/config.hpp>
#include <registry_io/detail/callable.hpp>
#include <registry_io/detail/wrapper.hpp>
#include <registry_io/handler_guard.hpp>
#include <registry_io/handler_id.hpp>
#include <registry_io/registration.hpp>

namespace registry_io {
inline namespace v1 {
namespace detail {

/// An event, and its number in the sequence of all events.
template <class Event>
struct numbered
{
    Event const* event;
    std::uint64_t number;
};

}  // namespace detail

/// A registry that remembers the last event, and passes it to handlers that register late.
///
/// Use it for a state rather than for a stream of events: a connection that is up or down, or a
/// configuration. `Registry` is a synchronous registry such as `SyncRegistry<event>`, whose events
/// can be copied.
///
/// The thread that registers a handler calls it with the last event before `register_handler`
/// returns. After that, the handler gets each later event exactly once. If other threads notify
/// meanwhile, the registering thread calls the handler with the newest of these events before any
/// other thread calls it; the handler does not get the events in between. If the handler throws
/// during the registration, `register_handler` throws the exception, and the handler is not
/// registered.
///
/// Concurrency and reentrancy: as `Registry`. No lock is held while a handler runs. `notify` copies
/// the event, which takes one allocation, and holds a lock while it exchanges a pointer.
template <class Registry>
class latest
{
public:
    /// The type with which handlers are called, by const reference.
    using event_type = typename Registry::event_type;
    /// The type by which handlers are sorted; `void` if they have no keys.
    using key_type = typename Registry::key_type;
    /// The policy for exceptions of handlers.
    using panic_policy = typename Registry::panic_policy;
    /// The type that `notify` returns.
    using result_type = typename Registry::result_type;

    static_assert(
        !requires(Registry const& r, event_type const& e) { r.notify_sequential(e); },
        "registry_io: latest is for synchronous registries; in an asynchronous one, store "
        "the state yourself and have late handlers read it, as register_handler cannot "
        "await that handler");
    static_assert(std::is_copy_constructible_v<event_type>,
                  "registry_io: latest remembers a copy of the event, and this event cannot be "
                  "copied");

    /// Remembers no event.
    latest() = default;
    latest(latest const&) = delete;
    latest& operator=(latest const&) = delete;

    /// Remembers a copy of `event`, then calls every handler with `event`.
    ///
    /// Throws what copying the event throws, and `std::bad_alloc`; then no handler was called.
    /// Otherwise as the registry's.
    result_type notify(event_type const& event)
    {
        auto remembered = std::make_shared<event_type const>(event);
        std::uint64_t number = 0;
        {
            std::lock_guard<std::mutex> const lock(mutex_);
            last_.swap(remembered);
            number = ++number_;
        }
        remembered.reset();
        return registry_.notify({boost::addressof(event), number});
    }

    /// Returns the last event; null if there was none, or after `forget`.
    std::shared_ptr<event_type const> last() const
    {
        std::lock_guard<std::mutex> const lock(mutex_);
        return last_;
    }

    /// Forgets the last event: a handler that registers now is called with the next event first.
    void forget()
    {
        std::shared_ptr<event_type const> forgotten;
        std::lock_guard<std::mutex> const lock(mutex_);
        last_.swap(forgotten);
    }

    /// Adds a handler, with or without a key, and calls it with the last event, if there is one.
    ///
    /// Otherwise as the registry's. Also throws what the handler throws.
    template <class... KeyAndF>
        requires(sizeof...(KeyAndF) == 1 || sizeof...(KeyAndF) == 2)
    handler_id register_handler(KeyAndF&&... arguments)
    {
        return add(std::forward<KeyAndF>(arguments)...).release();
    }

    /// Adds a handler that is removed when the returned guard is destroyed.
    template <class... KeyAndF>
        requires(sizeof...(KeyAndF) == 1 || sizeof...(KeyAndF) == 2)
    handler_guard register_guard(KeyAndF&&... arguments)
    {
        return add(std::forward<KeyAndF>(arguments)...);
    }

    /// Refuses transactions at compile time: they must not call handlers.
    template <class F>
    void update(F&&)
    {
        static_assert(
            std::is_void_v<F>,
            "registry_io: latest has no transactions: registering a handler calls it with "
            "the last event, and a transaction must not call handlers; register the "
            "handlers one after the other");
    }

    /// As the registry's.
    template <class F>
    void for_each_handler(F&& f) const
    {
        registry_.for_each_handler(std::forward<F>(f));
    }

    /// As the registry's.
    bool unregister(handler_id id) { return registry_.unregister(id); }
    /// As the registry's.
    bool unregister_and_wait(handler_id id) { return registry_.unregister_and_wait(id); }
    /// As the registry's. The last event stays.
    std::size_t clear() { return registry_.clear(); }
    /// As the registry's.
    bool contains(handler_id id) const { return registry_.contains(id); }
    /// As the registry's.
    std::size_t size() const noexcept { return registry_.size(); }
    /// As the registry's.
    bool empty() const noexcept { return registry_.empty(); }
    /// As the registry's.
    void synchronize() { registry_.synchronize(); }
    /// As the registry's.
    registration registration_of(handler_id id) const noexcept
    {
        return registry_.registration_of(id);
    }

private:
    using numbered = detail::numbered<event_type>;
    using registry = typename Registry::template rebind_event<numbered>;

    /// A handler, and the number up to which the registering thread has called it.
    template <class F>
    struct state
    {
        template <class G>
        explicit state(std::in_place_t, G&& g) : f(std::forward<G>(g))
        {
        }

        // Greater than all numbers: until it changes, only the registering thread calls the
        // handler.
        std::atomic<std::uint64_t> told{~std::uint64_t(0)};
        F f;
    };

    /// The callable that is registered.
    template <class F>
    struct handler
    {
        static_assert(detail::check_not_awaitable<F&, event_type>());

        void operator()(numbered const& n) const
            requires std::is_invocable_v<F const&, event_type const&>
        {
            if (is_open_for(n))
                detail::call(std::as_const(s->f), *n.event);
        }
        /// For registries of one thread, whose handlers need not be callable as const objects.
        void operator()(numbered const& n)
            requires(std::is_invocable_v<F&, event_type const&> &&
                     !std::is_invocable_v<F const&, event_type const&>)
        {
            if (is_open_for(n))
                detail::call(s->f, *n.event);
        }

        bool is_open_for(numbered const& n) const noexcept
        {
            // relaxed: `mutex_` orders this. A notify that stored its event before the registering
            // thread's last check may read either value. It does not call the handler: the
            // registering thread does. A notify that stored its event after the check reads the
            // final number.
            return n.number > s->told.load(std::memory_order_relaxed);
        }

        void on_registered(registration const& r) noexcept
            requires detail::told_of_registration<F>
        {
            detail::tell(s->f, r);
        }

        F const& handler_of_user() const noexcept { return s->f; }

        friend bool operator==(handler const& h, std::nullptr_t)
        {
            return detail::is_empty_handler(h.s->f);
        }

        std::shared_ptr<state<F>> s;
    };

    template <class F>
    handler_guard add(F&& f)
    {
        return tell(make_state(std::forward<F>(f)),
                    [this](auto h) { return registry_.register_guard(std::move(h)); });
    }

    template <class Key, class F>
    handler_guard add(Key&& priority, F&& f)
    {
        return tell(make_state(std::forward<F>(f)), [&](auto h) {
            return registry_.register_guard(std::forward<Key>(priority), std::move(h));
        });
    }

    template <class F>
    static std::shared_ptr<state<std::decay_t<F>>> make_state(F&& f)
    {
        return std::make_shared<state<std::decay_t<F>>>(std::in_place, std::forward<F>(f));
    }

    /// Registers a handler, and calls it with the last event until no newer event has arrived.
    template <class F, class Register>
    handler_guard tell(std::shared_ptr<state<F>> const& s, Register add_handler)
    {
        handler_guard guard = add_handler(handler<F>{s});
        if (!guard)
            return guard;  // with exceptions off, a bounded registry is full
        for (std::uint64_t told = 0;;) {
            // A handler that was removed during such a call is not called again.
            if (told != 0 && !registry_.contains(guard.id()))
                return guard;
            std::shared_ptr<event_type const> event;
            {
                std::lock_guard<std::mutex> const lock(mutex_);
                if (number_ == told || last_ == nullptr) {
                    s->told.store(number_, std::memory_order_relaxed);
                    return guard;
                }
                event = last_;
                told = number_;
            }
            if constexpr (std::is_invocable_v<F const&, event_type const&>)
                detail::call(std::as_const(s->f), *event);
            else
                detail::call(s->f, *event);
        }
    }

    mutable std::mutex mutex_;  // no user code runs under it
    std::shared_ptr<event_type const> last_;
    std::uint64_t number_ = 0;  // the number of the last event
    registry registry_;
};

}  // namespace v1
}  // namespace registry_io

#endif
