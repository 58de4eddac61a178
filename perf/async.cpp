// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// What a notify of asynchronous handlers costs, compared with a bare loop, the synchronous
// registry, Boost.Asio's coroutines, and a plain lazy task. Each handler adds one to a counter of
// its own; some first wait once, for a queue that a single thread runs. Prints CSV. Times are the
// best of several repetitions; the ratio is to the bare loop over the same number of function
// pointers, measured in the same run.

#include <algorithm>
#include <coroutine>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <registry_io/presets/async.hpp>
#include <registry_io/presets/sync.hpp>
#include <registry_io_perf/asynchronous.hpp>

namespace {

std::size_t allocations = 0;
std::size_t allocated_bytes = 0;

}  // namespace

[[gnu::noinline]] void* operator new(std::size_t size)
{
    ++allocations;
    allocated_bytes += size;
    if (void* const p = std::malloc(size == 0 ? 1 : size))
        return p;
    throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* p) noexcept
{
    std::free(p);
}
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept
{
    std::free(p);
}

namespace {

namespace asio = boost::asio;
using registry_io::AsyncRegistry;
using registry_io::SyncRegistry;
using registry_io::async::task;

constexpr int most_handlers = 16;
constexpr int repetitions = 9;

struct alignas(64) counter
{
    unsigned long value = 0;
};
counter counters[most_handlers];

double bare_ns[most_handlers + 1];

/// Returns the processor time of this thread, which other programs on the machine disturb less than
/// they disturb wall-clock time.
double processor_ns()
{
    std::timespec t{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) * 1e9 + static_cast<double>(t.tv_nsec);
}

/// Measures `run(n)`, which notifies n times, and prints a row.
template <class Run>
double measure(char const* name, char const* peer, int handlers, long n, Run run)
{
    double best = 1e300;
    double allocs = 0;
    double bytes = 0;
    run(n / 10 + 1);
    for (int i = 0; i < repetitions; ++i) {
        std::size_t const allocs_before = allocations;
        std::size_t const bytes_before = allocated_bytes;
        double const begin = processor_ns();
        run(n);
        best = std::min(best, (processor_ns() - begin) / static_cast<double>(n));
        allocs = static_cast<double>(allocations - allocs_before) / static_cast<double>(n);
        bytes = static_cast<double>(allocated_bytes - bytes_before) / static_cast<double>(n);
    }
    double const bare = bare_ns[handlers] == 0 ? best : bare_ns[handlers];
    // No instruction counts here: callgrind counts them, as in instructions.cpp.
    std::printf("async,%s,%s,%d,1,%.1f,%.2f,,%.2f,%.0f\n", name, peer, handlers, best, best / bare,
                allocs, bytes);
    return best;
}

/// The coroutine that notifies. It starts at once, and its owner checks whether it has ended.
class caller
{
public:
    struct promise_type
    {
        caller get_return_object() noexcept
        {
            return caller(std::coroutine_handle<promise_type>::from_promise(*this));
        }
        std::suspend_never initial_suspend() const noexcept { return {}; }
        std::suspend_always final_suspend() const noexcept { return {}; }
        void return_void() const noexcept {}
        void unhandled_exception() const noexcept { std::terminate(); }
    };
    caller(caller&& other) noexcept : coroutine_(std::exchange(other.coroutine_, {})) {}
    caller& operator=(caller&&) = delete;
    ~caller()
    {
        if (coroutine_)
            coroutine_.destroy();
    }

private:
    explicit caller(std::coroutine_handle<promise_type> h) noexcept : coroutine_(h) {}
    std::coroutine_handle<promise_type> coroutine_;
};

caller notify_at_once(AsyncRegistry<int> const& r, long n)
{
    int const event = 1;
    for (long i = 0; i < n; ++i)
        co_await r.notify(event);
}

caller notify_in_turn(AsyncRegistry<int> const& r, long n)
{
    int const event = 1;
    for (long i = 0; i < n; ++i)
        co_await r.notify_sequential(event);
}

/// A task as coroutine libraries define it: it begins when it is awaited, and at its end it resumes
/// the coroutine that awaits it. It has no environment, no isolation, and no recycled frames.
class plain_task
{
public:
    struct promise_type
    {
        plain_task get_return_object() noexcept
        {
            return plain_task(std::coroutine_handle<promise_type>::from_promise(*this));
        }
        std::suspend_always initial_suspend() const noexcept { return {}; }
        struct to_caller
        {
            bool await_ready() const noexcept { return false; }
            std::coroutine_handle<> await_suspend(
                std::coroutine_handle<promise_type> h) const noexcept
            {
                return h.promise().caller;
            }
            void await_resume() const noexcept {}
        };
        to_caller final_suspend() const noexcept { return {}; }
        void return_void() const noexcept {}
        void unhandled_exception() noexcept { exception = std::current_exception(); }

        std::coroutine_handle<> caller;
        std::exception_ptr exception;
    };

    plain_task(plain_task&& other) noexcept : coroutine_(std::exchange(other.coroutine_, {})) {}
    plain_task& operator=(plain_task&&) = delete;
    ~plain_task()
    {
        if (coroutine_)
            coroutine_.destroy();
    }

    bool await_ready() const noexcept { return false; }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<> h) const noexcept
    {
        coroutine_.promise().caller = h;
        return coroutine_;
    }
    void await_resume() const
    {
        if (coroutine_.promise().exception != nullptr)
            std::rethrow_exception(coroutine_.promise().exception);
    }

private:
    explicit plain_task(std::coroutine_handle<promise_type> h) noexcept : coroutine_(h) {}
    std::coroutine_handle<promise_type> coroutine_;
};

plain_task plain_handler(int const& event, unsigned long* to)
{
    *to += static_cast<unsigned long>(event);
    co_return;
}

using plain_handler_type = plain_task (*)(int const&, unsigned long*);

caller plain_in_turn(std::vector<plain_handler_type> const& handlers, long n)
{
    int const event = 1;
    for (long i = 0; i < n; ++i)
        for (std::size_t h = 0; h < handlers.size(); ++h)
            co_await handlers[h](event, &counters[h].value);
}

asio::awaitable<void> asio_handler(int const& event, unsigned long* to)
{
    *to += static_cast<unsigned long>(event);
    co_return;
}

asio::awaitable<void> asio_waiting_handler(int const& event, unsigned long* to)
{
    co_await asio::post(asio::use_awaitable);
    *to += static_cast<unsigned long>(event);
}

using asio_handler_type = asio::awaitable<void> (*)(int const&, unsigned long*);

asio::awaitable<void> asio_in_turn(std::vector<asio_handler_type> const& handlers, long n)
{
    int const event = 1;
    for (long i = 0; i < n; ++i)
        for (std::size_t h = 0; h < handlers.size(); ++h)
            co_await handlers[h](event, &counters[h].value);
}

void run_asio_in_turn(std::vector<asio_handler_type> const& handlers, long n)
{
    asio::io_context io(1);
    asio::co_spawn(io, asio_in_turn(handlers, n), asio::detached);
    io.run();
}

void run_asio_at_once(std::vector<asio_handler_type> const& handlers, long n)
{
    asio::io_context io(1);
    int const event = 1;
    for (long i = 0; i < n; ++i) {
        std::size_t ended = 0;
        for (std::size_t h = 0; h < handlers.size(); ++h)
            asio::co_spawn(io, handlers[h](event, &counters[h].value),
                           [&ended](std::exception_ptr) { ++ended; });
        io.run();
        io.restart();
        if (ended != handlers.size())
            std::abort();
    }
}

void measure_all(int handlers)
{
    long const n = 400000 / handlers;
    auto const each = [&](auto f) {
        for (int i = 0; i < handlers; ++i)
            f(&counters[i].value);
    };

    {
        struct entry
        {
            void (*function)(void*, int const&);
            void* state;
        };
        std::vector<entry> bare;
        each([&](unsigned long* to) {
            bare.push_back({[](void* p, int const& e) {
                                *static_cast<unsigned long*>(p) += static_cast<unsigned long>(e);
                            },
                            to});
        });
        bare_ns[handlers] = measure("bare", "loop", handlers, n * 10, [&](long times) {
            int const event = 1;
            for (long i = 0; i < times; ++i)
                for (entry const& e : bare)
                    e.function(e.state, event);
        });
    }
    {
        SyncRegistry<int> r;
        each([&](unsigned long* to) {
            r.register_handler([to](int const& e) { *to += static_cast<unsigned long>(e); });
        });
        measure("notify", "SyncRegistry", handlers, n * 10, [&](long times) {
            for (long i = 0; i < times; ++i)
                r.notify(1);
        });
    }
    {
        AsyncRegistry<int> r;
        each([&](unsigned long* to) {
            r.register_handler([to](int const& e) { *to += static_cast<unsigned long>(e); });
        });
        measure("at once; plain functions", "AsyncRegistry", handlers, n * 4,
                [&](long times) { notify_at_once(r, times); });
        measure("in turn; plain functions", "AsyncRegistry", handlers, n * 4,
                [&](long times) { notify_in_turn(r, times); });
    }
    {
        AsyncRegistry<int> r;
        each([&](unsigned long* to) {
            r.register_handler([to](int const& e) -> task<> {
                *to += static_cast<unsigned long>(e);
                co_return;
            });
        });
        measure("at once", "AsyncRegistry", handlers, n * 4,
                [&](long times) { notify_at_once(r, times); });
        measure("in turn", "AsyncRegistry", handlers, n * 4,
                [&](long times) { notify_in_turn(r, times); });
    }
    {
        AsyncRegistry<int> r;
        registry_io_perf::turns queue;
        each([&](unsigned long* to) {
            r.register_handler([to, &queue](int const& e) -> task<> {
                co_await queue.next();
                *to += static_cast<unsigned long>(e);
            });
        });
        measure("at once; each waits once", "AsyncRegistry", handlers, n, [&](long times) {
            caller const c = notify_at_once(r, times);
            queue.work_off();
        });
        measure("in turn; each waits once", "AsyncRegistry", handlers, n, [&](long times) {
            caller const c = notify_in_turn(r, times);
            queue.work_off();
        });
    }
    {
        std::vector<asio_handler_type> const at_end(static_cast<std::size_t>(handlers),
                                                    &asio_handler);
        std::vector<asio_handler_type> const waiting(static_cast<std::size_t>(handlers),
                                                     &asio_waiting_handler);
        measure("at once", "Asio co_spawn and count", handlers, n / 10,
                [&](long times) { run_asio_at_once(at_end, times); });
        std::vector<plain_handler_type> const plain(static_cast<std::size_t>(handlers),
                                                    &plain_handler);
        measure("in turn", "a plain lazy task", handlers, n * 4,
                [&](long times) { plain_in_turn(plain, times); });
        measure("in turn", "Asio awaitable", handlers, n,
                [&](long times) { run_asio_in_turn(at_end, times); });
        measure("at once; each waits once", "Asio co_spawn and count", handlers, n / 10,
                [&](long times) { run_asio_at_once(waiting, times); });
        measure("in turn; each waits once", "Asio awaitable", handlers, n / 4,
                [&](long times) { run_asio_in_turn(waiting, times); });
    }
}

}  // namespace

int main()
{
    std::puts(
        "suite,case,policy_or_peer,n,threads,ns,ratio_to_bare,instructions,allocations,bytes");
    for (int const handlers : {1, 4, 16})
        measure_all(handlers);
}
