// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// What a panic policy sees of a notify and of the handler that it calls: who the registry is, its
// policy and hooks, and the handler's id and state. A view holds one or two words that the walk has
// at hand; everything else is computed when a policy asks, which most do only after a failure.
// Invariant: a view of a running notify keeps no register across the handler's call that the walk
// does not keep anyway.

#ifndef REGISTRY_IO_DETAIL_VIEWS_HPP
#define REGISTRY_IO_DETAIL_VIEWS_HPP

#include <atomic>
#include <cstdint>
#include <type_traits>

#include <boost/config.hpp>

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

/// The views of the registries whose writers are `Writers`.
template <class Writers>
struct views
{
    using panic_policy = typename Writers::panic_policy;
    using root = typename Writers::root;
    using columns = typename Writers::columns;
    using chunk = typename root::chunk_type;
    using handler_state = typename panic_policy::handler_state;

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
        char const* event_name() const noexcept { return home().kind->event_name; }
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

    /// `failing`, of a notify with a sink of its own.
    template <class Sink>
    struct failing_to : failing
    {
        Sink* to;
        Sink& sink() const noexcept { return *to; }
    };

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
};

}  // namespace detail
}  // namespace v1
}  // namespace registry_io

#endif
