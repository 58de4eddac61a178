// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The linked list of the firmware registry. Writers change it by single stores, so that readers may
// interrupt them. It is a ring through the head; the level in each node tells a notify whether the
// node is older than the notify. `linked_list` explains levels, and why the list is complete after
// each store.
// Invariant: an interrupt at any instruction of a change walks the list either as it was before the
// change or as it is after the change.

#ifndef REGISTRY_IO_DETAIL_LINKED_HPP
#define REGISTRY_IO_DETAIL_LINKED_HPP

#include <cstddef>
#include <cstdint>
#include <new>
#include <type_traits>

#include <registry_io/config.hpp>
#include <registry_io/detail/linked_node.hpp>

// The walk decides what an interrupt costs. With -Os, g++ takes several jumps in each iteration of
// the loop. These options keep the blocks in source order, without those jumps, at the same size.
#if defined(__GNUC__) && !defined(__clang__) && defined(__arm__)
#define REGISTRY_IO_DETAIL_WALK                                                                    \
    [[gnu::noinline,                                                                               \
      gnu::optimize("O2", "no-shrink-wrap", "no-align-functions", "no-align-loops",                \
                    "no-align-jumps", "reorder-blocks-algorithm=simple")]]
#else
#define REGISTRY_IO_DETAIL_WALK BOOST_NOINLINE
#endif

// An interrupt that sees a change must also see what the program stored before it, and the program
// must see what the interrupt stored. With interprocedural analysis, g++ sees that a function which
// makes a change does not touch a static variable of the program, and keeps that variable in a
// register across the call, whatever barriers the function contains.
#if defined(__GNUC__) && !defined(__clang__)
#define REGISTRY_IO_DETAIL_CHANGE [[gnu::noipa]]
#else
#define REGISTRY_IO_DETAIL_CHANGE BOOST_NOINLINE
#endif

namespace registry_io {
inline namespace v1 {
namespace detail {

/// A list and its slots: the whole state of a registry.
template <class List, std::size_t N>
struct linked_slots
{
    List list;
    typename List::node places[N]{};
};
/// Without slots: the caller owns the nodes.
template <class List>
struct linked_slots<List, 0>
{
    List list;
};

/// Handlers in firing order, for one core. Neither the event's type nor the capacity is part of the
/// type, so all registries of a program share this code.
///
/// The list is a ring through its head. It is empty when `next` is null or the head. The rules:
///
/// * Only `notify` may interrupt. It restores what it changes, so the interrupted code does not
///   notice it. Writers, and the notifies whose handlers call them, are therefore one thread of
///   control. All that remains to be proved is what an interrupt sees between two stores of a
///   writer.
/// * A change becomes visible by one store of a word: the `next` that leads to a new node or past
///   an old one, or the word of a node. The list is complete before and after this store.
/// * A notify has a level, 1 for the outermost, and calls the nodes whose level is below its own.
///   A node that is registered while notifies run gets the level of the innermost notify: the
///   running notifies skip the node, and a notify that starts later, nested or not, calls it. A
///   node that is removed while notifies run stays in the list, at a level that no notify reaches,
///   so that running walks can go on from the node.
/// * A notify at whose level something has changed tidies up when it ends: it lowers the level of
///   the nodes that are new at its level by one, and the outermost notify unlinks removed nodes. An
///   interrupt changes nothing, so a notify in an interrupt has nothing to tidy up.
template <class Snapshot, class Ordering, class Panic>
class linked_list : public link
{
public:
    using key_type = typename Ordering::key_type;
    using node = linked_node<key_type>;
    /// The address of a node, with the node's name subtracted from its upper half.
    using handle_type = std::uint32_t;
    using invoke_type = void (*)(void*, void const*);
    /// The key of a node; `nullptr_t` without a key.
    using stored_key = std::conditional_t<std::is_void_v<key_type>, std::nullptr_t, key_type>;

    /// The arguments of `add` besides the handler: where the slots end, and the key.
    class place
    {
    public:
        place(std::uint32_t end, stored_key const& k) noexcept : bits(end << end_shift)
        {
            if constexpr (!key_in_word<key_type>)
                key = k;
            else if constexpr (!std::is_void_v<key_type>)
                bits |= __builtin_bit_cast(unsigned char, k);
        }

    private:
        friend class linked_list;
        std::uint32_t bits;
        struct nothing
        {
        };
        REGISTRY_IO_NO_UNIQUE_ADDRESS
        std::conditional_t<key_in_word<key_type>, nothing, stored_key> key;
    };

    constexpr linked_list() noexcept : link{0, nullptr} {}
    linked_list(linked_list const&) = delete;
    linked_list& operator=(linked_list const&) = delete;

    REGISTRY_IO_DETAIL_WALK void notify(void const* event) noexcept
    {
        std::uint32_t const outer = word;
        link* n = next;
        std::uint32_t const level = outer + level_step;
        word = level;
        keep_order();
        // Testing this late costs one instruction less if there are handlers.
        if (n == nullptr) [[unlikely]] {
            word = outer;
            return;
        }
        for (;; n = n->next) {
            std::uint32_t above = 0;
            while (below(n->word, level, above)) {
                linked_call const c = static_cast<node*>(n)->call;
                c.invoke(c.state, event);
                n = n->next;
            }
            if (above == 0) [[likely]] {  // the head, with nothing to tidy up
                keep_order();
                n->word = outer;
                return;
            }
            std::uint32_t lower = outer >> level_shift;
            hide(lower);
            // This notify's level is that of removed nodes, or has wrapped to 0, below all nodes.
            if (lower >= deepest) [[unlikely]]
                too_deep();
            // The head. Something has changed at this level, so this notify is not in an interrupt.
            if ((n->word & a_node) == 0) {
                static_cast<linked_list*>(n)->tidy_up(lower);
                return;
            }
            // A node that is new since this notify began, or has been removed: skip it.
        }
    }

    /// Calls `f(node)` for each node that a notify would call.
    template <class F>
    void each(F& f)
    {
        std::uint32_t const outer = word;
        link* n = next;
        if (n == nullptr)
            return;
        std::uint32_t const level = outer + level_step;
        if (outer >> level_shift >= deepest) [[unlikely]]
            too_deep();
        struct leaving
        {
            linked_list* list;
            std::uint32_t outer;
            ~leaving()
            {
                keep_order();
                if (list->word == outer + level_step)
                    list->word = outer;
                else
                    list->tidy_up(outer >> level_shift);
            }
        } const end{this, outer};
        word = level;
        keep_order();
        for (; n != this; n = n->next)
            if (n->word < level)
                f(*static_cast<node*>(n));
    }

    /// Adds a handler and returns its handle; returns 0 if no slot is free. The slot of a handler
    /// that was removed during a notify is free when the outermost notify has ended.
    REGISTRY_IO_DETAIL_CHANGE handle_type add(place p, invoke_type invoke, void* state) noexcept
    {
        check_writer();
        // The loop ends at the head, which is smaller than a slot.
        std::uint32_t at = p.bits >> end_shift;
        while (!below(at, sizeof(node), at)) {
            node& n = *slot(at);
            if (is_linked(n))
                continue;
            // Sets the next generation, which may wrap.
            std::uint32_t const name = (n.word + generation_step + registered) | in_slots;
            enter(n, p, invoke, state, name);
            return handle(n, name);
        }
        return 0;
    }

    /// Removes a handler. Returns 0, or a value other than 0 if this list has no such handler:
    /// whichever value is in the register.
    REGISTRY_IO_DETAIL_CHANGE std::uint32_t remove(std::uint32_t end, handle_type handle) noexcept
    {
        check_writer();
        node* n = nullptr;
        if (has(end, handle, n))
            leave(*n);
        return handle;
    }

    REGISTRY_IO_DETAIL_CHANGE std::uint32_t clear() noexcept
    {
        check_writer();
        link* const first = next;
        if (first == nullptr)
            return 0;
        // Hides all nodes by one store, marks them as removed and puts them back: running walks may
        // be at one of them.
        publish(next, this);
        std::uint32_t removed = 0;
        for (link* n = first; n != this; n = n->next)
            if (is_registered(n->word)) {
                n->word = dead(n->word);
                ++removed;
            }
        publish(next, first);
        tidy_up(part(*this, level_byte));
        return removed;
    }

    /// Returns the node of a handle; null if the handle is of another list or no longer registered.
    node* find(std::uint32_t end, handle_type handle) noexcept
    {
        node* n = nullptr;
        return has(end, handle, n) ? n : nullptr;
    }

    std::uint32_t size() const noexcept
    {
        std::uint32_t n = 0;
        if (next != nullptr)
            for (link const* l = next; l != this; l = l->next)
                n += is_registered(l->word) ? 1 : 0;
        return n;
    }

    bool empty() const noexcept { return size() == 0; }

    /// Whether a notify is running, in this context or in a context that this one has interrupted.
    bool is_notifying() const noexcept { return word != 0; }

    /// The handle of a registered node.
    static handle_type handle(node const& n) noexcept { return handle(n, n.word); }

    static stored_key key_of(node const& n) noexcept
    {
        if constexpr (std::is_void_v<key_type>)
            return nullptr;
        else if constexpr (key_in_word<key_type>)
            return __builtin_bit_cast(key_type, static_cast<unsigned char>(n.word >> key_shift));
        else
            return n.key;
    }

    static stored_key key_of(place const& p) noexcept
    {
        if constexpr (std::is_void_v<key_type>)
            return nullptr;
        else if constexpr (key_in_word<key_type>)
            return __builtin_bit_cast(key_type, static_cast<unsigned char>(p.bits));
        else
            return p.key;
    }

    static void check_writer() noexcept
    {
        if (!Snapshot::may_write()) [[unlikely]]
            Panic::fatal("registry_io: a registry cannot be changed in an interrupt");
    }

    static constexpr std::uint32_t first_slot =
        (sizeof(link) + alignof(node) - 1) / alignof(node) * alignof(node);

protected:
    /// Fills in a node that is not in the list, and puts it into the list.
    BOOST_FORCEINLINE void enter(node& n, place const& p, invoke_type invoke, void* state,
                                 std::uint32_t name) noexcept
    {
        n.call = {state, invoke};
        if constexpr (!key_in_word<key_type>)
            n.key = p.key;
        n.word = name;
        part(n, key_byte) = static_cast<unsigned char>(p.bits);
        unsigned char const level = part(*this, level_byte);
        part(n, level_byte) = level;
        if (next == nullptr)
            next = this;
        stored_key const key = key_of(p);
        link* before = this;
        while (before->next != this && !goes_first(key, *static_cast<node*>(before->next)))
            before = before->next;
        n.next = before->next;
        // Tells the innermost notify that there is something to tidy up: this byte was smaller when
        // the notify began. If no notify runs, the level is 0, and so is the byte.
        part(*this, changed_byte) = level;
        publish(before->next, &n);
    }

    /// Returns whether this list has the handler that `handle` names, and sets `n` to its node.
    /// Sets `handle` to 0 if so, and to another value if not.
    BOOST_FORCEINLINE bool has(std::uint32_t end, handle_type& handle, node*& n) noexcept
    {
        // Minus the address of the list, the empty handle might equal a valid one.
        bool const empty = handle == 0;
        // All slots lie within 64 KB, so the lower half is now the offset of the node and the upper
        // half is its negated name. A node of another list has an offset outside of the slots,
        // unless that list is 64 KB or more away.
        handle -= address(this);
        std::uint32_t const at = handle & offset_mask;
        if (empty || at >= end) {
            // The lower half of a wider address may be 0.
            if (sizeof(void*) != 4)
                handle = 1;
            return false;
        }
        n = slot(at);
        handle = (n->word + (handle >> name_shift)) & name_mask;
        return handle == 0;
    }

    /// Removes a registered node: unlinks it now, or when no walk can be at it any more.
    BOOST_FORCEINLINE void leave(node& n) noexcept
    {
        // This store hides the node. The rest is for walks that may be at it.
        n.word = dead(n.word);
        keep_order();
        tidy_up(part(*this, level_byte));
    }

    // The slots follow the head in `linked_slots`, so a slot's address is the head's plus an
    // offset. An offset in bytes takes less code than an index.
    node* slot(std::uintptr_t at) noexcept
    {
        return std::launder(reinterpret_cast<node*>(reinterpret_cast<std::byte*>(this) + at));
    }
    // Never 0, the empty handle: for that, the name would have to equal the upper half of its
    // node's address. Names in slots begin at 0xE000, where a Cortex-M has its system region only.
    static handle_type handle(node const& n, std::uint32_t name) noexcept
    {
        return address(&n) - (name << name_shift);
    }
    static std::uint32_t address(link const* l) noexcept
    {
        // Other machines may have nodes at any address; adding 1 makes it odd, so never 0.
        return static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(l)) + (cortex_m ? 0 : 1);
    }

    static bool goes_first(stored_key const& key, node const& n) noexcept
    {
        if constexpr (std::is_void_v<key_type>)
            return false;
        else
            return Ordering().before(key, key_of(n));
    }

    /// Stores a link. An interrupt sees the change from this store on, and not before.
    static void publish(link*& place, link* value) noexcept
    {
        keep_order();
        place = value;
        keep_order();
    }

    static void too_deep() noexcept { Panic::fatal("registry_io: notify is nested too deep"); }

    /// Tidies up at the end of the notify of level `lower + 1`, or after a change at level `lower`.
    BOOST_NOINLINE void tidy_up(std::uint32_t lower) noexcept
    {
        link* before = this;
        for (;;) {
            link* const n = before->next;
            std::uint32_t const level = part(*n, level_byte);
            if (level > lower) {
                if (level == unreached >> level_shift) {
                    if (lower == 0) {
                        publish(before->next, n->next);
                        n->next = nullptr;
                        continue;
                    }
                } else {
                    // At the end of a notify this also lowers the head, as the last one: until then
                    // an interrupt calls nodes that are not lowered yet.
                    keep_order();
                    part(*n, level_byte) = static_cast<unsigned char>(lower);
                }
            }
            before = n;
            if ((n->word & a_node) == 0)
                break;
        }
        hide(lower);
        // `before` is the head now. An interrupt before this store restores the level and the mark
        // that it finds.
        part(*before, changed_byte) = static_cast<unsigned char>(lower);
    }
};

}  // namespace detail
}  // namespace v1
}  // namespace registry_io

#endif
