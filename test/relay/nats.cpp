// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The relay to NATS, with a server on loopback that is killed and restarted. The first argument of
// the program is the path of the server.

#include <registry_io/panic/propagate.hpp>
#include <registry_io/presets/sync.hpp>
#include <registry_io/relay/json.hpp>
#include <registry_io/relay/nats.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <boost/json/src.hpp>
#include <boost/test/unit_test.hpp>

#include "relay/support.hpp"

namespace {

using namespace relay_test;

/// A server, and two connections to it: `a` for outgoing events, `b` for incoming events.
struct two_ends
{
    two_ends() : two_ends(nats::connection_options().most_pending) {}
    explicit two_ends(int most_pending)
        : a(broker.options(), from_state.registry()),
          b(receiving(most_pending), to_state.registry())
    {
    }

    /// Notifies of the events with these numbers.
    void publish(int first, int end)
    {
        for (int n = first; n < end; ++n)
            from.notify({"ACME", 1, n});
    }

    server broker;
    watched from_state;
    watched to_state;
    registry from;
    registry to;
    nats::connection a;
    nats::connection b;

private:
    nats::connection_options receiving(int most_pending) const
    {
        nats::connection_options o = broker.options();
        o.most_pending = most_pending;
        return o;
    }
};

/// The same, with at most ten messages that wait for their handlers.
struct two_ends_and_little_room : two_ends
{
    two_ends_and_little_room() : two_ends(10) {}
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(events_reach_the_registry_of_another_connection_in_order, two_ends)
{
    std::atomic<int> received{0};
    std::atomic<int> wrong{0};
    to.register_handler([&](quote const& q) {
        wrong += q.number != received || q.symbol != "ACME" || q.sender != 7;
        ++received;
    });
    nats::outbound<quote> const out(a, from, "quotes.acme");
    nats::inbound<quote> const in(b, to, "quotes.*");
    BOOST_TEST(b.flush());
    for (int n = 0; n < 1000; ++n)
        from.notify({"ACME", 7, n});
    BOOST_TEST(a.flush());
    BOOST_TEST(eventually([&] { return received == 1000; }));
    BOOST_TEST(wrong == 0);
    BOOST_TEST(out.stats().published == 1000u);
    BOOST_TEST(out.stats().dropped == 0u);
    BOOST_TEST(eventually([&] { return in.stats().notified == 1000u; }));
    BOOST_TEST(from_state.count(nats::change::connected) == 1);
}

BOOST_AUTO_TEST_CASE(an_event_is_not_sent_back_to_where_it_came_from)
{
    server broker;
    watched state;
    registry first;
    registry second;
    std::atomic<int> at_first{0};
    std::atomic<int> at_second{0};
    first.register_handler([&](quote const&) { ++at_first; });
    second.register_handler([&](quote const&) { ++at_second; });
    nats::connection a(broker.options(), state.registry());
    nats::connection b(broker.options(), state.registry());
    nats::outbound<quote> const a_out(a, first, "shared");
    nats::inbound<quote> const a_in(a, first, "shared");
    nats::outbound<quote> const b_out(b, second, "shared");
    nats::outbound<quote> const b_elsewhere(b, second, "elsewhere");
    nats::inbound<quote> const b_in(b, second, "shared");
    BOOST_TEST(a.flush());
    BOOST_TEST(b.flush());
    for (int n = 0; n < 50; ++n)
        first.notify({"ACME", 1, n});
    for (int n = 0; n < 30; ++n)
        second.notify({"ACME", 2, n});
    BOOST_TEST(eventually([&] { return at_first == 80 && at_second == 80; }));
    BOOST_TEST(a.flush());
    BOOST_TEST(b.flush());
    BOOST_TEST(a_out.stats().published == 50u);
    BOOST_TEST(a_out.stats().returned == 30u);
    BOOST_TEST(b_out.stats().published == 30u);
    BOOST_TEST(b_out.stats().returned == 50u);
    BOOST_TEST(b_elsewhere.stats().published == 80u);
    BOOST_TEST(at_first == 80);
    BOOST_TEST(at_second == 80);
}

BOOST_FIXTURE_TEST_CASE(messages_of_another_schema_and_garbage_are_rejected_and_counted, two_ends)
{
    std::atomic<int> received{0};
    to.register_handler([&](quote const&) { ++received; });
    nats::inbound<quote> const in(b, to, "quotes", "quote/2");
    nats::inbound<quote> const any(b, to, "garbage");
    BOOST_TEST(b.flush());
    {
        nats::outbound<quote> const older(a, from, "quotes", "quote/1");
        nats::outbound<quote> const none(a, from, "quotes");
        nats::outbound<quote> const same(a, from, "quotes", "quote/2");
        from.notify({"ACME", 1, 1});
    }
    std::string const whole = rio::relay::json_codec<quote>::encode({"ACME", 1, 1});
    std::vector<std::string> garbage{"",
                                     "{",
                                     "[]",
                                     "null",
                                     "{\"symbol\":3}",
                                     std::string("\0\xff\x80", 3),
                                     std::string(20000, '[')};
    for (std::size_t n = 0; n < whole.size(); ++n)
        garbage.push_back(whole.substr(0, n));
    for (std::string const& g : garbage)
        natsConnection_Publish(a.native_handle(), "garbage", g.data(), static_cast<int>(g.size()));
    BOOST_TEST(a.flush());
    BOOST_TEST(eventually([&] { return any.stats().rejected == garbage.size(); }));
    BOOST_TEST(eventually([&] { return in.stats().rejected == 2u && received == 1; }));
    BOOST_TEST(eventually([&] { return in.stats().notified == 1u; }));
}

BOOST_FIXTURE_TEST_CASE(a_server_that_is_killed_and_comes_back_is_found_again, two_ends)
{
    std::mutex mutex;
    std::map<int, int> times;
    std::atomic<int> received{0};
    to.register_handler([&](quote const& q) {
        std::lock_guard<std::mutex> const lock(mutex);
        ++times[q.number];
        ++received;
    });
    nats::outbound<quote> const out(a, from, "quotes");
    nats::inbound<quote> const in(b, to, "quotes");
    BOOST_TEST(b.flush());
    publish(0, 100);
    BOOST_TEST(a.flush());
    BOOST_TEST(eventually([&] { return received == 100; }));
    broker.kill();
    BOOST_TEST(eventually([&] {
        return from_state.count(nats::change::disconnected) == 1 &&
            to_state.count(nats::change::disconnected) == 1;
    }));
    // The event waits in the client's buffer, and is sent when the server is back. The subscriber
    // may reconnect later than the publisher, and miss the event: at most once.
    publish(100, 200);
    BOOST_TEST(out.stats().published == 200u);
    broker.start();
    BOOST_TEST(eventually([&] {
        return from_state.count(nats::change::reconnected) == 1 &&
            to_state.count(nats::change::reconnected) == 1;
    }));
    BOOST_TEST(b.flush());
    publish(200, 300);
    BOOST_TEST(a.flush());
    BOOST_TEST(eventually([&] {
        std::lock_guard<std::mutex> const lock(mutex);
        return times.count(299) == 1;
    }));
    std::lock_guard<std::mutex> const lock(mutex);
    for (auto const& [number, n] : times)
        BOOST_TEST(n == 1);
    for (int n = 200; n < 300; ++n)
        BOOST_TEST(times.count(n) == 1u);
    BOOST_TEST(out.stats().dropped == 0u);
}

BOOST_AUTO_TEST_CASE(connections_that_are_cut_lose_events_but_neither_repeat_nor_reorder_them)
{
    server broker;
    wire from_wire(broker.port());
    wire to_wire(broker.port());
    watched from_state;
    watched to_state;
    registry from;
    registry to;
    nats::connection a(from_wire.options(), from_state.registry());
    nats::connection b(to_wire.options(), to_state.registry());
    std::atomic<int> received{0};
    std::atomic<int> newest{-1};
    std::atomic<int> wrong{0};
    to.register_handler([&](quote const& q) {
        wrong += q.number <= newest;
        newest = q.number;
        ++received;
    });
    nats::outbound<quote> const out(a, from, "quotes");
    nats::inbound<quote> const in(b, to, "quotes");
    BOOST_TEST(b.flush());
    int sent = 0;
    auto const publish = [&](int n) {
        for (int i = 0; i < n; ++i)
            from.notify({"ACME", 1, sent++});
    };
    for (int cuts = 1; cuts <= 5; ++cuts) {
        publish(500);
        from_wire.cut();
        to_wire.cut();
        publish(500);
        BOOST_TEST(eventually([&] {
            return from_state.count(nats::change::reconnected) == cuts &&
                to_state.count(nats::change::reconnected) == cuts;
        }));
        BOOST_TEST(b.flush());
    }
    publish(1);
    BOOST_TEST(a.flush());
    BOOST_TEST(eventually([&] { return newest == sent - 1; }));
    BOOST_TEST(eventually([&] { return in.stats().notified == std::uint64_t(received); }));
    BOOST_TEST(wrong == 0);
    auto const s = out.stats();
    BOOST_TEST(s.published + s.dropped == std::uint64_t(sent));
    BOOST_TEST(std::uint64_t(received) <= s.published);
    std::printf("cut five times, at most once: sent %d, delivered %d, duplicates 0, counted as "
                "dropped %d, lost on the way %d\n",
                sent, received.load(), static_cast<int>(s.dropped),
                static_cast<int>(s.published) - received);
}

BOOST_AUTO_TEST_CASE(without_a_server_the_buffer_is_bounded_and_drops_are_counted)
{
    server broker;
    watched state;
    registry from;
    nats::connection_options o = broker.options();
    o.reconnect_buffer = 4096;
    nats::connection a(o, state.registry());
    nats::outbound<quote> const out(a, from, "quotes");
    broker.kill();
    BOOST_TEST(eventually([&] { return state.count(nats::change::disconnected) == 1; }));
    for (int n = 0; n < 1000; ++n)
        from.notify({"ACME", 1, n});
    auto const s = out.stats();
    BOOST_TEST(s.dropped > 0u);
    BOOST_TEST(s.published > 0u);
    BOOST_TEST(s.published + s.dropped == 1000u);
}

BOOST_FIXTURE_TEST_CASE(an_inbound_that_is_too_slow_is_told_of_and_its_losses_are_counted,
                        two_ends_and_little_room)
{
    std::atomic<bool> go_on{false};
    std::atomic<int> received{0};
    to.register_handler([&](quote const&) {
        while (!go_on)
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        ++received;
    });
    nats::outbound<quote> const out(a, from, "quotes");
    nats::inbound<quote> const in(b, to, "quotes");
    BOOST_TEST(b.flush());
    publish(0, 200);
    BOOST_TEST(a.flush());
    BOOST_TEST(eventually([&] { return to_state.count(nats::change::slow_consumer) >= 1; }));
    BOOST_TEST(b.flush());
    go_on = true;
    BOOST_TEST(eventually([&] { return in.stats().notified + in.stats().dropped == 200u; }));
    BOOST_TEST(in.stats().dropped > 0u);
    BOOST_TEST(static_cast<std::uint64_t>(received) == in.stats().notified);
}

BOOST_FIXTURE_TEST_CASE(closing_notifies_of_what_was_received_and_later_events_are_dropped,
                        two_ends)
{
    std::atomic<int> received{0};
    to.register_handler([&](quote const&) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        ++received;
    });
    nats::outbound<quote> const out(a, from, "quotes");
    nats::inbound<quote> const in(b, to, "quotes");
    BOOST_TEST(b.flush());
    publish(0, 100);
    BOOST_TEST(a.flush());
    b.close();
    BOOST_TEST(received == 100);
    BOOST_TEST(to_state.count(nats::change::closed) == 1);
    a.close();
    from.notify({"ACME", 1, 0});
    BOOST_TEST(out.stats().dropped == 1u);
}

BOOST_AUTO_TEST_CASE(sizes_codecs_and_handlers_that_fail_never_fail_the_notify)
{
    struct picky
    {
        static std::string encode(quote const& q)
        {
            if (q.number == 1)
                throw std::runtime_error("no");
            return rio::relay::json_codec<quote>::encode(q);
        }
        static quote decode(std::string_view t) { return rio::relay::json_codec<quote>::decode(t); }
    };
    server broker;
    watched state;
    registry from;
    rio::SyncRegistry<quote>::with<rio::panic::propagate> to;
    to.register_handler([](quote const& q) {
        if (q.number == 3)
            throw std::runtime_error("no");
    });
    nats::connection a(broker.options(), state.registry());
    nats::connection b(broker.options(), state.registry());
    nats::outbound<quote, picky> const out(a, from, "quotes");
    nats::inbound<quote> const in(b, to, "quotes");
    BOOST_TEST(b.flush());
    from.notify({"ACME", 1, 1});
    from.notify({std::string(2 << 20, 'x'), 1, 2});
    from.notify({"ACME", 1, 3});
    from.notify({"ACME", 1, 4});
    BOOST_TEST(a.flush());
    BOOST_TEST(out.stats().unencoded == 1u);
    BOOST_TEST(out.stats().too_large == 1u);
    BOOST_TEST(out.stats().published == 2u);
    BOOST_TEST(eventually([&] { return in.stats().failed == 1u && in.stats().notified == 1u; }));
}

BOOST_AUTO_TEST_CASE(subjects_are_checked)
{
    server broker;
    watched state;
    registry r;
    nats::connection c(broker.options(), state.registry());
    for (std::string const subject : {"", ".", "a.", ".a", "a..b", "a b", "a\n", "a.*", ">", "a.>"})
        BOOST_CHECK_THROW((nats::outbound<quote>(c, r, subject)), std::invalid_argument);
    for (std::string const subject : {"", "a..b", "a b", ">.a", "a*", "a.b>"})
        BOOST_CHECK_THROW((nats::inbound<quote>(c, r, subject)), std::invalid_argument);
    nats::inbound<quote> const all(c, r, ">");
    nats::inbound<quote> const some(c, r, "a.*.b.>");
    BOOST_TEST(r.empty());
}

BOOST_AUTO_TEST_CASE(credentials_are_passed_through_and_a_refusal_is_an_error)
{
    server broker({"--user", "me", "--pass", "secret"});
    watched state;
    registry from;
    BOOST_CHECK_THROW(nats::connection(broker.options(), state.registry()), nats::error);
    nats::connection_options o = broker.options();
    o.configure = [](natsOptions* n) { natsOptions_SetUserInfo(n, "me", "secret"); };
    nats::connection c(o, state.registry());
    BOOST_TEST(c.flush());
    nats::connection_options nowhere;
    nowhere.url = "nats://127.0.0.1:1";
    BOOST_CHECK_THROW(nats::connection(nowhere, state.registry()), nats::error);
}
