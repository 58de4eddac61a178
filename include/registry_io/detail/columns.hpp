// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The rows of one table, in columns. A row is one handler: an entry, which the walk calls, and
// beside the entries, in columns of their own, its id and key. Handlers of one type that lie side
// by side are a run, which one loop calls; a bit marks each row that begins a run. Invariant: rows
// below the extent that a reader has loaded are never written while that reader can see them.

#ifndef REGISTRY_IO_DETAIL_COLUMNS_HPP
#define REGISTRY_IO_DETAIL_COLUMNS_HPP

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <type_traits>

#include <registry_io/config.hpp>
#include <registry_io/detail/handler.hpp>

namespace registry_io {
inline namespace v1 {
namespace detail {

template <class Snapshot, class T>
struct atomic_type
{
    using type = std::atomic<T>;
};
template <class Snapshot, class T>
    requires requires { typename Snapshot::template atomic<T>; }
struct atomic_type<Snapshot, T>
{
    using type = typename Snapshot::template atomic<T>;
};
/// The atomics of what readers and writers share: the standard's, unless the snapshot policy brings
/// its own, as it does for a checker.
template <class Snapshot, class T>
using atomic_of = typename atomic_type<Snapshot, T>::type;

template <class T>
void move_all(T* to, T const* from, std::size_t n) noexcept
{
    static_assert(std::is_trivially_copyable_v<T>);
    std::memmove(static_cast<void*>(to), static_cast<void const*>(from), n * sizeof *to);
}

/// How many rows there are, and how they are walked, in one word: of a root, what a reader sees,
/// loaded once by `look`. It stays what it is while rows are appended.
class extent
{
public:
    explicit extent(std::uint32_t word) noexcept : word_(word) {}

    std::uint32_t word() const noexcept { return word_; }
    std::uint32_t size() const noexcept { return word_ & ~(chunked | one_run | few_runs); }

    /// Whether the rows lie in one table, and not in chunks.
    bool is_flat() const noexcept { return (word_ & chunked) == 0; }
    /// Whether there is one row, in a flat table.
    bool is_one_row() const noexcept { return word_ == 1; }
    /// Whether the rows of a table, of which there are several, are one run. A comparison with 1,
    /// as that of `is_one_row`, so that one instruction does for both.
    bool is_one_run() const noexcept { return static_cast<std::int32_t>(word_) < 1; }
    /// Whether the rows of a table form so few runs that they are walked run by run.
    bool is_few_runs() const noexcept { return (word_ & few_runs) != 0; }
    /// Whether the rows lie in one table, which is walked row by row.
    bool is_plain() const noexcept { return word_ <= most; }
    /// The size of what is plain, for which nothing has to be masked.
    std::uint32_t plain_size() const noexcept { return word_; }
    /// The end of the rows from `first` on of a flat table that is one run. Such a table is small,
    /// so nothing has to be masked either: the flags leave the word at its upper end.
    template <class Row>
    Row const* end_of_one_run(Row const* first) const noexcept
    {
        if constexpr (sizeof(Row) % 8 != 0)  // not all flags would leave
            return first + size();
        else
            return reinterpret_cast<Row const*>(reinterpret_cast<std::byte const*>(first) +
                                                static_cast<std::uint32_t>(word_ * sizeof(Row)));
    }

    static extent of_chunks(std::uint32_t n) noexcept { return extent(n | chunked); }
    /// Of a table of `n` rows in `runs` runs. A walk by runs pays where a run has four rows, or is
    /// the only one.
    static extent of_rows(std::uint32_t n, std::uint32_t runs) noexcept
    {
        if (runs == 1)
            return extent(n == 1 ? n : n | one_run);
        return extent(runs <= n / 4 ? n | few_runs : n);
    }

    /// The greatest number of rows.
    static constexpr std::uint32_t most = (std::uint32_t(1) << 29) - 1;

private:
    static constexpr std::uint32_t one_run = std::uint32_t(1) << 31;
    static constexpr std::uint32_t chunked = std::uint32_t(1) << 30;
    static constexpr std::uint32_t few_runs = std::uint32_t(1) << 29;
    std::uint32_t word_;
};

/// Takes the place of the words with the beginnings of runs in tables that do not know runs.
struct no_heads
{
};

/// Where the columns of a table lie: hot entries first, contiguous; ids and keys behind them, and
/// what the table knows of its runs, which are handlers of one type side by side: a bit for each
/// row that begins a run, and the function that calls several such rows.
template <class Entry, class Key, class Head>
struct REGISTRY_IO_EXPORT columns
{
    using key_type = Key;
    static constexpr bool keyed = !std::is_same_v<Key, no_key>;
    static constexpr bool has_runs = !std::is_same_v<Head, no_heads>;

    /// What only writers, and a walk by runs, look at.
    struct cold_part
    {
        REGISTRY_IO_NO_UNIQUE_ADDRESS Key key;
        REGISTRY_IO_NO_UNIQUE_ADDRESS std::conditional_t<has_runs, std::int32_t, no_heads> run;
    };
    static constexpr bool has_cold_part = keyed || has_runs;

    // Two words, which calls pass in registers; where the other columns lie follows from them.
    Entry* entries;
    std::uint32_t capacity;

    columns(void* payload, std::uint32_t c) noexcept
        : entries(static_cast<Entry*>(payload)), capacity(c)
    {
    }
    /// Of each row, its id * 2, plus 1 when the handler has a block.
    std::uint64_t* tags() const noexcept
    {
        return reinterpret_cast<std::uint64_t*>(entries + capacity);
    }
    cold_part* cold() const noexcept { return reinterpret_cast<cold_part*>(tags() + capacity); }

    static constexpr std::size_t bytes(std::uint32_t capacity) noexcept
    {
        static_assert(alignof(Key) <= alignof(std::uint64_t));
        if constexpr (has_runs)
            return heads_offset(capacity) + words(capacity) * sizeof(Head);
        else
            return row_bytes(capacity);
    }

    /// Begins and ends the life of what is not mere bytes.
    BOOST_NOINLINE static void begin([[maybe_unused]] void* payload,
                                     [[maybe_unused]] std::uint32_t capacity)
    {
        if constexpr (has_runs)
            for (std::uint32_t i = 0; i < words(capacity); ++i)
                ::new (static_cast<void*>(columns(payload, capacity).heads() + i)) Head(0);
    }
    static void end([[maybe_unused]] void* payload, [[maybe_unused]] std::uint32_t capacity)
    {
        if constexpr (has_runs && !std::is_trivially_destructible_v<Head>)
            for (std::uint32_t i = 0; i < words(capacity); ++i)
                columns(payload, capacity).heads()[i].~Head();
    }

    std::uint64_t id(std::uint32_t i) const noexcept { return tags()[i] >> 1; }
    bool has_block(std::uint32_t i) const noexcept { return (tags()[i] & 1) != 0; }
    Key key(std::uint32_t i) const noexcept
    {
        if constexpr (keyed)
            return cold()[i].key;
        else
            return {};
    }

    void set(std::uint32_t i, new_entry const& e, std::uint64_t tag, Key k) const noexcept
    {
        set(*this, i, e, e.run, tag, k);
    }

    /// Copies `n` rows from row `at` of `from` to row `to` of this one; the two may overlap.
    void copy(std::uint32_t to, columns from, std::uint32_t at, std::uint32_t n) const noexcept
    {
        if (n != 0)
            copy(*this, to, from, at, n);
    }

    /// A bit for each row, set where a run begins. Bits behind the last row mean nothing, so that
    /// of a row that is appended may be set while readers look at the others.
    Head* heads() const noexcept
    {
        return reinterpret_cast<Head*>(reinterpret_cast<std::byte*>(entries) +
                                       heads_offset(capacity));
    }
    bool is_head(std::uint32_t i) const noexcept { return load().has(i); }

    /// The function that calls a run of more than one row that begins with this one.
    static std::intptr_t run_of(Entry const& first, std::int32_t behind) noexcept
    {
        return reinterpret_cast<std::intptr_t>(first.invoke) + behind;
    }

    // Where runs begin, after a change of the rows. Each function returns how many runs there are,
    // of which there were `count`; 0 where the tables know no runs.

    /// Row `i` is new, and the last one.
    std::uint32_t mark_appended(std::uint32_t i, std::uint32_t count) const noexcept
    {
        if constexpr (has_runs)
            return mark_appended(*this, i, count);
        else
            return 0;
    }
    /// Row `at` is new among the `n` rows of `from`, which may be these.
    std::uint32_t mark_inserted(columns from, std::uint32_t n, std::uint32_t at,
                                std::uint32_t count) const noexcept
    {
        if constexpr (has_runs)
            return mark_inserted(*this, from, n, at, count);
        else
            return 0;
    }
    /// Row `at` is no more among the `n` rows of `from`, which may be these.
    std::uint32_t mark_erased(columns from, std::uint32_t n, std::uint32_t at,
                              std::uint32_t count) const noexcept
    {
        if constexpr (has_runs)
            return mark_erased(*this, from, n, at, count);
        else
            return 0;
    }
    /// All `n` rows are new.
    std::uint32_t mark_all(std::uint32_t n) const noexcept
    {
        if constexpr (has_runs)
            return mark_all(*this, n);
        else
            return 0;
    }

    /// What a reader sees of `n` rows in `runs` runs.
    static extent shown(std::uint32_t n, [[maybe_unused]] std::uint32_t runs) noexcept
    {
        if constexpr (has_runs)
            return extent::of_rows(n, runs);
        else
            return extent(n);
    }

private:
    /// The bits of up to 128 rows.
    struct head_bits
    {
        std::uint64_t low;
        std::uint64_t high;

        bool has(std::uint32_t i) const noexcept
        {
            return ((i < 64 ? low : high) >> i % 64 & 1) != 0;
        }
        bool set(std::uint32_t i, bool head) noexcept
        {
            std::uint64_t& word = i < 64 ? low : high;
            word = with(word, i, head);
            return head;
        }
        void make_room(std::uint32_t at) noexcept
        {
            std::uint64_t const kept = (std::uint64_t(1) << at % 64) - 1;
            if (at < 64) {
                high = high << 1 | low >> 63;
                low = (low & kept) | (low & ~kept) << 1;
            } else {
                high = (high & kept) | (high & ~kept) << 1;
            }
        }
        void take_out(std::uint32_t at) noexcept
        {
            std::uint64_t const kept = (std::uint64_t(1) << at % 64) - 1;
            if (at < 64) {
                low = (low & kept) | (low >> 1 & ~kept) | high << 63;
                high >>= 1;
            } else {
                high = (high & kept) | (high >> 1 & ~kept);
            }
        }
    };

    // Out of line, and static, so that the two words of a table come in registers: a table that is
    // written to memory in halves and read as a whole costs a dozen cycles.

    BOOST_NOINLINE static void set(columns to, std::uint32_t i, Entry e, std::int32_t run,
                                   std::uint64_t tag, Key k) noexcept
    {
        to.entries[i] = e;
        to.tags()[i] = tag;
        if constexpr (keyed)
            to.cold()[i].key = k;
        if constexpr (has_runs)
            to.cold()[i].run = run;
    }
    BOOST_NOINLINE static void copy(columns to, std::uint32_t i, columns from, std::uint32_t at,
                                    std::uint32_t n) noexcept
    {
        move_all(to.entries + i, from.entries + at, n);
        move_all(to.tags() + i, from.tags() + at, n);
        if constexpr (has_cold_part)
            move_all(to.cold() + i, from.cold() + at, n);
    }
    BOOST_NOINLINE static std::uint32_t mark_appended(columns to, std::uint32_t i,
                                                      std::uint32_t count) noexcept
    {
        if (to.capacity == 1)
            return 1;
        Head& word = to.heads()[i / 64];
        std::uint64_t const was = word.load(std::memory_order_relaxed);
        std::uint64_t const bits = with(was, i, to.begins_run(i));
        if (bits != was)
            word.store(bits, std::memory_order_relaxed);
        return count + (bits >> i % 64 & 1);
    }
    BOOST_NOINLINE static std::uint32_t mark_inserted(columns to, columns from, std::uint32_t n,
                                                      std::uint32_t at,
                                                      std::uint32_t count) noexcept
    {
        head_bits b = from.load();
        if (at != n) {
            count -= b.has(at);
            b.make_room(at);
            count += b.set(at + 1, to.begins_run(at + 1));
        }
        count += b.set(at, to.begins_run(at));
        to.store(b);
        return count;
    }
    BOOST_NOINLINE static std::uint32_t mark_erased(columns to, columns from, std::uint32_t n,
                                                    std::uint32_t at, std::uint32_t count) noexcept
    {
        head_bits b = from.load();
        count -= b.has(at);
        if (at + 1 != n) {
            count -= b.has(at + 1);
            b.take_out(at);
            count += b.set(at, to.begins_run(at));
        }
        to.store(b);
        return count;
    }

    REGISTRY_IO_DETAIL_COLD static std::uint32_t mark_all(columns to, std::uint32_t n) noexcept
    {
        std::uint32_t count = 0;
        for (std::uint32_t i = 0; i < n; ++i)
            count = mark_appended(to, i, count);
        return count;
    }

    static std::uint64_t with(std::uint64_t bits, std::uint32_t i, bool head) noexcept
    {
        std::uint64_t const bit = std::uint64_t(1) << i % 64;
        return (bits & ~bit) | std::uint64_t(head) << i % 64;
    }
    bool begins_run(std::uint32_t i) const noexcept
    {
        return i == 0 || entries[i].invoke != entries[i - 1].invoke || cold()[i].run == 0;
    }

    // relaxed, in both: the bits that a reader looks at were written before the size that it has
    // loaded with acquire.
    head_bits load() const noexcept
    {
        if (capacity == 1)
            return {1, 0};
        return {heads()[0].load(std::memory_order_relaxed),
                capacity <= 64 ? 0 : heads()[1].load(std::memory_order_relaxed)};
    }
    void store(head_bits b) const noexcept
    {
        heads()[0].store(b.low, std::memory_order_relaxed);
        if (capacity > 64)
            heads()[1].store(b.high, std::memory_order_relaxed);
    }

    static constexpr std::size_t row_bytes(std::uint32_t capacity) noexcept
    {
        return capacity *
            (sizeof(Entry) + sizeof(std::uint64_t) + (has_cold_part ? sizeof(cold_part) : 0));
    }
    static constexpr std::size_t heads_offset(std::uint32_t capacity) noexcept
    {
        return (row_bytes(capacity) + alignof(Head) - 1) / alignof(Head) * alignof(Head);
    }
    static constexpr std::uint32_t words(std::uint32_t capacity) noexcept
    {
        return capacity == 1 ? 0 : (capacity + 63) / 64;  // a row alone begins a run
    }
};

}  // namespace detail
}  // namespace v1
}  // namespace registry_io

#endif
