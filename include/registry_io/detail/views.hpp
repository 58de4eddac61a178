// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// How a panic policy sees a notify and the handler that it calls: the registry's policy and hooks,
// and the handler's id and state. A view holds one or two words that the walk has anyway. The rest
// is computed when a policy asks for it, which most policies do only after a failure.
// Invariant: a view keeps no register across the call of a handler that the walk does not keep.

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

/// Makes a default-constructed object; a constant expression if T's constructor allows it.
template <class T>
constexpr bool made_by_the_compiler()
{
    T const t{};
    static_cast<void>(t);
    return true;
}

/// Whether the compiler can make a default-constructed T. The concept calls a function because
/// g++ 12 accepts `(T{}, true)` as a constant expression only after the first use of T's
/// constructor. Two files of one program could then disagree on the storage duration of a variable.
template <class T>
concept constant_initialized = requires { typename std::bool_constant<made_by_the_compiler<T>()>; };

/// The views that a `dispatcher<Writers>` passes to its panic policy.
template <class Writers>
struct views
{
    using panic_policy = typename Writers::panic_policy;
    using root = typename Writers::root;
    using columns = typename Writers::columns;
    using chunk = typename root::chunk_type;
    using handler_state = typename panic_policy::handler_state;

    /// The view of a notify, which a scope uses only after a failure. It holds the root alone, so
    /// that notify keeps nothing else across the calls. The code that uses it is out of line.
    struct failing
    {
        root const* snapshot;

        Writers& home() const noexcept { return *snapshot->home; }
        // relaxed: the pointer was stored before any root was published, and this thread has read a
        // root. It is null if a handler of this notify has destroyed the registry, and the policy
        // in it.
        panic_policy& policy() const noexcept
        {
            panic_policy* const p = home().panic.load(std::memory_order_relaxed);
            return p != nullptr ? *p : orphaned();
        }
        /// The policy object that replaces the one of a destroyed registry. Its initialization
        /// takes no lock: a child of `fork` would wait for a thread that was initializing it in
        /// the parent.
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
            hook* const report = snapshot->hook_of(report_hook);
            hook* const log = snapshot->hook_of(log_hook);
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

    /// `failing` for a notify with a sink of its own.
    template <class Sink>
    struct failing_to : failing
    {
        Sink* to;
        Sink& sink() const noexcept { return *to; }
    };

    /// The view of a handler after a failure: its table, and the address of its row, which may be 0
    /// for the first row. The address is an integer, since a compiler would keep a pointer that the
    /// call uses in a register, just for the case of a failure.
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

    /// The view of the handler that is called: `Step` rows after `at`, which may be null for a
    /// root's first row. Its members compute the rest when a policy calls them.
    template <class Table, std::uint32_t Step>
    struct view
    {
        Table const* table;
        entry const* at;

        BOOST_FORCEINLINE row compact() const noexcept
        {
            entry const* from = at;
#ifdef __clang__
            // Otherwise clang increments this integer in every iteration, in a second register.
            asm("" : "+r"(from));
#endif
            auto const first = reinterpret_cast<std::uintptr_t>(from);
            return {address_of(*table), from == nullptr ? 0 : first + Step * sizeof(entry)};
        }
        // Does not make a `row`: a policy may want the id of each handler.
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

    /// The state of a walk by runs: the scope, and the table, which is used only after a failure.
    struct running
    {
        scope s;
        std::uintptr_t table;

        explicit running(root const& r) : s(failing{&r}), table(address_of(r)) {}
    };

    /// The view of a handler in a run.
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
