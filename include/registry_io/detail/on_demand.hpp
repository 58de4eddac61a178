// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// An object that is made when it is first needed. Writers keep in such objects what replaced roots
// need: in a program with many registries most have one handler, and never replace a root.

#ifndef REGISTRY_IO_DETAIL_ON_DEMAND_HPP
#define REGISTRY_IO_DETAIL_ON_DEMAND_HPP

#include <registry_io/config.hpp>
#include <registry_io/detail/allocation.hpp>

namespace registry_io {
inline namespace v1 {
namespace detail {

/// Owns a `T` after `make`, and nothing before. Concurrency: as a pointer.
template <class T, class Source>
class on_demand
{
public:
    /// Ignores the arguments: `make` gets them again.
    template <class... Arguments>
    explicit on_demand(Source const& s, Arguments const&...) noexcept : source_(s)
    {
    }
    on_demand(on_demand const&) = delete;
    on_demand& operator=(on_demand const&) = delete;
    ~on_demand()
    {
        if (made_ != nullptr)
            detail::destroy(made_, source_);
    }

    /// Returns null before `make`.
    T* get() const noexcept { return made_; }

    /// Makes the object. Throws what the source throws, and `std::bad_alloc`. Precondition: there
    /// is no object yet.
    template <class... Arguments>
    T& make(Arguments&&... arguments)
    {
        return *(made_ = detail::create<T>(source_, static_cast<Arguments&&>(arguments)...));
    }

private:
    T* made_ = nullptr;
    REGISTRY_IO_NO_UNIQUE_ADDRESS Source source_;
};

/// Constructs the object at once if the registry contains its own memory: then a first removal
/// cannot fail, and no code for an allocation is generated.
template <class T, class Source>
    requires(Source::inside)
class on_demand<T, Source>
{
public:
    template <class... Arguments>
    explicit on_demand(Source const&, Arguments&&... arguments)
        : made_(static_cast<Arguments&&>(arguments)...)
    {
    }
    on_demand(on_demand const&) = delete;
    on_demand& operator=(on_demand const&) = delete;

    T* get() noexcept { return &made_; }
    T const* get() const noexcept { return &made_; }

    template <class... Arguments>
    T& make(Arguments&&...) noexcept
    {
        return made_;
    }

private:
    T made_;
};

}  // namespace detail
}  // namespace v1
}  // namespace registry_io

#endif
