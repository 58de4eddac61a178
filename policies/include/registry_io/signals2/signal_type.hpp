// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// `signal_type`: names a signal by keyword arguments for its template parameters, as in
// Boost.Signals2. A small table of keywords replaces Boost.Parameter.

#ifndef REGISTRY_IO_SIGNALS2_SIGNAL_TYPE_HPP
#define REGISTRY_IO_SIGNALS2_SIGNAL_TYPE_HPP

#include <registry_io/detail/supported.hpp>

#include <cstddef>
#include <functional>
#include <tuple>
#include <type_traits>

#include <boost/function.hpp>

#include <registry_io/signals2/detail/callables.hpp>
#include <registry_io/signals2/mutex.hpp>
#include <registry_io/signals2/optional_last_value.hpp>
#include <registry_io/signals2/signal.hpp>

namespace registry_io {
inline namespace v1 {
namespace signals2 {
namespace detail {

// The parameters of `signal`, in their order.
enum class parameter : unsigned char {
    signature,
    combiner,
    group,
    group_compare,
    slot_function,
    extended_slot_function,
    mutex
};

template <parameter P, class T>
struct keyword
{
    static constexpr parameter stands_for = P;
    using type = T;
};
template <class T>
concept is_keyword = requires(T* p) { []<parameter P, class U>(keyword<P, U>*) {}(p); };

/// The argument for `P`: the argument with its keyword, else the argument in its place, else
/// `Default`.
template <parameter P, class Default, std::size_t Place, class... Arguments>
struct argument_for
{
    using type = Default;
};
template <parameter P, class Default, std::size_t Place, class First, class... More>
struct argument_for<P, Default, Place, First, More...>
{
    static consteval bool is_this()
    {
        if constexpr (is_keyword<First>)
            return First::stands_for == P;
        else
            return Place == static_cast<std::size_t>(P);
    }
    static consteval auto find()
    {
        if constexpr (!is_this())
            return std::type_identity<
                typename argument_for<P, Default, Place + 1, More...>::type>();
        else if constexpr (is_keyword<First>)
            return std::type_identity<typename First::type>();
        else
            return std::type_identity<First>();
    }
    using type = typename decltype(find())::type;
};

}  // namespace detail

/// The keywords of `signal_type`.
namespace keywords {

/// The signature of slots.
template <class T>
struct signature_type : detail::keyword<detail::parameter::signature, T>
{
};
/// The combiner, which makes one result of the slots' results.
template <class T>
struct combiner_type : detail::keyword<detail::parameter::combiner, T>
{
};
/// The type of groups, by which slots are ordered.
template <class T>
struct group_type : detail::keyword<detail::parameter::group, T>
{
};
/// How groups are compared.
template <class T>
struct group_compare_type : detail::keyword<detail::parameter::group_compare, T>
{
};
/// The type in which slots store their callable.
template <class T>
struct slot_function_type : detail::keyword<detail::parameter::slot_function, T>
{
};
/// The type in which slots store a callable that is called with its connection.
template <class T>
struct extended_slot_function_type : detail::keyword<detail::parameter::extended_slot_function, T>
{
};
/// The mutex type, which says whether one thread or several use the signal.
template <class T>
struct mutex_type : detail::keyword<detail::parameter::mutex, T>
{
};

}  // namespace keywords

/// A `signal` with named template parameters. Parameters without a keyword may be in their places,
/// or left to their defaults: `signal_type<void(), keywords::mutex_type<dummy_mutex>>::type`.
template <class... Arguments>
class signal_type
{
    template <detail::parameter P, class Default>
    using argument = typename detail::argument_for<P, Default, 0, Arguments...>::type;

    using signature = argument<detail::parameter::signature, void>;
    static_assert(std::is_function_v<signature>,
                  "registry_io: signal_type needs a signature, first or as signature_type");
    using result = typename detail::signature<signature>::result;
    using group = argument<detail::parameter::group, int>;

public:
    /// The signal.
    using type =
        signal<signature, argument<detail::parameter::combiner, optional_last_value<result>>, group,
               argument<detail::parameter::group_compare, std::less<group>>,
               argument<detail::parameter::slot_function, boost::function<signature>>,
               argument<detail::parameter::extended_slot_function,
                        boost::function<detail::extended_signature<signature>>>,
               argument<detail::parameter::mutex, mutex>>;
};

}  // namespace signals2
}  // namespace v1
}  // namespace registry_io

#endif
