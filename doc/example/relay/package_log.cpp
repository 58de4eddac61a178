// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Two processes share the package log through a NATS server: one reads the log and publishes its
// lines, the other one receives and counts them. The server may die meanwhile. `demo` in this
// folder starts all three.
//
//     relay_package_log read URL FILE    - means standard input
//     relay_package_log rank URL

#include <registry_io/panic/propagate.hpp>
#include <registry_io/presets/sync.hpp>
#include <registry_io/relay/jetstream.hpp>
#include <registry_io/relay/json.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <exception>
#include <fstream>
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/describe.hpp>
#include <boost/json/src.hpp>

#include "../package_log.hpp"

namespace {

namespace rio = registry_io;
namespace nats = registry_io::relay::nats;
namespace jetstream = registry_io::relay::jetstream;
using std::chrono::milliseconds;

struct log_line
{
    std::size_t number = 0;
    std::string text;  // empty: the log has ended
};
BOOST_DESCRIBE_STRUCT(log_line, (), (number, text))

// Counts lines by action and by package. Both processes print the counts, which must be equal.
class ranking
{
public:
    void add(std::string const& line)
    {
        ++events_;
        auto const e = parse(line);
        if (e && !e->package.empty())
            ++packages_[std::string(e->package)];
        if (e)
            ++actions_[std::string(e->action)];
    }
    void print() const
    {
        std::cout << "total " << events_ << " events\n";
        print_top("actions", actions_);
        print_top("packages", packages_);
    }

private:
    using counts = std::map<std::string, std::size_t>;

    static void print_top(char const* title, counts const& c)
    {
        std::vector<std::pair<std::string, std::size_t>> top(c.begin(), c.end());
        std::ranges::sort(top, [](auto const& a, auto const& b) {
            return a.second != b.second ? a.second > b.second : a.first < b.first;
        });
        std::cout << "total " << title << ":";
        for (std::size_t i = 0; i < top.size() && i < 5; ++i)
            std::cout << ' ' << top[i].first << ' ' << top[i].second;
        std::cout << std::endl;
    }

    std::size_t events_ = 0;
    counts actions_;
    counts packages_;
};

// A connection, and reports of its changes.
struct link_to_server
{
    explicit link_to_server(std::string const& url) : connection(options(url), states)
    {
        states.register_handler([this](nats::connection_event const& e) {
            if (e.what == nats::change::disconnected)
                ++outages;
            if (e.what == nats::change::reconnected)
                std::cout << "the broker is back" << std::endl;
        });
        jetstream::stream_options stream;
        stream.name = "packages";
        stream.subject = "packages.log";
        jetstream::set_up_stream(connection, stream);
    }

    rio::SyncRegistry<nats::connection_event> states;
    std::atomic<int> outages{0};
    nats::connection connection;

private:
    static nats::connection_options options(std::string const& url)
    {
        nats::connection_options o;
        o.url = url;
        o.reconnect_wait = milliseconds(50);
        return o;
    }
};

int read(std::string const& url, std::string const& name)
{
    std::ifstream file;
    if (name != "-")
        file.open(name, std::ios::binary);
    std::istream& in = name == "-" ? std::cin : file;
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);)
        if (parse(line))
            lines.push_back(line);
    if (lines.empty())
        throw std::runtime_error("there are no events in " + name);

    link_to_server link(url);
    rio::SyncRegistry<log_line> registry;
    ranking mine;
    registry.register_handler([&](log_line const& l) {
        if (!l.text.empty())
            mine.add(l.text);
    });
    // An event that finds no room waits for it.
    constexpr std::size_t buffer = 4096;
    using outbound = jetstream::outbound<log_line, buffer, rio::queued::block<>>;
    outbound out(link.connection, registry, "packages.log");

    std::size_t number = 0;
    for (; number < lines.size() / 2; ++number)
        registry.notify({number, lines[number]});
    std::cout << "half of the log is published" << std::endl;
    while (link.outages == 0)
        std::this_thread::sleep_for(milliseconds(1));
    std::cout << "the broker is gone; " << out.stats().acknowledged << " events are acknowledged, "
              << out.stats().waiting << " wait" << std::endl;
    // The rest waits for room until the broker is back.
    for (; number < lines.size() && out.stats().waiting < buffer - 10; ++number)
        registry.notify({number, lines[number]});
    std::cout << "more is read; " << out.stats().waiting << " events wait" << std::endl;
    for (; number < lines.size(); ++number)
        registry.notify({number, lines[number]});
    registry.notify({number, ""});

    bool const all = out.flush(std::chrono::minutes(1));
    auto const s = out.stats();
    std::cout << "sent " << number + 1 << ", acknowledged " << s.acknowledged << ", sent again "
              << s.resent << ", recognised by the broker " << s.duplicates << ", lost "
              << number + 1 - s.acknowledged << '\n';
    mine.print();
    return all && s.acknowledged == number + 1 ? 0 : 1;
}

int rank(std::string const& url)
{
    link_to_server link(url);
    // The registry must show that a handler has failed, so that the event is delivered again.
    rio::SyncRegistry<log_line>::with<rio::panic::propagate> registry;
    ranking theirs;
    std::atomic<bool> ended{false};
    std::size_t expected = 0;
    std::size_t out_of_order = 0;
    registry.register_handler([&](log_line const& l) {
        out_of_order += l.number != expected++ ? 1 : 0;
        if (l.text.empty())
            ended = true;
        else
            theirs.add(l.text);
    });
    jetstream::inbound_options options;
    options.stream = "packages";
    options.consumer = "ranking";
    options.ack_wait = milliseconds(1000);
    std::size_t delivered = 0;
    {
        jetstream::inbound<log_line> const in(link.connection, registry, "packages.log", options);
        std::cout << "listening" << std::endl;
        while (!ended)
            std::this_thread::sleep_for(milliseconds(5));
        auto const s = in.stats();
        std::cout << "delivered again and skipped " << s.duplicates << ", dead " << s.dead << '\n';
        delivered = expected;
    }
    std::cout << "received " << delivered << ", out of order " << out_of_order << '\n';
    theirs.print();
    return out_of_order == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char* argv[])
{
    try {
        std::vector<std::string> const words(argv + 1, argv + argc);
        if (words.size() == 3 && words[0] == "read")
            return read(words[1], words[2]);
        if (words.size() == 2 && words[0] == "rank")
            return rank(words[1]);
        std::cerr << "usage: relay_package_log read URL FILE | rank URL\n";
    } catch (std::exception const& e) {
        std::cerr << "relay_package_log: " << e.what() << '\n';
    }
    return 1;
}
