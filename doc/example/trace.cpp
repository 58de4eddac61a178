// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Writes a trace for chrome://tracing and https://ui.perfetto.dev: one row for each thread, with a
// bar for each notify and for each handler in it.

#include <registry_io/observe/named.hpp>
#include <registry_io/observe/tapped.hpp>
#include <registry_io/presets/sync.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <boost/core/lightweight_test.hpp>

namespace rio = registry_io;

// tag::trace[]
/// Records the trace events of all registries that use it; `write` writes them as JSON.
class chrome_trace
{
public:
    static void notify_begins(char const* event) { add('B', std::string("notify ") + event); }
    static void notify_ends(char const*) { add('E', {}); }
    static void handler_begins(rio::observe::tapped_call const& c) { add('B', name_of(c)); }
    static void handler_ends(rio::observe::tapped_call const&) { add('E', {}); }
    static void handler_failed(rio::observe::tapped_call const& c)
    {
        add('i', "failed: " + name_of(c));
    }

    static std::string text()
    {
        std::lock_guard<std::mutex> const lock(mutex);
        std::string out = "{\"traceEvents\": [";
        for (std::string const& e : events)
            out += (&e == events.data() ? "\n" : ",\n") + e;
        return out + "\n]}\n";
    }

private:
    static std::string name_of(rio::observe::tapped_call const& c)
    {
        return *c.label.name() != '\0' ? c.label.name() : std::to_string(c.id.value());
    }
    static void add(char phase, std::string const& name)
    {
        using namespace std::chrono;
        auto const now = duration<double, std::micro>(steady_clock::now().time_since_epoch());
        static std::atomic<int> threads{0};
        static thread_local int const thread = ++threads;
        char text[256];  // names must not contain quotes, or must be escaped here
        std::snprintf(
            text, sizeof text,
            "{\"ph\": \"%c\", \"name\": \"%.150s\", \"ts\": %.3f, \"pid\": 1, \"tid\": %d}", phase,
            name.c_str(), now.count(), thread);
        std::lock_guard<std::mutex> const lock(mutex);
        events.emplace_back(text);
    }

    inline static std::mutex mutex;
    inline static std::vector<std::string> events;
};
// end::trace[]

int main()
{
    // tag::use[]
    using panic = rio::observe::tapped<chrome_trace, rio::observe::named<rio::panic::catch_log>>;
    rio::SyncRegistry<int>::with<panic> r;
    r.register_handler(rio::observe::name("parse", [](int) {}));
    r.register_handler(rio::observe::name("store", [](int) {}));
    std::thread([&] { r.notify(1); }).join();
    r.notify(2);

    std::string const trace = chrome_trace::text();  // write it to trace.json
    // end::use[]

    auto const count = [&](std::string const& part) {
        int n = 0;
        for (std::size_t at = 0; (at = trace.find(part, at)) != trace.npos; ++at)
            ++n;
        return n;
    };
    BOOST_TEST_EQ(count("\"ph\": \"B\""), 6);
    BOOST_TEST_EQ(count("\"ph\": \"E\""), 6);
    BOOST_TEST_EQ(count("\"name\": \"notify int\""), 2);
    BOOST_TEST_EQ(count("\"name\": \"parse\""), 2);
    BOOST_TEST_EQ(count("\"tid\": 2"), 6);
    return boost::report_errors();
}
