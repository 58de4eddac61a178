// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The manual's page on wrapped handlers: once, with_id, members, tracked, owner, blockable and
// others.

#include <registry_io/handlers/blockable.hpp>
#include <registry_io/handlers/connection.hpp>
#include <registry_io/handlers/filtered.hpp>
#include <registry_io/handlers/latest.hpp>
#include <registry_io/handlers/on.hpp>
#include <registry_io/handlers/once.hpp>
#include <registry_io/handlers/owner.hpp>
#include <registry_io/handlers/tracked.hpp>
#include <registry_io/handlers/with_id.hpp>
#include <registry_io/presets/sync.hpp>

#include <deque>
#include <functional>
#include <memory>
#include <string>

#include <boost/core/lightweight_test.hpp>

// tag::types[]
namespace rio = registry_io;

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
// end::types[]

// tag::plugin[]
class plugin
{
public:
    explicit plugin(registry& inbox)
    {
        handlers_.register_handler(inbox, &plugin::on_message, this);
        handlers_.register_handler(inbox, 10, [this](message const& m) { urgent_ += m.urgent; });
    }
    ~plugin() { handlers_.remove_all_and_wait(); }  // afterwards no handler of the plugin runs

    int count() const { return count_; }

private:
    void on_message(message const&) { ++count_; }

    int count_ = 0;
    int urgent_ = 0;
    rio::owner handlers_;
};
// end::plugin[]

int main()
{
    {
        // tag::once[]
        registry inbox;
        int seen = 0;
        inbox.register_handler(rio::once([&](message const&) { ++seen; }));
        inbox.notify({"one"});
        inbox.notify({"two"});
        BOOST_TEST_EQ(seen, 1);
        BOOST_TEST(inbox.empty());  // it has removed itself
        // end::once[]
    }
    {
        // tag::with_id[]
        registry inbox;
        inbox.register_handler(rio::with_id([](rio::registration const& self, message const& m) {
            if (m.text == "stop")
                self.unregister();  // self.id() is the handler's id
        }));
        inbox.notify({"go"});
        BOOST_TEST_EQ(inbox.size(), 1u);
        inbox.notify({"stop"});
        BOOST_TEST(inbox.empty());
        // end::with_id[]
    }
    {
        // tag::member[]
        registry inbox;
        window main_window;
        auto const guard = inbox.register_guard(&window::on_message, &main_window);
        auto const first = inbox.register_guard(10, &window::on_message, &main_window);
        inbox.notify({"a"});
        BOOST_TEST_EQ(main_window.shown, "aa");
        // end::member[]
    }
    {
        // tag::tracked[]
        registry inbox;
        auto popup = std::make_shared<window>();
        inbox.register_handler(&window::on_message, std::weak_ptr(popup));
        inbox.register_handler(
            rio::tracked(popup, [](window& w, message const& m) { w.shown += m.text; }));
        inbox.notify({"a"});
        BOOST_TEST_EQ(popup->shown, "aa");
        popup.reset();
        inbox.notify({"b"});  // calls nothing, and removes both handlers
        BOOST_TEST(inbox.empty());
        // end::tracked[]
    }
    {
        registry inbox;
        {
            plugin p(inbox);
            inbox.notify({"a"});
            BOOST_TEST_EQ(p.count(), 1);
        }
        BOOST_TEST(inbox.empty());
    }
    {
        // tag::owned[]
        rio::owned<registry> inbox;
        rio::owner session;
        inbox.register_handler(session, [](message const&) {});
        // inbox.register_handler([](message const&) {});  // does not compile
        BOOST_TEST_EQ(session.remove_all(), 1u);
        // end::owned[]
    }
    {
        // tag::blockable[]
        registry inbox;
        rio::block_count updates;
        int seen = 0;
        inbox.register_handler(rio::blockable(updates, [&](message const&) { ++seen; }));
        {
            rio::block_guard const pause(updates);
            inbox.notify({"not seen"});
        }
        inbox.notify({"seen"});
        BOOST_TEST_EQ(seen, 1);
        // end::blockable[]
    }
    {
        // tag::filtered[]
        registry inbox;
        int urgent = 0;
        inbox.register_handler(rio::filtered(&message::urgent, [&](message const&) { ++urgent; }));
        inbox.notify({"later", false});
        inbox.notify({"now", true});
        BOOST_TEST_EQ(urgent, 1);
        // end::filtered[]
    }
    {
        // tag::on[]
        registry inbox;
        std::deque<std::function<void()>> tasks;  // the queue of an event loop
        auto const later = [&](auto task) { tasks.push_back(std::move(task)); };
        std::string seen;
        auto const id =
            inbox.register_handler(rio::on(later, [&](message const& m) { seen += m.text; }));
        inbox.notify({"a"});
        inbox.notify({"b"});
        tasks.front()();
        BOOST_TEST_EQ(seen, "a");
        inbox.unregister_and_wait(id);
        tasks.back()();  // does nothing: the handler has been removed
        BOOST_TEST_EQ(seen, "a");
        // end::on[]
    }
    {
        // tag::latest[]
        rio::latest<registry> status;
        status.notify({"connected"});
        std::string seen;
        status.register_handler([&](message const& m) { seen = m.text; });
        BOOST_TEST_EQ(seen, "connected");
        // end::latest[]
    }
    {
        // tag::connection[]
        rio::connection c;
        {
            registry inbox;
            int seen = 0;
            c = rio::connect(inbox, [&](message const&) { ++seen; });
            rio::connection const copy = c;
            {
                rio::block_guard const pause = copy.block();
                inbox.notify({"not seen"});
            }
            BOOST_TEST_EQ(seen, 0);
            BOOST_TEST(c.contains());
            BOOST_TEST(copy.unregister());
        }
        BOOST_TEST(!c.contains());  // also works after the registry has been destroyed
        // end::connection[]
    }
    return boost::report_errors();
}
