// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// `deconstruct`: makes objects that need a shared pointer to themselves right after construction or
// before destruction, for example to connect slots that track them. The interface is that of
// Boost.Signals2.

#ifndef REGISTRY_IO_SIGNALS2_DECONSTRUCT_HPP
#define REGISTRY_IO_SIGNALS2_DECONSTRUCT_HPP

#include <registry_io/detail/supported.hpp>

#include <type_traits>
#include <utility>

#include <boost/shared_ptr.hpp>

namespace registry_io {
inline namespace v1 {
namespace signals2 {
namespace detail {

// For types that have no `adl_predestruct`; overload resolution takes it last.
inline void adl_predestruct(...) {}

}  // namespace detail

/// The result of `deconstruct`: holds the object until `postconstruct` has been called.
template <class T>
class postconstructor_invoker
{
public:
    /// Calls `adl_postconstruct(pointer, object, args...)`, found by argument-dependent lookup, the
    /// first time, and returns the pointer. Throws what that function throws.
    template <class... Args>
    boost::shared_ptr<T> const& postconstruct(Args&&... args) const
    {
        if (!done_) {
            adl_postconstruct(object_, const_cast<std::remove_const_t<T>*>(object_.get()),
                              std::forward<Args>(args)...);
            done_ = true;
        }
        return object_;
    }
    /// Calls `postconstruct()`.
    operator boost::shared_ptr<T> const&() const { return postconstruct(); }

private:
    friend class deconstruct_access;
    explicit postconstructor_invoker(boost::shared_ptr<T> object) : object_(std::move(object)) {}

    boost::shared_ptr<T> object_;
    mutable bool done_ = false;
};

/// Grants access: declare it a friend of types whose constructors and destructors are private.
class deconstruct_access
{
public:
    /// @cond
    template <class T, class... Args>
    static postconstructor_invoker<T> make(Args&&... args)
    {
        return postconstructor_invoker<T>(
            boost::shared_ptr<T>(new T(std::forward<Args>(args)...), [](T* object) {
                using detail::adl_predestruct;
                adl_predestruct(const_cast<std::remove_const_t<T>*>(object));
                delete object;
            }));
    }
    /// @endcond
};

/// Makes an object that a shared pointer owns, and calls functions that need this pointer: right
/// after construction, and right before destruction.
///
/// `postconstruct` calls `adl_postconstruct(pointer, object, args...)`, in which the object can be
/// tracked. Before the destruction, `adl_predestruct(object)` is called, if it exists. Both
/// functions are found by argument-dependent lookup. Throws `std::bad_alloc`, and what the
/// constructor throws. Costs two allocations.
template <class T, class... Args>
postconstructor_invoker<T> deconstruct(Args&&... args)
{
    return deconstruct_access::make<T>(std::forward<Args>(args)...);
}

}  // namespace signals2
}  // namespace v1
}  // namespace registry_io

#endif
