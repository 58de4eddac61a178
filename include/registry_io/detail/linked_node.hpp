// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// A node of the firmware registry's linked list: the bits of its word (level, key, name), and the
// functions that read and store parts of the word. The head of the list has a word too, so that one
// comparison in the walk tells both whether a handler runs and whether the walk has ended.
// Invariant: a node's word never equals the head's word.

#ifndef REGISTRY_IO_DETAIL_LINKED_NODE_HPP
#define REGISTRY_IO_DETAIL_LINKED_NODE_HPP

#include <atomic>
#include <bit>
#include <cstdint>
#include <type_traits>

#include <boost/config.hpp>

namespace registry_io {
inline namespace v1 {
namespace detail {

/// Keeps the compiler from moving loads and stores across this call. No CPU fence is needed: an
/// interrupt on the same core sees all stores that were executed before it.
BOOST_FORCEINLINE void keep_order() noexcept
{
#if defined(__GNUC__)
    // A fence alone does not make clang assume that the function touches static variables.
    __asm__ volatile("" ::: "memory");
#else
    std::atomic_signal_fence(std::memory_order_seq_cst);
#endif
}

/// The common base of a list's head and its nodes.
///
/// `word` of a node, from the top: 8 bits, the level; 8 bits, the key, if it fits; 1 bit, always
/// set; 14 bits, the generation, whose two top bits are set in a slot; 1 bit, whether the node is
/// registered. `word` of the head: 8 bits, the number of running notifies; 16 bits, zero; 8 bits,
/// the level at which something has changed that a notify must tidy up when it ends, or 0. At the
/// same level, a node's word is therefore greater than the head's, and the comparison with the
/// level that the walk needs anyway also finds the head. `next` of a node is null when no list uses
/// the node.
struct link
{
    std::uint32_t word;
    link* next;

    /// Whether the node is in a list: registered, or removed during a notify that still runs.
    static bool is_linked(link const& n) noexcept { return n.next != nullptr; }

    static bool is_registered(std::uint32_t w) noexcept { return (w & registered) != 0; }

    /// Makes the word of a removed node from `w`, the word of a registered one. No notify calls a
    /// removed node, and no handle names it.
    static std::uint32_t dead(std::uint32_t w) noexcept { return (w | unreached) - registered; }

    static constexpr std::uint32_t level_step = 0x01000000;
    static constexpr std::uint32_t unreached = 0xFF000000;
    // One level deeper, registered nodes would have the level of removed nodes.
    static constexpr std::uint32_t deepest = 0xFE;
    static constexpr std::uint32_t a_node = 0x00008000;
    static constexpr std::uint32_t in_slots = 0x0000E000;
    static constexpr std::uint32_t generation_step = 2;
    static constexpr std::uint32_t registered = 0x00000001;
    static constexpr std::uint32_t name_mask = 0x0000FFFF;
    static constexpr std::uint32_t offset_mask = 0x0000FFFF;
    static constexpr int name_shift = 16;
    static constexpr int end_shift = 8;
    static constexpr int key_shift = 16;
    static constexpr int level_shift = 24;
    static constexpr int changed_byte = 0;
    static constexpr int key_byte = 2;
    static constexpr int level_byte = 3;

    /// One byte of a word. Storing the byte alone takes less code than masking and shifting.
    static unsigned char& part(link& l, int byte) noexcept
    {
        return reinterpret_cast<unsigned char*>(
            &l.word)[std::endian::native == std::endian::big ? 3 - byte : byte];
    }

    /// Hides from g++ where a value comes from. Otherwise g++ compares the word that the value is
    /// part of with a constant of four bytes, or uses an earlier conversion of the value to a byte.
    template <class T>
    static void hide([[maybe_unused]] T& n) noexcept
    {
#if defined(__GNUC__)
        __asm__("" : "+r"(n));
#endif
    }

    /// Returns whether `w < level`, and sets `above` to `w - level`: one subtraction for both.
    static bool below(std::uint32_t w, std::uint32_t level, std::uint32_t& above) noexcept
    {
#if defined(__GNUC__)
        return __builtin_sub_overflow(w, level, &above);
#else
        above = w - level;
        return w < level;
#endif
    }
};

/// A handler's function and its argument, independent of the event's type.
struct linked_call
{
    void* state;
    void (*invoke)(void*, void const*);
};

#if defined(__ARM_ARCH_PROFILE) && __ARM_ARCH_PROFILE == 'M'
inline constexpr bool cortex_m = true;
#else
inline constexpr bool cortex_m = false;
#endif

template <class Key>
inline constexpr bool key_in_word = std::is_trivially_copyable_v<Key> && sizeof(Key) == 1;
template <>
inline constexpr bool key_in_word<void> = true;

template <class Key, bool InWord = key_in_word<Key>>
struct linked_node : link
{
    linked_call call;
};
template <class Key>
struct linked_node<Key, false> : link
{
    linked_call call;
    Key key;
};

}  // namespace detail
}  // namespace v1
}  // namespace registry_io

#endif
