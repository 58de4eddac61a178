// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The panic policy for handlers that may break permanently: a handler that throws N times in a row
// is removed. Calls that return normally write nothing shared, unless there was a failure before.

#ifndef REGISTRY_IO_PANIC_QUARANTINE_HPP
#define REGISTRY_IO_PANIC_QUARANTINE_HPP

#include <registry_io/detail/supported.hpp>

#include <atomic>
#include <cstdint>
#include <cstdio>
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

/// A handler that throws N times in a row is removed.
///
/// Each failure is reported to the callback (`on_panic`), if there is one. The failure that leads
/// to the removal is the last report of that handler, or one of the last if several threads were
/// inside it. Without a callback, `stderr` gets a line for a removal, but not for a single failure.
/// A call that returns normally resets the count; concurrent calls of one handler share the count.
/// The notifying thread performs the removal as an `unregister`, with its lock and its cost; if it
/// runs out of memory, the next failure tries again. Each handler has its own block, for the count.
/// With exceptions off it only calls the handlers.
/// Use it for plug-ins that may break permanently.
template <std::uint32_t N = 3>
struct REGISTRY_IO_EXPORT quarantine
{
    static_assert(N > 0,
                  "registry_io: quarantine<0> would remove handlers that never failed; use "
                  "quarantine<1> or more");

    using category = axis::panic;
    static constexpr bool isolates = true;
    static constexpr bool reports = true;
    static constexpr bool logs = false;
    using result_type = void;

    class handler_state
    {
    private:
        friend struct quarantine;
        std::atomic<std::uint32_t> failures_{0};
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
                call();
                // relaxed: the count orders nothing. The load comes first, so that a successful
                // call does not write a shared cache line.
                if (handler.state().failures_.load(std::memory_order_relaxed) != 0)
                    handler.state().failures_.store(0, std::memory_order_relaxed);
            }
#ifndef BOOST_NO_EXCEPTIONS
            catch (std::exception const& e)
            {
                return failed(handler.compact(), &e);
            }
#endif
            BOOST_CATCH(...)
            {
                return failed(handler.compact(), nullptr);
            }
            BOOST_CATCH_END
            return verdict::keep;
        }

        void finish() noexcept {}

    private:
        template <class View>
        BOOST_NOINLINE verdict failed(View handler, std::exception const* e) noexcept
        {
            handler_id const id = handler.id();
            std::string_view const what = detail::message_of(e);
            std::uint32_t const failures =
                handler.state().failures_.fetch_add(1, std::memory_order_relaxed) + 1;
            bool reported = true;
            BOOST_TRY
            {
                reported = detail::report(notify_.hooks(), id, what, detail::label_of(handler));
            }
            BOOST_CATCH(...) {}
            BOOST_CATCH_END
            if (!reported && failures == N) {
                char text[301];
                detail::describe(text, id, detail::event_name_of(notify_),
                                 detail::label_of(handler));
                std::fprintf(stderr,
                             "registry_io: %s removed after %u failures in a row; "
                             "the last: %.*s\n",
                             text, unsigned{N},
                             what.size() < 350 ? static_cast<int>(what.size()) : 350, what.data());
            }
            return failures >= N ? verdict::remove : verdict::keep;
        }

        Notify notify_;
    };

    /// Called for invalid input if exceptions are off: prints the reason, and ends the program.
    [[noreturn]] static void fatal(char const* reason) noexcept { registry_io::fatal(reason); }
};

}  // namespace panic
}  // namespace v1
}  // namespace registry_io

#endif
