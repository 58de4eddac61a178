// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Guide: publish the events of a registry to a NATS server, and receive them in another process.
// To try it, run: nats-server -js -a 127.0.0.1 & then this program.

#include <registry_io/panic/propagate.hpp>
#include <registry_io/presets/sync.hpp>
#include <registry_io/relay/jetstream.hpp>
#include <registry_io/relay/json.hpp>
#include <registry_io/relay/nats.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <string_view>
#include <thread>

#include <boost/describe.hpp>
#include <boost/json/src.hpp>

// tag::types[]
namespace rio = registry_io;
namespace nats = registry_io::relay::nats;
namespace jetstream = registry_io::relay::jetstream;

struct quote
{
    std::string symbol;
    double price = 0;
};
BOOST_DESCRIBE_STRUCT(quote, (), (symbol, price))
// end::types[]

// tag::codec[]
struct text_codec
{
    static std::string encode(quote const& q) { return q.symbol + ' ' + std::to_string(q.price); }
    static quote decode(std::string_view text)
    {
        std::string const s(text);
        std::size_t const blank = s.find(' ');
        return {s.substr(0, blank), std::stod(s.substr(blank + 1))};
    }
};
// end::codec[]

namespace {

void publish()
{
    // tag::states[]
    rio::SyncRegistry<nats::connection_event> states;
    states.register_handler([](nats::connection_event const& e) {
        if (e.what == nats::change::disconnected)
            std::puts("the server is gone; trying again");
    });
    // end::states[]
    // tag::outbound[]
    rio::SyncRegistry<quote> quotes;
    nats::connection server({.url = "nats://127.0.0.1:4222"}, states);
    nats::outbound<quote> const out(server, quotes, "quotes.acme", "quote/1");

    quotes.notify({"ACME", 12.5});  // to the handlers here, and to the server
    server.close();                 // sends what is still in the buffer
    // end::outbound[]
    // tag::counts[]
    nats::outbound_stats const s = out.stats();
    std::printf("%lu published, %lu lost here\n", static_cast<unsigned long>(s.published),
                static_cast<unsigned long>(s.dropped));
    // end::counts[]
}

void receive()
{
    rio::SyncRegistry<nats::connection_event> states;
    // tag::options[]
    nats::connection_options options;
    options.most_pending = 10000;
    options.configure = [](natsOptions* o) {
        natsOptions_SetUserInfo(o, "reader", std::getenv("QUOTES_PASSWORD"));
        natsOptions_SetSecure(o, true);
        natsOptions_LoadCATrustedCertificates(o, "/etc/ssl/certs/ca-certificates.crt");
    };
    // end::options[]
    options.configure = nullptr;
    // tag::inbound[]
    rio::SyncRegistry<quote> quotes;
    quotes.register_handler([](quote const& q) { std::printf("%s\n", q.symbol.c_str()); });
    nats::connection server(options, states);
    nats::inbound<quote> const in(server, quotes, "quotes.*", "quote/1");
    // end::inbound[]
    // tag::inbound_codec[]
    nats::inbound<quote, text_codec> const plain(server, quotes, "plain_quotes");
    // end::inbound_codec[]
    std::this_thread::sleep_for(std::chrono::seconds(1));
}

void store()
{
    rio::SyncRegistry<nats::connection_event> states;
    nats::connection server({.url = "nats://127.0.0.1:4222"}, states);
    // tag::stream[]
    jetstream::stream_options stream;
    stream.name = "quotes";
    stream.subject = "quotes.>";
    stream.most_messages = 1'000'000;
    jetstream::set_up_stream(server, stream);
    // end::stream[]
    // tag::stored_outbound[]
    rio::SyncRegistry<quote> quotes;
    jetstream::outbound<quote, 1024, rio::queued::block<100>> out(server, quotes, "quotes.acme");

    quotes.notify({"ACME", 12.5});  // to the handlers here, and into the buffer
    bool const stored = out.flush();
    // end::stored_outbound[]
    std::puts(stored ? "stored" : "still waiting");
    // tag::stored_inbound[]
    rio::SyncRegistry<quote>::with<rio::panic::propagate> received;
    received.register_handler([](quote const& q) { std::printf("%s\n", q.symbol.c_str()); });
    jetstream::inbound_options options;
    options.stream = "quotes";
    options.consumer = "display";
    options.on_dead = [](jetstream::dead_letter const& d) {
        std::printf("given up after %lu attempts\n", static_cast<unsigned long>(d.attempts));
    };
    jetstream::inbound<quote> const in(server, received, "quotes.*", options);
    // end::stored_inbound[]
    std::this_thread::sleep_for(std::chrono::seconds(1));
    // tag::stored_counts[]
    jetstream::outbound_stats const s = out.stats();
    std::printf("%lu stored, %lu waiting, %lu refused as the buffer was full\n",
                static_cast<unsigned long>(s.acknowledged), static_cast<unsigned long>(s.waiting),
                static_cast<unsigned long>(s.full));
    // end::stored_counts[]
}

}  // namespace

int main()
{
    try {
        std::thread receiver([] {
            try {
                receive();
            } catch (std::exception const& e) {
                std::puts(e.what());
            }
        });
        std::this_thread::sleep_for(std::chrono::milliseconds(300));
        try {
            publish();
        } catch (nats::error const& e) {
            std::puts(e.what());
        }
        receiver.join();
        store();  // with nats-server -js
    } catch (std::exception const& e) {
        std::puts(e.what());
    }
}
