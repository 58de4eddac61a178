// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#ifndef REGISTRY_IO_PERF_TUNE_JOB_HPP
#define REGISTRY_IO_PERF_TUNE_JOB_HPP

// The input of registry_tune: the job, its file, and recordings. No function here measures or
// compiles anything. All throw `bad_input` with one sentence for the user.

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <initializer_list>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json.hpp>

namespace tune {

namespace json = boost::json;

/// The user's input is wrong. The message is a sentence that says what, where, and what to write.
struct bad_input : std::runtime_error
{
    using std::runtime_error::runtime_error;
};

/// Counts of values in [2^b, 2^(b+1)); bucket 0 also counts the values 0.
using histogram = std::vector<std::pair<int, double>>;

/// One value, or a distribution of values.
struct quantity
{
    double value = 0;
    histogram buckets = {};  ///< if not empty, the distribution; then `value` is its median
    double mean = 0;         ///< of the distribution if it is known, otherwise 0

    bool operator==(quantity const&) const = default;
};

struct job
{
    // What a solution must keep.
    bool threads = true;  ///< several threads use a registry
    std::string order;    ///< `priority`, `fifo`; empty: that of the current alias
    std::string panic;    ///< a panic policy; empty: that of the current alias
    bool heap = true;
    bool blocking = true;     ///< handlers may block
    double memory_bound = 0;  ///< bytes; 0: none

    // The workload.
    long registries = 1;
    long event_bytes = 16;
    long notifying_threads = 1;
    double interval = 1000;  ///< nanoseconds between two notifies of a thread
    long nesting = 0;
    quantity handlers{16};
    quantity handler_time{0};  ///< nanoseconds
    double failures = 0;       ///< share of the calls
    double changes_per_second = 0;
    long batch = 1;
    double waiting_removals = 0;  ///< share

    // The question.
    std::string current = "SyncRegistry<Event>";
    std::string objective = "notify_p50";
    std::map<std::string, double> limits;  ///< nanoseconds, or bytes

    // The source of the job, if it is a recording.
    std::map<std::string, histogram> recorded = {};

    bool operator==(job const&) const = default;
};

inline constexpr std::array objectives{"notify_p50", "notify_p99", "throughput", "removal",
                                       "bytes"};
inline constexpr std::array panics{"catch_log", "propagate", "terminate", "collect", "quarantine"};
inline constexpr std::array orders{"priority", "fifo"};

namespace detail {

template <class Names>
std::string listed(Names const& names)
{
    std::string text;
    for (std::string_view const n : names)
        text += (text.empty() ? "" : ", ") + std::string(n);
    return text;
}

inline double with_unit(std::string_view text, std::string const& where,
                        std::initializer_list<std::pair<std::string_view, double>> units,
                        char const* example)
{
    double value = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    std::string_view const unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
    if (error == std::errc() && value >= 0 && std::isfinite(value))
        for (auto const& [name, factor] : units)
            if (unit == name)
                return value * factor;
    std::string names;
    for (auto const& u : units)
        names += (names.empty() ? "" : ", ") + std::string(u.first);
    throw bad_input(where + ": \"" + std::string(text) +
                    "\" is not a number with one of the units " + names + "; write for example \"" +
                    example + "\"");
}

}  // namespace detail

/// Returns nanoseconds from text such as `250ns`, `1.5us`, `3ms` or `2s`.
inline double parse_time(std::string_view text, std::string const& where)
{
    return detail::with_unit(text, where, {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}},
                             "250ns");
}

/// Returns bytes from text such as `512B`, `64KB` or `1MB`; a KB is 1024 bytes.
inline double parse_bytes(std::string_view text, std::string const& where)
{
    return detail::with_unit(text, where, {{"B", 1}, {"KB", 1024}, {"MB", 1048576}}, "64KB");
}

inline double parse_limit(std::string const& objective, std::string_view text,
                          std::string const& where)
{
    return objective == "bytes" ? parse_bytes(text, where) : parse_time(text, where);
}

/// Throws unless `value` is one of the names.
template <class Names>
void require_one_of(std::string const& value, Names const& names, std::string const& where)
{
    if (std::find(names.begin(), names.end(), value) == names.end())
        throw bad_input(where + ": \"" + value + "\" is unknown; write one of " +
                        detail::listed(names));
}

/// Returns the value that represents a bucket: its geometric mean, and 1 for 0 and 1.
inline double middle_of_bucket(int b)
{
    return b == 0 ? 1 : std::ldexp(std::sqrt(2.0), b);
}

/// Returns the median of a distribution.
inline double middle_of(histogram const& h)
{
    double all = 0, sum = 0;
    for (auto const& [b, n] : h)
        all += n;
    for (auto const& [b, n] : h)
        if ((sum += n) * 2 >= all)
            return middle_of_bucket(b);
    return 0;
}

/// Returns the mean of a distribution as far as its buckets show it. Precondition: it is not empty.
inline double mean_of_middles(histogram const& h)
{
    double all = 0, sum = 0;
    for (auto const& [b, n] : h) {
        all += n;
        sum += n * middle_of_bucket(b);
    }
    return sum / all;
}

/// Returns up to `most` values that represent the quantity: a single one, or one for each equal
/// share of its distribution. If the mean is known, it determines where in their buckets the values
/// lie.
inline std::vector<double> spread_out(quantity const& q, int most = 16)
{
    if (q.buckets.empty())
        return {q.value};
    if (q.buckets.size() == 1)
        return {q.mean > 0 ? q.mean : middle_of(q.buckets)};
    double all = 0;
    for (auto const& [b, n] : q.buckets)
        all += n;
    std::vector<double> values;
    for (int i = 0; i < most; ++i) {
        double left = (i + 0.5) / most * all;
        for (auto const& [b, n] : q.buckets)
            if ((left -= n) < 0) {
                values.push_back(middle_of_bucket(b));
                break;
            }
    }
    if (q.mean > 0) {
        // Not computed from the values: a rare, large value that is not among them contributes to
        // the mean.
        double const factor = q.mean / mean_of_middles(q.buckets);
        for (double& v : values)
            v *= factor;
    }
    return values;
}

/// Throws if requirements contradict each other or the workload.
inline void check(job const& j)
{
    require_one_of(j.objective, objectives, "objective");
    if (!j.order.empty())
        require_one_of(j.order, orders, "requires.order");
    if (!j.panic.empty())
        require_one_of(j.panic, panics, "requires.panic");
    for (auto const& [name, value] : j.limits)
        require_one_of(name, objectives, "limits");
    auto const at_least = [](auto value, auto least, char const* where) {
        if (value < least)
            throw bad_input(std::string(where) + ": must be at least " + std::to_string(least));
    };
    at_least(j.registries, 1L, "workload.registries");
    at_least(j.event_bytes, 1L, "workload.event_bytes");
    at_least(j.notifying_threads, 1L, "workload.notifying_threads");
    at_least(j.nesting, 0L, "workload.nesting");
    at_least(j.batch, 1L, "workload.batch");
    at_least(j.changes_per_second, 0.0, "workload.changes_per_second");
    for (auto const& [share, where] : {std::pair(j.failures, "workload.failures"),
                                       std::pair(j.waiting_removals, "workload.waiting_removals")})
        if (!(share >= 0 && share <= 1))
            throw bad_input(std::string(where) + ": must be a share between 0 and 1");
    if (!j.threads && j.notifying_threads > 1)
        throw bad_input("requires.threads is false, but workload.notifying_threads is " +
                        std::to_string(j.notifying_threads) + "; no alias can keep both");
    if (j.panic == "terminate" && j.failures > 0)
        throw bad_input("requires.panic is terminate, but workload.failures is not 0: the first "
                        "failure would end the program");
    if (j.current.empty() ||
        j.current.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                    "_:<>, *&()-") != std::string::npos)
        throw bad_input("current: \"" + j.current +
                        "\" is not the name of a type; write for example SyncRegistry<Event>");
}

namespace detail {

inline json::value read_json(std::string const& path)
{
    std::ifstream in(path);
    if (!in)
        throw bad_input(path + ": cannot be read");
    std::ostringstream text;
    text << in.rdbuf();
    boost::system::error_code error;
    json::value v = json::parse(text.str(), error);
    if (error)
        throw bad_input(path + ": is not JSON: " + error.message());
    if (!v.is_object())
        throw bad_input(path + ": must hold one JSON object");
    return v;
}

/// The members of an object, each of which must be read exactly once.
class members
{
public:
    members(json::value const& v, std::string where) : where_(std::move(where))
    {
        if (!v.is_object())
            throw bad_input(where_ + ": must be an object");
        object_ = &v.as_object();
    }

    std::string at(std::string_view key) const { return where_ + "." + std::string(key); }

    json::value const* find(std::string_view key)
    {
        known_.emplace_back(key);
        return object_->if_contains(key);
    }
    json::value const& need(std::string_view key)
    {
        if (json::value const* const v = find(key))
            return *v;
        throw bad_input(at(key) + ": is missing");
    }

    void read(std::string_view key, bool& to)
    {
        if (json::value const* const v = find(key)) {
            if (!v->is_bool())
                throw bad_input(at(key) + ": must be true or false");
            to = v->as_bool();
        }
    }
    void read(std::string_view key, std::string& to)
    {
        if (json::value const* const v = find(key))
            to = text(*v, at(key));
    }
    void read(std::string_view key, double& to)
    {
        if (json::value const* const v = find(key))
            to = number(*v, at(key));
    }
    void read(std::string_view key, long& to)
    {
        if (json::value const* const v = find(key)) {
            double const n = number(*v, at(key));
            if (n != std::floor(n) || std::abs(n) > 1e9)
                throw bad_input(at(key) + ": must be a whole number");
            to = static_cast<long>(n);
        }
    }

    /// Throws if there is a member that has not been read.
    void finish() const
    {
        for (auto const& [key, value] : *object_)
            if (std::find(known_.begin(), known_.end(), key) == known_.end())
                throw bad_input(at(key) + ": is unknown; the keys here are " + listed(known_));
    }

    static std::string text(json::value const& v, std::string const& where)
    {
        if (!v.is_string())
            throw bad_input(where + ": must be text in quotes");
        return std::string(v.as_string());
    }
    static double number(json::value const& v, std::string const& where)
    {
        if (!v.is_number())
            throw bad_input(where + ": must be a number");
        return v.to_number<double>();
    }

private:
    json::object const* object_;
    std::string where_;
    std::vector<std::string> known_;
};

inline histogram read_histogram(json::value const& v, std::string const& where)
{
    if (!v.is_array())
        throw bad_input(where + ": must be a list of [bucket, count]");
    histogram h;
    for (json::value const& pair : v.as_array()) {
        if (!pair.is_array() || pair.as_array().size() != 2 || !pair.at(0).is_number() ||
            !pair.at(1).is_number())
            throw bad_input(where + ": must be a list of [bucket, count]");
        double const b = pair.at(0).to_number<double>(), n = pair.at(1).to_number<double>();
        if (b != std::floor(b) || b < 0 || b > 63 || n < 0)
            throw bad_input(where + ": buckets are 0 to 63, and counts at least 0");
        if (n > 0)
            h.emplace_back(static_cast<int>(b), n);
    }
    std::sort(h.begin(), h.end());
    return h;
}

/// A quantity: what `scalar` reads, or {"histogram": [[bucket, count], ...]} with an optional
/// "mean".
template <class Scalar>
void read_quantity(members& m, std::string_view key, quantity& to, Scalar const& scalar)
{
    json::value const* const v = m.find(key);
    if (v == nullptr)
        return;
    if (v->is_object()) {
        members inner(*v, m.at(key));
        histogram const h = read_histogram(inner.need("histogram"), m.at(key) + ".histogram");
        double mean = 0;
        if (json::value const* const given = inner.find("mean"))
            mean = scalar(*given, m.at(key) + ".mean");
        inner.finish();
        if (h.empty())
            throw bad_input(m.at(key) + ".histogram: counts nothing");
        if (mean < 0)
            throw bad_input(m.at(key) + ".mean: must be at least 0");
        to = {middle_of(h), h, mean};
    } else {
        to = {scalar(*v, m.at(key)), {}};
    }
}

}  // namespace detail

/// Reads a job from JSON; `where` begins the messages.
inline job read_job(json::value const& v, std::string const& where)
{
    using detail::members;
    job j;
    members top(v, where);
    if (members::number(top.need("registry_tune"), top.at("registry_tune")) != 1)
        throw bad_input(top.at("registry_tune") + ": this program reads version 1 of the format");
    auto const time = [](json::value const& t, std::string const& at) {
        return parse_time(members::text(t, at), at);
    };
    if (json::value const* const r = top.find("requires")) {
        members m(*r, top.at("requires"));
        m.read("threads", j.threads);
        m.read("order", j.order);
        m.read("panic", j.panic);
        m.read("heap", j.heap);
        m.read("blocking", j.blocking);
        if (json::value const* const b = m.find("memory_bound"))
            j.memory_bound =
                parse_bytes(members::text(*b, m.at("memory_bound")), m.at("memory_bound"));
        m.finish();
    }
    if (json::value const* const w = top.find("workload")) {
        members m(*w, top.at("workload"));
        m.read("registries", j.registries);
        m.read("event_bytes", j.event_bytes);
        m.read("notifying_threads", j.notifying_threads);
        if (json::value const* const i = m.find("interval"))
            j.interval = time(*i, m.at("interval"));
        m.read("nesting", j.nesting);
        detail::read_quantity(m, "handlers", j.handlers, &members::number);
        detail::read_quantity(m, "handler_time", j.handler_time, time);
        m.read("failures", j.failures);
        m.read("changes_per_second", j.changes_per_second);
        m.read("batch", j.batch);
        m.read("waiting_removals", j.waiting_removals);
        m.finish();
    }
    top.read("current", j.current);
    top.read("objective", j.objective);
    if (json::value const* const l = top.find("limits")) {
        members m(*l, top.at("limits"));
        for (char const* const name : objectives)
            if (json::value const* const limit = m.find(name))
                j.limits[name] = parse_limit(name, members::text(*limit, m.at(name)), m.at(name));
        m.finish();
    }
    top.finish();
    check(j);
    return j;
}

/// Reads a job file.
inline job read_job_file(std::string const& path)
{
    return read_job(detail::read_json(path), path);
}

/// Returns the job as `read_job` reads it.
inline json::object write_job(job const& j)
{
    auto const scalar = [](double v, char const* unit) {
        std::ostringstream text;
        text.precision(15);
        text << v << unit;
        return json::value(text.str());
    };
    auto const quantity_of = [&](quantity const& q, char const* unit) -> json::value {
        if (q.buckets.empty())
            return *unit == 0 ? json::value(q.value) : scalar(q.value, unit);
        json::array pairs;
        for (auto const& [b, n] : q.buckets)
            pairs.push_back(json::array{b, n});
        json::object o{{"histogram", pairs}};
        if (q.mean > 0)
            o["mean"] = *unit == 0 ? json::value(q.mean) : scalar(q.mean, unit);
        return o;
    };
    json::object needs{{"threads", j.threads}, {"heap", j.heap}, {"blocking", j.blocking}};
    if (!j.order.empty())
        needs["order"] = j.order;
    if (!j.panic.empty())
        needs["panic"] = j.panic;
    if (j.memory_bound > 0)
        needs["memory_bound"] = scalar(j.memory_bound, "B");
    json::object limits;
    for (auto const& [name, v] : j.limits)
        limits[name] = scalar(v, name == "bytes" ? "B" : "ns");
    return {{"registry_tune", 1},
            {"requires", needs},
            {"workload",
             json::object{{"registries", j.registries},
                          {"event_bytes", j.event_bytes},
                          {"notifying_threads", j.notifying_threads},
                          {"interval", scalar(j.interval, "ns")},
                          {"nesting", j.nesting},
                          {"handlers", quantity_of(j.handlers, "")},
                          {"handler_time", quantity_of(j.handler_time, "ns")},
                          {"failures", j.failures},
                          {"changes_per_second", j.changes_per_second},
                          {"batch", j.batch},
                          {"waiting_removals", j.waiting_removals}}},
            {"current", j.current},
            {"objective", j.objective},
            {"limits", limits}};
}

/// Returns a recorded duration of handlers without the time that is not their own: one reading of
/// the clock, and the nested notifies, whose handlers are counted separately. `share` is the
/// fraction that remains.
inline quantity own_time(quantity const& recorded, double clock, double share)
{
    if (recorded.buckets.empty())
        return recorded;
    double const factor = recorded.mean / mean_of_middles(recorded.buckets);
    std::map<int, double> moved;
    quantity own;
    double all = 0;
    for (auto const& [b, n] : recorded.buckets) {
        double const ns = std::max(0.0, middle_of_bucket(b) * factor - clock) * share;
        moved[ns < 1 ? 0 : std::ilogb(ns)] += n;
        own.mean += ns * n;
        all += n;
    }
    own.mean /= all;
    if (own.mean < 1)
        return {own.mean, {}};
    own.buckets.assign(moved.begin(), moved.end());
    own.value = middle_of(own.buckets);
    return own;
}

/// Reads a recording into a job. The recording must be from this version and this processor, since
/// figures from another machine describe another workload. `any_machine` accepts it nevertheless.
inline job read_recording(std::string const& path, std::string const& version,
                          std::string const& processor, bool any_machine)
{
    using detail::members;
    json::value const v = detail::read_json(path);
    members top(v, path);
    if (members::number(top.need("registry_io_recording"), top.at("registry_io_recording")) != 1)
        throw bad_input(top.at("registry_io_recording") +
                        ": this program reads version 1 of the format; record again");
    std::string const of = members::text(top.need("version"), top.at("version"));
    if (of != version && !any_machine)
        throw bad_input(path + ": was recorded with registry_io " + of + ", and this is " +
                        version + "; record again, or pass --any-recording");
    std::string const on = members::text(top.need("processor"), top.at("processor"));
    if (on != processor && !any_machine)
        throw bad_input(path + ": was recorded on \"" + on + "\", and this is \"" + processor +
                        "\"; record again, or pass --any-recording");
    job j;
    j.current = members::text(top.need("registry"), top.at("registry"));
    long threads = 0;
    double seconds = 0, one_in = 0, clock = 0;
    top.need("threads");
    top.read("threads", threads);
    top.need("seconds");
    top.read("seconds", seconds);
    top.need("sampled_one_in");
    top.read("sampled_one_in", one_in);
    top.need("clock_ns");
    top.read("clock_ns", clock);
    members counts(top.need("counts"), top.at("counts"));
    double notify = 0, added = 0, removed = 0, failures = 0, nested = 0;
    for (auto const& [key, to] : {std::pair("notify", &notify), std::pair("register", &added),
                                  std::pair("unregister", &removed),
                                  std::pair("failures", &failures), std::pair("nested", &nested)}) {
        counts.need(key);
        counts.read(key, *to);
    }
    counts.finish();
    members m(top.need("histograms"), top.at("histograms"));
    for (char const* const key :
         {"inter_arrival_ns", "handler_ns", "handlers_at_notify", "depth", "change_interval_ns"})
        j.recorded[key] = detail::read_histogram(m.need(key), m.at(key));
    m.finish();
    members sums(top.need("sums"), top.at("sums"));
    std::map<std::string, double> sum;
    for (auto const& [key, h] : j.recorded) {
        sums.need(key);
        sums.read(key, sum[key]);
    }
    sums.finish();
    top.finish();
    if (notify < 1 || seconds <= 0)
        throw bad_input(path + ": holds no notify; record while the program works");

    // Returns the mean of what was measured, or 0 if nothing was.
    auto const mean_of = [&](char const* key) {
        double n = 0;
        for (auto const& [b, times] : j.recorded[key])
            n += times;
        return n > 0 ? sum[key] / n : 0;
    };
    auto const quantity_of = [&](char const* key, double mean, double otherwise) {
        histogram const& h = j.recorded[key];
        return h.empty() ? quantity{otherwise, {}} : quantity{middle_of(h), h, mean};
    };
    double const outer = std::max(1.0, notify - nested);
    j.notifying_threads = std::clamp(threads, 1L, 64L);
    j.threads = threads > 1 || j.current.find("single_thread") == std::string::npos;
    j.handlers = quantity_of("handlers_at_notify", mean_of("handlers_at_notify"), 1);
    j.handler_time = quantity_of("handler_ns", mean_of("handler_ns"), 0);
    j.handler_time = own_time(j.handler_time, clock, outer / notify);
    // Computed over the whole recording, because a rare pause weighs too much in a sample; but
    // threads may have come and gone.
    double const apart = mean_of("inter_arrival_ns");
    j.interval = seconds * 1e9 / outer * static_cast<double>(j.notifying_threads);
    if (apart > 0)
        j.interval = std::min(j.interval, apart);
    j.nesting = std::lround(nested / outer);
    j.failures = std::min(1.0, failures / (notify * std::max(1.0, mean_of("handlers_at_notify"))));
    j.changes_per_second = std::min(added, removed) / seconds;
    std::vector<double> const counts_of = spread_out(j.handlers);
    j.registries = static_cast<long>(counts_of.size());
    check(j);
    return j;
}

/// Returns a hash of the text, used in names of files and of profiles.
inline std::string hash_of(std::string_view text)
{
    std::uint64_t h = 14695981039346656037U;
    for (char const c : text)
        h = (h ^ static_cast<unsigned char>(c)) * 1099511628211U;
    std::ostringstream out;
    out << std::hex << h;
    return out.str();
}

}  // namespace tune

#endif
