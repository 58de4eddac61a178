// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Guide: a sketch of a relay to another broker, here to MQTT with libmosquitto. A relay consists of
// a handler that publishes and a callback that notifies.
// To try it, run: mosquitto & then this program.

#include <registry_io/presets/sync.hpp>
#include <registry_io/relay/json.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <boost/describe.hpp>
#include <boost/json/src.hpp>

#include <mosquitto.h>

namespace {

namespace rio = registry_io;

// tag::connection[]
class mqtt_connection
{
public:
    mqtt_connection(std::string const& host, int port) : client_(mosquitto_new(nullptr, true, this))
    {
        if (client_ == nullptr)
            throw std::runtime_error("mqtt: no client");
        mosquitto_message_callback_set(client_.get(),
                                       [](mosquitto*, void* self, mosquitto_message const* m) {
                                           static_cast<mqtt_connection*>(self)->receive(*m);
                                       });
        int const status = mosquitto_connect(client_.get(), host.c_str(), port, 60);
        if (status != MOSQ_ERR_SUCCESS)
            throw std::runtime_error(std::string("mqtt: ") + mosquitto_strerror(status));
        mosquitto_loop_start(client_.get());
    }
    mqtt_connection(mqtt_connection const&) = delete;
    mqtt_connection& operator=(mqtt_connection const&) = delete;
    ~mqtt_connection()
    {
        mosquitto_disconnect(client_.get());
        mosquitto_loop_stop(client_.get(), false);
    }

    // Calls `f` with the text of each message in the topic.
    void receive_from(std::string const& topic, std::function<void(std::string_view)> f)
    {
        on_text_ = std::move(f);
        mosquitto_subscribe(client_.get(), nullptr, topic.c_str(), 1);
    }

    // Quality of service 1: the client library keeps the message until the broker has acknowledged
    // it.
    bool publish(std::string const& topic, std::string const& text)
    {
        return mosquitto_publish(client_.get(), nullptr, topic.c_str(),
                                 static_cast<int>(text.size()), text.data(), 1,
                                 false) == MOSQ_ERR_SUCCESS;
    }

private:
    void receive(mosquitto_message const& m) noexcept
    {
        try {
            on_text_({static_cast<char const*>(m.payload), static_cast<std::size_t>(m.payloadlen)});
        } catch (...) {
            rejected_.fetch_add(1);  // no exception may reach the client library, which is C
        }
    }

    std::unique_ptr<mosquitto, decltype([](mosquitto* m) { mosquitto_destroy(m); })> client_;
    std::function<void(std::string_view)> on_text_;
    std::atomic<std::uint64_t> rejected_{0};
};
// end::connection[]

// tag::seam[]
// Out: a handler that encodes and publishes an event. No error leaves it.
template <class Event, class Codec = rio::relay::json_codec<Event>>
auto to_mqtt(mqtt_connection& c, std::string topic, std::atomic<std::uint64_t>& lost)
{
    return [&c, topic = std::move(topic), &lost](Event const& e) noexcept {
        try {
            if (c.publish(topic, Codec::encode(e)))
                return;
        } catch (...) {
        }
        lost.fetch_add(1);
    };
}

// In: decodes each text, and notifies the registry on the thread of the client library.
template <class Event, class Codec = rio::relay::json_codec<Event>, class Registry>
void from_mqtt(mqtt_connection& c, Registry& registry, std::string const& topic)
{
    c.receive_from(topic,
                   [&registry](std::string_view text) { registry.notify(Codec::decode(text)); });
}
// end::seam[]

struct quote
{
    std::string symbol;
    double price = 0;
};
BOOST_DESCRIBE_STRUCT(quote, (), (symbol, price))

void run()
{
    // tag::use[]
    std::atomic<std::uint64_t> lost{0};
    mqtt_connection there("127.0.0.1", 1883);
    rio::SyncRegistry<quote> received;
    received.register_handler([](quote const& q) { std::printf("%s\n", q.symbol.c_str()); });
    from_mqtt<quote>(there, received, "quotes/#");

    mqtt_connection here("127.0.0.1", 1883);
    rio::SyncRegistry<quote> quotes;
    quotes.register_handler(to_mqtt<quote>(here, "quotes/acme", lost));
    quotes.notify({"ACME", 12.5});
    // end::use[]
    std::this_thread::sleep_for(std::chrono::seconds(1));
    std::printf("lost here: %lu\n", static_cast<unsigned long>(lost.load()));
}

}  // namespace

int main()
{
    mosquitto_lib_init();
    try {
        run();
    } catch (std::exception const& e) {
        std::puts(e.what());
    }
    mosquitto_lib_cleanup();
}
