// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// `optional_last_value`: the default combiner, as in Boost.Signals2. It returns the result of the
// last slot, or an empty optional. Here is also the loop that skips expired slots, for all
// combiners of the library.

#ifndef REGISTRY_IO_SIGNALS2_OPTIONAL_LAST_VALUE_HPP
#define REGISTRY_IO_SIGNALS2_OPTIONAL_LAST_VALUE_HPP

#include <registry_io/detail/supported.hpp>

#include <boost/core/no_exceptions_support.hpp>
#include <boost/optional/optional.hpp>

#include <registry_io/signals2/expired_slot.hpp>

namespace registry_io {
inline namespace v1 {
namespace signals2 {
namespace detail {

/// Calls `f(result)` for each slot between two iterators of a signal. Skips expired slots.
template <class Iterator, class F>
void each_result(Iterator first, Iterator const& last, F f)
{
    for (; first != last; ++first) {
        BOOST_TRY
        {
            f(*first);
        }
        BOOST_CATCH(expired_slot const&) {}
        BOOST_CATCH_END
    }
}

}  // namespace detail

/// The default combiner of a signal: calls all slots, and returns the result of the last one, or an
/// empty `boost::optional` if no slot was called.
template <class T>
class optional_last_value
{
public:
    /// The type that a call of the signal returns.
    using result_type = boost::optional<T>;

    /// Calls the slots. Throws what a slot throws; then later slots are not called.
    template <class InputIterator>
    result_type operator()(InputIterator first, InputIterator last) const
    {
        result_type value;
        detail::each_result(first, last, [&](auto&& result) { value = result; });
        return value;
    }
};

/// The combiner for slots that return nothing.
template <>
class optional_last_value<void>
{
public:
    /// The type that a call of the signal returns.
    using result_type = void;

    /// Calls the slots. Throws what a slot throws; then later slots are not called.
    template <class InputIterator>
    void operator()(InputIterator first, InputIterator last) const
    {
        detail::each_result(first, last, [](auto const&) {});
    }
};

}  // namespace signals2
}  // namespace v1
}  // namespace registry_io

#endif
