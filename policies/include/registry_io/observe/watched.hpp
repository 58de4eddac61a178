// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// `observe::watched`: a panic policy that wraps another one and detects handlers that hang. Each
// call links itself into a list, and a thread of the library examines the lists. Threads are spread
// over several lists, each with its own lock, so that they rarely share one. Invariant: a call is
// in a list from its beginning to its end, and is reported at most once.

#ifndef REGISTRY_IO_OBSERVE_WATCHED_HPP
#define REGISTRY_IO_OBSERVE_WATCHED_HPP

#include <registry_io/detail/supported.hpp>

#if defined(_WIN32)
#error "registry_io: observe::watched needs POSIX threads; leave it out on Windows"
#endif

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <mutex>
#include <system_error>
#include <utility>

#include <pthread.h>
#include <signal.h>

#include <registry_io/config.hpp>
#include <registry_io/detail/raise.hpp>
#include <registry_io/detail/report.hpp>
#include <registry_io/handler_id.hpp>
#include <registry_io/handler_label.hpp>
#include <registry_io/observe/detail/adaptor.hpp>
#include <registry_io/observe/detail/clock.hpp>

namespace registry_io {
inline namespace v1 {
namespace observe {

/// A handler that has been running for longer than its limit, and has not returned.
struct overdue
{
    handler_id id;
    handler_label label;       ///< empty unless the registry also has `named`
    char const* event;         ///< the event type
    std::uint64_t running_ns;  ///< for how long it has been running
    pthread_t thread;          ///< the thread that it runs on
    char thread_name[16];      ///< that thread's name; empty if it is unknown
};

/// Writes a line to `stderr` for each overdue handler.
struct overdue_to_stderr
{
    /// Writes the line. Throws: nothing.
    static void report(overdue const& o) noexcept
    {
        char handler[301];
        registry_io::detail::describe(handler, o.id, o.event, o.label);
        std::fprintf(stderr, "registry_io: %s still runs after %llu ms, on thread %#llx (%s)\n",
                     handler, static_cast<unsigned long long>(o.running_ns / 1000000),
                     static_cast<unsigned long long>(o.thread), o.thread_name);
    }
};

namespace detail {

/// A call that is running: stored on the stack of its thread, and linked into a list of the
/// watchdog.
struct watched_call
{
    watched_call* previous = nullptr;
    watched_call* following = nullptr;
    std::uint64_t begin;
    pthread_t thread;
    bool reported = false;
    /// Describes the handler. Called under the list's lock while the call is in the list.
    void (*describe)(watched_call const&, overdue&) noexcept;

    watched_call(std::uint64_t now, void (*d)(watched_call const&, overdue&) noexcept) noexcept
        : begin(now), thread(::pthread_self()), describe(d)
    {
    }
    watched_call(watched_call const&) = delete;
    watched_call& operator=(watched_call const&) = delete;
};

/// The calls of some threads.
struct alignas(64) watched_list
{
    std::mutex mutex;
    watched_call* first = nullptr;

    void link(watched_call& c) noexcept
    {
        std::lock_guard<std::mutex> const lock(mutex);
        c.following = first;
        if (first != nullptr)
            first->previous = &c;
        first = &c;
    }
    void unlink(watched_call& c) noexcept
    {
        std::lock_guard<std::mutex> const lock(mutex);
        remove(c);
    }
    void remove(watched_call& c) noexcept
    {
        (c.previous != nullptr ? c.previous->following : first) = c.following;
        if (c.following != nullptr)
            c.following->previous = c.previous;
    }
};

/// The thread that examines the calls, one for all policies with the same limit.
/// Constant-initialised and never destroyed: a registry may outlive static objects.
template <std::uint64_t Milliseconds, class Report, class Clock>
class watchdog
{
public:
    /// Adds a policy. Throws `std::system_error` if the thread cannot be started.
    static void join()
    {
        std::lock_guard<std::mutex> const lock(mutex_);
        if (!prepared_) {
            ::pthread_atfork(&before_fork, &after_fork<false>, &after_fork<true>);
            prepared_ = true;
        }
        if (int const failed = start())
            registry_io::detail::raise(
                std::system_error(failed, std::generic_category(),
                                  "registry_io: observe::watched cannot start its thread"));
        ++policies_;
    }
    /// Removes a policy. After the last one is removed, the thread ends the next time it examines
    /// the calls.
    static void leave() noexcept
    {
        std::lock_guard<std::mutex> const lock(mutex_);
        --policies_;
    }

    BOOST_FORCEINLINE static watched_list& list_of(watched_call const& c) noexcept
    {
        // The stacks of threads are further apart than 64 KB, and a few bits of that are enough.
        auto const at = reinterpret_cast<std::uintptr_t>(&c) >> 16;
        return lists_[at * std::uint64_t(0x9E3779B97F4A7C15u) >> 60];
    }

    static void link(watched_call& c) noexcept
    {
        // relaxed: in the child of a fork no other thread exists yet that could have started one.
        if (BOOST_UNLIKELY(!running_.load(std::memory_order_relaxed))) {
            std::lock_guard<std::mutex> const lock(mutex_);
            if (start() != 0)
                std::fputs("registry_io: observe::watched cannot start its thread after a fork\n",
                           stderr);
        }
        list_of(c).link(c);
    }
    static void unlink(watched_call& c) noexcept { list_of(c).unlink(c); }

private:
    /// Precondition: the mutex is held. Returns an error number.
    static int start() noexcept
    {
        if (running_.load(std::memory_order_relaxed))
            return 0;
        // Blocks all signals in the new thread: they are for the program's own threads.
        sigset_t all;
        sigset_t before;
        sigfillset(&all);
        ::pthread_sigmask(SIG_SETMASK, &all, &before);
        pthread_attr_t attributes;
        ::pthread_attr_init(&attributes);
        ::pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        pthread_t thread;
        int const failed = ::pthread_create(&thread, &attributes, &watch, nullptr);
        ::pthread_attr_destroy(&attributes);
        ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
        running_.store(failed == 0, std::memory_order_relaxed);
        return failed;
    }

    static void* watch(void*) noexcept
    {
        constexpr std::uint64_t quarter = Milliseconds * 1000000 / 4;
        constexpr std::uint64_t period = quarter < 1000000 ? 1000000
            : quarter > 1000000000                         ? 1000000000
                                                           : quarter;
        for (;;) {
            std::timespec const t{static_cast<std::time_t>(period / 1000000000),
                                  static_cast<long>(period % 1000000000)};
            ::nanosleep(&t, nullptr);
            {
                std::lock_guard<std::mutex> const lock(mutex_);
                if (policies_ == 0) {
                    running_.store(false, std::memory_order_relaxed);
                    return nullptr;
                }
            }
            for (watched_list& list : lists_)
                while (look(list)) {
                }
        }
    }

    /// Reports one overdue call of a list that has not been reported yet. Returns whether there was
    /// one.
    static bool look(watched_list& list) noexcept
    {
        overdue found{};
        {
            // While the lock is held, no call in the list can end. The report is made afterwards,
            // because it is user code and may even notify.
            std::lock_guard<std::mutex> const lock(list.mutex);
            std::uint64_t const now = Clock::now();
            watched_call* c = list.first;
            while (c != nullptr && (c->reported || now - c->begin < Milliseconds * 1000000))
                c = c->following;
            if (c == nullptr)
                return false;
            c->reported = true;
            c->describe(*c, found);
            found.running_ns = now - c->begin;
            found.thread = c->thread;
#if defined(__GLIBC__)
            ::pthread_getname_np(c->thread, found.thread_name, sizeof found.thread_name);
#endif
        }
        Report::report(found);
        return true;
    }

    static void before_fork() noexcept
    {
        mutex_.lock();
        for (watched_list& list : lists_)
            list.mutex.lock();
    }
    template <bool Child>
    static void after_fork() noexcept
    {
        for (watched_list& list : lists_) {
            // The other threads no longer exist, and neither do their calls.
            for (watched_call* c = list.first; Child && c != nullptr;) {
                watched_call* const next = c->following;
                if (!::pthread_equal(c->thread, ::pthread_self()))
                    list.remove(*c);
                c = next;
            }
            list.mutex.unlock();
        }
        if (Child)
            running_.store(false, std::memory_order_relaxed);
        mutex_.unlock();
    }

    inline static constinit std::mutex mutex_{};
    inline static constinit bool prepared_ = false;
    inline static constinit std::size_t policies_ = 0;
    inline static constinit std::atomic<bool> running_{false};
    inline static constinit watched_list lists_[16]{};
};

struct watched_state
{
};

}  // namespace detail

/// Reports a handler that runs for longer than a limit while it is still running: a panic policy
/// that behaves like `Panic`. A separate thread examines all running handlers, and calls
/// `Report::report(overdue const&)` once for each overdue call, at most a quarter of the limit (or
/// 1 ms) after the limit. The report runs on that thread, must not throw, and may do whatever a
/// handler may do.
///
/// The limit also applies to a handler that waits for another handler that it notifies, and to a
/// coroutine until it first waits. Each call acquires and releases a lock twice, which it shares
/// with few other threads, and reads the clock once. There is one thread for all registries with
/// the same limit, report and clock; it starts with the first of them and ends after the last one.
/// Signals are blocked in it. In the child of a fork it starts with the first handler. Creating
/// such a registry throws `std::system_error` if the thread cannot be started. `Clock` has a static
/// `now()` that returns nanoseconds.
/// Use it: where you must find a handler that hangs while it hangs. With `named` the report names
/// the handler.
template <std::uint64_t Milliseconds, class Panic, class Report = overdue_to_stderr,
          class Clock = monotonic_clock>
class watched : public detail::adaptor<Panic, detail::watched_state>
{
    using dog = detail::watchdog<Milliseconds, Report, Clock>;

    template <class Notify, class View>
    class running : detail::watched_call
    {
    public:
        running(Notify notify, View handler) noexcept
            : detail::watched_call(Clock::now(), &describe), notify_(notify), handler_(handler)
        {
            dog::link(*this);
        }
        void end() noexcept { dog::unlink(*this); }

    private:
        // Runs only for an overdue call, so it costs other calls nothing.
        static void describe(detail::watched_call const& c, overdue& o) noexcept
        {
            auto const& self = static_cast<running const&>(c);
            o.id = self.handler_.id();
            o.label = registry_io::detail::label_of(self.handler_);
            o.event = registry_io::detail::event_name_of(self.notify_);
        }
        Notify notify_;
        View handler_;
    };

    class running_apart : detail::watched_call
    {
    public:
        running_apart(handler_id id, handler_label label, char const* event) noexcept
            : detail::watched_call(Clock::now(), &describe),
              id_(id),
              label_(std::move(label)),
              event_(event)
        {
            dog::link(*this);
        }
        void end() noexcept { dog::unlink(*this); }

    private:
        static void describe(detail::watched_call const& c, overdue& o) noexcept
        {
            auto const& self = static_cast<running_apart const&>(c);
            o.id = self.id_;
            o.label = self.label_;
            o.event = self.event_;
        }
        handler_id id_;
        handler_label label_;
        char const* event_;
    };

    template <class Notify>
    struct observer
    {
        explicit observer(Notify n) noexcept : notify(n) {}
        template <class View>
        running<Notify, View> begin(View handler) noexcept
        {
            return {notify, handler};
        }
        template <class View>
        running_apart begin_apart(View handler) noexcept
        {
            return {handler.id(), registry_io::detail::label_of(handler),
                    registry_io::detail::event_name_of(notify)};
        }
        template <class View>
        void failed(View) noexcept
        {
        }
        Notify notify;
    };

public:
    /// Starts the watching thread if it is not running. Throws `std::system_error` if that fails.
    watched() { dog::join(); }
    watched(watched const&) = delete;
    watched& operator=(watched const&) = delete;
    ~watched() { dog::leave(); }

    /// Like that of the wrapped policy, with each call watched.
    template <class Notify>
    using scope = detail::observing_scope<Panic, Notify, observer<Notify>>;
};

}  // namespace observe
}  // namespace v1
}  // namespace registry_io

#endif
