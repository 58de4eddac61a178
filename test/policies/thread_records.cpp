// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The list of the threads that read, how it changes when a thread exits and when the process forks,
// and how a thread waits.

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <vector>

#include <registry_io/reclaim/completion.hpp>
#include <registry_io/reclaim/nesting.hpp>
#include <registry_io/reclaim/retired.hpp>
#include <registry_io/reclaim/thread_domain.hpp>

#include "policies/played_env.hpp"

namespace {

namespace reclaim = registry_io::reclaim;
using env = test::played_env;

struct record : reclaim::thread_record<record>
{
    bool cold = false;
    void retire() noexcept { cold = true; }
};
using thread_list = reclaim::thread_domain<env, record>;

constexpr reclaim::thread_hooks no_hooks{nullptr, nullptr, nullptr, nullptr};

std::vector<record const*> listed(thread_list const& l)
{
    std::vector<record const*> found;
    for (record const* r = l.first(); r != nullptr && found.size() < 100; r = r->next)
        found.push_back(r);
    return found;
}

BOOST_AUTO_TEST_CASE(records_leave_the_list_in_any_order)
{
    std::vector<int> order{0, 1, 2, 3};
    do {
        thread_list l;
        record records[4];
        std::vector<record const*> model;
        for (record& r : records) {
            l.attach(r);
            model.insert(model.begin(), &r);
        }
        for (int const n : order) {
            BOOST_TEST((listed(l) == model));
            BOOST_TEST(records[n].linked);
            l.detach(records[n]);
            BOOST_TEST(!records[n].linked);
            std::erase(model, &records[n]);
        }
        BOOST_TEST(l.first() == nullptr);
    } while (std::next_permutation(order.begin(), order.end()));
}

BOOST_AUTO_TEST_CASE(a_writer_is_alone_when_no_other_thread_has_a_record)
{
    thread_list l;
    record mine;
    record other;
    BOOST_TEST(l.alone(mine));
    l.attach(mine);
    BOOST_TEST(l.alone(mine));
    BOOST_TEST(!l.alone(other));
    l.attach(other);
    BOOST_TEST(!l.alone(mine));
    BOOST_TEST(!l.alone(other));
    l.detach(mine);
    BOOST_TEST(!l.alone(mine));
    BOOST_TEST(l.alone(other));
}

BOOST_AUTO_TEST_CASE(the_system_is_asked_once_for_each_domain)
{
    thread_list l;
    env::hooks = env::fork_handlers = 0;
    for (int i = 0; i < 3; ++i)
        l.prepare(no_hooks);
    BOOST_TEST(env::hooks == 1);
    BOOST_TEST(env::fork_handlers == 1);
    BOOST_TEST((l.mode() == env::mode));
}

BOOST_AUTO_TEST_CASE(the_locks_of_retired_roots_are_prepared_for_fork_once)
{
    env::fork_handlers = 0;
    for (int i = 0; i < 3; ++i)
        reclaim::retired_locks<env>::prepare();
    BOOST_TEST(env::fork_handlers == 1);
}

BOOST_AUTO_TEST_CASE(a_record_stays_only_when_its_thread_can_take_it_back)
{
    thread_list l;
    l.prepare(no_hooks);
    env::arms = 0;
    record r;
    l.attach(r);
    BOOST_TEST(r.permanent);
    BOOST_TEST(env::arms == 1);
    // The thread exits, and reads once more after that.
    l.thread_exits(r);
    BOOST_TEST(l.first() == nullptr);
    BOOST_TEST(r.cold);
    BOOST_TEST(!r.linked);
    BOOST_TEST(!r.permanent);
    l.attach(r);
    BOOST_TEST(r.linked);
    BOOST_TEST(!r.permanent);
    BOOST_TEST(env::arms == 1);
    l.detach(r);

    env::grants_hooks = false;
    thread_list without;
    without.prepare(no_hooks);
    env::grants_hooks = true;
    record s;
    without.attach(s);
    BOOST_TEST(s.linked);
    BOOST_TEST(!s.permanent);
    BOOST_TEST(env::arms == 1);
    without.detach(s);
}

BOOST_AUTO_TEST_CASE(a_child_of_fork_knows_the_thread_that_forked_alone)
{
    for (bool const reads : {false, true}) {
        for (bool const is_last : {false, true}) {
            thread_list l;
            record mine;
            record others[2];
            l.attach(others[0]);
            if (reads && !is_last)
                l.attach(mine);
            l.attach(others[1]);
            if (reads && is_last)
                l.attach(mine);
            unsigned const before = l.forks();
            l.mutex().lock();
            l.after_fork_in_child(mine);
            BOOST_TEST(l.forks() == before + 1);
            BOOST_TEST(l.alone(mine));
            BOOST_TEST((l.first() == &mine) == reads);
            if (!reads)
                l.attach(mine);
            BOOST_TEST((listed(l) == std::vector<record const*>{&mine}));
            l.detach(mine);
            BOOST_TEST(l.first() == nullptr);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_thread_is_inside_of_what_its_open_frames_name)
{
    int a = 0;
    int b = 0;
    BOOST_TEST(!reclaim::inside<env>(&a));
    {
        reclaim::nesting_scope<env> const outer(&a);
        BOOST_TEST(reclaim::inside<env>(&a));
        BOOST_TEST(!reclaim::inside<env>(&b));
        {
            reclaim::nesting_scope<env> const inner(&b);
            BOOST_TEST(reclaim::inside<env>(&a));
            BOOST_TEST(reclaim::inside<env>(&b));
            env::as(1, [&] { BOOST_TEST(!reclaim::inside<env>(&a)); });
        }
        BOOST_TEST(reclaim::inside<env>(&a));
        BOOST_TEST(!reclaim::inside<env>(&b));
    }
    BOOST_TEST(!reclaim::inside<env>(&a));
}

BOOST_AUTO_TEST_CASE(a_wait_goes_on_until_it_is_signalled)
{
    reclaim::completion<env> c;
    int woken = 0;
    // The first wake-up is for another waiting thread.
    env::meanwhile = [&] {
        ++woken;
        env::meanwhile = [&] {
            ++woken;
            c.signal();
        };
    };
    c.wait();
    BOOST_TEST(woken == 2);
    // The completion is signalled before the wait.
    c.wait();
    BOOST_TEST(woken == 2);
}

/// An object that a reader has left. Its memory is reused as soon as it is drained.
struct node
{
    node* next = nullptr;
    std::vector<int>* drained = nullptr;
    int number = 0;
    std::function<void()> at_end;

    node*& next_left() noexcept { return next; }

    void drain() noexcept
    {
        drained->push_back(number);
        next = drained->size() < 100 ? this : nullptr;
        if (at_end != nullptr)
            at_end();
    }
};

BOOST_AUTO_TEST_CASE(all_that_readers_have_left_is_drained_once)
{
    reclaim::left_stack<env, node> stack;
    std::vector<int> drained;
    node nodes[5];
    for (int i = 0; i < 5; ++i) {
        nodes[i].number = i;
        nodes[i].drained = &drained;
    }
    stack.drain_all();
    BOOST_TEST(drained.empty());
    for (int i = 0; i < 4; ++i)
        stack.push(nodes[i]);
    // A drain may leave more objects.
    nodes[1].at_end = [&] { stack.push(nodes[4]); };
    stack.drain_all();
    std::sort(drained.begin(), drained.end());
    BOOST_TEST((drained == std::vector<int>{0, 1, 2, 3, 4}));
    stack.drain_all();
    BOOST_TEST(drained.size() == 5u);
}

BOOST_AUTO_TEST_CASE(two_readers_may_leave_something_at_once)
{
    reclaim::left_stack<env, node> stack;
    std::vector<int> drained;
    node nodes[2];
    for (int i = 0; i < 2; ++i) {
        nodes[i].number = i;
        nodes[i].drained = &drained;
    }
    // The other thread acts after a push has loaded the stack, and before the push changes it.
    env::before_compare_exchange = [&] { stack.push(nodes[1]); };
    stack.push(nodes[0]);
    stack.drain_all();
    BOOST_TEST((drained == std::vector<int>{0, 1}));
}

BOOST_AUTO_TEST_CASE(a_writer_that_waits_drains_what_readers_leave)
{
    std::vector<int> drained;
    reclaim::left_stack<env, node> stack;
    reclaim::polling_completion<env, node> c;
    c.leaves = &stack;
    node n;
    n.drained = &drained;
    n.at_end = [&] { c.signal(); };
    // The reader has not left when the wait begins. Another nap would never end.
    env::meanwhile = [&] { stack.push(n); };
    c.wait();
    BOOST_TEST(drained.size() == 1u);
    // The registry, and the stack in it, may be destroyed if everything has been done before.
    reclaim::polling_completion<env, node> done;
    done.signal();
    done.wait();
}

}  // namespace
