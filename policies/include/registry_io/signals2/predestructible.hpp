// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The predecessor of `adl_predestruct` in Boost.Signals2: a base class whose virtual `predestruct`
// is called before the destructor of the object. For programs that still use it.

#ifndef REGISTRY_IO_SIGNALS2_PREDESTRUCTIBLE_HPP
#define REGISTRY_IO_SIGNALS2_PREDESTRUCTIBLE_HPP

#include <registry_io/detail/supported.hpp>

#include <boost/shared_ptr.hpp>

namespace registry_io {
inline namespace v1 {
namespace signals2 {

/// A base of classes that have work to do before they are destroyed. Deprecated, as in Boost: write
/// `adl_predestruct` and use `deconstruct`.
///
/// The shared pointers of `deconstruct_ptr` and `deconstruct` call `predestruct`.
class predestructible
{
public:
    virtual ~predestructible() = default;

    /// Called before the destructor of the most derived class.
    virtual void predestruct() = 0;

protected:
    predestructible() = default;

private:
    /// @cond
    // A class with only this base has no work to do after its construction.
    template <class T>
    friend void adl_postconstruct(boost::shared_ptr<T> const&, ...)
    {
    }
    friend void adl_predestruct(predestructible* object) { object->predestruct(); }
    /// @endcond
};

}  // namespace signals2
}  // namespace v1
}  // namespace registry_io

#endif
