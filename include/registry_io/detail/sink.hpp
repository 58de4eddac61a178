// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The scope of a notify that has a sink: `notify(event, sink)`. It takes the place of the panic
// policy's scope for this notify, so a failure goes to the caller's sink and to no callback or log.
// Adaptors of panic policies stay in effect.

#ifndef REGISTRY_IO_DETAIL_SINK_HPP
#define REGISTRY_IO_DETAIL_SINK_HPP

#include <exception>
#include <type_traits>
#include <utility>

#include <boost/core/no_exceptions_support.hpp>

#include <registry_io/config.hpp>
#include <registry_io/detail/report.hpp>
#include <registry_io/panic_info.hpp>
#include <registry_io/policy.hpp>

namespace registry_io {
inline namespace v1 {
namespace detail {

/// The scope of a notify that has a sink of its own, instead of the panic policy's scope.
template <class Notify>
class sink_scope
{
    using sink = std::remove_reference_t<decltype(std::declval<Notify const&>().sink())>;
    static constexpr bool quiet = std::is_nothrow_invocable_v<sink&, panic_info const&>;

public:
    explicit sink_scope(Notify notify) noexcept : notify_(notify) {}

    template <class Call, class View>
    BOOST_FORCEINLINE verdict invoke(Call call, View handler) noexcept(quiet)
    {
        BOOST_TRY
        {
            call();
        }
#ifndef BOOST_NO_EXCEPTIONS
        catch (std::exception const& e)
        {
            failed(notify_, handler.compact(), &e);
        }
#endif
        BOOST_CATCH(...)
        {
            // Thread cancellation unwinds without an exception, and must not be caught.
            if (std::current_exception() == nullptr)
                BOOST_RETHROW
            failed(notify_, handler.compact(), nullptr);
        }
        BOOST_CATCH_END
        return verdict::keep;
    }

    void finish() noexcept {}

private:
    template <class View>
    BOOST_NOINLINE static void failed(Notify notify, View handler,
                                      std::exception const* e) noexcept(quiet)
    {
        notify.sink()(
            panic_info(handler.id(), std::current_exception(), message_of(e), label_of(handler)));
    }

    Notify notify_;
};

template <class Panic, class Notify>
struct select_scope
{
    using type = typename Panic::template scope<Notify>;
};
// An adaptor (`Panic::adapted`) sees each call as always; the policy that it wraps is replaced.
template <class Panic, class Notify>
    requires(
        requires(Notify const& n) { n.sink(); } && !requires { typename Panic::adapted; })
struct select_scope<Panic, Notify>
{
    using type = sink_scope<Notify>;
};

/// The scope of a notify: the panic policy's, unless the notify has a sink of its own.
template <class Panic, class Notify>
using scope_of = typename select_scope<Panic, Notify>::type;

}  // namespace detail
}  // namespace v1
}  // namespace registry_io

#endif
