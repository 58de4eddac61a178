// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// What the tests of the asynchronous side share.

#ifndef REGISTRY_IO_TEST_ASYNC_SUPPORT_HPP
#define REGISTRY_IO_TEST_ASYNC_SUPPORT_HPP

#include <condition_variable>
#include <coroutine>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/mp11/list.hpp>

#include <registry_io/async/environment.hpp>
#include <registry_io/async/task.hpp>
#include <registry_io/presets/async.hpp>

namespace test {

using registry_io::async::task;

/// Awaits a notify of either kind. Test cases over `modes` run for both.
struct at_once
{
    template <class Registry, class... Args>
    static auto notify(Registry& r, Args&&... args)
    {
        return r.notify(std::forward<Args>(args)...);
    }
};
struct in_turn
{
    template <class Registry, class... Args>
    static auto notify(Registry& r, Args&&... args)
    {
        return r.notify_sequential(std::forward<Args>(args)...);
    }
};
using modes = boost::mp11::mp_list<at_once, in_turn>;

/// Coroutines wait for a gate until it is opened. Any thread may open it, and that thread then
/// resumes them. A waiter that is destroyed is forgotten.
class gate
{
public:
    class waiter
    {
    public:
        explicit waiter(gate& g) noexcept : gate_(g) {}
        waiter(waiter const&) = delete;
        waiter& operator=(waiter const&) = delete;
        ~waiter()
        {
            std::lock_guard<std::mutex> const lock(gate_.mutex_);
            std::erase(gate_.waiters_, this);
        }
        bool await_ready() const noexcept { return false; }
        bool await_suspend(std::coroutine_handle<> h)
        {
            std::lock_guard<std::mutex> const lock(gate_.mutex_);
            if (gate_.open_)
                return false;
            coroutine_ = h;
            gate_.waiters_.push_back(this);
            return true;
        }
        void await_resume() const noexcept {}

    private:
        friend class gate;
        gate& gate_;
        std::coroutine_handle<> coroutine_;
    };

    waiter operator co_await() noexcept { return waiter(*this); }

    /// Resumes the waiters one after the other, on this thread.
    void open()
    {
        std::vector<std::coroutine_handle<>> resumed;
        {
            std::lock_guard<std::mutex> const lock(mutex_);
            open_ = true;
            for (waiter* w : waiters_)
                resumed.push_back(w->coroutine_);
            waiters_.clear();
        }
        for (std::coroutine_handle<> h : resumed)
            h.resume();
    }

    void close()
    {
        std::lock_guard<std::mutex> const lock(mutex_);
        open_ = false;
    }

    std::size_t waiting() const
    {
        std::lock_guard<std::mutex> const lock(mutex_);
        return waiters_.size();
    }

private:
    mutable std::mutex mutex_;
    std::vector<waiter*> waiters_;
    bool open_ = false;
};

/// A thread that resumes the coroutines that are posted to it.
class worker
{
public:
    worker() : thread_([this] { run(); }) {}
    worker(worker const&) = delete;
    worker& operator=(worker const&) = delete;
    ~worker()
    {
        {
            std::lock_guard<std::mutex> const lock(mutex_);
            stopped_ = true;
        }
        changed_.notify_one();
        thread_.join();
    }

    void post(std::coroutine_handle<> h) { post(std::function<void()>(h)); }

    void post(std::function<void()> f)
    {
        // Notifies under the lock: the posted function may destroy this worker as soon as it can be
        // seen.
        std::lock_guard<std::mutex> const lock(mutex_);
        queue_.push_back(std::move(f));
        changed_.notify_one();
    }

    /// Returns when `f`, and everything that was posted before it, has run on the worker's thread.
    void run(std::function<void()> f)
    {
        std::promise<void> done;
        post([&] {
            f();
            done.set_value();
        });
        done.get_future().wait();
    }

    std::thread::id id() const noexcept { return thread_.get_id(); }

    class hop
    {
    public:
        explicit hop(worker& w) noexcept : worker_(w) {}
        bool await_ready() const noexcept { return false; }
        void await_suspend(std::coroutine_handle<> h) { worker_.post(h); }
        void await_resume() const noexcept {}

    private:
        worker& worker_;
    };

    /// `co_await w.here()` continues on this worker's thread.
    hop here() noexcept { return hop(*this); }

private:
    void run()
    {
        std::unique_lock<std::mutex> lock(mutex_);
        for (;;) {
            changed_.wait(lock, [&] { return stopped_ || !queue_.empty(); });
            if (queue_.empty())
                return;
            std::function<void()> const f = std::move(queue_.front());
            queue_.pop_front();
            lock.unlock();
            f();
            lock.lock();
        }
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::function<void()>> queue_;
    bool stopped_ = false;
    std::thread thread_;
};

/// An executor that resumes the posted coroutines when `run` is called. For one thread.
class manual
{
public:
    void post(std::coroutine_handle<> h) { queue_.push_back(h); }
    std::size_t size() const noexcept { return queue_.size(); }
    void run()
    {
        while (!queue_.empty()) {
            std::coroutine_handle<> const h = queue_.front();
            queue_.pop_front();
            h.resume();
        }
    }
    /// Destroys the posted coroutines, as some executors do in their destructors.
    void destroy()
    {
        for (std::coroutine_handle<> const h : queue_)
            h.destroy();
        queue_.clear();
    }

private:
    std::deque<std::coroutine_handle<>> queue_;
};

/// An executor that refuses everything that is posted to it.
struct refusing
{
    class refused : public std::exception
    {
    };
    int asked = 0;
    void post(std::coroutine_handle<>)
    {
        ++asked;
        throw refused();
    }
};

/// A coroutine type that the library does not know. It starts at once, and its owner may destroy it
/// at any time.
class foreign
{
public:
    struct promise_type
    {
        foreign get_return_object() noexcept
        {
            return foreign(std::coroutine_handle<promise_type>::from_promise(*this));
        }
        std::suspend_never initial_suspend() const noexcept { return {}; }
        std::suspend_always final_suspend() const noexcept { return {}; }
        void return_void() const noexcept {}
        void unhandled_exception() noexcept { thrown = std::current_exception(); }
        std::exception_ptr thrown;
    };

    foreign(foreign&& other) noexcept : coroutine_(std::exchange(other.coroutine_, {})) {}
    foreign& operator=(foreign&&) = delete;
    ~foreign() { destroy(); }

    bool done() const noexcept { return coroutine_.done(); }
    std::exception_ptr thrown() const noexcept { return coroutine_.promise().thrown; }
    void destroy() noexcept
    {
        if (coroutine_)
            std::exchange(coroutine_, {}).destroy();
    }

private:
    explicit foreign(std::coroutine_handle<promise_type> h) noexcept : coroutine_(h) {}
    std::coroutine_handle<promise_type> coroutine_;
};

/// Awaits the result of `make()` in a coroutine of the foreign type.
template <class Make>
foreign drive(Make make)
{
    static_cast<void>(co_await make());
}

/// Records what happened, in order. For one thread.
class journal
{
public:
    void add(std::string what) { text_ += std::move(what) + ' '; }
    std::string take() { return std::exchange(text_, {}); }

private:
    std::string text_;
};

/// Counts the objects that are alive.
class trace
{
public:
    explicit trace(int& alive) noexcept : alive_(&alive) { ++*alive_; }
    trace(trace&& other) noexcept : alive_(std::exchange(other.alive_, nullptr)) {}
    trace& operator=(trace&&) = delete;
    ~trace()
    {
        if (alive_ != nullptr)
            --*alive_;
    }

private:
    int* alive_;
};

}  // namespace test

#endif
