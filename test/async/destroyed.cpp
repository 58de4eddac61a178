// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Coroutines that are destroyed wherever they are suspended, and registries that are destroyed
// inside their own handlers.

#include <atomic>
#include <coroutine>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <stdexcept>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include <boost/mp11.hpp>
#include <boost/test/unit_test.hpp>

#include <registry_io/panic/quarantine.hpp>
#include <registry_io/presets/async.hpp>
#include <registry_io/snapshot/atomic_shared_ptr.hpp>
#include <registry_io/snapshot/locked.hpp>
#include <registry_io/snapshot/single_thread.hpp>

#include "async/support.hpp"
#include "process/child.hpp"

namespace {

namespace async = registry_io::async;
namespace panic = registry_io::panic;
namespace snapshot = registry_io::snapshot;
using registry_io::AsyncRegistry;
using registry_io::handler_id;
using registry_io::panic_info;
using test::at_once;
using test::gate;
using test::modes;
using test::task;

/// Counts its copies in all threads.
struct counted
{
    explicit counted(int i) noexcept : n(i) { ++alive; }
    counted(counted const& o) noexcept : n(o.n) { ++alive; }
    counted& operator=(counted const&) = delete;
    ~counted() { --alive; }
    int n;
    static inline std::atomic<int> alive{0};
};

/// A coroutine that awaits the result of `make()` in a handler of its own registry, and so in an
/// environment. Destroying the coroutine destroys what it awaits.
class listener
{
public:
    template <class Make>
    listener(async::environment const& env, Make make)
    {
        outer_.on_panic([](panic_info const&) {});
        outer_.register_handler([this, make](int) -> task<> {
            co_await make();
            ended_ = true;
        });
        running_.emplace(test::drive([this, env] { return outer_.notify(event_, env); }));
    }
    /// The handler has ended; the executor may hold the coroutine that awaits the notify.
    bool ended() const noexcept { return ended_; }
    bool done() const noexcept { return running_->done(); }

private:
    AsyncRegistry<int> outer_;
    int event_ = 0;
    bool ended_ = false;
    std::optional<test::foreign> running_;
};

template <class Snapshot, class Panic>
using registry_of = AsyncRegistry<int>::with<Snapshot, Panic>;
using registries = boost::mp11::mp_product<
    registry_of,
    boost::mp11::mp_list<snapshot::hazard_pointer, snapshot::locked, snapshot::atomic_shared_ptr,
                         snapshot::single_thread>,
    boost::mp11::mp_list<panic::catch_log, panic::quarantine<1>>>;
using cases = boost::mp11::mp_product<boost::mp11::mp_list, registries, modes>;

}  // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(a_coroutine_may_go_at_each_of_its_suspensions, Mode, modes)
{
    // Three handlers, each with a task that waits twice. The caller is destroyed after k
    // resumptions.
    for (bool const executor : {false, true})
        for (int k = 0;; ++k) {
            AsyncRegistry<int> r;
            AsyncRegistry<int> inner;
            test::manual loop;
            std::deque<gate> gates(6);
            int alive = 0;
            int ended = 0;
            int told = 0;
            r.on_panic([&](panic_info const&) { ++told; });
            inner.on_panic([](panic_info const&) {});
            auto const sub = [&](gate& g) -> task<int> {
                test::trace const t(alive);
                co_await g;
                co_return 1;
            };
            inner.register_handler([&](int const& e) -> task<> {
                test::trace const t(alive);
                co_await sub(gates[static_cast<std::size_t>(e)]);
            });
            int const events[] = {0, 1, 2, 3, 4, 5};
            for (std::size_t i = 0; i < 3; ++i)
                r.register_handler([&, i](int) -> task<> {
                    test::trace const t(alive);
                    co_await Mode::notify(inner, events[2 * i]);
                    co_await sub(gates[2 * i + 1]);
                    ++ended;
                });
            auto const env =
                executor ? async::environment(async::executor_ref::to(loop)) : async::environment();
            auto caller = test::drive([&] { return Mode::notify(r, events[0], env); });
            int steps = 0;
            for (gate& g : gates) {
                if (steps == k)
                    break;
                g.open();
                // The executor holds nothing at the moment when the coroutine is destroyed.
                loop.run();
                ++steps;
            }
            bool const done = caller.done();
            int const before = ended;
            caller.destroy();
            BOOST_TEST(alive == 0);
            BOOST_TEST(loop.size() == 0u);
            for (gate const& g : gates)
                BOOST_TEST(g.waiting() == 0u);
            // Each handler that has started and not ended counts as a failure.
            bool const all_were_there = std::is_same_v<Mode, at_once>;
            BOOST_TEST(told == (done ? 0 : all_were_there ? 3 - before : 1));
            r.synchronize();
            inner.synchronize();
            BOOST_TEST(done == (k == 6));
            if (done)
                break;
        }
}

BOOST_AUTO_TEST_CASE(who_awaits_the_next_event_may_go_at_each_point)
{
    enum point { waits, is_posted, has_run };
    for (bool const stops : {false, true})
        for (point const p : {waits, is_posted, has_run}) {
            test::manual loop;
            AsyncRegistry<counted> r;
            std::stop_source source;
            int got = 0;
            auto const listen = [&]() -> task<> {
                auto const e = co_await r.next();
                got += e ? e->n : 10;
            };
            {
                auto l = std::make_unique<listener>(
                    async::environment(async::executor_ref::to(loop), source.get_token()), listen);
                if (p != waits) {
                    if (stops) {
                        source.request_stop();
                    } else {
                        counted const e(1);
                        async::sync_wait(r.notify(e));
                    }
                    BOOST_TEST(loop.size() == 1u);
                }
                if (p == has_run)
                    loop.run();
                l.reset();
                loop.run();
            }
            BOOST_TEST(got == (p != has_run ? 0 : stops ? 10 : 1));
            BOOST_TEST(r.empty());
            BOOST_TEST(counted::alive.load() == 0);
            // Later events find no handler.
            counted const e(1);
            async::sync_wait(r.notify(e));
            source.request_stop();
            BOOST_TEST(loop.size() == 0u);
        }
}

BOOST_AUTO_TEST_CASE(an_executor_may_destroy_the_resumption_of_next_or_the_registry_may_go)
{
    test::manual loop;
    auto r = std::make_unique<AsyncRegistry<counted>>();
    int got = 0;
    auto const listen = [&]() -> task<> { got += (co_await r->next())->n; };
    {
        listener const posted(async::environment(async::executor_ref::to(loop)), listen);
        counted const e(1);
        async::sync_wait(r->notify(e));
        loop.destroy();
    }
    {
        listener const waiting(async::environment(async::executor_ref::to(loop)), listen);
        BOOST_TEST(r->size() == 1u);
        r.reset();
    }
    BOOST_TEST(got == 0);
    BOOST_TEST(counted::alive.load() == 0);
    {
        r = std::make_unique<AsyncRegistry<counted>>();
        listener const posted(async::environment(async::executor_ref::to(loop)), listen);
        {
            counted const e(1);
            async::sync_wait(r->notify(e));
        }
        r.reset();
        loop.run();
        BOOST_TEST(posted.ended());
    }
    BOOST_TEST(got == 1);
    BOOST_TEST(counted::alive.load() == 0);
}

// The precondition of both notifies: the executor does not hold the awaiting coroutine.
#if !defined(NDEBUG)
BOOST_AUTO_TEST_CASE_TEMPLATE(who_awaits_a_notify_must_not_go_when_the_executor_has_it, Mode, modes)
{
    for (bool const runs_first : {false, true}) {
        int const outcome = process::in_child([runs_first] {
            process::silence();
            AsyncRegistry<int> r;
            test::manual loop;
            gate wait;
            r.register_handler([&](int) -> task<> { co_await wait; });
            int const e = 1;
            auto caller = test::drive([&] {
                return Mode::notify(r, e, async::environment(async::executor_ref::to(loop)));
            });
            wait.open();
            if (runs_first)
                loop.run();
            caller.destroy();
            return 0;
        });
        BOOST_TEST(outcome == (runs_first ? 0 : -SIGABRT));
    }
}

// The precondition of next(): no thread is resuming the coroutine.
BOOST_AUTO_TEST_CASE(who_awaits_the_next_event_must_not_go_when_it_is_being_resumed)
{
    // Lives outside the coroutine that awaits it, so that it can be destroyed before its result is
    // taken.
    using next_event = AsyncRegistry<int>::next_event;
    struct made
    {
        AsyncRegistry<int>& r;
        operator next_event() const { return r.next(); }
    };
    class early
    {
    public:
        explicit early(std::optional<next_event>& n) : next_(n) {}
        bool await_ready() const { return next_->await_ready(); }
        bool await_suspend(std::coroutine_handle<> h) { return next_->await_suspend(h); }
        void await_resume() { next_.reset(); }

    private:
        std::optional<next_event>& next_;
    };
    for (bool const resumed : {false, true}) {
        int const outcome = process::in_child([resumed] {
            process::silence();
            AsyncRegistry<int> r;
            std::optional<next_event> next(std::in_place, made{r});
            auto const caller = test::drive([&] { return early(next); });
            if (resumed) {
                int const e = 1;
                async::sync_wait(r.notify(e));
            }
            next.reset();
            return r.empty() ? 0 : 1;
        });
        BOOST_TEST(outcome == (resumed ? -SIGABRT : 0));
    }
}
#endif

BOOST_AUTO_TEST_CASE(what_is_waited_for_in_a_thread_goes_when_it_throws)
{
    int alive = 0;
    gate wait;
    auto const sub = [&]() -> task<> {
        test::trace const t(alive);
        co_await wait;
        throw std::runtime_error("x");
    };
    auto const main = [&]() -> task<> {
        test::trace const t(alive);
        co_await sub();
    };
    std::jthread const opener([&] {
        while (wait.waiting() == 0)
            std::this_thread::yield();
        wait.open();
    });
    BOOST_CHECK_THROW(async::sync_wait(main()), std::runtime_error);
    BOOST_TEST(alive == 0);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_async_registry_may_go_inside_its_own_handlers, Case, cases)
{
    using registry = boost::mp11::mp_first<Case>;
    using mode = boost::mp11::mp_second<Case>;
    // The registry is destroyed by a plain function, by a coroutine, and by a coroutine that fails
    // afterwards.
    for (int const how : {0, 1, 2}) {
        int alive = 0;
        int after = 0;
        int inside = 0;
        auto owner = std::make_unique<registry>();
        registry& r = *owner;
        // Runs after a failure of the first handler, which has a failure to report.
        r.on_panic([t = std::make_shared<test::trace>(alive)](panic_info const&) {});
        r.register_handler([&owner, &inside, how,
                            t = std::make_shared<test::trace>(alive)](int const& e) -> task<> {
            if (how == 0)
                co_return;
            owner.reset();
            inside += t.use_count() == 1 && e == 1;
            if (how == 2)
                throw std::runtime_error("x");
        });
        r.register_handler(
            [&owner, &inside, how, t = std::make_shared<test::trace>(alive)](int const& e) {
                if (how != 0)
                    return;
                owner.reset();
                inside += t.use_count() == 1 && e == 1;
            });
        // The handlers after it still belong to this notify.
        r.register_handler([&after, t = std::make_shared<test::trace>(alive)](int) -> task<> {
            after += t.use_count() == 1;
            co_return;
        });
        r.register_handler([&after, t = std::make_shared<test::trace>(alive)](int) {
            after += t.use_count() == 1;
            throw std::runtime_error("y");
        });
        BOOST_TEST(alive == 5);
        int const e = 1;
        auto const caller = test::drive([&] { return mode::notify(r, e); });
        BOOST_TEST(caller.done());
        BOOST_TEST(inside == 1);
        BOOST_TEST(after == 2);
        BOOST_TEST(!owner);
        BOOST_TEST(alive == 0);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_capture_may_be_the_last_owner_of_its_async_registry, Case, cases)
{
    using registry = boost::mp11::mp_first<Case>;
    using mode = boost::mp11::mp_second<Case>;
    struct session
    {
        explicit session(int& a) : t(a) {}
        test::trace t;
        registry r;
        handler_id id;
        registry_io::async_handler_guard guard;
    };
    auto const holding = [](std::shared_ptr<session> s) {
        return [s = std::move(s)](int const&) -> task<> { co_return; };
    };
    for (int const way : {0, 1, 2, 3, 4, 5, 6, 7}) {
        int alive = 0;
        auto s = std::make_shared<session>(alive);
        session* const raw = s.get();
        registry& r = raw->r;
        int const e = 1;
        // The only owner left is the capture.
        registry_io::async_handler_guard guard;
        switch (way) {
        case 0:
            raw->id = r.register_handler(holding(std::move(s)));
            r.unregister(raw->id);
            break;
        case 1:
            raw->guard = r.register_guard(holding(std::move(s)));
            raw->guard.reset();
            break;
        case 2:
            guard = r.register_guard(holding(std::move(s)));
            guard.reset();
            break;
        case 3:
            r.register_handler(holding(std::move(s)));
            r.clear();
            break;
        case 4:
            raw->id = r.register_handler(holding(std::move(s)));
            r.update([&](auto& t) { t.unregister(raw->id); });
            break;
        case 5:
        case 6: {
            // The handler removes itself in the middle of a notify. Everything is destroyed when
            // that notify ends.
            raw->id = r.register_handler([s = std::move(s), raw, way](int const&) -> task<> {
                if (way == 5)
                    raw->r.unregister(raw->id);
                else
                    raw->r.clear();
                co_return;
            });
            r.register_handler([](int const&) {});
            auto const caller = test::drive([&] { return mode::notify(r, e); });
            BOOST_TEST(caller.done());
            break;
        }
        case 7:
            // A guard that outlives the registry.
            guard = r.register_guard([](int const&) {});
            raw->id = r.register_handler(holding(std::move(s)));
            r.unregister(raw->id);
            break;
        }
        BOOST_TEST(alive == 0);
    }
}

namespace {

/// An executor to which any thread may post.
class shared_loop
{
public:
    void post(std::coroutine_handle<> h)
    {
        std::lock_guard<std::mutex> const lock(mutex_);
        queue_.push_back(h);
    }
    /// Runs one posted function. Returns false if there is none.
    bool run_one()
    {
        std::coroutine_handle<> h;
        {
            std::lock_guard<std::mutex> const lock(mutex_);
            if (queue_.empty())
                return false;
            h = queue_.front();
            queue_.pop_front();
        }
        h.resume();
        return true;
    }

private:
    std::mutex mutex_;
    std::deque<std::coroutine_handle<>> queue_;
};

}  // namespace

BOOST_AUTO_TEST_CASE(who_awaits_the_next_event_goes_while_threads_notify_and_stop)
{
    constexpr unsigned seed = 20260;
    constexpr int rounds = 1500;
    AsyncRegistry<counted> r;
    std::atomic<int> running{2};
    std::atomic<int> got{0};
    std::atomic<int> stopped{0};
    std::mutex sources_mutex;
    std::stop_source sources[2];
    auto const listen = [&](unsigned me) {
        std::mt19937 random(seed + me);
        shared_loop loop;
        for (int i = 0; i < rounds; ++i) {
            std::stop_source source;
            {
                std::lock_guard<std::mutex> const lock(sources_mutex);
                sources[me] = source;
            }
            auto const wait = [&]() -> task<> {
                if ((co_await r.next()).has_value())
                    ++got;
                else
                    ++stopped;
            };
            auto l = std::make_unique<listener>(
                async::environment(async::executor_ref::to(loop), source.get_token()), wait);
            for (unsigned n = random() % 8; n != 0 && !l->ended(); --n)
                if (!loop.run_one())
                    std::this_thread::yield();
            // Once the handler has ended, the executor holds the coroutine that awaits the outer
            // notify.
            while (l->ended() && !l->done())
                loop.run_one();
            l.reset();
        }
        --running;
        // Stop requests that came too late do nothing.
        for (;;) {
            bool const last = running.load() < 0;
            while (loop.run_one())
                ;
            if (last)
                break;
            std::this_thread::yield();
        }
    };
    auto const notify = [&](int n) {
        counted const e(n);
        while (running.load() > 0)
            async::sync_wait(r.notify(e));
    };
    auto const stop = [&] {
        std::mt19937 random(seed);
        while (running.load() > 0) {
            std::stop_source source(std::nostopstate);
            {
                std::lock_guard<std::mutex> const lock(sources_mutex);
                source = sources[random() % 2];
            }
            if (random() % 4 == 0)
                source.request_stop();
            std::this_thread::yield();
        }
    };
    std::vector<std::thread> listeners;
    listeners.emplace_back(listen, 0u);
    listeners.emplace_back(listen, 1u);
    {
        std::jthread const first(notify, 1);
        std::jthread const second(notify, 2);
        std::jthread const third(stop);
    }
    running = -1;
    for (std::thread& t : listeners)
        t.join();
    BOOST_TEST(r.empty());
    r.clear();
    r.synchronize();
    BOOST_TEST(counted::alive.load() == 0);
    BOOST_TEST_MESSAGE(got.load() << " events, " << stopped.load() << " stops");
}
