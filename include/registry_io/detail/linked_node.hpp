// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// A node of firmware's linked list: the layout of its word, which holds level, key and name, and how
// single bytes of it are stored. The head of the list has the same layout, so that a walk compares
// both with one instruction.
// Invariant: a node's word is never that of the head.

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

/// Memory is as it is written here, before and after. Only the compiler has to be told so: an
/// interrupt on this core sees what was executed.
BOOST_FORCEINLINE void keep_order() noexcept
{
#if defined(__GNUC__)
    // To clang a fence alone is no reason why a function should touch static variables.
    __asm__ volatile("" ::: "memory");
#else
    std::atomic_signal_fence(std::memory_order_seq_cst);
#endif
}

/// What the head of a list and its nodes have in common.
///
/// `word` of a node, from the top: 8 bits, its level; 8 bits, its key, if that fits; 1 bit, set; 14
/// bits, its generation, of which the first two are set in a slot; 1 bit, whether it is registered.
/// `word` of the head: 8 bits, how many notifies run; 16 bits, none; 8 bits, at which levels
/// something has changed that a notify has to tidy up when it ends. So a node's word is never that
/// of the head, and it is the greater one of the same level: what the walk compares anyway tells
/// one from the other. `next` of a node is null when no list uses it.
struct link
{
    std::uint32_t word;
    link* next;

    /// Whether it is in any list: registered, or removed by a handler of a notify that still runs.
    static bool is_linked(link const& n) noexcept { return n.next != nullptr; }

    static bool is_registered(std::uint32_t w) noexcept { return (w & registered) != 0; }

    /// From the word of a registered node that of one which no notify calls and no handle names.
    static std::uint32_t dead(std::uint32_t w) noexcept { return (w | unreached) - registered; }

    static constexpr std::uint32_t level_step = 0x01000000;
    static constexpr std::uint32_t unreached = 0xFF000000;
    // At the level above it what is registered would look like what has been removed.
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

    /// One byte of a word: what is stored by itself is shorter than what is masked and shifted.
    static unsigned char& part(link& l, int byte) noexcept
    {
        return reinterpret_cast<unsigned char*>(
            &l.word)[std::endian::native == std::endian::big ? 3 - byte : byte];
    }

    /// g++ knows no more where it comes from: neither that it is part of a word, which it would
    /// compare with a constant of four bytes, nor that it was converted to a byte before.
    template <class T>
    static void hide([[maybe_unused]] T& n) noexcept
    {
#if defined(__GNUC__)
        __asm__("" : "+r"(n));
#endif
    }

    /// Whether `w < level`, and by how much it is above: one subtraction for both.
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

/// How a handler is called, without the type of its event.
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
