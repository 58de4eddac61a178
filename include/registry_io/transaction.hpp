// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Transactions: changes that are collected without the writers' lock, each in a block of its own,
// and then applied under the lock as one edit of the tables. Ids are given out while changes are
// collected. The place of a handler follows from its key and id alone, so it does not matter which
// transaction ends first.

#ifndef REGISTRY_IO_TRANSACTION_HPP
#define REGISTRY_IO_TRANSACTION_HPP

#include <registry_io/detail/supported.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include <registry_io/config.hpp>
#include <registry_io/detail/allocation.hpp>
#include <registry_io/detail/handler.hpp>
#include <registry_io/garbage.hpp>
#include <registry_io/handler_id.hpp>

namespace registry_io {
inline namespace v1 {

/// What a transaction did.
struct update_result
{
    std::size_t registered = 0;    ///< how many handlers were added
    std::size_t unregistered = 0;  ///< how many were removed, each counted once

    friend bool operator==(update_result const&, update_result const&) = default;
};

/// Changes that are applied together: the argument of the function that `update` calls.
///
/// Ids are given out at once. No change is visible before the function has returned. Precondition
/// of all members: called by the thread that called `update`, while its function runs. Refer to the
/// type as `Registry::transaction`; the template parameter is internal.
template <class Engine>
class basic_transaction
{
    using writers = typename Engine::writers;
    using incoming = typename Engine::incoming;
    using source = typename Engine::source;

public:
    basic_transaction(basic_transaction const&) = delete;
    basic_transaction& operator=(basic_transaction const&) = delete;

    /// Adds a handler, with a value-initialised key if the ordering has keys, when the transaction
    /// ends. Returns the id that the handler will have. Throws as the registry's member.
    template <class F>
    handler_id register_handler(F&& f)
    {
        return Engine::add_to(*this, std::forward<F>(f));
    }

    /// Adds a handler with a key, or a member function with its object; otherwise as above.
    template <class Key, class F>
    handler_id register_handler(Key&& priority, F&& f)
    {
        return Engine::add_to(*this, std::forward<Key>(priority), std::forward<F>(f));
    }

    /// Adds a member function and its object as a handler with a key; otherwise as above.
    template <class Key, class Member, class Object>
        requires std::is_member_pointer_v<Member>
    handler_id register_handler(Key&& priority, Member member, Object&& object)
    {
        return Engine::add_to(*this, std::forward<Key>(priority), member,
                              std::forward<Object>(object));
    }

    /// Removes a handler when the transaction ends; it may be one that the transaction adds.
    /// Whether the handler was registered is known only then: see `update_result::unregistered`.
    void unregister(handler_id id)
    {
        if (writers* const w = engine_.mine(id); w != nullptr && id)
            push(new_op(*w, incoming(), id.value(), false));
    }

    /// Removes, when the transaction ends, all handlers that are registered at that time, except
    /// those that the transaction adds.
    void clear() noexcept { clear_ = true; }

private:
    friend Engine;

    struct op
    {
        op(incoming&& i, std::uint64_t n, bool a, source const& s)
            : in(std::move(i)), id(n), adds(a), memory(s)
        {
        }
        op(op const&) = delete;
        op& operator=(op const&) = delete;

        op* next = nullptr;
        incoming in;
        std::uint64_t id;
        bool adds;
        REGISTRY_IO_NO_UNIQUE_ADDRESS source memory;
    };

    explicit basic_transaction(Engine& e) noexcept : engine_(e) {}

    ~basic_transaction()
    {
        // Does not use the registry, which the captures of a removed handler may have destroyed.
        while (op* const o = first_) {
            first_ = o->next;
            detail::destroy(o, o->memory);
        }
    }

    template <class Key, class F>
    handler_id add(Key&& key, F&& f)
    {
        std::uint64_t const id = engine_.template reserve_id<F>();
        return keep(engine_.prepare(std::forward<Key>(key), std::forward<F>(f), id), id);
    }

    handler_id keep(incoming in, std::uint64_t reserved)
    {
        writers& w = engine_.make_known();
        op* const o = new_op(w, std::move(in), reserved, true);
        if (reserved == 0)
            o->id = w.next_id();
        push(o);
        return handler_id(w.serial, o->id);
    }

    op* new_op(writers& w, incoming&& in, std::uint64_t id, bool adds)
    {
        source s = w.memory;
        return detail::create<op>(s, std::move(in), id, adds, s);
    }

    void push(op* o) noexcept
    {
        (first_ == nullptr ? first_ : last_->next) = o;
        last_ = o;
    }

    update_result commit()
    {
        update_result result;
        writers* const w = engine_.writers_.load(std::memory_order_acquire);
        if (w == nullptr || (first_ == nullptr && !clear_))
            return result;
        w->locked_change(
            [&](auto& change, garbage_list& dead) {
                if (clear_)
                    result.unregistered += change.clear(dead);
                auto const remove = [&] {
                    for (op* o = first_; o != nullptr; o = o->next)
                        if (!o->adds && change.erase(o->id, dead))
                            ++result.unregistered;
                };
                // In a bounded registry, remove first to make room. Handlers that this transaction
                // adds and removes are removed afterwards.
                if (writers::bounded)
                    remove();
                for (op* o = first_; o != nullptr; o = o->next)
                    if (o->adds) {
                        change.insert({o->in.e, o->in.run}, o->id, o->in.block != nullptr,
                                      o->in.key, engine_.hint_);
                        ++result.registered;
                    }
                remove();
                return result.registered + result.unregistered != 0;
            },
            nullptr, false);
        for (op* o = first_; o != nullptr; o = o->next)
            o->in.block = nullptr;  // the registry owns the block, or has destroyed it
        return result;
    }

    Engine& engine_;
    op* first_ = nullptr;
    op* last_ = nullptr;
    bool clear_ = false;
};

}  // namespace v1
}  // namespace registry_io

#endif
