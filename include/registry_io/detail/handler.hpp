// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Type-erased handlers: the entry that a walk calls, and the block that holds a handler too large
// for its entry. Neither depends on the event's type, so registries of all event types share the
// code that moves them.

#ifndef REGISTRY_IO_DETAIL_HANDLER_HPP
#define REGISTRY_IO_DETAIL_HANDLER_HPP

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <type_traits>
#include <utility>

#include <boost/core/addressof.hpp>

#include <registry_io/config.hpp>
#include <registry_io/detail/allocation.hpp>
#include <registry_io/detail/callable.hpp>
#include <registry_io/garbage.hpp>

namespace registry_io {
inline namespace v1 {
namespace detail {

/// One handler in a table: a function that takes the event's address, and its argument. The entry
/// does not depend on the event's type, so registries of all event types share the code that writes
/// entries.
struct REGISTRY_IO_EXPORT entry
{
    void (*invoke)(void* state, void const* event);
    void* state;
};

/// An entry to be added to a table, with the value that a table with runs keeps beside it.
struct new_entry : entry
{
    /// The distance from `invoke` to the function that calls several adjacent entries of this type;
    /// 0 if there is no such function.
    std::int32_t run = 0;
};

struct no_key
{
};

/// Whether keys lie in the tables. They do not if copying a key could fail or cost much, or if a
/// table cannot hold it: rows are assigned to, and are aligned as a number of 64 bits.
template <class Key>
inline constexpr bool key_in_table = std::is_trivially_copyable_v<Key> &&
    std::is_copy_constructible_v<Key> && std::is_copy_assignable_v<Key> &&
    sizeof(Key) <= 2 * sizeof(void*) && alignof(Key) <= alignof(std::uint64_t);
template <>
inline constexpr bool key_in_table<void> = true;

/// The key of a registration without one.
template <class Key>
auto default_key()
{
    if constexpr (std::is_void_v<Key>)
        return no_key();
    else
        return Key();
}

template <class Key>
struct stored_key
{
    using type = std::conditional_t<key_in_table<Key>, Key, Key const*>;
};
template <>
struct stored_key<void>
{
    using type = no_key;
};

/// The key in a block; empty unless the tables hold a pointer to the key.
template <class Key, bool InTable>
struct key_holder
{
    explicit key_holder(typename stored_key<Key>::type const&) noexcept {}
};
template <class Key>
struct key_holder<Key, false>
{
    explicit key_holder(Key&& k) : key(std::move(k)) {}
    Key key;
};

/// The part of a handler's block that does not depend on the handler's type. The state of an entry
/// points to it if the handler does not fit in the entry.
template <class State>
struct block_base : garbage
{
    using garbage::garbage;
    REGISTRY_IO_NO_UNIQUE_ADDRESS State state{};
};

template <class F, class State, class Holder, class Source>
struct block : block_base<State>
{
    template <class G, class K>
    block(Source const& s, G&& g, K&& k)
        : block_base<State>(&destroy_block),
          source(s),
          holder(std::forward<K>(k)),
          f(std::forward<G>(g))
    {
    }

    template <class G, class K>
    static block* make(Source source, G&& g, K&& k)
    {
        return detail::create<block>(source, source, std::forward<G>(g), std::forward<K>(k));
    }

    static void destroy_block(garbage* g) noexcept
    {
        auto* const b = static_cast<block*>(g);
        detail::destroy(b, b->source);
    }

    REGISTRY_IO_NO_UNIQUE_ADDRESS Source source;
    REGISTRY_IO_NO_UNIQUE_ADDRESS Holder holder;
    REGISTRY_IO_NO_UNIQUE_ADDRESS F f;
};

/// Calls a handler that lives in its entry.
template <class F, class Event, class Policy>
struct word_call
{
    static void invoke(void* state, void const* event)
    {
        if constexpr (mutable_members_of<F> == mutable_members::none ||
                      std::has_unique_object_representations_v<F>) {
            // A value, which compilers keep in a register if they see the call: the loop over a run
            // is twice as fast as a loop that stores a copy for each call.
            struct bytes
            {
                std::byte of[sizeof(F)];
            } copy;
            std::memcpy(copy.of, static_cast<void const*>(&state), sizeof(F));
            F f = std::bit_cast<F>(copy);
            static_cast<void>(detail::invoke(std::as_const(f), *static_cast<Event const*>(event)));
            detail::check_unchanged<F, Policy>(static_cast<void const*>(boost::addressof(f)),
                                               static_cast<void const*>(&state));
        } else {
            alignas(void*) std::byte copy[sizeof(void*)];
            std::memcpy(copy, static_cast<void const*>(&state), sizeof(void*));
            static_cast<void>(detail::invoke(*std::launder(reinterpret_cast<F const*>(copy)),
                                             *static_cast<Event const*>(event)));
            detail::check_unchanged<F, Policy>(copy, static_cast<void const*>(&state));
        }
    }

    /// The state of the entry for `f`.
    static void* state_of(F const& f) noexcept
    {
        void* state = nullptr;
        if constexpr (!std::is_empty_v<F>)
            std::memcpy(static_cast<void*>(&state), static_cast<void const*>(boost::addressof(f)),
                        sizeof(F));
        return state;
    }
};

/// Calls a handler in a block. `Callable` is `F const` if several threads may call the handler.
template <class Block, class Callable, class Base, class Event>
struct block_call
{
    static void invoke(void* state, void const* event)
    {
        static_cast<void>(detail::invoke(
            static_cast<Callable&>(static_cast<Block*>(static_cast<Base*>(state))->f),
            *static_cast<Event const*>(event)));
    }

    /// The state of the entry for the handler in `b`.
    static void* state_of(Block* b) noexcept { return static_cast<Base*>(b); }
};

}  // namespace detail

}  // namespace v1
}  // namespace registry_io

#endif
