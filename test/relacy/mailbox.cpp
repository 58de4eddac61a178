// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The counts of a mailbox, which decide which thread sleeps and which thread wakes another one. The
// queue here guarantees no more than that of Boost.Lockfree: the thread that takes an event out
// sees what the poster wrote. Boost's queue itself is not checked.

#include <registry_io/queued/detail/traffic.hpp>

#include "relacy/main.hpp"

namespace {

using namespace relacy;
namespace detail = registry_io::queued::detail;

struct mailbox_env
{
    template <class T>
    using atomic = relacy::atomic<T>;
    static void wait(atomic<unsigned>& word, unsigned old, place p = place::current()) noexcept
    {
        env<fences::none>::wait(word, old, p);
    }
    static void wake_all(atomic<unsigned>& word, place p = place::current()) noexcept
    {
        env<fences::none>::wake_all(word, p);
    }
};

void nap()
{
    env<fences::none>::nap();
}

/// A queue for one consumer, with a bound. A place is free when the taking of its event has ended.
class queue
{
public:
    explicit queue(int capacity) : free_(capacity) {}

    bool push(int event)
    {
        // relaxed: it may see an older number, as in the list of free nodes of Boost.Lockfree.
        int free = free_.load(std::memory_order_relaxed);
        do {
            if (free == 0)
                return false;
        } while (!free_.compare_exchange_strong(free, free - 1, std::memory_order_acq_rel));
        int const i = tail_.fetch_add(1, std::memory_order_relaxed);
        slots_[i].store(event, std::memory_order_release);
        return true;
    }

    int pop()
    {
        int const event = slots_[head_].load(std::memory_order_acquire);
        if (event == 0)
            return 0;
        ++head_;
        free_.fetch_add(1, std::memory_order_acq_rel);
        return event;
    }

private:
    atomic<int> free_;
    atomic<int> tail_{0};
    atomic<int> slots_[8];
    int head_ = 0;  // for the consumer alone
};

/// The base of an execution: `Derived` has `act(thread)`.
template <class Derived, int Threads, int Capacity, bool OneTakes>
class mailbox_scenario : public rl::test_suite<Derived, Threads>
{
protected:
    using counts = detail::traffic<mailbox_env, OneTakes>;

public:
    mailbox_scenario()
    {
        world::now().begin(nullptr);
        traffic_ = ::new (world::now().allocate(sizeof(counts))) counts;
        queue_ = ::new (world::now().allocate(sizeof(queue))) queue(Capacity);
    }

    void thread(unsigned index)
    {
        world::now().outside = false;
        world::now().thread_begins();
        static_cast<Derived*>(this)->act(index);
        world::now().thread_ends();
    }

    void after()
    {
        world::now().outside = true;
        static_cast<Derived*>(this)->finish();
        traffic_->~counts();
        world::now().deallocate(traffic_);
        queue_->~queue();
        world::now().deallocate(queue_);
        world::now().end();
    }

protected:
    // As `mailbox` posts, waits and drains.
    void wake()
    {
        if (traffic_->rouse())
            traffic_->ring();
    }

    bool post(int event)
    {
        data_[event](info(place::current())).store(event);
        auto const a = traffic_->arrive();
        if (a.is_closed()) {
            traffic_->give_back();
            return false;
        }
        bool posted = queue_->push(event);
        if (!posted) {
            if constexpr (OneTakes) {
                traffic_->give_back();
            } else {
                if (a.finds_sleeper())
                    wake();
                posted = block(event);
            }
        } else {
            traffic_->note(a);
        }
        if (a.finds_sleeper())
            wake();
        return posted;
    }

    bool block(int event)
    {
        for (;;) {
            auto const attempt = traffic_->before_push();
            if (traffic_->is_closed()) {
                traffic_->give_back();
                return false;
            }
            if (queue_->push(event))
                return true;
            traffic_->block(attempt);
        }
    }

    void close()
    {
        if (!traffic_->close())
            return;
        if constexpr (!OneTakes)
            traffic_->make_room();
        wake();
    }

    int drain_to_the_end()
    {
        int n = 0;
        for (;;) {
            while (int const event = queue_->pop()) {
                if (traffic_->leave())
                    traffic_->make_room();
                require(data_[event](info(place::current())).load() == event, "another event");
                ++n;
            }
            unsigned const seen = traffic_->rings();
            switch (traffic_->lie_down()) {
            case detail::rest::finished:
                return n;
            case detail::rest::waiting:
                nap();
                break;
            case detail::rest::asleep:
                traffic_->sleep(seen);
                break;
            }
        }
    }

    counts* traffic_;
    queue* queue_;
    rl::var<int> data_[8];
};

/// A consumer that drains to the end, and two posters. The second one posts `Second` events, and
/// then closes the mailbox.
template <class Self, int Capacity, bool OneTakes, int Second>
struct two_posters : mailbox_scenario<Self, 3, Capacity, OneTakes>
{
    int accepted[3] = {};
    int drained = 0;

    void act(unsigned t)
    {
        if (t == 0) {
            drained = this->drain_to_the_end();
        } else if (t == 1) {
            accepted[1] += this->post(1);
            accepted[1] += this->post(2);
        } else {
            for (int event = 3; event != 3 + Second; ++event)
                accepted[2] += this->post(event);
            this->close();
        }
    }
    void finish()
    {
        require(drained == accepted[1] + accepted[2], "an accepted event was not drained");
        require(accepted[2] == Second, "refused before the closing");
    }
};

/// The consumer sleeps; the posts and `close` must wake it.
struct wake_and_close : two_posters<wake_and_close, 4, true, 1>
{
};

/// The posters sleep until there is room.
struct block_until_room : two_posters<block_until_room, 1, false, 2>
{
};

/// A coroutine leaves its handle and suspends; a post and a stop request race to resume it.
struct resumed_once : mailbox_scenario<resumed_once, 3, 4, true>
{
    rl::var<int> handle;
    rl::var<int> resumed;
    bool slept = false;
    rl::atomic<int> times;

    void before() { times(info(place::current())).store(0); }

    void resume()
    {
        require(handle(info(place::current())).load() == 7, "resumed without its handle");
        resumed(info(place::current())).store(1);  // a race if two threads resume it
        times(info(place::current())).fetch_add(1);
    }

    void act(unsigned t)
    {
        if (t == 0) {
            handle(info(place::current())).store(7);
            slept = traffic_->lie_down() == detail::rest::asleep;
        } else {
            // A stop request is a ticket without an event, kept until the coroutine goes on.
            auto const a = traffic_->arrive();
            if (t == 1)
                queue_->push(1);
            if (a.finds_sleeper() && traffic_->rouse())
                resume();
        }
    }
    void finish()
    {
        require(times(info(place::current())).load() == (slept ? 1 : 0), "resumed twice, or never");
    }
};

void run_scenarios()
{
    auto const one = []<class Scenario>(std::string_view name, std::type_identity<Scenario>) {
        if (!is_on(REGISTRY_IO_RELACY_SCENARIOS, name) || !is_on(chosen.scenario, name) ||
            !is_on(chosen.model, "mailbox") || (chosen.first && failed != 0))
            return;
        ++ran;
        failed += !run<Scenario>(name, "mailbox");
    };
    one("wake_and_close", std::type_identity<wake_and_close>());
    one("block_until_room", std::type_identity<block_until_room>());
    one("resumed_once", std::type_identity<resumed_once>());
}

}  // namespace

int main(int argc, char** argv)
{
    return relacy::program(argc, argv, &run_scenarios);
}
