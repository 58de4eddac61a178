// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The default panic policy: an exception does not leave its handler, and is passed to the callback
// or written to the log. The log is limited to one line a second for each registry, without a lock:
// the thread that advances the time of the next line writes the line, and all others only count.
// Invariant: each failure is written, passed to the callback, or included in the count that the
// next line shows.

#ifndef REGISTRY_IO_PANIC_CATCH_LOG_HPP
#define REGISTRY_IO_PANIC_CATCH_LOG_HPP

#include <registry_io/detail/supported.hpp>

#include <atomic>
#include <bit>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <exception>
#include <string_view>

#include <boost/core/no_exceptions_support.hpp>

#include <registry_io/config.hpp>
#include <registry_io/detail/report.hpp>
#include <registry_io/fatal.hpp>
#include <registry_io/panic_info.hpp>
#include <registry_io/policy.hpp>

namespace registry_io {
inline namespace v1 {
namespace panic {

/// An exception does not leave its handler: it goes to the callback or to the log, and the siblings
/// run.
///
/// If a callback is set (`on_panic`), it is called on the notifying thread, right after the handler
/// and before its next sibling; exceptions of the callback are swallowed. A failure of the same
/// registry inside the callback, on the same thread, is logged rather than reported. Without a
/// callback, a line goes to `stderr`, or to the sink given to `log_to`, at most one a second for
/// each registry. The line contains the handler's id, the event type, the handler's name if the
/// registry knows it, and how many failures of how many handlers were held back since the last
/// line. Costs nothing until a handler throws; then it takes no lock, and makes no allocation
/// besides that of the exception. With exceptions off it only calls the handlers. The description
/// of the handler is cut at 300 characters and the message at 350. Use it by default.
class REGISTRY_IO_EXPORT catch_log
{
public:
    using category = axis::panic;
    static constexpr bool isolates = true;
    static constexpr bool reports = true;
    static constexpr bool logs = true;
    using result_type = void;
    struct handler_state
    {
    };

    template <class Notify>
    class scope
    {
    public:
        explicit scope(Notify notify) noexcept : notify_(notify) {}

        template <class Call, class View>
        BOOST_FORCEINLINE verdict invoke(Call call, View handler) noexcept
        {
            BOOST_TRY
            {
                detail::clauses_apart const apart;
                BOOST_TRY
                {
                    call();
                }
#ifndef BOOST_NO_EXCEPTIONS
                // Two clauses: to rethrow the exception only to call what() would cost as much as
                // the first throw.
                catch (std::exception const& e)
                {
                    failed(notify_, handler.compact(), &e);
                }
#endif
                BOOST_CATCH_END
            }
            BOOST_CATCH(...)
            {
                failed(notify_, handler.compact(), nullptr);
            }
            BOOST_CATCH_END
            return verdict::keep;
        }

        void finish() noexcept {}

    private:
        // Out of line, and with nothing but words: `this`, or an id computed earlier, would have to
        // be in memory or in one more register before each call.
        template <class View>
        BOOST_NOINLINE static void failed(Notify notify, View handler,
                                          std::exception const* e) noexcept
        {
            notify.policy().failed(notify.hooks(), handler.id(), detail::message_of(e),
                                   detail::event_name_of(notify), detail::label_of(handler));
        }

        Notify notify_;
    };

    /// Called for invalid input if exceptions are off: prints the reason, and ends the program.
    [[noreturn]] static void fatal(char const* reason) noexcept { registry_io::fatal(reason); }

    /// Reports one failure. For policies that build on this one; must be called while the exception
    /// is being handled. `event` is the name of the event type, or null; `label` is the handler's
    /// `handler_label`, if there is one.
    template <class Label = detail::no_label>
    BOOST_NOINLINE void failed(panic_hooks const& hooks, handler_id id, std::string_view message,
                               char const* event = nullptr, Label const& label = {}) noexcept
    {
        BOOST_TRY
        {
            if (!detail::report(hooks, id, message, label))
                log(hooks, id, message, event, label);
        }
        BOOST_CATCH(...) {}  // exceptions of the callback and of the sink are swallowed
        BOOST_CATCH_END
    }

private:
    template <class Label>
    REGISTRY_IO_DETAIL_COLD void log(panic_hooks const& hooks, handler_id id,
                                     std::string_view message, char const* event,
                                     Label const& label)
    {
        // The monotonic clock plus one second, so that zero means never.
        ::timespec now{};  // not in std everywhere (MinGW)
#if defined(CLOCK_MONOTONIC)
        ::clock_gettime(CLOCK_MONOTONIC, &now);
#else
        std::timespec_get(&now, TIME_UTC);
#endif
        auto const ms = static_cast<std::uint64_t>(now.tv_sec) * 1000 +
            static_cast<std::uint64_t>(now.tv_nsec) / 1000000 + 1000;
        // relaxed: the time only orders itself.
        std::uint64_t next = next_line_.load(std::memory_order_relaxed);
        if (ms < next ||
            !next_line_.compare_exchange_strong(next, ms + 1000, std::memory_order_relaxed)) {
            // release, and acquire below: a failure that is counted is also included in the set of
            // handlers.
            whose_.fetch_or(std::uint32_t(1) << id.value() % 32, std::memory_order_relaxed);
            held_back_.fetch_add(1, std::memory_order_release);
            return;
        }
        std::uint32_t const held = held_back_.exchange(0, std::memory_order_acquire);
        // 0 if the previous line has already taken the bit of the failure that is counted now.
        int const several = std::popcount(whose_.exchange(0, std::memory_order_relaxed));
        if (message.data() == nullptr)
            message = "not a std::exception";
        // Only the beginning of a long message, so that there is room for the rest.
        char handler[301];
        detail::describe(handler, id, event, label);
        char text[768];
        int n = std::snprintf(text, sizeof text, "registry_io: %s threw: %.*s", handler,
                              message.size() < 350 ? static_cast<int>(message.size()) : 350,
                              message.data());
        if (held != 0)
            n += std::snprintf(text + n, sizeof text - static_cast<std::size_t>(n),
                               several < 2 ? " (and %lu failures held back)"
                                           : " (and %lu failures of %d or more handlers held back)",
                               static_cast<unsigned long>(held), several);
        std::string_view const line(text, static_cast<std::size_t>(n));
        if (hooks.has_log()) {
            hooks.log(line);
        } else {
            text[n] = '\n';
            std::fwrite(text, 1, line.size() + 1, stderr);
        }
    }

    std::atomic<std::uint64_t> next_line_{0};
    std::atomic<std::uint32_t> held_back_{0};
    // One bit for each handler number modulo 32; occupies the padding after the count.
    std::atomic<std::uint32_t> whose_{0};
};

#ifdef REGISTRY_IO_SEPARATE_COMPILATION
extern template void catch_log::failed(panic_hooks const&, handler_id, std::string_view,
                                       char const*, detail::no_label const&) noexcept;
#endif

}  // namespace panic
}  // namespace v1
}  // namespace registry_io

#endif
