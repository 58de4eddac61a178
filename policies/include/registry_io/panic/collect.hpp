// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The panic policy for callers that handle failures themselves: `notify` returns the failures, up
// to a number that you choose.

#ifndef REGISTRY_IO_PANIC_COLLECT_HPP
#define REGISTRY_IO_PANIC_COLLECT_HPP

#include <registry_io/detail/supported.hpp>

#include <cstddef>
#include <exception>
#include <utility>

#include <boost/container/static_vector.hpp>
#include <boost/core/no_exceptions_support.hpp>

#include <registry_io/config.hpp>
#include <registry_io/detail/report.hpp>
#include <registry_io/fatal.hpp>
#include <registry_io/panic_info.hpp>
#include <registry_io/policy.hpp>

namespace registry_io {
inline namespace v1 {
namespace panic {

/// The type that `notify` returns with `collect<N>`: the first N failures in firing order, and the
/// number of further ones.
template <std::size_t N>
class [[nodiscard("registry_io: notify returns the failures, and nothing else reports them; use "
                  "the result")]] collected
{
public:
    using const_iterator = typename boost::container::static_vector<panic_info, N>::const_iterator;

    /// Whether every handler returned normally.
    bool empty() const noexcept { return failures_.empty() && more_ == 0; }
    /// Returns how many failures it holds, at most N.
    std::size_t size() const noexcept { return failures_.size(); }
    /// Returns how many further failures there were.
    std::size_t more() const noexcept { return more_; }
    /// Returns the i-th failure. Precondition: `i < size()`.
    panic_info const& operator[](std::size_t i) const { return failures_[i]; }
    const_iterator begin() const noexcept { return failures_.begin(); }
    const_iterator end() const noexcept { return failures_.end(); }

private:
    template <std::size_t>
    friend struct collect;

    void add(panic_info&& info) noexcept
    {
        if (failures_.size() < N)
            failures_.push_back(std::move(info));
        else
            ++more_;
    }

    boost::container::static_vector<panic_info, N> failures_;
    std::size_t more_ = 0;
};

/// `notify` returns the failures: up to N of them, and the number of further ones.
///
/// `notify` is `noexcept`; there is neither a callback nor a log. The result is stored on the
/// caller's stack, with 48 bytes for each of the N failures; nothing is allocated besides the
/// exceptions themselves. With exceptions off it only calls the handlers, and returns an empty
/// result.
/// Use it if the caller of `notify` decides what a failure means.
template <std::size_t N = 4>
struct REGISTRY_IO_EXPORT collect
{
    static_assert(
        N > 0,
        "registry_io: collect<0> would collect nothing; use collect<1> or more, or catch_log");

    using category = axis::panic;
    static constexpr bool isolates = true;
    static constexpr bool reports = false;
    static constexpr bool logs = false;
    using result_type = collected<N>;
    struct handler_state
    {
    };

    template <class Notify>
    class scope
    {
    public:
        explicit scope(Notify) noexcept {}

        template <class Call, class View>
        BOOST_FORCEINLINE verdict invoke(Call call, View handler) noexcept
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
                failed(handler.compact(), nullptr);
            }
            BOOST_CATCH_END
            return verdict::keep;
        }

        result_type finish() noexcept { return std::move(result_); }

    private:
        template <class View>
        BOOST_NOINLINE void failed(View handler, std::exception const* e) noexcept
        {
            result_.add(panic_info(handler.id(), std::current_exception(), detail::message_of(e),
                                   detail::label_of(handler)));
        }

        result_type result_;
    };

    /// Called for invalid input if exceptions are off: prints the reason, and ends the program.
    [[noreturn]] static void fatal(char const* reason) noexcept { registry_io::fatal(reason); }
};

}  // namespace panic
}  // namespace v1
}  // namespace registry_io

#endif
