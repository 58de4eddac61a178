// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The domain of hazard pointers, step by step: one thread plays all readers and writers. Then whole
// registries in that environment: when a writer sends a fence.

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include <registry_io/alloc/heap.hpp>
#include <registry_io/alloc/pmr.hpp>
#include <registry_io/ordering/priority.hpp>
#include <registry_io/panic/terminate.hpp>
#include <registry_io/reclaim/hazard.hpp>
#include <registry_io/registry.hpp>
#include <registry_io/snapshot/hazard_pointer.hpp>

#include "policies/played_env.hpp"

namespace {

namespace reclaim = registry_io::reclaim;
using registry_io::garbage;

/// The threads that a test plays.
enum : int { writer, first, second, third };

/// Gives each test a domain of its own. `Tag` is a type of that test.
template <class Tag>
struct own_env : test::played_env
{
};

/// The part of a registry that the domain knows, and the reads of all threads.
template <class Env>
class play
{
public:
    using domain = reclaim::hazard_domain<Env>;
    using read = typename domain::slow_read;
    using outcome = typename domain::outcome;
    using fence = typename domain::fence;
    using slot = reclaim::hazard_slot<Env>;

    struct root : reclaim::counted_root<Env>
    {
        explicit root(reclaim::retired_roots<Env>& log)
        {
            this->attach(late);
            this->belong(log);
            late.destroy = [](garbage* g) noexcept {
                static_cast<root&>(root::of(*g)).freed = true;
            };
        }
        bool freed = false;
        typename reclaim::counted_root<Env>::late_part late;
    };

    play() { domain::prepare(); }
    play(play const&) = delete;
    play& operator=(play const&) = delete;
    ~play()
    {
        // Ends the innermost read first.
        for (auto& of_thread : reads_)
            while (!of_thread.empty())
                of_thread.pop_back();
    }

    int owner = 0;
    reclaim::retired_roots<Env> log{&owner};
    root roots[3] = {root(log), root(log), root(log)};
    root* current = &roots[0];

    void enters(int thread)
    {
        Env::as(thread, [&] {
            reads_[thread].push_back(std::make_unique<read>(
                &owner,
                [this](std::memory_order) -> reclaim::counted_root<Env>* { return current; }));
        });
    }
    void leaves(int thread)
    {
        Env::as(thread, [&] { reads_[thread].pop_back(); });
    }
    root* reads(int thread) const { return static_cast<root*>(reads_[thread].back()->root()); }

    outcome settles(root& e, fence use = fence::allowed) { return domain::settle(&owner, &e, use); }
    /// Retires a root whose readers are all counted, as its owner does.
    void retires(root& e)
    {
        typename reclaim::retired_roots<Env>::release r(log);
        log.retire(e, r);
        r.count();
        r.finish();
    }

    bool reading(int thread) const
    {
        bool found = false;
        Env::as(thread, [&] { found = domain::reading(&owner); });
        return found;
    }
    static bool known(int thread)
    {
        bool found = false;
        Env::as(thread, [&] { found = domain::mine().linked; });
        return found;
    }

private:
    std::deque<std::unique_ptr<read>> reads_[Env::threads];
};

BOOST_AUTO_TEST_CASE(a_fence_is_sent_for_other_threads_alone)
{
    using env = own_env<struct for_others>;
    play<env> p;
    using outcome = decltype(p)::outcome;
    using fence = decltype(p)::fence;
    // The writer is the only thread, although it reads.
    env::heavy_fences = 0;
    BOOST_TEST((p.settles(p.roots[0]) == outcome::settled));
    p.enters(writer);
    BOOST_TEST((p.settles(p.roots[0]) == outcome::settled));
    BOOST_TEST(p.roots[0].holders() == 2u);
    p.leaves(writer);
    BOOST_TEST((p.settles(p.roots[0], fence::not_now) == outcome::settled));
    BOOST_TEST(!decltype(p)::domain::held(&p.owner, p.roots[0]));
    BOOST_TEST(env::heavy_fences == 0);
    // So it needs no fence from the kernel.
    env::fences_left = 0;
    BOOST_TEST(decltype(p)::domain::fence_works());
    env::fences_left = -1;
    // Another thread has read once.
    p.enters(first);
    p.leaves(first);
    BOOST_TEST((p.settles(p.roots[0], fence::not_now) == outcome::deferred));
    BOOST_TEST((p.settles(p.roots[0], fence::needless) == outcome::settled));
    BOOST_TEST(env::heavy_fences == 0);
    BOOST_TEST((p.settles(p.roots[0]) == outcome::settled));
    BOOST_TEST(env::heavy_fences == 1);
    BOOST_TEST(!decltype(p)::domain::held(&p.owner, p.roots[0]));
    BOOST_TEST(env::heavy_fences == 2);
    env::fences_left = 0;
    BOOST_TEST(!decltype(p)::domain::fence_works());
    BOOST_TEST(decltype(p)::domain::held(&p.owner, p.roots[0]));
    env::fences_left = -1;
    BOOST_TEST(p.roots[0].holders() == 1u);
}

BOOST_AUTO_TEST_CASE(readers_that_stay_are_counted_and_the_last_of_them_frees_the_root)
{
    using env = own_env<struct stays>;
    play<env> p;
    using outcome = decltype(p)::outcome;
    // The writer sees two readers at once, and two after its fence, one of which leaves.
    p.enters(second);
    p.leaves(second);
    p.enters(third);
    p.leaves(third);
    p.enters(writer);
    p.enters(first);
    env::heavy_fences = 0;
    env::at_heavy_fence = [&] {
        p.enters(second);
        p.enters(third);
        env::at_heavy_fence = [&] { p.leaves(third); };
    };
    BOOST_TEST((p.settles(p.roots[0]) == outcome::settled));
    BOOST_TEST(env::heavy_fences == 2);
    BOOST_TEST(p.roots[0].holders() == 4u);
    p.retires(p.roots[0]);
    p.current = &p.roots[1];
    for (int const thread : {first, second, writer}) {
        BOOST_TEST(!p.roots[0].freed);
        p.leaves(thread);
    }
    BOOST_TEST(p.roots[0].freed);
}

BOOST_AUTO_TEST_CASE(mail_for_a_reader_that_has_moved_on_is_taken_back)
{
    // The reader leaves before the mail is there, and begins another read.
    using env = own_env<struct moved_on>;
    play<env> p;
    using outcome = decltype(p)::outcome;
    p.enters(second);
    p.leaves(second);
    p.enters(first);
    env::before_exchange = [&] {
        p.leaves(first);
        p.current = &p.roots[1];
        p.enters(first);
    };
    // The same with mail for a reader that is seen late.
    env::at_heavy_fence = [&] {
        p.current = &p.roots[0];
        p.enters(second);
        p.current = &p.roots[1];
        env::before_exchange = [&] {
            p.leaves(second);
            p.enters(second);
        };
    };
    BOOST_TEST((p.settles(p.roots[0]) == outcome::settled));
    BOOST_TEST(p.roots[0].holders() == 1u);
    p.leaves(first);
    p.leaves(second);
    BOOST_TEST(p.roots[1].holders() == 1u);
}

BOOST_AUTO_TEST_CASE(mail_of_another_registry_is_not_taken_back)
{
    using env = own_env<struct of_others>;
    play<env> p;
    play<env> other;
    using outcome = decltype(p)::outcome;
    p.enters(second);
    p.leaves(second);
    other.enters(first);
    BOOST_TEST((other.settles(other.roots[0]) == outcome::settled));
    BOOST_TEST(other.roots[0].holders() == 2u);
    // A late reader, so that the writer looks twice.
    env::at_heavy_fence = [&] { p.enters(second); };
    BOOST_TEST((p.settles(p.roots[0]) == outcome::settled));
    BOOST_TEST(p.roots[0].holders() == 2u);
    BOOST_TEST(other.roots[0].holders() == 2u);
    // The same after a refused fence.
    env::fences_left = 0;
    BOOST_TEST((p.settles(p.roots[1]) == outcome::refused));
    env::fences_left = -1;
    BOOST_TEST(other.roots[0].holders() == 2u);
    p.leaves(second);
    BOOST_TEST(p.roots[0].holders() == 1u);
    other.leaves(first);
    BOOST_TEST(other.roots[0].holders() == 1u);
}

BOOST_AUTO_TEST_CASE(reads_deeper_than_there_are_slots_count_themselves)
{
    using env = own_env<struct deep>;
    play<env> p;
    // The fast path's slot, and all nested ones but the last.
    constexpr unsigned announced = reclaim::hazard_record<env>::nested_slots;
    for (unsigned depth = 1; depth <= announced + 3; ++depth) {
        p.enters(first);
        BOOST_TEST(p.reads(first) == &p.roots[0]);
        BOOST_TEST(p.roots[0].holders() == 1 + (depth > announced ? depth - announced : 0));
    }
    for (unsigned depth = announced + 3; depth != 0; --depth) {
        BOOST_TEST(p.reading(first));
        p.leaves(first);
        BOOST_TEST(p.roots[0].holders() == 1 + (depth > announced + 1 ? depth - announced - 1 : 0));
    }
    BOOST_TEST(!p.reading(first));
    // A nested read finds no root, because the last handler has been removed meanwhile.
    for (unsigned depth = 1; depth <= announced; ++depth)
        p.enters(first);
    p.current = nullptr;
    p.enters(first);
    BOOST_TEST(p.reads(first) == nullptr);
    p.leaves(first);
    BOOST_TEST(p.roots[0].holders() == 1u);
}

BOOST_AUTO_TEST_CASE(a_read_that_finds_nothing_leaves_everything_as_it_was)
{
    using env = own_env<struct finds_nothing>;
    play<env> p;
    using slot = decltype(p)::slot;
    using domain = decltype(p)::domain;
    BOOST_TEST(!p.reading(first));
    p.enters(first);
    // Mail for this read arrives after the read has ended.
    p.leaves(first);
    env::as(first, [&] { domain::hot().mail.store(&p.roots[0]); });
    p.roots[0].enter();
    p.current = nullptr;
    p.enters(first);
    BOOST_TEST(p.reads(first) == nullptr);
    env::as(first, [&] { BOOST_TEST(domain::hot().hp.load() == slot::idle); });
    p.leaves(first);
    BOOST_TEST(p.roots[0].holders() == 2u);
    env::as(first, [&] {
        BOOST_TEST(domain::hot().hp.load() == slot::idle);
        domain::hot().mail.store(nullptr);
    });
}

BOOST_AUTO_TEST_CASE(a_read_that_starts_over_has_let_go_of_what_it_saw_first)
{
    using env = own_env<struct starts_over>;
    play<env> p;
    using outcome = decltype(p)::outcome;
    p.enters(first);
    p.leaves(first);
    env::at_light_fence = [&] {
        p.current = &p.roots[1];
        BOOST_TEST((p.settles(p.roots[0]) == outcome::settled));
        BOOST_TEST(p.roots[0].holders() == 2u);
        p.retires(p.roots[0]);
    };
    p.enters(first);
    BOOST_TEST(p.reads(first) == &p.roots[1]);
    BOOST_TEST(p.roots[0].freed);
    p.leaves(first);
}

BOOST_AUTO_TEST_CASE(a_record_stays_known_only_where_its_thread_can_take_it_back)
{
    using env = own_env<struct stays_known>;
    using other_env = own_env<struct does_not_stay>;
    play<env> p;
    p.enters(first);
    BOOST_TEST(p.known(first));
    p.leaves(first);
    BOOST_TEST(p.known(first));
    env::grants_hooks = false;
    play<other_env> without;
    env::grants_hooks = true;
    without.enters(first);
    without.enters(first);
    without.leaves(first);
    // The outer read continues.
    BOOST_TEST(without.known(first));
    BOOST_TEST(without.reading(first));
    without.leaves(first);
    BOOST_TEST(!without.known(first));
}

BOOST_AUTO_TEST_CASE(a_thread_reads_a_registry_from_the_begin_of_a_read_to_its_end)
{
    using env = own_env<struct begin_to_end>;
    play<env> p;
    play<env> other;
    using domain = decltype(p)::domain;
    BOOST_TEST(!p.reading(first));
    p.enters(first);
    BOOST_TEST(p.reading(first));
    BOOST_TEST(!p.reading(second));
    BOOST_TEST(!other.reading(first));
    BOOST_TEST(domain::read_by_others(&p.owner));
    BOOST_TEST(!domain::read_by_others(&other.owner));
    env::as(first, [&] { BOOST_TEST(!domain::read_by_others(&p.owner)); });
    p.leaves(first);
    BOOST_TEST(!p.reading(first));
    BOOST_TEST(!domain::read_by_others(&p.owner));
}

BOOST_AUTO_TEST_CASE(a_root_is_held_by_its_own_readers_and_by_who_has_pinned_it)
{
    using env = own_env<struct held>;
    play<env> p;
    using domain = decltype(p)::domain;
    // A reader of an older root of the same registry does not hold this root.
    p.enters(first);
    p.current = &p.roots[1];
    BOOST_TEST(!domain::held(&p.owner, p.roots[1]));
    p.enters(second);
    BOOST_TEST(domain::held(&p.owner, p.roots[1]));
    p.leaves(second);
    BOOST_TEST(!domain::held(&p.owner, p.roots[1]));
    // As a suspended coroutine does.
    p.roots[1].hold();
    BOOST_TEST(domain::held(&p.owner, p.roots[1]));
    p.roots[1].drop();
    BOOST_TEST(!domain::held(&p.owner, p.roots[1]));
    p.leaves(first);
}

// ----- Whole registries

struct event
{
};
template <class Env, class Reclaim = reclaim::prompt, class Alloc = registry_io::alloc::heap>
using registry =
    registry_io::basic_registry<event, registry_io::snapshot::basic_hazard_pointer<Reclaim, Env>,
                                registry_io::ordering::priority, registry_io::panic::terminate,
                                Alloc>;

/// Captures that count their destruction.
class capture
{
public:
    explicit capture(int& gone) noexcept : gone_(&gone) {}
    capture(capture&& other) noexcept : gone_(std::exchange(other.gone_, nullptr)) {}
    capture& operator=(capture&&) = delete;
    ~capture()
    {
        if (gone_ != nullptr)
            ++*gone_;
    }
    void operator()(event const&) const {}

private:
    int* gone_;
};

BOOST_AUTO_TEST_CASE(a_removal_sends_one_fence_and_a_registration_none)
{
    using env = own_env<struct one_fence>;
    int gone = 0;
    registry<env> r;
    std::vector<registry_io::handler_id> ids;
    ids.push_back(r.register_handler(capture(gone)));
    env::as(first, [&] { r.notify({}); });
    env::heavy_fences = 0;
    for (int i = 0; i < 20; ++i)
        ids.push_back(r.register_handler(capture(gone)));
    BOOST_TEST(env::heavy_fences == 0);
    for (int i = 0; i < 20; ++i) {
        BOOST_TEST(r.unregister(ids[static_cast<std::size_t>(i)]));
        BOOST_TEST(gone == i + 1);
        BOOST_TEST(env::heavy_fences == i + 1);
    }
}

BOOST_AUTO_TEST_CASE(an_empty_registry_is_read_and_waited_for)
{
    using env = own_env<struct empty>;
    registry<env> outer;
    registry<env> r;
    int calls = 0;
    outer.register_handler([&](event const&) {
        ++calls;
        r.notify({});
    });
    for (int i = 0; i < 2; ++i) {
        // On one thread, and then with another thread.
        r.notify({});
        r.synchronize();
        outer.notify({});
        r.register_handler([&](event const&) { ++calls; });
        env::as(first, [&] { outer.notify({}); });
        BOOST_TEST(r.clear() == 1u);
        r.synchronize();
    }
    BOOST_TEST(calls == 6);
}

BOOST_AUTO_TEST_CASE(a_wait_is_refused_inside_of_a_handler_and_of_a_destructor)
{
    using env = own_env<struct waits>;
    registry<env> r;
    int refused = 0;
    auto const waits = [&] {
        try {
            r.synchronize();
        } catch (std::system_error const&) {
            ++refused;
        }
    };
    registry_io::handler_id id;
    {
        auto only = std::shared_ptr<int>(new int, [&](int* p) {
            delete p;
            waits();
        });
        id = r.register_handler([only](event const&) {});
    }
    r.register_handler([&](event const&) { waits(); });
    env::as(first, [&] { r.notify({}); });
    BOOST_TEST(refused == 1);
    BOOST_TEST(r.unregister(id));
    BOOST_TEST(refused == 2);
    waits();
    BOOST_TEST(refused == 2);
}

BOOST_AUTO_TEST_CASE(tables_that_registrations_replace_do_not_pile_up)
{
    using env = own_env<struct pile_up>;
    // From a source whose memory is not plentiful.
    registry<env, reclaim::prompt, registry_io::alloc::pmr> r;
    r.register_handler([](event const&) {});
    env::as(first, [&] { r.notify({}); });
    env::heavy_fences = 0;
    // Each handler goes to the front and so replaces the table, which is flat at these sizes.
    for (int i = 1; i <= 120; ++i)
        r.register_handler(i, [](event const&) {});
    BOOST_TEST(env::heavy_fences >= 120 / 64);
    BOOST_TEST(env::heavy_fences <= 120 / 16);
}

BOOST_AUTO_TEST_CASE(after_a_refused_fence_readers_are_not_asked_until_the_kernel_agrees)
{
    using env = own_env<struct refused>;
    int gone = 0;
    registry<env> r;
    std::vector<registry_io::handler_id> ids;
    for (int i = 0; i < 12; ++i)
        ids.push_back(r.register_handler(capture(gone)));
    auto const removes = [&] {
        BOOST_TEST(r.unregister(ids.back()));
        ids.pop_back();
    };
    env::as(second, [&] { r.notify({}); });
    bool inside = false;
    r.register_handler(9, [&](event const&) {
        if (std::exchange(inside, true))
            return;
        // Another thread removes handlers while this one reads.
        env::as(writer, [&] {
            env::fences_left = 0;
            removes();
            int asked = 0;
            std::function<void()> const count = [&] {
                ++asked;
                env::before_exchange = count;
            };
            env::before_exchange = count;
            for (int i = 0; i < 5; ++i)
                removes();
            env::before_exchange = nullptr;
            // Each removal has asked for its own root only.
            BOOST_TEST(asked == 5);
            BOOST_TEST(gone == 0);
            // The kernel supports the fence again: this removal asks for all roots.
            env::fences_left = -1;
            removes();
            BOOST_TEST(gone == 0);
        });
    });
    env::as(first, [&] { r.notify({}); });
    BOOST_TEST(gone == 7);
    removes();
    BOOST_TEST(gone == 8);
}

BOOST_AUTO_TEST_CASE(the_first_removals_of_a_batch_wait_for_the_last_one_and_a_wait_for_none)
{
    using env = own_env<struct batch>;
    int gone = 0;
    registry<env, reclaim::batched<4>> r;
    std::vector<registry_io::handler_id> ids;
    for (int i = 0; i < 12; ++i)
        ids.push_back(r.register_handler(capture(gone)));
    env::as(first, [&] { r.notify({}); });
    env::heavy_fences = 0;
    std::size_t next = 0;
    // Again, for the second batch.
    for (int batch = 1; batch <= 2; ++batch) {
        for (int i = 0; i < 3; ++i)
            BOOST_TEST(r.unregister(ids[next++]));
        BOOST_TEST(gone == (batch - 1) * 4);
        BOOST_TEST(env::heavy_fences == batch - 1);
        BOOST_TEST(r.unregister(ids[next++]));
        BOOST_TEST(gone == batch * 4);
        BOOST_TEST(env::heavy_fences == batch);
    }
    BOOST_TEST(r.unregister(ids[next++]));
    BOOST_TEST(gone == 8);
    r.synchronize();
    BOOST_TEST(gone == 9);
}

}  // namespace
