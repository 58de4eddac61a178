// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Laws of order, and of several changes at once. Part of laws.hpp.

#ifndef REGISTRY_IO_TEST_LAWS_ORDERING_HPP
#define REGISTRY_IO_TEST_LAWS_ORDERING_HPP

#include <algorithm>

namespace test {

REGISTRY_IO_LAW(the_greatest_priority_fires_first_and_ties_fire_as_registered)
{
    // All sequences of up to four keys out of three.
    for (int size = 1; size <= 4; ++size) {
        int sequences = 1;
        for (int i = 0; i < size; ++i)
            sequences *= 3;
        for (int code = 0; code < sequences; ++code) {
            numbers log;
            model expected(c.keyed);
            for (int i = 0, rest = code; i < size; ++i, rest /= 3)
                expected.add(rest % 3 - 1, s->add(rest % 3 - 1, note(log, i)), i);
            REGISTRY_IO_EXPECT(fired(*s, log) == expected.firing());
            REGISTRY_IO_EXPECT(expected.agrees(*s));
            s->clear();
        }
    }
}

REGISTRY_IO_LAW(a_registration_without_a_priority_has_the_priority_zero)
{
    numbers log;
    s->add(-1, note(log, 3));
    s->add(note(log, 1));
    s->add(0, note(log, 2));
    s->add(1, note(log, 0));
    handler_guard const g = s->guard(note(log, 4));
    s->update([&](changes& tx) { tx.add(note(log, 5)); });
    numbers const by_key{0, 1, 2, 4, 5, 3};
    numbers const by_time{3, 1, 2, 0, 4, 5};
    REGISTRY_IO_EXPECT(fired(*s, log) == (c.keyed ? by_key : by_time));
}

REGISTRY_IO_LAW(a_transaction_applies_all_at_once_and_the_order_is_by_key_then_id)
{
    numbers log;
    handler_id first;
    handler_id outer;
    handler_id second;
    handler_id const gone = s->add(note(log, 0));
    update_result const result = s->update([&](changes& tx) {
        first = tx.add(note(log, 1));
        outer = s->add(note(log, 2));
        second = tx.add(note(log, 3));
        tx.add(7, note(log, 4));
        tx.remove(gone);
        // None of it is visible yet.
        REGISTRY_IO_EXPECT(s->contains(gone) && !s->contains(first) && s->size() == 2);
        numbers const now{0, 2};
        REGISTRY_IO_EXPECT(fired(*s, log) == now);
    });
    REGISTRY_IO_EXPECT(first < outer && outer < second);
    REGISTRY_IO_EXPECT((result == update_result{3, 1}));
    numbers const by_key{4, 1, 2, 3};
    numbers const by_time{1, 2, 3, 4};
    REGISTRY_IO_EXPECT(fired(*s, log) == (c.keyed ? by_key : by_time));
    REGISTRY_IO_EXPECT(s->contains(first) && s->contains(second) && !s->contains(gone));
}

REGISTRY_IO_LAW(removals_of_a_transaction_are_resolved_at_its_end)
{
    numbers log;
    handler_id const a = s->add(note(log, 0));
    handler_id const b = s->add(note(log, 1));
    handler_id mine;
    update_result const result = s->update([&](changes& tx) {
        tx.remove(a);
        tx.remove(a);
        tx.remove(b);
        tx.remove(handler_id());
        mine = tx.add(note(log, 2));
        tx.remove(mine);
        REGISTRY_IO_EXPECT(s->remove(b));
    });
    // The result counts a and the transaction's own handler; b had already been removed.
    REGISTRY_IO_EXPECT((result == update_result{1, 2}));
    REGISTRY_IO_EXPECT(s->empty() && !s->contains(mine));

    s->add(note(log, 3));
    handler_id meanwhile;
    update_result const cleared = s->update([&](changes& tx) {
        tx.add(note(log, 4));
        tx.clear();
        tx.add(note(log, 5));
        meanwhile = s->add(note(log, 6));
    });
    REGISTRY_IO_EXPECT((cleared == update_result{2, 2}));
    REGISTRY_IO_EXPECT(!s->contains(meanwhile));
    numbers const left{4, 5};
    REGISTRY_IO_EXPECT(fired(*s, log) == left);
    REGISTRY_IO_EXPECT(s->update([](changes&) {}) == update_result());
}

REGISTRY_IO_LAW(a_transaction_that_throws_has_done_nothing)
{
    numbers log;
    probe p;
    handler_id const a = s->add(note(log, 0));
    bool threw = false;
    try {
        s->update([&](changes& tx) {
            tx.add(note(log, 1, p));
            tx.remove(a);
            tx.clear();
            tx.add(5, note(log, 2, p));
            throw std::runtime_error("no");
        });
    } catch (std::runtime_error const&) {
        threw = true;
    }
    REGISTRY_IO_EXPECT(threw && s->contains(a) && s->size() == 1 && p.alive() == 0);
    numbers const as_before{0};
    REGISTRY_IO_EXPECT(fired(*s, log) == as_before);
}

REGISTRY_IO_LAW(transactions_nest_and_notify)
{
    numbers log;
    s->update([&](changes& outer) {
        handler_id const a = outer.add(note(log, 0));
        s->update([&](changes& inner) {
            inner.add(note(log, 1));
            inner.remove(a);  // not registered yet
        });
        numbers const now{1};
        REGISTRY_IO_EXPECT(fired(*s, log) == now);
    });
    REGISTRY_IO_EXPECT(fired(*s, log) == upto(2));
    // The same inside a handler.
    s->add([&](event const&) {
        s->update([](changes& tx) { tx.clear(); });
        log.push_back(2);
    });
    REGISTRY_IO_EXPECT(fired(*s, log) == upto(3));
    REGISTRY_IO_EXPECT(s->empty());
}

REGISTRY_IO_LAW(the_order_holds_at_each_size_from_one_to_six_hundred_and_back)
{
    std::mt19937_64 random(seed());
    // Keys that rise, that fall, that are all equal, and that are random.
    for (int pattern = 0; pattern < 4; ++pattern) {
        int const most = s.at_most(600);
        numbers log;
        model expected(c.keyed);
        std::deque<word_note> words;
        for (int i = 0; i < most; ++i) {
            int const key = pattern == 0 ? i
                : pattern == 1           ? -i
                : pattern == 2           ? 0
                                         : static_cast<int>(random() % 50);
            words.emplace_back(log, i);
            // Three kinds of handlers, so that rows with and without blocks move together.
            handler_id const id = i % 3 == 0 ? s->add(key, note(log, i))
                : i % 8 == 1                 ? s->add_large(key, note(log, i))
                                             : s->add_word(key, word{&words.back()});
            expected.add(key, id, i);
            REGISTRY_IO_EXPECT(s->contains(id));
            // Each size near the limit of a flat table, and some others.
            if (i % 40 == 0 || (i > 120 && i < 136) || (i > 253 && i < 260)) {
                REGISTRY_IO_EXPECT(expected.agrees(*s));
                REGISTRY_IO_EXPECT(fired(*s, log) == expected.firing());
            }
        }
        REGISTRY_IO_EXPECT(fired(*s, log) == expected.firing());
        std::vector<handler_id> ids = ids_of(*s);
        if (pattern != 2)
            std::shuffle(ids.begin(), ids.end(), random);
        for (std::size_t left = ids.size(); left != 0; --left) {
            handler_id const id = ids[left - 1];
            REGISTRY_IO_EXPECT(s->remove(id));
            REGISTRY_IO_EXPECT(!s->contains(id) && !s->remove(id));
            expected.remove(id);
            if (left % 40 == 0 || (left > 58 && left < 70) || (left > 124 && left < 132)) {
                REGISTRY_IO_EXPECT(expected.agrees(*s));
                REGISTRY_IO_EXPECT(fired(*s, log) == expected.firing());
            }
        }
        REGISTRY_IO_EXPECT(s->empty());
    }
    REGISTRY_IO_EXPECT(!large::misplaced);
}

REGISTRY_IO_LAW(a_large_registry_may_change_for_ever)
{
    // The size stays above the one at which the registry would start again with a flat table.
    auto const most = static_cast<std::size_t>(s.at_most(200));
    numbers log;
    probe p;
    std::vector<handler_id> ids;
    for (std::size_t i = 0; i < most; ++i)
        ids.push_back(s->add(static_cast<int>(i) % 5, note(log, 0, p)));
    std::int64_t const blocks = s.memory.blocks();
    for (std::size_t i = 0; i < 3000; ++i) {
        handler_id& id = ids[i * 7 % most];
        REGISTRY_IO_EXPECT(s->remove(id));
        id = s->add(static_cast<int>(i) % 5, note(log, 0, p));
        REGISTRY_IO_EXPECT(s->contains(id));
    }
    REGISTRY_IO_EXPECT(p.alive() == static_cast<long>(most));
    REGISTRY_IO_EXPECT(s.memory.blocks() < blocks + 50);
    REGISTRY_IO_EXPECT(fired(*s, log).size() == most);
}

REGISTRY_IO_LAW(random_operations_agree_with_a_naive_model)
{
    std::mt19937_64 random(seed() + 1);
    auto const below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
    auto const most = static_cast<std::size_t>(s.at_most(600));
    numbers log;
    probe p;
    model expected(c.keyed);
    std::deque<word_note> words;
    std::vector<handler_id> stale;
    int n = 0;
    bool growing = true;
    auto const any = [&] { return expected.rows[below(expected.rows.size())].id; };
    auto const key = [&] { return static_cast<int>(below(9)) - 4; };
    for (int step = 0; step < 1200; ++step) {
        std::size_t const size = expected.rows.size();
        if (size + 10 >= most)
            growing = false;
        if (size < 8)
            growing = true;
        std::size_t const what = below(100);
        if (what < 10) {
            // A transaction with many changes.
            std::vector<model::row> added;
            std::vector<handler_id> removed;
            bool const clears = below(40) == 0;
            std::size_t const adds = std::min(below(growing ? 40 : 8), most - size);
            update_result const result = s->update([&](changes& tx) {
                for (std::size_t i = 0; i < adds; ++i) {
                    int const k = key();
                    added.push_back({k, tx.add(k, note(log, n, p)), n});
                    ++n;
                }
                for (std::size_t i = below(growing ? 8 : 40); i != 0 && size != 0; --i)
                    removed.push_back(any());
                if (!added.empty() && below(3) == 0)
                    removed.push_back(added[below(added.size())].id);
                for (handler_id const id : removed)
                    tx.remove(id);
                if (clears)
                    tx.clear();
            });
            update_result should{added.size(), 0};
            if (clears)
                should.unregistered = std::exchange(expected.rows, {}).size();
            for (model::row const& r : added)
                expected.add(r.key, r.id, r.n);
            for (handler_id const id : removed)
                should.unregistered += expected.remove(id);
            REGISTRY_IO_EXPECT(result == should);
        } else if (size == 0 || (what < (growing ? 75u : 40u) && size < most)) {
            int const k = key();
            words.emplace_back(log, n);
            handler_id const id =
                what % 2 == 0 ? s->add_word(k, word{&words.back()}) : s->add(k, note(log, n, p));
            expected.add(k, id, n++);
        } else if (what < 97) {
            handler_id const id = any();
            REGISTRY_IO_EXPECT(s->remove(id));
            expected.remove(id);
            stale.push_back(id);
        } else if (!stale.empty()) {
            handler_id const id = stale[below(stale.size())];
            REGISTRY_IO_EXPECT(!s->contains(id) && !s->remove(id));
        }
        if (!expected.rows.empty())
            REGISTRY_IO_EXPECT(s->contains(any()));
        if (step % 16 == 0) {
            REGISTRY_IO_EXPECT(expected.agrees(*s));
            REGISTRY_IO_EXPECT(fired(*s, log) == expected.firing());
        }
    }
    REGISTRY_IO_EXPECT(expected.agrees(*s));
    s->clear();
    REGISTRY_IO_EXPECT(p.alive() == 0);
}

REGISTRY_IO_LAW(changes_inside_handlers_agree_with_a_naive_model)
{
    // The same while a notify runs, with another one nested in it.
    std::mt19937_64 random(seed() + 2);
    auto const below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
    auto const most = static_cast<std::size_t>(s.at_most(150)) - 12;
    numbers log;
    probe p;
    model expected(c.keyed);
    int n = 1;
    int depth = 0;
    bool running = true;
    handler_id const driver = s->add(100, [&](event const&) {
        if (!running) {
            log.push_back(0);
            return;
        }
        ++depth;
        for (int step = 0; step < 12; ++step) {
            if (expected.rows.size() < 2 || (below(3) != 0 && expected.rows.size() < most)) {
                int const k = static_cast<int>(below(5));
                expected.add(k, s->add(k, note(log, n, p)), n);
                ++n;
            } else {
                handler_id const id = expected.rows[1 + below(expected.rows.size() - 1)].id;
                REGISTRY_IO_EXPECT(s->remove(id));
                expected.remove(id);
            }
            if (depth == 1 && step == 6)
                s->notify(0);
        }
        --depth;
    });
    expected.add(100, driver, 0);
    for (int round = 0; round < 12; ++round) {
        running = true;
        s->notify(0);
        running = false;
        REGISTRY_IO_EXPECT(expected.agrees(*s));
        REGISTRY_IO_EXPECT(fired(*s, log) == expected.firing());
        REGISTRY_IO_EXPECT(p.alive() == static_cast<long>(expected.rows.size()) - 1);
    }
}

}  // namespace test

#endif
