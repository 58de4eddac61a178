// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// `observe::recorded`: counts how the registries of one type are used, and writes the counts to a
// file for `registry_tune`. Every notify is counted; one in many, at random distances, is measured
// with a clock. The counts are in `detail/recording.hpp`, and the file is in
// `detail/recording_file.hpp`. This header contains the panic policy that wraps another one, and
// the lifetime of a recording from its first use to exit.

#ifndef REGISTRY_IO_OBSERVE_RECORDED_HPP
#define REGISTRY_IO_OBSERVE_RECORDED_HPP

#include <registry_io/detail/supported.hpp>

#if defined(_WIN32)
#error "registry_io: observe::recorded needs POSIX threads and files; leave it out on Windows"
#endif

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

#include <pthread.h>

#include <boost/core/no_exceptions_support.hpp>

#include <registry_io/config.hpp>
#include <registry_io/observe/detail/adaptor.hpp>
#include <registry_io/observe/detail/clock.hpp>
#include <registry_io/observe/detail/recording.hpp>
#include <registry_io/observe/detail/recording_file.hpp>
#include <registry_io/panic_info.hpp>
#include <registry_io/policy.hpp>

namespace registry_io {
inline namespace v1 {
namespace observe {

/// Records the workload of the registries that use it, for `registry_tune`: a panic policy that
/// behaves like `Panic`, and counts.
///
/// All registries of one type `recorded<...>` share a recording. To record a registry separately,
/// give it a `Tag`, any type of your own: the recording contains the name of the tag. Events and
/// captures are never accessed. Each thread has 2 KB for its counts; `notify` allocates nothing.
/// When a thread ends, its counts are added to the recording.
///
/// Counted exactly: notifies, failures, nested notifies, and handlers added and removed. On average
/// one notify in `OneIn`, at random distances, is measured: the number of handlers that it calls,
/// its depth (1: not nested), each handler's duration, and the time until the thread's next notify
/// that is not nested. A duration includes one reading of the clock. A coroutine's duration ends
/// where it first waits. A notify is nested if its thread is in a handler of this recording; a
/// notify that a coroutine makes after it has waited is not nested. A notify of an empty registry
/// calls no policy and is not counted. Destroying a registry does not count as removing its
/// handlers.
///
/// The recording is written when the program ends by `exit` or by returning from `main`, unless
/// nothing was counted, to a new file registry_io.PID.N.json. Its directory is set by `directory`,
/// otherwise by the environment variable REGISTRY_IO_RECORDING_DIRECTORY; the default is the
/// current directory. A registry with static storage may be used until then. The child of a fork
/// starts its own recording. `Clock` has a static `now()` that returns nanoseconds.
///
/// Use it: for a run whose workload you want to hand to `registry_tune`.
template <class Panic, class Tag = void, class Clock = monotonic_clock, std::uint32_t OneIn = 128>
class recorded : public detail::adaptor<Panic, detail::no_state<recorded<Panic, Tag, Clock, OneIn>>>
{
    static_assert(OneIn > 0,
                  "registry_io: observe::recorded measures one notify in OneIn, which "
                  "must not be 0");

public:
    /// Creates the recording the first time. If the library cannot observe a thread's exit, the
    /// counts since the thread's last measurement are lost. So are the counts of a thread after its
    /// exit was observed.
    recorded() noexcept(std::is_nothrow_default_constructible_v<Panic>)
    {
        // Not a static variable of this function: a child of fork would wait for the thread of its
        // parent that was initializing it. With pthread_once the child initializes it again.
        ::pthread_once(&begun_, &begin);
    }

    template <class Notify>
    class scope
    {
        using inner_notify = detail::inner_notify<Panic, Notify>;

        /// While it lives, the thread is in a handler. It refers to nothing in the scope: a
        /// coroutine and its notify may have ended when the call returns.
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

        /// Counts a failure if it is destroyed before `done`. Not an exception handler, because
        /// rethrowing costs as much as the first throw.
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
        /// As in detail::observing_scope.
        static constexpr bool calls_apart = true;

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

        /// For registries that run handlers separately from `invoke`, which then only reports how
        /// they ended: returns an object that is kept while a handler runs on this thread.
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

    /// Called by the registry, under its writers' lock, for each change of its table.
    void changed(std::size_t added, std::size_t removed) noexcept
    {
        recording_.add_change(added, removed, now());
        if constexpr (requires(Panic& p) { p.changed(added, removed); })
            this->wrapped().changed(added, removed);
    }

    /// Sets the directory for the file that is written at exit. If it is "", the recording is not
    /// written then. Returns an error if the name is longer than 511 characters.
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

    /// Writes what has been counted so far to `path`, and continues counting. If that fails,
    /// returns an error and leaves an existing file unchanged.
    ///
    /// The file is written under another name and renamed, so that no reader sees an incomplete
    /// file; only a device or a pipe is written to directly. Counts of threads that notify
    /// meanwhile may miss their last notifies. Throws: nothing. Thread-safe; may be called in a
    /// handler.
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

    /// Returns the text that would be written to a file. Throws `std::bad_alloc`. Thread-safe.
    static std::string text()
    {
        std::string cpu = detail::processor();
        std::lock_guard<std::mutex> const lock(recording_.mutex);
        return detail::recording_text(
            recording_, {detail::type_name<recorded>(), std::move(cpu), now(), clock_ns(), OneIn});
    }

private:
    template <class>
    friend class scope;

    static std::uint64_t now() noexcept { return Clock::now(); }

    /// Returns the duration of one reading of the clock, which is part of each measured duration.
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

    REGISTRY_IO_DETAIL_COLD static void begin() noexcept
    {
        detail::recording& r = recording_;
        r.begin = now();
        r.has_hook = r.exit_hook.create(&detail::recording::leave);
        // Register once, although a child forked while its parent was in here begins again.
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
                recording_.sum(all);
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

    /// Returns the record of this thread, after adding it to the recording's list.
    static detail::thread_record& joined(std::string_view type = {}) noexcept
    {
        if (!mine_.joined)
            recording_.join(mine_, type);
        return mine_;
    }

    /// Handles a notify that may be measured, or is the first one after a measured one.
    BOOST_NOINLINE static bool look(detail::thread_record& t, std::string_view type) noexcept
    {
        joined(type);  // before the count is read: without a hook, joining resets the count
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
                // A random distance of OneIn on average, so that the measurements do not fall into
                // step with the workload.
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
};

}  // namespace observe
}  // namespace v1
}  // namespace registry_io

#endif
