// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Registries whose policies are not part of a type. `registry_for` is a concept for generic code;
// `registry_ref` is a type-erased reference for interfaces that are compiled once, such as those of
// shared objects. A call through a `registry_ref` costs one more indirect call.

#ifndef REGISTRY_IO_REGISTRY_REF_HPP
#define REGISTRY_IO_REGISTRY_REF_HPP

#include <registry_io/detail/supported.hpp>

#include <concepts>
#include <cstddef>
#include <type_traits>
#include <utility>

#include <boost/core/addressof.hpp>

#include <registry_io/detail/callable.hpp>
#include <registry_io/detail/handler.hpp>
#include <registry_io/handler_guard.hpp>
#include <registry_io/handler_id.hpp>
#include <registry_io/handler_label.hpp>
#include <registry_io/registration.hpp>
#include <registry_io/registry_fwd.hpp>

namespace registry_io {
inline namespace v1 {

// tag::registry_for[]
/// A registry for events of type `Event`, with any policies: a constraint for generic code.
template <class R, class Event>
concept registry_for = std::same_as<typename R::event_type, Event> &&
    requires(R& r, R const& c, Event const& event, handler_id id, void (*handler)(Event const&)) {
        c.notify(event);
        { r.register_handler(handler) } -> std::same_as<handler_id>;
        { r.register_guard(handler) } -> std::same_as<handler_guard>;
        { r.unregister(id) } -> std::same_as<bool>;
        { c.contains(id) } -> std::same_as<bool>;
        { r.clear() } -> std::same_as<std::size_t>;
        { c.size() } noexcept -> std::same_as<std::size_t>;
        { c.empty() } noexcept -> std::same_as<bool>;
        r.synchronize();
    };
// end::registry_for[]

/// A move-only, type-erased handler, which a `registry_ref` passes to its registry.
///
/// Construction allocates once.
template <class Event>
class erased_handler
{
public:
    /// Throws what copying or moving `f` throws, and `std::bad_alloc`.
    template <class F>
        requires(!std::same_as<std::decay_t<F>, erased_handler> &&
                 std::is_invocable_v<std::decay_t<F> const&, Event const&>)
    explicit erased_handler(F&& f)
        : state_(detail::is_empty_handler(f)
                     ? nullptr
                     : static_cast<void*>(new std::decay_t<F>(std::forward<F>(f)))),
          call_([](void const* s, Event const& event) {
              detail::invoke(*static_cast<std::decay_t<F> const*>(s), event);
          }),
          manage_([](void* s, registration const* r) noexcept {
              if (r == nullptr)
                  delete static_cast<std::decay_t<F>*>(s);
              else
                  detail::tell(*static_cast<std::decay_t<F>*>(s), *r);
          })
    {
        if constexpr (requires { label_ = f.label(); })
            label_ = state_ != nullptr ? static_cast<std::decay_t<F> const*>(state_)->label()
                                       : handler_label();
        else
            label_ = handler_label::of_type<std::decay_t<F>>();
        static_assert(detail::check_not_awaitable<std::decay_t<F> const&, Event>());
    }
    /// The moved-from handler may only be destroyed.
    erased_handler(erased_handler&& other) noexcept
        : state_(std::exchange(other.state_, nullptr)),
          call_(other.call_),
          manage_(other.manage_),
          label_(std::move(other.label_))
    {
    }
    erased_handler& operator=(erased_handler&&) = delete;
    ~erased_handler()
    {
        if (state_ != nullptr)
            manage_(state_, nullptr);
    }

    /// Whether it was made from an empty handler, which a registry refuses, or is moved-from.
    friend bool operator==(erased_handler const& f, std::nullptr_t) noexcept
    {
        return f.state_ == nullptr;
    }

    /// The handler's label, if it has one; otherwise the name of its type.
    handler_label const& label() const noexcept { return label_; }

    /// For registries: passes on the registration to the handler.
    void on_registered(registration const& r) noexcept { manage_(state_, &r); }

    /// Calls the handler. Throws what it throws. Precondition: it is not empty.
    void operator()(Event const& event) const { call_(state_, event); }

private:
    void* state_;
    void (*call_)(void const*, Event const&);
    void (*manage_)(void*, registration const*) noexcept;  // destroys if the registration is null
    handler_label label_;
};

/// A view of a registry that hides its policies, for the boundary of a library.
///
/// As cheap to copy as two pointers. It does not own the registry, which must outlive it. The
/// result of `notify` is dropped; exceptions that the panic policy lets through reach the caller.
/// Handlers are registered with the ordering's default key. A handler costs one more allocation,
/// and a call one more indirect call. Members do what the registry's members of the same name do.
template <class Event>
class registry_ref
{
    struct table
    {
        void (*notify)(void const*, Event const&);
        handler_id (*register_handler)(void*, erased_handler<Event>&&);
        handler_guard (*register_guard)(void*, erased_handler<Event>&&);
        bool (*unregister)(void*, handler_id);
        bool (*unregister_and_wait)(void*, handler_id);
        bool (*contains)(void const*, handler_id);
        std::size_t (*clear)(void*);
        std::size_t (*size)(void const*) noexcept;
        void (*synchronize)(void*);
        registration (*registration_of)(void const*, handler_id) noexcept;
    };

    template <class R>
    static R& as(void* r) noexcept
    {
        return *static_cast<R*>(r);
    }
    template <class R>
    static R const& as(void const* r) noexcept
    {
        return *static_cast<R const*>(r);
    }

    template <class R>
    static constexpr table table_of{
        [](void const* r, Event const& event) { static_cast<void>(as<R>(r).notify(event)); },
        [](void* r, erased_handler<Event>&& f) { return as<R>(r).register_handler(std::move(f)); },
        [](void* r, erased_handler<Event>&& f) { return as<R>(r).register_guard(std::move(f)); },
        [](void* r, handler_id id) { return as<R>(r).unregister(id); },
        [](void* r, handler_id id) { return as<R>(r).unregister_and_wait(id); },
        [](void const* r, handler_id id) { return as<R>(r).contains(id); },
        [](void* r) { return as<R>(r).clear(); },
        [](void const* r) noexcept { return as<R>(r).size(); },
        [](void* r) { as<R>(r).synchronize(); },
        []([[maybe_unused]] void const* r, [[maybe_unused]] handler_id id) noexcept {
            if constexpr (requires { as<R>(r).registration_of(id); })
                return as<R>(r).registration_of(id);
            else
                return registration();
        },
    };

public:
    /// The type with which handlers are called, by const reference.
    using event_type = Event;

    /// A view of `registry`, which must outlive it.
    template <class R>
        requires(!std::same_as<R, registry_ref> && registry_for<R, Event>)
    registry_ref(R& registry) noexcept : registry_(boost::addressof(registry)), table_(&table_of<R>)
    {
    }

    /// Calls every handler. Throws what the registry's panic policy lets through.
    void notify(Event const& event) const { table_->notify(registry_, event); }

    /// Adds a handler. Throws what the registry's member throws, and what constructing an
    /// `erased_handler` throws.
    template <class F>
    handler_id register_handler(F&& f) const
    {
        return table_->register_handler(registry_, erased_handler<Event>(std::forward<F>(f)));
    }
    /// As `register_handler`; the guard removes the handler.
    template <class F>
    handler_guard register_guard(F&& f) const
    {
        return table_->register_guard(registry_, erased_handler<Event>(std::forward<F>(f)));
    }

    /// Removes a handler. Returns whether it was registered.
    bool unregister(handler_id id) const { return table_->unregister(registry_, id); }
    /// Removes a handler, and waits until no notify runs it.
    bool unregister_and_wait(handler_id id) const
    {
        return table_->unregister_and_wait(registry_, id);
    }
    /// Whether a handler is registered.
    bool contains(handler_id id) const { return table_->contains(registry_, id); }
    /// Removes all handlers. Returns how many there were.
    std::size_t clear() const { return table_->clear(registry_); }
    /// How many handlers are registered.
    std::size_t size() const noexcept { return table_->size(registry_); }
    /// Whether no handler is registered.
    bool empty() const noexcept { return size() == 0; }
    /// Names a handler together with its registry; empty if the registry has no `registration_of`.
    registration registration_of(handler_id id) const noexcept
    {
        return table_->registration_of(registry_, id);
    }
    /// Waits for the notifies that have taken their snapshot; see the registry's member.
    void synchronize() const { table_->synchronize(registry_); }

private:
    void* registry_;
    table const* table_;
};

}  // namespace v1
}  // namespace registry_io

#endif
