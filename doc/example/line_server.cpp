// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// A TCP server on Boost.Asio that notifies asynchronous handlers of each line that it receives: one
// writes the line to a file, one waits for a while, as a database query would, and one replies.
// Then a client connects over the loopback interface, sends lines, and checks the replies.
//
// The server listens on 127.0.0.1, on a port that the system chooses.

#include <chrono>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iostream>
#include <istream>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <registry_io/async/asio.hpp>
#include <registry_io/presets/async.hpp>

namespace {

namespace asio = boost::asio;
namespace async = registry_io::async;
using asio::ip::tcp;
using namespace std::chrono_literals;

// tag::event[]
/// A line that a client has sent, and the client's socket for the reply.
struct line
{
    std::string text;
    tcp::socket& client;
};
using lines = registry_io::AsyncRegistry<line>;
// end::event[]

// tag::timeout[]
/// Notifies, and asks the handlers to stop if they take too long. Returns whether they were in
/// time.
async::task<bool> notify_within(lines& registry, line const& l, std::chrono::milliseconds most)
{
    async::environment const& here = co_await async::this_environment;
    std::stop_source stop;
    // The timer runs concurrently with the notify; whichever ends first stops the other.
    asio::steady_timer timer(l.client.get_executor(), most);
    bool late = false;
    timer.async_wait([&late, stop](boost::system::error_code const& e) mutable {
        if (!e) {
            late = true;
            stop.request_stop();
        }
    });
    co_await registry.notify(l, async::environment(here.executor(), stop.get_token()));
    timer.cancel();
    // The timer's function refers to `late`. It has run once a function that is posted after it
    // runs.
    co_await asio::post(l.client.get_executor(), async::use_task);
    co_return !late;
}
// end::timeout[]

// tag::session[]
/// One client: notifies the handlers of each line, and reads the next line when they have ended.
asio::awaitable<void> session(tcp::socket socket, lines& registry)
{
    std::string buffer;
    for (;;) {
        boost::system::error_code failed;
        std::size_t const n =
            co_await asio::async_read_until(socket, asio::dynamic_buffer(buffer), '\n',
                                            asio::redirect_error(asio::use_awaitable, failed));
        if (failed)
            co_return;  // the client has disconnected
        line const l{buffer.substr(0, n - 1), socket};
        buffer.erase(0, n);
        // Lines that end with ! have a short time limit.
        auto const most = l.text.ends_with('!') ? 50ms : std::chrono::milliseconds(1min);
        bool const in_time =
            co_await async::async_run(notify_within(registry, l, most), asio::use_awaitable);
        if (!in_time)
            co_await asio::async_write(socket, asio::buffer("too slow\n", 9), asio::use_awaitable);
    }
}

asio::awaitable<void> serve(tcp::acceptor& acceptor, lines& registry)
{
    for (;;) {
        boost::system::error_code failed;
        tcp::socket socket =
            co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, failed));
        if (failed)
            co_return;  // closed: the server is shutting down
        asio::co_spawn(acceptor.get_executor(), session(std::move(socket), registry),
                       asio::detached);
    }
}
// end::session[]

/// Sends lines and returns the replies. In practice this would be a separate program.
std::vector<std::string> client(tcp::endpoint const& server, std::vector<std::string> const& sent,
                                std::size_t replies)
{
    asio::io_context io;
    tcp::socket socket(io);
    socket.connect(server);
    std::vector<std::string> received;
    asio::streambuf buffer;
    std::istream in(&buffer);
    for (std::string const& s : sent)
        asio::write(socket, asio::buffer(s + '\n'));
    while (received.size() < replies) {
        asio::read_until(socket, buffer, '\n');
        std::string reply;
        std::getline(in, reply);
        received.push_back(reply);
    }
    return received;
}

int failures = 0;
void check(bool ok, char const* what)
{
    std::cout << (ok ? "ok: " : "FAILED: ") << what << '\n';
    failures += ok ? 0 : 1;
}

}  // namespace

int main()
try {
    asio::io_context io;
    lines registry;
    tcp::acceptor acceptor(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    tcp::endpoint const address = acceptor.local_endpoint();
    std::string const log_name = "line_server." + std::to_string(address.port()) + ".log";
    std::ofstream log(log_name);

    // tag::handlers[]
    // A plain function is enough if the handler does not wait.
    registry.register_handler(100, [&log](line const& l) { log << l.text << '\n'; });

    // All the following handlers run concurrently. This one waits until it is asked to stop.
    registry.register_handler([](line const& l, async::environment const&) -> async::task<> {
        asio::steady_timer work(l.client.get_executor());
        work.expires_after(l.text == "sleep!" ? std::chrono::hours(1) : std::chrono::hours(0));
        co_await work.async_wait(async::use_task);
    });

    // A task of this library that awaits Asio's operations.
    registry.register_handler([](line const& l) -> async::task<> {
        std::string const reply = "got " + l.text + "\n";
        co_await asio::async_write(l.client, asio::buffer(reply), async::use_task);
    });

    // A handler that is one of Asio's own coroutines.
    registry.register_handler(
        async::asio_handler(io.get_executor(), [](line const& l) -> asio::awaitable<void> {
            if (l.text == "bad")
                throw std::runtime_error("a bad line");
            co_return;
        }));

    registry.on_panic([](registry_io::panic_info const& p) {
        std::cout << "server: a handler failed: " << p.message() << '\n';
    });
    // end::handlers[]

    asio::co_spawn(io, serve(acceptor, registry), asio::detached);
    std::thread server([&] { io.run(); });

    std::vector<std::string> first;
    std::vector<std::string> second;
    std::exception_ptr client_failed;
    try {
        first = client(address, {"one", "two", "bad", "three"}, 4);
        second = client(address, {"sleep!", "four"}, 3);
    } catch (...) {
        client_failed = std::current_exception();
    }
    asio::post(io, [&] { acceptor.close(); });
    server.join();
    if (client_failed != nullptr)
        std::rethrow_exception(client_failed);

    for (std::string const& s : first)
        std::cout << "client 1: " << s << '\n';
    for (std::string const& s : second)
        std::cout << "client 2: " << s << '\n';
    check(first == std::vector<std::string>{"got one", "got two", "got bad", "got three"},
          "each line is answered, in order, including a bad one");
    check(second == std::vector<std::string>{"got sleep!", "too slow", "got four"},
          "a handler that takes too long is stopped, and the next line is served");
    log.close();
    std::ifstream written(log_name);
    std::string text;
    std::string all;
    while (std::getline(written, text))
        all += text + ' ';
    written.close();
    std::remove(log_name.c_str());
    check(all == "one two bad three sleep! four ", "the file contains every line");
    return failures;
} catch (std::exception const& e) {
    std::cout << "FAILED: " << e.what() << '\n';
    return 1;
}
