// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// What both kinds of relay to NATS do with a single message: convert an event to text and back,
// check subjects and sizes, and recognise a message that this connection has delivered. Also a
// subscription whose end can be waited for.

#ifndef REGISTRY_IO_RELAY_DETAIL_MESSAGE_HPP
#define REGISTRY_IO_RELAY_DETAIL_MESSAGE_HPP

#include <registry_io/detail/supported.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <boost/core/no_exceptions_support.hpp>

#include <nats/nats.h>

#include <registry_io/config.hpp>
#include <registry_io/detail/raise.hpp>
#include <registry_io/handler_guard.hpp>
#include <registry_io/relay/nats_connection.hpp>

namespace registry_io {
inline namespace v1 {
namespace relay {

/// The default codec: Boost.JSON, in `<registry_io/relay/json.hpp>`.
template <class Event>
struct json_codec;

namespace nats {
namespace detail {

inline constexpr char schema_header[] = "Registry-Io-Schema";

/// A subject is a list of tokens between dots, without blanks. With `wildcards`, a token may be
/// `*`, and the last one `>`.
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
        registry_io::detail::raise(std::invalid_argument(
            "registry_io: '" + s + "' is not a valid NATS subject" +
            (wildcards ? ": write tokens without blanks, with dots between them"
                       : " to publish to: write tokens without blanks and "
                         "wildcards, with dots between them")));
}

using counter = std::atomic<std::uint64_t>;

inline void count(counter& c) noexcept
{
    c.fetch_add(1, std::memory_order_relaxed);  // a count is only a count
}
inline std::uint64_t count_of(counter const& c) noexcept
{
    return c.load(std::memory_order_relaxed);
}

/// The message that this thread is notifying of. An `outbound` does not send it back.
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

/// Returns whether this thread is notifying of a message of this connection and subject.
inline bool came_from(connection const& c, std::string_view subject) noexcept
{
    for (auto* a = arrivals<>::innermost; a != nullptr; a = a->outer)
        if (a->connection == &c && a->subject == subject)
            return true;
    return false;
}

/// Returns what a function of a codec returns, or nothing if it throws.
template <class F>
std::optional<std::string> guarded(F f) noexcept
{
    std::optional<std::string> text;
    BOOST_TRY
    {
        text.emplace(f());
    }
    BOOST_CATCH(...) {}
    BOOST_CATCH_END
    return text;
}

/// Returns whether the server accepts a message of this size, without its headers.
inline bool fits(connection const& c, std::string const& text) noexcept
{
    return text.size() <= static_cast<std::size_t>(natsConnection_GetMaxPayload(c.native_handle()));
}

using message_owner = owner<natsMsg, &natsMsg_Destroy>;

/// Makes a message; `schema` may be empty.
inline natsStatus make_message(message_owner& m, std::string const& subject,
                               std::string const& text, std::string const& schema) noexcept
{
    natsMsg* made = nullptr;
    natsStatus s =
        natsMsg_Create(&made, subject.c_str(), nullptr, text.data(), static_cast<int>(text.size()));
    m.reset(made);
    if (s == NATS_OK && !schema.empty())
        s = natsMsgHeader_Set(made, schema_header, schema.c_str());
    return s;
}

inline std::string_view text_of(natsMsg* m) noexcept
{
    return {natsMsg_GetData(m), static_cast<std::size_t>(natsMsg_GetDataLength(m))};
}

/// Returns whether a message has the wanted schema. Any message has the empty schema.
inline bool has_schema(natsMsg* m, std::string const& schema) noexcept
{
    char const* has = nullptr;
    return schema.empty() ||
        (natsMsgHeader_Get(m, schema_header, &has) == NATS_OK && schema == has);
}

/// A handler that is registered for as long as this object lives.
class registered
{
public:
    template <class Registry, class F>
    registered(Registry& registry, F f)
        : guard_(registry.register_guard(std::move(f))),
          wait_([&registry] { registry.synchronize(); })
    {
    }
    registered(registered const&) = delete;
    registered& operator=(registered const&) = delete;
    /// Removes the handler, and waits until no thread runs it.
    ~registered()
    {
        guard_.reset();
        wait_();
    }

private:
    handler_guard guard_;
    std::function<void()> wait_;
};

/// A subscription whose end can be waited for.
class subscription
{
public:
    subscription() = default;
    subscription(subscription const&) = delete;
    subscription& operator=(subscription const&) = delete;
    /// Takes over a subscription of the client library.
    void watch(natsSubscription* s) noexcept
    {
        subscription_ = s;
        natsSubscription_SetOnCompleteCB(
            s, [](void* self) { static_cast<subscription*>(self)->completed_.open(); }, this);
    }
    /// Unsubscribes, and waits until no message is being handled.
    ~subscription()
    {
        if (subscription_ == nullptr)
            return;
        natsSubscription_Unsubscribe(subscription_);
        completed_.wait();
        natsSubscription_Destroy(subscription_);
    }
    natsSubscription* get() const noexcept { return subscription_; }

private:
    natsSubscription* subscription_ = nullptr;
    latch completed_;
};

}  // namespace detail
}  // namespace nats
}  // namespace relay
}  // namespace v1
}  // namespace registry_io

#endif
