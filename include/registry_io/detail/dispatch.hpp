// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The walk of a notify over the snapshot that it holds, and what a panic policy sees of it. The
// walk is unrolled by four and calls through the 16 bytes of each entry; all that only a failure
// needs is computed after the failure, so that a walk without failures keeps no register for it.
// Invariant: the extent of the snapshot is loaded once, so a notify never runs handlers that were
// added during it.

#ifndef REGISTRY_IO_DETAIL_DISPATCH_HPP
#define REGISTRY_IO_DETAIL_DISPATCH_HPP

#include <atomic>
#include <cstdint>
#include <type_traits>
#include <utility>

#include <boost/config.hpp>
#include <boost/core/no_exceptions_support.hpp>

#include <registry_io/detail/handler.hpp>
#include <registry_io/detail/sink.hpp>
#include <registry_io/detail/table.hpp>
#include <registry_io/handler_id.hpp>
#include <registry_io/policy.hpp>

namespace registry_io {
inline namespace v1 {
namespace detail {

/// Makes a default-constructed object, in a constant expression if that can be.
template <class T>
constexpr bool made_by_the_compiler()
{
    T const t{};
    static_cast<void>(t);
    return true;
}

/// Whether a default-constructed object can be made by the compiler. By way of a function: g++ 12
/// calls `(T{}, true)` a constant expression only behind the first use of T's constructor, so that
/// two files of one program gave two answers, and one variable two storage durations.
template <class T>
concept constant_initialized = requires { typename std::bool_constant<made_by_the_compiler<T>()>; };

/// What a notify does with the snapshot that it holds. Registries of all types of events share it
/// but for the walk itself: that is one for each, or handlers of other events would spoil the
/// branch predictor's picture of its calls. `Event` tells walks apart and is nothing else. `void`
/// is the walk that all share, of nested notifies and of tables of many chunks.
template <class Writers>
class dispatcher
{
public:
    using panic_policy = typename Writers::panic_policy;
    using store = typename Writers::store;
    using root = typename Writers::root;
    using columns = typename Writers::columns;
    using extent = typename root::extent;
    using handler_state = typename panic_policy::handler_state;
    using result_type = typename panic_policy::result_type;

    /// What only a failing handler makes a scope look at. It is made from the root alone, so that
    /// notify keeps nothing else across the calls, and all that looks at it is out of line.
    struct failing
    {
        root const* snapshot;

        Writers& home() const noexcept { return *static_cast<Writers*>(snapshot->home); }
        // relaxed: whoever registered before this notify also stored it. A handler of this notify
        // may have destroyed the registry since, and the policy in it.
        panic_policy& policy() const noexcept
        {
            panic_policy* const p = home().panic.load(std::memory_order_relaxed);
            return p != nullptr ? *p : orphaned();
        }
        /// Stands in for the policy of a registry that is gone. Never behind a lock: a child of
        /// `fork` would wait for a thread that was making it in the parent.
        static panic_policy& orphaned() noexcept
        {
            if constexpr (constant_initialized<panic_policy>) {
                static constinit panic_policy p{};
                return p;
            } else {
                static thread_local panic_policy p{};
                return p;
            }
        }
        char const* event_name() const noexcept { return home().event_name; }
        panic_hooks hooks() const noexcept
        {
            hook* const report = snapshot->hooks[report_hook];
            hook* const log = snapshot->hooks[log_hook];
            return panic_hooks(report == nullptr ? nullptr : report->report, report,
                               log == nullptr ? nullptr : log->log, log);
        }
    };

    static handler_state& state_of(entry const& e) noexcept
    {
        return static_cast<typename Writers::block_base*>(e.state)->state;
    }

    /// A row of a table, as a panic policy sees it after a failure. Its address, which may be null
    /// for the first row, is an integer: a pointer that a compiler has at hand for the call, it
    /// would keep in a register for the failure.
    template <class Table>
    struct row
    {
        Table const* table;
        std::uintptr_t address;

        std::uint32_t number() const noexcept
        {
            auto const first = reinterpret_cast<std::uintptr_t>(table->rows().entries);
            return address == 0 ? 0 : static_cast<std::uint32_t>((address - first) / sizeof(entry));
        }
        handler_id id() const noexcept
        {
            return handler_id(static_cast<Writers*>(table->home)->serial,
                              table->rows().id(number()));
        }
        handler_state& state() const noexcept { return state_of(table->rows().entries[number()]); }
        row compact() const noexcept { return *this; }
    };

    /// How a panic policy sees the handler that it calls: `Step` rows behind `at`, which may be
    /// null for a table's first one. Nothing is computed, and no register is kept, before somebody
    /// looks: most policies do so only after a failure.
    template <class Table, std::uint32_t Step>
    struct view
    {
        Table const* table;
        entry const* at;

        BOOST_FORCEINLINE row<Table> compact() const noexcept
        {
            auto const first = reinterpret_cast<std::uintptr_t>(at);
            return {table, at == nullptr ? 0 : first + Step * sizeof(entry)};
        }
        BOOST_FORCEINLINE handler_id id() const noexcept { return compact().id(); }
        BOOST_FORCEINLINE handler_state& state() const noexcept
        {
            return state_of(at == nullptr ? *table->rows().entries : at[Step]);
        }
    };
    using scope = typename panic_policy::template scope<failing>;

    /// What a store calls with the root: the whole dispatch, and a part of it that saves no
    /// register, so that a store can keep the rest out of line. A function object of one word, to
    /// be passed in a register, where a lambda would leave inlining to chance.
    template <class Event>
    struct dispatching
    {
        void const* event;

        BOOST_FORCEINLINE void operator()(root const& r) const noexcept(panic_policy::isolates)
        {
            dispatch<Event>(r, event);
        }
        // More rows may have been appended by the time of the call; they are not of this notify.
        static BOOST_FORCEINLINE bool brief(root const& r) noexcept
        {
            return r.look().is_one_row();
        }
        BOOST_FORCEINLINE void call_brief(root const& r) const noexcept(panic_policy::isolates)
        {
            scope s(failing{&r});
            call<0>(r, r, r.rows().entries, nullptr, event, s);
            s.finish();
        }
        dispatching<void> shared() const noexcept { return {event}; }
    };

    /// Names the type of registry to a store that asks for it.
    template <class Event>
    using kind = std::type_identity<typename Writers::template told_as<Event>>;

    /// Calls `f` with the root that is current.
    template <class Event, class F>
    BOOST_FORCEINLINE static void read(store const& s,
                                       F f) noexcept(noexcept(f(std::declval<root&>())))
    {
        if constexpr (told_store<store, typename Writers::template told_as<Event>>)
            s.read(kind<Event>(), f);
        else
            s.read(f);
    }

    /// A whole notify.
    template <class Event>
    static result_type notify(store const& s, void const* event) noexcept(panic_policy::isolates)
    {
        if constexpr (std::is_void_v<result_type>) {
            read<Event>(s, dispatching<Event>{event});
        } else {
            result_type result{};
            read<Event>(s, [&](root const& r) { result = dispatch<Event>(r, event); });
            return result;
        }
    }

    template <class Event>
    BOOST_FORCEINLINE static result_type dispatch(root const& r, void const* event) noexcept(
        panic_policy::isolates)
    {
        extent const seen = r.look();
        if (std::is_void_v<Event> || !seen.is_flat())
            return dispatch_shared(r, event, seen);
        scope s(failing{&r});
        walk<Event>(r, r, seen.flat_size(), event, s);
        return s.finish();
    }

    /// `failing`, of a notify with a sink of its own.
    template <class Sink>
    struct failing_to : failing
    {
        Sink* to;
        Sink& sink() const noexcept { return *to; }
    };

    /// A whole notify that hands its failures to `sink`.
    template <class Event, class Sink>
    static void notify_to(store const& s, void const* event, Sink& sink)
    {
        read<Event>(s, [&](root const& r) {
            scope_of<panic_policy, failing_to<Sink>> scope(failing_to<Sink>{{&r}, &sink});
            extent const seen = r.look();
            if (seen.is_flat())
                walk<Event>(r, r, seen.flat_size(), event, scope);
            else
                r.each_chunk(seen, [&](typename root::chunk_type const& c, std::uint32_t m) {
                    walk<Event>(r, c, m, event, scope);
                });
            scope.finish();
        });
    }

    /// Removes a handler for the panic policy.
    BOOST_NOINLINE static void expel(Writers& w, handler_id id) noexcept
    {
        BOOST_TRY
        {
            // A handler of this notify may have destroyed the registry since.
            if (w.panic.load(std::memory_order_relaxed) != nullptr)
                w.remove(id.value());
        }
        BOOST_CATCH(...) {}  // short of memory: the next failure tries again
        BOOST_CATCH_END
    }

private:
    /// The walk that is shared.
    BOOST_NOINLINE static result_type dispatch_shared(root const& r, void const* event,
                                                      extent seen) noexcept(panic_policy::isolates)
    {
        scope s(failing{&r});
        if (seen.is_flat())
            walk<void>(r, r, seen.flat_size(), event, s);
        else
            r.each_chunk(seen, [&](typename root::chunk_type const& c, std::uint32_t m) {
                walk<void>(r, c, m, event, s);
            });
        return s.finish();
    }

    /// Calls the first n handlers of a table, of which there is at least one.
    template <class Event, class Table, class Scope>
    BOOST_FORCEINLINE static void walk(root const& r, Table const& table, std::uint32_t n,
                                       void const* event, Scope& s)
    {
        // Unrolled by four: with a single indirect call site the branch predictor has to tell
        // handlers apart by history alone. The odd ones come first, so that what is left is a
        // multiple of four and its end is one comparison.
        entry const* p = table.rows().entries;
        entry const* const end = p + n;
        if (n % 4 != 0) {
            do {
                call<0>(r, table, p, p, event, s);
                ++p;
            } while ((end - p) % 4 != 0);
            if (p == end)
                return;
        }
        do {
            call<0>(r, table, p, p, event, s);
            call<1>(r, table, p, p, event, s);
            call<2>(r, table, p, p, event, s);
            call<3>(r, table, p, p, event, s);
            p += 4;
        } while (p != end);
    }

    template <std::uint32_t Step, class Table, class Scope>
    BOOST_FORCEINLINE static void call(root const& r, Table const& table, entry const* p,
                                       entry const* at, void const* event, Scope& s)
    {
        view<Table, Step> const v{&table, at};
        if (s.invoke(calling{p + Step, event}, v) == verdict::remove)
            expel(failing{&r}.home(), v.id());
    }

    struct calling
    {
        entry const* at;
        void const* event;
        BOOST_FORCEINLINE void operator()() const { at->invoke(at->state, event); }
    };
};

}  // namespace detail
}  // namespace v1
}  // namespace registry_io

#endif
