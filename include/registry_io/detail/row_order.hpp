// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Where a row belongs in a snapshot, and where it is. A row belongs behind all rows whose key does
// not fire after its own: keys first, then ids, which are the order of registration. Both questions
// are answered by binary search (Knuth, TAOCP 6.2.1), in a chunked snapshot on three levels: the
// branches, the chunks of one branch, the rows of one chunk. Invariant: the rows of a snapshot are
// sorted by (key, id), and each child's `first_row` is the first row below it.

#ifndef REGISTRY_IO_DETAIL_ROW_ORDER_HPP
#define REGISTRY_IO_DETAIL_ROW_ORDER_HPP

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include <registry_io/config.hpp>
#include <registry_io/detail/allocation.hpp>
#include <registry_io/detail/handler.hpp>
#include <registry_io/detail/id_index.hpp>
#include <registry_io/detail/shapes.hpp>

namespace registry_io {
inline namespace v1 {
namespace detail {

/// Whether callers pass the key when they remove a handler, so that no index of ids is kept. A
/// removal by id alone then searches all chunks.
template <class Ordering>
concept keys_are_known = requires { requires Ordering::keys_are_known; };

/// The ordering policy, and the index that finds the key of an id. The index is in use while the
/// snapshot has chunks and its rows have keys; a flat table is scanned.
template <class Shapes>
class row_order
{
    using root = typename Shapes::root;
    using chunk = typename Shapes::chunk;
    using branch = typename Shapes::branch;
    using columns = typename Shapes::columns;
    using user_key = typename Shapes::user_key;
    using key = typename Shapes::key;
    using source = typename Shapes::source;
    static constexpr bool keyed = Shapes::keyed;
    static constexpr bool indexed =
        keyed && !Shapes::bounded && !keys_are_known<typename Shapes::ordering>;

public:
    row_order(typename Shapes::ordering const& order, [[maybe_unused]] source const& src)
        : ordering_(order), index_(src)
    {
    }

    // ----- where a row belongs

    bool fires_last(columns rows, std::uint32_t n, key const& k, std::uint64_t id) const
    {
        return !fires_before(k, id, rows, n - 1);
    }

    /// The first row that (k, id) fires before.
    std::uint32_t upper_bound(columns rows, std::uint32_t n, key const& k, std::uint64_t id) const
    {
        std::uint32_t low = 0;
        std::uint32_t high = n;
        // Most new rows go to the end.
        if (n != 0 && fires_last(rows, n, k, id))
            return n;
        while (low < high) {
            std::uint32_t const middle = low + (high - low) / 2;
            if (fires_before(k, id, rows, middle))
                high = middle;
            else
                low = middle + 1;
        }
        return low;
    }

    /// The child in which (k, id) belongs: the last one whose first row does not fire after it.
    template <class Children>
    std::uint32_t child_for(Children const& c, std::uint32_t n, key const& k,
                            std::uint64_t id) const
    {
        auto behind = [&](std::uint32_t i) {
            return fires_before(k, id, c.first_rows[i].key, c.first_rows[i].id);
        };
        std::uint32_t low = 1;
        std::uint32_t high = n;
        if (high > 1 && !behind(high - 1))
            return high - 1;
        while (low < high) {
            std::uint32_t const middle = low + (high - low) / 2;
            if (behind(middle))
                high = middle;
            else
                low = middle + 1;
        }
        return low - 1;
    }

    // ----- finding

    /// Finds the row of an id in `r`. With `take`, also removes the id from the index. A flat table
    /// or a chunk is scanned. The chunk is found by the key, which the caller or the index knows;
    /// without keys, by the id.
    bool locate(root const* r, std::uint64_t id, place* p, bool take = false,
                [[maybe_unused]] key const* known = nullptr)
    {
        if (r == nullptr)
            return false;
        auto scan = [&](columns rows, place at, std::uint32_t n) {
            at.row = narrowed(rows, n, id);
            for (; at.row < n; ++at.row) {
                if (rows.id(at.row) == id) {
                    if (p != nullptr)
                        *p = at;
                    return true;
                }
            }
            return false;
        };
        if (!r->is_spine())
            return scan(r->rows(), {}, r->handlers());
        auto scan_chunk = [&](key const& k) {
            place at;
            at.branch = child_for(r->branches(), r->count(), k, id);
            branch const& b = *r->branches().nodes[at.branch];
            at.chunk = child_for(b.chunks(), b.count, k, id);
            chunk const& c = *b.chunks().nodes[at.chunk];
            return scan(c.rows(), at, c.size());
        };
        if constexpr (indexed)
            return index_.find(id, take, scan_chunk);
        else if constexpr (keyed)
            return known != nullptr ? scan_chunk(*known) : scan_all(*r, scan);
        else
            return scan_chunk(key());
    }

    // ----- the index

    /// Makes the index of a table in chunks, if there is none yet. The common key is that of the
    /// middle row: rows are sorted, so a key that more than half of the `n` rows have is there.
    void index_begin([[maybe_unused]] columns rows, [[maybe_unused]] std::uint32_t n)
    {
        if constexpr (indexed)
            index_.begin(rows.key(n / 2), no_memory);
    }
    /// Makes room for another id with this key.
    void index_reserve([[maybe_unused]] key const& k)
    {
        if constexpr (indexed)
            index_.reserve(k, no_memory);
    }
    void index_insert([[maybe_unused]] std::uint64_t id, [[maybe_unused]] key k) noexcept
    {
        if constexpr (indexed)
            index_.insert(id, k);
    }

    /// Forgets all ids, and keeps the memory.
    void index_reset() noexcept
    {
        if constexpr (indexed)
            index_.reset();
    }
    /// Forgets all ids, and frees the memory.
    void index_clear() noexcept
    {
        if constexpr (indexed)
            index_.clear();
    }

    /// Fills the index from root `r`, which may be null. The index has room: it never shrinks while
    /// there are handlers.
    REGISTRY_IO_DETAIL_COLD void rebuild_index([[maybe_unused]] root const* r) noexcept
    {
        if constexpr (indexed) {
            if (r == nullptr || !r->is_spine()) {
                index_.clear();
                return;
            }
            index_.reset();
            r->each_table([&](columns rows, std::uint32_t n) {
                for (std::uint32_t i = 0; i < n; ++i)
                    index_.insert(rows.id(i), rows.key(i));
            });
        }
    }

private:
    /// Searches all chunks of a spine, if neither a key nor an index finds the chunk.
    template <class Scan>
    REGISTRY_IO_DETAIL_COLD static bool scan_all(root const& r, Scan scan)
    {
        for (place at; at.branch < r.count(); ++at.branch) {
            branch const& b = *r.branches().nodes[at.branch];
            for (at.chunk = 0; at.chunk < b.count; ++at.chunk) {
                chunk const& c = *b.chunks().nodes[at.chunk];
                if (scan(c.rows(), at, c.size()))
                    return true;
            }
        }
        return false;
    }

    /// Returns a row at or before the row with this id. Looks at the last row first, as guards are
    /// often destroyed in reverse order. If all rows have equal keys, their ids are sorted, and a
    /// bisection without branches finds the row.
    std::uint32_t narrowed(columns rows, std::uint32_t n, std::uint64_t id) const
    {
        if (n <= 1)
            return 0;
        if (rows.id(n - 1) == id)
            return n - 1;
        std::uint32_t low = 0;
        if (before(rows.key(0), rows.key(n - 1)))
            return low;
        for (; n > 1; n -= n / 2)
            low += rows.id(low + n / 2) <= id ? n / 2 : 0;
        return low;
    }

    bool before(key const& a, key const& b) const
    {
        if constexpr (!keyed)
            return false;
        else if constexpr (key_in_table<user_key>)
            return ordering_.before(a, b);
        else
            return ordering_.before(*a, *b);
    }

    /// Whether a new row (k, id) fires before the row (that, that_id).
    bool fires_before(key const& k, std::uint64_t id, key const& that, std::uint64_t that_id) const
    {
        return before(k, that) || (id < that_id && !before(that, k));
    }
    bool fires_before(key const& k, std::uint64_t id, columns rows, std::uint32_t i) const
    {
        return fires_before(k, id, rows.key(i), rows.id(i));
    }

    REGISTRY_IO_NO_UNIQUE_ADDRESS typename Shapes::ordering ordering_;
    struct no_index
    {
        explicit no_index(source const&) noexcept {}
    };
    REGISTRY_IO_NO_UNIQUE_ADDRESS
    std::conditional_t<indexed, id_index<key, source>, no_index> index_;
};

}  // namespace detail
}  // namespace v1
}  // namespace registry_io

#endif
