// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The domain of RCU, step by step: one thread plays all readers and writers.

#include <boost/test/unit_test.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include <registry_io/alloc/heap.hpp>
#include <registry_io/ordering/priority.hpp>
#include <registry_io/panic/terminate.hpp>
#include <registry_io/reclaim/rcu.hpp>
#include <registry_io/registry.hpp>
#include <registry_io/snapshot/rcu.hpp>

#include "policies/played_env.hpp"

namespace {

namespace reclaim = registry_io::reclaim;
using env = test::played_env;
using registry_io::garbage;
using registry_io::garbage_list;
using outcome = reclaim::rcu_domain<env>::outcome;
using era = reclaim::rcu_era<env>;

/// The threads that a test plays.
enum : int { writer, first, second, third };

/// Captures that were taken out. They record that they are destroyed.
struct captures : garbage
{
    captures()
        : garbage([](garbage* g) noexcept {
              auto* const self = static_cast<captures*>(g);
              BOOST_TEST(!self->gone);
              self->gone = true;
              if (self->at_end != nullptr)
                  self->at_end();
          })
    {
    }
    bool gone = false;
    std::function<void()> at_end;
};

/// A domain of its own for each test, and the steps of its threads. `Tag` is a type of that test.
template <class Tag>
class stage
{
public:
    using domain = reclaim::rcu_domain_of<env, Tag>;
    using read = typename domain::slow_read;

    stage() { d.prepare(); }

    domain& d = domain::instance();
    era* last = nullptr;        ///< the last era that the domain has allocated
    std::set<era const*> eras;  ///< all of these eras

    void enters(int thread)
    {
        env::as(thread, [&] { reads_[thread].emplace(); });
    }
    void leaves(int thread)
    {
        env::as(thread, [&] { reads_[thread].reset(); });
    }

    /// Takes `c` out, and destroys what no reader can see.
    outcome removes(captures& c, bool free_only = false)
    {
        garbage_list own;
        own.push(&c);
        return retires(own, static_cast<completion*>(nullptr), free_only);
    }

    void waits()
    {
        completion done;
        garbage_list nothing;
        retires(nothing, &done, false);
        done.wait();
    }

    /// Whether `later()` signals a wait that was refused because the kernel refused its fence.
    template <class F>
    bool refused_wait_is_signalled(F later)
    {
        struct flag : reclaim::completion<env>
        {
            using reclaim::completion<env>::done;
        };
        typename domain::template basic_completion<flag> wait;
        garbage_list nothing;
        era& e = *d.allocate();
        BOOST_TEST((d.retire(e, nothing, &wait, false) == outcome::refused));
        d.give_back(e);
        later();
        return wait.done.done();
    }

    /// Makes this process a child of fork. `mine` is the record of the thread that forked.
    void forks(reclaim::rcu_record<env>& mine)
    {
        d.readers().mutex().lock();
        d.readers().after_fork_in_child(mine);
    }

private:
    using completion = typename domain::template basic_completion<reclaim::completion<env>>;

    outcome retires(garbage_list& own, completion* wait, bool free_only)
    {
        last = d.allocate();
        era& e = *last;
        eras.insert(&e);
        // A child of fork never frees its eras. This set keeps them reachable for the leak checker.
        static auto* const known = new std::set<era const*>;
        known->insert(&e);
        outcome const o = d.retire(e, own, wait, free_only);
        if (o == outcome::unread)
            e.drain();
        else if (o != outcome::used)
            d.give_back(e);
        return o;
    }

    std::optional<read> reads_[env::threads];
};

BOOST_AUTO_TEST_CASE(an_era_is_used_again_when_it_has_drained_and_not_before)
{
    stage<struct used_again> s;
    for (int i = 0; i < 50; ++i) {
        captures held;
        captures free;
        s.enters(first);
        BOOST_TEST((s.removes(held) == outcome::used));
        era* const other = s.d.allocate();
        BOOST_TEST(other != s.last);
        s.d.give_back(*other);
        BOOST_TEST(!held.gone);
        s.leaves(first);
        BOOST_TEST(held.gone);
        BOOST_TEST((s.removes(free) == outcome::unread));
        BOOST_TEST(free.gone);
    }
    BOOST_TEST(s.eras.size() <= 2u);
}

BOOST_AUTO_TEST_CASE(what_was_removed_goes_with_the_last_of_the_readers_that_may_see_it)
{
    for (bool const in_order : {true, false}) {
        stage<struct goes_with_readers> s;
        captures one;
        captures two;
        captures three;
        s.enters(first);
        BOOST_TEST((s.removes(one) == outcome::used));
        // Only the first reader delays the second removal, too.
        BOOST_TEST((s.removes(two) == outcome::merged));
        s.enters(second);
        BOOST_TEST((s.removes(three) == outcome::used));
        s.leaves(in_order ? first : second);
        BOOST_TEST(one.gone == in_order);
        BOOST_TEST(two.gone == in_order);
        BOOST_TEST(!three.gone);
        s.leaves(in_order ? second : first);
        BOOST_TEST(one.gone);
        BOOST_TEST(two.gone);
        BOOST_TEST(three.gone);
    }
}

BOOST_AUTO_TEST_CASE(an_era_that_closes_before_another_one_hangs_on_it_does_not_hold_that_one)
{
    stage<struct closes_first> s;
    captures one;
    captures two;
    s.enters(first);
    s.removes(one);
    s.enters(second);
    env::before_compare_exchange = [&] { s.leaves(first); };
    BOOST_TEST((s.removes(two) == outcome::used));
    BOOST_TEST(one.gone);
    BOOST_TEST(!two.gone);
    s.leaves(second);
    BOOST_TEST(two.gone);
}

BOOST_AUTO_TEST_CASE(a_wait_ends_when_all_readers_that_were_there_have_left)
{
    stage<struct waits_for_all> s;
    captures one;
    captures two;
    s.enters(first);
    s.removes(one);
    s.enters(second);
    s.removes(two);
    int steps = 0;
    env::meanwhile = [&] {
        ++steps;
        s.leaves(first);
        BOOST_TEST(one.gone);
        env::meanwhile = [&] {
            ++steps;
            s.leaves(second);
            BOOST_TEST(two.gone);
        };
    };
    s.waits();
    BOOST_TEST(steps == 2);
}

BOOST_AUTO_TEST_CASE(a_wait_does_not_end_later_for_readers_that_come_after_its_begin)
{
    stage<struct not_starved> s;
    captures one;
    s.enters(first);
    env::meanwhile = [&] {
        s.enters(second);
        BOOST_TEST((s.removes(one) == outcome::used));
        s.leaves(first);
    };
    s.waits();
    BOOST_TEST(!one.gone);
    s.leaves(second);
    BOOST_TEST(one.gone);
}

BOOST_AUTO_TEST_CASE(a_wait_ends_though_the_era_before_it_closes_while_it_begins)
{
    stage<struct closes_meanwhile> s;
    captures one;
    s.enters(first);
    s.removes(one);
    env::before_compare_exchange = [&] { s.leaves(first); };
    s.waits();
    BOOST_TEST(one.gone);
}

BOOST_AUTO_TEST_CASE(a_fence_is_sent_for_other_readers_alone_and_a_table_can_wait_for_the_next_one)
{
    stage<struct fences> s;
    captures one;
    captures two;
    captures three;
    env::heavy_fences = 0;
    BOOST_TEST((s.removes(one, true) == outcome::unread));
    BOOST_TEST(one.gone);
    BOOST_TEST(env::heavy_fences == 0);
    // Now there is a thread that has read.
    s.enters(first);
    s.leaves(first);
    BOOST_TEST((s.removes(two, true) == outcome::deferred));
    BOOST_TEST(!two.gone);
    BOOST_TEST(env::heavy_fences == 0);
    BOOST_TEST((s.removes(three) == outcome::unread));
    BOOST_TEST(three.gone);
    BOOST_TEST(env::heavy_fences == 1);
}

BOOST_AUTO_TEST_CASE(a_reader_that_comes_again_is_not_in_the_way)
{
    stage<struct comes_again> s;
    captures one;
    s.enters(first);
    env::at_heavy_fence = [&] {
        s.leaves(first);
        s.enters(first);
    };
    BOOST_TEST((s.removes(one) == outcome::unread));
    BOOST_TEST(one.gone);
    s.leaves(first);
}

BOOST_AUTO_TEST_CASE(mail_for_an_earlier_read_is_the_writers_to_take_back)
{
    // The reader leaves after the writer has seen it, and before there is mail. Its next read must
    // not take the mail: it might destroy the captures after the removal has returned.
    stage<struct earlier_read> s;
    captures one;
    s.enters(first);
    env::before_exchange = [&] { s.leaves(first); };
    env::at_heavy_fence = [&] {
        BOOST_TEST(s.last->holders() == 2u);
        s.enters(first);
        s.leaves(first);
        BOOST_TEST(s.last->holders() == 2u);
    };
    BOOST_TEST((s.removes(one) == outcome::unread));
    BOOST_TEST(one.gone);
}

BOOST_AUTO_TEST_CASE(after_a_refused_fence_nothing_is_left_with_the_readers)
{
    stage<struct refused> s;
    s.enters(second);
    s.leaves(second);
    // The first fence is refused, or the second one, which is for a reader that is seen late: its
    // announcement lay in its store buffer.
    for (int const granted : {0, 1}) {
        captures one;
        s.enters(first);
        auto const epoch = s.d.now();
        auto const late = [&](auto f) { env::as(second, [&] { f(s.d.hot()); }); };
        env::at_heavy_fence = [&] {
            late([&](auto const& slot) { slot.since.store(slot.last = epoch); });
        };
        env::fences_left = granted;
        BOOST_TEST((s.removes(one) == outcome::refused));
        env::fences_left = -1;
        BOOST_TEST(!one.gone);
        BOOST_TEST(s.last->holders() == 1u);
        // The kernel supports the fence again, and the readers are still there.
        env::at_heavy_fence = nullptr;
        BOOST_TEST((s.removes(one) == outcome::used));
        BOOST_TEST(!one.gone);
        s.leaves(first);
        BOOST_TEST(one.gone == (granted == 0));
        late([](auto const& slot) {
            reclaim::end_read<env, reclaim::rcu_words<env>>(slot.since, slot.mail, slot.last,
                                                            false);
        });
        BOOST_TEST(one.gone);
    }
}

BOOST_AUTO_TEST_CASE(a_child_of_fork_does_not_wait_for_the_readers_of_its_parent)
{
    // The captures outlive the read, which ends when the stage is destroyed.
    captures one;
    captures two;
    stage<struct forks> s;
    s.enters(first);
    BOOST_TEST((s.removes(one) == outcome::used));
    reclaim::rcu_record<env> none;
    s.forks(none);
    BOOST_TEST((s.removes(two) == outcome::unread));
    BOOST_TEST(two.gone);
    s.waits();
    BOOST_TEST(!one.gone);
}

BOOST_AUTO_TEST_CASE(a_child_of_fork_that_reads_keeps_what_it_may_see)
{
    stage<struct forks_inside> s;
    captures one;
    captures two;
    captures three;
    s.enters(first);
    BOOST_TEST((s.removes(one) == outcome::used));
    s.forks(*s.d.readers().first());
    env::as(first, [&] { s.removes(two); });
    BOOST_TEST(!one.gone);
    BOOST_TEST(!two.gone);
    s.leaves(first);
    BOOST_TEST(one.gone);
    BOOST_TEST(two.gone);
    BOOST_TEST((s.removes(three) == outcome::unread));
    BOOST_TEST(three.gone);
}

BOOST_AUTO_TEST_CASE(
    the_fast_path_opens_when_the_thread_is_known_to_the_end_and_fences_are_not_equal)
{
    auto const opens = [](auto& s) {
        s.enters(first);
        s.leaves(first);
        bool open = false;
        env::as(first, [&] { open = s.d.hot().since.load() == reclaim::rcu_words<env>::idle; });
        BOOST_TEST((s.d.readers().first() != nullptr) == env::grants_hooks);
        return open;
    };
    stage<struct opens_with_hooks> s;
    BOOST_TEST(opens(s));
    env::grants_hooks = false;
    stage<struct without_hooks> without;
    BOOST_TEST(!opens(without));
    env::grants_hooks = true;
    env::mode = env::fence_mode::full;
    stage<struct with_equal_fences> equal;
    BOOST_TEST(!opens(equal));
    env::mode = env::fence_mode::asymmetric;
}

BOOST_AUTO_TEST_CASE(a_read_inside_of_another_one_leaves_that_one_as_it_was)
{
    env::grants_hooks = false;
    stage<struct nested> s;
    env::grants_hooks = true;
    captures one;
    s.enters(first);
    env::as(first, [&] { typename decltype(s)::read const inner; });
    // The thread's record is in the list once.
    BOOST_TEST_REQUIRE(s.d.readers().first() != nullptr);
    BOOST_TEST_REQUIRE(s.d.readers().first()->next == nullptr);
    BOOST_TEST(s.d.reading());
    BOOST_TEST((s.removes(one) == outcome::used));
    BOOST_TEST(!one.gone);
    s.leaves(first);
    BOOST_TEST(one.gone);
    BOOST_TEST(s.d.readers().first() == nullptr);
}

BOOST_AUTO_TEST_CASE(a_record_leaves_the_list_once_whatever_captures_do_meanwhile)
{
    env::grants_hooks = false;
    stage<struct leaves_once> s;
    env::grants_hooks = true;
    captures one;
    captures two;
    s.enters(first);
    BOOST_TEST((s.removes(one) == outcome::used));
    // The end of the read destroys the captures, whose destructor reads again. Then another thread
    // begins to read.
    one.at_end = [&] {
        {
            typename decltype(s)::read const inner;
        }
        s.enters(second);
    };
    s.leaves(first);
    BOOST_TEST(one.gone);
    BOOST_TEST(s.d.reading());
    BOOST_TEST((s.removes(two) == outcome::used));
    BOOST_TEST(!two.gone);
    s.leaves(second);
    BOOST_TEST(two.gone);
}

BOOST_AUTO_TEST_CASE(a_wait_would_wait_for_itself_inside_of_a_read_and_of_a_destructor)
{
    for (bool const with_hooks : {true, false}) {
        env::grants_hooks = with_hooks;
        stage<struct inside> hooked;
        stage<struct inside_without_hooks> without;
        env::grants_hooks = true;
        auto const play = [](auto& s) {
            auto const would = [&](int thread) {
                bool found = false;
                env::as(thread, [&] { found = s.d.would_deadlock(); });
                return found;
            };
            // The second time, the thread has a record.
            for (int i = 0; i < 2; ++i) {
                captures one;
                bool inside = false;
                bool elsewhere = true;
                one.at_end = [&] {
                    inside = would(first);
                    elsewhere = would(second);
                };
                BOOST_TEST(!would(first));
                s.enters(first);
                BOOST_TEST(would(first));
                BOOST_TEST(!would(second));
                s.removes(one);
                s.leaves(first);
                BOOST_TEST(one.gone);
                BOOST_TEST(inside);
                BOOST_TEST(!elsewhere);
                BOOST_TEST(!would(first));
            }
        };
        if (with_hooks)
            play(hooked);
        else
            play(without);
    }
}

BOOST_AUTO_TEST_CASE(readers_that_must_not_destroy_leave_it_to_writers)
{
    struct tag;
    stage<reclaim::left_to_writers<tag>> s;
    captures one;
    s.enters(first);
    BOOST_TEST((s.removes(one) == outcome::used));
    s.leaves(first);
    BOOST_TEST(!one.gone);
    s.d.left().drain_all();
    BOOST_TEST(one.gone);
}

BOOST_AUTO_TEST_CASE(a_wait_that_was_refused_hangs_on_nothing)
{
    // Normally a refused wait ends the program. This test shows that nothing refers to the wait.
    stage<struct refused_wait> s;
    captures one;
    s.enters(first);
    BOOST_TEST((s.removes(one) == outcome::used));
    env::fences_left = 0;
    BOOST_TEST(!s.refused_wait_is_signalled([&] {
        env::fences_left = -1;
        s.leaves(first);
    }));
    BOOST_TEST(one.gone);
}

// ----- Whole registries

template <class Tag, class Reclaim = reclaim::prompt>
using registry =
    registry_io::basic_registry<int, registry_io::snapshot::basic_rcu<Tag, Reclaim, env>,
                                registry_io::ordering::priority, registry_io::panic::terminate,
                                registry_io::alloc::heap>;

BOOST_AUTO_TEST_CASE(a_read_may_find_that_the_last_handler_has_gone_since_its_look)
{
    registry<struct gone_since> r;
    int calls = 0;
    auto const adds = [&] { r.register_handler([&](int) { ++calls; }); };
    auto const clears = [&] { env::at_light_fence = [&] { env::as(writer, [&] { r.clear(); }); }; };
    // The first read takes the slow path.
    for (int i = 0; i < 2; ++i) {
        adds();
        clears();
        env::as(first, [&] { r.notify(0); });
        BOOST_TEST(r.empty());
        adds();
        clears();
        env::as(first, [&] { r.for_each_handler([&](registry_io::handler_id) { ++calls; }); });
        BOOST_TEST(r.empty());
    }
    BOOST_TEST(calls == 0);
}

BOOST_AUTO_TEST_CASE(tables_that_registrations_replace_do_not_pile_up)
{
    registry<struct pile_up> r;
    r.register_handler([](int) {});
    env::as(first, [&] { r.notify(0); });
    env::heavy_fences = 0;
    // Each handler goes to the front and so replaces the table, which is flat at these sizes.
    for (int i = 1; i <= 120; ++i)
        r.register_handler(i, [](int) {});
    BOOST_TEST(env::heavy_fences >= 120 / 64);
    BOOST_TEST(env::heavy_fences <= 120 / 16);
}

BOOST_AUTO_TEST_CASE(the_first_removals_of_a_batch_wait_for_the_last_one_and_a_wait_for_none)
{
    auto const shared = std::make_shared<int>();
    auto const kept = [&] { return shared.use_count() - 1; };
    registry<struct batch, reclaim::batched<4>> r;
    std::vector<registry_io::handler_id> ids;
    for (int i = 0; i < 12; ++i)
        ids.push_back(r.register_handler([shared](int) {}));
    env::as(first, [&] { r.notify(0); });
    env::heavy_fences = 0;
    std::size_t next = 0;
    for (int batch = 1; batch <= 2; ++batch) {
        for (int i = 0; i < 3; ++i)
            BOOST_TEST(r.unregister(ids[next++]));
        BOOST_TEST(env::heavy_fences == batch - 1);
        BOOST_TEST(kept() == 12 - 4 * (batch - 1));
        BOOST_TEST(r.unregister(ids[next++]));
        BOOST_TEST(env::heavy_fences == batch);
        BOOST_TEST(kept() == 12 - 4 * batch);
    }
    BOOST_TEST(r.unregister(ids[next++]));
    r.synchronize();
    BOOST_TEST(env::heavy_fences == 3);
    BOOST_TEST(kept() == 3);
}

// CONTRACT: captures are destroyed when no reader can see them. After a refused fence the writer
// takes its mail back, but a reader may have taken it before.
BOOST_AUTO_TEST_CASE(an_era_that_a_reader_is_about_to_let_go_of_is_not_used_again)
{
    using tag = struct about_to_let_go;
    using domain = reclaim::rcu_domain_of<env, tag>;
    // Eras are never freed. This pointer keeps the lost era reachable for the leak checker.
    static era* taken = nullptr;
    auto const life = std::make_shared<int>();
    registry<tag> r;
    std::vector<registry_io::handler_id> ids;
    for (int i = 0; i < 2; ++i)
        ids.push_back(r.register_handler([life](int) {}));
    r.register_handler([&](int event) {
        if (event != 1)
            return;
        env::as(writer, [&] {
            env::fences_left = 0;
            // The reader takes its mail when the writer is about to take it back.
            env::before_compare_exchange = [&] {
                env::as(first, [&] {
                    taken = domain::hot().mail.exchange(nullptr, std::memory_order_relaxed);
                });
            };
            BOOST_TEST(r.unregister(ids[0]));
            env::fences_left = -1;
            BOOST_TEST(r.unregister(ids[1]));
        });
        BOOST_REQUIRE(taken != nullptr);
        taken->drop();
        // This notify still runs, and its snapshot shows both.
        BOOST_TEST(life.use_count() == 3);
    });
    env::as(first, [&] {
        r.notify(0);
        r.notify(1);
    });
    BOOST_TEST(life.use_count() == 1);
}

}  // namespace
