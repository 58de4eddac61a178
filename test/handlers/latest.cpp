// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#include "support.hpp"

#include <array>
#include <functional>
#include <stdexcept>

#include <registry_io/handlers/latest.hpp>
#include <registry_io/handlers/once.hpp>
#include <registry_io/handlers/with_id.hpp>

#include "memory.hpp"

namespace rio = registry_io;

namespace {

struct state
{
    int value;
};

using registries = test::registries<state>;
using shared_registries = test::shared_registries<state>;
using numbers = std::vector<int>;

}  // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(who_registers_late_is_told_the_last_event, Registry, registries)
{
    rio::latest<Registry> r;
    numbers log;
    auto const note = [&](state const& s) { log.push_back(s.value); };
    r.register_handler(note);
    BOOST_TEST(log.empty());  // there is no event yet
    BOOST_TEST(!r.last());
    r.notify({1});
    r.notify({2});
    BOOST_TEST((log == numbers{1, 2}));
    BOOST_TEST(r.last()->value == 2);
    r.register_handler(5, [&](state const& s) { log.push_back(10 + s.value); });
    BOOST_TEST((log == numbers{1, 2, 12}));
    {
        rio::handler_guard const guard =
            r.register_guard(7, [&](state const& s) { log.push_back(20 + s.value); });
        BOOST_TEST(r.contains(guard.id()));
        r.notify({3});
    }
    BOOST_TEST((log == numbers{1, 2, 12, 22, 23, 13, 3}));
    r.forget();
    r.register_handler(note);
    BOOST_TEST(log.size() == 7u);
    r.notify({4});
    BOOST_TEST(log.size() == 10u);
    BOOST_TEST(r.clear() == 3u);
    BOOST_TEST(r.last()->value == 4);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_handler_that_fails_at_registration_is_not_registered, Registry,
                              registries)
{
    rio::latest<Registry> r;
    r.notify({1});
    BOOST_CHECK_THROW(r.register_handler([](state const&) { throw std::runtime_error("no"); }),
                      std::runtime_error);
    BOOST_CHECK_THROW(r.register_handler(std::function<void(state const&)>()),
                      std::invalid_argument);
    BOOST_TEST(r.empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_handler_may_notify_while_it_is_told_the_last_event, Registry,
                              registries)
{
    rio::latest<Registry> r;
    numbers log;
    numbers others;
    r.register_handler([&](state const& s) { others.push_back(s.value); });
    r.notify({1});
    r.register_handler([&](state const& s) {
        log.push_back(s.value);
        if (s.value < 3)
            r.notify({s.value + 1});
    });
    BOOST_TEST((log == numbers{1, 2, 3}));  // each once, in order
    BOOST_TEST((others == numbers{1, 2, 3}));
    r.notify({4});
    BOOST_TEST((log == numbers{1, 2, 3, 4}));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_handler_may_register_another_one_inside_a_notify, Registry,
                              registries)
{
    rio::latest<Registry> r;
    numbers log;
    bool first = true;
    r.register_handler([&](state const&) {
        if (std::exchange(first, false))
            r.register_handler([&](state const& s) { log.push_back(s.value); });
    });
    r.notify({1});
    BOOST_TEST((log == numbers{1}));
    r.notify({2});
    BOOST_TEST((log == numbers{1, 2}));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_one_shot_is_used_up_by_the_last_event, Registry, registries)
{
    rio::latest<Registry> r;
    numbers log;
    r.notify({1});
    r.register_handler(rio::once([&](state const& s) {
        log.push_back(s.value);
        r.notify({2});  // newer, but not passed to a handler that is removed
    }));
    BOOST_TEST((log == numbers{1}));
    BOOST_TEST(r.empty());
    rio::handler_id seen;
    rio::handler_id const id =
        r.register_handler(rio::with_id([&](rio::handler_id self, state const&) { seen = self; }));
    BOOST_TEST(seen == id);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_handler_that_goes_while_it_is_told_is_not_told_again, Registry,
                              registries)
{
    rio::latest<Registry> r;
    numbers log;
    r.notify({1});
    r.register_handler(rio::with_id([&](rio::registration const& self, state const& s) {
        log.push_back(s.value);
        if (s.value < 9)
            r.notify({s.value + 1});
        BOOST_TEST(self.unregister());
    }));
    BOOST_TEST((log == numbers{1}));
    BOOST_TEST(r.empty());
}

BOOST_AUTO_TEST_CASE(one_thread_may_have_a_mutable_handler_in_latest)
{
    rio::latest<test::registry_of<rio::snapshot::single_thread, state>> r;
    int last = 0;
    r.notify({1});
    r.register_handler([n = 0, &last](state const&) mutable { last = ++n; });
    r.notify({1});
    BOOST_TEST(last == 2);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(each_late_handler_is_told_each_event_from_its_first_on, Registry,
                              shared_registries)
{
    // One thread notifies 1, 2, 3, ... From the first number that a notify passes to a handler, the
    // handler must see all numbers without a gap, no number twice, and finally the last one.
    constexpr int events = 2000;
    struct seen
    {
        std::atomic<int> last{0};
        std::atomic<int> gaps{0};
        std::atomic<int> backwards{0};
        std::atomic<bool> late{false};
    };
    rio::latest<Registry> r;
    std::array<seen, 60> all;
    std::atomic<bool> done{false};
    test::race(3, [&](int t) {
        if (t == 0) {
            for (int i = 1; i <= events; ++i) {
                r.notify({i});
                if (i % 16 == 0)
                    std::this_thread::yield();
            }
            done = true;
            return;
        }
        for (std::size_t i = static_cast<std::size_t>(t - 1); i < all.size(); i += 2) {
            seen& s = all[i];
            r.register_handler([&s](state const& e) {
                int const before = s.last.exchange(e.value);
                s.backwards += static_cast<int>(e.value <= before);
                // Numbers may be skipped only while the handler is being registered.
                s.gaps += static_cast<int>(s.late && e.value != before + 1);
            });
            s.late = true;
            std::this_thread::yield();
        }
    });
    int wrong = 0;
    for (seen const& s : all)
        wrong += static_cast<int>(s.last != events || s.backwards != 0 || s.gaps != 0);
    BOOST_TEST(wrong == 0);
    BOOST_TEST(done.load());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(late_handlers_are_told_the_end_of_many_notifiers, Registry,
                              shared_registries)
{
    for (int round = 0; round < 20; ++round) {
        rio::latest<Registry> r;
        std::atomic<long> told{0};
        test::race(4, [&](int t) {
            for (int i = 0; i < 50; ++i) {
                if (t < 2) {
                    r.notify({t * 100 + i});
                } else if (i % 10 == 0) {
                    auto const guard = r.register_guard([&](state const&) { ++told; });
                    auto const last = r.last();
                    static_cast<void>(last);
                }
            }
        });
        int value = -1;
        r.register_handler([&](state const& s) { value = s.value; });
        BOOST_TEST(value == r.last()->value);
    }
}

// CONTRACT: an allocation that fails in a writer changes nothing.
BOOST_AUTO_TEST_CASE_TEMPLATE(a_latest_that_runs_out_of_memory_is_as_it_was, Registry, registries)
{
    rio::latest<Registry> r;
    numbers log;
    test::probe p;
    r.register_handler([&](state const& s) { log.push_back(s.value); });
    log.reserve(100);
    r.notify({1});
    log.clear();
    for (long n = 0;; ++n) {
        BOOST_TEST_REQUIRE(n < 100);
        try {
            test::failing_allocation const at(n);
            r.register_handler(
                1, [&, held = p.token](state const& s) { log.push_back(10 + s.value); });
            break;
        } catch (std::bad_alloc const&) {
            BOOST_TEST(r.size() == 1u);
            BOOST_TEST(p.alive() == 0);
            BOOST_TEST(log.empty());
        }
    }
    BOOST_TEST((log == numbers{11}));
    log.clear();
    for (long n = 0;; ++n) {
        BOOST_TEST_REQUIRE(n < 100);
        try {
            test::failing_allocation const at(n);
            r.notify({2});
            break;
        } catch (std::bad_alloc const&) {
            BOOST_TEST(r.last()->value == 1);
            BOOST_TEST(log.empty());
        }
    }
    BOOST_TEST((log == numbers{12, 2}));
}
