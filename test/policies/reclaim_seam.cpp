// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Situations that no program can arrange: through the environment, which is a parameter of the
// reclamation, a writer comes exactly between a reader's announcement and its second look.

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <iterator>
#include <mutex>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include <registry_io/reclaim/era.hpp>
#include <registry_io/reclaim/hazard.hpp>

namespace {

namespace reclaim = registry_io::reclaim;
using registry_io::garbage;
using registry_io::garbage_list;

/// An environment of one thread whose record is destroyed when its read ends, as happens while a
/// thread exits. `in_between` runs between a reader's store and its next load.
struct staged_env : reclaim::single_thread_env
{
    using mutex = std::mutex;

    struct exit_hook
    {
        bool create(void (*)(void*)) noexcept { return false; }
        bool arm(void*, registry_io::thread_exit::link&) noexcept { return false; }
    };

    template <class Record>
    static Record& record() noexcept
    {
        static Record r;
        return r;
    }
    template <class Words>
    static Words hot() noexcept
    {
        static atomic<typename Words::state_type> state{};
        static atomic<typename Words::era_type*> mail{};
        static typename Words::state_type last{};
        static atomic<void const*> cell{};
        return Words{state, mail, last, cell};
    }

    inline static std::function<void()> in_between;
    static void light_fence() noexcept
    {
        if (in_between != nullptr)
            std::exchange(in_between, nullptr)();
    }
    static bool heavy_fence(reclaim::fence_mode) noexcept { return true; }
    static reclaim::fence_mode decide_fence_mode() noexcept
    {
        return reclaim::fence_mode::asymmetric;
    }
    static void at_fork(void (*)(), void (*)(), void (*)()) noexcept {}
    template <class T>
    static T& global() noexcept
    {
        return reclaim::detail::process_wide<T>::value;
    }
};

using domain = reclaim::hazard_domain<staged_env>;
using root_type = reclaim::counted_root<staged_env>;
using retired = reclaim::retired_roots<staged_env>;

/// Captures with a destructor.
struct captures : garbage
{
    explicit captures(std::function<void()> f)
        : garbage([](garbage* g) noexcept { static_cast<captures*>(g)->at_end(); }),
          at_end(std::move(f))
    {
    }
    std::function<void()> at_end;
};

/// A root that records that it was freed.
struct root : root_type
{
    root(retired& log, std::uint64_t version)
    {
        attach(late);
        belong(log);
        late.birth = version;
        late.destroy = [](garbage* g) noexcept { static_cast<root&>(of(*g)).freed = true; };
    }
    bool freed = false;
    late_part late;
};

BOOST_AUTO_TEST_CASE(a_read_that_starts_over_stays_known_whatever_captures_do_meanwhile)
{
    domain::prepare();
    int const cell = 0;
    retired log(&cell);
    root first(log, 1);
    root second(log, 2);
    root* current = &first;
    auto const load = [&current](std::memory_order) { return current; };

    // A writer removes what only `first` shows, and finds our announcement there. So our read,
    // which has not begun yet, is the last to release it, and destroys it.
    bool nested = false;
    captures removed([&] {
        domain::slow_read const inner(&cell, load);
        nested = inner.root() == &second;
    });
    staged_env::in_between = [&] {
        current = &second;
        registry_io::garbage_list dead;
        dead.push(&removed);
        retired::release r(log);
        log.take_out(&first, dead, r);
        BOOST_TEST(
            (domain::settle(&cell, &first, domain::fence::allowed) == domain::outcome::settled));
        log.retire(first, r);
        BOOST_TEST(r.free.empty());
    };
    {
        domain::slow_read const outer(&cell, load);
        BOOST_TEST(nested);
        BOOST_TEST(outer.root() == &second);
        // A writer that replaces the root must find this reader.
        BOOST_TEST(domain::mine().linked);
        BOOST_TEST(domain::reading(&cell));
        BOOST_TEST(domain::held(&cell, second));
    }
    BOOST_TEST(!domain::mine().linked);
    BOOST_TEST(first.freed);
}

BOOST_AUTO_TEST_CASE(a_writer_asks_nothing_of_readers_of_another_registry)
{
    // A reader of one registry announces an address that has meanwhile become a root of another
    // registry.
    domain::prepare();
    int const cell = 0;
    int const other = 0;
    retired log(&cell);
    retired others(&other);
    root first(log, 1);
    root* current = &first;
    staged_env::in_between = [&] {
        BOOST_TEST(
            (domain::settle(&other, &first, domain::fence::allowed) == domain::outcome::settled));
        BOOST_TEST(first.holders() == 1u);
        BOOST_TEST(!domain::reading(&other));
        BOOST_TEST(domain::reading(&cell));
        BOOST_TEST(!domain::held(&other, first));
        BOOST_TEST(domain::held(&cell, first));
    };
    domain::slow_read const read(&cell, [&](std::memory_order) { return current; });
    BOOST_TEST(read.root() == &first);
}

BOOST_AUTO_TEST_CASE(mail_for_an_earlier_read_is_the_writers_to_take_back)
{
    // Mail for a read that had ended before there was mail. The next read, of another root, must
    // not take it: it might destroy the captures after the removal has returned.
    domain::prepare();
    int const cell = 0;
    retired log(&cell);
    root earlier(log, 1);
    root later(log, 2);
    {
        domain::slow_read const read(&cell, [&](std::memory_order) { return &later; });
        domain::mine().each_slot([&](reclaim::hazard_slot<staged_env> const& s) {
            if (reclaim::hazard_slot<staged_env>::reading(s.hp.load()))
                s.mail.store(&earlier);
        });
        earlier.enter();
    }
    BOOST_TEST(earlier.holders() == 2u);
    domain::mine().each_slot(
        [](reclaim::hazard_slot<staged_env> const& s) { s.mail.store(nullptr); });
}

/// Replaced roots of versions 1 to 4, each held by one reader or by none.
struct replaced
{
    int owner = 0;
    retired log{&owner};
    root roots[4] = {{log, 1}, {log, 2}, {log, 3}, {log, 4}};
    std::vector<int> gone;
    std::function<void()> at_end;  ///< called when garbage is destroyed

    /// Garbage that is visible from a given root on, and is removed together with the last replaced
    /// root.
    struct thing : garbage
    {
        thing(replaced& r, std::uint64_t version)
            : garbage([](garbage* g) noexcept {
                  auto* const self = static_cast<thing*>(g);
                  self->home.gone.push_back(static_cast<int>(self->birth));
                  if (self->home.at_end != nullptr)
                      std::exchange(self->home.at_end, nullptr)();
              }),
              home(r)
        {
            birth = version;
        }
        replaced& home;
    };

    void replace(int n, bool held, std::initializer_list<thing*> things = {})
    {
        root& e = roots[n - 1];
        if (held)
            e.enter();
        registry_io::garbage_list dead;
        for (thing* const t : things)
            dead.push(t);
        retired::release r(log);
        log.take_out(&e, dead, r);
        log.retire(e, r);
        r.count();
        r.finish();
    }
    void leave(int n) { roots[n - 1].leave(); }
    bool freed(int n) const { return roots[n - 1].freed; }
};

BOOST_AUTO_TEST_CASE(what_was_taken_out_goes_with_the_last_root_that_shows_it)
{
    // The readers of three roots leave in each possible order.
    std::vector<int> order{1, 2, 3};
    do {
        replaced r;
        replaced::thing old(r, 1);
        replaced::thing newer(r, 2);
        replaced::thing newest(r, 3);
        replaced::thing unseen(r, 4);
        r.replace(1, true);
        r.replace(2, true);
        r.replace(3, true);
        r.replace(4, false, {&newer, &old, &unseen, &newest});
        // The last root has no reader: it is freed, with the garbage that only this root showed.
        BOOST_TEST(r.freed(4));
        BOOST_TEST((r.gone == std::vector<int>{4}));
        bool left[4] = {};
        for (int const n : order) {
            r.leave(n);
            left[n] = true;
            BOOST_TEST(r.freed(n));
            for (int birth = 1; birth <= 3; ++birth) {
                bool shown = false;
                for (int v = birth; v <= 3; ++v)
                    shown = shown || !left[v];
                bool const is_gone = std::find(r.gone.begin(), r.gone.end(), birth) != r.gone.end();
                BOOST_TEST(is_gone == !shown);
            }
        }
        BOOST_TEST(r.gone.size() == 4u);
        BOOST_TEST(!r.log.read());
    } while (std::next_permutation(order.begin(), order.end()));
}

/// Whether a completion has been signalled.
bool signalled(reclaim::completion<staged_env> const& c)
{
    struct open : reclaim::completion<staged_env>
    {
        using reclaim::completion<staged_env>::done;
    };
    return static_cast<open const&>(c).done();
}

BOOST_AUTO_TEST_CASE(a_wait_counts_the_roots_that_were_there_when_it_began)
{
    replaced r;
    r.replace(1, true);
    r.replace(2, true);
    reclaim::completion<staged_env> done;
    r.log.wait_for_all(done);
    BOOST_TEST(done.left == 2u);
    // Another root is replaced meanwhile, and its reader leaves first.
    r.replace(3, true);
    r.leave(3);
    BOOST_TEST(r.freed(3));
    BOOST_TEST(done.left == 2u);
    reclaim::completion<staged_env> next;
    r.log.wait_for_all(next);
    r.leave(1);
    BOOST_TEST(done.left == 1u);
    BOOST_TEST(next.left == 1u);
    BOOST_TEST(!signalled(done));
    r.leave(2);
    BOOST_TEST(signalled(done));
    BOOST_TEST(signalled(next));
    reclaim::completion<staged_env> nothing;
    r.log.wait_for_all(nothing);
    BOOST_TEST(signalled(nothing));
}

BOOST_AUTO_TEST_CASE(
    what_is_taken_out_where_no_root_is_replaced_goes_with_the_last_root_that_shows_it)
{
    replaced r;
    replaced::thing shown(r, 1);
    replaced::thing unseen(r, 2);
    r.replace(1, true);
    registry_io::garbage_list dead;
    dead.push(&shown);
    dead.push(&unseen);
    {
        retired::release release(r.log);
        r.log.replace(nullptr, dead, release);
        release.count();
        release.finish();
    }
    BOOST_TEST((r.gone == std::vector<int>{2}));
    r.leave(1);
    BOOST_TEST((r.gone == std::vector<int>{2, 1}));
}

BOOST_AUTO_TEST_CASE(a_publication_that_frees_nothing_is_not_waited_for)
{
    replaced r;
    retired::release nothing(r.log);
    nothing.count();
    reclaim::completion<staged_env> done;
    r.log.wait_for_all(done);
    BOOST_TEST(signalled(done));
    nothing.finish();
    // One that frees something, which is waited for until it is destroyed.
    replaced::thing last(r, 1);
    retired::release something(r.log);
    something.free.push(&last);
    something.count();
    reclaim::completion<staged_env> next;
    r.log.wait_for_all(next);
    BOOST_TEST(!signalled(next));
    something.finish();
    BOOST_TEST(r.gone.size() == 1u);
    BOOST_TEST(signalled(next));
}

BOOST_AUTO_TEST_CASE(what_was_never_shown_goes_at_once)
{
    // One transaction has added the handler and removed it; the root that the transaction replaced
    // has a reader.
    replaced r;
    replaced::thing shown(r, 1);
    replaced::thing never(r, 2);
    r.replace(1, true, {&never, &shown});
    BOOST_TEST((r.gone == std::vector<int>{2}));
    r.leave(1);
    BOOST_TEST((r.gone == std::vector<int>{2, 1}));
}

BOOST_AUTO_TEST_CASE(a_wait_that_destroys_its_registry_is_signalled)
{
    // The thread that waits is the last to let go of a root, and destroys the registry thereby.
    // The list stays until the wait has ended.
    replaced r;
    replaced::thing last(r, 1);
    r.replace(1, true, {&last});
    reclaim::completion<staged_env> done;
    r.log.wait_for_all(done);
    r.at_end = [&r] {
        retired::release release(r.log);
        r.log.close(release);
    };
    r.leave(1);
    BOOST_TEST(r.gone.size() == 1u);
    BOOST_TEST(signalled(done));
}

BOOST_AUTO_TEST_CASE(a_child_of_fork_counts_the_pins_of_retired_roots_alone)
{
    replaced r;
    replaced::thing lost(r, 1);
    replaced::thing pinned(r, 2);
    r.replace(1, true, {&lost});
    r.roots[1].hold();
    r.replace(2, true, {&pinned});
    reclaim::completion<staged_env> of_parent;
    r.log.wait_for_all(of_parent);
    of_parent.left = 1;  // as if it waited for the second root alone
    // A second fork finds the same state.
    reclaim::completion<staged_env> waits[2];
    for (reclaim::completion<staged_env>& done : waits) {
        r.log.follow_fork(nullptr, 0, nullptr);
        BOOST_TEST(r.roots[0].holders() == 1u);
        BOOST_TEST(r.roots[1].holders() == 1u);
        r.log.wait_for_all(done);
        // No thread waits for readers that no longer exist.
        BOOST_TEST(done.left == 1u);
    }
    r.log.follow_fork(nullptr, 0, nullptr);
    r.roots[1].drop();
    BOOST_TEST(r.freed(2));
    BOOST_TEST(!signalled(of_parent));
    // A handler that the first root shows may have been running.
    BOOST_TEST(!r.freed(1));
    BOOST_TEST((r.gone == std::vector<int>{2}));
    // A root of the child's own, which this thread holds when the registry goes.
    replaced::thing mine(r, 3);
    r.replace(3, true, {&mine});
    {
        retired::release release(r.log);
        r.log.close(release);
    }
    BOOST_TEST(r.freed(1));
    BOOST_TEST(!r.freed(3));
    r.leave(3);
    BOOST_TEST(r.freed(3));
    BOOST_TEST((r.gone == std::vector<int>{2, 1, 3}));
}

BOOST_AUTO_TEST_CASE(a_child_of_fork_counts_the_owners_and_pins_of_roots_that_are_not_retired)
{
    // Threads of the parent read the current root, and one that has been replaced and not been
    // settled.
    replaced r;
    root current(r.log, 4);
    root pending(r.log, 3);
    current.enter();
    current.hold();
    pending.enter();
    garbage_list list;
    list.push(&pending.as_garbage());
    r.log.follow_fork(&current, 1, list.head());
    BOOST_TEST(current.holders() == 2u);
    BOOST_TEST(pending.holders() == 1u);
}

BOOST_AUTO_TEST_CASE(a_child_of_fork_drains_what_a_reader_has_left_to_writers)
{
    replaced r;
    retired::stack left;
    r.log.leave_to = &left;
    r.replace(1, true);
    r.leave(1);
    r.log.follow_fork(nullptr, 0, nullptr);
    left.drain_all();
    BOOST_TEST(r.freed(1));
    reclaim::completion<staged_env> done;
    r.log.wait_for_all(done);
    BOOST_TEST(signalled(done));
}

/// `before_close` runs after a drain has found its list empty and before it closes its era.
struct closing_env : staged_env
{
    inline static std::function<void()> before_close;

    template <class T>
    struct atomic : staged_env::atomic<T>
    {
        using staged_env::atomic<T>::atomic;

        T exchange(T to, std::memory_order order) noexcept
        {
            T const was = staged_env::atomic<T>::exchange(to, order);
            if (was == nullptr && before_close != nullptr)
                std::exchange(before_close, nullptr)();
            return was;
        }
    };
};

BOOST_AUTO_TEST_CASE(an_era_does_not_close_on_what_is_hung_on_it_at_the_last_moment)
{
    reclaim::era<closing_env> e;
    bool gone = false;
    bool hung = false;
    captures late([&] { gone = true; });
    closing_env::before_close = [&] { hung = e.hang_one(late); };
    BOOST_TEST(e.let_go());
    e.drain();
    BOOST_TEST(hung);
    BOOST_TEST(gone);
    BOOST_TEST(e.closed());
    captures later([] {});
    BOOST_TEST(!e.hang_one(later));
}

BOOST_AUTO_TEST_CASE(a_heap_of_births_gives_back_the_youngest_first)
{
    struct node : garbage
    {
        node() : garbage(nullptr) {}
    };
    std::mt19937 random(7);
    for (int round = 0; round < 200; ++round) {
        std::vector<node> nodes(1 + random() % 60);
        reclaim::birth_heap heaps[2];
        std::multiset<std::uint64_t> model[2];
        for (node& n : nodes) {
            n.birth = random() % 20;
            std::size_t const to = random() % 2;
            heaps[to].push(n);
            model[to].insert(n.birth);
        }
        for (std::size_t i = random() % 10; i != 0 && !model[0].empty(); --i) {
            BOOST_TEST(heaps[0].top().birth == *model[0].rbegin());
            BOOST_TEST(heaps[0].pop()->birth == *model[0].rbegin());
            model[0].erase(std::prev(model[0].end()));
        }
        heaps[1].meld(heaps[0]);
        model[1].merge(model[0]);
        BOOST_TEST(heaps[0].empty());
        if (round % 2 == 0) {
            registry_io::garbage_list all;
            heaps[1].take_all(all);
            std::multiset<std::uint64_t> taken;
            while (garbage const* const g = all.pop())
                taken.insert(g->birth);
            BOOST_TEST((taken == model[1]));
        } else {
            while (!model[1].empty()) {
                BOOST_TEST(heaps[1].pop()->birth == *model[1].rbegin());
                model[1].erase(std::prev(model[1].end()));
            }
        }
        BOOST_TEST(heaps[1].empty());
    }
}

}  // namespace
