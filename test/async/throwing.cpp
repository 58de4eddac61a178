// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Everything that can throw while coroutines are awaited: each step of what they await, the copy of
// an event, executors, and the memory for frames.

#include <coroutine>
#include <cstddef>
#include <exception>
#include <new>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <boost/mp11.hpp>
#include <boost/test/unit_test.hpp>

#include <registry_io/panic/propagate.hpp>
#include <registry_io/presets/async.hpp>

#include "async/support.hpp"
#include "memory.hpp"

namespace {

namespace async = registry_io::async;
namespace panic = registry_io::panic;
using registry_io::AsyncRegistry;
using registry_io::handler_id;
using registry_io::panic_info;
using test::gate;
using test::modes;
using test::refusing;
using test::task;

enum class step { construction, ready, suspension, resumption };

/// Throws at one of its steps. If `await_suspend` throws, no later step runs.
class thrower
{
public:
    explicit thrower(step s) noexcept : step_(s) {}

    class awaiter
    {
    public:
        explicit awaiter(step s) : step_(s) { at(step::construction); }
        bool await_ready() const
        {
            at(step::ready);
            return false;
        }
        bool await_suspend(std::coroutine_handle<>) const
        {
            at(step::suspension);
            return false;
        }
        void await_resume() const { at(step::resumption); }

    private:
        void at(step s) const
        {
            if (s == step_)
                throw std::runtime_error("step");
        }
        step step_;
    };
    awaiter operator co_await() const { return awaiter(step_); }

private:
    step step_;
};

constexpr step steps[] = {step::construction, step::ready, step::suspension, step::resumption};

/// Whether waiting for the registry is refused here, as it must be inside its handlers.
template <class Registry>
bool refused(Registry& r)
{
    try {
        r.synchronize();
    } catch (std::system_error const& e) {
        return e.code() == std::errc::resource_deadlock_would_occur;
    }
    return false;
}

/// Memory for frames whose n-th allocation fails.
class short_memory final : public async::frame_memory
{
public:
    explicit short_memory(int n) noexcept : left_(n) {}
    void* allocate(std::size_t size) override
    {
        if (left_-- == 0)
            throw std::bad_alloc();
        ++in_use_;
        return ::operator new(size, std::align_val_t(async::frame_alignment));
    }
    void deallocate(void* p, std::size_t) noexcept override
    {
        --in_use_;
        ::operator delete(p, std::align_val_t(async::frame_alignment));
    }
    int in_use() const noexcept { return in_use_; }
    bool failed() const noexcept { return left_ < 0; }

private:
    int left_;
    int in_use_ = 0;
};

/// Its copies can be made to throw, and are counted.
struct counted
{
    explicit counted(int i) noexcept : n(i) { ++alive; }
    counted(counted const& o) : n(o.n)
    {
        if (n < 0)
            throw std::runtime_error("copy");
        ++alive;
    }
    counted& operator=(counted const&) = delete;
    ~counted() { --alive; }
    int n;
    static inline int alive = 0;
};

/// A handler may return this to wait for a gate.
class through
{
public:
    explicit through(gate& g) noexcept : gate_(g) {}
    gate::waiter operator co_await() const noexcept { return gate_.operator co_await(); }

private:
    gate& gate_;
};

/// Runs `make()` in a handler of another registry, which is notified in the given environment.
template <class Make>
class within
{
public:
    within(async::environment const& env, Make make)
    {
        outer_.register_handler([make](int) -> task<> { co_await make(); });
        running_.emplace(test::drive([this, env] { return outer_.notify(event_, env); }));
    }
    void destroy() { running_.reset(); }

private:
    AsyncRegistry<int> outer_;
    int event_ = 0;
    std::optional<test::foreign> running_;
};

}  // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(what_a_handler_awaits_may_throw_at_each_step, Mode, modes)
{
    for (step const s : steps)
        for (bool const has_waited : {false, true})
            for (bool const catches : {false, true})
                for (bool const in_a_task : {false, true}) {
                    AsyncRegistry<int> r;
                    gate wait;
                    int inside = 0;
                    int siblings = 0;
                    std::vector<panic_info> told;
                    r.on_panic([&](panic_info const& p) { told.push_back(p); });
                    auto const body = [&]() -> task<> {
                        if (has_waited)
                            co_await wait;
                        try {
                            co_await thrower(s);
                        } catch (std::runtime_error const&) {
                            inside += refused(r);
                            if (!catches)
                                throw;
                        }
                        inside += refused(r);
                        // The coroutine can still wait.
                        co_await wait;
                        inside += refused(r);
                    };
                    handler_id const id = r.register_handler([&](int) -> task<> {
                        if (in_a_task)
                            co_await body();
                        else {
                            if (has_waited)
                                co_await wait;
                            try {
                                co_await thrower(s);
                            } catch (std::runtime_error const&) {
                                inside += refused(r);
                                if (!catches)
                                    throw;
                            }
                            inside += refused(r);
                            co_await wait;
                            inside += refused(r);
                        }
                    });
                    r.register_handler([&](int) -> task<> {
                        ++siblings;
                        co_return;
                    });
                    int const e = 1;
                    auto caller = test::drive([&] { return Mode::notify(r, e); });
                    wait.open();
                    BOOST_TEST_REQUIRE(caller.done());
                    BOOST_TEST((caller.thrown() == nullptr));
                    BOOST_TEST(inside == (catches ? 3 : 1));
                    BOOST_TEST(siblings == 1);
                    BOOST_TEST_REQUIRE(told.size() == (catches ? 0u : 1u));
                    if (!catches)
                        BOOST_TEST(told[0].handler_id() == id);
                    r.synchronize();  // outside, waiting is allowed
                }
}

BOOST_AUTO_TEST_CASE(what_is_waited_for_in_a_thread_may_throw_at_each_step)
{
    for (step const s : steps)
        BOOST_CHECK_THROW(async::sync_wait(thrower(s)), std::runtime_error);
}

namespace {

/// The n-th construction throws, whichever constructor is called. Counts the objects that are
/// alive.
class brittle
{
public:
    explicit brittle(int& left) : left_(&left) { count(); }
    brittle(brittle const& o) : left_(o.left_) { count(); }
    brittle(brittle&& o) : left_(o.left_) { count(); }
    brittle& operator=(brittle const&) = delete;
    ~brittle() { --alive; }

    bool await_ready() const noexcept { return true; }
    void await_suspend(std::coroutine_handle<>) const noexcept {}
    void await_resume() const noexcept {}

    static inline int alive = 0;

private:
    void count() const
    {
        if ((*left_)-- == 0)
            throw std::runtime_error("construction");
        ++alive;
    }
    int* left_;
};

/// Throws in `await_suspend`, which returns a `Result`.
template <class Result>
struct suspension_of
{
    bool await_ready() const noexcept { return false; }
    Result await_suspend(std::coroutine_handle<>) const { throw std::runtime_error("suspension"); }
    void await_resume() const noexcept {}
};
using suspensions = boost::mp11::mp_list<void, bool, std::coroutine_handle<>>;

}  // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(a_suspension_of_any_kind_may_throw, Result, suspensions)
{
    AsyncRegistry<int> r;
    int caught = 0;
    int inside = 0;
    gate wait;
    r.register_handler([&](int) -> task<> {
        co_await wait;  // continues after the notify has returned to its caller
        try {
            co_await suspension_of<Result>();
        } catch (std::runtime_error const&) {
            ++caught;
        }
        inside += refused(r);
        co_await wait;
        inside += refused(r);
    });
    int const e = 1;
    auto const caller = test::drive([&] { return r.notify(e); });
    wait.open();
    BOOST_TEST(caller.done());
    BOOST_TEST(caught == 1);
    BOOST_TEST(inside == 2);
    BOOST_CHECK_THROW(async::sync_wait(suspension_of<Result>()), std::runtime_error);
}

BOOST_AUTO_TEST_CASE(each_construction_of_a_result_may_throw)
{
    for (bool const waits : {false, true}) {
        int n = 0;
        for (bool failed = true; failed; ++n) {
            AsyncRegistry<int> r;
            gate wait;
            int left = n;
            int taken = 0;
            int told = 0;
            r.on_panic([&](panic_info const& p) { told += p.message() == "construction"; });
            auto const make = [&]() -> task<brittle> {
                if (waits)
                    co_await wait;
                brittle b(left);
                co_return b;
            };
            r.register_handler([&](int) -> task<> {
                brittle const b = co_await make();
                ++taken;
            });
            int const e = 1;
            auto const caller = test::drive([&] { return r.notify(e); });
            wait.open();
            BOOST_TEST_REQUIRE(caller.done());
            failed = left < 0;
            BOOST_TEST(told == (failed ? 1 : 0));
            BOOST_TEST(taken == (failed ? 0 : 1));
            BOOST_TEST(brittle::alive == 0);
        }
        BOOST_TEST(n > 3);  // in the task, in its promise, and moved out of it
    }
    // The same when a thread waits for the result.
    int n = 0;
    for (bool failed = true; failed; ++n) {
        int left = n;
        auto const make = [&]() -> task<brittle> {
            brittle b(left);
            co_return b;
        };
        failed = false;
        try {
            brittle const b = async::sync_wait(make());
        } catch (std::runtime_error const&) {
            failed = true;
        }
        BOOST_TEST(failed == (left < 0));
        BOOST_TEST(brittle::alive == 0);
    }
    BOOST_TEST(n > 3);
}

BOOST_AUTO_TEST_CASE(each_construction_of_what_a_handler_returns_may_throw)
{
    int n = 0;
    for (bool failed = true; failed; ++n) {
        AsyncRegistry<int> r;
        int left = n;
        int told = 0;
        int siblings = 0;
        r.on_panic([&](panic_info const& p) { told += p.message() == "construction"; });
        r.register_handler([&](int) { return brittle(left); });
        r.register_handler([&](int) { ++siblings; });
        int const e = 1;
        async::sync_wait(r.notify(e));
        failed = left < 0;
        BOOST_TEST(told == (failed ? 1 : 0));
        BOOST_TEST(siblings == 1);
        BOOST_TEST(brittle::alive == 0);
    }
    BOOST_TEST(n > 2);  // its own, and the copy in the frame
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_handler_may_return_what_throws_at_each_step, Mode, modes)
{
    for (step const s : steps) {
        AsyncRegistry<int>::with<panic::propagate> r;
        int siblings = 0;
        r.register_handler([&](int) { return thrower(s); });
        r.register_handler([&](int) { ++siblings; });
        int const e = 1;
        BOOST_CHECK_THROW(async::sync_wait(Mode::notify(r, e)), std::runtime_error);
        BOOST_TEST(siblings == 1);
    }
}

BOOST_AUTO_TEST_CASE(the_copy_of_the_next_event_may_throw)
{
    test::manual loop;
    AsyncRegistry<counted> r;
    int told = 0;
    r.on_panic([&](panic_info const&) { ++told; });
    for (bool const executor : {false, true}) {
        std::string got;
        auto const listen = [&]() -> task<> {
            try {
                co_await r.next();
            } catch (std::runtime_error const& e) {
                got = e.what();
            }
        };
        within const w(executor ? async::environment(async::executor_ref::to(loop))
                                : async::environment(),
                       listen);
        counted const broken(-1);
        async::sync_wait(r.notify(broken));
        BOOST_TEST(got.empty() == executor);
        loop.run();
        BOOST_TEST(got == "copy");
        BOOST_TEST(r.empty());
    }
    BOOST_TEST(told == 0);
    BOOST_TEST(counted::alive == 0);
}

BOOST_AUTO_TEST_CASE(each_allocation_of_next_may_fail)
{
    bool failed = true;
    long n = 0;
    for (; failed; ++n) {
        test::manual loop;
        std::stop_source source;
        AsyncRegistry<counted> r;
        std::string outcome;
        failed = false;
        auto const listen = [&]() -> task<> {
            auto next = r.next();
            try {
                struct watching
                {
                    decltype(next)& inner;
                    long n;
                    bool& failed;
                    void set_context(async::detail::context const* c) { inner.set_context(c); }
                    bool await_ready() const { return inner.await_ready(); }
                    bool await_suspend(std::coroutine_handle<> h)
                    {
                        test::failing_allocation const f(n);
                        struct noting
                        {
                            test::failing_allocation const& of;
                            bool& failed;
                            ~noting() { failed = of.has_failed(); }
                        } const note{f, failed};
                        return inner.await_suspend(h);
                    }
                    auto await_resume() { return inner.await_resume(); }
                };
                auto const got = co_await watching{next, n, failed};
                outcome = got ? "event" : "stopped";
            } catch (std::bad_alloc const&) {
                outcome = "no memory";
            }
        };
        within const w(async::environment(async::executor_ref::to(loop), source.get_token()),
                       listen);
        BOOST_TEST((outcome == "no memory") == failed);
        BOOST_TEST(r.empty() == failed);
        counted const e(1);
        async::sync_wait(r.notify(e));
        loop.run();
        BOOST_TEST(outcome == (failed ? "no memory" : "event"));
    }
    BOOST_TEST(n > 2);  // at least the state, the handler and its table
    BOOST_TEST(counted::alive == 0);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_executor_may_throw_instead_of_resuming_the_caller, Mode, modes)
{
    for (bool const fails : {false, true}) {
        AsyncRegistry<int>::with<panic::propagate> r;
        gate wait;
        refusing executor;
        int alive = 0;
        r.register_handler([&, fails](int) -> task<> {
            test::trace const t(alive);
            co_await wait;
            if (fails)
                throw std::runtime_error("handler");
        });
        int const e = 1;
        bool thrown = false;
        auto const run = [&]() -> test::foreign {
            try {
                co_await Mode::notify(r, e, async::environment(async::executor_ref::to(executor)));
            } catch (refusing::refused const&) {
                thrown = true;
            }
        };
        auto const caller = run();
        BOOST_TEST(alive == 1);
        wait.open();
        BOOST_TEST_REQUIRE(caller.done());
        BOOST_TEST(thrown);
        BOOST_TEST(executor.asked == 1);
        BOOST_TEST(alive == 0);
        r.synchronize();  // no snapshot is held
    }
}

BOOST_AUTO_TEST_CASE(an_executor_may_throw_instead_of_resuming_who_awaits_the_next_event)
{
    for (bool const stops : {false, true}) {
        AsyncRegistry<counted> r;
        refusing executor;
        std::stop_source source;
        bool thrown = false;
        bool ended = false;
        // Nothing else in this environment waits, so nothing else is posted.
        auto const listen = [&]() -> task<> {
            try {
                co_await r.next();
            } catch (refusing::refused const&) {
                thrown = true;
            }
            ended = true;
        };
        within const w(async::environment(async::executor_ref::to(executor), source.get_token()),
                       listen);
        BOOST_TEST(!ended);
        if (stops) {
            source.request_stop();
        } else {
            counted const e(1);
            async::sync_wait(r.notify(e));
        }
        BOOST_TEST(ended);
        BOOST_TEST(thrown);
        BOOST_TEST(r.empty());
    }
    BOOST_TEST(counted::alive == 0);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(each_frame_of_an_async_notify_may_be_refused, Mode, modes)
{
    int n = 0;
    for (bool failed = true; failed; ++n) {
        short_memory memory(n);
        AsyncRegistry<int> r;
        gate wait;
        int ran = 0;
        int told = 0;
        int alive = 0;
        r.on_panic([&](panic_info const& p) {
            ++told;
            BOOST_CHECK_THROW(std::rethrow_exception(p.exception()), std::bad_alloc);
        });
        auto const sub = [&]() -> task<> {
            test::trace const t(alive);
            co_await wait;
        };
        r.register_handler([&](int) -> task<> {  // does not wait
            ++ran;
            co_return;
        });
        r.register_handler([&](int) -> task<> {  // two frames, one after the other
            test::trace const t(alive);
            co_await sub();
            co_await sub();
            ++ran;
        });
        r.register_handler([&](int) {  // a frame that the library makes
            ++ran;
            return through(wait);
        });
        r.register_handler([&](int) { ++ran; });
        int const e = 1;
        {
            auto const caller =
                test::drive([&] { return Mode::notify(r, e, async::environment(memory)); });
            wait.open();
            BOOST_TEST_REQUIRE(caller.done());
        }
        failed = memory.failed();
        BOOST_TEST(told == (failed ? 1 : 0));
        // If a frame is refused for the third handler, its function has already run.
        BOOST_TEST(ran >= 3);
        BOOST_TEST((ran == 4 || failed));
        BOOST_TEST(alive == 0);
        BOOST_TEST(memory.in_use() == 0);
        r.synchronize();
    }
    BOOST_TEST(n >= 5);
}
