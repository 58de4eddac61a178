// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Events of a registry on their way to other processes and back, by a NATS server: `outbound` is a
// handler that publishes, `inbound` a subscription that notifies. Both deliver at most once: what
// is lost is counted. It is the only header that needs the client library cnats (Debian:
// libnats-dev).

#ifndef REGISTRY_IO_RELAY_NATS_HPP
#define REGISTRY_IO_RELAY_NATS_HPP

#include <registry_io/detail/supported.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <boost/core/no_exceptions_support.hpp>

#include <nats/nats.h>

#include <registry_io/config.hpp>
#include <registry_io/detail/raise.hpp>
#include <registry_io/handler_guard.hpp>

namespace registry_io {
inline namespace v1 {
namespace relay {

/// How events become text and back where nothing else is said: Boost.JSON, in
/// `<registry_io/relay/json.hpp>`.
template <class Event>
struct json_codec;

namespace nats {

/// What the client library says when something has failed.
class error : public std::runtime_error
{
public:
    /// What failed, and the status that the client library gave.
    error(std::string const& what, natsStatus s)
        : std::runtime_error("registry_io: " + what + ": " + natsStatus_GetText(s)), status_(s)
    {
    }
    /// The status that the client library gave.
    natsStatus status() const noexcept { return status_; }

private:
    natsStatus status_;
};

/// What has happened to a connection.
enum class change : unsigned char {
    connected,      ///< for the first time
    disconnected,   ///< the client tries to connect again
    reconnected,    ///< and has; what was published meanwhile is sent
    slow_consumer,  ///< an `inbound` has dropped messages, see its `stats`
    failed,         ///< another error that the client library reports; the connection goes on
    closed          ///< for good
};

/// The event of a connection's registry.
struct connection_event
{
    change what;       ///< what has happened
    std::string text;  ///< in the words of the client library; may be empty
};

/// How to connect.
struct connection_options
{
    /// Where the server is.
    std::string url = "nats://127.0.0.1:4222";
    /// What the server shows for this client.
    std::string name = "registry_io";
    /// While there is no connection, at most so many bytes wait to be sent; what comes then is
    /// dropped, and counted.
    int reconnect_buffer = 1 << 20;
    /// How long to wait between two attempts to connect again, of which there is no limit.
    std::chrono::milliseconds reconnect_wait{250};
    /// A notify that publishes waits for the network no longer than this.
    std::chrono::milliseconds write_deadline{2000};
    /// How many messages of one `inbound` may wait for its handlers; what comes then is dropped,
    /// and counted.
    int most_pending = 65536;
    /// Called with the options of the client library before it connects: for credentials
    /// (`natsOptions_SetUserCredentialsFromFiles`), TLS (`natsOptions_SetSecure`,
    /// `natsOptions_LoadCATrustedCertificates`) and whatever else it knows.
    std::function<void(natsOptions*)> configure = nullptr;
};

/// What an `outbound` has done with the events that it was called with.
struct outbound_stats
{
    std::uint64_t published = 0;  ///< given to the client library; it may be lost on the way
    std::uint64_t dropped = 0;  ///< refused by it: closed, or no room while there is no connection
    std::uint64_t too_large = 0;  ///< longer than the server takes
    std::uint64_t unencoded = 0;  ///< the codec threw
    std::uint64_t returned = 0;   ///< not sent, as they came from the same subject
};

/// What an `inbound` has done with the messages that it got.
struct inbound_stats
{
    std::uint64_t notified = 0;  ///< the registry was notified
    std::uint64_t rejected = 0;  ///< another schema, or the codec threw
    std::uint64_t failed = 0;    ///< `notify` threw
    std::uint64_t dropped = 0;   ///< too many waited for the handlers
};

namespace detail {

inline constexpr char schema_header[] = "Registry-Io-Schema";

inline void throw_unless_ok(natsStatus s, char const* what)
{
    if (s != NATS_OK)
        registry_io::detail::raise(error(what, s));
}

/// Tokens between dots, without blanks; an asterisk or, at the end, `>` stands for others.
inline bool is_subject(std::string_view s, bool wildcards) noexcept
{
    for (;;) {
        std::size_t const dot = s.find('.');
        std::string_view const token = s.substr(0, dot);
        if (token.empty())
            return false;
        for (char const c : token) {
            if (static_cast<unsigned char>(c) <= ' ' || c == '\x7f')
                return false;
            if ((c == '*' || c == '>') && !(wildcards && token.size() == 1))
                return false;
        }
        if (dot == std::string_view::npos)
            return true;
        if (token == ">")
            return false;
        s.remove_prefix(dot + 1);
    }
}

inline void check_subject(std::string const& s, bool wildcards)
{
    if (!is_subject(s, wildcards))
        registry_io::detail::raise(
            std::invalid_argument("registry_io: '" + s + "' is no subject of NATS" +
                                  (wildcards ? "" : " that can be published to") +
                                  ": write tokens without blanks, with dots between them"));
}

/// Lets a thread wait for something that happens once. Not `std::latch`: the call that opens it may
/// still use it when the waiting thread destroys it.
class latch
{
public:
    void open() noexcept
    {
        // Under the lock: the waiting thread may destroy this as soon as it sees `open_`.
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

/// The message that this thread is notifying of: an `outbound` does not send it back.
struct arriving
{
    void const* connection;
    std::string_view subject;
    arriving* outer;
};
template <class Unused = void>
struct REGISTRY_IO_EXPORT arrivals
{
    REGISTRY_IO_EXPORT static inline constinit thread_local arriving* innermost = nullptr;
};

class arriving_scope
{
public:
    arriving_scope(void const* c, char const* subject) noexcept
        : here_{c, subject, arrivals<>::innermost}
    {
        arrivals<>::innermost = &here_;
    }
    arriving_scope(arriving_scope const&) = delete;
    arriving_scope& operator=(arriving_scope const&) = delete;
    ~arriving_scope() { arrivals<>::innermost = here_.outer; }

private:
    arriving here_;
};

template <class T, void (*Destroy)(T*)>
struct destroyer
{
    void operator()(T* t) const noexcept { Destroy(t); }
};
template <class T, void (*Destroy)(T*)>
using owner = std::unique_ptr<T, destroyer<T, Destroy>>;

}  // namespace detail

/// A connection to a NATS server, which connects again when it is lost.
///
/// Concurrency: any member but the destructor may be called by any thread, except inside handlers
/// of `events`, which run on threads of the client library: `close` and the destructor must not be
/// called there.
class connection
{
public:
    /// Connects. `events` is a registry of `connection_event`, which is notified of what happens to
    /// the connection, and must outlive it.
    ///
    /// Throws `error` if there is no connection, and `std::bad_alloc`.
    template <class Registry>
    connection(connection_options const& o, Registry& events)
        : notify_([&events](connection_event const& e) { static_cast<void>(events.notify(e)); })
    {
        natsOptions* made = nullptr;
        detail::throw_unless_ok(natsOptions_Create(&made), "cannot prepare a connection");
        detail::owner<natsOptions, &natsOptions_Destroy> const options(made);
        auto const set = [](natsStatus s) {
            detail::throw_unless_ok(s, "an option of the connection");
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
        natsConnection* c = nullptr;
        natsStatus const s = natsConnection_Connect(&c, made);
        if (s != NATS_OK)
            registry_io::detail::raise(error("cannot connect to " + o.url, s));
        connection_ = c;
        tell(change::connected, "");
    }
    connection(connection const&) = delete;
    connection& operator=(connection const&) = delete;
    /// Precondition: each `outbound` and `inbound` of the connection has been destroyed, as they
    /// are when they are declared behind it. Waits until the client library calls nothing any more.
    ~connection()
    {
        natsConnection_Close(connection_);
        closed_.wait();
        natsConnection_Destroy(connection_);
    }

    /// Sends what was published, and waits until the server has it, for at most so long. Returns
    /// whether it has. Throws: nothing.
    bool flush(std::chrono::milliseconds limit = std::chrono::seconds(5)) noexcept
    {
        return natsConnection_FlushTimeout(connection_, limit.count()) == NATS_OK;
    }

    /// Ends in good order: each `inbound` notifies of what the server has sent it, what was
    /// published is sent, and then the connection is closed for good. Waits for that, for at most
    /// so long. Throws: nothing.
    void close(std::chrono::milliseconds limit = std::chrono::seconds(5)) noexcept
    {
        if (natsConnection_DrainTimeout(connection_, limit.count()) != NATS_OK)
            natsConnection_Close(connection_);
        closed_.wait();
    }

    /// For what this header lacks.
    natsConnection* native_handle() const noexcept { return connection_; }

private:
    void tell(change what, char const* text) noexcept
    {
        // What a handler throws must not reach the client library, which is C.
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
    natsConnection* connection_ = nullptr;
    detail::latch closed_;
};

/// Publishes the events of a registry to a subject, for as long as it lives.
///
/// At most once: an event is lost if the connection breaks while it is on its way, and counted as
/// dropped if the client library does not take it. No error leaves the handler. Publishing copies
/// the encoded event into the client library's buffer, and waits for the network only if that is
/// full. To keep the network away from the thread that notifies, put a `queued::mailbox` in front.
///
/// An event that an `inbound` of the same connection is notifying of is not sent back to the
/// subject that it came from, if it is notified of on the same thread.
template <class Event, class Codec = json_codec<Event>>
class outbound
{
public:
    /// Registers the handler. `schema`, if it is not empty, goes with each message.
    ///
    /// `Codec::encode(Event const&)` returns a `std::string`. Throws `std::invalid_argument` if the
    /// subject is none, and what registering throws.
    template <class Registry>
    outbound(connection& c, Registry& registry, std::string subject, std::string schema = "")
        : connection_(c), subject_(std::move(subject)), schema_(std::move(schema))
    {
        detail::check_subject(subject_, false);
        guard_ = registry.register_guard([this](Event const& e) { publish(e); });
        wait_ = [&registry] { registry.synchronize(); };
    }
    outbound(outbound const&) = delete;
    outbound& operator=(outbound const&) = delete;
    /// Removes the handler, and waits until it runs nowhere. Precondition: the caller is no handler
    /// of the registry.
    ~outbound()
    {
        guard_.reset();
        wait_();
    }

    /// The counts. Throws: nothing.
    outbound_stats stats() const noexcept
    {
        auto const get = [](counter const& c) { return c.load(std::memory_order_relaxed); };
        return {get(published_), get(dropped_), get(too_large_), get(unencoded_), get(returned_)};
    }

private:
    using counter = std::atomic<std::uint64_t>;

    static void count(counter& c) noexcept { c.fetch_add(1, std::memory_order_relaxed); }

    void publish(Event const& e) noexcept
    {
        for (auto* a = detail::arrivals<>::innermost; a != nullptr; a = a->outer)
            if (a->connection == &connection_ && a->subject == subject_)
                return count(returned_);
        std::string text;
        BOOST_TRY
        {
            text = Codec::encode(e);
        }
        BOOST_CATCH(...)
        {
            return count(unencoded_);
        }
        BOOST_CATCH_END
        natsConnection* const c = connection_.native_handle();
        if (text.size() > static_cast<std::size_t>(natsConnection_GetMaxPayload(c)))
            return count(too_large_);
        natsMsg* made = nullptr;
        natsStatus s = natsMsg_Create(&made, subject_.c_str(), nullptr, text.data(),
                                      static_cast<int>(text.size()));
        detail::owner<natsMsg, &natsMsg_Destroy> const message(made);
        if (s == NATS_OK && !schema_.empty())
            s = natsMsgHeader_Set(made, detail::schema_header, schema_.c_str());
        if (s == NATS_OK)
            s = natsConnection_PublishMsg(c, made);
        count(s == NATS_OK ? published_ : s == NATS_MAX_PAYLOAD ? too_large_ : dropped_);
    }

    connection& connection_;
    std::string subject_;
    std::string schema_;
    counter published_{0};
    counter dropped_{0};
    counter too_large_{0};
    counter unencoded_{0};
    counter returned_{0};
    handler_guard guard_;
    std::function<void()> wait_;
};

/// Notifies a registry of what is published to a subject, for as long as it lives.
///
/// Handlers run on a thread of the client library, one message after the other, in the order in
/// which each sender published. Messages of this connection's own are not received.
template <class Event, class Codec = json_codec<Event>>
class inbound
{
public:
    /// Subscribes. The subject may have wildcards. If `schema` is not empty, messages without it,
    /// or with another one, are rejected.
    ///
    /// `Codec::decode(std::string_view)` returns an `Event`, or throws. Throws
    /// `std::invalid_argument` if the subject is none, `error`, and `std::bad_alloc`.
    template <class Registry>
    inbound(connection& c, Registry& registry, std::string const& subject, std::string schema = "")
        : connection_(c),
          schema_(std::move(schema)),
          notify_([&registry](Event const& e) { static_cast<void>(registry.notify(e)); })
    {
        detail::check_subject(subject, true);
        detail::throw_unless_ok(natsConnection_Subscribe(&subscription_, c.native_handle(),
                                                         subject.c_str(), &on_message, this),
                                "cannot subscribe");
        natsSubscription_SetOnCompleteCB(
            subscription_, [](void* self) { static_cast<inbound*>(self)->completed_.open(); },
            this);
    }
    inbound(inbound const&) = delete;
    inbound& operator=(inbound const&) = delete;
    /// Unsubscribes, and waits for the handlers that run. What was received and waits is given up.
    /// Precondition: the caller is no handler that this runs.
    ~inbound()
    {
        natsSubscription_Unsubscribe(subscription_);
        completed_.wait();
        natsSubscription_Destroy(subscription_);
    }

    /// The counts. Throws: nothing.
    inbound_stats stats() const noexcept
    {
        std::int64_t dropped = 0;
        natsSubscription_GetDropped(subscription_, &dropped);
        auto const get = [](counter const& c) { return c.load(std::memory_order_relaxed); };
        return {get(notified_), get(rejected_), get(failed_), static_cast<std::uint64_t>(dropped)};
    }

private:
    using counter = std::atomic<std::uint64_t>;

    static void count(counter& c) noexcept { c.fetch_add(1, std::memory_order_relaxed); }

    static void on_message(natsConnection*, natsSubscription*, natsMsg* m, void* self) noexcept
    {
        detail::owner<natsMsg, &natsMsg_Destroy> const message(m);
        static_cast<inbound*>(self)->receive(m);
    }

    void receive(natsMsg* m) noexcept
    {
        char const* schema = nullptr;
        if (!schema_.empty() &&
            (natsMsgHeader_Get(m, detail::schema_header, &schema) != NATS_OK || schema_ != schema))
            return count(rejected_);
        counter* failed = &rejected_;
        BOOST_TRY
        {
            Event const event = Codec::decode(std::string_view(
                natsMsg_GetData(m), static_cast<std::size_t>(natsMsg_GetDataLength(m))));
            failed = &failed_;
            detail::arriving_scope const here(&connection_, natsMsg_GetSubject(m));
            notify_(event);
            count(notified_);
        }
        BOOST_CATCH(...)
        {
            count(*failed);
        }
        BOOST_CATCH_END
    }

    connection& connection_;
    std::string schema_;
    std::function<void(Event const&)> notify_;
    natsSubscription* subscription_ = nullptr;
    detail::latch completed_;
    counter notified_{0};
    counter rejected_{0};
    counter failed_{0};
};

}  // namespace nats
}  // namespace relay
}  // namespace v1
}  // namespace registry_io

#endif
