// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// What it costs to pass an event of 16 bytes to another place: a mailbox, the queue of
// Boost.Lockfree in it, a mutex with a deque, and Asio's post. On one thread: n events are posted,
// and then drained. With four posters: each posts its share while the timed thread drains.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/lockfree/queue.hpp>

#include <registry_io/queued/mailbox.hpp>

#include "harness.hpp"

namespace {

using namespace perf;
namespace queued = registry_io::queued;

constexpr std::size_t capacity = 1024;

struct event
{
    std::uint64_t value;
    std::uint64_t other;
};

/// The drain target. A registry would cost each subject the same.
struct counter
{
    std::uint64_t sum = 0;
    std::uint64_t count = 0;
    void notify(event const& e) noexcept
    {
        sum += e.value;
        ++count;
    }
};

class lockfree
{
public:
    bool post(event const& e) { return queue_.push(e); }
    void drain(counter& c)
    {
        event e;
        while (queue_.pop(e))
            c.notify(e);
    }

private:
    boost::lockfree::queue<event, boost::lockfree::capacity<capacity>> queue_;
};

template <class... Options>
class mailbox
{
public:
    bool post(event const& e) { return mailbox_.post(e) == queued::post_result::posted; }
    void drain(counter& c) { mailbox_.drain(c); }

private:
    queued::mailbox<event, capacity, Options...> mailbox_;
};

struct number_of
{
    std::uint64_t operator()(event const& e) const noexcept { return e.value; }
};

/// The obvious solution: a deque under a mutex.
class locked_deque
{
public:
    bool post(event const& e)
    {
        std::lock_guard<std::mutex> const lock(mutex_);
        if (deque_.size() == capacity)
            return false;
        deque_.push_back(e);
        return true;
    }
    void drain(counter& c)
    {
        std::deque<event> all;
        {
            std::lock_guard<std::mutex> const lock(mutex_);
            all.swap(deque_);
        }
        for (event const& e : all)
            c.notify(e);
    }

private:
    std::mutex mutex_;
    std::deque<event> deque_;
};

/// Asio's post, which has no bound.
class asio
{
public:
    bool post(event const& e)
    {
        boost::asio::post(context_, [this, e] { to_->notify(e); });
        return true;
    }
    void drain(counter& c)
    {
        to_ = &c;
        context_.restart();
        context_.poll();
    }

private:
    boost::asio::io_context context_;
    counter* to_ = nullptr;
};

template <class Queue>
sample four_posters(Queue& q, counter& c, long times)
{
    constexpr long posters = 4;
    std::atomic<bool> go{false};
    std::vector<std::thread> threads;
    threads.reserve(posters);
    long const share = times / posters + 1;
    for (long t = 0; t < posters; ++t) {
        threads.emplace_back([&, t] {
            while (!go.load(std::memory_order_acquire))
                std::this_thread::yield();
            for (long i = 0; i < share; ++i)
                while (!q.post({static_cast<std::uint64_t>(i), static_cast<std::uint64_t>(t)}))
                    std::this_thread::yield();
        });
    }
    std::uint64_t const until = c.count + static_cast<std::uint64_t>(share * posters);
    stopwatch const watch;
    go.store(true, std::memory_order_release);
    while (c.count != until) {
        std::uint64_t const before = c.count;
        q.drain(c);
        if (c.count == before)
            std::this_thread::yield();
    }
    sample taken = watch.stop(static_cast<double>(share * posters));
    for (std::thread& t : threads)
        t.join();
    taken.disturbed = false;  // threads that take turns are the subject of the measurement
    return taken;
}

/// `keeps_all`: no event is lost or merged, so that the posters' events can be counted.
template <class Queue>
void add(suite& s, std::string_view name, bool keeps_all = true)
{
    bool const is_bare = std::is_same_v<Queue, lockfree>;
    kind const k{.name = name, .bare = is_bare, .ours = !is_bare};
    auto const queue = std::make_shared<Queue>();
    auto const sum = std::make_shared<counter>();
    if (s.wants("post and drain", k)) {
        for (long const n : {1L, 16L, 256L}) {
            add_repeated(
                s,
                {.name = "post and drain", .subject = std::string(name), .n = n, .bare = is_bare},
                [=](long times) {
                    for (; times > 0; times -= n) {
                        for (long i = 0; i < n; ++i)
                            queue->post({static_cast<std::uint64_t>(i), 0});
                        queue->drain(*sum);
                    }
                });
        }
    }
    if (keeps_all && s.wants("four posters", k))
        s.add({.name = "four posters",
               .subject = std::string(name),
               .n = 1,
               .threads = 5,
               .bare = is_bare,
               .run = [=, times = s.quick() ? 20000L : 200000L] {
                   return four_posters(*queue, *sum, times);
               }});
}

}  // namespace

int main(int argc, char** argv)
{
    return run_suite(argc, argv, "queued", "Hand over events, cost of each", [](suite& s) {
        add<lockfree>(s, "boost::lockfree::queue");
        add<mailbox<>>(s, "mailbox");
        add<mailbox<queued::spin>>(s, "mailbox, spin");
        add<mailbox<queued::drop_oldest>>(s, "mailbox, drop_oldest", false);
        add<mailbox<queued::block<>>>(s, "mailbox, block");
        add<mailbox<queued::coalesce<number_of{}>>>(s, "mailbox, coalesce", false);
        add<mailbox<queued::measure_waits>>(s, "mailbox, measure_waits");
        add<locked_deque>(s, "mutex and deque");
        add<asio>(s, "Asio post");
    });
}
