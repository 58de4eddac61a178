// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// A connection to a NATS server, for `relay/nats.hpp` and `relay/jetstream.hpp`. These headers need
// the client library cnats (Debian: libnats-dev).

#ifndef REGISTRY_IO_RELAY_NATS_CONNECTION_HPP
#define REGISTRY_IO_RELAY_NATS_CONNECTION_HPP

#include <registry_io/detail/supported.hpp>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>

#include <boost/core/no_exceptions_support.hpp>

#include <nats/nats.h>

#include <registry_io/config.hpp>
#include <registry_io/detail/raise.hpp>

namespace registry_io {
inline namespace v1 {
namespace relay {
namespace nats {

/// A failure that the client library reports.
class error : public std::runtime_error
{
public:
    /// Says what failed, and with which status of the client library.
    error(std::string const& what, natsStatus s)
        : std::runtime_error("registry_io: " + what + ": " + natsStatus_GetText(s)), status_(s)
    {
    }
    /// Returns the client library's status.
    natsStatus status() const noexcept { return status_; }

private:
    natsStatus status_;
};

/// What has happened to a connection.
enum class change : unsigned char {
    connected,      ///< the first connection is there
    disconnected,   ///< lost; the client library tries to connect again
    reconnected,    ///< connected again; what was published meanwhile is sent
    slow_consumer,  ///< an `inbound` has dropped messages, see its `stats`
    failed,         ///< another error that the client library reports; the connection goes on
    closed          ///< closed for good
};

/// The event of a connection's registry.
struct connection_event
{
    change what;       ///< what has happened
    std::string text;  ///< the client library's message; may be empty
};

/// How to connect.
struct connection_options
{
    /// The server's URL.
    std::string url = "nats://127.0.0.1:4222";
    /// The name that the server shows for this client.
    std::string name = "registry_io";
    /// The most bytes that may wait while there is no connection. Messages beyond that are dropped
    /// and counted.
    int reconnect_buffer = 1 << 20;
    /// How long to wait between two attempts to connect again. The number of attempts is not
    /// limited.
    std::chrono::milliseconds reconnect_wait{250};
    /// The longest time for which a notify that publishes waits for the network.
    std::chrono::milliseconds write_deadline{2000};
    /// The most messages of one `inbound` that may wait for its handlers. Messages beyond that are
    /// dropped and counted.
    int most_pending = 65536;
    /// Called with the options of the client library before it connects. Set, for example,
    /// credentials (`natsOptions_SetUserCredentialsFromFiles`) or TLS (`natsOptions_SetSecure`,
    /// `natsOptions_LoadCATrustedCertificates`).
    std::function<void(natsOptions*)> configure = nullptr;
};

namespace detail {

inline void throw_unless_ok(natsStatus s, char const* what)
{
    if (s != NATS_OK)
        registry_io::detail::raise(error(what, s));
}

/// Lets a thread wait for something that happens once. The waiting thread may then destroy it. A
/// `std::latch` forbids that, as the call that opens it may still use it.
class latch
{
public:
    void open() noexcept
    {
        // Notify under the lock: the waiting thread may destroy the latch as soon as it sees
        // `open_`.
        std::lock_guard<std::mutex> const lock(mutex_);
        open_ = true;
        opened_.notify_all();
    }
    void wait() noexcept
    {
        std::unique_lock<std::mutex> lock(mutex_);
        opened_.wait(lock, [this] { return open_; });
    }

private:
    std::mutex mutex_;
    std::condition_variable opened_;
    bool open_ = false;
};

template <class T, void (*Destroy)(T*)>
struct destroyer
{
    void operator()(T* t) const noexcept { Destroy(t); }
};
template <class T, void (*Destroy)(T*)>
using owner = std::unique_ptr<T, destroyer<T, Destroy>>;

/// Returns a name that no other caller gets.
inline std::string unique_name()
{
    natsInbox* made = nullptr;
    throw_unless_ok(natsInbox_Create(&made), "cannot make a name");
    owner<natsInbox, &natsInbox_Destroy> const name(made);
    return made;
}

}  // namespace detail

/// A connection to a NATS server. It connects again when the connection is lost.
///
/// Concurrency: any thread may call any member but the destructor. Handlers of `events` run on
/// threads of the client library and must not call `close` or the destructor.
class connection
{
public:
    /// Connects. `events` is a registry of `connection_event`, which is notified of each change of
    /// the connection, and must outlive it.
    ///
    /// Throws `error` if it cannot connect, and `std::bad_alloc`.
    template <class Registry>
    connection(connection_options const& o, Registry& events)
        : notify_([&events](connection_event const& e) { static_cast<void>(events.notify(e)); })
    {
        natsOptions* made = nullptr;
        detail::throw_unless_ok(natsOptions_Create(&made), "cannot prepare a connection");
        detail::owner<natsOptions, &natsOptions_Destroy> const options(made);
        auto const set = [](natsStatus s) {
            detail::throw_unless_ok(s, "cannot set an option of the connection");
        };
        set(natsOptions_SetURL(made, o.url.c_str()));
        set(natsOptions_SetName(made, o.name.c_str()));
        set(natsOptions_SetMaxReconnect(made, -1));
        set(natsOptions_SetReconnectWait(made, o.reconnect_wait.count()));
        set(natsOptions_SetReconnectBufSize(made, o.reconnect_buffer));
        set(natsOptions_SetWriteDeadline(made, o.write_deadline.count()));
        set(natsOptions_SetMaxPendingMsgs(made, o.most_pending));
        set(natsOptions_SetNoEcho(made, true));
        set(natsOptions_SetDisconnectedCB(made, &on_change<change::disconnected>, this));
        set(natsOptions_SetReconnectedCB(made, &on_change<change::reconnected>, this));
        set(natsOptions_SetClosedCB(made, &on_closed, this));
        set(natsOptions_SetErrorHandler(made, &on_error, this));
        if (o.configure)
            o.configure(made);
        id_ = detail::unique_name();
        natsConnection* c = nullptr;
        natsStatus const s = natsConnection_Connect(&c, made);
        if (s != NATS_OK)
            registry_io::detail::raise(error("cannot connect to " + o.url, s));
        connection_ = c;
        tell(change::connected, "");
    }
    connection(connection const&) = delete;
    connection& operator=(connection const&) = delete;
    /// Waits until the client library makes no more calls. Precondition: each `outbound` and
    /// `inbound` of the connection has been destroyed. Declare them behind the connection.
    ~connection()
    {
        natsConnection_Close(connection_);
        closed_.wait();
        natsConnection_Destroy(connection_);
    }

    /// Sends what was published, and waits up to `limit` until the server has it. Returns whether
    /// the server has it. Throws: nothing.
    bool flush(std::chrono::milliseconds limit = std::chrono::seconds(5)) noexcept
    {
        return natsConnection_FlushTimeout(connection_, limit.count()) == NATS_OK;
    }

    /// Closes the connection for good, after each `inbound` has notified of the messages that it
    /// has received, and what was published has been sent. Waits for that up to `limit`. Throws:
    /// nothing.
    void close(std::chrono::milliseconds limit = std::chrono::seconds(5)) noexcept
    {
        if (natsConnection_DrainTimeout(connection_, limit.count()) != NATS_OK)
            natsConnection_Close(connection_);
        closed_.wait();
    }

    /// Returns a name that no other connection has.
    std::string const& id() const noexcept { return id_; }

    /// Returns the client library's handle, for what this header lacks.
    natsConnection* native_handle() const noexcept { return connection_; }

private:
    void tell(change what, char const* text) noexcept
    {
        // An exception must not reach the client library, which is written in C.
        BOOST_TRY
        {
            notify_({what, text == nullptr ? "" : text});
        }
        BOOST_CATCH(...) {}
        BOOST_CATCH_END
    }

    template <change What>
    static void on_change(natsConnection* c, void* self) noexcept
    {
        char const* text = nullptr;
        natsConnection_GetLastError(c, &text);
        static_cast<connection*>(self)->tell(What, text);
    }
    static void on_closed(natsConnection* c, void* self) noexcept
    {
        on_change<change::closed>(c, self);
        static_cast<connection*>(self)->closed_.open();
    }
    static void on_error(natsConnection*, natsSubscription*, natsStatus s, void* self) noexcept
    {
        static_cast<connection*>(self)->tell(s == NATS_SLOW_CONSUMER ? change::slow_consumer
                                                                     : change::failed,
                                             natsStatus_GetText(s));
    }

    std::function<void(connection_event const&)> notify_;
    std::string id_;
    natsConnection* connection_ = nullptr;
    detail::latch closed_;
};

}  // namespace nats
}  // namespace relay
}  // namespace v1
}  // namespace registry_io

#endif
