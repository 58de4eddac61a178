// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The compile errors for arguments that make no registry, one sentence each. Constraints alone
// would refuse the same arguments, but with the compiler's message. The primary class template,
// which is chosen when the constraints are not met, asserts these checks: one for each axis.

#ifndef REGISTRY_IO_DETAIL_CHECK_HPP
#define REGISTRY_IO_DETAIL_CHECK_HPP

#include <concepts>
#include <cstddef>
#include <type_traits>

#include <registry_io/garbage.hpp>
#include <registry_io/policy.hpp>

namespace registry_io {
inline namespace v1 {
namespace detail {

// Each check has two steps: is the argument a policy of this axis, and if so, which requirements
// does it not meet? There is one sentence for each wrong argument, and one for each requirement.
// The requirements of `policy.hpp` are repeated here, and are tested only for a policy that does
// not meet them all: compilers explain a concept in many lines, without its comment.

template <class Event>
consteval bool check_event()
{
    static_assert(!std::is_void_v<Event>,
                  "registry_io: the event of a registry cannot be void; use an empty struct");
    static_assert(!std::is_reference_v<Event>,
                  "registry_io: the event of a registry cannot be a reference; notify takes it by "
                  "const reference anyway");
    static_assert(!std::is_function_v<Event>,
                  "registry_io: the event of a registry cannot be a function type, such as the "
                  "signature of its handlers; use a struct with a member for each argument");
    static_assert(!std::is_unbounded_array_v<Event>,
                  "registry_io: the event of a registry cannot be an array without a bound; use "
                  "std::span or a struct");
    static_assert(!std::is_const_v<Event> && !std::is_volatile_v<Event>,
                  "registry_io: the event of a registry cannot be const or volatile; notify takes "
                  "it by const reference anyway");
    return true;
}

template <class P>
consteval bool check_snapshot()
{
    static_assert(policy_of<P, axis::snapshot>,
                  "registry_io: the 2nd argument of basic_registry is not a snapshot policy "
                  "(P::category must be axis::snapshot)");
    if constexpr (policy_of<P, axis::snapshot> && !snapshot_policy<P>) {
        constexpr bool satisfied = snapshot_policy<P>;
        static_assert(satisfied,
                      "registry_io: this snapshot policy does not satisfy snapshot_policy");
        static_assert(
            requires {
                { P::concurrent } -> std::convertible_to<bool>;
            }, "registry_io: a snapshot policy needs: static constexpr bool concurrent");
        constexpr bool stores_words =
            requires { requires P::publication == publication_kind::word_store; };
        if constexpr (stores_words) {
            static_assert(
                requires {
                    { P::may_write() } noexcept -> std::same_as<bool>;
                },
                "registry_io: a snapshot policy that stores words needs: static bool "
                "may_write() noexcept");
        } else {
            constexpr bool has_header = requires { typename P::root_header; };
            static_assert(has_header,
                          "registry_io: a snapshot policy needs a class root_header, which derives "
                          "from garbage (or publication == publication_kind::word_store)");
            if constexpr (has_header)
                static_assert(std::default_initializable<typename P::root_header> &&
                                  garbage_of_root<typename P::root_header>,
                              "registry_io: the root_header of a snapshot policy must derive from "
                              "garbage, or have a late_part that does, and be "
                              "default-constructible");
        }
    }
    return true;
}

template <class P>
consteval bool check_ordering()
{
    static_assert(policy_of<P, axis::ordering>,
                  "registry_io: the 3rd argument of basic_registry is not an ordering policy "
                  "(P::category must be axis::ordering)");
    if constexpr (policy_of<P, axis::ordering> && !ordering_policy<P>) {
        constexpr bool satisfied = ordering_policy<P>;
        static_assert(satisfied,
                      "registry_io: this ordering policy does not satisfy ordering_policy");
        static_assert(std::default_initializable<P>,
                      "registry_io: an ordering policy must be default-constructible");
        constexpr bool has_key = requires { typename P::key_type; };
        static_assert(has_key,
                      "registry_io: an ordering policy needs a type key_type, void for no key");
        if constexpr (has_key)
            if constexpr (!std::is_void_v<typename P::key_type>)
                static_assert(
                    requires(P const& p, typename P::key_type const& k) {
                        { p.before(k, k) } -> std::convertible_to<bool>;
                    },
                    "registry_io: an ordering policy with keys needs: bool before(key_type const& "
                    "a, key_type const& b) const");
    }
    return true;
}

template <class P>
consteval bool check_panic()
{
    static_assert(policy_of<P, axis::panic>,
                  "registry_io: the 4th argument of basic_registry is not a panic policy "
                  "(P::category must be axis::panic)");
    if constexpr (policy_of<P, axis::panic> && !panic_policy<P>) {
        constexpr bool satisfied = panic_policy<P>;
        static_assert(satisfied, "registry_io: this panic policy does not satisfy panic_policy");
        static_assert(std::default_initializable<P>,
                      "registry_io: a panic policy must be default-constructible");
        static_assert(
            requires {
                { P::isolates } -> std::convertible_to<bool>;
            }, "registry_io: a panic policy needs: static constexpr bool isolates");
        static_assert(
            requires {
                { P::reports } -> std::convertible_to<bool>;
            }, "registry_io: a panic policy needs: static constexpr bool reports");
        static_assert(
            requires {
                { P::logs } -> std::convertible_to<bool>;
            }, "registry_io: a panic policy needs: static constexpr bool logs");
        static_assert(
            requires {
                { &P::fatal } -> std::convertible_to<void (*)(char const*)>;
            }, "registry_io: a panic policy needs: static void fatal(char const*)");
        constexpr bool has_result = requires { typename P::result_type; };
        static_assert(has_result,
                      "registry_io: a panic policy needs a type result_type, which notify returns");
        constexpr bool has_state =
            requires { requires std::default_initializable<typename P::handler_state>; };
        static_assert(has_state,
                      "registry_io: a panic policy needs a default-constructible class "
                      "handler_state, empty for no state");
        constexpr bool has_scope = requires {
            requires std::constructible_from<typename P::template scope<notify_archetype<P>>,
                                             notify_archetype<P> const&>;
        };
        static_assert(has_scope,
                      "registry_io: a panic policy needs a class template scope<Notify>, which is "
                      "constructed from a Notify const&");
        if constexpr (has_scope && has_state)
            static_assert(
                requires(typename P::template scope<notify_archetype<P>> scope, void (&call)(),
                         handler_archetype<typename P::handler_state> const& handler) {
                    { scope.invoke(call, handler) } -> std::same_as<verdict>;
                },
                "registry_io: the scope of a panic policy needs: verdict invoke(call, handler)");
        if constexpr (has_scope && has_result)
            static_assert(
                requires(typename P::template scope<notify_archetype<P>> scope) {
                    { scope.finish() } -> std::same_as<typename P::result_type>;
                }, "registry_io: the scope of a panic policy needs: result_type finish()");
    }
    return true;
}

template <class P>
consteval bool check_alloc()
{
    static_assert(policy_of<P, axis::alloc>,
                  "registry_io: the 5th argument of basic_registry is not an alloc policy "
                  "(P::category must be axis::alloc)");
    if constexpr (policy_of<P, axis::alloc> && !node_policy<P> && !alloc_policy<P>) {
        constexpr bool satisfied = alloc_policy<P>;
        static_assert(satisfied, "registry_io: this alloc policy does not satisfy alloc_policy");
        static_assert(std::default_initializable<P>,
                      "registry_io: an alloc policy must be default-constructible");
        static_assert(
            requires {
                { P::capacity } -> std::convertible_to<std::size_t>;
            },
            "registry_io: an alloc policy needs: static constexpr std::size_t capacity, 0 "
            "for no bound");
        static_assert(
            requires {
                { P::inside } -> std::convertible_to<bool>;
            }, "registry_io: an alloc policy needs: static constexpr bool inside");
        static_assert(
            requires {
                { P::concurrent } -> std::convertible_to<bool>;
            }, "registry_io: an alloc policy needs: static constexpr bool concurrent");
        constexpr bool has_source =
            requires { requires std::copy_constructible<typename P::source>; };
        static_assert(has_source, "registry_io: an alloc policy needs a copyable class source");
        if constexpr (has_source) {
            static_assert(
                requires(P p) {
                    { p.get_source() } noexcept -> std::same_as<typename P::source>;
                }, "registry_io: an alloc policy needs: source get_source() noexcept");
            static_assert(
                requires(typename P::source s, std::size_t n) {
                    { s.allocate(n, n) } -> std::same_as<void*>;
                },
                "registry_io: the source of an alloc policy needs: void* allocate(std::size_t "
                "size, std::size_t align)");
            static_assert(
                requires(typename P::source s, void* p, std::size_t n) {
                    { s.deallocate(p, n, n) } noexcept;
                },
                "registry_io: the source of an alloc policy needs: void deallocate(void* p, "
                "std::size_t size, std::size_t align) noexcept");
        }
    }
    return true;
}

template <class Root, class Writer>
consteval void check_writer()
{
    using retirement = typename Writer::retirement;
    using completion = typename Writer::completion;
    static_assert(
        requires(Writer& w) {
            w.mutex().lock();
            w.mutex().unlock();
        }, "registry_io: the writer of a store needs: mutex(), which has lock() and unlock()");
    static_assert(
        requires(Writer& w) {
            { w.foreign() } noexcept -> std::same_as<bool>;
        }, "registry_io: the writer of a store needs: bool foreign() noexcept");
    static_assert(
        requires(Writer& w) {
            { w.current() } noexcept -> std::same_as<Root*>;
        }, "registry_io: the writer of a store needs: Root* current() noexcept");
    static_assert(
        requires(Writer& w) {
            { w.exclusive() } noexcept -> std::same_as<bool>;
        }, "registry_io: the writer of a store needs: bool exclusive() noexcept");
    static_assert(
        requires(Writer& w, completion& c, garbage_list& dead, void (&fail)()) {
            { w.reserve(dead, &c, fail) } -> std::same_as<retirement>;
        },
        "registry_io: the writer of a store needs: retirement reserve(garbage_list& dead, "
        "completion* wait, void (&fail)())");
    static_assert(
        requires(Writer& w, retirement& r, Root* root, void (&recycle)(garbage_list&)) {
            { w.publish(root, r, recycle) } noexcept;
        },
        "registry_io: the writer of a store needs: void publish(Root* root, retirement& r, void "
        "(&recycle)(garbage_list&)) noexcept");
    static_assert(
        requires(Writer& w) {
            { w.held() } noexcept -> std::same_as<bool>;
        }, "registry_io: the writer of a store needs: bool held() noexcept");
    static_assert(
        requires(Writer& w) {
            { w.would_deadlock() } noexcept -> std::same_as<bool>;
        }, "registry_io: the writer of a store needs: bool would_deadlock() noexcept");
    static_assert(
        requires(Writer& w, garbage_list& dead) {
            { w.close(dead) } noexcept;
        }, "registry_io: the writer of a store needs: void close(garbage_list& dead) noexcept");
    static_assert(
        requires(retirement& r) {
            { r.finish() } noexcept;
            { r.idle() } noexcept -> std::same_as<bool>;
        },
        "registry_io: the retirement of a writer needs: void finish() noexcept, bool idle() "
        "noexcept");
    static_assert(
        requires(completion& c) {
            { c.wait() } noexcept;
        }, "registry_io: the completion of a writer needs: void wait() noexcept");
}

/// Checks a snapshot policy's store, once the type of the root is known.
template <class P, class Root, class Source>
consteval bool check_store()
{
    if constexpr (!snapshot_store<P, Root, Source>) {
        constexpr bool satisfied = snapshot_store<P, Root, Source>;
        static_assert(satisfied,
                      "registry_io: the store of this snapshot policy does not satisfy "
                      "snapshot_store");
        constexpr bool has_classes = requires {
            typename P::template store<Root>::template writer<Source>::retirement;
            typename P::template store<Root>::template writer<Source>::completion;
        };
        static_assert(has_classes,
                      "registry_io: a snapshot policy needs a class template store<Root> with a "
                      "class template writer<Source> with classes retirement and completion");
        if constexpr (has_classes)
            detail::check_writer<Root, typename P::template store<Root>::template writer<Source>>();
    }
    return true;
}

/// Refuses policies that do not work together.
template <class Snapshot, class Alloc>
consteval bool check_combination()
{
    if constexpr (root_swap_policy<Snapshot>)
        static_assert(!node_policy<Alloc>,
                      "registry_io: this alloc policy is for a snapshot policy that stores words; "
                      "use it with snapshot::interrupt_safe");
    if constexpr (root_swap_policy<Snapshot> && alloc_policy<Alloc>)
        static_assert(!Snapshot::concurrent || Alloc::concurrent,
                      "registry_io: this alloc policy is for one thread, but the snapshot policy "
                      "lets several notify at once; use alloc::pool");
    return true;
}

// The policies that work with a word-store policy. Its list has no place for anything else.
template <class Ordering>
concept word_ordering = ordering_policy<Ordering> && std::is_empty_v<Ordering> &&
    (std::is_void_v<typename Ordering::key_type> ||
     (std::is_trivially_copyable_v<typename Ordering::key_type> &&
      std::is_copy_assignable_v<typename Ordering::key_type> &&
      std::is_default_constructible_v<typename Ordering::key_type>));
template <class Panic>
concept word_panic = panic_policy<Panic> && std::is_empty_v<Panic> && Panic::isolates &&
    !Panic::reports && !Panic::logs && std::is_void_v<typename Panic::result_type> &&
    std::is_empty_v<typename Panic::handler_state> &&
    // Such a registry does not call `changed` or `registering`, which observing policies need.
    !requires(Panic& p, std::size_t n) { p.changed(n, n); } &&
    !requires { typename Panic::adapted; };
template <class Alloc>
concept word_alloc =
    node_policy<Alloc> || (alloc_policy<Alloc> && Alloc::inside && Alloc::capacity != 0);

/// Refuses policies that do not work with a word-store policy.
template <class Snapshot, class Ordering, class Panic, class Alloc>
consteval bool check_words()
{
    if constexpr (word_store_policy<Snapshot> && ordering_policy<Ordering> && panic_policy<Panic> &&
                  (alloc_policy<Alloc> || node_policy<Alloc>)) {
        static_assert(word_ordering<Ordering>,
                      "registry_io: with this snapshot policy the ordering must be stateless, and "
                      "its key trivially copyable, assignable and default-constructible; use a "
                      "number, or a struct without const members");
        static_assert(word_panic<Panic>,
                      "registry_io: with this snapshot policy the panic policy must isolate, and "
                      "keep, report, log, record and return nothing; use panic::trap or "
                      "panic::terminate");
        static_assert(word_alloc<Alloc>,
                      "registry_io: with this snapshot policy the handlers lie inside the registry "
                      "or in the caller's nodes; use alloc::fixed<N> or alloc::intrusive");
    }
    return true;
}

/// A type that can be passed by const reference. Incomplete and abstract types, unions and arrays
/// with a bound are such types too.
template <class Event>
concept object_event = std::is_object_v<Event> && !std::is_unbounded_array_v<Event> &&
    !std::is_const_v<Event> && !std::is_volatile_v<Event>;

/// Arguments that make a registry with tables.
template <class Event, class Snapshot, class Ordering, class Panic, class Alloc>
concept acceptable =
    object_event<Event> && root_swap_policy<Snapshot> && ordering_policy<Ordering> &&
    panic_policy<Panic> && alloc_policy<Alloc> && (!Snapshot::concurrent || Alloc::concurrent);

/// Arguments that make a linked registry.
template <class Event, class Snapshot, class Ordering, class Panic, class Alloc>
concept acceptable_words = object_event<Event> && word_store_policy<Snapshot> &&
    word_ordering<Ordering> && word_panic<Panic> && word_alloc<Alloc>;

/// Refuses arguments that make a registry whose header is not included.
template <class Event, class Snapshot, class Ordering, class Panic, class Alloc>
consteval bool check_included()
{
    static_assert(!acceptable<Event, Snapshot, Ordering, Panic, Alloc>,
                  "registry_io: include <registry_io/registry.hpp> for a registry with this "
                  "snapshot policy");
    static_assert(!acceptable_words<Event, Snapshot, Ordering, Panic, Alloc>,
                  "registry_io: include <registry_io/linked_registry.hpp> for a registry with this "
                  "snapshot policy, which stores words");
    return true;
}

}  // namespace detail
}  // namespace v1
}  // namespace registry_io

#endif
