// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The late part of a registry's first root. The core makes a root that has room for one row without
// what the root needs when it is replaced, since most registries never replace their first root.
// The writer of a snapshot policy keeps that part, and attaches it before it retires the root.

#ifndef REGISTRY_IO_RECLAIM_LATE_PART_HPP
#define REGISTRY_IO_RECLAIM_LATE_PART_HPP

#include <registry_io/detail/supported.hpp>

namespace registry_io {
inline namespace v1 {
namespace reclaim {

/// The late part of a root that may have been made without one. Empty if no root is.
template <class Root>
class single_part
{
public:
    /// Attaches this part to `r`, unless `r` has one.
    void attach(Root&) noexcept {}
};
template <class Root>
    requires requires { requires Root::may_be_single; }
class single_part<Root>
{
public:
    void attach(Root& r) noexcept
    {
        if (!r.attached())
            r.attach(part_);
    }

private:
    typename Root::late_part part_{};
};

}  // namespace reclaim
}  // namespace v1
}  // namespace registry_io

#endif
