// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The panic policy for callers that must not miss a failure: all handlers run, and then `notify`
// throws the first exception.

#ifndef REGISTRY_IO_PANIC_PROPAGATE_HPP
#define REGISTRY_IO_PANIC_PROPAGATE_HPP

#include <registry_io/detail/supported.hpp>

#include <exception>
#include <utility>

#include <boost/core/no_exceptions_support.hpp>

#include <registry_io/config.hpp>
#include <registry_io/detail/report.hpp>
#include <registry_io/fatal.hpp>
#include <registry_io/panic_info.hpp>
#include <registry_io/policy.hpp>

namespace registry_io {
inline namespace v1 {
namespace panic {

/// All siblings run, and then the first exception leaves `notify`.
///
/// If a callback is set (`on_panic`), it is called for each failure, including the first one, right
/// after the handler; exceptions of the callback are swallowed. A thread that is cancelled inside a
/// handler (`pthread_cancel`) unwinds through `notify` at once, and the snapshot is released. With
/// exceptions off it only calls the handlers.
/// Use it if the caller of `notify` must learn of failures.
struct REGISTRY_IO_EXPORT propagate
{
    using category = axis::panic;
    static constexpr bool isolates = false;
    static constexpr bool reports = true;
    static constexpr bool logs = false;
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
        BOOST_FORCEINLINE verdict invoke(Call call, View handler)
        {
            BOOST_TRY
            {
                call();
            }
#ifndef BOOST_NO_EXCEPTIONS
            catch (std::exception const& e)
            {
                failed(handler.compact(), &e);
            }
#endif
            BOOST_CATCH(...)
            {
                // A thread that is cancelled unwinds without an exception, and must not be caught.
                if (std::current_exception() == nullptr)
                    BOOST_RETHROW
                failed(handler.compact(), nullptr);
            }
            BOOST_CATCH_END
            return verdict::keep;
        }

        void finish()
        {
#ifndef BOOST_NO_EXCEPTIONS
            if (first_ != nullptr)
                std::rethrow_exception(std::move(first_));
#endif
        }

    private:
        template <class View>
        BOOST_NOINLINE void failed(View handler, std::exception const* e) noexcept
        {
            if (first_ == nullptr)
                first_ = std::current_exception();
            BOOST_TRY
            {
                detail::report(notify_.hooks(), handler.id(), detail::message_of(e),
                               detail::label_of(handler));
            }
            BOOST_CATCH(...) {}
            BOOST_CATCH_END
        }

        Notify notify_;
        std::exception_ptr first_;
    };

    /// Called for invalid input if exceptions are off: prints the reason, and ends the program.
    [[noreturn]] static void fatal(char const* reason) noexcept { registry_io::fatal(reason); }
};

}  // namespace panic
}  // namespace v1
}  // namespace registry_io

#endif
