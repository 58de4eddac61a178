// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The relay under load while the server is killed and its connections are cut, for as long as you
// like: relay_soak NATS-SERVER [SECONDS] [SEED]. What must hold: at least once, each event that was
// sent is handled once in the order of its sender, or is a dead letter, although handlers fail now
// and then; at most once, no event is handled twice or out of order; each event is counted once.

#include <registry_io/panic/propagate.hpp>
#include <registry_io/presets/sync.hpp>
#include <registry_io/relay/jetstream.hpp>
#include <registry_io/relay/nats.hpp>

#include <atomic>
#include <chrono>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "relay/broker.hpp"

namespace {

using namespace relay_test;
namespace rio = registry_io;
namespace jetstream = registry_io::relay::jetstream;
using std::chrono::milliseconds;

struct event
{
    unsigned sender = 0;
    std::uint64_t number = 0;
};

struct codec
{
    static std::string encode(event const& e)
    {
        return std::to_string(e.sender) + ' ' + std::to_string(e.number);
    }
    static event decode(std::string_view text)
    {
        std::string const s(text);
        std::size_t const blank = s.find(' ');
        return {static_cast<unsigned>(std::stoul(s.substr(0, blank))),
                std::stoull(s.substr(blank + 1))};
    }
};

constexpr unsigned senders = 2;

/// Whether the handler fails whenever it gets this event.
bool poisonous(event const& e)
{
    return e.number % 1000 == 777;
}

/// The events that one end has handled. For one thread, except for the atomic counts.
struct ledger
{
    void handled(event const& e)
    {
        if (e.number < next[e.sender])
            ++wrong;
        else
            missing += e.number - next[e.sender];
        next[e.sender] = e.number + 1;
        ++count;
    }
    std::uint64_t next[senders] = {};
    std::atomic<std::uint64_t> count{0};
    std::atomic<std::uint64_t> missing{0};  ///< passed over
    std::atomic<std::uint64_t> wrong{0};    ///< twice, or behind a later one
};

/// Returns the server's description of the stream and its consumer.
void print_server_state(nats::connection& c)
{
    jetstream::detail::context const js(c);
    jsStreamInfo* stream = nullptr;
    jsConsumerInfo* consumer = nullptr;
    if (js_GetStreamInfo(&stream, js.get(), "soak", nullptr, nullptr) == NATS_OK)
        std::printf("the stream has %" PRIu64 " messages, %" PRIu64 " to %" PRIu64 "\n",
                    stream->State.Msgs, stream->State.FirstSeq, stream->State.LastSeq);
    if (js_GetConsumerInfo(&consumer, js.get(), "soak", "soak", nullptr, nullptr) == NATS_OK)
        std::printf("delivered to %" PRIu64 ", acknowledged to %" PRIu64 ", %" PRId64
                    " unacknowledged, %" PRIu64 " pending, %" PRId64 " requests wait\n",
                    consumer->Delivered.Stream, consumer->AckFloor.Stream, consumer->NumAckPending,
                    consumer->NumPending, consumer->NumWaiting);
    jsStreamInfo_Destroy(stream);
    jsConsumerInfo_Destroy(consumer);
}

int run(std::string const& program, std::uint64_t seconds, std::uint64_t seed)
{
    folder store;
    broker server(program, {"-js", "-sd", store.path().string()});
    wire from(server.port());
    wire to(server.port());
    rio::SyncRegistry<nats::connection_event> states;
    nats::connection a(from.options(), states);
    nats::connection b(to.options(), states);
    jetstream::stream_options s;
    s.name = "soak";
    s.subject = "soak.stored";
    jetstream::set_up_stream(a, s);

    rio::SyncRegistry<event> sent;
    rio::SyncRegistry<event>::with<rio::panic::propagate> stored;
    rio::SyncRegistry<event> passed;
    ledger at_least;
    ledger at_most;
    std::mt19937_64 failing(seed + 1);
    stored.register_handler([&](event const& e) {
        if (poisonous(e) || failing() % 50 == 0)
            throw std::runtime_error("a handler fails");
        at_least.handled(e);
    });
    passed.register_handler([&](event const& e) { at_most.handled(e); });

    jetstream::outbound_options sending;
    sending.ack_wait = milliseconds(500);
    sending.retry_wait = milliseconds(20);
    jetstream::inbound_options receiving;
    receiving.stream = "soak";
    receiving.consumer = "soak";
    receiving.ack_wait = milliseconds(500);
    receiving.retry_wait = milliseconds(5);
    // A poisonous event fails each time. Any other event becomes a dead letter once in 50^8 times.
    receiving.most_attempts = 8;
    jetstream::outbound<event, 1024, rio::queued::block<>, codec> out(a, sent, "soak.stored",
                                                                      sending);
    jetstream::inbound<event, codec> const in(b, stored, "soak.stored", receiving);
    nats::outbound<event, codec> const out_once(a, sent, "soak.passed");
    nats::inbound<event, codec> const in_once(b, passed, "soak.passed");

    std::atomic<bool> stop{false};
    std::atomic<std::uint64_t> notified{0};
    std::vector<std::thread> threads;
    for (unsigned sender = 0; sender != senders; ++sender)
        threads.emplace_back([&, sender] {
            for (std::uint64_t n = 0; !stop; ++n) {
                sent.notify({sender, n});
                ++notified;
                // The handlers keep up.
                while (!stop && notified > at_least.count + in.stats().dead + 1000)
                    std::this_thread::sleep_for(milliseconds(1));
            }
        });
    std::mt19937_64 random(seed);
    std::uint64_t kills = 0;
    std::uint64_t cuts = 0;
    auto const end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
    while (std::chrono::steady_clock::now() < end) {
        std::this_thread::sleep_for(milliseconds(50 + random() % 1500));
        switch (random() % 4) {
        case 0:
            server.kill();
            std::this_thread::sleep_for(milliseconds(random() % 300));
            server.start();
            ++kills;
            break;
        case 1:
            from.cut();
            ++cuts;
            break;
        case 2:
            to.cut();
            ++cuts;
            break;
        default: {
            wire& w = random() % 2 == 0 ? from : to;
            std::atomic<bool>& loses = random() % 2 == 0 ? w.loses_to_client : w.loses_to_server;
            loses = true;
            std::this_thread::sleep_for(milliseconds(random() % 100));
            loses = false;
            w.cut();  // the lost bytes have left holes in the stream
            ++cuts;
        }
        }
    }
    stop = true;
    for (std::thread& t : threads)
        t.join();
    bool const flushed = out.flush(std::chrono::minutes(1));
    auto const settled = [&] { return at_least.count + in.stats().dead == notified; };
    bool const all = eventually(settled);
    auto const o = out.stats();
    auto const i = in.stats();
    std::uint64_t const lost = notified - at_least.count - i.dead;
    // The skipped events are exactly the dead letters, except for the last events of each sender.
    bool const held = flushed && all && lost == 0 && at_least.wrong == 0 && at_most.wrong == 0 &&
        at_least.missing <= i.dead && i.dead <= at_least.missing + senders * 8 &&
        o.acknowledged == notified && i.dead >= at_least.missing;
    std::printf("at least once: sent %" PRIu64 ", handled %" PRIu64 ", dead %" PRIu64
                ", lost %" PRIu64 ", out of order or twice %" PRIu64 "; sent again %" PRIu64
                ", recognised by the server %" PRIu64 "; failed %" PRIu64 ", redelivered %" PRIu64
                ", recognised here %" PRIu64 "\n",
                notified.load(), at_least.count.load(), i.dead, lost, at_least.wrong.load(),
                o.resent, o.duplicates, i.failed, i.redelivered, i.duplicates);
    std::printf("at most once: sent %" PRIu64 ", handled %" PRIu64 ", dropped here %" PRIu64
                ", out of order or twice %" PRIu64 "\n",
                notified.load(), at_most.count.load(), out_once.stats().dropped,
                at_most.wrong.load());
    std::printf("relay soak: %s: %" PRIu64 " events, the server killed %" PRIu64
                " times, connections cut %" PRIu64 " times, seed %" PRIu64 "\n",
                held ? "held" : "FAILED", notified.load(), kills, cuts, seed);
    if (!held)
        print_server_state(a);
    return held ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv)
{
    if (argc < 2 || argc > 4) {
        std::fputs("relay_soak NATS-SERVER [SECONDS] [SEED]\n", stderr);
        return 2;
    }
    try {
        return run(argv[1], argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 60,
                   argc > 3 ? std::strtoull(argv[3], nullptr, 10) : std::random_device{}());
    } catch (std::exception const& e) {
        std::fprintf(stderr, "relay_soak: %s\n", e.what());
        return 1;
    }
}
