// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Garbage is what a writer takes out of a registry. Snapshot policies keep it in lists until no
// reader can see it. They know only when it was first visible and how to destroy it.

#ifndef REGISTRY_IO_GARBAGE_HPP
#define REGISTRY_IO_GARBAGE_HPP

#include <registry_io/detail/supported.hpp>

#include <cstdint>

namespace registry_io {
inline namespace v1 {

/// Something that a writer took out of a registry and that readers may still see: the captures of a
/// handler, a callback, a table or a part of one. An intrusive node, so retiring it allocates
/// nothing and cannot fail.
struct garbage
{
    /// Destroys the object and frees its memory. May run user code (destructors of captures).
    using destroy_type = void (*)(garbage*) noexcept;

    explicit constexpr garbage(destroy_type f) noexcept : destroy(f) {}

    garbage* next = nullptr;
    garbage* other = nullptr;  ///< for policies that keep garbage in a tree
    destroy_type destroy;
    /// The version of the first root that shows this object; for a root, its own version.
    std::uint64_t birth = 0;
};

/// A list of garbage in the order in which it was added. Owns nothing: only `destroy_all` destroys
/// the elements.
class garbage_list
{
public:
    constexpr garbage_list() noexcept = default;

    bool empty() const noexcept { return head_ == nullptr; }
    garbage* head() const noexcept { return head_; }
    /// The last element. Precondition: the list is not empty.
    garbage* tail() const noexcept { return tail_; }

    void push(garbage* g) noexcept
    {
        g->next = nullptr;
        (head_ == nullptr ? head_ : tail_->next) = g;
        tail_ = g;
    }

    /// Moves all elements of `other` to the end.
    void append(garbage_list& other) noexcept
    {
        if (other.head_ == nullptr)
            return;
        (head_ == nullptr ? head_ : tail_->next) = other.head_;
        tail_ = other.tail_;
        other.head_ = nullptr;
    }

    garbage* pop() noexcept
    {
        garbage* g = head_;
        if (g != nullptr)
            head_ = g->next;
        return g;
    }

    /// Destroys all elements in the order in which they were added. The list is empty before the
    /// first destructor runs, so a destructor may use or destroy the list.
    void destroy_all() noexcept
    {
        garbage_list mine = *this;
        *this = garbage_list();
        while (garbage* g = mine.pop())
            g->destroy(g);
    }

private:
    garbage* head_ = nullptr;
    garbage* tail_ = nullptr;
};

}  // namespace v1
}  // namespace registry_io

#endif
