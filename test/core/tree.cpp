// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The tables of a snapshot alone, without a registry, a lock or a snapshot policy. Checks their
// edits, in place and by copy, against a sorted vector, and the invariants that the headers state
// for a tree, after each change.

#include <registry_io/archetype.hpp>
#include <registry_io/detail/edit.hpp>
#include <registry_io/detail/pieces.hpp>
#include <registry_io/detail/row_order.hpp>
#include <registry_io/detail/shapes.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <random>
#include <tuple>
#include <utility>
#include <vector>

namespace {

namespace detail = registry_io::detail;
using registry_io::garbage_list;

/// Blocks of memory that are in use, and their bytes.
std::size_t blocks = 0;
std::size_t bytes = 0;

/// Counts its blocks, and fails on demand.
struct counted
{
    using category = registry_io::axis::alloc;
    static constexpr std::size_t capacity = 0;

    struct source
    {
        /// How many allocations succeed before one fails. If negative, none fails.
        static inline int left = -1;

        void* allocate(std::size_t size, std::size_t align)
        {
            if (left == 0)
                return nullptr;
            if (left > 0)
                --left;
            ++blocks;
            bytes += size;
            return ::operator new(size, std::align_val_t(align));
        }
        void deallocate(void* p, std::size_t size, std::size_t align) noexcept
        {
            --blocks;
            bytes -= size;
            ::operator delete(p, std::align_val_t(align));
        }
    };
};

/// The greatest number comes first.
struct greatest
{
    using key_type = int;
    bool before(int a, int b) const { return a > b; }
};

/// In the order of registration.
struct none
{
    using key_type = void;
};

/// Handlers of different types, the last of which is called in no run.
template <int>
void call(void*, void const*)
{
}
constexpr std::uint64_t types = 4;
detail::new_entry entry_of(std::uint64_t type)
{
    constexpr void (*all[types])(void*, void const*) = {call<0>, call<1>, call<2>, call<3>};
    detail::new_entry e{{all[type], nullptr}};
    e.run = type + 1 == types ? 0 : 8;
    return e;
}

/// Whether a table knows its runs. `type_of` tells the type of a handler by its id.
template <class Table, class TypeOf>
bool knows_runs(Table const& table, detail::extent seen, std::uint32_t n, TypeOf type_of)
{
    auto const rows = table.rows();
    std::uint32_t runs = 0;
    for (std::uint32_t i = 0; i < n; ++i) {
        std::uint64_t const type = type_of(rows.id(i));
        bool const head = i == 0 || type != type_of(rows.id(i - 1)) || type + 1 == types;
        runs += head;
        if (rows.entries[i].invoke != entry_of(type).invoke ||
            rows.cold()[i].run != entry_of(type).run || rows.is_head(i) != head)
            return false;
    }
    return table.runs() == runs && seen.size() == n && seen.is_one_run() == (runs == 1 && n > 1) &&
        seen.is_few_runs() == (runs > 1 && runs * 4 <= n);
}

template <class Ordering>
class tree;

template <class Ordering>
using shapes_of_tree = detail::shapes<registry_io::archetype::snapshot, Ordering,
                                      registry_io::archetype::panic, counted, tree<Ordering>>;

/// Everything that an edit requires. There are no readers, so what is retired is freed at once or,
/// if `pinned`, at the end.
template <class Ordering>
class tree : public detail::pieces<shapes_of_tree<Ordering>>,
             public detail::row_order<shapes_of_tree<Ordering>>
{
public:
    using shape = shapes_of_tree<Ordering>;
    using root = typename shape::root;
    using columns = typename shape::columns;
    using key = typename shape::key;

    struct retirement
    {
        garbage_list dead;
    };
    struct completion
    {
    };
    struct publisher
    {
        root* now = nullptr;
        bool pinned = false;
        garbage_list kept;

        root* current() const noexcept { return now; }
        bool exclusive() const noexcept { return !pinned; }
        retirement reserve(garbage_list& dead, completion*, void (&)()) { return {dead}; }
        template <class Recycle>
        void publish(root* fresh, retirement& r, Recycle recycle) noexcept
        {
            root* const old = std::exchange(now, fresh);
            if (old != nullptr && old != fresh)
                r.dead.push(old);
            if (pinned) {
                kept.append(r.dead);
            } else {
                recycle(r.dead);
                r.dead.destroy_all();
            }
        }
    };

    publisher policy_writer;
    std::atomic<std::uint32_t> size{0};
    std::atomic<registry_io::archetype::panic*> panic{nullptr};

    tree() : tree::pieces({}), tree::row_order({}, {}) {}
    tree(tree const&) = delete;
    tree& operator=(tree const&) = delete;
    ~tree()
    {
        clear();
        policy_writer.kept.destroy_all();
        this->index_clear();
        this->free_spares();
    }

    void drop() noexcept {}

    /// How many ids that follow each other are of handlers of one type.
    std::uint64_t same = 1;
    std::uint64_t type_of(std::uint64_t id) const { return id / same % types; }

    void insert(std::uint64_t id, key k)
    {
        detail::new_entry const e = entry_of(type_of(id));
        change([&](auto& edit, garbage_list&) {
            if (edit.append(e, id, false, k))
                return false;
            edit.insert(e, id, false, k, 0);
            return true;
        });
    }

    bool erase(std::uint64_t id)
    {
        bool erased = false;
        change([&](auto& edit, garbage_list& dead) { return erased = edit.erase(id, dead); });
        return erased;
    }

    void clear()
    {
        change([&](auto& edit, garbage_list& dead) { return edit.clear(dead) != 0; });
    }

    /// Takes out rows and adds others, in turns, in one edit.
    template <class Turns>
    void update(Turns const& turns)
    {
        change(
            [&](auto& edit, garbage_list& dead) {
                for (auto const& [gone, fresh] : turns) {
                    for (std::uint64_t const id : gone)
                        edit.erase(id, dead);
                    for (auto const& [k, id] : fresh)
                        edit.insert(entry_of(type_of(id)), id, false, k, 0);
                }
                return true;
            },
            false);
    }

    /// Whether each of these ids leads to its row.
    bool finds(std::vector<std::uint64_t> const& all)
    {
        return std::all_of(all.begin(), all.end(), [this](std::uint64_t id) {
            return this->locate(policy_writer.now, id, nullptr);
        });
    }

    /// Publishes a copy.
    void copy()
    {
        change([&](auto& edit, garbage_list&) {
            edit.own_root();
            return true;
        });
    }

    std::vector<std::uint64_t> ids() const
    {
        std::vector<std::uint64_t> all;
        if (root const* const r = policy_writer.now)
            r->each_table([&](auto rows, std::uint32_t n) {
                for (std::uint32_t i = 0; i < n; ++i)
                    all.push_back(rows.id(i));
            });
        return all;
    }

    /// Whether each child's first row is the first row below it, no child is empty, and each table
    /// knows its runs.
    bool is_sound() const
    {
        auto const type = [this](std::uint64_t id) { return type_of(id); };
        root const* const r = policy_writer.now;
        if (r == nullptr)
            return true;
        if (!r->is_spine())
            return knows_runs(*r, r->look(), r->handlers(), type) &&
                (!r->look().is_one_run() ||
                 r->run() == columns::run_of(*r->rows().entries, r->rows().cold()->run));
        std::uint32_t rows = 0;
        for (std::uint32_t i = 0; i < r->count(); ++i) {
            auto const& b = *r->branches().nodes[i];
            if (b.count == 0 || b.count > b.capacity ||
                r->branches().first_rows[i].id != b.first().id)
                return false;
            for (std::uint32_t j = 0; j < b.count; ++j) {
                auto const& c = *b.chunks().nodes[j];
                std::uint32_t const n = c.size();
                if (n == 0 || n > c.capacity || b.chunks().first_rows[j].id != c.rows().id(0) ||
                    !knows_runs(c, c.look(), n, type))
                    return false;
                rows += n;
            }
        }
        return rows == r->handlers();
    }

private:
    template <class F>
    void change(F f, bool one_change = true)
    {
        garbage_list dead;
        detail::edit<tree> edit(*this, one_change);
        if (f(edit, dead))
            edit.commit(dead);
        else
            edit.leave();
    }
};

/// Grows to `most` rows and shrinks to none, one row at a time at random places, three times over.
template <class Ordering, class Key>
void grow_and_shrink(bool pinned, std::uint64_t same, std::size_t most, Key key_of)
{
    std::size_t const before = blocks;
    {
        tree<Ordering> t;
        t.policy_writer.pinned = pinned;
        t.same = same;
        std::vector<std::pair<int, std::uint64_t>> model;  // negated keys, so that it is ascending
        std::mt19937 random(20260101);
        std::uint64_t id = 0;
        auto const agrees = [&] {
            std::vector<std::uint64_t> wanted;
            for (auto const& row : model)
                wanted.push_back(row.second);
            return t.ids() == wanted && t.is_sound() && t.size == model.size();
        };
        std::size_t wrong = 0;
        for (int round = 0; round < 3; ++round) {
            for (bool const grows : {true, false}) {
                while (grows ? model.size() < most : !model.empty()) {
                    if ((random() % 4 != 0) == grows || model.empty()) {
                        int const k = static_cast<int>(random() % 50);
                        t.insert(++id, key_of(k));
                        std::pair<int, std::uint64_t> const row(
                            std::is_void_v<typename Ordering::key_type> ? 0 : -k, id);
                        model.insert(std::upper_bound(model.begin(), model.end(), row), row);
                    } else {
                        auto const at =
                            model.begin() + static_cast<std::ptrdiff_t>(random() % model.size());
                        wrong += t.erase(at->second) ? 0u : 1u;
                        wrong += t.erase(at->second) ? 1u : 0u;
                        model.erase(at);
                    }
                    if (random() % 8 == 0)
                        t.copy();
                    if (most < 1000 || model.size() % 64 == 0)
                        wrong += agrees() ? 0u : 1u;
                }
                wrong += agrees() ? 0u : 1u;
            }
        }
        BOOST_TEST(wrong == 0u);
    }
    BOOST_TEST(blocks == before);
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_tree_with_keys_is_a_sorted_list)
{
    for (bool const pinned : {false, true})
        grow_and_shrink<greatest>(pinned, 2, 9000, [](int k) { return k; });
}

BOOST_AUTO_TEST_CASE(a_tree_without_keys_is_a_list)
{
    for (bool const pinned : {false, true})
        grow_and_shrink<none>(pinned, 50, 9000, [](int) { return detail::no_key(); });
}

// After each change of a table that is flat most of the time, and of one that is not.
BOOST_AUTO_TEST_CASE(each_table_knows_the_runs_of_handlers_of_one_type)
{
    for (bool const pinned : {false, true}) {
        for (std::uint64_t const same : {1U, 3U, 20U, 100U, 100000U}) {
            grow_and_shrink<none>(pinned, same, 120, [](int) { return detail::no_key(); });
            grow_and_shrink<none>(pinned, same, 500, [](int) { return detail::no_key(); });
            grow_and_shrink<greatest>(pinned, same, 300, [](int k) { return k; });
        }
    }
}

BOOST_AUTO_TEST_CASE(an_edit_of_a_tree_that_fails_changes_nothing)
{
    std::size_t const before = blocks;
    {
        tree<greatest> t;
        t.policy_writer.pinned = true;
        std::uint64_t id = 0;
        std::size_t failures = 0;
        std::size_t wrong = 0;
        std::mt19937 random(7);
        while (t.size < 1000) {
            auto const was = t.ids();
            int const k = static_cast<int>(random() % 1000);
            ++id;
            for (int n = 0;; ++n) {
                counted::source::left = n;
                try {
                    t.insert(id, k);
                    counted::source::left = -1;
                    break;
                } catch (std::bad_alloc const&) {
                    counted::source::left = -1;
                    ++failures;
                    wrong += t.ids() == was && t.is_sound() && t.size == was.size() ? 0u : 1u;
                }
            }
            wrong += t.size == was.size() + 1 ? 0u : 1u;
        }
        BOOST_TEST(wrong == 0u);
        BOOST_TEST(failures > 1000u);
    }
    BOOST_TEST(blocks == before);
}

namespace {

/// A key and an id.
using row = std::pair<int, std::uint64_t>;

/// Rows that one edit takes out, and rows that it then adds.
struct turn
{
    std::vector<std::uint64_t> gone;
    std::vector<row> fresh;
};

}  // namespace

// Each edit passes the sizes at which a table becomes chunks and becomes flat again, some twice.
BOOST_AUTO_TEST_CASE(many_changes_in_one_edit_are_all_made_or_none)
{
    std::size_t const before = blocks;
    for (bool const pinned : {false, true}) {
        tree<greatest> t;
        t.policy_writer.pinned = pinned;
        t.same = 3;
        std::vector<row> model;  // negated keys, so that it is ascending
        std::mt19937 random(11);
        std::uint64_t last = 0;
        std::size_t failures = 0;
        std::size_t wrong = 0;
        for (int round = 0; round < 60; ++round) {
            std::vector<row> next = model;
            std::vector<turn> turns(1 + random() % 3);
            for (turn& now : turns) {
                std::shuffle(next.begin(), next.end(), random);
                for (std::size_t const least = random() % 100; next.size() > least; next.pop_back())
                    now.gone.push_back(next.back().second);
                for (std::size_t const most = random() % 400; next.size() < most;) {
                    int const k = static_cast<int>(random() % 8);
                    now.fresh.emplace_back(k, ++last);
                    next.emplace_back(-k, last);
                }
            }
            std::sort(next.begin(), next.end());
            auto const agrees = [&](std::vector<row> const& wanted) {
                std::vector<std::uint64_t> ids;
                for (auto const& r : wanted)
                    ids.push_back(r.second);
                return t.ids() == ids && t.is_sound() && t.finds(ids) && t.size == ids.size();
            };
            // More and more allocations succeed, at last all.
            for (int n = 0;; n += 1 + n / 8) {
                counted::source::left = n;
                try {
                    t.update(turns);
                    break;
                } catch (std::bad_alloc const&) {
                    counted::source::left = -1;
                    ++failures;
                    wrong += agrees(model) ? 0u : 1u;
                }
            }
            counted::source::left = -1;
            model = next;
            wrong += agrees(model) ? 0u : 1u;
        }
        BOOST_TEST(wrong == 0u);
        BOOST_TEST(failures > 200u);
    }
    BOOST_TEST(blocks == before);
}

BOOST_AUTO_TEST_CASE(what_one_edit_takes_out_and_adds_again_is_once_in_the_index)
{
    tree<greatest> t;
    t.insert(1, 0);
    std::size_t const before = bytes;
    std::vector<turn> turns(100);
    std::uint64_t last = 1;
    for (std::size_t i = 0; i < turns.size(); ++i) {
        for (int k = 0; k < 300; ++k)
            turns[i].fresh.emplace_back(k, ++last);
        if (i != 0)
            for (auto const& [k, id] : turns[i - 1].fresh)
                turns[i].gone.push_back(id);
    }
    t.update(turns);
    BOOST_TEST(t.size == 301u);
    // 301 rows of 32 bytes, 512 slots of 8 bytes, and pieces in reserve.
    BOOST_TEST(bytes - before < 40000u);
}
