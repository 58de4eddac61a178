// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Delivery at least once, with a server that is killed, cut off, and full. The first argument of
// the program is the path of the server. Each case prints its counts.

#include <registry_io/panic/collect.hpp>
#include <registry_io/panic/propagate.hpp>
#include <registry_io/presets/sync.hpp>
#include <registry_io/relay/jetstream.hpp>
#include <registry_io/relay/json.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <boost/json/src.hpp>
#include <boost/test/unit_test.hpp>

#include "queued/support.hpp"  // for what ThreadSanitizer must not report
#include "relay/support.hpp"

namespace {

using namespace relay_test;
namespace jetstream = registry_io::relay::jetstream;
namespace queued = registry_io::queued;
using std::chrono::milliseconds;

/// A registry whose `notify` throws if a handler has failed.
using strict = registry::with<rio::panic::propagate>;

// Code that acknowledges an event must know whether its handlers have succeeded.
using collecting = registry::with<rio::panic::collect<1>>;
static_assert(jetstream::detail::shows_failures<strict, quote>);
static_assert(jetstream::detail::shows_failures<collecting, quote>);
static_assert(!jetstream::detail::shows_failures<registry, quote>);

/// A server that stores its data in a folder of its own.
struct storing
{
    explicit storing(std::vector<std::string> more = {}) : broker(words(more)) {}

    folder store;
    server broker;

private:
    std::vector<std::string> words(std::vector<std::string> more) const
    {
        more.insert(more.end(), {"-js", "-sd", store.path().string()});
        return more;
    }
};

jetstream::stream_options stream(std::int64_t most_messages = -1)
{
    jetstream::stream_options o;
    o.name = "quotes";
    o.subject = "quotes.>";
    o.most_messages = most_messages;
    // Acknowledged events free space. Not used if the server is killed: it may then wait for ever
    // for the acknowledgement of an event that it has removed.
    if (most_messages >= 0)
        o.configure = [](jsStreamConfig* c) { c->Retention = js_WorkQueuePolicy; };
    return o;
}

jetstream::outbound_options sending()
{
    jetstream::outbound_options o;
    o.ack_wait = milliseconds(300);
    o.retry_wait = milliseconds(20);
    return o;
}

jetstream::inbound_options receiving()
{
    jetstream::inbound_options o;
    o.stream = "quotes";
    o.consumer = "ranking";
    o.ack_wait = milliseconds(500);
    o.retry_wait = milliseconds(20);
    return o;
}

/// Counts the calls of handlers, by the number of the event.
class ledger
{
public:
    void handled(quote const& q)
    {
        std::lock_guard<std::mutex> const lock(mutex_);
        wrong_ += q.number < newest_[q.sender];
        newest_[q.sender] = q.number;
        ++times_[{q.sender, q.number}];
    }
    int distinct() const
    {
        std::lock_guard<std::mutex> const lock(mutex_);
        return static_cast<int>(times_.size());
    }
    int repeated() const
    {
        std::lock_guard<std::mutex> const lock(mutex_);
        int n = 0;
        for (auto const& [event, times] : times_)
            n += times - 1;
        return n;
    }
    /// How often an event arrived after a later event of its sender.
    int wrong() const
    {
        std::lock_guard<std::mutex> const lock(mutex_);
        return wrong_;
    }

private:
    mutable std::mutex mutex_;
    std::map<std::pair<int, int>, int> times_;
    std::map<int, int> newest_;
    int wrong_ = 0;
};

void print(char const* name, int sent, ledger const& l, jetstream::outbound_stats const& out,
           jetstream::inbound_stats const& in)
{
    std::printf("%-42s sent %d, delivered %d, handled twice %d, out of order %d, resent %d, "
                "recognised by the server %d, redelivered %d, recognised here %d, failed %d, "
                "dead %d, lost %d\n",
                name, sent, l.distinct(), l.repeated(), l.wrong(), static_cast<int>(out.resent),
                static_cast<int>(out.duplicates), static_cast<int>(in.redelivered),
                static_cast<int>(in.duplicates), static_cast<int>(in.failed),
                static_cast<int>(in.dead + out.dead),
                sent - l.distinct() - static_cast<int>(in.dead + out.dead));
}

/// Each event is counted once.
std::uint64_t total(jetstream::outbound_stats const& s)
{
    return s.acknowledged + s.waiting + s.dead + s.dropped + s.full + s.too_large + s.unencoded +
        s.returned;
}

/// Two registries, a stream between them, and a connection for each, which may go through a proxy.
struct two_ends : storing
{
    explicit two_ends(std::int64_t most_messages = -1)
        : from_wire(broker.port()),
          to_wire(broker.port()),
          a(from_wire.options(), from_state.registry()),
          b(to_wire.options(), to_state.registry())
    {
        jetstream::set_up_stream(a, stream(most_messages));
        to.register_handler([this](quote const& q) {
            if (before)
                before(q);  // may throw: then this event has not been handled
            arrived.handled(q);
        });
    }

    /// Notifies of the events with these numbers.
    void publish(int first, int end, int sender = 1)
    {
        for (int n = first; n < end; ++n)
            from.notify({"ACME", sender, n});
    }
    bool all_arrive(int n)
    {
        return eventually([&] { return arrived.distinct() == n; });
    }

    wire from_wire;
    wire to_wire;
    watched from_state;
    watched to_state;
    registry from;
    strict to;
    std::function<void(quote const&)> before;
    ledger arrived;
    nats::connection a;
    nats::connection b;
};

using outbound = jetstream::outbound<quote, 8192>;
using inbound = jetstream::inbound<quote>;

}  // namespace

BOOST_FIXTURE_TEST_CASE(events_are_acknowledged_and_arrive_in_the_order_of_each_sender, two_ends)
{
    outbound out(a, from, "quotes.acme", sending());
    inbound const in(b, to, "quotes.*", receiving());
    std::thread other([&] { publish(0, 300, 2); });
    publish(0, 300, 1);
    other.join();
    BOOST_TEST(out.flush());
    BOOST_TEST(out.stats().acknowledged == 600u);
    BOOST_TEST(all_arrive(600));
    BOOST_TEST(eventually([&] { return in.stats().notified == 600u; }));
    BOOST_TEST(arrived.repeated() == 0);
    BOOST_TEST(arrived.wrong() == 0);
    BOOST_TEST(total(out.stats()) == 600u);
    print("nothing fails", 600, arrived, out.stats(), in.stats());
}

BOOST_FIXTURE_TEST_CASE(a_server_that_is_killed_and_comes_back_loses_nothing, two_ends)
{
    outbound out(a, from, "quotes.acme", sending());
    inbound const in(b, to, "quotes.*", receiving());
    for (int round = 0; round < 3; ++round) {
        publish(1000 * round, 1000 * round + 500);
        // While events are on their way both to the server and from it.
        BOOST_TEST(eventually([&] { return arrived.distinct() > 1000 * round + 50; }));
        broker.kill();
        publish(1000 * round + 500, 1000 * round + 1000);
        broker.start();
        BOOST_TEST(all_arrive(1000 * round + 1000));
    }
    BOOST_TEST(out.flush());
    BOOST_TEST(arrived.repeated() == 0);
    BOOST_TEST(arrived.wrong() == 0);
    BOOST_TEST(out.stats().acknowledged == 3000u);
    BOOST_TEST(from_state.count(nats::change::reconnected) >= 3);
    print("server killed three times", 3000, arrived, out.stats(), in.stats());
}

// Like a server that is killed while it writes the acknowledgements of a consumer.
BOOST_FIXTURE_TEST_CASE(a_server_that_has_lost_what_was_acknowledged_repeats_nothing, two_ends)
{
    outbound out(a, from, "quotes.acme", sending());
    inbound const in(b, to, "quotes.*", receiving());
    publish(0, 300);
    BOOST_TEST(all_arrive(300));
    broker.kill();
    int emptied = 0;
    for (auto const& file : std::filesystem::recursive_directory_iterator(store.path()))
        if (file.path().filename() == "o.dat") {
            std::filesystem::resize_file(file.path(), 0);
            ++emptied;
        }
    BOOST_TEST(emptied == 1);
    broker.start();
    publish(300, 310);
    BOOST_TEST(all_arrive(310));
    BOOST_TEST(arrived.repeated() == 0);
    BOOST_TEST(arrived.wrong() == 0);
    BOOST_TEST(in.stats().duplicates >= 300u);
    print("what was acknowledged is lost", 310, arrived, out.stats(), in.stats());
}

BOOST_FIXTURE_TEST_CASE(connections_that_are_cut_lose_nothing, two_ends)
{
    outbound out(a, from, "quotes.acme", sending());
    inbound const in(b, to, "quotes.*", receiving());
    std::thread publisher([&] { publish(0, 3000); });
    for (int cuts = 1; cuts <= 10; ++cuts) {
        BOOST_TEST(eventually([&] { return arrived.distinct() > 200 * cuts; }));
        from_wire.cut();
        to_wire.cut();
    }
    publisher.join();
    BOOST_TEST(all_arrive(3000));
    BOOST_TEST(out.flush());
    BOOST_TEST(out.stats().acknowledged == 3000u);
    BOOST_TEST(arrived.repeated() == 0);
    BOOST_TEST(arrived.wrong() == 0);
    print("both connections cut ten times", 3000, arrived, out.stats(), in.stats());
}

BOOST_FIXTURE_TEST_CASE(what_is_sent_again_is_recognised_by_its_id, two_ends)
{
    outbound out(a, from, "quotes.acme", sending());
    inbound const in(b, to, "quotes.*", receiving());
    publish(0, 10);
    BOOST_TEST(out.flush());
    // The server stores the events, but its acknowledgements do not arrive.
    from_wire.loses_to_client = true;
    publish(10, 20);
    BOOST_TEST(eventually([&] { return out.stats().resent >= 2; }));
    BOOST_TEST(out.stats().acknowledged == 10u);
    from_wire.loses_to_client = false;
    from_wire.cut();
    BOOST_TEST(all_arrive(20));
    BOOST_TEST(out.flush());
    BOOST_TEST(out.stats().duplicates >= 1u);
    BOOST_TEST(arrived.repeated() == 0);
    BOOST_TEST(arrived.wrong() == 0);
    print("acknowledgements to the sender lost", 20, arrived, out.stats(), in.stats());
}

BOOST_FIXTURE_TEST_CASE(an_acknowledgement_that_is_lost_does_not_run_the_handlers_again, two_ends)
{
    std::atomic<bool> lose{true};
    before = [&](quote const& q) {
        if (q.number == 5 && lose.exchange(false))
            to_wire.loses_to_server = true;
    };
    outbound out(a, from, "quotes.acme", sending());
    inbound const in(b, to, "quotes.*", receiving());
    publish(0, 10);
    BOOST_TEST(eventually([&] { return to_wire.lost > 0; }));
    to_wire.loses_to_server = false;
    to_wire.cut();
    BOOST_TEST(all_arrive(10));
    BOOST_TEST(out.flush());
    BOOST_TEST(eventually([&] { return in.stats().notified == 10u; }));
    BOOST_TEST(in.stats().redelivered >= 1u);
    BOOST_TEST(in.stats().duplicates >= 1u);
    BOOST_TEST(arrived.repeated() == 0);
    BOOST_TEST(arrived.wrong() == 0);
    print("acknowledgement of the receiver lost", 10, arrived, out.stats(), in.stats());
}

BOOST_FIXTURE_TEST_CASE(handlers_that_are_slower_than_the_server_waits_do_not_run_again, two_ends)
{
    jetstream::inbound_options o = receiving();
    o.ack_wait = milliseconds(100);
    o.most_in_flight = 4;
    before = [&](quote const& q) {
        if (q.number == 3)
            std::this_thread::sleep_for(milliseconds(400));
    };
    outbound out(a, from, "quotes.acme", sending());
    inbound const in(b, to, "quotes.*", o);
    publish(0, 10);
    BOOST_TEST(all_arrive(10));
    BOOST_TEST(eventually([&] { return in.stats().notified == 10u; }));
    BOOST_TEST(out.flush());
    BOOST_TEST(arrived.repeated() == 0);
    print("handler slower than the ack wait", 10, arrived, out.stats(), in.stats());
}

namespace {

/// Receives messages as an inbound does.
class receiver
{
public:
    /// Returns whether the message has been handled now, and had not been before.
    bool operator()(std::uint64_t n, std::int64_t stored_at, bool succeeds = true)
    {
        handled_.received(n, stored_at);
        if (handled_.contains(n))
            return false;
        jetstream::detail::handled::entry entry(handled_, n, stored_at);
        if (!succeeds)
            return false;
        entry.keep();
        handled_.acknowledged(n, stored_at, true, jetstream::inbound_options());
        return true;
    }

private:
    jetstream::detail::handled handled_;
};

}  // namespace

// A server that is killed while it writes the state of a consumer has none, and begins again.
BOOST_AUTO_TEST_CASE(what_is_handled_is_recognised_however_far_a_server_goes_back)
{
    receiver handle;
    constexpr std::uint64_t count = 100'000;
    std::uint64_t handled = 0;
    // Neighbours change places, as with several in flight; 4 and 5 are another process's.
    for (std::uint64_t n = 1; n <= count; ++n)
        if (n / 2 * 2 != 4)
            handled += handle(n ^ 1, static_cast<std::int64_t>(n ^ 1));
    BOOST_TEST(handled == count - 2);
    for (std::uint64_t n = 1; n <= count; ++n)
        handled += handle(n, static_cast<std::int64_t>(n));
    BOOST_TEST(handled == count + 2);  // 4 and 5; 1 and the last, whose neighbours came instead
    // A stream of the same name that is made anew has the same numbers at later times.
    BOOST_TEST(handle(7, static_cast<std::int64_t>(2 * count)));
    BOOST_TEST(handle(count, static_cast<std::int64_t>(2 * count)));
    BOOST_TEST(!handle(count, static_cast<std::int64_t>(2 * count)));
}

// The numbers of the old stream must not make a failed message of the new one look handled.
BOOST_AUTO_TEST_CASE(what_fails_in_a_stream_made_anew_is_handled_when_it_comes_again)
{
    receiver handle;
    constexpr std::uint64_t count = 100'000;
    for (std::uint64_t n = 1; n <= count; ++n)
        handle(n, static_cast<std::int64_t>(n));
    // The old stream's 7 has joined a run, the other one has not yet.
    constexpr std::uint64_t failing[] = {7, count - 7};
    constexpr std::uint64_t last = count + 20'000;  // by then it would have
    auto const stored_anew = [](std::uint64_t n) { return static_cast<std::int64_t>(last + n); };
    for (std::uint64_t const n : failing)
        BOOST_TEST(!handle(n, stored_anew(n), false));
    std::uint64_t handled = 0;
    for (std::uint64_t n = 1; n <= last; ++n)
        if (n != failing[0] && n != failing[1])
            handled += handle(n, stored_anew(n));
    BOOST_TEST(handled == last - 2);
    for (std::uint64_t const n : failing)
        BOOST_TEST(handle(n, stored_anew(n)));
    BOOST_TEST(!handle(failing[0], stored_anew(failing[0])));
    BOOST_TEST(!handle(1, stored_anew(1)));
}

// An acknowledgement of the new stream may be lost while numbers of the old one are still known.
BOOST_AUTO_TEST_CASE(what_a_stream_made_anew_has_sent_stays_handled_when_it_meets_old_numbers)
{
    receiver handle;
    for (std::uint64_t n = 10; n <= 20; ++n)
        BOOST_TEST(handle(n, static_cast<std::int64_t>(n)));
    for (std::uint64_t n = 1; n <= 10; ++n)
        BOOST_TEST(handle(n, static_cast<std::int64_t>(100 + n)));
    BOOST_TEST(!handle(3, 103));
    BOOST_TEST(handle(11, 111));
    BOOST_TEST(!handle(11, 111));
}

// A server that is killed has not yet stored the last acknowledgements.
BOOST_AUTO_TEST_CASE(what_is_handled_is_recognised_for_a_while_in_a_stream_of_gaps)
{
    jetstream::inbound_options const o;
    jetstream::detail::handled h;
    constexpr std::uint64_t count = 10'000;
    for (std::uint64_t n = 1; n <= count; ++n) {
        h.received(2 * n, 0);
        jetstream::detail::handled::entry entry(h, 2 * n, 0);
        entry.keep();
        h.acknowledged(2 * n, 0, true, o);
    }
    std::uint64_t known = 0;
    for (std::uint64_t n = 1; n <= count; ++n)
        known += h.contains(2 * n) && !h.contains(2 * n - 1);
    BOOST_TEST(known == count);
}

BOOST_AUTO_TEST_CASE(a_full_stream_keeps_events_with_their_sender_until_there_is_room)
{
    two_ends t(100);
    using small = jetstream::outbound<quote, 64>;
    small out(t.a, t.from, "quotes.acme", sending());
    // At most as many events at once as may wait for the sender, until the stream is full.
    for (int n = 0; n < 100; n += 50) {
        t.publish(n, n + 50);
        BOOST_TEST(out.flush());
    }
    t.publish(100, 2000);
    BOOST_TEST(eventually([&] { return out.stats().resent >= 2; }));
    auto const before = out.stats();
    BOOST_TEST(before.waiting > 0u);
    BOOST_TEST(before.waiting <= 65u);
    BOOST_TEST(before.full > 0u);
    BOOST_TEST(before.acknowledged > 0u);
    BOOST_TEST(!out.flush(milliseconds(1)));
    BOOST_TEST(total(before) == 2000u);
    int const kept = 2000 - static_cast<int>(before.full);
    inbound const in(t.b, t.to, "quotes.*", receiving());
    BOOST_TEST(t.all_arrive(kept));
    BOOST_TEST(out.flush());
    BOOST_TEST(out.stats().acknowledged == static_cast<std::uint64_t>(kept));
    BOOST_TEST(t.arrived.repeated() == 0);
    BOOST_TEST(t.arrived.wrong() == 0);
    std::printf("stream full: notified 2000, full %d; ", static_cast<int>(before.full));
    print("kept:", kept, t.arrived, out.stats(), in.stats());
}

BOOST_AUTO_TEST_CASE(a_server_whose_disk_quota_is_full_loses_nothing_that_it_has_acknowledged)
{
    folder config;
    std::string const file = (config.path() / "server.conf").string();
    std::ofstream(file) << "jetstream { max_file_store: 65536 }\n";
    storing s({"-c", file});
    watched state;
    registry from;
    strict to;
    ledger arrived;
    to.register_handler([&](quote const& q) { arrived.handled(q); });
    nats::connection a(s.broker.options(), state.registry());
    nats::connection b(s.broker.options(), state.registry());
    jetstream::set_up_stream(a, stream(100000));  // the disk is full before
    jetstream::outbound<quote, 4096> out(a, from, "quotes.acme", sending());
    for (int n = 0; n < 1000; ++n)
        from.notify({"ACME", 1, n});
    BOOST_TEST(eventually([&] { return out.stats().resent >= 2; }));
    BOOST_TEST(out.stats().acknowledged > 0u);
    BOOST_TEST(out.stats().waiting > 0u);
    inbound const in(b, to, "quotes.*", receiving());
    BOOST_TEST(eventually([&] { return arrived.distinct() == 1000; }));
    BOOST_TEST(out.flush());
    BOOST_TEST(arrived.repeated() == 0);
    BOOST_TEST(arrived.wrong() == 0);
    print("disk quota of the server full", 1000, arrived, out.stats(), in.stats());
}

BOOST_FIXTURE_TEST_CASE(an_event_whose_handler_fails_is_delivered_again_before_later_ones, two_ends)
{
    std::atomic<int> failures{0};
    // Runs before the handler that records the arrival.
    before = [&](quote const& q) {
        if (q.number == 4 && failures < 2) {
            ++failures;
            throw std::runtime_error("not yet");
        }
    };
    outbound out(a, from, "quotes.acme", sending());
    inbound const in(b, to, "quotes.*", receiving());
    publish(0, 10);
    BOOST_TEST(all_arrive(10));
    BOOST_TEST(eventually([&] { return in.stats().notified == 10u; }));
    BOOST_TEST(in.stats().failed == 2u);
    BOOST_TEST(in.stats().redelivered == 2u);
    BOOST_TEST(in.stats().dead == 0u);
    BOOST_TEST(out.flush());
    BOOST_TEST(arrived.repeated() == 0);
    BOOST_TEST(arrived.wrong() == 0);
    print("handler fails twice, then succeeds", 10, arrived, out.stats(), in.stats());
}

BOOST_FIXTURE_TEST_CASE(an_event_whose_handler_always_fails_is_dead_and_later_ones_go_on, two_ends)
{
    before = [&](quote const& q) {
        if (q.number == 4)
            throw std::runtime_error("never");
    };
    std::vector<std::string> texts;
    std::atomic<int> dead{0};
    jetstream::inbound_options o = receiving();
    o.most_attempts = 3;
    o.on_dead = [&](jetstream::dead_letter const& d) {
        texts.emplace_back(d.text);
        dead += d.why == jetstream::dead_reason::failed && d.attempts == 3 &&
            d.subject == "quotes.acme";
    };
    {
        outbound out(a, from, "quotes.acme", sending());
        inbound const in(b, to, "quotes.*", o);
        publish(0, 10);
        BOOST_TEST(all_arrive(9));
        BOOST_TEST(eventually([&] { return in.stats().notified == 9u; }));
        BOOST_TEST(in.stats().failed == 3u);
        BOOST_TEST(in.stats().dead == 1u);
        BOOST_TEST(out.flush());
        print("handler always fails", 10, arrived, out.stats(), in.stats());
    }
    BOOST_TEST(dead == 1);
    BOOST_TEST(texts.size() == 1u);
    BOOST_TEST(texts.at(0).find("\"number\":4") != std::string::npos);
    BOOST_TEST(arrived.repeated() == 0);
    BOOST_TEST(arrived.wrong() == 0);
}

BOOST_FIXTURE_TEST_CASE(a_dead_letter_whose_hook_throws_is_delivered_again, two_ends)
{
    std::atomic<int> hooked{0};
    jetstream::inbound_options o = receiving();
    o.most_attempts = 1;
    o.on_dead = [&](jetstream::dead_letter const&) {
        if (++hooked < 3)
            throw std::runtime_error("no place for the dead");
    };
    before = [&](quote const& q) {
        if (q.number == 0)
            throw std::runtime_error("never");
    };
    outbound out(a, from, "quotes.acme", sending());
    inbound const in(b, to, "quotes.*", o);
    publish(0, 2);
    BOOST_TEST(all_arrive(1));
    BOOST_TEST(hooked == 3);
    BOOST_TEST(in.stats().dead == 1u);
    BOOST_TEST(in.stats().failed == 1u);
    print("hook of the dead throws twice", 2, arrived, out.stats(), in.stats());
}

BOOST_FIXTURE_TEST_CASE(garbage_and_other_schemas_are_dead_at_once, two_ends)
{
    std::vector<std::string> const garbage{"",
                                           "{",
                                           "null",
                                           "[]",
                                           "{\"symbol\":3}",
                                           std::string("\0\xff\xfe", 3),
                                           std::string(70000, '[')};
    std::atomic<int> rejected{0};
    jetstream::inbound_options o = receiving();
    o.schema = "quote/2";
    o.on_dead = [&](jetstream::dead_letter const& d) {
        rejected += d.why == jetstream::dead_reason::rejected && d.attempts == 1;
    };
    jetstream::outbound_options old = sending();
    old.schema = "quote/1";
    jetstream::outbound_options good = sending();
    good.schema = "quote/2";
    inbound const in(b, to, "quotes.>", o);
    {
        registry elsewhere;
        outbound wrong(a, elsewhere, "quotes.acme", old);
        elsewhere.notify({"ACME", 1, 0});
        BOOST_TEST(wrong.flush());
    }
    jetstream::detail::context const js(a);
    for (std::string const& g : garbage) {
        nats::detail::message_owner m;
        BOOST_TEST(nats::detail::make_message(m, "quotes.acme", g, "quote/2") == NATS_OK);
        BOOST_TEST(js_PublishMsg(nullptr, js.get(), m.get(), nullptr, nullptr) == NATS_OK);
    }
    outbound out(a, from, "quotes.acme", good);
    publish(0, 1);
    BOOST_TEST(all_arrive(1));
    auto const n = garbage.size() + 1;
    BOOST_TEST(in.stats().rejected == n);
    BOOST_TEST(in.stats().dead == n);
    BOOST_TEST(static_cast<std::size_t>(rejected) == n);
    print("garbage and another schema", static_cast<int>(n) + 1, arrived, out.stats(), in.stats());
}

BOOST_FIXTURE_TEST_CASE(the_next_process_goes_on_where_the_last_one_ended, two_ends)
{
    outbound out(a, from, "quotes.acme", sending());
    std::atomic<bool> fails{false};
    before = [&](quote const&) {
        if (fails)
            throw std::runtime_error("the process is about to die");
    };
    {
        inbound const in(b, to, "quotes.*", receiving());
        publish(0, 50);
        BOOST_TEST(all_arrive(50));
        fails = true;
        publish(50, 100);
        BOOST_TEST(eventually([&] { return in.stats().failed >= 1u; }));
    }
    fails = false;
    inbound const in(b, to, "quotes.*", receiving());
    BOOST_TEST(all_arrive(100));
    BOOST_TEST(in.stats().redelivered >= 1u);
    BOOST_TEST(out.flush());
    BOOST_TEST(arrived.repeated() == 0);
    BOOST_TEST(arrived.wrong() == 0);
    print("receiver ends and begins again", 100, arrived, out.stats(), in.stats());
}

BOOST_FIXTURE_TEST_CASE(programs_with_one_consumer_share_the_events, two_ends)
{
    watched state;
    nats::connection c(broker.options(), state.registry());
    jetstream::inbound_options o = receiving();
    o.most_in_flight = 8;
    outbound out(a, from, "quotes.acme", sending());
    inbound const first(b, to, "quotes.*", o);
    inbound const second(c, to, "quotes.*", o);
    publish(0, 500);
    BOOST_TEST(all_arrive(500));
    BOOST_TEST(
        eventually([&] { return first.stats().notified + second.stats().notified == 500u; }));
    BOOST_TEST(first.stats().notified > 0u);
    BOOST_TEST(second.stats().notified > 0u);
    BOOST_TEST(arrived.repeated() == 0);
}

BOOST_FIXTURE_TEST_CASE(an_outbound_that_ends_without_a_server_gives_up_and_says_so, two_ends)
{
    std::atomic<int> given_up{0};
    jetstream::outbound_options o = sending();
    o.linger = milliseconds(50);
    o.on_dead = [&](jetstream::dead_letter const& d) {
        given_up += d.why == jetstream::dead_reason::given_up && d.subject == "quotes.acme";
    };
    broker.kill();
    {
        outbound out(a, from, "quotes.acme", o);
        publish(0, 20);
        BOOST_TEST(out.stats().waiting == 20u);
    }
    BOOST_TEST(given_up == 20);
    // So does one whose connection is closed.
    given_up = 0;
    outbound out(a, from, "quotes.acme", o);
    a.close();
    publish(0, 5);
    BOOST_TEST(out.flush());
    BOOST_TEST(given_up == 5);
    BOOST_TEST(out.stats().dead == 5u);
    std::printf("no server: sent 20, given up 20 with a dead letter each, lost in silence 0\n");
}

BOOST_FIXTURE_TEST_CASE(events_wait_for_a_stream_that_is_missing_and_for_the_first_acknowledgement,
                        storing)
{
    watched state;
    registry from;
    nats::connection a(broker.options(), state.registry());
    outbound out(a, from, "quotes.acme", sending());
    from.notify({"ACME", 1, 0});
    BOOST_TEST(eventually([&] { return out.stats().resent >= 1; }));
    BOOST_TEST(out.stats().waiting == 1u);
    jetstream::set_up_stream(a, stream());
    BOOST_TEST(out.flush());
    BOOST_TEST(out.stats().acknowledged == 1u);
}

BOOST_FIXTURE_TEST_CASE(the_codec_may_say_what_an_events_id_is, two_ends)
{
    struct with_id : rio::relay::json_codec<quote>
    {
        static std::string id(quote const& q)
        {
            if (q.number == 7)
                throw std::runtime_error("no");
            return std::to_string(q.sender) + '/' + std::to_string(q.number);
        }
    };
    using identified = jetstream::outbound<quote, 64, queued::fail, with_id>;
    for (int life = 0; life < 2; ++life) {
        identified out(a, from, "quotes.acme", sending());
        publish(0, 8);
        BOOST_TEST(out.flush());
        BOOST_TEST(out.stats().acknowledged == 7u);
        BOOST_TEST(out.stats().unencoded == 1u);
        BOOST_TEST(out.stats().duplicates == (life == 0 ? 0u : 7u));
    }
    inbound const in(b, to, "quotes.*", receiving());
    BOOST_TEST(all_arrive(7));
    BOOST_TEST(arrived.repeated() == 0);
}

BOOST_FIXTURE_TEST_CASE(sizes_and_codecs_that_fail_never_fail_the_notify, two_ends)
{
    struct picky : rio::relay::json_codec<quote>
    {
        static std::string encode(quote const& q)
        {
            if (q.number == 1)
                throw std::runtime_error("no");
            return rio::relay::json_codec<quote>::encode(q);
        }
    };
    jetstream::stream_options s = stream();
    s.configure = [](jsStreamConfig* c) { c->MaxMsgSize = 10000; };
    jetstream::set_up_stream(a, s);
    std::atomic<int> refused{0};
    jetstream::outbound_options o = sending();
    o.on_dead = [&](jetstream::dead_letter const& d) {
        refused += d.why == jetstream::dead_reason::refused && d.attempts == 1;
    };
    jetstream::outbound<quote, 64, queued::fail, picky> out(a, from, "quotes.acme", o);
    publish(1, 2);
    from.notify({std::string(2 << 20, 'x'), 1, 2});  // longer than the server accepts
    from.notify({std::string(20000, 'x'), 1, 3});    // longer than the stream accepts
    publish(4, 5);
    BOOST_TEST(out.flush());
    BOOST_TEST(out.stats().unencoded == 1u);
    BOOST_TEST(out.stats().too_large == 1u);
    BOOST_TEST(out.stats().dead == 1u);
    BOOST_TEST(out.stats().acknowledged == 1u);
    BOOST_TEST(refused == 1);
    BOOST_TEST(total(out.stats()) == 4u);
}

BOOST_FIXTURE_TEST_CASE(each_policy_of_a_full_buffer_is_counted, two_ends)
{
    broker.kill();
    jetstream::outbound_options o = sending();
    o.linger = milliseconds(0);
    {
        jetstream::outbound<quote, 8, queued::drop_newest> const out(a, from, "quotes.acme", o);
        publish(0, 100);
        BOOST_TEST(out.stats().dropped >= 90u);
        BOOST_TEST(total(out.stats()) == 100u);
    }
    {
        jetstream::outbound<quote, 8, queued::drop_oldest> const out(a, from, "quotes.acme", o);
        publish(0, 100);
        BOOST_TEST(out.stats().dropped >= 90u);
        BOOST_TEST(total(out.stats()) == 100u);
    }
    {
        jetstream::outbound<quote, 8, queued::block<1>> const out(a, from, "quotes.acme", o);
        publish(0, 20);
        BOOST_TEST(out.stats().full >= 11u);
        BOOST_TEST(total(out.stats()) == 20u);
    }
}

BOOST_FIXTURE_TEST_CASE(a_connection_does_not_get_its_own_events_and_sends_none_back, two_ends)
{
    strict here;
    ledger at_a;
    here.register_handler([&](quote const& q) { at_a.handled(q); });
    jetstream::inbound_options other = receiving();
    other.consumer = "here";
    jetstream::stream_options s = stream();
    s.name = "shared";
    s.subject = "shared";
    jetstream::set_up_stream(a, s);
    other.stream = "shared";
    jetstream::inbound_options there = other;
    there.consumer = "there";
    outbound a_out(a, here, "shared", sending());
    inbound const a_in(a, here, "shared", other);
    outbound b_out(b, to, "shared", sending());
    inbound const b_in(b, to, "shared", there);
    here.notify({"ACME", 1, 0});
    to.notify({"ACME", 2, 0});
    BOOST_TEST(all_arrive(2));
    BOOST_TEST(eventually([&] { return at_a.distinct() == 2; }));
    BOOST_TEST(eventually([&] { return a_in.stats().returned == 1u; }));
    BOOST_TEST(eventually([&] { return b_in.stats().returned == 1u; }));
    BOOST_TEST(a_out.stats().returned == 1u);
    BOOST_TEST(b_out.stats().returned == 1u);
    BOOST_TEST(at_a.repeated() + arrived.repeated() == 0);
}

BOOST_FIXTURE_TEST_CASE(failures_that_notify_returns_count_as_failures, two_ends)
{
    collecting reports;
    std::atomic<int> calls{0};
    reports.register_handler([&](quote const&) {
        if (++calls == 1)
            throw std::runtime_error("not yet");
    });
    outbound out(a, from, "quotes.acme", sending());
    inbound const in(b, reports, "quotes.*", receiving());
    publish(0, 1);
    BOOST_TEST(eventually([&] { return in.stats().notified == 1u; }));
    BOOST_TEST(in.stats().failed == 1u);
    BOOST_TEST(calls == 2);
}

BOOST_FIXTURE_TEST_CASE(wrong_subjects_numbers_and_names_are_refused, two_ends)
{
    BOOST_CHECK_THROW(outbound(a, from, "quotes.*"), std::invalid_argument);
    jetstream::inbound_options o = receiving();
    BOOST_CHECK_THROW(inbound(b, to, "quotes..", o), std::invalid_argument);
    o.most_in_flight = 0;
    BOOST_CHECK_THROW(inbound(b, to, "quotes.*", o), std::invalid_argument);
    o = receiving();
    o.most_attempts = 0;
    BOOST_CHECK_THROW(inbound(b, to, "quotes.*", o), std::invalid_argument);
    o = receiving();
    o.stream = "nowhere";
    BOOST_CHECK_THROW(inbound(b, to, "quotes.*", o), nats::error);
    o = receiving();
    o.consumer = "a.b";
    BOOST_CHECK_THROW(inbound(b, to, "quotes.*", o), nats::error);
    jetstream::stream_options s = stream();
    s.subject = "a b";
    BOOST_CHECK_THROW(jetstream::set_up_stream(a, s), std::invalid_argument);
    s = stream();
    s.name = "a.b";
    BOOST_CHECK_THROW(jetstream::set_up_stream(a, s), nats::error);
    server without;
    watched state;
    nats::connection c(without.options(), state.registry());
    BOOST_CHECK_THROW(jetstream::set_up_stream(c, stream()), nats::error);
    BOOST_TEST(from.empty());
}
