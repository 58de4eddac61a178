// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)

// The exception handlers around the call of one handler, for the panic policies that catch. An
// exception that is a `std::exception` is passed on as such, since to throw it again just to ask for
// `what()` would cost as much as the first throw. Without exceptions only the call remains.

#ifndef REGISTRY_IO_PANIC_DETAIL_CATCHING_HPP
#define REGISTRY_IO_PANIC_DETAIL_CATCHING_HPP

#include <registry_io/detail/supported.hpp>

#include <exception>

#include <boost/core/no_exceptions_support.hpp>

#include <registry_io/config.hpp>
#include <registry_io/policy.hpp>

namespace registry_io {
inline namespace v1 {
namespace panic {
namespace detail {

/// Whether the cancellation of a thread (`pthread_cancel`) leaves the notify.
enum class cancellation : bool { ends_program, passes };

/// Calls `call()`. If it throws, calls `failed(e)` while the exception is being handled, and returns
/// what that returns; `e` is null if the exception is not a `std::exception`.
template <cancellation Cancellation = cancellation::ends_program, class Call, class Failed>
BOOST_FORCEINLINE verdict catching(Call call, Failed failed) noexcept(Cancellation ==
                                                                      cancellation::ends_program)
{
    BOOST_TRY
    {
        call();
    }
#ifndef BOOST_NO_EXCEPTIONS
    catch (std::exception const& e)
    {
        return failed(&e);
    }
#endif
    BOOST_CATCH(...)
    {
        // A thread that is cancelled unwinds without an exception, and must not be caught.
        if constexpr (Cancellation == cancellation::passes) {
            if (std::current_exception() == nullptr) {
                BOOST_RETHROW
            }
        }
        return failed(static_cast<std::exception const*>(nullptr));
    }
    BOOST_CATCH_END
    return verdict::keep;
}

}  // namespace detail
}  // namespace panic
}  // namespace v1
}  // namespace registry_io

#endif
