// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// A priority queue of garbage, ordered by birth: a skew heap (Sleator and Tarjan, 1986). It melds
// with another heap in logarithmic amortised time and needs no links but those of `garbage`.
// Invariant: no item is younger than the item above it.

#ifndef REGISTRY_IO_RECLAIM_BIRTH_HEAP_HPP
#define REGISTRY_IO_RECLAIM_BIRTH_HEAP_HPP

#include <registry_io/detail/supported.hpp>

#include <utility>

#include <registry_io/config.hpp>
#include <registry_io/garbage.hpp>

namespace registry_io {
inline namespace v1 {
namespace reclaim {

/// A priority queue of garbage with the youngest item on top. Owns nothing and allocates nothing:
/// `garbage::next` and `garbage::other` are its links.
///
/// A retired root keeps in this heap the garbage that only that root and older roots can show. When
/// the root goes, the garbage that is younger than the next older root is free. The rest passes to
/// that root in one meld.
///
/// Complexity: `push`, `pop` and `meld` are logarithmic, amortised; `take_all` is linear.
/// Source: D. Sleator and R. Tarjan, Self-Adjusting Heaps (1986): the skew heap, top-down.
/// Invariant: no item is younger than the item above it.
class birth_heap
{
public:
    constexpr birth_heap() noexcept = default;

    bool empty() const noexcept { return top_ == nullptr; }

    /// The youngest item. Precondition: there is one.
    garbage const& top() const noexcept { return *top_; }

    void push(garbage& g) noexcept
    {
        g.next = g.other = nullptr;
        top_ = meld(top_, &g);
    }

    /// Removes and returns the youngest item. Precondition: there is one.
    garbage* pop() noexcept
    {
        garbage* const g = top_;
        top_ = meld(g->next, g->other);
        return g;
    }

    /// Moves everything from `from` into this heap.
    void meld(birth_heap& from) noexcept { top_ = meld(top_, std::exchange(from.top_, nullptr)); }

    /// Moves everything to the end of `to`, in no particular order.
    void take_all(garbage_list& to) noexcept
    {
        // Rotates each left child up until the tree is a list. This walk needs neither a stack nor
        // links to parents.
        garbage* g = std::exchange(top_, nullptr);
        while (g != nullptr) {
            if (garbage* const left = g->next) {
                g->next = left->other;
                left->other = g;
                g = left;
            } else {
                garbage* const rest = g->other;
                to.push(g);
                g = rest;
            }
        }
    }

private:
    BOOST_NOINLINE static garbage* meld(garbage* a, garbage* b) noexcept
    {
        garbage* top = nullptr;
        garbage** at = &top;
        while (a != nullptr && b != nullptr) {
            if (a->birth < b->birth)
                std::swap(a, b);
            *at = a;
            // Swaps the children, then goes on with the new left child. The swap keeps the paths
            // short on average.
            garbage* const right = a->other;
            a->other = a->next;
            at = &a->next;
            a = right;
        }
        *at = a != nullptr ? a : b;
        return top;
    }

    garbage* top_ = nullptr;
};

}  // namespace reclaim
}  // namespace v1
}  // namespace registry_io

#endif
