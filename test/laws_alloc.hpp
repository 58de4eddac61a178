// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Laws of memory: what happens when it runs out. Part of laws.hpp.

#ifndef REGISTRY_IO_TEST_LAWS_ALLOC_HPP
#define REGISTRY_IO_TEST_LAWS_ALLOC_HPP

#include <algorithm>

namespace test {

/// A registry with `size` handlers of all kinds, which must not change when an operation fails.
class filled
{
public:
    /// `at_once`: they are the registry's first change, which makes less for later ones than two
    /// changes do.
    filled(world& w, int size, bool at_once) : s(*w)
    {
        if (at_once)
            s.update([&](changes& tx) {
                for (int i = 0; i < size; ++i)
                    tx.add(note(log, i, p));
            });
        for (int i = 0; i < size && !at_once; ++i) {
            words.emplace_back(log, i);
            if (i % 3 == 1)
                s.add_word(0, word{&words.back()});
            else if (i % 16 == 0)
                s.add_large(0, note(log, i, p));
            else
                s.add(note(log, i, p));
        }
        remember();
    }

    void remember()
    {
        ids = ids_of(s);
        firing = fired(s, log);
        alive = p.alive();
    }

    bool unchanged()
    {
        bool same = s.size() == ids.size() && ids_of(s) == ids && fired(s, log) == firing &&
            p.alive() == alive;
        for (std::size_t i = 0; i < ids.size(); i += ids.size() / 8 + 1)
            same = same && s.contains(ids[i]);
        return same;
    }

    subject& s;
    numbers log;
    probe p;
    std::deque<word_note> words;
    std::vector<handler_id> ids;
    numbers firing;
    long alive = 0;
};

/// A writer's operation on a filled registry.
struct operation
{
    char const* name;
    bool waits;
    void (*run)(filled&, function&&);
};

inline std::vector<operation> const& operations()
{
    static std::vector<operation> const all{
        {"register at the end", false, [](filled& f, function&& h) { f.s.add(-5, std::move(h)); }},
        {"register at the front", false, [](filled& f, function&& h) { f.s.add(5, std::move(h)); }},
        {"register a large one", false,
         [](filled& f, function&& h) { f.s.add_large(3, std::move(h)); }},
        {"register a word", false,
         [](filled& f, function&&) {
             f.words.emplace_back(f.log, 1000);
             f.s.add_word(2, word{&f.words.back()});
         }},
        {"guard", false, [](filled& f, function&& h) { f.s.guard(std::move(h)).release(); }},
        {"unregister the first", false,
         [](filled& f, function&&) {
             if (!f.ids.empty())
                 f.s.remove(f.ids.front());
         }},
        {"unregister one in the middle", false,
         [](filled& f, function&&) {
             if (!f.ids.empty())
                 f.s.remove(f.ids[f.ids.size() / 2]);
         }},
        {"unregister and wait", true,
         [](filled& f, function&&) {
             if (!f.ids.empty())
                 f.s.remove_and_wait(f.ids[f.ids.size() / 3]);
         }},
        {"clear", false, [](filled& f, function&&) { f.s.clear(); }},
        {"update", false,
         [](filled& f, function&& h) {
             f.s.update([&](changes& tx) {
                 tx.add(4, std::move(h));
                 for (std::size_t i = 0; i < f.ids.size(); i += f.ids.size() / 4 + 1)
                     tx.remove(f.ids[i]);
                 tx.add(-4, note(f.log, 2000));
                 tx.remove(tx.add(note(f.log, 2001)));
             });
         }},
        {"update of very many", false,
         [](filled& f, function&& h) {
             f.s.update([&](changes& tx) {
                 tx.add(4, std::move(h));
                 for (int i = 0; i < 140; ++i)
                     tx.add(i % 3, note(f.log, 2000 + i));
             });
         }},
        {"update with a clear", false,
         [](filled& f, function&& h) {
             f.s.update([&](changes& tx) {
                 tx.clear();
                 tx.add(std::move(h));
             });
         }},
        {"on_panic", false,
         [](filled& f, function&& h) {
             // The lambda is as small as the function that it owns.
             f.s.on_panic([g = std::move(h)](panic_info const&) {});
         }},
        {"clear_panic_callback", false, [](filled& f, function&&) { f.s.clear_panic_callback(); }},
        {"log_to", false,
         [](filled& f, function&& h) { f.s.log_to([g = std::move(h)](std::string_view) {}); }},
        {"synchronize", true, [](filled& f, function&&) { f.s.synchronize(); }},
    };
    return all;
}

/// Runs `o` with the n-th allocation failing, for each n until none fails. After a failure the
/// registry must be unchanged, and the handler that should have been added must have been
/// destroyed.
inline void fail_each_allocation(combination const& c, operation const& o, int size, bool nested,
                                 bool at_once = false)
{
    std::string const outer =
        std::exchange(where,
                      c.name + ": " + o.name + " at size " + std::to_string(size) +
                          (nested        ? ", nested"
                               : at_once ? ", registered at once"
                                         : ""));
    for (long n = 0; n < 1000; ++n) {
        world w(c);
        bool ran_out = false;
        bool failed = false;
        probe fresh;
        filled f(w, size, at_once);
        auto const attempt = [&] {
            function h = note(f.log, 999, fresh);
            try {
                failing_allocation const memory(n);
                try {
                    o.run(f, std::move(h));
                } catch (std::bad_alloc const&) {
                    failed = true;
                }
                ran_out = memory.has_failed();
            } catch (...) {
                bool const another_exception = true;
                REGISTRY_IO_EXPECT(!another_exception);
            }
        };
        if (nested) {
            bool once = true;
            f.s.add(100, [&](event const&) {
                if (!std::exchange(once, false))
                    return;
                // Also covers handlers that only this notify can still see.
                if (!f.ids.empty()) {
                    f.s.remove(f.ids.back());
                    f.ids = ids_of(f.s);
                }
                attempt();
            });
            f.s.notify(0);
            long const registered = static_cast<long>(f.s.size());
            if (failed) {
                f.remember();
                REGISTRY_IO_EXPECT(static_cast<long>(f.ids.size()) == registered);
                REGISTRY_IO_EXPECT(std::find(f.firing.begin(), f.firing.end(), 999) ==
                                   f.firing.end());
            }
        } else {
            attempt();
            if (failed)
                REGISTRY_IO_EXPECT(f.unchanged());
        }
        REGISTRY_IO_EXPECT(!failed || ran_out);
        if (failed)
            REGISTRY_IO_EXPECT(fresh.alive() == 0);
        if (!ran_out)
            break;
        if (failed && !nested) {
            // The operation succeeds once there is memory, and everything works as before.
            o.run(f, note(f.log, 998));
            f.s.notify(0);
        }
        f.s.clear();
        REGISTRY_IO_EXPECT(f.p.alive() == 0);
        REGISTRY_IO_EXPECT(f.s.empty() && ids_of(f.s).empty());
    }
    where = outer;
}

// One panic policy with which small handlers are stored in the tables, and one with which they are
// not.
REGISTRY_IO_LAW_IF(a_writer_that_runs_out_of_memory_has_changed_nothing,
                   c.capacity == 0 && !c.piece &&
                       (c.panic == panics::logs || c.panic == panics::quarantines))
{
    for (operation const& o : operations())
        for (int const size : {0, 1, 2, 4, 5, 65, 127, 128, 129})
            fail_each_allocation(c, o, size, false);
    for (operation const& o : operations())
        for (int const size : {2, 3, 5})
            fail_each_allocation(c, o, size, false, true);
    // The own table of a large registry has to grow. Only once, because it takes long.
    if (c.panic == panics::logs)
        for (operation const& o : operations())
            if (std::string_view(o.name).starts_with("register") ||
                std::string_view(o.name).starts_with("unregister"))
                fail_each_allocation(c, o, 512, false);
    s->notify(0);
}

REGISTRY_IO_LAW_IF(a_writer_inside_a_handler_that_runs_out_of_memory_has_changed_nothing,
                   c.capacity == 0 && !c.piece && c.panic == panics::logs)
{
    for (operation const& o : operations())
        if (!o.waits)
            for (int const size : {1, 4, 66, 128})
                fail_each_allocation(c, o, size, true);
    s->notify(0);
}

REGISTRY_IO_LAW_IF(a_small_piece_of_memory_runs_out_and_nothing_changes, c.piece)
{
    s.s = c.make_small();
    numbers log;
    probe p;
    model expected(c.keyed);
    int n = 0;
    auto const fill = [&] {
        for (;; ++n) {
            REGISTRY_IO_EXPECT(n < 10000);
            try {
                expected.add(n % 5, s->add(n % 5, note(log, n, p)), n);
            } catch (std::bad_alloc const&) {
                break;
            }
        }
        REGISTRY_IO_EXPECT(expected.agrees(*s));
        REGISTRY_IO_EXPECT(fired(*s, log) == expected.firing());
        REGISTRY_IO_EXPECT(p.alive() == static_cast<long>(expected.rows.size()));
    };
    fill();
    REGISTRY_IO_EXPECT(expected.rows.size() > 20);
    bool refused = false;
    try {
        s->update([&](changes& tx) {
            tx.clear();
            for (int i = 0; i < 100; ++i)
                tx.add(note(log, i, p));
        });
    } catch (std::bad_alloc const&) {
        refused = true;
    }
    REGISTRY_IO_EXPECT(refused && expected.agrees(*s));
    REGISTRY_IO_EXPECT(p.alive() == static_cast<long>(expected.rows.size()));
    // Freed memory can be allocated again, any number of times. Compared with the second filling,
    // as what a registry allocates once lies between the tables from then on.
    std::size_t before = 0;
    for (int round = 0; round < 20; ++round) {
        REGISTRY_IO_EXPECT(s->clear() == expected.rows.size());
        expected.rows.clear();
        REGISTRY_IO_EXPECT(p.alive() == 0);
        fill();
        REGISTRY_IO_EXPECT(expected.rows.size() > 20);
        REGISTRY_IO_EXPECT(expected.rows.size() + 8 >= before);
        if (round == 0)
            before = expected.rows.size();
    }
}

REGISTRY_IO_LAW_IF(a_full_registry_refuses_one_more_and_nothing_changes, c.capacity != 0)
{
    numbers log;
    probe p;
    model expected(c.keyed);
    auto const too_many = [&](auto f) {
        bool refused = false;
        try {
            f();
        } catch (std::length_error const&) {
            refused = true;
        }
        REGISTRY_IO_EXPECT(refused);
        REGISTRY_IO_EXPECT(expected.agrees(*s));
        REGISTRY_IO_EXPECT(fired(*s, log) == expected.firing());
        REGISTRY_IO_EXPECT(p.alive() == static_cast<long>(expected.rows.size()));
    };
    for (int round = 0; round < 30; ++round) {
        for (int n = 0; expected.rows.size() < c.capacity; ++n)
            expected.add(n % 7, s->add(n % 7, note(log, n, p)), n);
        too_many([&] { s->add(note(log, -1, p)); });
        too_many([&] { s->add(10, note(log, -1, p)); });
        too_many([&] { s->guard(note(log, -1, p)).release(); });
        handler_id const one = expected.rows[3].id;
        too_many([&] {
            s->update([&](changes& tx) {
                tx.remove(expected.rows[0].id);
                tx.add(note(log, -1, p));
                tx.add(note(log, -1, p));
            });
        });
        // A removal while no notify runs needs no memory, however full the registry is.
        REGISTRY_IO_EXPECT(s->remove(one));
        expected.remove(one);
        REGISTRY_IO_EXPECT(expected.agrees(*s));
        if (round % 2 == 0) {
            while (!expected.rows.empty()) {
                handler_id const id =
                    expected.rows[static_cast<std::size_t>(round) % expected.rows.size()].id;
                REGISTRY_IO_EXPECT(s->remove(id));
                expected.remove(id);
            }
        } else {
            s->clear();
            expected.rows.clear();
        }
        REGISTRY_IO_EXPECT(p.alive() == 0);
    }
}

REGISTRY_IO_LAW_IF(a_full_registry_takes_a_transaction_that_makes_room_for_what_it_adds,
                   c.capacity != 0)
{
    numbers log;
    probe p;
    model expected(c.keyed);
    for (int n = 0; expected.rows.size() < c.capacity; ++n)
        expected.add(n % 7, s->add(n % 7, note(log, n, p)), n);
    for (int round = 0; round < 10; ++round) {
        // Two handlers are removed and two added, one of them only temporarily, in any order.
        handler_id const first = expected.rows[static_cast<std::size_t>(round)].id;
        handler_id const second = expected.rows.back().id;
        handler_id added;
        update_result const result = s->update([&](changes& tx) {
            tx.remove(first);
            added = tx.add(round % 3, note(log, 1000 + round, p));
            tx.remove(tx.add(note(log, -1, p)));
            tx.remove(second);
            tx.remove(first);
        });
        REGISTRY_IO_EXPECT(result.registered == 2 && result.unregistered == 3);
        expected.remove(first);
        expected.remove(second);
        expected.add(round % 3, added, 1000 + round);
        REGISTRY_IO_EXPECT(expected.agrees(*s));
        expected.add(0, s->add(note(log, 2000 + round, p)), 2000 + round);
        REGISTRY_IO_EXPECT(fired(*s, log) == expected.firing());
        REGISTRY_IO_EXPECT(p.alive() == static_cast<long>(expected.rows.size()));
    }
}

REGISTRY_IO_LAW(captures_with_an_alignment_of_their_own_lie_where_they_should)
{
    large::misplaced = false;
    numbers log;
    probe p;
    std::vector<handler_id> ids;
    for (int i = 0; i < 20; ++i) {
        ids.push_back(s->add_large(0, note(log, i, p)));
        if (i % 5 == 4)
            s->remove(s->add(note(log, -1)));
    }
    REGISTRY_IO_EXPECT(fired(*s, log) == upto(20));
    for (std::size_t i = 0; i < ids.size(); i += 2)
        s->remove(ids[i]);
    s->notify(0);
    REGISTRY_IO_EXPECT(!large::misplaced && p.alive() == 10);
}

REGISTRY_IO_LAW(a_registry_that_was_never_used_owns_nothing)
{
    std::uint64_t const before = allocations();
    REGISTRY_IO_EXPECT(s.memory.blocks() == 0);
    s->notify(0);
    s->synchronize();
    s->clear();
    s->each([](handler_id, int) {});
    REGISTRY_IO_EXPECT(s->size() == 0 && !s->contains(handler_id(1, 1)));
    REGISTRY_IO_EXPECT(s.memory.blocks() == 0);
    REGISTRY_IO_EXPECT(allocations() == before);
}

}  // namespace test

#endif
