// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// A list that is changed by single stores, for readers that interrupt its writer: a ring through
// its head, with a level in each node that tells a notify which nodes are older than itself. The
// idea of levels, and why each store leaves a complete list behind, is written at `linked_list`.
// Invariant: at every instruction, an interrupt that walks the list sees it as before the change or
// as after it.

#ifndef REGISTRY_IO_DETAIL_LINKED_HPP
#define REGISTRY_IO_DETAIL_LINKED_HPP

#include <cstddef>
#include <cstdint>
#include <new>
#include <type_traits>

#include <registry_io/config.hpp>
#include <registry_io/detail/linked_node.hpp>

// The walk decides what an interrupt costs. For size, g++ jumps back and forth in each round of it;
// so, with its blocks left where they are and nothing aligned, it does not, and is not longer.
#if defined(__GNUC__) && !defined(__clang__) && defined(__arm__)
#define REGISTRY_IO_DETAIL_WALK                                                                    \
    [[gnu::noinline,                                                                               \
      gnu::optimize("O2", "no-shrink-wrap", "no-align-functions", "no-align-loops",                \
                    "no-align-jumps", "reorder-blocks-algorithm=simple")]]
#else
#define REGISTRY_IO_DETAIL_WALK BOOST_NOINLINE
#endif

// What a program has stored before a change must be there for the interrupt that sees the change,
// and what an interrupt has stored must be found after it. g++ would look into the functions that
// make changes, barriers or not, see that they do not touch a static variable of the program, and
// keep that from memory across the call.
#if defined(__GNUC__) && !defined(__clang__)
#define REGISTRY_IO_DETAIL_CHANGE [[gnu::noipa]]
#else
#define REGISTRY_IO_DETAIL_CHANGE BOOST_NOINLINE
#endif

namespace registry_io {
inline namespace v1 {
namespace detail {

/// A list and its slots. They are all that a registry is.
template <class List, std::size_t N>
struct linked_slots
{
    List list;
    typename List::node places[N]{};
};
/// The nodes are the caller's.
template <class List>
struct linked_slots<List, 0>
{
    List list;
};

/// Handlers in firing order, for one core. Neither the event's type nor the capacity is part of the
/// type, so that all registries of a program share this code.
///
/// The list is a ring through its head, empty when `next` is null or the head. The rules:
///
/// * Only `notify` may interrupt, and it puts back what it changes: to what it interrupts, it is
///   as if nothing had happened. So writers and the notifies that they run in are one thread of
///   control, and the only question is what an interrupt sees between two of its stores.
/// * A change becomes visible by one store of a word: the `next` that leads to a new node, or past
///   an old one, or the word of a node. Before and after are complete lists.
/// * A notify has a level, 1 for the outermost, and calls the nodes whose level is below its own.
///   A node that is registered while notifies run gets the level of the innermost: they all pass it
///   by, and one that starts later, nested or not, calls it. A node that is removed while notifies
///   run stays in the list, at a level that none reaches, so that no walk loses its way.
/// * A notify at whose level something has changed tidies up when it ends: what was new at its
///   level is lowered by one, and the outermost takes out what was removed. An interrupt changes
///   nothing, so it never finds anything to tidy up.
template <class Snapshot, class Ordering, class Panic>
class linked_list : public link
{
public:
    using key_type = typename Ordering::key_type;
    using node = linked_node<key_type>;
    /// The address of a node, and subtracted from its upper half, its name.
    using handle_type = std::uint32_t;
    using invoke_type = void (*)(void*, void const*);
    /// What `add` takes where there is no key.
    using stored_key = std::conditional_t<std::is_void_v<key_type>, std::nullptr_t, key_type>;

    /// What `add` is told beside the handler: where the slots end, and the key.
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
        // Asked this late it costs one instruction less where there are handlers.
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
            if (above == 0) [[likely]] {  // the head, and nothing to tidy up
                keep_order();
                n->word = outer;
                return;
            }
            std::uint32_t lower = outer >> level_shift;
            hide(lower);
            // At the level of what has been removed, or so deep that it is 0 again and above no
            // node.
            if (lower >= deepest) [[unlikely]]
                too_deep();
            // The head. Something has changed at this level, so this is not an interrupt.
            if ((n->word & a_node) == 0) {
                static_cast<linked_list*>(n)->tidy_up(lower);
                return;
            }
            // What is new since this notify began, or has been removed, is passed by.
        }
    }

    /// Calls `f(node)` for what a notify would call.
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

    /// A handle, 0 when all slots are taken. What has been removed while notifies run takes its
    /// slot until the outermost has ended.
    REGISTRY_IO_DETAIL_CHANGE handle_type add(place p, invoke_type invoke, void* state) noexcept
    {
        check_writer();
        // What precedes the slots is smaller than one.
        std::uint32_t at = p.bits >> end_shift;
        while (!below(at, sizeof(node), at)) {
            node& n = *slot(at);
            if (is_linked(n))
                continue;
            // The next generation, which may wrap.
            std::uint32_t const name = (n.word + generation_step + registered) | in_slots;
            enter(n, p, invoke, state, name);
            return handle(n, name);
        }
        return 0;
    }

    /// Zero, or something else when this list has no such handler: what is at hand there.
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
        // Out of sight all at once, and then put back as dead, for the walks that may be among
        // them.
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

    /// The node of a handle, if it is one of this list and still registered.
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

    /// Whether a notify is running, in this context or in one that this one has interrupted.
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
        // Tells the innermost notify that there is something to tidy up: when it began, what is
        // below the level was a smaller number. Nothing when none runs.
        part(*this, changed_byte) = level;
        publish(before->next, &n);
    }

    /// Whether this list has what `handle` names, and its node. `handle` becomes 0 if so, and
    /// something else if not.
    BOOST_FORCEINLINE bool has(std::uint32_t end, handle_type& handle, node*& n) noexcept
    {
        // Less the address of a list, the empty handle might look like another one.
        bool const empty = handle == 0;
        // All slots lie within 64 KB, so this is where the node is, and above it its name, negated.
        // A node of another list is not there, unless that lies in other 64 KB.
        handle -= address(this);
        std::uint32_t const at = handle & offset_mask;
        if (empty || at >= end) {
            // Only half of an address may be 0.
            if (sizeof(void*) != 4)
                handle = 1;
            return false;
        }
        n = slot(at);
        handle = (n->word + (handle >> name_shift)) & name_mask;
        return handle == 0;
    }

    /// Takes out a registered node, at once or when no walk can be at it any more.
    BOOST_FORCEINLINE void leave(node& n) noexcept
    {
        // Out of sight by this store. The rest is for the walks that may be at it.
        n.word = dead(n.word);
        keep_order();
        tidy_up(part(*this, level_byte));
    }

    // The slots follow the head, in `linked_slots`, so the address of one leads to that of the
    // other. Where one is, is counted in bytes from the head: that is shorter than an index.
    node* slot(std::uintptr_t at) noexcept
    {
        return std::launder(reinterpret_cast<node*>(reinterpret_cast<std::byte*>(this) + at));
    }
    // Never 0, which says that there is no handler: that would take a name that is the upper half
    // of its node's address, and names in slots are from where a Cortex-M has only its system.
    static handle_type handle(node const& n, std::uint32_t name) noexcept
    {
        return address(&n) - (name << name_shift);
    }
    static std::uint32_t address(link const* l) noexcept
    {
        // Elsewhere there may be anything, but nothing whose address is odd.
        return static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(l)) + (cortex_m ? 0 : 1);
    }

    static bool goes_first(stored_key const& key, node const& n) noexcept
    {
        if constexpr (std::is_void_v<key_type>)
            return false;
        else
            return Ordering().before(key, key_of(n));
    }

    /// The store after which an interrupt sees the change, and not a moment before.
    static void publish(link*& place, link* value) noexcept
    {
        keep_order();
        place = value;
        keep_order();
    }

    static void too_deep() noexcept { Panic::fatal("registry_io: notify is nested too deep"); }

    /// What is due when the notify of level `lower + 1` ends, or nothing but a change was under
    /// way.
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
                    // At the end of a notify this lowers the head, too, and last: until then an
                    // interrupt calls what has not been lowered yet.
                    keep_order();
                    part(*n, level_byte) = static_cast<unsigned char>(lower);
                }
            }
            before = n;
            if ((n->word & a_node) == 0)
                break;
        }
        hide(lower);
        // Of the head, which `before` is by now. An interrupt before this takes level and mark as
        // it finds them, and puts them back.
        part(*before, changed_byte) = static_cast<unsigned char>(lower);
    }
};

}  // namespace detail
}  // namespace v1
}  // namespace registry_io

#endif
