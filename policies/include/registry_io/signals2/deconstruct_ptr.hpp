// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The predecessor of `deconstruct` in Boost.Signals2: takes an object that `new` has made, calls
// its `postconstruct`, and calls its `predestruct` before its end. For programs that still use it.

#ifndef REGISTRY_IO_SIGNALS2_DECONSTRUCT_PTR_HPP
#define REGISTRY_IO_SIGNALS2_DECONSTRUCT_PTR_HPP

#include <registry_io/detail/supported.hpp>

#include <type_traits>
#include <utility>

#include <boost/assert.hpp>
#include <boost/core/checked_delete.hpp>
#include <boost/core/no_exceptions_support.hpp>
#include <boost/shared_ptr.hpp>

#include <registry_io/signals2/postconstructible.hpp>
#include <registry_io/signals2/predestructible.hpp>

namespace registry_io {
inline namespace v1 {
namespace signals2 {

namespace detail {

template <class T>
void postconstruct_if_wanted([[maybe_unused]] T* object)
{
    if constexpr (std::is_base_of_v<postconstructible, T>)
        if (object != nullptr)
            postconstruction::run(*const_cast<std::remove_const_t<T>*>(object));
}

}  // namespace detail

/// The deleter of `deconstruct_ptr`: calls `predestruct` if the class has the base
/// `predestructible`, then deletes the object. If `predestruct` throws, an assertion fails, and the
/// exception is dropped.
template <class T>
class predestructing_deleter
{
public:
    /// Destroys the object.
    void operator()(T const* object) const
    {
        if constexpr (std::is_base_of_v<predestructible, T>) {
            BOOST_TRY
            {
                const_cast<std::remove_const_t<T>*>(object)->predestruct();
            }
            BOOST_CATCH(...)
            {
                BOOST_ASSERT_MSG(false, "registry_io: predestruct() threw an exception");
            }
            BOOST_CATCH_END
        }
        boost::checked_delete(object);
    }
};

/// Makes a shared pointer of an object, and calls `postconstruct` if its class has the base
/// `postconstructible`. Deprecated, as in Boost: use `deconstruct`.
///
/// Throws `std::bad_alloc`, and what `postconstruct` throws; then the object is destroyed.
template <class T>
boost::shared_ptr<T> deconstruct_ptr(T* object)
{
    boost::shared_ptr<T> pointer;
    if (object != nullptr)
        pointer.reset(object, predestructing_deleter<T>());
    detail::postconstruct_if_wanted(object);
    return pointer;
}
/// Makes a shared pointer with your own deleter, which decides whether to call `predestruct`.
/// Otherwise as above.
template <class T, class Deleter>
boost::shared_ptr<T> deconstruct_ptr(T* object, Deleter deleter)
{
    boost::shared_ptr<T> pointer(object, std::move(deleter));
    detail::postconstruct_if_wanted(object);
    return pointer;
}

}  // namespace signals2
}  // namespace v1
}  // namespace registry_io

#endif
