// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The right to take events out of a mailbox: one drain at a time has it, or any number of drains
// with `many_consumers`. A thread that holds the right and posts to a full mailbox with `block`
// would wait for itself, so each thread knows which rights it holds. Invariant: without
// `many_consumers`, `taken_` is true exactly while a claim lives.

#ifndef REGISTRY_IO_QUEUED_DETAIL_DRAIN_RIGHT_HPP
#define REGISTRY_IO_QUEUED_DETAIL_DRAIN_RIGHT_HPP

#include <registry_io/detail/supported.hpp>

#include <atomic>
#include <system_error>
#include <type_traits>

#include <registry_io/config.hpp>
#include <registry_io/detail/raise.hpp>

namespace registry_io {
inline namespace v1 {
namespace queued {
namespace detail {

struct nothing
{
};

/// A right that this thread holds, linked to the right that it took before. Kept only for mailboxes
/// with `block`.
struct held_right
{
    void const* right;
    held_right* outer;
};
template <class Unused = void>
struct REGISTRY_IO_EXPORT rights_of_thread
{
    REGISTRY_IO_EXPORT static inline constinit thread_local held_right* innermost = nullptr;
};

template <bool Several, bool Blocks>
class drain_right
{
public:
    /// Holds the right as long as it lives.
    class claim
    {
    public:
        /// Throws `std::system_error` with `std::errc::device_or_resource_busy` if another claim
        /// holds the right.
        explicit claim(drain_right& r) : right_(r)
        {
            if constexpr (!Several) {
                // acquire: pairs with the release in the destructor. Without it, this drain might
                // not see what the last drain wrote.
                if (r.taken_.exchange(true, std::memory_order_acquire))
                    registry_io::detail::raise(
                        std::system_error(std::make_error_code(std::errc::device_or_resource_busy),
                                          "registry_io: the mailbox is being drained already; take "
                                          "many_consumers if several threads are to drain it"));
            }
            if constexpr (Blocks) {
                here_ = {&r, rights_of_thread<>::innermost};
                rights_of_thread<>::innermost = &here_;
            }
        }
        claim(claim const&) = delete;
        claim& operator=(claim const&) = delete;
        ~claim()
        {
            if constexpr (Blocks)
                rights_of_thread<>::innermost = here_.outer;
            if constexpr (!Several)
                right_.taken_.store(false, std::memory_order_release);
        }

    private:
        drain_right& right_;
        REGISTRY_IO_NO_UNIQUE_ADDRESS std::conditional_t<Blocks, held_right, nothing> here_;
    };

    /// Returns whether this thread is draining the mailbox.
    bool held_by_this_thread() const noexcept
        requires Blocks
    {
        for (auto* h = rights_of_thread<>::innermost; h != nullptr; h = h->outer)
            if (h->right == this)
                return true;
        return false;
    }

private:
    std::atomic<bool> taken_{false};
};

}  // namespace detail
}  // namespace queued
}  // namespace v1
}  // namespace registry_io

#endif
