// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// `signal`: the interface of Boost.Signals2 over a registry of slots. The implementation is in
// `detail/signal_core.hpp`.

#ifndef REGISTRY_IO_SIGNALS2_SIGNAL_HPP
#define REGISTRY_IO_SIGNALS2_SIGNAL_HPP

#include <registry_io/detail/supported.hpp>

#include <cstddef>
#include <functional>
#include <type_traits>
#include <utility>

#include <boost/core/addressof.hpp>
#include <boost/core/typeinfo.hpp>
#include <boost/function.hpp>

#include <registry_io/detail/raise.hpp>
#include <registry_io/signals2/connect_position.hpp>
#include <registry_io/signals2/connection.hpp>
#include <registry_io/signals2/detail/callables.hpp>
#include <registry_io/signals2/detail/signal_core.hpp>
#include <registry_io/signals2/detail/tracked_objects.hpp>
#include <registry_io/signals2/expired_slot.hpp>
#include <registry_io/signals2/mutex.hpp>
#include <registry_io/signals2/optional_last_value.hpp>
#include <registry_io/signals2/signal_base.hpp>
#include <registry_io/signals2/slot.hpp>

namespace registry_io {
inline namespace v1 {
namespace signals2 {
namespace detail {

template <class Signature>
struct extended;
template <class R, class... Args>
struct extended<R(Args...)>
{
    using type = R(connection const&, Args...);
};
/// The signature of slots that are called with their connection.
template <class Signature>
using extended_signature = typename extended<Signature>::type;

/// Takes the place of a null pointer, as an empty `boost::function` does.
template <class R>
struct null_callable
{
    template <class... Args>
    [[noreturn]] R operator()(Args&&...) const
    {
        registry_io::detail::raise(boost::bad_function_call());
    }
};

/// A signal that is a slot of another signal: a weak reference.
template <class Core, class Signature>
class weak_signal;
template <class Core, class R, class... Args>
class weak_signal<Core, R(Args...)>
{
public:
    using result_type = typename Core::result_type;

    explicit weak_signal(signal_base const& s) noexcept : hub_(s.weak_reference()) {}

    result_type operator()(Args... args) const
    {
        if (!hub_.get().lock())
            registry_io::detail::raise(expired_slot());
        weak_hub::owner const locked(hub_.get());
        return static_cast<Core&>(hub_.get()).call_slots(static_cast<Args&&>(args)...);
    }

private:
    weak_hub hub_;
};

}  // namespace detail

template <class Signature,
          class Combiner = optional_last_value<typename detail::signature<Signature>::result>,
          class Group = int, class GroupCompare = std::less<Group>,
          class SlotFunction = boost::function<Signature>,
          class ExtendedSlotFunction = boost::function<detail::extended_signature<Signature>>,
          class Mutex = mutex>
class signal;

/// Calls any number of slots, as `boost::signals2::signal` does.
///
/// Slots are called in this order: slots connected at the front, slots with a group by their
/// groups, slots connected at the back. A call works on the slots that were connected when it
/// began. It leaves out a slot that is disconnected or blocked when the call reaches it. The
/// combiner pulls the slots' results and makes one result of them. If a slot throws, the call ends.
///
/// Concurrency: any thread may call any member at any time, from inside slots too, unless `Mutex`
/// is `dummy_mutex`; members that move, swap or destroy are excepted. A call takes no lock,
/// allocates nothing and writes nothing that threads share. Members that change the signal take
/// turns, and never wait for slots. Copies, comparisons and destructors of slots do not run under a
/// lock. `GroupCompare` does, and must not use the signal. A slot may destroy the signal; a running
/// call then goes on.
template <class R, class... Args, class Combiner, class Group, class GroupCompare,
          class SlotFunction, class ExtendedSlotFunction, class Mutex>
class signal<R(Args...), Combiner, Group, GroupCompare, SlotFunction, ExtendedSlotFunction, Mutex>
    : public signal_base
{
    using core = detail::signal_core<R(Args...), Combiner, Group, GroupCompare, Mutex>;

public:
    /// The signature of slots.
    using signature_type = R(Args...);
    /// The type that a call returns.
    using result_type = typename Combiner::result_type;
    /// The type of the combiner, which makes one result of the slots' results.
    using combiner_type = Combiner;
    /// The type of groups, by which slots are ordered.
    using group_type = Group;
    /// The type that compares groups.
    using group_compare_type = GroupCompare;
    /// The type in which slots store their callable.
    using slot_function_type = SlotFunction;
    /// The type that a slot returns.
    using slot_result_type = R;
    /// A callable together with the objects that it tracks.
    using slot_type = slot<R(Args...), SlotFunction>;
    /// The type in which slots store a callable that is called with its connection.
    using extended_slot_function_type = ExtendedSlotFunction;
    /// A callable that is called with its connection, together with the objects that it tracks.
    using extended_slot_type = slot<R(connection const&, Args...), ExtendedSlotFunction>;
    /// The type of iterator that combiners are called with.
    using slot_call_iterator = typename core::iterator;
    /// The number of arguments.
    static constexpr int arity = sizeof...(Args);
    /// The type of argument `N`.
    template <unsigned N>
    struct arg
    {
        using type = typename detail::signature<R(Args...)>::template argument<N>;  ///< The type.
    };

    /// @cond
    using weak_signal_type = detail::weak_signal<core, R(Args...)>;
    /// @endcond

    /// Creates a signal without slots. Throws `std::bad_alloc`, and what copying the arguments
    /// throws.
    explicit signal(combiner_type const& combiner = combiner_type(),
                    group_compare_type const& compare = group_compare_type())
        : signal_base(new core(combiner, compare))
    {
    }
    /// Takes over the slots. `other` may then only be assigned to or destroyed.
    signal(signal&& other) noexcept : signal_base(std::exchange(other.hub_, nullptr)) {}
    /// Disconnects the slots of this signal, and takes over those of `other`.
    signal& operator=(signal&& other) noexcept
    {
        if (this != &other) {
            signal before(std::move(*this));
            this->swap_hubs(other);
        }
        return *this;
    }
    /// Disconnects all slots.
    ~signal() override
    {
        if (hub_ != nullptr)
            hub_->unlock();
    }

    /// Swaps the slots and combiners. Precondition: no other thread uses either signal.
    void swap(signal& other) noexcept { this->swap_hubs(other); }

    // ----- connecting

    /// Connects a slot: a callable, a `slot`, or another signal, which is called as long as it
    /// exists.
    ///
    /// A running call of the signal does not call it. Throws `std::bad_alloc`, and what copying `f`
    /// throws; then nothing is connected. Costs one allocation, unless the slot tracks objects.
    template <class F>
    connection connect(F&& f, connect_position where = at_back)
    {
        return add<false, SlotFunction>(nullptr, std::forward<F>(f), where);
    }
    /// Connects a slot in a group.
    template <class F>
    connection connect(group_type const& group, F&& f, connect_position where = at_back)
    {
        return add<false, SlotFunction>(&group, std::forward<F>(f), where);
    }
    /// Connects a slot that is called with its connection, and then the arguments.
    template <class F>
    connection connect_extended(F&& f, connect_position where = at_back)
    {
        return add<true, ExtendedSlotFunction>(nullptr, std::forward<F>(f), where);
    }
    /// Connects a slot in a group that is called with its connection.
    template <class F>
    connection connect_extended(group_type const& group, F&& f, connect_position where = at_back)
    {
        return add<true, ExtendedSlotFunction>(&group, std::forward<F>(f), where);
    }

    // ----- disconnecting

    /// Disconnects the slots of a group, if `what` converts to a group. Otherwise disconnects the
    /// slots whose callable is equal to `what`. Throws what comparing throws.
    template <class T>
    void disconnect(T const& what)
    {
        if constexpr (std::is_convertible_v<T const&, group_type>)
            self().disconnect_group(what);
        else
            disconnect_equal<std::decay_t<T const&>>(what);
    }
    /// Disconnects all slots.
    void disconnect_all_slots() { self().disconnect_all(); }

    // ----- calling

    /// Calls the slots, and returns the combiner's result. Throws what a slot or the combiner
    /// throws; then later slots are not called.
    result_type operator()(Args... args) const
    {
        return self().call_slots(static_cast<Args&&>(args)...);
    }

    // ----- looking

    /// Returns the number of connected slots. Complexity: linear.
    std::size_t num_slots() const noexcept { return self().count(~std::size_t(0)); }
    /// Returns whether no slot is connected.
    bool empty() const noexcept { return self().count(1) == 0; }

    /// Returns a copy of the combiner.
    combiner_type combiner() const { return self().combiner(); }
    /// Sets the combiner for calls that begin later.
    void set_combiner(combiner_type const& combiner) { self().set_combiner(combiner); }

private:
    core& self() const noexcept { return static_cast<core&>(*hub_); }

    template <bool Extended, class F>
    static constexpr bool calls = Extended ? detail::slot_for<R, F, connection const&, Args...>
                                           : detail::slot_for<R, F, Args...>;

    /// Connects `f`. Stores the callable itself if `Function` is the default, and otherwise a
    /// `Function` made from it.
    template <bool Extended, class Function, class F>
    connection add(group_type const* group, F&& f, connect_position where)
    {
        using given = std::decay_t<F>;
        if constexpr (detail::is_slot<given>) {
            return self().template connect<Extended>(
                group, keep<Extended, Function>(std::forward<F>(f).slot_function()),
                // NOLINTNEXTLINE(bugprone-use-after-move): only the function has been moved.
                detail::tracked_objects(f.tracked_objects()), where);
        } else if constexpr (detail::is_signal<given>) {
            detail::tracked_objects tracked;
            detail::track_what_is_bound(tracked, f);
            return self().template connect<Extended>(
                group, keep<Extended, Function>(detail::storable(std::forward<F>(f))),
                std::move(tracked), where);
        } else {
            constexpr bool fits = calls<Extended, given>;
            static_assert(fits || !Extended,
                          "registry_io: an extended slot is called with a connection const& and "
                          "the arguments of the signal, and returns what converts to its result");
            static_assert(fits || Extended,
                          "registry_io: a slot is called with the arguments of the signal, and "
                          "returns what converts to its result");
            if constexpr (std::is_pointer_v<given> || std::is_member_pointer_v<given>)
                if (given const p = f; p == nullptr)
                    return self().template connect<Extended>(group, detail::null_callable<R>(),
                                                             where);
            if constexpr (!fits) {
                return {};
            } else if constexpr (detail::may_track<given>) {
                detail::tracked_objects tracked;
                detail::track_what_is_bound(tracked, std::as_const(f));
                return self().template connect<Extended>(
                    group, keep<Extended, Function>(std::forward<F>(f)), std::move(tracked), where);
            } else {
                return self().template connect<Extended>(
                    group, keep<Extended, Function>(std::forward<F>(f)), where);
            }
        }
    }

    template <bool Extended>
    using default_function =
        std::conditional_t<Extended, boost::function<R(connection const&, Args...)>,
                           boost::function<R(Args...)>>;

    /// Returns what to store for a callable.
    template <bool Extended, class Function, class F>
    static decltype(auto) keep(F&& f)
    {
        if constexpr (std::is_same_v<Function, default_function<Extended>> ||
                      std::is_same_v<Function, std::decay_t<F>>)
            return std::forward<F>(f);
        else
            return Function(std::forward<F>(f));
    }

    template <class T>
    void disconnect_equal(T const& f)
    {
        constexpr bool by_address = detail::wraps_reference<T>;
        static_assert(by_address || detail::comparable<T>,
                      "registry_io: this callable cannot be disconnected, as it is not comparable "
                      "with ==; keep the connection, and disconnect that");
        if constexpr (by_address) {
            using U = std::remove_cv_t<typename T::type>;
            self().disconnect_if([&](auto& a) {
                return a.about.type() == BOOST_CORE_TYPEID(U) &&
                    a.about.callable(a) == static_cast<void const*>(boost::addressof(f.get()));
            });
        } else if constexpr (detail::comparable<T>) {
            self().disconnect_if([&](auto& a) {
                if (a.about.type() == BOOST_CORE_TYPEID(T))
                    return detail::equal(*static_cast<T const*>(a.about.callable(a)), f);
                auto const* const wrapped = a.about.function(a);
                return wrapped != nullptr && wrapped->contains(f);
            });
        }
    }
};

/// Swaps the slots and combiners. Precondition: no other thread uses either signal.
template <class Signature, class... More>
void swap(signal<Signature, More...>& a, signal<Signature, More...>& b) noexcept
{
    a.swap(b);
}

}  // namespace signals2
}  // namespace v1
}  // namespace registry_io

#endif
