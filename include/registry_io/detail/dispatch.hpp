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
#include <registry_io/detail/views.hpp>
#include <registry_io/handler_id.hpp>
#include <registry_io/policy.hpp>

namespace registry_io {
inline namespace v1 {
namespace detail {

/// What a notify does with the snapshot that it holds. Registries of all types of events share it
/// but for the walk itself: that is one for each, or handlers of other events would spoil the
/// branch predictor's picture of its calls. `Event` tells walks apart and is nothing else. `void`
/// is the walk that all share, of nested notifies and of tables of many chunks.
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

    /// An entry whose handler is called by `Call`, alone or, if `InRuns`, in a run.
    template <class Call, bool InRuns>
    static new_entry entry_of(void* state) noexcept
    {
        new_entry e{{&Call::invoke, state}};
        if constexpr (columns::has_runs && InRuns) {
            // Both lie in the same program or shared object, which is rarely too large for this.
            auto const behind = reinterpret_cast<std::intptr_t>(run_fn(&call_run<Call>)) -
                reinterpret_cast<std::intptr_t>(e.invoke);
            if (behind == static_cast<std::int32_t>(behind))
                e.run = static_cast<std::int32_t>(behind);
        }
        return e;
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
        auto const* cold = rows.cold;
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
