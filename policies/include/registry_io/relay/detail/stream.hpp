// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// What delivery at least once needs besides messages: access to the server's streams, checks of the
// options, and the numbers of handled messages, by which a repeated delivery is recognised.

#ifndef REGISTRY_IO_RELAY_DETAIL_STREAM_HPP
#define REGISTRY_IO_RELAY_DETAIL_STREAM_HPP

#include <registry_io/detail/supported.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <set>
#include <type_traits>
#include <utility>

#include <boost/core/no_exceptions_support.hpp>

#include <nats/nats.h>

#include <registry_io/config.hpp>
#include <registry_io/queued/mailbox_options.hpp>
#include <registry_io/relay/nats_connection.hpp>

namespace registry_io {
inline namespace v1 {
namespace relay {
namespace jetstream {
namespace detail {

/// The header that names the connection that sent a message.
inline constexpr char origin_header[] = "Registry-Io-Origin";

inline std::int64_t nanoseconds(std::chrono::nanoseconds t) noexcept
{
    return t.count();
}

/// The client library's handle for calls to the server's streams.
class context
{
public:
    explicit context(nats::connection& c)
    {
        jsCtx* made = nullptr;
        nats::detail::throw_unless_ok(natsConnection_JetStream(&made, c.native_handle(), nullptr),
                                      "cannot use streams");
        js_.reset(made);
    }
    jsCtx* get() const noexcept { return js_.get(); }

private:
    nats::detail::owner<jsCtx, &jsCtx_Destroy> js_{};
};

/// Whether a full buffer keeps the order of its events under this policy.
template <class WhenFull>
inline constexpr bool keeps_order = std::is_same_v<WhenFull, queued::fail> ||
    std::is_same_v<WhenFull, queued::drop_newest> || std::is_same_v<WhenFull, queued::drop_oldest>;
template <unsigned Milliseconds>
inline constexpr bool keeps_order<queued::block<Milliseconds>> = true;

/// Whether a failure of a handler leaves `notify`, as an exception or in its result, or ends the
/// process.
template <class Registry, class Event>
inline constexpr bool shows_failures = requires(Registry& r, Event const& e) {
    requires requires { r.notify(e).empty(); } || std::is_void_v<decltype(r.notify(e))>;
    requires requires { r.notify(e).empty(); } || !Registry::panic_policy::isolates ||
        !Registry::panic_policy::reports;
};

template <class Registry, class Event>
bool succeeds(Registry& registry, Event const& e)
{
    if constexpr (std::is_void_v<decltype(registry.notify(e))>) {
        registry.notify(e);
        return true;
    } else {
        return registry.notify(e).empty();
    }
}

/// The numbers of messages that are handled, but may come again: the acknowledgement may have been
/// lost, the server may have sent the message again before the acknowledgement arrived, or the
/// server may have been killed before it stored the acknowledgement. Not thread-safe.
class handled
{
public:
    /// Notes a number, and forgets it again unless `keep` is called.
    class entry
    {
    public:
        entry(handled& h, std::uint64_t n, std::int64_t stored_at) : handled_(h), number_(n)
        {
            h.numbers_.insert_or_assign(n, stored_at);
        }
        entry(entry const&) = delete;
        entry& operator=(entry const&) = delete;
        ~entry()
        {
            if (!kept_)
                handled_.numbers_.erase(number_);
        }
        void keep() noexcept { kept_ = true; }

    private:
        handled& handled_;
        std::uint64_t number_;
        bool kept_ = false;
    };

    /// Counts a message that has come in. Call it before `contains`.
    void received(std::uint64_t n, std::int64_t stored_at) noexcept
    {
        // A server sends a message each time with the time at which it stored it. So a number that
        // is not beyond all others, with a time that is, belongs to another message: the stream was
        // removed and made anew, or the server has lost its last messages and uses their numbers
        // again. If the old numbers stayed, its messages would be taken for handled.
        if (n <= highest_ && stored_at > newest_) {
            numbers_.clear();
            ending_.clear();
            runs_.clear();
            highest_ = 0;
        }
        highest_ = (std::max)(highest_, n);
        newest_ = (std::max)(newest_, stored_at);
        ++received_;
        for (; !ending_.empty() && ending_.begin()->when < received_;
             ending_.erase(ending_.begin())) {
            end const& e = *ending_.begin();
            compress(e.number);
            if (auto const at = numbers_.find(e.number);
                at != numbers_.end() && at->second == e.stored_at)
                numbers_.erase(at);
        }
    }

    /// Returns whether the message with this number is handled.
    bool contains(std::uint64_t n) const noexcept
    {
        if (numbers_.contains(n))
            return true;
        auto const after = runs_.upper_bound(n);
        return after != runs_.begin() && n <= std::prev(after)->second;
    }

    /// Schedules a number to leave `numbers_` when so many more messages have come in that the
    /// server has stored the acknowledgement, and that all messages it had sent before have arrived
    /// (`most_in_flight`). If the acknowledgement is not confirmed, the count also covers
    /// `ack_wait`, after which the server sends the message again. A server that has lost the state
    /// of its consumer sends all messages again, so the number then joins a run. A stream without
    /// gaps needs one run.
    template <class Options>
    void acknowledged(std::uint64_t n, std::int64_t stored_at, bool confirmed,
                      Options const& o) noexcept
    {
        std::uint64_t more = written_down_in + static_cast<std::uint64_t>(o.most_in_flight);
        if (!confirmed)
            more += each_millisecond * static_cast<std::uint64_t>(o.ack_wait.count());
        BOOST_TRY
        {
            ending_.insert({received_ + more, n, stored_at});
        }
        BOOST_CATCH(...) {}  // the number stays in `numbers_`
        BOOST_CATCH_END
    }

private:
    /// More messages than a server sends in a millisecond when each is acknowledged.
    static constexpr std::uint64_t each_millisecond = 20;
    /// A server stores acknowledgements at least every 100 ms. 800 ms leave a margin.
    static constexpr std::uint64_t written_down_in = 800 * each_millisecond;

    /// The most runs. A stream with gaps may exceed it; then the runs with the lowest numbers are
    /// forgotten.
    static constexpr std::size_t most_runs = 1024;

    struct end
    {
        std::uint64_t when = 0;  // the value of `received_` beyond which the number joins a run
        std::uint64_t number = 0;
        std::int64_t stored_at = 0;

        friend bool operator<(end const& a, end const& b) noexcept
        {
            return a.when != b.when ? a.when < b.when : a.number < b.number;
        }
    };

    /// Puts a number into the run that it continues or lies in, or makes a new run. Joins that run
    /// to the next one if no number lies between.
    void compress(std::uint64_t n) noexcept
    {
        auto const after = runs_.upper_bound(n);
        BOOST_TRY
        {
            auto at = after;
            if (at != runs_.begin() && n <= std::prev(at)->second + 1)
                --at;
            else
                at = runs_.insert(after, {n, n});
            at->second = (std::max)(at->second, n);
            if (after != runs_.end() && after->first == at->second + 1) {
                at->second = after->second;
                runs_.erase(after);
            }
            if (runs_.size() > most_runs)
                runs_.erase(runs_.begin());
        }
        BOOST_CATCH(...) {}  // the number is forgotten
        BOOST_CATCH_END
    }

    std::map<std::uint64_t, std::int64_t> numbers_;  // number and time of storing
    std::set<end> ending_;
    std::map<std::uint64_t, std::uint64_t> runs_;  // first and last numbers
    std::uint64_t received_ = 0;
    std::uint64_t highest_ = 0;  // the greatest number of this stream
    std::int64_t newest_ = 0;    // the latest time of a message
};

}  // namespace detail
}  // namespace jetstream
}  // namespace relay
}  // namespace v1
}  // namespace registry_io

#endif
