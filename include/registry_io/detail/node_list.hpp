// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The linked list over nodes that the caller owns, for `alloc::intrusive`, and the node types that
// the caller declares. A node may lie anywhere and may be destroyed after its removal. A handle is
// therefore searched in the list; the address in it is never dereferenced.

#ifndef REGISTRY_IO_DETAIL_NODE_LIST_HPP
#define REGISTRY_IO_DETAIL_NODE_LIST_HPP

#include <cstdint>

#include <registry_io/detail/linked.hpp>
#include <registry_io/detail/linked_node.hpp>
#include <registry_io/registry_fwd.hpp>

namespace registry_io {
inline namespace v1 {
namespace detail {

/// The last name given to a node that a caller owns. One counter for all lists of the program.
struct node_names
{
    inline static constinit std::uint32_t last = 0;
};

/// A `linked_list` over nodes that the caller owns.
///
/// A handle holds the address and the name of its node. The node may no longer exist, so `find`
/// compares the handle with the nodes in the list. The counter for names is not in the node, since
/// a new node may reuse the address of an old one, and not in the list, since a node may move from
/// one list to another.
template <class Snapshot, class Ordering, class Panic>
class node_list : public linked_list<Snapshot, Ordering, Panic>
{
    using base = linked_list<Snapshot, Ordering, Panic>;

public:
    using handle_type = std::uint64_t;
    using node = typename base::node;
    using place = typename base::place;

    /// Adds `n` and returns its handle; returns 0 if `n` is in a list already.
    REGISTRY_IO_DETAIL_CHANGE handle_type add(node& n, place p, typename base::invoke_type invoke,
                                              void* state) noexcept
    {
        base::check_writer();
        if (base::is_linked(n))
            return 0;
        std::uint32_t const name = node_names::last += base::generation_step;
        this->enter(n, p, invoke, state, name | base::registered | base::a_node);
        return handle(n);
    }

    std::uint32_t remove(std::uint32_t, handle_type handle) noexcept { return remove(handle); }
    REGISTRY_IO_DETAIL_CHANGE std::uint32_t remove(handle_type handle) noexcept
    {
        base::check_writer();
        node* const n = find(0, handle);
        if (n == nullptr)
            return 1;
        this->leave(*n);
        return 0;
    }

    node* find(std::uint32_t, handle_type which) noexcept
    {
        if (this->next != nullptr)
            for (link* l = this->next; l != this; l = l->next)
                if (handle(*static_cast<node*>(l)) == which)
                    return static_cast<node*>(l);
        return nullptr;
    }

    static handle_type handle(node const& n) noexcept
    {
        return handle_type(reinterpret_cast<std::uintptr_t>(&n)) << base::name_shift |
            (n.word & base::name_mask);
    }
};

/// The node that the caller declares for each handler.
template <class List>
class static_node
{
public:
    constexpr static_node() noexcept = default;
    static_node(static_node const&) = delete;
    static_node& operator=(static_node const&) = delete;

    /// Whether a registry uses the node. If not, you may register it again or destroy it. A node
    /// that is removed while a notify runs stays in use until the outermost notify has ended.
    bool linked() const noexcept { return List::is_linked(node_); }

private:
    template <class, class, class, class, class>
    friend class registry_io::basic_registry;

    typename List::node node_{};
};

/// A `static_node` whose destructor calls `fatal` if a registry still uses the node.
template <class List, class Panic>
class checked_node : public static_node<List>
{
public:
    constexpr checked_node() noexcept = default;
    ~checked_node()
    {
        if (this->linked()) [[unlikely]]
            Panic::fatal("registry_io: a node was destroyed while its registry used it");
    }
};

}  // namespace detail
}  // namespace v1
}  // namespace registry_io

#endif
