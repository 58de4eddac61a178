// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The implementation of a signal: the engine of a registry, whose tables hold the attachments, and
// the combiner. A combiner with state is stored like a registry's callback: a snapshot protects it,
// and a call reads it without a lock.

#ifndef REGISTRY_IO_SIGNALS2_DETAIL_SIGNAL_CORE_HPP
#define REGISTRY_IO_SIGNALS2_DETAIL_SIGNAL_CORE_HPP

#include <registry_io/detail/supported.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <tuple>
#include <type_traits>
#include <utility>

#include <boost/core/addressof.hpp>
#include <boost/core/no_exceptions_support.hpp>

#include <registry_io/alloc/heap.hpp>
#include <registry_io/config.hpp>
#include <registry_io/detail/engine.hpp>
#include <registry_io/signals2/connect_position.hpp>
#include <registry_io/signals2/connection.hpp>
#include <registry_io/signals2/detail/attached.hpp>
#include <registry_io/signals2/detail/attachment.hpp>
#include <registry_io/signals2/detail/combining.hpp>
#include <registry_io/signals2/detail/invocation.hpp>
#include <registry_io/signals2/detail/slot_order.hpp>
#include <registry_io/signals2/detail/tracked_objects.hpp>
#include <registry_io/signals2/dummy_mutex.hpp>
#include <registry_io/snapshot/hazard_pointer.hpp>
#include <registry_io/snapshot/single_thread.hpp>

namespace registry_io {
inline namespace v1 {
namespace signals2 {
namespace detail {

template <class Signature, class Combiner, class Group, class Compare, class Mutex>
class signal_core;
template <class R, class... Args, class Combiner, class Group, class Compare, class Mutex>
class signal_core<R(Args...), Combiner, Group, Compare, Mutex> final : public hub
{
    using snapshot_policy = std::conditional_t<std::is_same_v<Mutex, dummy_mutex>,
                                               snapshot::single_thread, snapshot::hazard_pointer>;
    using ordering = slot_order<Group, Compare>;
    using event_type = event<R(Args...)>;
    using engine =
        registry_io::detail::engine<event_type, snapshot_policy, ordering, passing, alloc::heap>;
    using writers = typename engine::writers;
    using root = typename engine::root;
    using position = slot_position<Group>;
    using placed = placed_attachment<position>;
    using combiner_place = combiner_hook<Combiner>;

    static constexpr bool walks_alone = only_calls<Combiner>;
    static constexpr bool has_state = !std::is_empty_v<Combiner>;
    static constexpr auto combiner_kind = registry_io::detail::report_hook;

public:
    using result_type = typename Combiner::result_type;
    using invocation_type = invocation<root, R(Args...)>;
    using iterator = slot_call_iterator<invocation_type, R>;

    signal_core(Combiner const& combiner, Compare const& compare)
        : hub(operations_of_this), order_(compare), stateless_(combiner)
    {
        // Not in the list above: compilers disagree whether a constructor that throws destroys a
        // member of a union.
        ::new (static_cast<void*>(boost::addressof(engine_)))
            engine(alloc::heap(), ordering(compare));
        if constexpr (has_state) {
            struct closed_if_thrown
            {
                engine* e;
                ~closed_if_thrown()
                {
                    if (e != nullptr)
                        e->~engine();
                }
            } guard{&engine_};
            set_combiner(combiner);
            guard.e = nullptr;
        }
    }

    // ----- calling

    result_type call_slots(Args... args)
    {
        // The references that the event keeps refer to this function's parameters.
        event_type e{std::tuple<kept_argument<Args>...>(static_cast<forwarded<Args>>(args)...)};
        if constexpr (walks_alone) {
            engine_.notify(e);
        } else {
            returned<result_type> result;
            // A slot may destroy the signal, so use nothing of this object after the call.
            stateless combiner = stateless_;
            engine_.read([&](root const& r) {
                result.fill(
                    [&]() -> result_type { return combine(combiner_of(r, combiner), &r, e); });
            });
            if (!result.is_full())
                return combine_nothing(combiner, e);
            return result.take();
        }
    }

    // ----- connecting

    /// Connects `f`, which tracks `tracked`. `group` is null for a slot without one.
    template <bool Extended, class F>
    connection connect(Group const* group, F&& f, tracked_objects&& tracked, connect_position where)
    {
        using callable = std::decay_t<F>;
        constexpr looks look = walks_alone ? looks::slot : looks::iterator;
        if (tracked.empty()) {
            using type = attached<R(Args...), position, look, callable, Extended, false>;
            return add(new type(*this, position_of(group, where), std::forward<F>(f)), where);
        }
        using type = attached<R(Args...), position, look, callable, Extended, true>;
        return add(
            new type(*this, position_of(group, where), std::forward<F>(f), std::move(tracked)),
            where);
    }
    /// The same, for a callable whose type cannot track anything.
    template <bool Extended, class F>
    connection connect(Group const* group, F&& f, connect_position where)
    {
        constexpr looks look = walks_alone ? looks::slot : looks::iterator;
        using type = attached<R(Args...), position, look, std::decay_t<F>, Extended, false>;
        return add(new type(*this, position_of(group, where), std::forward<F>(f)), where);
    }

    // ----- disconnecting

    void disconnect_all() noexcept
    {
        disconnect_if([](placed&) { return true; });
    }
    void disconnect_group(Group const& group)
    {
        disconnect_if([&](placed& a) { return order_.is_in(a.key, group); });
    }
    /// Disconnects the slots for which `f(attachment&)` returns true.
    template <class F>
    void disconnect_if(F f)
    {
        std::size_t found = 0;
        each([&](placed& a) {
            if (!a.is_disconnected() && f(a))
                found += a.mark() ? 1 : 0;
            return true;
        });
        if (found != 0)
            sweep(2 * found > engine_.size());
    }

    // ----- querying

    std::size_t count(std::size_t most) noexcept
    {
        std::size_t n = 0;
        each([&](placed& a) {
            if (a.is_disconnected())
                return true;
            if (!detail::tracks_expired(a))
                return ++n != most;
            a.disconnect();
            return true;
        });
        return n;
    }

    // ----- the combiner

    Combiner combiner()
    {
        if constexpr (has_state) {
            counted const c(current_combiner());
            return c.hook->combiner;
        } else {
            return stateless_;
        }
    }
    void set_combiner(Combiner const& c)
    {
        if constexpr (has_state) {
            struct owned
            {
                combiner_place* place;
                ~owned()
                {
                    if (place != nullptr)
                        place->drop();
                }
            } fresh{new combiner_place(c)};
            engine_.make_known().set_hook(combiner_kind, fresh.place);
            fresh.place = nullptr;
        }
    }

private:
    /// The most slots that wait to be taken out together.
    static constexpr std::size_t most_waiting = 8;
    /// From this many slots on, slots to be taken out are not listed. A sweep finds them.
    static constexpr std::size_t many = 1024;
    using waiting = std::array<placed*, most_waiting + 2>;

    struct no_combiner
    {
        no_combiner(Combiner const&) noexcept {}
    };
    using stateless = std::conditional_t<has_state, no_combiner, Combiner>;

    ~signal_core() {}  // the engine was destroyed before

    /// How a parameter is passed on to the event.
    template <class T>
    using forwarded = std::conditional_t<std::is_reference_v<T>, T, T&>;

    static signal_core& of(hub& h) noexcept { return static_cast<signal_core&>(h); }

    static constexpr hub::operations operations_of_this{
        [](hub& h) noexcept { of(h).close(); }, [](hub& h) noexcept { delete &of(h); },
        [](hub& h, attachment& a) noexcept { of(h).take_out(static_cast<placed&>(a)); }};

    void close() noexcept
    {
        engine_.~engine();
        // acquire: pairs with the exchange in take_out that has put the slot there.
        for (auto& place : waiting_)
            if (placed* const p = place.load(std::memory_order_acquire))
                p->drop();
    }

    static placed& of(registry_io::detail::entry const& e) noexcept
    {
        return static_cast<placed&>(
            *static_cast<attachment*>(static_cast<typename writers::block_base*>(e.state)));
    }

    static position position_of(Group const* group, connect_position where)
    {
        if (group != nullptr)
            return {zone::grouped, *group};
        return {where == at_front ? zone::front : zone::back, {}};
    }

    template <class Attached>
    connection add(Attached* a, connect_position where)
    {
        connection made(attachment_ptr::adopt(*a));
        struct owned
        {
            attachment* a;
            ~owned()
            {
                if (a != nullptr)
                    a->destroy(a);
            }
        } mine{a};
        // relaxed: only the numbers must differ. The lock orders the slots.
        std::uint64_t const n =
            1 + (where == at_front ? fronts_ : backs_).fetch_add(1, std::memory_order_relaxed);
        a->id = where == at_front ? middle - n : middle + n;
        engine_.adopt(a->entry(), stored_key(*a), a->id);
        mine.a = nullptr;
        return made;
    }

    static typename engine::stored_key stored_key(placed const& a) noexcept
    {
        if constexpr (registry_io::detail::key_in_table<position>)
            return a.key;
        else
            return &a.key;
    }

    /// Takes out a marked slot. If the program cannot observe when its callable is destroyed, the
    /// slot waits for a few others: taking them out together costs little more than taking out one.
    void take_out(placed& a) noexcept
    {
        waiting some{&a};
        std::size_t count = 1;
        if (!a.about.can_wait)
            return take_out(some, count);
        // relaxed, here and below: these are numbers, and the exchanges decide which slot is where.
        std::size_t const size = engine_.size();
        std::size_t const unlisted = unlisted_.load(std::memory_order_relaxed);
        if (size >= many || unlisted != 0) {
            // A sweep examines each slot, so wait until there are enough slots to take out.
            if (16 * (unlisted_.fetch_add(1, std::memory_order_relaxed) + 1) > size ||
                size < many) {
                unlisted_.store(0, std::memory_order_relaxed);
                sweep(false);
            }
            return;
        }
        std::uint32_t const n = waiting_count_.fetch_add(1, std::memory_order_relaxed);
        a.hold();
        // acq_rel: a thread that takes a slot from its place takes over its reference, and must see
        // the slot's contents.
        auto const exchange = [&](std::size_t place, placed* with) {
            some[count] = waiting_[place].exchange(with, std::memory_order_acq_rel);
            count += some[count] != nullptr ? 1 : 0;
        };
        if (n < most_waiting) {
            count = 0;
            exchange(n, &a);
        }
        if (n + 1 >= most_waiting || std::size_t(2) * (n + 1) > size) {
            for (std::size_t i = 0; i != most_waiting; ++i)
                exchange(i, nullptr);
            waiting_count_.store(0, std::memory_order_relaxed);
        }
        if (count == 0)
            return;
        take_out(some, count);
        while (count != 0)
            some[--count]->drop();
    }

    BOOST_NOINLINE void take_out(waiting const& some, std::size_t count) noexcept
    {
        auto const erase = [&](typename writers::edit& change, garbage_list& dead) {
            bool any = false;
            for (std::size_t i = 0; i != count; ++i) {
                auto const key = stored_key(*some[i]);
                any = change.erase(some[i]->id, dead, &key) || any;
            }
            return any;
        };
        BOOST_TRY
        {
            engine_.known().locked_change(erase, nullptr, count == 1);
        }
        BOOST_CATCH(...) {}  // out of memory: the slots stay, and nothing calls them
        BOOST_CATCH_END
    }

    /// Takes out all marked slots. `all`: possibly all slots are marked.
    BOOST_NOINLINE void sweep(bool all) noexcept
    {
        using columns = typename engine::columns;
        BOOST_TRY
        {
            writers& w = engine_.known();
            w.locked_change(
                [&w, all](typename writers::edit& change, garbage_list& dead) {
                    root const* const r = w.policy_writer.current();
                    if (r == nullptr)
                        return false;
                    bool other = !all;
                    if (all)
                        r->each_table([&](columns rows, std::uint32_t n) {
                            for (std::uint32_t i = 0; i < n && !other; ++i)
                                other = !of(rows.entries[i]).is_disconnected();
                        });
                    if (!other)
                        return change.clear(dead) != 0;
                    bool any = false;
                    r->each_table([&](columns rows, std::uint32_t n) {
                        for (std::uint32_t i = 0; i < n; ++i)
                            if (of(rows.entries[i]).is_disconnected())
                                any = change.erase(rows.id(i), dead, &rows.cold()[i].key) || any;
                    });
                    return any;
                },
                nullptr, false);
        }
        BOOST_CATCH(...) {}  // as in take_out
        BOOST_CATCH_END
    }

    /// Calls `f(placed&)` for each slot of the current snapshot, until it returns false.
    template <class F>
    void each(F f)
    {
        engine_.read([&](root const& r) {
            bool go_on = true;
            r.each_table([&](typename engine::columns rows, std::uint32_t n) {
                for (std::uint32_t i = 0; go_on && i < n; ++i)
                    go_on = f(of(rows.entries[i]));
            });
        });
    }

    // ----- combining

    template <class C>
    static result_type combine(C& combiner, root const* r, event_type& e)
    {
        invocation_type calls(r, e);
        calls.advance();
        return combiner(iterator(calls, calls.at()), iterator(calls, invocation_type::end));
    }
    static Combiner& combiner_of(root const& r, stateless& s) noexcept
    {
        if constexpr (has_state)
            return static_cast<combiner_place*>(r.hook_of(combiner_kind))->combiner;
        else
            return s;
    }

    struct counted
    {
        explicit counted(combiner_place* h) noexcept : hook(h) {}
        counted(counted const&) = delete;
        counted& operator=(counted const&) = delete;
        ~counted() { hook->drop(); }
        combiner_place* hook;
    };
    combiner_place* current_combiner()
    {
        writers& w = engine_.known();
        registry_io::detail::locked_scope const lock(w.policy_writer.mutex());
        auto* const h = static_cast<combiner_place*>(w.hook_of(combiner_kind));
        h->hold();
        return h;
    }
    /// Calls the combiner of a signal without slots. No snapshot protects the combiner, so a count
    /// does.
    BOOST_NOINLINE result_type combine_nothing([[maybe_unused]] stateless& s, event_type& e)
    {
        if constexpr (has_state) {
            counted const c(current_combiner());
            return combine(c.hook->combiner, nullptr, e);
        } else {
            return combine(s, nullptr, e);
        }
    }

    /// The ids of slots at the front are below this number, the ids of all others above it.
    static constexpr std::uint64_t middle = std::uint64_t(1) << 62;

    REGISTRY_IO_NO_UNIQUE_ADDRESS ordering order_;
    union
    {
        engine engine_;  // destroyed when the signal has no owner left
    };
    std::atomic<std::uint64_t> fronts_{0};
    std::atomic<std::uint64_t> backs_{0};
    std::atomic<placed*> waiting_[most_waiting] = {};
    std::atomic<std::uint32_t> waiting_count_{0};
    std::atomic<std::size_t> unlisted_{0};
    REGISTRY_IO_NO_UNIQUE_ADDRESS stateless stateless_;
};

}  // namespace detail
}  // namespace signals2
}  // namespace v1
}  // namespace registry_io

#endif
