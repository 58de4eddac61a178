// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Laws of snapshots: which notify sees which handlers, and how long captures live. Part of
// laws.hpp.

#ifndef REGISTRY_IO_TEST_LAWS_SNAPSHOT_HPP
#define REGISTRY_IO_TEST_LAWS_SNAPSHOT_HPP

#include <array>
#include <functional>
#include <memory>

namespace test {

REGISTRY_IO_LAW(a_running_notify_does_not_run_what_is_registered_meanwhile)
{
    numbers log;
    bool first = true;
    s->add([&](event const&) {
        log.push_back(0);
        if (!std::exchange(first, false))
            return;
        s->add(note(log, 1));
        s->add(9, note(log, 2));
        s->update([&](changes& tx) { tx.add(note(log, 3)); });
        REGISTRY_IO_EXPECT(s->size() == 4);
    });
    numbers const once{0};
    REGISTRY_IO_EXPECT(fired(*s, log) == once);
    numbers const then = c.keyed ? numbers{2, 0, 1, 3} : numbers{0, 1, 2, 3};
    REGISTRY_IO_EXPECT(fired(*s, log) == then);
}

REGISTRY_IO_LAW(a_running_notify_runs_what_is_removed_meanwhile)
{
    for (int way = 0; way < 3; ++way) {
        numbers log;
        probe captures;
        std::vector<handler_id> ids;
        ids.push_back(s->add([&](event const&) {
            log.push_back(0);
            if (way == 0) {
                for (handler_id const id : ids)
                    s->remove(id);
            } else if (way == 1) {
                s->clear();
            } else {
                s->update([&](changes& tx) {
                    for (handler_id const id : ids)
                        tx.remove(id);
                });
            }
            REGISTRY_IO_EXPECT(s->empty() && !s->contains(ids[1]));
            REGISTRY_IO_EXPECT(captures.alive() == 3);
        }));
        for (int i = 1; i < 4; ++i)
            ids.push_back(s->add(note(log, i, captures)));
        REGISTRY_IO_EXPECT(fired(*s, log) == upto(4));
        REGISTRY_IO_EXPECT(captures.alive() == 0);
        REGISTRY_IO_EXPECT(fired(*s, log).empty());
    }
}

REGISTRY_IO_LAW(a_nested_notify_sees_the_new_state)
{
    numbers log;
    int depth = 0;
    handler_id old;
    s->add([&](event const&) {
        log.push_back(0);
        if (++depth == 1) {
            s->remove(old);
            s->add(note(log, 2));
            s->notify(0);
        }
    });
    old = s->add(note(log, 1));
    // The inner notify calls 0 and 2; then the outer one continues with the snapshot that it began
    // with.
    numbers const expected{0, 0, 2, 1};
    REGISTRY_IO_EXPECT(fired(*s, log) == expected);
}

REGISTRY_IO_LAW(captures_are_destroyed_inside_the_removal_when_no_notify_runs)
{
    numbers log;
    probe p;
    auto const fill = [&] {
        std::vector<handler_id> ids;
        ids.push_back(s->add(note(log, 0, p)));
        ids.push_back(s->add_large(1, note(log, 1, p)));
        ids.push_back(s->add(-1, note(log, 2, p)));
        REGISTRY_IO_EXPECT(p.alive() == 3);
        return ids;
    };
    std::vector<handler_id> ids = fill();
    for (long left = 3; left != 0; --left, ids.pop_back()) {
        REGISTRY_IO_EXPECT(s->remove(ids.back()));
        REGISTRY_IO_EXPECT(p.alive() == left - 1);
    }
    ids = fill();
    s->notify(0);
    REGISTRY_IO_EXPECT(s->clear() == 3);
    REGISTRY_IO_EXPECT(p.alive() == 0);
    ids = fill();
    s->update([&](changes& tx) {
        tx.clear();
        tx.add(note(log, 3, p));
    });
    REGISTRY_IO_EXPECT(p.alive() == 1);
    s->update([&](changes& tx) { tx.remove(tx.add(note(log, 4, p))); });
    REGISTRY_IO_EXPECT(p.alive() == 1);
    {
        handler_guard const g = s->guard(note(log, 5, p));
        REGISTRY_IO_EXPECT(p.alive() == 2);
    }
    REGISTRY_IO_EXPECT(p.alive() == 1);
    s.s.reset();
    REGISTRY_IO_EXPECT(p.alive() == 0);
}

REGISTRY_IO_LAW(captures_live_until_the_last_notify_that_sees_them_ends_and_go_right_then)
{
    // Nested notifies, each of which removes one handler and adds one, so that each holds its own
    // snapshot. Each removed handler must be destroyed when the outermost notify that saw it has
    // ended.
    constexpr int height = 6;
    numbers log;
    std::array<probe, height> removed;
    std::vector<handler_id> ids;
    int depth = 0;
    s->add([&](event const&) {
        int const level = depth++;
        if (level < height) {
            auto const at = static_cast<std::size_t>(level);
            REGISTRY_IO_EXPECT(s->remove(ids[at]));
            REGISTRY_IO_EXPECT(removed[at].alive() == 1);
            ids.push_back(s->add(note(log, 100 + level)));
            s->notify(0);
        }
        --depth;
        // Everything that was removed at this level or deeper was seen at least by this notify.
        for (int i = 0; i < height; ++i)
            REGISTRY_IO_EXPECT(removed[static_cast<std::size_t>(i)].alive() == 1);
    });
    for (int i = 0; i < height; ++i)
        ids.push_back(s->add(note(log, i, removed[static_cast<std::size_t>(i)])));
    fired(*s, log);
    for (probe const& p : removed)
        REGISTRY_IO_EXPECT(p.alive() == 0);

    // A handler that is registered and removed inside a notify is destroyed by the time that notify
    // ends.
    s->clear();
    probe early;
    probe late;
    bool outer = true;
    handler_id mine;
    s->add([&](event const&) {
        if (!std::exchange(outer, false))
            return;
        mine = s->add(note(log, 1, late));
        s->remove(mine);
    });
    s->add(note(log, 2, early));
    s->notify(0);
    REGISTRY_IO_EXPECT(late.alive() == 0);
    REGISTRY_IO_EXPECT(early.alive() == 1);
}

// With RCU, readers are distinguished by when they began, not by what they hold.
REGISTRY_IO_LAW_IF(captures_do_not_wait_for_a_notify_that_cannot_see_them,
                   !c.name.starts_with("basic_rcu"))
{
    numbers log;
    probe p;
    handler_id id;
    int depth = 0;
    handler_id const filler = s->add(note(log, 1));
    s->add([&](event const&) {
        if (++depth == 1) {
            // From here on the outer notify holds an old snapshot, which does not contain the new
            // handler.
            s->remove(filler);
            id = s->add(note(log, 2, p));
            s->notify(0);
            REGISTRY_IO_EXPECT(p.alive() == 0);
        } else {
            s->remove(id);
            REGISTRY_IO_EXPECT(p.alive() == 1);
        }
    });
    s->notify(0);
    REGISTRY_IO_EXPECT(depth == 2);
}

REGISTRY_IO_LAW_IF(captures_go_with_the_last_notify_of_another_thread, c.concurrent)
{
    numbers log;
    probe p;
    std::binary_semaphore inside(0);
    std::binary_semaphore leave(0);
    std::atomic<long> alive_at_end = -1;
    s->add([&](event const& e) {
        if (e.value == 0)
            return;
        inside.release();
        leave.acquire();
    });
    handler_id const id = s->add([held = p.token](event const&) {});
    std::thread reader([&] {
        s->notify(1);
        alive_at_end = p.alive();
    });
    inside.acquire();
    REGISTRY_IO_EXPECT(s->remove(id));
    s->notify(0);
    long const alive = p.alive();
    leave.release();
    reader.join();
    REGISTRY_IO_EXPECT(alive == 1);
    REGISTRY_IO_EXPECT(alive_at_end == 0);
}

REGISTRY_IO_LAW_IF(synchronize_waits_for_the_notifies_of_other_threads, c.concurrent)
{
    probe p;
    std::binary_semaphore inside(0);
    std::binary_semaphore leave(0);
    std::atomic<bool> left = false;
    s->add([&](event const&) {
        inside.release();
        leave.acquire();
        left = true;
    });
    handler_id const id = s->add([held = p.token](event const&) {});
    for (int way = 0; way < 2; ++way) {
        left = false;
        std::thread reader([&] { s->notify(0); });
        inside.acquire();
        std::thread helper([&] {
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
            leave.release();
        });
        if (way == 0) {
            s->synchronize();
        } else {
            REGISTRY_IO_EXPECT(s->remove_and_wait(id));
            REGISTRY_IO_EXPECT(p.alive() == 0);
        }
        REGISTRY_IO_EXPECT(left);
        helper.join();
        reader.join();
    }
}

REGISTRY_IO_LAW_IF(synchronize_returns_where_there_never_was_a_handler, c.reports)
{
    s->synchronize();
    s->on_panic([](panic_info const&) {});  // makes the writers' block, and no table
    s->synchronize();
    numbers log;
    s->add(note(log, 1));
    REGISTRY_IO_EXPECT(fired(*s, log) == numbers{1});
}

REGISTRY_IO_LAW(a_handler_may_unregister_itself_and_its_captures_live_until_it_has_returned)
{
    probe p;
    handler_id id;
    int calls = 0;
    id = s->add([&, held = p.token](event const&) {
        ++calls;
        REGISTRY_IO_EXPECT(s->remove(id));
        REGISTRY_IO_EXPECT(!s->remove(id));
        REGISTRY_IO_EXPECT(p.alive() == 1);
        REGISTRY_IO_EXPECT(*held == 0);
    });
    s->notify(0);
    REGISTRY_IO_EXPECT(p.alive() == 0);
    s->notify(0);
    REGISTRY_IO_EXPECT(calls == 1);
}

REGISTRY_IO_LAW(a_handler_may_drop_its_own_guard)
{
    probe p;
    handler_guard guard;
    int calls = 0;
    guard = s->guard([&, held = p.token](event const&) {
        ++calls;
        handler_guard const last = std::move(guard);
        REGISTRY_IO_EXPECT(s->contains(last.id()));
    });
    handler_id const id = guard.id();
    s->notify(0);
    REGISTRY_IO_EXPECT(p.alive() == 0);
    REGISTRY_IO_EXPECT(!guard && !s->contains(id));
    s->notify(0);
    REGISTRY_IO_EXPECT(calls == 1);
}

REGISTRY_IO_LAW(a_handler_may_clear_the_registry_and_fill_it_again)
{
    numbers log;
    probe p;
    for (int i = 0; i < 5; ++i)
        s->add([&, i, held = p.token](event const&) {
            log.push_back(i);
            if (i == 2) {
                REGISTRY_IO_EXPECT(s->clear() == 5);
                REGISTRY_IO_EXPECT(p.alive() == 5);
                s->add(note(log, 9));
            }
        });
    REGISTRY_IO_EXPECT(fired(*s, log) == upto(5));
    REGISTRY_IO_EXPECT(p.alive() == 0);
    numbers const then{9};
    REGISTRY_IO_EXPECT(fired(*s, log) == then);
}

REGISTRY_IO_LAW(notify_nests_two_hundred_levels_deep)
{
    constexpr int levels = 200;
    numbers log;
    int depth = 0;
    int calls = 0;
    std::deque<probe> captures;
    handler_id last = s->add(note(log, 0));
    s->add(1, [&](event const&) {
        ++calls;
        if (++depth < levels) {
            // Every few levels get their own snapshot, while memory lasts.
            if (c.capacity == 0 && depth % 4 == 0) {
                s->remove(last);
                captures.emplace_back();
                last = s->add(note(log, depth, captures.back()));
            }
            s->notify(0);
        }
        --depth;
    });
    if (!c.keyed) {
        s->remove(last);
        last = s->add(note(log, 0));
    }
    s->notify(0);
    REGISTRY_IO_EXPECT(calls == levels);
    REGISTRY_IO_EXPECT(log.size() == std::size_t(levels));
    for (probe const& p : captures)
        REGISTRY_IO_EXPECT(p.alive() == (&p == &captures.back()));
}

REGISTRY_IO_LAW(a_handler_stays_alive_after_the_notifies_inside_of_it)
{
    // Each handler registers the next one, which only the nested notify sees, and then removes
    // itself.
    constexpr std::size_t levels = 6;
    std::array<probe, levels> captures;
    std::array<handler_id, levels> ids;
    std::size_t begun = 0;
    std::size_t ended = 0;
    std::function<void(std::size_t)> const add = [&](std::size_t level) {
        ids[level] = s->add([&, level, held = captures[level].token](event const&) {
            if (begun > level)
                return;
            begun = level + 1;
            if (begun < levels)
                add(begun);
            s->notify(0);
            REGISTRY_IO_EXPECT(s->remove(ids[level]));
            REGISTRY_IO_EXPECT(captures[level].alive() == 1);
            ++ended;
        });
    };
    add(0);
    s->notify(0);
    REGISTRY_IO_EXPECT(ended == levels);
    for (probe const& p : captures)
        REGISTRY_IO_EXPECT(p.alive() == 0);
}

REGISTRY_IO_LAW(waiting_inside_a_handler_is_refused_and_changes_nothing)
{
    numbers log;
    probe p;
    handler_id other;
    int refused = 0;
    int depth = 0;
    handler_id const self = s->add([&](event const& e) {
        if (e.value == 0)
            return;
        ++depth;
        refused += deadlock_refused([&] { s->synchronize(); });
        refused += deadlock_refused([&] { s->remove_and_wait(other); });
        // Holding an old snapshot counts as well as holding the current one.
        s->remove(s->add(note(log, 1)));
        refused += deadlock_refused([&] { s->synchronize(); });
        if (depth == 1)
            s->notify(1);
        refused += deadlock_refused([&] { s->remove_and_wait(other); });
    });
    other = s->add(note(log, 0, p));
    s->notify(1);
    REGISTRY_IO_EXPECT(refused == 8);
    REGISTRY_IO_EXPECT(s->contains(other) && s->contains(self) && s->size() == 2);
    REGISTRY_IO_EXPECT(p.alive() == 1);
    s->synchronize();
    REGISTRY_IO_EXPECT(s->remove_and_wait(other));
    REGISTRY_IO_EXPECT(p.alive() == 0);
    REGISTRY_IO_EXPECT(!s->remove_and_wait(other));
    REGISTRY_IO_EXPECT(!s->remove_and_wait(handler_id()));
}

REGISTRY_IO_LAW(waiting_in_the_destructor_of_captures_is_refused)
{
    numbers log;
    int refused = 0;
    auto const make = [&] {
        return std::make_shared<at_end>(
            [&] { refused += deadlock_refused([&] { s->synchronize(); }); });
    };
    // Destroyed inside the removal, by the last reader, and by a transaction.
    s->remove(s->add([held = make()](event const&) {}));
    REGISTRY_IO_EXPECT(refused == 1);
    handler_id id;
    id = s->add([&, held = make()](event const&) { s->remove(id); });
    s->notify(0);
    REGISTRY_IO_EXPECT(refused == 2);
    s->add([held = make()](event const&) {});
    s->update([](changes& tx) { tx.clear(); });
    REGISTRY_IO_EXPECT(refused == 3);
    if (c.reports) {
        s->on_panic([held = make()](panic_info const&) {});
        s->clear_panic_callback();
        REGISTRY_IO_EXPECT(refused == 4);
    }
    s->synchronize();
}

REGISTRY_IO_LAW(the_destructor_of_captures_may_call_the_registry)
{
    for (int way = 0; way < 3; ++way) {
        numbers log;
        handler_id other = s->add(note(log, 1));
        int ran = 0;
        auto end = std::make_shared<at_end>([&] {
            ++ran;
            REGISTRY_IO_EXPECT(s->remove(other));
            other = s->add(note(log, 2));
            s->update([&](changes& tx) { tx.add(note(log, 3)); });
            s->notify(0);
        });
        handler_id id;
        id = s->add([&, held = std::move(end)](event const&) {
            if (way == 1)
                s->remove(id);
            if (way == 2)
                s->clear(), other = s->add(note(log, 1));
        });
        if (way == 0)
            s->remove(id);
        else
            s->notify(0);
        REGISTRY_IO_EXPECT(ran == 1);
        numbers const then{2, 3};
        REGISTRY_IO_EXPECT(fired(*s, log) == then);
        s->clear();
    }
}

REGISTRY_IO_LAW(for_each_handler_walks_one_snapshot)
{
    numbers log;
    probe p;
    std::vector<handler_id> ids;
    for (int i = 0; i < 4; ++i)
        ids.push_back(s->add(note(log, i, p)));
    std::vector<handler_id> seen;
    bool refused = false;
    s->each([&](handler_id id, int) {
        seen.push_back(id);
        if (seen.size() == 1) {
            s->clear();
            s->add(note(log, 9));
            refused = deadlock_refused([&] { s->synchronize(); });
        }
        REGISTRY_IO_EXPECT(p.alive() == 4);
    });
    REGISTRY_IO_EXPECT(seen == ids);
    REGISTRY_IO_EXPECT(refused);
    REGISTRY_IO_EXPECT(p.alive() == 0);
    REGISTRY_IO_EXPECT(s->size() == 1);

    // An exception releases the snapshot.
    handler_id const id = s->add(note(log, 1, p));
    bool threw = false;
    try {
        s->each([](handler_id, int) { throw 1; });
    } catch (int) {
        threw = true;
    }
    REGISTRY_IO_EXPECT(threw);
    s->remove(id);
    REGISTRY_IO_EXPECT(p.alive() == 0);
    s->synchronize();
}

REGISTRY_IO_LAW(writers_see_at_once_what_they_have_done)
{
    numbers log;
    REGISTRY_IO_EXPECT(s->empty() && s->size() == 0 && s->clear() == 0);
    REGISTRY_IO_EXPECT(!s->contains(handler_id()) && !s->remove(handler_id()));
    s->synchronize();
    s->notify(0);
    handler_id const a = s->add(note(log, 0));
    REGISTRY_IO_EXPECT(a && s->contains(a) && s->size() == 1 && !s->empty());
    s->add(1, [&](event const&) {
        handler_id const b = s->add(note(log, 1));
        REGISTRY_IO_EXPECT(s->contains(b) && s->size() == 3);
        REGISTRY_IO_EXPECT(s->remove(b));
        REGISTRY_IO_EXPECT(!s->contains(b) && s->size() == 2);
    });
    s->notify(0);
    REGISTRY_IO_EXPECT(s->remove(a));
    REGISTRY_IO_EXPECT(!s->remove(a) && !s->contains(a));
    REGISTRY_IO_EXPECT(s->clear() == 1 && s->empty());
}

REGISTRY_IO_LAW(ids_of_another_registry_are_refused)
{
    numbers log;
    world other(c);
    handler_id const mine = s->add(note(log, 0));
    handler_id const theirs = other->add(note(log, 1));
    REGISTRY_IO_EXPECT(mine.value() == theirs.value() && mine != theirs);
    REGISTRY_IO_EXPECT(!s->contains(theirs) && !s->remove(theirs) && !s->remove_and_wait(theirs));
    REGISTRY_IO_EXPECT(s->update([&](changes& tx) { tx.remove(theirs); }) == update_result());
    REGISTRY_IO_EXPECT(s->size() == 1 && other->size() == 1);
    REGISTRY_IO_EXPECT(other->contains(theirs) && s->contains(mine));
}

REGISTRY_IO_LAW(ids_are_never_reused)
{
    numbers log;
    handler_id last;
    for (int i = 0; i < 300; ++i) {
        handler_id const id = s->add(note(log, i));
        REGISTRY_IO_EXPECT(id > last);
        last = id;
        if (i % 3 == 0)
            s->clear();
        else
            s->remove(id);
        REGISTRY_IO_EXPECT(!s->contains(id));
    }
}

}  // namespace test

#endif
