// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Ends a read that does not take the fast path, in every domain whose readers have a slot. The
// reader sets its slot to idle and then looks for mail; a writer posts mail and then looks at the
// slot again. This is Dekker's algorithm: each side writes its word and then reads the other side's
// word. Invariant: either the writer sees that the slot is idle, or the reader finds the mail.

#ifndef REGISTRY_IO_RECLAIM_END_READ_HPP
#define REGISTRY_IO_RECLAIM_END_READ_HPP

#include <registry_io/detail/supported.hpp>

#include <atomic>

#include <registry_io/config.hpp>

namespace registry_io {
inline namespace v1 {
namespace reclaim {

/// Ends the read that `last` announced in `state`, and takes its mail. `full` says that there is no
/// asymmetric fence.
template <class Env, class Slot>
void end_read(typename Slot::template atomic<typename Slot::state_type>& state,
              typename Slot::template atomic<typename Slot::era_type*>& mail,
              typename Slot::state_type const& last, bool full) noexcept
{
    if (full) {
        // seq_cst, both: no fence orders them. Through the total order they pair with the writer's
        // exchange of the mail and its next load of the slot. Otherwise both sides could miss each
        // other.
        state.store(Slot::idle, std::memory_order_seq_cst);
        if (mail.load(std::memory_order_seq_cst) != nullptr)
            Slot::take_mail(mail, last);
    } else {
        // release: the reads of the snapshot come before what a writer does after it sees idle. The
        // light fence pairs with the writer's heavy fence; without it, both sides could miss each
        // other.
        state.store(Slot::idle, std::memory_order_release);
        Env::light_fence();
        if (mail.load(std::memory_order_relaxed) != nullptr)
            Slot::take_mail(mail, last);
    }
}

}  // namespace reclaim
}  // namespace v1
}  // namespace registry_io

#endif
