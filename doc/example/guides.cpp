// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The examples of the guides: one task each.

#include <registry_io.hpp>
#include <registry_io/handlers/tracked.hpp>

#include <atomic>
#include <memory>
#include <mutex>
#include <queue>
#include <string>
#include <utility>
#include <vector>

#include <boost/core/lightweight_test.hpp>

namespace {

// tag::member[]
class window
{
public:
    explicit window(registry_io::SyncRegistry<int>& resized)
        : guard_(resized.register_guard(&window::on_resized, this))
    {
    }

    int width() const { return width_.load(); }

private:
    void on_resized(int width) { width_ = width; }

    std::atomic<int> width_ = 0;
    registry_io::handler_guard guard_;  // last, so it is destroyed first
};
// end::member[]

void member_function()
{
    registry_io::SyncRegistry<int> resized;
    {
        window const w(resized);
        resized.notify(640);
        BOOST_TEST_EQ(w.width(), 640);
    }
    BOOST_TEST(resized.empty());
}

// tag::member_wait[]
class recorder
{
public:
    explicit recorder(registry_io::SyncRegistry<int>& samples)
        : samples_(samples), id_(samples.register_handler(&recorder::add, this))
    {
    }
    ~recorder() { samples_.unregister_and_wait(id_); }  // no thread is inside add() afterwards

    recorder(recorder const&) = delete;
    recorder& operator=(recorder const&) = delete;

    int sum() const { return sum_.load(); }

private:
    void add(int n) { sum_ += n; }

    std::atomic<int> sum_ = 0;
    registry_io::SyncRegistry<int>& samples_;
    registry_io::handler_id id_;  // last: the handler may be called from here on
};
// end::member_wait[]

void member_function_with_threads()
{
    registry_io::SyncRegistry<int> samples;
    recorder const r(samples);
    samples.notify(2);
    BOOST_TEST_EQ(r.sum(), 2);
}

void weak_owner()
{
    // tag::weak[]
    struct session
    {
        void on_line(std::string const&) { ++lines; }
        std::atomic<int> lines = 0;
    };
    registry_io::SyncRegistry<std::string> received;
    auto owner = std::make_shared<session>();
    received.register_handler(&session::on_line, std::weak_ptr(owner));
    received.notify("hello");
    BOOST_TEST_EQ(owner->lines.load(), 1);
    owner.reset();
    received.notify("nobody listens");  // calls nothing, and removes the handler
    BOOST_TEST(received.empty());
    // end::weak[]
}

void many_guards()
{
    // tag::many[]
    registry_io::SyncRegistry<int> events;
    std::vector<registry_io::handler_guard> plugin;
    plugin.push_back(events.register_guard([](int) {}));
    plugin.push_back(events.register_guard([](int) {}));
    plugin.clear();  // removes both
    BOOST_TEST(events.empty());
    // end::many[]
}

void results()
{
    // tag::results[]
    struct request
    {
        int amount;
        bool* vetoed;  // a handler writes its answer here
    };
    registry_io::LocalRegistry<request> withdraw;
    withdraw.register_handler([](request const& r) {
        if (r.amount > 100)
            *r.vetoed = true;
    });
    bool vetoed = false;
    withdraw.notify({500, &vetoed});
    BOOST_TEST(vetoed);
    // end::results[]
}

void several_arguments()
{
    // tag::arguments[]
    struct moved
    {
        int x;
        int y;
    };
    registry_io::SyncRegistry<moved> mouse;
    std::atomic<int> sum = 0;
    mouse.register_handler([&](moved const& m) { sum = m.x + m.y; });
    mouse.notify({3, 4});
    BOOST_TEST_EQ(sum.load(), 7);
    // end::arguments[]
}

void queue()
{
    // tag::queue[]
    registry_io::SyncRegistry<int> samples;
    std::mutex mutex;
    std::queue<int> waiting;
    samples.register_handler([&](int n) {  // on the thread that notifies
        std::lock_guard const lock(mutex);
        waiting.push(n);
    });
    samples.notify(1);
    samples.notify(2);

    int handled = 0;  // on the thread that handles them
    for (std::unique_lock lock(mutex); !waiting.empty(); lock.lock()) {
        int const n = waiting.front();
        waiting.pop();
        lock.unlock();
        handled += n;
    }
    BOOST_TEST_EQ(handled, 3);
    // end::queue[]
}

void inspect()
{
    // tag::inspect[]
    registry_io::SyncRegistry<int> events;
    events.register_handler(10, [](int) {});
    events.register_handler([](int) {});
    std::string listed;
    events.for_each_handler([&](registry_io::handler_id, int priority) {  // in firing order
        listed += std::to_string(priority) + " ";
    });
    BOOST_TEST_EQ(listed, "10 0 ");
    // end::inspect[]
}

// tag::mover[]
class device
{
public:
    registry_io::SyncRegistry<int>& samples() { return *samples_; }

private:
    // A registry has a fixed address. Behind a pointer, its owner can be moved.
    std::unique_ptr<registry_io::SyncRegistry<int>> samples_ =
        std::make_unique<registry_io::SyncRegistry<int>>();
};
// end::mover[]

void movable_owner()
{
    device a;
    a.samples().register_handler([](int) {});
    device b = std::move(a);
    BOOST_TEST_EQ(b.samples().size(), 1u);
}

}  // namespace

int main()
{
    member_function();
    member_function_with_threads();
    weak_owner();
    many_guards();
    results();
    several_arguments();
    queue();
    inspect();
    movable_owner();
    return boost::report_errors();
}
