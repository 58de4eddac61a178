// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// A handler on its way into a table. It is constructed first, which is user code and runs without
// the lock of the writers, and then enters the table. A trivial handler of one word becomes the
// state of its entry; any other gets a block of its own, which its entry points to. Invariant: the
// block belongs to the `incoming` until a table has it.

#ifndef REGISTRY_IO_DETAIL_INCOMING_HPP
#define REGISTRY_IO_DETAIL_INCOMING_HPP

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

#include <boost/core/addressof.hpp>

#include <registry_io/config.hpp>
#include <registry_io/detail/callable.hpp>
#include <registry_io/detail/check.hpp>
#include <registry_io/detail/dispatch.hpp>
#include <registry_io/detail/handler.hpp>
#include <registry_io/detail/key.hpp>
#include <registry_io/detail/tracking.hpp>
#include <registry_io/detail/type_name.hpp>
#include <registry_io/garbage.hpp>
#include <registry_io/registration.hpp>

namespace registry_io {
inline namespace v1 {
namespace detail {

/// A key in a place of its own. The key need not be default-constructible.
template <class K>
struct key_bytes
{
    alignas(K) std::byte bytes[sizeof(K)];

    key_bytes& operator=(K const& k) noexcept
    {
        std::memcpy(bytes, static_cast<void const*>(boost::addressof(k)), sizeof(K));
        return *this;
    }
    operator K() const noexcept { return std::bit_cast<K>(bytes); }
};

/// `Concurrent`: several threads may be inside the handler at once.
template <class Writers, class Event, bool Concurrent>
class incoming
{
    using panic_policy = typename Writers::panic_policy;
    using handler_state = typename panic_policy::handler_state;
    using user_key = typename Writers::shape::user_key;
    using source = typename Writers::source;

public:
    entry e{};
    std::int32_t run = 0;  ///< as of a `new_entry`
    garbage* block = nullptr;
    key_bytes<typename Writers::key> key{};

    incoming() = default;
    incoming(incoming&& other) noexcept
        : e(other.e), run(other.run), block(std::exchange(other.block, nullptr)), key(other.key)
    {
    }
    incoming(incoming const&) = delete;
    incoming& operator=(incoming const&) = delete;
    ~incoming()
    {
        if (block != nullptr)
            block->destroy(block);
    }

    /// Constructs the handler of `f`. `registered()` returns its registration; it is called for a
    /// handler that is told of it.
    template <class Key, class F, class Registered>
    static incoming make(source const& s, panic_policy& panic, Key&& key, F&& f,
                         [[maybe_unused]] Registered registered)
    {
        using handler = std::decay_t<F>;
        using callable = std::conditional_t<Concurrent, handler const, handler>;
        constexpr bool told = told_of_registration<handler>;
        constexpr bool in_entry = !told && fits_entry<handler, Event, Concurrent> &&
            std::is_empty_v<handler_state> && key_in_table<user_key>;
        static_assert(std::is_nothrow_destructible_v<handler>,
                      "registry_io: a handler's destructor must not throw");
        static_assert(std::is_constructible_v<handler, F&&>,
                      "registry_io: the handler cannot be moved or copied into the registry");
        constexpr bool takes_id = !std::is_invocable_v<handler&, Event const&> &&
            std::is_invocable_v<handler&, registration const&, Event const&>;
        static_assert(!takes_id,
                      "registry_io: a handler that takes its own id is registered as with_id(f) "
                      "(<registry_io/handlers/with_id.hpp>)");
        static_assert(takes_id || std::is_invocable_v<handler&, Event const&>,
                      "registry_io: a handler must be callable with Event const&");
        if constexpr (std::is_invocable_v<handler&, Event const&>)
            static_assert(std::is_invocable_v<callable&, Event const&>,
                          "registry_io: several threads may be inside this handler at once, so its "
                          "call operator must be const; wrap it in unsynchronized if it is safe");
        static_assert(check_not_awaitable<callable&, Event>());
        incoming in;
        if constexpr (!std::is_void_v<user_key> && key_in_table<user_key>)
            in.key = key;
        if constexpr (std::is_invocable_v<callable&, Event const&> &&
                      std::is_constructible_v<handler, F&&>) {
            if constexpr (in_entry) {
                refuse_empty(f);
                handler const h(std::forward<F>(f));
                handler_state none;
                announce(panic, none, h);
                using call = word_call<handler, Event, panic_policy>;
                in.template call_by<call>(call::state_of(h));
            } else {
                using holder = key_holder<user_key, key_in_table<user_key>>;
                using block_type = detail::block<handler, handler_state, holder, source>;
                refuse_empty(f);
                block_type* const b =
                    block_type::make(s, std::forward<F>(f), std::forward<Key>(key));
                in.block = b;
                announce(panic, b->state, b->f);
                if constexpr (told)
                    tell(b->f, registered());
                using call = block_call<block_type, callable, typename Writers::block_base, Event>;
                in.template call_by<call>(call::state_of(b));
                if constexpr (!key_in_table<user_key>)
                    in.key = boost::addressof(b->holder.key);
            }
        }
        return in;
    }

    /// Refuses a null pointer to a function, an empty `std::function` and the like.
    template <class F>
    static void refuse_empty(F const& f)
    {
        if (!is_empty_handler(f))
            return;
#ifdef BOOST_NO_EXCEPTIONS
        panic_policy::fatal("an empty handler was registered");
#else
        refuse_empty_handler();
#endif
    }

private:
    /// Tells a panic policy that asks of the handler.
    template <class F>
    static void announce([[maybe_unused]] panic_policy& panic,
                         [[maybe_unused]] handler_state& state, [[maybe_unused]] F const& f)
    {
        if constexpr (requires { panic.registering(state, f, event_name<Event>); })
            panic.registering(state, f, event_name<Event>);
    }

    template <class Call>
    void call_by(void* state) noexcept
    {
        // An asynchronous registry has its own walks, which know no runs.
        constexpr bool in_runs = !requires { typename Event::registry_io_event; };
        e.invoke = &Call::invoke;
        e.state = state;
        run = dispatcher<Writers>::template run_behind<Call, in_runs>();
    }
};

}  // namespace detail
}  // namespace v1
}  // namespace registry_io

#endif
