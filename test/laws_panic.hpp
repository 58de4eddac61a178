// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Laws of failing handlers. Part of laws.hpp.

#ifndef REGISTRY_IO_TEST_LAWS_PANIC_HPP
#define REGISTRY_IO_TEST_LAWS_PANIC_HPP

namespace test {

inline function fails(numbers& log, int n)
{
    return [&log, n](event const&) {
        log.push_back(n);
        throw std::runtime_error("failure " + std::to_string(n));
    };
}

/// Keeps the policies that log from writing to stderr.
inline void hush(world& s)
{
    s->on_panic([](panic_info const&) {});
}

REGISTRY_IO_LAW_IF(siblings_of_a_failing_handler_run, c.panic != panics::terminates)
{
    hush(s);
    numbers log;
    s->add(note(log, 0));
    s->add(fails(log, 1));
    s->add(note(log, 2));
    s->add([&](event const&) {
        log.push_back(3);
        throw 3;
    });
    s->add(note(log, 4));
    REGISTRY_IO_EXPECT(fired(*s, log) == upto(5));
    // The same among very many handlers, which a notify walks chunk by chunk.
    s->clear();
    int const many = s.at_most(300);
    for (int i = 0; i < many; ++i)
        s->add(i % 7 == 0 ? fails(log, i) : note(log, i));
    REGISTRY_IO_EXPECT(fired(*s, log) == upto(many));
}

REGISTRY_IO_LAW(notify_is_noexcept_if_the_panic_policy_isolates)
{
    REGISTRY_IO_EXPECT(c.notify_is_noexcept == (c.panic != panics::propagates));
    REGISTRY_IO_EXPECT(!s->notify(0).threw);
}

REGISTRY_IO_LAW_IF(a_failing_notify_lets_go_of_its_snapshot, c.panic != panics::terminates)
{
    hush(s);
    numbers log;
    probe p;
    handler_id id;
    s->add(fails(log, 0));
    id = s->add([&, held = p.token](event const&) {
        s->remove(id);
        throw std::runtime_error("last words");
    });
    s->notify(0);
    REGISTRY_IO_EXPECT(p.alive() == 0);
    s->synchronize();
}

REGISTRY_IO_LAW_IF(the_callback_is_told_once_for_each_failure_right_after_the_handler, c.reports)
{
    numbers log;
    std::vector<handler_id> told;
    std::vector<std::string> messages;
    std::vector<std::exception_ptr> thrown;
    std::thread::id thread;
    s->on_panic([&](panic_info const& info) {
        log.push_back(100);
        told.push_back(info.handler_id());
        messages.emplace_back(info.message());
        thrown.push_back(info.exception());
        thread = std::this_thread::get_id();
    });
    s->add(note(log, 0));
    handler_id const a = s->add(fails(log, 1));
    s->add(note(log, 2));
    handler_id const b = s->add([&](event const&) {
        log.push_back(3);
        throw 42;
    });
    s->add(note(log, 4));
    numbers const expected{0, 1, 100, 2, 3, 100, 4};
    REGISTRY_IO_EXPECT(fired(*s, log) == expected);
    std::vector<handler_id> const failed{a, b};
    REGISTRY_IO_EXPECT(told == failed);
    std::vector<std::string> const said{"failure 1", ""};
    REGISTRY_IO_EXPECT(messages == said);
    REGISTRY_IO_EXPECT(thread == std::this_thread::get_id());
    int value = 0;
    try {
        std::rethrow_exception(thrown.back());
    } catch (int i) {
        value = i;
    }
    REGISTRY_IO_EXPECT(value == 42);
}

REGISTRY_IO_LAW_IF(what_the_callback_throws_is_swallowed, c.reports)
{
    numbers log;
    int told = 0;
    s->on_panic([&](panic_info const&) {
        ++told;
        throw std::runtime_error("of the callback");
    });
    for (int i = 0; i < 3; ++i)
        s->add(fails(log, i));
    log.clear();
    ending const end = s->notify(0);
    REGISTRY_IO_EXPECT(log == upto(3) && told == 3);
    REGISTRY_IO_EXPECT(end.threw == (c.panic == panics::propagates));
    REGISTRY_IO_EXPECT(!end.threw || end.what == "failure 0");
}

REGISTRY_IO_LAW_IF(an_exception_whose_what_returns_null_has_an_empty_message,
                   c.panic != panics::terminates)
{
    struct speechless : std::exception
    {
        char const* what() const noexcept override { return nullptr; }
    };
    std::vector<std::string> said;
    if (c.reports)
        s->on_panic([&](panic_info const& info) { said.emplace_back(info.message()); });
    numbers log;
    s->add([](event const&) { throw speechless(); });
    s->add(note(log, 0));
    ending end;
    for (std::size_t i = 0; i < 2; ++i) {
        end = s->notify(0);
        REGISTRY_IO_EXPECT(!c.reports || (said.size() == i + 1 && said[i].empty()));
        REGISTRY_IO_EXPECT(c.panic != panics::collects ||
                           (end.failures.size() == 1 && end.failures[0].message().empty()));
    }
    REGISTRY_IO_EXPECT(log.size() == 2);
}

// Each handler fails at most twice in a row, which is not enough for quarantine.
REGISTRY_IO_LAW_IF(a_callback_is_not_told_of_the_failures_that_it_causes,
                   c.reports && (c.panic != panics::quarantines || c.limit > 2))
{
    numbers log;
    bool replace = false;
    std::function<void()> set;
    set = [&] {
        s->on_panic([&](panic_info const&) {
            log.push_back(100);
            if (replace)
                set();
            s->notify(0);
        });
    };
    set();
    if (c.panic == panics::logs)
        s->log_to([](std::string_view) {});
    int calls = 0;
    s->add([&](event const&) {
        if (++calls % 3 != 0)
            throw 1;
    });
    for (int i = 0; i < 4; ++i) {
        // Setting a new callback inside the callback is no way around it.
        replace = i >= 2;
        calls = 0;
        numbers const once{100};
        REGISTRY_IO_EXPECT(fired(*s, log) == once);
        REGISTRY_IO_EXPECT(calls == 2);
        calls = 2;
        s->notify(0);  // restarts a count of failures
    }
    // It is called for failures of another registry, on the same thread.
    world other(c);
    other->on_panic([&](panic_info const&) { log.push_back(300); });
    other->add([](event const&) { throw 1; });
    s->on_panic([&](panic_info const&) { other->notify(0); });
    calls = 0;
    numbers const of_the_other{300};
    REGISTRY_IO_EXPECT(fired(*s, log) == of_the_other);
}

REGISTRY_IO_LAW_IF(a_callback_that_is_set_after_a_wait_is_called, c.reports)
{
    numbers log;
    s->add(fails(log, 0));
    s->synchronize();
    s->on_panic([&](panic_info const&) { log.push_back(100); });
    numbers const both{0, 100};
    REGISTRY_IO_EXPECT(fired(*s, log) == both);
}

REGISTRY_IO_LAW_IF(a_replaced_callback_is_seen_from_the_next_notify_on, c.reports)
{
    numbers log;
    probe first;
    probe second;
    bool replace = true;
    s->on_panic([&, held = first.token](panic_info const&) {
        log.push_back(100);
        if (std::exchange(replace, false)) {
            s->on_panic([&, held2 = second.token](panic_info const&) { log.push_back(200); });
            // The callback has replaced itself, and continues.
            REGISTRY_IO_EXPECT(*held == 0 && first.alive() == 1);
        }
    });
    s->add(fails(log, 0));
    s->add(fails(log, 1));
    numbers const before{0, 100, 1, 100};
    REGISTRY_IO_EXPECT(fired(*s, log) == before);
    REGISTRY_IO_EXPECT(first.alive() == 0 && second.alive() == 1);
    numbers const after{0, 200, 1, 200};
    REGISTRY_IO_EXPECT(fired(*s, log) == after);
    // Handlers come and go; the callback stays, even when there are no handlers.
    std::vector<handler_id> const ids = ids_of(*s);
    s->remove(ids[0]);
    s->remove(ids[1]);
    s->add(fails(log, 2));
    numbers const then{2, 200};
    REGISTRY_IO_EXPECT(fired(*s, log) == then);
    // A nested notify already uses the new callback.
    s->clear();
    bool outer = true;
    s->on_panic([&](panic_info const&) { log.push_back(300); });
    REGISTRY_IO_EXPECT(second.alive() == 0);
    s->add([&](event const&) {
        if (std::exchange(outer, false)) {
            s->on_panic([&](panic_info const&) { log.push_back(400); });
            s->notify(0);
        }
        throw 1;
    });
    numbers const nested{400, 300};
    REGISTRY_IO_EXPECT(fired(*s, log) == nested);
}

REGISTRY_IO_LAW_IF(a_callback_goes_with_the_registry_or_when_it_is_taken_away, c.reports)
{
    probe p;
    auto const callback = [&] { return [held = p.token](panic_info const&) {}; };
    s->clear_panic_callback();
    s->on_panic(callback());
    s->on_panic(callback());
    REGISTRY_IO_EXPECT(p.alive() == 1);
    s->clear_panic_callback();
    REGISTRY_IO_EXPECT(p.alive() == 0);
    s->on_panic(callback());
    s.s.reset();
    REGISTRY_IO_EXPECT(p.alive() == 0);
}

REGISTRY_IO_LAW_IF(a_failure_may_be_kept_for_later, c.reports)
{
    std::vector<panic_info> kept;
    s->on_panic([&](panic_info const& info) { kept.push_back(info); });
    numbers log;
    s->add(fails(log, 5));
    s->notify(0);
    s.s.reset();
    REGISTRY_IO_EXPECT(kept.size() == 1 && kept[0].message() == "failure 5");
}

REGISTRY_IO_LAW_IF(the_first_exception_leaves_notify_after_all_handlers_have_run,
                   c.panic == panics::propagates)
{
    numbers log;
    s->add(note(log, 0));
    handler_id const first = s->add(fails(log, 1));
    s->add(fails(log, 2));
    s->add(note(log, 3));
    ending end = s->notify(0);
    REGISTRY_IO_EXPECT(end.threw && end.what == "failure 1");
    REGISTRY_IO_EXPECT(log == upto(4));
    s->remove(first);
    end = s->notify(0);
    REGISTRY_IO_EXPECT(end.threw && end.what == "failure 2");
    s->clear();
    REGISTRY_IO_EXPECT(!s->notify(0).threw);
    // From a nested notify, through the outer one.
    s->add([&](event const&) {
        s->clear();
        s->add(fails(log, 7));
        s->notify(0);
        REGISTRY_IO_EXPECT(s->size() == 1);
        throw std::runtime_error("outer");
    });
    end = s->notify(0);
    REGISTRY_IO_EXPECT(end.threw && end.what == "outer");
}

REGISTRY_IO_LAW_IF(notify_returns_the_first_failures_and_counts_the_rest,
                   c.panic == panics::collects)
{
    numbers log;
    std::vector<handler_id> ids;
    for (int i = 0; i < 5; ++i) {
        ids.push_back(s->add(fails(log, i)));
        s->add(note(log, 100));
    }
    ending end = s->notify(0);
    REGISTRY_IO_EXPECT(end.failures.size() == c.limit && end.more == 5 - c.limit);
    for (std::size_t i = 0; i < end.failures.size(); ++i) {
        REGISTRY_IO_EXPECT(end.failures[i].handler_id() == ids[i]);
        REGISTRY_IO_EXPECT(end.failures[i].message() == "failure " + std::to_string(i));
    }
    s->clear();
    s->add([](event const&) { throw 1; });
    end = s->notify(0);
    REGISTRY_IO_EXPECT(end.failures.size() == 1 && end.more == 0);
    REGISTRY_IO_EXPECT(end.failures[0].message().empty() && end.failures[0].exception() != nullptr);
    s->clear();
    end = s->notify(0);
    REGISTRY_IO_EXPECT(end.failures.empty() && end.more == 0);
}

REGISTRY_IO_LAW_IF(a_handler_that_fails_so_many_times_in_a_row_is_removed,
                   c.panic == panics::quarantines)
{
    numbers log;
    probe p;
    int told = 0;
    bool works = false;
    s->on_panic([&](panic_info const&) { ++told; });
    handler_id const id = s->add([&, held = p.token](event const&) {
        if (!works)
            throw 1;
    });
    s->add(note(log, 0));
    for (int round = 0; round < 2; ++round) {
        works = false;
        for (std::size_t i = 1; i < c.limit; ++i)
            s->notify(0);
        REGISTRY_IO_EXPECT(s->contains(id));
        works = true;
        s->notify(0);  // restarts the count
    }
    works = false;
    for (std::size_t i = 1; i < c.limit; ++i)
        s->notify(0);
    REGISTRY_IO_EXPECT(s->contains(id) && p.alive() == 1);
    s->notify(0);
    REGISTRY_IO_EXPECT(!s->contains(id) && s->size() == 1);
    REGISTRY_IO_EXPECT(p.alive() == 0);
    int const before = told;
    REGISTRY_IO_EXPECT(before == static_cast<int>(3 * (c.limit - 1) + 1));
    s->notify(0);
    REGISTRY_IO_EXPECT(told == before);
    // Many removals at once in a large registry; the other handlers stay.
    s->clear();
    int const many = s.at_most(300);
    for (int i = 0; i < many; ++i)
        s->add(i % 5 == 0 ? fails(log, -1) : note(log, i));
    for (std::size_t i = 0; i < c.limit; ++i)
        s->notify(0);
    REGISTRY_IO_EXPECT(s->size() == static_cast<std::size_t>(many - (many + 4) / 5));
}

REGISTRY_IO_LAW_IF(a_failing_handler_ends_the_program, c.panic == panics::terminates)
{
    s->add([](event const&) { throw std::runtime_error("end"); });
    std::cout.flush();
    pid_t const child = ::fork();
    if (child == 0) {
        // Not abort: a core dump or the framework's signal handler would prove nothing here.
        std::set_terminate([] { std::_Exit(77); });
        s->notify(0);
        std::_Exit(0);
    }
    int status = 0;
    REGISTRY_IO_EXPECT(::waitpid(child, &status, 0) == child);
    REGISTRY_IO_EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 77);
}

}  // namespace test

#endif
