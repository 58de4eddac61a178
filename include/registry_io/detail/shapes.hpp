// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The types of a snapshot's parts, for one choice of policies: root, chunk, branch, columns and
// keys, with the numbers that bound them and the functions that need to know only the layout. The
// headers that read and edit tables include this one, and need not include each other.

#ifndef REGISTRY_IO_DETAIL_SHAPES_HPP
#define REGISTRY_IO_DETAIL_SHAPES_HPP

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include <registry_io/detail/handler.hpp>
#include <registry_io/detail/table.hpp>
#include <registry_io/garbage.hpp>
#include <registry_io/policy.hpp>

namespace registry_io {
inline namespace v1 {
namespace detail {

/// The position of a row: `row` counts from the start of the flat table, or of the chunk.
struct place
{
    std::uint32_t branch = 0;
    std::uint32_t chunk = 0;
    std::uint32_t row = 0;
};

/// The alignment of roots, chunks and branches.
inline constexpr std::size_t table_align = 16;

/// Whether a panic policy asks that handlers are not called in runs.
template <class Panic>
concept calls_apart =
    requires { requires Panic::template scope<notify_archetype<Panic>>::calls_apart; };

template <class Snapshot, class Ordering, class Panic, class Alloc>
class writers;

/// `Home` is the writers' block.
template <class Snapshot, class Ordering, class Panic, class Alloc,
          class Home = writers<Snapshot, Ordering, Panic, Alloc>>
struct shapes
{
    using home = Home;
    using ordering = Ordering;
    using panic_policy = Panic;
    using source = typename Alloc::source;
    using entry = detail::entry;
    using user_key = typename Ordering::key_type;
    using key = typename stored_key<user_key>::type;
    template <class T>
    using atomic = atomic_of<Snapshot, T>;
    static constexpr bool bounded = Alloc::capacity != 0;
    /// Whether adjacent handlers of one type are called in runs. Not if memory is bounded: such
    /// registries have few handlers, and code size matters more.
    static constexpr bool has_runs = !bounded && !calls_apart<Panic>;
    using columns =
        detail::columns<entry, key, std::conditional_t<has_runs, atomic<std::uint64_t>, no_heads>>;
    using root = detail::root<typename Snapshot::root_header, columns, atomic<std::uint32_t>,
                              !bounded, Home>;
    using chunk = typename root::chunk_type;
    using branch = typename root::branch_type;
    using block_base = detail::block_base<typename Panic::handler_state>;
    static_assert(alignof(root) <= table_align && alignof(chunk) <= table_align &&
                  alignof(branch) <= table_align);

    static constexpr bool keyed = columns::keyed;
    /// The largest number of rows in a flat table. A bounded registry always has a flat table.
    static constexpr std::uint32_t flat_limit =
        bounded ? static_cast<std::uint32_t>(Alloc::capacity) : chunk::capacity;
    /// A snapshot in chunks that has shrunk to this many rows becomes flat again.
    static constexpr std::uint32_t flat_again = chunk::capacity / 2;

    static std::uint64_t tag(std::uint64_t id, bool has_block) noexcept
    {
        return id << 1 | static_cast<std::uint64_t>(has_block);
    }

    static garbage* block_of(entry const& e) noexcept { return static_cast<block_base*>(e.state); }

    /// Pushes every handler's block of this root.
    static void bury_all(root const& r, garbage_list& dead) noexcept
    {
        r.each_table([&](columns rows, std::uint32_t n) {
            for (std::uint32_t i = 0; i < n; ++i)
                if (rows.has_block(i))
                    dead.push(block_of(rows.entries[i]));
        });
    }

    static chunk& last_chunk(root const& r) noexcept
    {
        branch const& b = *r.branches().nodes[r.count() - 1];
        return *b.chunks().nodes[b.count - 1];
    }

    /// Calls `f` for each chunk and branch of a root, which may free them.
    template <class F>
    static void each_piece(root const& r, F f)
    {
        if (!r.is_spine())
            return;
        for (std::uint32_t i = 0; i < r.count(); ++i) {
            branch* const b = r.branches().nodes[i];
            for (std::uint32_t j = 0; j < b->count; ++j)
                f(b->chunks().nodes[j]);
            f(b);
        }
    }
};

}  // namespace detail
}  // namespace v1
}  // namespace registry_io

#endif
