// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The wrappers of <registry_io/handlers/>, written by hand with version 1.0.0. The manual compares
// their costs in a table.

#include <registry_io/presets/sync.hpp>

#include <atomic>
#include <cstdio>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <boost/core/lightweight_test.hpp>

namespace rio = registry_io;

namespace {

struct message
{
    std::string text;
    bool urgent = false;
};
using registry = rio::SyncRegistry<message>;

struct window
{
    void on_message(message const& m) { shown += m.text; }
    std::string shown;
};

// tag::plugin[]
struct plugin
{
    ~plugin()
    {
        guards.clear();
        r.synchronize();
    }
    registry& r;
    std::vector<rio::handler_guard> guards;
};
// end::plugin[]

// tag::latest[]
struct state
{
    void notify(message const& m)
    {
        {
            std::lock_guard lock(mutex);
            last = m;
        }
        r.notify(m);
    }
    template <class F>
    void add(F f)
    {
        std::optional<message> seen;
        {
            std::lock_guard lock(mutex);
            r.register_handler(f);
            seen = last;
        }
        if (seen)  // may come twice, or late
            f(*seen);
    }
    registry r;
    std::mutex mutex;
    std::optional<message> last;
};
// end::latest[]

}  // namespace

int main()
{
    int calls = 0;
    auto const f = [&calls](message const&) { ++calls; };
    {
        registry r;
        // tag::once[]
        struct shot
        {
            std::atomic<bool> fired{false};
            rio::handler_id id;
        };
        auto const s = std::make_shared<shot>();
        r.update([&](auto& tx) {
            s->id = tx.register_handler([&r, s, f](message const& m) {
                if (s->fired.exchange(true))
                    return;
                r.unregister(s->id);
                f(m);
            });
        });
        // end::once[]
        r.notify({"a"});
        r.notify({"b"});
        BOOST_TEST_EQ(calls, 1);
        BOOST_TEST(r.empty());
    }
    {
        registry r;
        rio::handler_id told;
        auto const g = [&told](rio::handler_id id, message const&) { told = id; };
        // tag::with_id[]
        auto const id = std::make_shared<rio::handler_id>();
        r.update(
            [&](auto& tx) { *id = tx.register_handler([id, g](message const& m) { g(*id, m); }); });
        // end::with_id[]
        r.notify({"a"});
        BOOST_TEST_EQ(told, *id);
    }
    {
        registry r;
        auto p = std::make_shared<window>();
        // tag::tracked[]
        auto const id = std::make_shared<rio::handler_id>();
        r.update([&](auto& tx) {
            *id = tx.register_handler([&r, id, w = std::weak_ptr(p)](message const& m) {
                if (auto const alive = w.lock())
                    alive->on_message(m);
                else
                    r.unregister(*id);
            });
        });
        // end::tracked[]
        r.notify({"a"});
        BOOST_TEST_EQ(p->shown, "a");
        p.reset();
        r.notify({"b"});
        BOOST_TEST(r.empty());
    }
    {
        registry r;
        window w;
        // tag::member[]
        r.register_handler([&w](message const& m) { w.on_message(m); });
        // end::member[]
        r.notify({"a"});
        BOOST_TEST_EQ(w.shown, "a");
    }
    {
        registry r;
        {
            plugin p{r, {}};
            p.guards.push_back(r.register_guard(f));
            r.notify({"a"});
        }
        BOOST_TEST(r.empty());
        BOOST_TEST_EQ(calls, 2);
    }
    {
        registry r;
        // tag::blockable[]
        auto const blocks = std::make_shared<std::atomic<int>>(0);
        r.register_handler([blocks, f](message const& m) {
            if (blocks->load() == 0)
                f(m);
        });
        // end::blockable[]
        ++*blocks;
        r.notify({"a"});
        BOOST_TEST_EQ(calls, 2);
    }
    {
        registry r;
        // tag::filtered[]
        r.register_handler([f](message const& m) {
            if (m.urgent)
                f(m);
        });
        // end::filtered[]
        r.notify({"a"});
        BOOST_TEST_EQ(calls, 2);
    }
    {
        registry r;
        std::deque<std::function<void()>> queue;
        auto const post = [&queue](std::function<void()> g) { queue.push_back(std::move(g)); };
        // tag::on[]
        auto const gone = std::make_shared<std::atomic<bool>>(false);
        auto const id = r.register_handler([=](message const& m) {
            post([=] {
                if (!*gone)
                    f(m);
            });
        });
        // ...
        r.unregister(id);
        *gone = true;
        // end::on[]
        for (auto const& g : queue)
            g();
        BOOST_TEST_EQ(calls, 2);
    }
    {
        state s;
        s.notify({"a"});
        s.add(f);
        BOOST_TEST_EQ(calls, 3);
    }
    {
        registry r;
        // tag::connection[]
        auto const c = std::make_shared<rio::handler_guard>(r.register_guard(f));
        // ...
        c->reset();
        // end::connection[]
        BOOST_TEST(r.empty());
    }
    {
        registry r;
        // tag::named[]
        r.register_handler([f](message const& m) {
            try {
                f(m);
            } catch (...) {
                std::fputs("audit failed\n", stderr);
                throw;
            }
        });
        // end::named[]
        r.notify({"a"});
        BOOST_TEST_EQ(calls, 4);
    }
    return boost::report_errors();
}
