// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Guide: hand events to another thread.

#include <registry_io/async/asio.hpp>
#include <registry_io/async/awaited.hpp>
#include <registry_io/presets/sync.hpp>
#include <registry_io/queued/mailbox.hpp>
#include <registry_io/queued/pump.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/core/lightweight_test.hpp>

// tag::alias[]
namespace rio = registry_io;
namespace queued = registry_io::queued;
// end::alias[]

namespace {

// tag::quote[]
struct quote
{
    std::string symbol;
    double price;
};
// end::quote[]

// tag::awaited[]
using inbox = queued::mailbox<quote, 256, queued::drop_oldest, rio::async::awaited>;

rio::async::task<> serve(inbox& quotes, rio::SyncRegistry<quote>& registry)
{
    do {
        co_await quotes.drain(registry);
    } while (!quotes.closed() || !quotes.empty());
}
// end::awaited[]

// tag::buffer[]
/// Collects the handlers' output, and writes it at the end of a batch.
class buffer
{
public:
    void add(std::string const& line) { lines_ += line; }
    void flush() { written_ += lines_.size(), lines_.clear(); }
    std::size_t written() const { return written_; }

private:
    std::string lines_;
    std::size_t written_ = 0;
};
// end::buffer[]

}  // namespace

int main()
{
    {
        // tag::pump[]
        rio::SyncRegistry<quote> quotes;
        int received = 0;
        quotes.register_handler([&](quote const&) { ++received; });

        queued::mailbox<quote, 1024> mailbox;
        queued::pump pump(mailbox, quotes, "quotes");  // a thread that calls the handlers

        std::jthread const feed([&] {
            if (mailbox.post({"ACME", 12.5}) != queued::post_result::posted) {
                // full or closed: the quote is still ours
            }
        });
        // end::pump[]
        while (mailbox.stats().posted == 0)
            std::this_thread::yield();
        // tag::stop[]
        pump.stop();  // closes the mailbox, drains the waiting events, joins the thread
        BOOST_TEST_EQ(received, 1);
        // end::stop[]
    }
    {
        // tag::loop[]
        rio::SyncRegistry<quote> quotes;
        queued::mailbox<quote, 1024, queued::drop_newest> mailbox;

        // In the loop of a program that does other things as well:
        mailbox.drain(quotes, 100);  // at most 100 events

        // On a thread of your own that does nothing else:
        std::jthread const consumer([&] {
            while (mailbox.wait())  // false when the mailbox is closed and empty
                mailbox.drain(quotes);
        });
        mailbox.close();
        // end::loop[]
    }
    {
        rio::SyncRegistry<quote> quotes;
        std::vector<double> seen;
        quotes.register_handler([&](quote const& q) { seen.push_back(q.price); });
        // tag::coalesce[]
        queued::mailbox<quote, 512, queued::coalesce<&quote::symbol>> newest;
        newest.post({"ACME", 12.5});
        newest.post({"INIT", 3.0});
        newest.post({"ACME", 12.6});
        newest.drain(quotes);  // 3.0, then 12.6
        // end::coalesce[]
        BOOST_TEST_EQ(seen.size(), 2u);
        BOOST_TEST_EQ(seen.back(), 12.6);
        // tag::stats[]
        queued::mailbox_stats const s = newest.stats();
        BOOST_TEST_EQ(s.posted, 3u);
        BOOST_TEST_EQ(s.coalesced, 1u);
        BOOST_TEST_EQ(s.dropped, 0u);
        // end::stats[]
    }
    {
        rio::SyncRegistry<std::string> orders;
        std::vector<std::string> seen;
        orders.register_handler([&](std::string const& o) { seen.push_back(o); });
        // tag::urgent[]
        queued::mailbox<std::string, 64, queued::urgent_lane> mailbox;
        mailbox.post("buy");
        mailbox.post_urgent("cancel everything");
        mailbox.drain(orders);  // "cancel everything", then "buy"
        // end::urgent[]
        BOOST_TEST_EQ(seen.front(), "cancel everything");
    }
    {
        rio::SyncRegistry<int> numbers;
        int sum = 0;
        numbers.register_handler([&](int n) { sum += n; });
        // tag::block[]
        queued::mailbox<int, 8, queued::block<250>> mailbox;  // waits for a quarter of a second
        queued::pump pump(mailbox, numbers);
        for (int n = 1; n <= 100; ++n)
            if (mailbox.post(n) == queued::post_result::full)
                break;  // the consumer hangs
        // end::block[]
        pump.stop();
        BOOST_TEST_EQ(sum, 5050);
    }
    {
        rio::SyncRegistry<std::string> log;
        // tag::batch[]
        buffer file;
        log.register_handler([&file](std::string const& s) { file.add(s); });
        queued::mailbox<std::string, 64> mailbox;
        queued::pump pump(mailbox, log, "log", [&] { file.flush(); });
        // end::batch[]
        mailbox.post("a line\n");
        pump.stop();
        BOOST_TEST_EQ(file.written(), 7u);
    }
    {
        rio::SyncRegistry<int> numbers;
        int sum = 0;
        numbers.register_handler([&](int n) { sum += n; });
        // tag::asio[]
        boost::asio::io_context io;
        queued::mailbox<int, 64, queued::wake<>> mailbox(
            [&] { boost::asio::post(io, [&] { mailbox.drain(numbers); }); });
        mailbox.post(1);
        mailbox.post(2);
        io.run();  // one drain for both
        // end::asio[]
        BOOST_TEST_EQ(sum, 3);
    }
    {
        rio::SyncRegistry<quote> registry;
        int received = 0;
        registry.register_handler([&](quote const&) { ++received; });
        inbox quotes;
        boost::asio::io_context io;
        // tag::awaited_run[]
        rio::async::async_run(serve(quotes, registry),
                              boost::asio::bind_executor(io, [](std::exception_ptr) {}));
        std::jthread const feed([&] {
            quotes.post({"ACME", 12.5});
            quotes.close();
        });
        io.run();
        // end::awaited_run[]
        BOOST_TEST_EQ(received, 1);
    }
    return boost::report_errors();
}
