// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// A server of NATS on loopback, and a wire to it that can be cut. Needs no test framework.

#ifndef REGISTRY_IO_TEST_RELAY_BROKER_HPP
#define REGISTRY_IO_TEST_RELAY_BROKER_HPP

#include <registry_io/relay/nats_connection.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <mutex>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace relay_test {

namespace nats = registry_io::relay::nats;

/// Waits until `f()` returns true; gives up after a time that is exceeded only if there is a bug.
template <class F>
bool eventually(F f)
{
    for (int i = 0; i < 6000; ++i) {
        if (f())
            return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return false;
}

inline ::sockaddr_in loopback(int port)
{
    ::sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    at.sin_port = htons(static_cast<std::uint16_t>(port));
    return at;
}

/// Returns a socket that is bound to an unused port of loopback, or -1.
inline int bound_socket(int& port)
{
    int const s = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ::sockaddr_in at = loopback(0);
    ::socklen_t size = sizeof at;
    if (::bind(s, reinterpret_cast<::sockaddr*>(&at), size) != 0 ||
        ::getsockname(s, reinterpret_cast<::sockaddr*>(&at), &size) != 0) {
        ::close(s);
        return -1;
    }
    port = ntohs(at.sin_port);
    return s;
}

/// Returns a socket that is connected to a port of loopback, or -1.
inline int connected_socket(int port)
{
    int const s = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ::sockaddr_in const at = loopback(port);
    if (::connect(s, reinterpret_cast<::sockaddr const*>(&at), sizeof at) == 0)
        return s;
    ::close(s);
    return -1;
}

/// A folder that the destructor removes.
class folder
{
public:
    folder()
    {
        std::string name = (std::filesystem::temp_directory_path() / "relay.XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr)
            throw std::runtime_error("no temporary folder");
        path_ = name;
    }
    folder(folder const&) = delete;
    folder& operator=(folder const&) = delete;
    ~folder()
    {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    std::filesystem::path const& path() const { return path_; }

private:
    std::filesystem::path path_;
};

inline nats::connection_options options_for(int port)
{
    nats::connection_options o;
    o.url = "nats://127.0.0.1:" + std::to_string(port);
    o.reconnect_wait = std::chrono::milliseconds(20);
    return o;
}

/// A server on an unused port of loopback. Start it on the main thread: it ends when that thread
/// ends.
class broker
{
public:
    broker(std::string program, std::vector<std::string> more)
        : program_(std::move(program)), more_(std::move(more))
    {
        ::close(bound_socket(port_));
        start();
    }
    broker(broker const&) = delete;
    broker& operator=(broker const&) = delete;
    ~broker() { kill(); }

    /// Returns when the server answers.
    void start()
    {
        std::vector<std::string> words{program_, "-a", "127.0.0.1", "-p", std::to_string(port_)};
        words.insert(words.end(), more_.begin(), more_.end());
        std::vector<char*> argv;
        for (std::string& w : words)
            argv.push_back(w.data());
        argv.push_back(nullptr);
        pid_ = ::fork();
        if (pid_ == 0) {
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            if (std::freopen("/dev/null", "w", stderr) != nullptr)
                ::execv(argv[0], argv.data());
            ::_exit(127);
        }
        bool const is_up = eventually([&] {
            int const s = connected_socket(port_);
            ::close(s);
            return s >= 0;
        });
        if (!is_up)
            throw std::runtime_error("the server does not answer");
    }
    void kill()
    {
        if (pid_ <= 0)
            return;
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
        pid_ = 0;
    }

    int port() const { return port_; }
    nats::connection_options options() const { return options_for(port_); }

private:
    std::string program_;
    std::vector<std::string> more_;
    int port_ = 0;
    ::pid_t pid_ = 0;
};

/// A proxy for connections to a server. It can cut them, and can lose all bytes of one direction.
class wire
{
public:
    explicit wire(int to) : to_(to), listening_(bound_socket(port_))
    {
        if (listening_ < 0 || ::listen(listening_, 16) != 0)
            throw std::runtime_error("no wire");
        thread_ = std::thread([this] { run(); });
    }
    wire(wire const&) = delete;
    wire& operator=(wire const&) = delete;
    ~wire()
    {
        stop_ = true;
        cut();
        thread_.join();
        ::close(listening_);
    }

    /// Breaks every connection.
    void cut()
    {
        std::lock_guard<std::mutex> const lock(mutex_);
        for (pair const& p : pairs_)
            for (int const s : p)
                ::shutdown(s, SHUT_RDWR);
    }

    std::atomic<bool> loses_to_client{false};
    std::atomic<bool> loses_to_server{false};
    std::atomic<std::int64_t> lost{0};  ///< bytes

    nats::connection_options options() const { return options_for(port_); }

private:
    using pair = std::array<int, 2>;  // the client's and the server's end

    void run()
    {
        while (!stop_) {
            std::vector<::pollfd> all{{listening_, POLLIN, 0}};
            for (pair const& p : pairs_)
                for (int const s : p)
                    all.push_back({s, POLLIN, 0});
            if (::poll(all.data(), all.size(), 10) <= 0)
                continue;
            std::vector<pair> const before = pairs_;
            for (std::size_t i = 0; i != before.size(); ++i)
                for (std::size_t end = 0; end != 2; ++end)
                    if (all[1 + 2 * i + end].revents != 0 && !pass(before[i], end)) {
                        forget(before[i]);
                        break;
                    }
            if (all[0].revents != 0)
                add();
        }
        while (!pairs_.empty())
            forget(pairs_.back());
    }

    /// Passes on the bytes that one end has sent. Returns false if the connection has ended.
    bool pass(pair const& p, std::size_t from)
    {
        std::array<char, 16384> bytes;
        ::ssize_t const n = ::recv(p[from], bytes.data(), bytes.size(), 0);
        if (n <= 0)
            return false;
        if (from == 0 ? loses_to_server : loses_to_client) {
            lost += n;
            return true;
        }
        for (::ssize_t sent = 0; sent < n;) {
            ::ssize_t const m = ::send(p[1 - from], bytes.data() + sent,
                                       static_cast<std::size_t>(n - sent), MSG_NOSIGNAL);
            if (m <= 0)
                return false;
            sent += m;
        }
        return true;
    }

    void add()
    {
        int const client = ::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC);
        int const server = connected_socket(to_);
        int const at_once = 1;
        for (int const s : {client, server})
            ::setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
        std::lock_guard<std::mutex> const lock(mutex_);
        if (client >= 0 && server >= 0) {
            pairs_.push_back({client, server});
        } else {
            ::close(client);
            ::close(server);
        }
    }

    void forget(pair const& p)
    {
        std::lock_guard<std::mutex> const lock(mutex_);
        for (int const s : p)
            ::close(s);
        std::erase(pairs_, p);
    }

    int to_;
    int port_ = 0;
    int listening_;
    std::atomic<bool> stop_{false};
    std::mutex mutex_;  // the proxy's thread changes the pairs, and other threads cut them
    std::vector<pair> pairs_;
    std::thread thread_;
};

}  // namespace relay_test

#endif
