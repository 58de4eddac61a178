// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// `observe::timed`: a panic policy that wraps another one and measures each handler. Durations are
// counted in buckets, each twice as wide as the previous one. The results can be read at any time,
// and written as a table, as JSON, or for Prometheus.

#ifndef REGISTRY_IO_OBSERVE_TIMED_HPP
#define REGISTRY_IO_OBSERVE_TIMED_HPP

#include <registry_io/detail/supported.hpp>

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <registry_io/detail/type_name.hpp>
#include <registry_io/handler_id.hpp>
#include <registry_io/handler_label.hpp>
#include <registry_io/observe/detail/adaptor.hpp>
#include <registry_io/observe/detail/clock.hpp>

namespace registry_io {
inline namespace v1 {
namespace observe {

/// How long the calls of one handler took. A value type.
struct timing
{
    /// The number of buckets of a histogram.
    static constexpr std::size_t buckets = 48;

    std::uint64_t calls = 0;        ///< calls that have ended
    std::uint64_t failures = 0;     ///< calls that threw
    std::uint64_t total_ns = 0;     ///< the sum of all durations
    std::uint64_t greatest_ns = 0;  ///< the longest duration
    /// Bucket `i` counts durations from 2^i to 2^(i+1) - 1 ns. The first bucket also counts 0 ns,
    /// and the last one all longer durations.
    std::array<std::uint64_t, buckets> histogram{};

    /// Returns the mean duration; 0 without calls.
    std::uint64_t mean_ns() const noexcept { return calls == 0 ? 0 : total_ns / calls; }

    /// Returns an upper bound, at most twice the exact value, of the duration that the share `q` (0
    /// to 1) of the calls did not exceed; 0 without calls.
    std::uint64_t quantile_ns(double q) const noexcept
    {
        double const rank = q * static_cast<double>(calls);
        std::uint64_t below = 0;
        for (std::size_t i = 0; i < buckets; ++i) {
            below += histogram[i];
            if (histogram[i] != 0 && static_cast<double>(below) >= rank) {
                std::uint64_t const bound = (std::uint64_t(2) << i) - 1;
                return i + 1 == buckets || bound > greatest_ns ? greatest_ns : bound;
            }
        }
        return greatest_ns;
    }
};

namespace detail {

/// The counts of one handler. They may outlive the handler: a coroutine that has begun to wait may
/// have ended, together with its registry, before the thread that ran it reads the clock.
class timing_counters
{
public:
    void took(std::uint64_t ns) noexcept
    {
        // relaxed for all of them: counts order nothing.
        auto const log = static_cast<std::size_t>(63 - std::countl_zero(ns | 1));
        histogram_[log < timing::buckets ? log : timing::buckets - 1].fetch_add(
            1, std::memory_order_relaxed);
        total_.fetch_add(ns, std::memory_order_relaxed);
        std::uint64_t greatest = greatest_.load(std::memory_order_relaxed);
        while (ns > greatest &&
               !greatest_.compare_exchange_weak(greatest, ns, std::memory_order_relaxed)) {
        }
    }
    void failed() noexcept { failures_.fetch_add(1, std::memory_order_relaxed); }

    timing read() const noexcept
    {
        timing t;
        t.failures = failures_.load(std::memory_order_relaxed);
        for (std::size_t i = 0; i < timing::buckets; ++i)
            t.calls += t.histogram[i] = histogram_[i].load(std::memory_order_relaxed);
        t.total_ns = total_.load(std::memory_order_relaxed);
        t.greatest_ns = greatest_.load(std::memory_order_relaxed);
        return t;
    }

    void hold() noexcept { holders_.fetch_add(1, std::memory_order_relaxed); }
    void drop() noexcept
    {
        // acq_rel: all uses happen before the deletion. Without it, the last holder might delete
        // the counts while another thread still adds to them.
        if (holders_.fetch_sub(1, std::memory_order_acq_rel) == 1)
            delete this;
    }

private:
    std::atomic<std::uint32_t> holders_{1};
    std::atomic<std::uint64_t> failures_{0};
    std::atomic<std::uint64_t> total_{0};
    std::atomic<std::uint64_t> greatest_{0};
    std::atomic<std::uint64_t> histogram_[timing::buckets]{};
};

/// The state that is kept for each handler.
class timing_state
{
public:
    timing_state() = default;
    timing_state(timing_state const&) = delete;
    timing_state& operator=(timing_state const&) = delete;
    ~timing_state()
    {
        if (counters_ != nullptr)
            counters_->drop();
    }

    /// Returns how long the handler's calls have taken so far. Wait-free; calls that end meanwhile
    /// may already be included in one of the counts and not yet in another.
    timing times() const noexcept { return counters_ != nullptr ? counters_->read() : timing(); }

    /// Called by the policy.
    timing_counters* counters() const noexcept { return counters_; }
    /// Called by the policy before the handler is in the table.
    void make_counters() { counters_ = new timing_counters; }

private:
    timing_counters* counters_ = nullptr;
};

}  // namespace detail

/// Measures each handler: a panic policy that behaves like `Panic`, and counts calls, failures and
/// durations for each handler. You can read the results at any time, on any thread, without
/// stopping other threads, with `timings(registry)`, or in `for_each_handler` as `state.times()`.
///
/// A duration includes one reading of the clock, and the notifies that the handler makes. The
/// duration of a coroutine ends where it first waits. The counts are destroyed with their handler.
/// A notify allocates nothing; it reads the clock twice for each handler and adds to two or three
/// words, which threads that run the same handler share. Each handler takes 424 bytes more. `Clock`
/// has a static `now()` that returns nanoseconds.
/// Use it: to find the slow handler. With `named` (inside or outside) the results show names.
template <class Panic, class Clock = monotonic_clock>
class timed : public detail::adaptor<Panic, detail::timing_state>
{
    using base = detail::adaptor<Panic, detail::timing_state>;

    class running
    {
    public:
        BOOST_FORCEINLINE explicit running(detail::timing_counters* c) noexcept
            : counters_(c), begin_(Clock::now())
        {
        }
        BOOST_FORCEINLINE void end() noexcept { counters_->took(Clock::now() - begin_); }

    private:
        detail::timing_counters* counters_;
        std::uint64_t begin_;
    };
    class running_apart
    {
    public:
        explicit running_apart(detail::timing_counters* c) noexcept : counters_(c), call_(c)
        {
            c->hold();
        }
        running_apart(running_apart const&) = delete;
        running_apart& operator=(running_apart const&) = delete;
        ~running_apart() { counters_->drop(); }
        void end() noexcept { call_.end(); }

    private:
        detail::timing_counters* counters_;
        running call_;
    };

    struct observer
    {
        template <class Notify>
        explicit observer(Notify const&) noexcept
        {
        }
        template <class View>
        BOOST_FORCEINLINE running begin(View handler) noexcept
        {
            return running(handler.state().counters());
        }
        template <class View>
        running_apart begin_apart(View handler) noexcept
        {
            return running_apart(handler.state().counters());
        }
        template <class View>
        void failed(View handler) noexcept
        {
            handler.state().counters()->failed();
        }
    };

public:
    /// Like that of the wrapped policy, with each call measured.
    template <class Notify>
    using scope = detail::observing_scope<Panic, Notify, observer>;

    /// Called by the registry for each handler, before it is in the table.
    template <class State, class F>
    void registering(State& state, F const& f, char const* event)
    {
        state.make_counters();
        if constexpr (requires { base::registering(state, f, event); })
            base::registering(state, f, event);
    }
};

/// The results of one handler.
struct handler_timing
{
    handler_id id;
    handler_label label;  ///< empty unless the registry also has `named`
    timing times;
};

/// The results of a registry: its handlers in firing order.
struct registry_timings
{
    std::string event;  ///< the event type
    std::vector<handler_timing> handlers;
};

/// Returns how long the handlers of a registry have taken so far. Its panic policy must be `timed`,
/// or an adaptor of `timed`. Throws `std::bad_alloc`. Complexity: linear; no lock. Concurrency: as
/// `notify`.
template <class Registry>
registry_timings timings(Registry const& registry)
{
    registry_timings all;
    all.event = registry_io::detail::type_name<typename Registry::event_type>;
    registry.for_each_handler(
        [&all](handler_id id, typename Registry::panic_policy::handler_state const& state) {
            handler_label label;
            if constexpr (requires { state.label(); })
                label = state.label();
            all.handlers.push_back({id, std::move(label), state.times()});
        });
    return all;
}

namespace detail {

template <class... Arguments>
void append_format(std::string& out, char const* format, Arguments... arguments)
{
    char text[200];
    int const n = std::snprintf(text, sizeof text, format, arguments...);
    if (n > 0)
        out.append(text,
                   static_cast<std::size_t>(n) < sizeof text ? static_cast<std::size_t>(n)
                                                             : sizeof text - 1);
}

/// Appends text inside quotes, escaped for both JSON and Prometheus.
inline void append_escaped(std::string& out, std::string_view s)
{
    for (char const c : s) {
        if (c == '"' || c == '\\')
            out += '\\';
        if (c == '\n')
            out += "\\n";
        else if (static_cast<unsigned char>(c) < 0x20)
            append_format(out, "\\u%04x", static_cast<unsigned>(c));
        else
            out += c;
    }
}

inline unsigned long long wide(std::uint64_t n) noexcept
{
    return n;
}

inline std::string id_text(handler_id id)
{
    std::string s;
    append_format(s, "%llu:%llu", wide(id.registry_serial()), wide(id.value()));
    return s;
}

inline std::string milliseconds(std::uint64_t ns)
{
    std::string s;
    append_format(s, "%.3f", static_cast<double>(ns) / 1e6);
    return s;
}

}  // namespace detail

/// Returns a readable table: durations in milliseconds, one line for each handler, the greatest
/// total first. Throws `std::bad_alloc`.
inline std::string to_table(registry_timings const& all)
{
    std::vector<handler_timing const*> order;
    for (handler_timing const& h : all.handlers) {
        auto at = order.begin();
        while (at != order.end() && (*at)->times.total_ns >= h.times.total_ns)
            ++at;
        order.insert(at, &h);
    }
    std::string out = "handlers of " + all.event + ", in ms\n";
    detail::append_format(out, "%12s %10s %12s %10s %10s %10s  %s\n", "calls", "failures", "total",
                          "mean", "99 %", "greatest", "handler");
    for (handler_timing const* h : order) {
        timing const& t = h->times;
        detail::append_format(out, "%12llu %10llu %12s %10s %10s %10s  ", detail::wide(t.calls),
                              detail::wide(t.failures), detail::milliseconds(t.total_ns).c_str(),
                              detail::milliseconds(t.mean_ns()).c_str(),
                              detail::milliseconds(t.quantile_ns(0.99)).c_str(),
                              detail::milliseconds(t.greatest_ns).c_str());
        out += detail::id_text(h->id);
        if (h->label)
            out += ' ' + h->label.text();
        out += '\n';
    }
    return out;
}

/// Returns JSON: an object with the event type and an array of handlers in firing order. A
/// histogram is an array of pairs of a bucket's number and its count, without zero counts. Throws
/// `std::bad_alloc`.
inline std::string to_json(registry_timings const& all)
{
    std::string out = "{\"event\": \"";
    detail::append_escaped(out, all.event);
    out += "\", \"handlers\": [";
    char const* between = "";
    for (handler_timing const& h : all.handlers) {
        out += between;
        between = ",";
        out += "\n  {\"id\": \"" + detail::id_text(h.id) + '"';
        if (h.label) {
            out += ", \"name\": \"";
            detail::append_escaped(out, h.label.name());
            out += "\", \"type\": \"";
            detail::append_escaped(out, h.label.type());
            out += '"';
        }
        if (h.label.has_place()) {
            out += ", \"file\": \"";
            detail::append_escaped(out, h.label.where().file_name());
            detail::append_format(out, "\", \"line\": %lu",
                                  static_cast<unsigned long>(h.label.where().line()));
        }
        detail::append_format(
            out, ", \"calls\": %llu, \"failures\": %llu, \"total_ns\": %llu, \"greatest_ns\": %llu",
            detail::wide(h.times.calls), detail::wide(h.times.failures),
            detail::wide(h.times.total_ns), detail::wide(h.times.greatest_ns));
        out += ", \"histogram_ns\": [";
        char const* comma = "";
        for (std::size_t i = 0; i < timing::buckets; ++i)
            if (std::uint64_t const n = h.times.histogram[i]) {
                detail::append_format(out, "%s[%u, %llu]", comma, static_cast<unsigned>(i),
                                      detail::wide(n));
                comma = ", ";
            }
        out += "]}";
    }
    out += "\n]}\n";
    return out;
}

/// Returns the text format of Prometheus: a histogram in seconds, the number of failures and the
/// longest duration for each handler. Throws `std::bad_alloc`.
///
/// `prefix` is the beginning of the names of the metrics.
inline std::string to_prometheus(registry_timings const& all,
                                 std::string_view prefix = "registry_io_handler")
{
    std::string const base(prefix);
    auto const labels_of = [&all](handler_timing const& h) {
        std::string s = "{event=\"";
        detail::append_escaped(s, all.event);
        s += "\",id=\"" + detail::id_text(h.id) + "\",handler=\"";
        detail::append_escaped(s, *h.label.name() != '\0' ? h.label.name() : h.label.text());
        return s + '"';
    };
    auto const metric = [&](std::string const& name, char const* kind, char const* help) {
        return "# HELP " + name + ' ' + help + "\n# TYPE " + name + ' ' + kind + '\n';
    };
    std::string const duration = base + "_duration_seconds";
    std::string out = metric(duration, "histogram", "Durations of a handler's calls.");
    for (handler_timing const& h : all.handlers) {
        std::string const labels = labels_of(h);
        std::uint64_t below = 0;
        // Fixed bounds, from 255 ns to 68 s in factors of four.
        for (std::size_t i = 0; i < timing::buckets; ++i) {
            below += h.times.histogram[i];
            if (i >= 7 && i <= 35 && i % 2 == 1) {
                out.append(duration).append("_bucket").append(labels);
                detail::append_format(out, ",le=\"%llue-9\"} %llu\n",
                                      detail::wide((std::uint64_t(2) << i) - 1),
                                      detail::wide(below));
            }
        }
        out.append(duration).append("_bucket").append(labels);
        detail::append_format(out, ",le=\"+Inf\"} %llu\n", detail::wide(h.times.calls));
        out.append(duration).append("_sum").append(labels);
        detail::append_format(out, "} %llue-9\n", detail::wide(h.times.total_ns));
        out.append(duration).append("_count").append(labels);
        detail::append_format(out, "} %llu\n", detail::wide(h.times.calls));
    }
    out += metric(base + "_failures_total", "counter", "Calls of a handler that threw.");
    for (handler_timing const& h : all.handlers) {
        out.append(base).append("_failures_total").append(labels_of(h));
        detail::append_format(out, "} %llu\n", detail::wide(h.times.failures));
    }
    out += metric(base + "_greatest_seconds", "gauge", "The longest call of a handler.");
    for (handler_timing const& h : all.handlers) {
        out += base + "_greatest_seconds" + labels_of(h);
        detail::append_format(out, "} %llue-9\n", detail::wide(h.times.greatest_ns));
    }
    return out;
}

}  // namespace observe
}  // namespace v1
}  // namespace registry_io

#endif
