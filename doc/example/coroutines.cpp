// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Handlers that are coroutines, without any other library. See line_server.cpp for Boost.Asio.

#include <chrono>
#include <condition_variable>
#include <coroutine>
#include <deque>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>

#include <boost/core/lightweight_test.hpp>
#include <registry_io/async/frames.hpp>
#include <registry_io/panic/collect.hpp>
#include <registry_io/presets/async.hpp>

namespace {

namespace async = registry_io::async;
using registry_io::AsyncRegistry;

// tag::executor[]
/// A thread that resumes the coroutines that are posted to it: a minimal executor.
class worker
{
public:
    worker() : thread_([this](std::stop_token const& stop) { run(stop); }) {}

    /// The only function that an executor needs.
    void post(std::coroutine_handle<> coroutine)
    {
        std::lock_guard<std::mutex> const lock(mutex_);
        queue_.push_back(coroutine);
        changed_.notify_one();
    }

    /// `co_await w.here()` continues on the worker's thread.
    class hop
    {
    public:
        explicit hop(worker& w) : worker_(w) {}
        bool await_ready() const { return false; }
        void await_suspend(std::coroutine_handle<> h) const { worker_.post(h); }
        void await_resume() const {}

    private:
        worker& worker_;
    };
    hop here() { return hop(*this); }

    std::thread::id id() const { return thread_.get_id(); }

private:
    void run(std::stop_token const& stop)
    {
        std::unique_lock<std::mutex> lock(mutex_);
        while (changed_.wait(lock, stop, [this] { return !queue_.empty(); })) {
            std::coroutine_handle<> const next = queue_.front();
            queue_.pop_front();
            lock.unlock();
            next.resume();
            lock.lock();
        }
    }

    std::mutex mutex_;
    std::condition_variable_any changed_;
    std::deque<std::coroutine_handle<>> queue_;
    std::jthread thread_;
};
// end::executor[]

// tag::notify[]
struct order
{
    std::string item;
    int count;
};

async::task<int> price_of(worker& database, std::string const& item)
{
    co_await database.here();  // pretend to query the database
    co_return item == "bread" ? 3 : 5;
}

async::task<> sell(AsyncRegistry<order> const& sold, order const& o)
{
    co_await sold.notify(o);  // runs all handlers at once; continues when the last one has ended
}

void first_steps()
{
    worker database;
    AsyncRegistry<order> sold;
    int stock = 10;
    int earned = 0;

    // A plain function, which has ended when it returns.
    sold.register_handler([&](order const& o) { stock -= o.count; });

    // A coroutine, which may wait. The event and the captures of the lambda stay alive.
    sold.register_handler([&](order const& o) -> async::task<> {
        earned += o.count * co_await price_of(database, o.item);
    });

    async::sync_wait(sell(sold, order{"bread", 2}));
    BOOST_TEST(stock == 8);
    BOOST_TEST(earned == 6);
}
// end::notify[]

void in_turn()
{
    // tag::sequential[]
    worker w;
    AsyncRegistry<int> r;
    std::string log;
    r.register_handler(1, [&](int) -> async::task<> {
        co_await w.here();
        log += "second ";
    });
    r.register_handler(2, [&](int) -> async::task<> {
        co_await w.here();
        log += "first ";
    });
    r.register_handler(0, [&](int) { log += "third"; });

    int const event = 1;
    async::sync_wait(r.notify_sequential(event));  // each one begins when the previous has ended
    BOOST_TEST(log == "first second third");
    // end::sequential[]
}

void where()
{
    // tag::environment[]
    worker home;
    worker elsewhere;
    AsyncRegistry<int> r;
    r.register_handler([&](int, async::environment const& env) -> async::task<> {
        if (env.stop().stop_requested())
            co_return;
        co_await elsewhere.here();
    });

    auto const caller = [&]() -> async::task<> {
        co_await home.here();
        int const event = 1;
        co_await r.notify(event);  // the handler ends on another thread; we continue at home
        BOOST_TEST(std::this_thread::get_id() == home.id());
    };
    std::stop_source stop;
    async::sync_wait(caller(), async::environment(async::executor_ref::to(home), stop.get_token()));
    // end::environment[]
}

void failures()
{
    // tag::failures[]
    worker w;
    AsyncRegistry<int>::with<registry_io::panic::collect<>> r;
    r.register_handler([&](int) -> async::task<> {
        co_await w.here();
        throw std::runtime_error("thrown after the wait");
    });
    bool sibling = false;
    r.register_handler([&](int) { sibling = true; });

    int const event = 1;
    auto const failed = async::sync_wait(r.notify(event));
    BOOST_TEST(sibling);
    BOOST_TEST(failed.size() == 1);
    BOOST_TEST(failed[0].message() == "thrown after the wait");
    // end::failures[]
}

void next()
{
    // tag::next[]
    AsyncRegistry<std::string> lines;
    auto const two_lines = [&]() -> async::task<std::string> {
        // Empty if the environment's stop token has been triggered.
        std::optional<std::string> const first = co_await lines.next();
        std::optional<std::string> const second = co_await lines.next();
        co_return *first + *second;
    };
    // end::next[]
    std::jthread const sender([&] {
        for (std::string const line : {"a", "b"}) {
            while (lines.empty())
                std::this_thread::yield();
            async::sync_wait(lines.notify(line));
        }
    });
    BOOST_TEST(async::sync_wait(two_lines()) == "ab");
}

void memory()
{
    // tag::frames[]
    AsyncRegistry<int> r;
    int sum = 0;
    r.register_handler([&](int const& n) -> async::task<> {
        sum += n;
        co_return;
    });
    async::fixed_frames<512, 4> frames;  // on the stack: at most four frames of 512 bytes
    int const event = 1;
    async::sync_wait(r.notify(event, async::environment(frames)));
    BOOST_TEST(sum == 1);
    // end::frames[]
}

}  // namespace

int main()
{
    first_steps();
    in_turn();
    where();
    failures();
    next();
    memory();
    return boost::report_errors();
}
