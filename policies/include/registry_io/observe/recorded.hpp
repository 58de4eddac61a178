// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)

#ifndef REGISTRY_IO_OBSERVE_RECORDED_HPP
#define REGISTRY_IO_OBSERVE_RECORDED_HPP

#include <registry_io/detail/supported.hpp>

#if defined(_WIN32)
#error "registry_io: observe::recorded needs POSIX threads and files; leave it out on Windows"
#endif

#include <atomic>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <new>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/core/no_exceptions_support.hpp>

#include <registry_io/config.hpp>
#include <registry_io/detail/type_name.hpp>
#include <registry_io/observe/detail/adaptor.hpp>
#include <registry_io/observe/detail/clock.hpp>
#include <registry_io/panic_info.hpp>
#include <registry_io/policy.hpp>
#include <registry_io/reclaim/env.hpp>
#include <registry_io/version.hpp>

namespace registry_io {
inline namespace v1 {
namespace observe {

namespace detail {

// One thread writes a counter and others may read it meanwhile. relaxed: a count orders nothing,
// and a load and a store of a word are the plain instructions.
using counter = std::atomic<std::uint64_t>;

BOOST_FORCEINLINE void add(counter& c, std::uint64_t n = 1) noexcept
{
    c.store(c.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
}

/// Counts of values by their binary logarithm, and their sum, which gives the exact mean; the last
/// bucket also holds what is greater.
template <std::size_t Buckets>
struct histogram
{
    counter buckets[Buckets];
    counter sum;

    void record(std::uint64_t value) noexcept
    {
        auto const log = static_cast<std::size_t>(std::bit_width(value | 1) - 1);
        add(buckets[log < Buckets ? log : Buckets - 1]);
        add(sum, value);
    }
};

/// What is counted: for each thread, and once for all threads that have ended.
struct counts
{
    counter notify;
    counter nested;
    counter failures;
    histogram<48> inter_arrival_ns;
    histogram<48> handler_ns;
    histogram<32> handlers_at_notify;
    histogram<16> depth;

    /// Calls `f` with each counter of `from`, and the same one of `to`.
    template <class F>
    static void each(counts& from, counts& to, F f) noexcept
    {
        f(from.notify, to.notify);
        f(from.nested, to.nested);
        f(from.failures, to.failures);
        pairs(from.inter_arrival_ns, to.inter_arrival_ns, f);
        pairs(from.handler_ns, to.handler_ns, f);
        pairs(from.handlers_at_notify, to.handlers_at_notify, f);
        pairs(from.depth, to.depth, f);
    }

    /// Adds `from` to `to`, and leaves `from` as it is.
    static void sum(counts& from, counts& to) noexcept
    {
        each(from, to, [](counter& a, counter& b) { add(b, a.load(std::memory_order_relaxed)); });
    }

    void clear() noexcept
    {
        each(*this, *this, [](counter& a, counter&) { a.store(0, std::memory_order_relaxed); });
    }

private:
    template <std::size_t N, class F>
    static void pairs(histogram<N>& from, histogram<N>& to, F f) noexcept
    {
        for (std::size_t i = 0; i < N; ++i)
            f(from.buckets[i], to.buckets[i]);
        f(from.sum, to.sum);
    }
};

struct recording;

/// What a thread counts. Constant-initialised and trivially destroyed: the first notify of a thread
/// runs no constructor, and the last one, however late, finds it alive.
struct thread_record : counts
{
    std::uint64_t next;         ///< the notify that looks at the clock again
    std::uint64_t next_sample;  ///< the notify that is measured
    std::uint64_t started;      ///< when the measured notify began
    std::uint64_t random;       ///< state of the generator of gaps
    std::uint32_t inside;       ///< how many handlers the thread is in
    bool waiting;               ///< for the notify after the measured one
    bool joined;                ///< in the recording's list
    recording* home;
    thread_record* previous;
    thread_record* following;
    reclaim::exit_link on_exit;
};
static_assert(sizeof(thread_record) <= 2048 && std::is_trivially_destructible_v<thread_record>);

/// Numbers the files of one process.
inline constinit std::atomic<unsigned> last_file{0};

/// The recording of one type: never destroyed, so that it outlives static objects.
struct recording
{
    /// Its registries are asynchronous. Set by each measured handler of one. relaxed: it orders
    /// nothing, and never goes back.
    std::atomic<bool> asynchronous{false};
    std::mutex mutex;
    // The rest is used under the mutex.
    counts ended;
    counter registered;
    counter unregistered;
    histogram<48> change_interval_ns;
    std::uint64_t changed = 0;  ///< when the table last changed
    bool has_changed = false;
    std::uint64_t begin = 0;
    std::uint64_t threads = 0;
    thread_record* first = nullptr;
    reclaim::thread_exit_hook exit_hook;
    bool has_hook = false;
    bool follows_process = false;  ///< through forks, and to its exit
    std::string_view registry;
    char directory[512] = {};

    void link(thread_record& t) noexcept
    {
        t.previous = nullptr;
        t.following = first;
        if (first != nullptr)
            first->previous = &t;
        first = &t;
    }
    void unlink(thread_record& t) noexcept
    {
        (t.previous != nullptr ? t.previous->following : first) = t.following;
        if (t.following != nullptr)
            t.following->previous = t.previous;
    }

    /// Adds what a thread has counted to the recording. Its next sample stays where it is.
    void fold(thread_record& t) noexcept
    {
        std::uint64_t const n = t.notify.load(std::memory_order_relaxed);
        counts::sum(t, ended);
        t.clear();
        t.next = t.next > n ? t.next - n : 0;
        t.next_sample = t.next_sample > n ? t.next_sample - n : 0;
    }

    REGISTRY_IO_DETAIL_COLD void join(thread_record& t, std::string_view type) noexcept
    {
        std::lock_guard<std::mutex> const lock(mutex);
        if (registry.empty())
            registry = type;
        if (t.home == nullptr) {
            ++threads;
            t.home = this;
            // Any odd number will do, but threads should not sample in step.
            t.random = threads * 0x9E3779B97F4A7C15u;
        }
        // Without a destructor at its end, a thread folds its counts each time it is measured.
        t.joined = has_hook && exit_hook.arm(&t, t.on_exit);
        if (t.joined)
            link(t);
        else
            fold(t);
    }

    /// At the end of a thread. What it counts later it folds.
    static void leave(void* p) noexcept
    {
        auto& t = *static_cast<thread_record*>(p);
        std::lock_guard<std::mutex> const lock(t.home->mutex);
        t.home->unlink(t);
        t.home->fold(t);
        t.joined = false;
        t.next = 0;
        t.waiting = false;
    }

    /// In the child of a fork, which has this one thread: a new recording. Owns the mutex.
    void start_again(thread_record& mine, std::uint64_t now) noexcept
    {
        ended.clear();
        registered.store(0, std::memory_order_relaxed);
        unregistered.store(0, std::memory_order_relaxed);
        for (counter& c : change_interval_ns.buckets)
            c.store(0, std::memory_order_relaxed);
        change_interval_ns.sum.store(0, std::memory_order_relaxed);
        has_changed = false;
        begin = now;
        first = nullptr;
        threads = mine.home != nullptr ? 1 : 0;
        mine.clear();
        mine.next = 0;
        mine.next_sample = 0;
        mine.waiting = false;
        if (mine.joined)
            link(mine);
    }

    void add_change(std::size_t added, std::size_t removed, std::uint64_t now) noexcept
    {
        std::lock_guard<std::mutex> const lock(mutex);
        add(registered, added);
        add(unregistered, removed);
        // Two registries may come here in another order than they looked at the clock.
        if (has_changed)
            change_interval_ns.record(now > changed ? now - changed : 0);
        changed = now;
        has_changed = true;
    }
};

// ----- the file

inline void append_number(std::string& out, std::uint64_t n)
{
    char text[24];
    std::snprintf(text, sizeof text, "%llu", static_cast<unsigned long long>(n));
    out += text;
}

inline void append_string(std::string& out, std::string_view s)
{
    out += '"';
    for (char const c : s) {
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (static_cast<unsigned char>(c) < 0x20) {
            char text[8];
            std::snprintf(text, sizeof text, "\\u%04x", static_cast<unsigned>(c));
            out += text;
        } else {
            out += c;
        }
    }
    out += '"';
}

template <std::size_t N>
void append_histogram(std::string& out, char const* name, histogram<N> const& h)
{
    out += "\n    \"";
    out += name;
    out += "\": [";
    bool first = true;
    for (std::size_t i = 0; i < N; ++i) {
        std::uint64_t const n = h.buckets[i].load(std::memory_order_relaxed);
        if (n == 0)
            continue;
        out += first ? "[" : ", [";
        first = false;
        append_number(out, i);
        out += ", ";
        append_number(out, n);
        out += ']';
    }
    out += ']';
}

inline std::string processor()
{
    std::string name = "unknown";
    if (std::FILE* const f = std::fopen("/proc/cpuinfo", "re")) {
        char line[256];
        while (std::fgets(line, sizeof line, f) != nullptr) {
            std::string_view const s(line);
            std::size_t const colon = s.find(": ");
            if (s.substr(0, 10) == "model name" && colon != s.npos) {
                name = s.substr(colon + 2, s.find('\n') - colon - 2);
                break;
            }
        }
        std::fclose(f);
    }
    return name;
}

inline std::error_code last_error() noexcept
{
    return {errno, std::generic_category()};
}

/// Writes all of `text`, makes the system store it, and closes.
inline std::error_code write_and_close(int fd, std::string_view text, bool regular) noexcept
{
    std::error_code failed;
    while (!text.empty() && !failed) {
        ssize_t const n = ::write(fd, text.data(), text.size());
        if (n >= 0)
            text.remove_prefix(static_cast<std::size_t>(n));
        else if (errno != EINTR)
            failed = last_error();
    }
    if (!failed && regular && ::fsync(fd) != 0)
        failed = last_error();
    if (::close(fd) != 0 && !failed)
        failed = last_error();
    return failed;
}

/// Opens a temporary file which nobody else has, fills it, and gives it its name.
inline std::error_code replace_file(std::string const& temporary, std::string const& path,
                                    std::string_view text) noexcept
{
    int const fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0)
        return last_error();
    std::error_code failed = write_and_close(fd, text, true);
    if (!failed && std::rename(temporary.c_str(), path.c_str()) != 0)
        failed = last_error();
    if (failed)
        ::unlink(temporary.c_str());
    return failed;
}

inline std::error_code write_path(std::string const& path, std::string_view text)
{
    // A device or a pipe is written to: renaming a file over it would remove it.
    struct stat s;
    if (::stat(path.c_str(), &s) == 0 && !S_ISREG(s.st_mode)) {
        int const fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
        return fd < 0 ? last_error() : write_and_close(fd, text, false);
    }
    std::string temporary = path + '.';
    append_number(temporary, static_cast<std::uint64_t>(::getpid()));
    temporary += '.';
    append_number(temporary, last_file.fetch_add(1, std::memory_order_relaxed));
    temporary += ".tmp";
    return replace_file(temporary, path, text);
}

/// Writes to a new file in `directory`.
inline std::error_code write_directory(std::string const& directory, std::string_view text)
{
    for (;;) {
        std::string path = directory + "/registry_io.";
        append_number(path, static_cast<std::uint64_t>(::getpid()));
        path += '.';
        append_number(path, last_file.fetch_add(1, std::memory_order_relaxed));
        path += ".json";
        // An earlier process may have had the same number.
        struct stat s;
        if (::lstat(path.c_str(), &s) == 0)
            continue;
        std::error_code const failed = replace_file(path + ".tmp", path, text);
        if (failed != std::errc::file_exists)
            return failed;
    }
}

/// What a registry is called in its recording. `notify` is the name of the type of its notifies: it
/// has the policies in it, and nothing of the event.
inline std::string registry_name(std::string_view notify, bool asynchronous)
{
    constexpr std::string_view before = "writers<";
    std::size_t const begin = notify.find(before);
    std::size_t const outer = notify.rfind(">::failing");
    if (begin == notify.npos || outer == notify.npos)
        return std::string(notify);
    std::string_view policies = notify.substr(0, notify.rfind('>', outer - 1));
    policies.remove_prefix(begin + before.size());
    return (asynchronous ? "basic_async_registry<Event, " : "basic_registry<Event, ") +
        std::string(policies) + '>';
}

/// The name of `T` as the compiler writes it.
template <class T>
std::string_view type_name() noexcept
{
    return registry_io::detail::type_name<T>;
}

}  // namespace detail

/// Records the workload of the registries that have it, for `registry_tune`: a panic policy that
/// behaves as `Panic`, and counts.
///
/// All registries of one type `recorded<...>` share a recording. Give each registry whose workload
/// you want to see apart a `Tag`, any type of your own: the recording shows its name. Events and
/// captures are never looked at. Each thread has 2 KB for its counts; nothing is allocated in
/// `notify`. When a thread ends its counts are added to the recording.
///
/// Counted exactly: notifies, failures, nested notifies, and handlers added and removed.
/// One notify in `OneIn` on average, at random distances, is measured: the number of handlers it
/// calls, its depth (1: not nested), each handler's duration, and the time until the thread's next
/// notify that is not nested. A duration includes one reading of the clock. A coroutine's duration
/// ends where it first waits. A notify is nested if its thread is in a handler of this recording;
/// what a coroutine notifies of after it has waited is not. A notify of an empty registry calls no
/// policy and is not counted. Destroying a registry is not counted as removal of its handlers.
///
/// The recording is written when the program ends by `exit` or by returning from `main`, unless
/// nothing was counted, to a new file registry_io.PID.N.json. Its directory is that of
/// `directory`, else that of the environment variable REGISTRY_IO_RECORDING_DIRECTORY, else the
/// current one. A registry with static storage may be used until then. The child of a fork starts a
/// recording of its own. `Clock` has a static `now()` that returns nanoseconds.
///
/// Take it: for a run whose workload you want to hand to `registry_tune`.
template <class Panic, class Tag = void, class Clock = monotonic_clock, std::uint32_t OneIn = 128>
class recorded
{
    static_assert(panic_policy<Panic>,
                  "registry_io: the 1st argument of observe::recorded is not a panic policy");
    static_assert(OneIn > 0,
                  "registry_io: observe::recorded measures one notify in OneIn, which "
                  "must not be 0");

public:
    using category = axis::panic;
    static constexpr bool isolates = Panic::isolates;
    static constexpr bool reports = Panic::reports;
    static constexpr bool logs = Panic::logs;
    using result_type = typename Panic::result_type;
    using handler_state = typename Panic::handler_state;
    /// The wrapped policy.
    using adapted = Panic;

    /// Makes the recording, the first time. Where the library cannot be told of a thread's exit, and in what
    /// the thread does after it, the counts since the thread was last measured are lost.
    recorded() noexcept(std::is_nothrow_default_constructible_v<Panic>)
    {
        // Not a static variable of this function: a child of fork would wait for a thread of its
        // parent that was making it. This it begins again.
        ::pthread_once(&begun_, &begin);
    }

    template <class Notify>
    class scope
    {
        using inner_notify = detail::inner_notify<Panic, Notify>;

        /// While it lives, the thread is in a handler. Of the scope it keeps nothing: a coroutine
        /// may be over, with its notify, when the call returns.
        class in_handler
        {
        public:
            BOOST_FORCEINLINE explicit in_handler(bool measured) noexcept
                : inside_(mine_.inside), measured_(measured)
            {
                mine_.inside = inside_ + 1;
                if (BOOST_UNLIKELY(measured_))
                    begin_ = now();
            }
            in_handler(in_handler const&) = delete;
            in_handler& operator=(in_handler const&) = delete;
            BOOST_FORCEINLINE ~in_handler() { end(); }
            BOOST_FORCEINLINE void end() noexcept
            {
                if (ended_)
                    return;
                ended_ = true;
                if (BOOST_UNLIKELY(measured_))
                    took(begin_);
                mine_.inside = inside_;
            }

        private:
            std::uint32_t inside_;
            bool measured_;
            bool ended_ = false;
            std::uint64_t begin_ = 0;
        };

        /// Counts a failure if it is destroyed before `done`. Not a handler of exceptions: to throw
        /// again costs as much as the first throw.
        struct watching
        {
            bool done = false;
            BOOST_FORCEINLINE ~watching()
            {
                if (!done)
                    failed();
            }
        };

        template <class Call>
        struct watched
        {
            Call call;
            bool measured;
            BOOST_FORCEINLINE void operator()() const
            {
                watching w;
                in_handler const here(measured);
                call();
                w.done = true;
            }
        };
        template <class Call>
        struct settled
        {
            Call call;
            BOOST_FORCEINLINE void operator()() const
            {
                watching w;
                call();
                w.done = true;
            }
        };

    public:
        explicit scope(Notify notify) noexcept : inner_(inner_notify{notify})
        {
            detail::thread_record& t = mine_;
            std::uint64_t const n = t.notify.load(std::memory_order_relaxed) + 1;
            t.notify.store(n, std::memory_order_relaxed);
            if (t.inside != 0)
                detail::add(t.nested);
            if (BOOST_UNLIKELY(n >= t.next))
                measured_ = look(t, detail::type_name<Notify>());
        }
        scope(scope const&) = delete;
        scope& operator=(scope const&) = delete;
        BOOST_FORCEINLINE ~scope()
        {
            if (BOOST_UNLIKELY(measured_))
                called(handlers_);
        }

        template <class Call, class View>
        BOOST_FORCEINLINE verdict invoke(Call call, View handler) noexcept(
            noexcept(inner_.invoke(settled<Call>{call}, handler)))
        {
            if (BOOST_UNLIKELY(measured_))
                ++handlers_;
            if (apart_)
                return inner_.invoke(settled<Call>{call}, handler);
            return inner_.invoke(watched<Call>{call, measured_}, handler);
        }

        auto finish() noexcept(noexcept(inner_.finish())) { return inner_.finish(); }

        /// For registries that run handlers apart from `invoke`, which then only tells how they
        /// ended: to be kept while a handler runs on this thread.
        template <class View>
        auto running(View handler) noexcept
        {
            apart_ = true;
            if (BOOST_UNLIKELY(measured_))
                recording_.asynchronous.store(true, std::memory_order_relaxed);
            return detail::run_both([&] { return in_handler(measured_); },
                                    [&] { return detail::running_of(inner_, handler); });
        }

    private:
        registry_io::detail::scope_of<Panic, inner_notify> inner_;
        bool measured_ = false;
        bool apart_ = false;
        std::uint32_t handlers_ = 0;
    };

    /// For bad input where exceptions are off: as the wrapped policy.
    [[noreturn]] static void fatal(char const* reason) noexcept
    {
        Panic::fatal(reason);
        std::abort();
    }

    /// Called by the registry, under its writers' lock, for each change of its table.
    void changed(std::size_t added, std::size_t removed) noexcept
    {
        recording_.add_change(added, removed, now());
        if constexpr (requires { panic_.changed(added, removed); })
            panic_.changed(added, removed);
    }

    /// Called by the registry for each handler, before it is in the table.
    template <class State, class F>
    void registering(State& state, F const& f, char const* event)
        requires requires(Panic& p) { p.registering(state, f, event); }
    {
        panic_.registering(state, f, event);
    }

    /// The wrapped policy.
    Panic& wrapped() noexcept { return panic_; }

    /// Sets the directory for the file that is written at exit; "" stands for none: the recording
    /// is not written then. Returns an error if the name is longer than 511 characters.
    ///
    /// Throws: nothing. Thread-safe.
    static std::error_code directory(std::string_view name) noexcept
    {
        std::lock_guard<std::mutex> const lock(recording_.mutex);
        if (name.size() >= sizeof recording_.directory)
            return std::make_error_code(std::errc::filename_too_long);
        recording_.directory[name.copy(recording_.directory, name.size())] = 0;
        chosen_ = true;
        return {};
    }

    /// Writes what has been counted until now to `path`, and counts on. Returns an error if that
    /// fails; a file that was there before is then as it was.
    ///
    /// The file is written under another name and renamed, so that no reader sees half of it; only
    /// a device or a pipe is written to directly. Counts of threads that notify meanwhile may miss
    /// their last notifies. Throws: nothing. Thread-safe; may be called in a handler.
    static std::error_code write(std::string const& path) noexcept
    {
        BOOST_TRY
        {
            return detail::write_path(path, text());
        }
        BOOST_CATCH(...)
        {
            return std::make_error_code(std::errc::not_enough_memory);
        }
        BOOST_CATCH_END
    }

    /// Returns the recording as it would be written. Throws `std::bad_alloc`. Thread-safe.
    static std::string text()
    {
        detail::recording& r = recording_;
        std::string const cpu = detail::processor();
        std::string out;
        std::lock_guard<std::mutex> const lock(r.mutex);
        detail::counts all{};
        sum(all);
        std::uint64_t const ns = now() - r.begin;
        char seconds[48];
        std::snprintf(seconds, sizeof seconds, "%llu.%09llu",
                      static_cast<unsigned long long>(ns / 1000000000u),
                      static_cast<unsigned long long>(ns % 1000000000u));
        out += "{\n  \"registry_io_recording\": 1,\n  \"version\": ";
        detail::append_string(out, version());
        out += ",\n  \"registry\": ";
        if (r.registry.empty())
            detail::append_string(out, detail::type_name<recorded>());
        else
            detail::append_string(
                out,
                detail::registry_name(r.registry, r.asynchronous.load(std::memory_order_relaxed)));
        out += ",\n  \"processor\": ";
        detail::append_string(out, cpu);
        out += ",\n  \"threads\": ";
        detail::append_number(out, r.threads);
        out += ",\n  \"seconds\": ";
        out += seconds;
        out += ",\n  \"sampled_one_in\": ";
        detail::append_number(out, OneIn);
        out += ",\n  \"clock_ns\": ";
        detail::append_number(out, clock_ns());
        out += ",\n  \"counts\": {";
        auto const count = [&out](char const* name, detail::counter const& c) {
            out += name;
            detail::append_number(out, c.load(std::memory_order_relaxed));
        };
        count("\"notify\": ", all.notify);
        count(", \"register\": ", r.registered);
        count(", \"unregister\": ", r.unregistered);
        count(", \"failures\": ", all.failures);
        count(", \"nested\": ", all.nested);
        out += "},\n  \"histograms\": {";
        detail::append_histogram(out, "inter_arrival_ns", all.inter_arrival_ns);
        out += ',';
        detail::append_histogram(out, "handler_ns", all.handler_ns);
        out += ',';
        detail::append_histogram(out, "handlers_at_notify", all.handlers_at_notify);
        out += ',';
        detail::append_histogram(out, "depth", all.depth);
        out += ',';
        detail::append_histogram(out, "change_interval_ns", r.change_interval_ns);
        out += "\n  },\n  \"sums\": {";
        count("\"inter_arrival_ns\": ", all.inter_arrival_ns.sum);
        count(", \"handler_ns\": ", all.handler_ns.sum);
        count(", \"handlers_at_notify\": ", all.handlers_at_notify.sum);
        count(", \"depth\": ", all.depth.sum);
        count(", \"change_interval_ns\": ", r.change_interval_ns.sum);
        out += "}\n}\n";
        return out;
    }

private:
    template <class>
    friend class scope;

    static std::uint64_t now() noexcept { return Clock::now(); }

    /// What one reading of the clock takes, which is part of each duration.
    static std::uint64_t clock_ns() noexcept
    {
        std::uint64_t least = static_cast<std::uint64_t>(-1);
        for (int i = 0; i < 100; ++i) {
            std::uint64_t const begin = now();
            std::uint64_t const took = now() - begin;
            least = took < least ? took : least;
        }
        return least;
    }

    /// Adds up what all threads have counted. Needs the mutex.
    static void sum(detail::counts& all) noexcept
    {
        detail::counts::sum(recording_.ended, all);
        for (detail::thread_record* t = recording_.first; t != nullptr; t = t->following)
            detail::counts::sum(*t, all);
    }

    REGISTRY_IO_DETAIL_COLD static void begin() noexcept
    {
        detail::recording& r = recording_;
        r.begin = now();
        r.has_hook = r.exit_hook.create(&detail::recording::leave);
        // Once, though a child whose parent was in here begins again.
        if (std::exchange(r.follows_process, true))
            return;
        ::pthread_atfork([] { recording_.mutex.lock(); }, [] { recording_.mutex.unlock(); },
                         [] {
                             recording_.start_again(mine_, now());
                             recording_.mutex.unlock();
                         });
        std::atexit(&write_at_exit);
    }

    static void write_at_exit() noexcept
    {
        std::error_code failed;
        BOOST_TRY
        {
            std::string where;
            {
                std::lock_guard<std::mutex> const lock(recording_.mutex);
                detail::counts all{};
                sum(all);
                if (all.notify.load(std::memory_order_relaxed) == 0 && !recording_.has_changed)
                    return;
                // At exit no other thread changes the environment.
                // NOLINTNEXTLINE(concurrency-mt-unsafe)
                char const* const given = std::getenv("REGISTRY_IO_RECORDING_DIRECTORY");
                where = chosen_ ? recording_.directory : given != nullptr ? given : ".";
            }
            if (!where.empty())
                failed = detail::write_directory(where, text());
        }
        BOOST_CATCH(...)
        {
            failed = std::make_error_code(std::errc::not_enough_memory);
        }
        BOOST_CATCH_END
        if (failed)
            std::fprintf(stderr, "registry_io: the recording was not written: %s\n",
                         failed.message().c_str());
    }

    /// The record of this thread, in the recording's list.
    static detail::thread_record& joined(std::string_view type = {}) noexcept
    {
        if (!mine_.joined)
            recording_.join(mine_, type);
        return mine_;
    }

    /// A notify that may be measured, or is the first one after one that was.
    BOOST_NOINLINE static bool look(detail::thread_record& t, std::string_view type) noexcept
    {
        joined(type);  // before the count is read: without a hook, joining begins it again
        std::uint64_t const n = t.notify.load(std::memory_order_relaxed);
        bool const outermost = t.inside == 0;
        bool const measure = n >= t.next_sample;
        if (measure || (outermost && t.waiting)) {
            std::uint64_t const begin = now();
            if (outermost && t.waiting) {
                t.inter_arrival_ns.record(begin - t.started);
                t.waiting = false;
            }
            if (measure) {
                t.depth.record(t.inside + 1);
                // A distance of OneIn on average, at random: what is measured must not keep step
                // with the workload.
                t.random ^= t.random << 13;
                t.random ^= t.random >> 7;
                t.random ^= t.random << 17;
                t.next_sample = n + 1 + (t.random >> 32) % (2 * std::uint64_t(OneIn) - 1);
                if (outermost) {
                    t.started = begin;
                    t.waiting = true;
                }
            }
        }
        t.next = t.waiting ? n + 1 : t.next_sample;
        return measure;
    }

    BOOST_NOINLINE static void took(std::uint64_t begin) noexcept
    {
        joined().handler_ns.record(now() - begin);
    }
    BOOST_NOINLINE static void called(std::uint32_t handlers) noexcept
    {
        joined().handlers_at_notify.record(handlers);
    }
    REGISTRY_IO_DETAIL_COLD static void failed() noexcept
    {
        // A thread that is cancelled unwinds without an exception.
        if (std::uncaught_exceptions() != 0)
            detail::add(joined().failures);
    }

    inline static constinit detail::recording recording_{};
    inline static constinit ::pthread_once_t begun_ = PTHREAD_ONCE_INIT;
    inline static constinit bool chosen_ = false;
    inline static constinit thread_local detail::thread_record mine_{};

    REGISTRY_IO_NO_UNIQUE_ADDRESS Panic panic_;
};

}  // namespace observe
}  // namespace v1
}  // namespace registry_io

#endif
