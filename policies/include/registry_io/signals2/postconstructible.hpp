// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The predecessor of `adl_postconstruct` in Boost.Signals2: a base class whose virtual
// `postconstruct` is called when `deconstruct_ptr` or `deconstruct` has made the object. For
// programs that still use it.

#ifndef REGISTRY_IO_SIGNALS2_POSTCONSTRUCTIBLE_HPP
#define REGISTRY_IO_SIGNALS2_POSTCONSTRUCTIBLE_HPP

#include <registry_io/detail/supported.hpp>

#include <boost/shared_ptr.hpp>

namespace registry_io {
inline namespace v1 {
namespace signals2 {

class postconstructible;

namespace detail {

struct postconstruction
{
    static void run(postconstructible& object);
};

}  // namespace detail

/// A base of classes that have work to do as soon as a shared pointer owns them. Deprecated, as in
/// Boost: write `adl_postconstruct` and use `deconstruct`.
///
/// `deconstruct_ptr` and `deconstruct` call `postconstruct`.
class postconstructible
{
protected:
    postconstructible() = default;
    virtual ~postconstructible() = default;

    /// Called when the shared pointer exists.
    virtual void postconstruct() = 0;

private:
    friend struct detail::postconstruction;

    /// @cond
    template <class T>
    friend void adl_postconstruct(boost::shared_ptr<T> const&, postconstructible* object)
    {
        object->postconstruct();
    }
    /// @endcond
};

inline void detail::postconstruction::run(postconstructible& object)
{
    object.postconstruct();
}

}  // namespace signals2
}  // namespace v1
}  // namespace registry_io

#endif
