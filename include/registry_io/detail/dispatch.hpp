// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The walk of a notify over its snapshot. Adjacent handlers of one type are a run. If a table has
// few runs, one indirect call for each run leads to a loop over its handlers. Any other table is
// walked row by row; that loop is unrolled by four and calls through the 16 bytes of each entry.
// Values that are needed only after a failure are computed after it, so that a walk without
// failures keeps no register for them.
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
#include <registry_io/detail/views.hpp>
#include <registry_io/handler_id.hpp>
#include <registry_io/policy.hpp>

namespace registry_io {
inline namespace v1 {
namespace detail {

/// Calls the handlers of a snapshot. Registries of all event types share this code except for the
/// walk: with a walk of its own, each event type has its own indirect calls, whose targets the
/// branch predictor learns separately. `Event` serves only to tell walks apart. `void` names the
/// walk that all event types share, for nested notifies and for tables of many chunks.
template <class Writers>
class dispatcher : public views<Writers>
{
    using base = views<Writers>;

public:
    using typename base::chunk;
    using typename base::columns;
    using typename base::failing;
    using typename base::panic_policy;
    using typename base::root;
    using typename base::row;
    using typename base::run_view;
    using typename base::running;
    using typename base::scope;
    template <class Sink>
    using failing_to = typename base::template failing_to<Sink>;
    template <class Table, std::uint32_t Step>
    using view = typename base::template view<Table, Step>;
    using base::address_of;
    using store = typename Writers::store;
    using result_type = typename panic_policy::result_type;

    /// The function object that a store calls with the root. It offers the whole dispatch, and a
    /// part that saves no register, so that a store can keep the rest out of line. It is one word,
    /// which is passed in a register. With a lambda, the compiler alone would decide on inlining.
    template <class Event>
    struct dispatching
    {
        void const* event;

        BOOST_FORCEINLINE void operator()(root const& r) const noexcept(panic_policy::isolates)
        {
            dispatch<Event>(r, event, r.look());
        }
        /// The extent of a root, loaded once, and whether `call_brief` accepts it.
        struct sight
        {
            extent seen;
            explicit operator bool() const noexcept
            {
                // Two statements, the first marked likely: otherwise clang merges both tests into
                // one that costs more.
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

    /// The type of registry, for a store that asks for it.
    template <class Event>
    using kind = std::type_identity<typename Writers::template told_as<Event>>;

    /// Calls `f` with the current root.
    template <class Event, class F>
    BOOST_FORCEINLINE static void read(store const& s,
                                       F f) noexcept(noexcept(f(std::declval<root&>())))
    {
        if constexpr (told_store<store, typename Writers::template told_as<Event>>)
            s.read(kind<Event>(), f);
        else
            s.read(f);
    }

    /// Runs a notify.
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

    /// Runs a notify that passes its failures to `sink`.
    template <class Event, class Sink>
    static void notify_to(store const& s, void const* event, Sink& sink)
    {
        read<Event>(s, [&](root const& r) {
            scope_of<panic_policy, failing_to<Sink>> scope(failing_to<Sink>{{&r}, &sink});
            extent const seen = r.look();
            // Row by row, even if there are runs: the loop of a run has no sink.
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
            // Both functions lie in one program or shared object. If that is so large that the
            // distance does not fit, the handler is called alone.
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
    /// The walk that all event types share.
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

    /// The walk of a root in chunks, or by runs.
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
            // This load may be newer than m. Either walk is right for the first m rows.
            if constexpr (columns::has_runs)
                if (!c.look().is_plain())
                    return walk_runs(c.rows(), m, event, in);
            walk<void>(c, m, event, in.s);
        });
        return in.s.finish();
    }

    /// The walk of a flat root that is one run. Parameters that this function passes on have the
    /// same position in the callee, so that they stay in their registers.
    BOOST_NOINLINE static result_type dispatch_run(extent seen, void const* event,
                                                   root const& r) noexcept(panic_policy::isolates)
    {
        running in(r);
        entry const* const first = r.rows().entries;
        // NOLINTNEXTLINE(performance-no-int-to-ptr): compilers know nothing of this function anyway
        reinterpret_cast<run_fn>(r.run())(seen.end_of_one_run(first), event, first, in);
        return in.s.finish();
    }

    using run_fn = void (*)(entry const* end, void const* event, entry const* at,
                            running& in) noexcept(panic_policy::isolates);

    /// Calls the first n handlers of a table run by run. A run that continues in the next word of
    /// heads is called in parts, so that the values kept across the calls fit in registers.
    BOOST_NOINLINE static void walk_runs(columns const& rows, std::uint32_t n, void const* event,
                                         running& in) noexcept(panic_policy::isolates)
    {
        entry const* at = rows.entries;
        auto const* cold = rows.cold();
        for (auto const* word = rows.heads();; ++word) {
            std::uint32_t left = n < 64 ? n : 64;
            // Drops the bit of the first row. If no bit is left, the run ends with the rows.
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

    /// Calls the handlers of one type from `at` to `end`.
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

    /// Calls the first n handlers of a table row by row. Precondition: n > 0.
    template <class Event, class Table, class Scope>
    BOOST_FORCEINLINE static void walk(Table const& table, std::uint32_t n, void const* event,
                                       Scope& s)
    {
        // Unrolled by four: with a single indirect call, the branch predictor can tell handlers
        // apart only by history. The remainder comes first, so that the number of rows left is a
        // multiple of four and one comparison finds the end.
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
