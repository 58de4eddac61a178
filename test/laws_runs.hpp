// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Laws of runs: adjacent handlers of one type may be called in a loop, without any visible
// difference. Part of laws.hpp.

#ifndef REGISTRY_IO_TEST_LAWS_RUNS_HPP
#define REGISTRY_IO_TEST_LAWS_RUNS_HPP

namespace test {

/// A sequence of handler types: the type of the i-th handler of n.
struct type_pattern
{
    char const* name;
    int (*type)(int i, int n);
};
inline constexpr type_pattern type_patterns[] = {
    {"one type", [](int, int) { return 0; }},
    {"blocks", [](int i, int n) { return i * 4 / n % 3; }},
    {"a pair, and one type", [](int i, int) { return i < 2 ? 1 : 0; }},
    {"pairs", [](int i, int) { return i / 2 % 3; }},
    {"alternating", [](int i, int) { return i % 2; }},
    {"one in a run", [](int i, int n) { return i == n / 2 ? 1 : 2; }},
};

/// Adds handlers of three types: a word, a small one and a large one.
class typed_handlers
{
public:
    typed_handlers(combination const& c, world& s) : s_(s), m_(c.keyed) {}

    handler_id add(int type, int key)
    {
        int const n = next_++;
        handler_id id;
        if (type == 0) {
            words_.emplace_back(log, n);
            id = s_->add_word(key, word{&words_.back()});
        } else if (type == 1) {
            id = s_->add(key, note(log, n));
        } else {
            id = s_->add_large(key, note(log, n));
        }
        m_.add(key, id, n);
        return id;
    }
    void remove(handler_id id) { REGISTRY_IO_EXPECT(m_.remove(id) && s_->remove(id)); }
    void remove_at(std::size_t i) { remove(m_.rows[i % m_.rows.size()].id); }
    std::size_t size() const { return m_.rows.size(); }
    int key_at(std::size_t i) const { return m_.rows[i % m_.rows.size()].key; }

    void agree()
    {
        REGISTRY_IO_EXPECT(m_.agrees(*s_));
        REGISTRY_IO_EXPECT(fired(*s_, log) == m_.firing());
    }

    numbers log;

private:
    world& s_;
    model m_;
    std::deque<word_note> words_;
    int next_ = 0;
};

REGISTRY_IO_LAW(handlers_fire_in_order_whatever_their_types)
{
    for (type_pattern const& p : type_patterns) {
        for (int const wanted : {1, 2, 3, 4, 8, 9, 64, 65, 130, 300}) {
            int const n = s.at_most(wanted);
            typed_handlers all(c, s);
            for (int i = 0; i < n; ++i) {
                all.add(p.type(i, n), 0);
                if (i < 20 || i % 17 == 0)
                    all.agree();
            }
            all.agree();
            s->clear();
        }
    }
}

REGISTRY_IO_LAW(a_change_in_the_middle_of_a_run_is_seen_by_the_next_notify)
{
    for (type_pattern const& p : type_patterns) {
        for (int const wanted : {6, 30, 300}) {
            int const n = s.at_most(wanted);
            typed_handlers all(c, s);
            for (int i = 0; i < n; ++i)
                all.add(p.type(i, n), i < n / 2 ? 1 : 0);
            all.agree();
            if (n < 6) {
                s->clear();
                continue;
            }
            // Removes the first handler, the last, one in the middle, and its neighbour, which may
            // join two runs. Then adds handlers of each type with two priorities.
            for (int const at : {0, n - 2, n / 2}) {
                all.remove_at(static_cast<std::size_t>(at));
                all.agree();
            }
            all.remove_at(all.size() / 2);
            all.agree();
            for (int const type : {0, 1, 2, 0}) {
                all.add(type, 1);
                all.agree();
                all.add(type, 0);
                all.agree();
                all.remove_at(all.size() / 2);
                all.agree();
            }
            while (all.size() > 1) {
                all.remove_at(all.size() / 3);
                all.agree();
            }
            s->clear();
        }
    }
}

REGISTRY_IO_LAW_IF(a_failure_in_the_middle_of_a_run_is_that_handlers_alone,
                   c.panic != panics::terminates)
{
    for (int const wanted : {2, 3, 16, 300}) {
        int const n = s.at_most(wanted);
        std::vector<handler_id> told;
        if (c.reports)
            s->on_panic([&](panic_info const& info) { told.push_back(info.handler_id()); });
        numbers log;
        std::vector<handler_id> failing;
        for (int i = 0; i < n; ++i) {
            bool const bad = i % 5 == 1;
            handler_id const id = s->add(bad ? fails(log, i) : note(log, i));
            if (bad)
                failing.push_back(id);
        }
        log.clear();
        ending const end = s->notify(0);
        REGISTRY_IO_EXPECT(log == upto(n));
        REGISTRY_IO_EXPECT(!c.reports || told == failing);
        REGISTRY_IO_EXPECT(end.threw == (c.panic == panics::propagates));
        if (c.panic == panics::collects) {
            REGISTRY_IO_EXPECT(end.failures.size() + end.more == failing.size());
            for (std::size_t i = 0; i < end.failures.size(); ++i)
                REGISTRY_IO_EXPECT(end.failures[i].handler_id() == failing[i]);
        }
        s->clear();
    }
}

REGISTRY_IO_LAW_IF(a_policy_removes_in_the_middle_of_a_run, c.panic == panics::quarantines)
{
    for (int const wanted : {3, 16, 300}) {
        int const n = s.at_most(wanted);
        hush(s);
        numbers log;
        numbers left;
        for (int i = 0; i < n; ++i) {
            bool const bad = i % 3 == 1;
            s->add(bad ? fails(log, i) : note(log, i));
            if (!bad)
                left.push_back(i);
        }
        for (std::size_t i = 0; i < c.limit; ++i)
            REGISTRY_IO_EXPECT(fired(*s, log) == upto(n));
        REGISTRY_IO_EXPECT(fired(*s, log) == left);
        REGISTRY_IO_EXPECT(s->size() == left.size());
        s->clear();
    }
}

REGISTRY_IO_LAW(a_run_that_is_walked_is_not_changed_by_its_handlers)
{
    for (int const wanted : {4, 20, 200}) {
        int const n = s.at_most(wanted);
        numbers log;
        std::vector<handler_id> ids;
        bool acts = true;
        int depth = 0;
        for (int i = 0; i < n; ++i) {
            ids.push_back(s->add([&, i](event const&) {
                log.push_back(i);
                if (i != n / 2)
                    return;
                if (depth++ == 0)
                    s->notify(1);
                --depth;
                if (!std::exchange(acts, false))
                    return;
                // The handler's neighbours, the handler itself, and the ends of the run.
                for (int const gone : {n / 2 - 1, n / 2 + 1, n / 2, 0, n - 1})
                    s->remove(ids[static_cast<std::size_t>(gone)]);
                s->add(note(log, n));
                s->add([&, n](event const&) { log.push_back(n + 1); });
            }));
        }
        // The nested notify changes the registry; neither walk sees the changes.
        numbers expected = upto(n / 2 + 1);
        numbers const whole = upto(n);
        expected.insert(expected.end(), whole.begin(), whole.end());
        expected.insert(expected.end(), whole.begin() + n / 2 + 1, whole.end());
        REGISTRY_IO_EXPECT(fired(*s, log) == expected);
        numbers next;
        for (int i = 1; i < n - 1; ++i)
            if (i < n / 2 - 1 || i > n / 2 + 1)
                next.push_back(i);
        next.push_back(n);
        next.push_back(n + 1);
        REGISTRY_IO_EXPECT(fired(*s, log) == next);
        s->clear();
    }
}

}  // namespace test

#endif
