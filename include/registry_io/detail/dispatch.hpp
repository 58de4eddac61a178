// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The walk of a notify over the snapshot that it holds, and what a panic policy sees of it.
// Handlers of one type that stand side by side are a run: where a table has few runs, one indirect
// call leads to a loop over the handlers of each. Every other table is walked row by row; that walk
// is unrolled by four and calls through the 16 bytes of each entry. All that only a failure needs
// is computed after the failure, so that a walk without failures keeps no register for it.
// Invariant: the extent of the snapshot is loaded once, so a notify never runs handlers that were
// added during it.

#ifndef REGISTRY_IO_DETAIL_DISPATCH_HPP
#define REGISTRY_IO_DETAIL_DISPATCH_HPP

#include <atomic>
#include <bit>
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
    using chunk = typename root::chunk_type;
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
        char const* event_name() const noexcept
        {
            return home().kind.load(std::memory_order_relaxed)->event_name;
        }
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

    /// The address of a table: of a root, or of a chunk, plus 1.
    static std::uintptr_t address_of(root const& r) noexcept
    {
        return reinterpret_cast<std::uintptr_t>(&r);
    }
    static std::uintptr_t address_of(chunk const& c) noexcept
    {
        return reinterpret_cast<std::uintptr_t>(&c) + 1;
    }

    /// A row of a table, as a panic policy sees it after a failure. Its address, which may be null
    /// for the first row, is an integer: a pointer that a compiler has at hand for the call, it
    /// would keep in a register for the failure.
    struct row
    {
        std::uintptr_t table;
        std::uintptr_t address;

        Writers& home() const noexcept
        {
            return *static_cast<Writers*>(is_in_chunk() ? in_chunk().home : in_root().home);
        }
        handler_id id() const noexcept { return handler_id(home().serial, rows().id(number())); }
        handler_state& state() const noexcept { return state_of(rows().entries[number()]); }
        row compact() const noexcept { return *this; }

    private:
        bool is_in_chunk() const noexcept { return root::has_chunks && (table & 1) != 0; }
        // NOLINTBEGIN(performance-no-int-to-ptr): after a failure nothing is to be optimised.
        chunk const& in_chunk() const noexcept
        {
            return *reinterpret_cast<chunk const*>(table - 1);
        }
        root const& in_root() const noexcept { return *reinterpret_cast<root const*>(table); }
        // NOLINTEND(performance-no-int-to-ptr)
        columns rows() const noexcept
        {
            return is_in_chunk() ? in_chunk().rows() : in_root().rows();
        }
        std::uint32_t number() const noexcept
        {
            auto const first = reinterpret_cast<std::uintptr_t>(rows().entries);
            return address == 0 ? 0 : static_cast<std::uint32_t>((address - first) / sizeof(entry));
        }
    };

    /// How a panic policy sees the handler that it calls: `Step` rows behind `at`, which may be
    /// null for a root's first one. Nothing is computed, and no register is kept, before somebody
    /// looks: most policies do so only after a failure.
    template <class Table, std::uint32_t Step>
    struct view
    {
        Table const* table;
        entry const* at;

        BOOST_FORCEINLINE row compact() const noexcept
        {
            entry const* from = at;
#ifdef __clang__
            // clang would count this integer up beside the pointer, in every turn of the walk and
            // in a register of its own.
            asm("" : "+r"(from));
#endif
            auto const first = reinterpret_cast<std::uintptr_t>(from);
            return {address_of(*table), from == nullptr ? 0 : first + Step * sizeof(entry)};
        }
        // Not by way of the row: a policy may want the id of each handler.
        BOOST_FORCEINLINE handler_id id() const noexcept
        {
            columns const rows = table->rows();
            return handler_id(
                static_cast<Writers*>(table->home)->serial,
                rows.id(at == nullptr ? 0 : static_cast<std::uint32_t>(at - rows.entries) + Step));
        }
        BOOST_FORCEINLINE handler_state& state() const noexcept
        {
            return state_of(at == nullptr ? *table->rows().entries : at[Step]);
        }
    };
    using scope = typename panic_policy::template scope<failing>;

    /// A walk by runs: the scope, and the table, of which only a failure asks.
    struct running
    {
        scope s;
        std::uintptr_t table;

        explicit running(root const& r) : s(failing{&r}), table(address_of(r)) {}
    };

    /// As `view`, for a handler in a run.
    struct run_view
    {
        running const* in;
        entry const* at;

        BOOST_FORCEINLINE row compact() const noexcept
        {
            return {in->table, reinterpret_cast<std::uintptr_t>(at)};
        }
        BOOST_FORCEINLINE handler_id id() const noexcept { return compact().id(); }
        BOOST_FORCEINLINE handler_state& state() const noexcept { return state_of(*at); }
    };

    /// What a store calls with the root: the whole dispatch, and a part of it that saves no
    /// register, so that a store can keep the rest out of line. A function object of one word, to
    /// be passed in a register, where a lambda would leave inlining to chance.
    template <class Event>
    struct dispatching
    {
        void const* event;

        BOOST_FORCEINLINE void operator()(root const& r) const noexcept(panic_policy::isolates)
        {
            dispatch<Event>(r, event, r.look());
        }
        /// What is seen of a root that is looked at once, and whether `call_brief` may have it.
        struct sight
        {
            extent seen;
            explicit operator bool() const noexcept
            {
                // Apart, and said to be likely: clang would make one test of both, for more.
                if (seen.is_one_row()) [[likely]]
                    return true;
                return columns::has_runs && seen.is_one_run();
            }
        };
        static BOOST_FORCEINLINE sight brief(root const& r) noexcept { return {r.look()}; }
        BOOST_FORCEINLINE void call_brief(root const& r, sight of) const
            noexcept(panic_policy::isolates)
        {
            if constexpr (columns::has_runs)
                if (!of.seen.is_one_row())
                    return dispatch_run(of.seen, event, r);
            scope s(failing{&r});
            call<0>(r, r.rows().entries, nullptr, event, s);
            s.finish();
        }
        BOOST_FORCEINLINE void call_long(root const& r, sight of) const
            noexcept(panic_policy::isolates)
        {
            dispatch<Event>(r, event, of.seen);
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
            read<Event>(s, [&](root const& r) { result = dispatch<Event>(r, event, r.look()); });
            return result;
        }
    }

    template <class Event>
    BOOST_FORCEINLINE static result_type dispatch(root const& r, void const* event,
                                                  extent seen) noexcept(panic_policy::isolates)
    {
        if (std::is_void_v<Event> || !root::is_plain(seen))
            return dispatch_shared(seen, event, r);
        scope s(failing{&r});
        walk<Event>(r, seen.plain_size(), event, s);
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
            // By rows, also where there are runs: those know no sink.
            if (root::is_flat(seen))
                walk<Event>(r, seen.size(), event, scope);
            else
                r.each_chunk(seen, [&](chunk const& c, std::uint32_t m) {
                    walk<Event>(c, m, event, scope);
                });
            scope.finish();
        });
    }

    /// How far behind `Call::invoke` the function lies that calls several such handlers in a run; 0
    /// without `InRuns`.
    template <class Call, bool InRuns>
    static std::int32_t run_behind() noexcept
    {
        if constexpr (columns::has_runs && InRuns) {
            // Both lie in the same program or shared object, which is rarely too large for this.
            auto const behind = reinterpret_cast<std::intptr_t>(run_fn(&call_run<Call>)) -
                reinterpret_cast<std::intptr_t>(&Call::invoke);
            if (behind == static_cast<std::int32_t>(behind))
                return static_cast<std::int32_t>(behind);
        }
        return 0;
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
    BOOST_NOINLINE static result_type dispatch_shared(
        extent seen, void const* event, root const& r) noexcept(panic_policy::isolates)
    {
        if constexpr (columns::has_runs)
            if (seen.is_one_run())
                return dispatch_run(seen, event, r);
        if (!root::is_plain(seen))
            return dispatch_parts(seen, event, r);
        scope s(failing{&r});
        walk<void>(r, seen.plain_size(), event, s);
        return s.finish();
    }

    /// The walk of a root that is in chunks, or is walked by runs.
    BOOST_NOINLINE static result_type dispatch_parts(extent seen, void const* event,
                                                     root const& r) noexcept(panic_policy::isolates)
    {
        running in(r);
        if constexpr (columns::has_runs) {
            if (seen.is_flat()) {
                walk_runs(r.rows(), seen.size(), event, in);
                return in.s.finish();
            }
        }
        r.each_chunk(seen, [&](chunk const& c, std::uint32_t m) {
            in.table = address_of(c);
            // What is seen of the chunk may be younger than m, and then less than could be.
            if constexpr (columns::has_runs)
                if (!c.look().is_plain())
                    return walk_runs(c.rows(), m, event, in);
            walk<void>(c, m, event, in.s);
        });
        return in.s.finish();
    }

    /// The walk of a flat root that is one run. The parameters of this and of what it calls are in
    /// an order that keeps them where they are.
    BOOST_NOINLINE static result_type dispatch_run(extent seen, void const* event,
                                                   root const& r) noexcept(panic_policy::isolates)
    {
        running in(r);
        entry const* const first = r.rows().entries;
        // NOLINTNEXTLINE(performance-no-int-to-ptr): a function, of which nothing is known anyway.
        reinterpret_cast<run_fn>(r.run)(seen.end_of_one_run(first), event, first, in);
        return in.s.finish();
    }

    using run_fn = void (*)(entry const* end, void const* event, entry const* at,
                            running& in) noexcept(panic_policy::isolates);

    /// Calls the first n handlers of a table run by run. A run that is longer than a word of heads
    /// is called in parts, so that all that is kept across the calls fits in registers.
    BOOST_NOINLINE static void walk_runs(columns const& rows, std::uint32_t n, void const* event,
                                         running& in) noexcept(panic_policy::isolates)
    {
        entry const* at = rows.entries;
        auto const* cold = rows.cold();
        for (auto const* word = rows.heads();; ++word) {
            std::uint32_t left = n < 64 ? n : 64;
            // Without that of the first row. Where no bit is left, the run ends with the rows.
            std::uint64_t heads = word->load(std::memory_order_relaxed) >> 1;
            do {
                std::uint32_t m = static_cast<std::uint32_t>(std::countr_zero(heads)) + 1;
                if (m > left)
                    m = left;
                if (m == 1) {
                    run_view const v{&in, at};
                    if (in.s.invoke(calling{at, event}, v) == verdict::remove)
                        expel(v.compact());
                } else {
                    // NOLINTNEXTLINE(performance-no-int-to-ptr): as above.
                    reinterpret_cast<run_fn>(columns::run_of(*at, cold->run))(at + m, event, at,
                                                                              in);
                }
                at += m;
                cold += m;
                left -= m;
                heads = heads >> (m - 1) >> 1;
            } while (left != 0);
            if (n <= 64)
                return;
            n -= 64;
        }
    }

    /// Calls the handlers of one type from `at` on in a loop that keeps nothing but its place.
    template <class Call>
    static void call_run(entry const* end, void const* event, entry const* at,
                         running& in) noexcept(panic_policy::isolates)
    {
        do {
            run_view const v{&in, at};
            if (in.s.invoke(calling_in_run<Call>{at, event}, v) == verdict::remove)
                expel(v.compact());
        } while (++at != end);
    }
    template <class Call>
    struct calling_in_run
    {
        entry const* at;
        void const* event;
        BOOST_FORCEINLINE void operator()() const { Call::invoke(at->state, event); }
    };
    BOOST_NOINLINE static void expel(row r) noexcept { expel(r.home(), r.id()); }

    /// Calls the first n handlers of a table, of which there is at least one, row by row.
    template <class Event, class Table, class Scope>
    BOOST_FORCEINLINE static void walk(Table const& table, std::uint32_t n, void const* event,
                                       Scope& s)
    {
        // Unrolled by four: with a single indirect call site the branch predictor has to tell
        // handlers apart by history alone. The odd ones come first, so that what is left is a
        // multiple of four and its end is one comparison.
        entry const* p = table.rows().entries;
        entry const* const end = p + n;
        if (n % 4 != 0) {
            do {
                call<0>(table, p, p, event, s);
                ++p;
            } while ((end - p) % 4 != 0);
            if (p == end)
                return;
        }
        do {
            call<0>(table, p, p, event, s);
            call<1>(table, p, p, event, s);
            call<2>(table, p, p, event, s);
            call<3>(table, p, p, event, s);
            p += 4;
        } while (p != end);
    }

    template <std::uint32_t Step, class Table, class Scope>
    BOOST_FORCEINLINE static void call(Table const& table, entry const* p, entry const* at,
                                       void const* event, Scope& s)
    {
        view<Table, Step> const v{&table, at};
        if (s.invoke(calling{p + Step, event}, v) == verdict::remove)
            expel(v.compact());
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
