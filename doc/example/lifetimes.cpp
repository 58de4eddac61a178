// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Tutorial: ids, guards, and how long captures live.

#include <registry_io/presets/sync.hpp>

#include <atomic>
#include <memory>
#include <string>
#include <unordered_set>

#include <boost/core/lightweight_test.hpp>

// tag::message[]
struct message
{
    std::string text;
};
// end::message[]

int main()
{
    // tag::registry[]
    using registry = registry_io::SyncRegistry<message>;
    // end::registry[]

    {
        // tag::ids[]
        registry inbox;
        std::size_t bytes = 0;
        auto const id = inbox.register_handler([&](message const& m) { bytes += m.text.size(); });
        inbox.notify({"hello"});
        BOOST_TEST_EQ(bytes, 5u);

        BOOST_TEST(inbox.contains(id));
        BOOST_TEST(inbox.unregister(id));   // true exactly once
        BOOST_TEST(!inbox.unregister(id));  // a stale id is harmless
        // end::ids[]

        registry outbox;
        // tag::foreign[]
        auto const other = outbox.register_handler([](message const&) {});
        BOOST_TEST(!inbox.unregister(other));  // so is an id of another registry
        std::unordered_set<registry_io::handler_id> known{id, other};
        // end::foreign[]
        BOOST_TEST_EQ(known.size(), 2u);
    }
    {
        // tag::guards[]
        registry inbox;
        int seen = 0;
        {
            auto const guard = inbox.register_guard([&](message const&) { ++seen; });
            inbox.notify({"one"});
        }  // unregistered here
        inbox.notify({"two"});
        BOOST_TEST_EQ(seen, 1);

        auto guard = inbox.register_guard([&](message const&) { ++seen; });
        auto const id = guard.release();  // stays registered, as if there had been no guard
        BOOST_TEST(inbox.contains(id));
        // end::guards[]
    }
    {
        // tag::captures[]
        registry inbox;
        auto log = std::make_shared<std::string>();
        std::weak_ptr<std::string> const alive = log;
        auto const id = inbox.register_handler(
            [log = std::move(log)](message const& m) { log->append(m.text); });
        BOOST_TEST(!alive.expired());
        inbox.unregister(id);  // no notify is running: the captures are destroyed at once
        BOOST_TEST(alive.expired());
        // end::captures[]
    }
    {
        registry inbox;
        std::atomic<int> seen{0};
        struct shot
        {
            std::atomic_flag fired;
            registry_io::handler_id id;
        };
        auto const self = std::make_shared<shot>();
        inbox.update([&](registry::transaction& tx) {
            // The id is known before the handler can be called.
            self->id = tx.register_handler([&, self](message const&) {
                if (self->fired.test_and_set())
                    return;                  // another thread notifies too, and was first
                inbox.unregister(self->id);  // the captures live until the handler has returned
                ++seen;
            });
        });
        inbox.notify({"once"});
        inbox.notify({"twice"});
        BOOST_TEST_EQ(seen, 1);
    }
    return boost::report_errors();
}
