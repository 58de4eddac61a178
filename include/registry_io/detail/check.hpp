// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)

#ifndef REGISTRY_IO_DETAIL_CHECK_HPP
#define REGISTRY_IO_DETAIL_CHECK_HPP

#include <cstddef>
#include <type_traits>

#include <registry_io/policy.hpp>

namespace registry_io {
inline namespace v1 {
namespace detail {

// Two steps for each axis: is it a policy of this axis at all, and if so, what does it lack? One
// sentence for each wrong argument; the second one is followed by the compiler's own words, which
// it only finds for a bare concept.

template <class Event>
consteval bool check_event()
{
    static_assert(!std::is_void_v<Event>,
                  "registry_io: the event of a registry cannot be void; take an empty struct");
    static_assert(!std::is_reference_v<Event>,
                  "registry_io: the event of a registry cannot be a reference; notify takes it by "
                  "const reference anyway");
    static_assert(!std::is_function_v<Event>,
                  "registry_io: the event of a registry cannot be a function type, which would be "
                  "the signature of its handlers; take a struct with a member for each argument");
    static_assert(!std::is_unbounded_array_v<Event>,
                  "registry_io: the event of a registry cannot be an array without a bound; take "
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
    if constexpr (policy_of<P, axis::snapshot>)
        static_assert(snapshot_policy<P>,
                      "registry_io: this snapshot policy does not satisfy snapshot_policy");
    return true;
}

template <class P>
consteval bool check_ordering()
{
    static_assert(policy_of<P, axis::ordering>,
                  "registry_io: the 3rd argument of basic_registry is not an ordering policy "
                  "(P::category must be axis::ordering)");
    if constexpr (policy_of<P, axis::ordering>)
        static_assert(ordering_policy<P>,
                      "registry_io: this ordering policy does not satisfy ordering_policy");
    return true;
}

template <class P>
consteval bool check_panic()
{
    static_assert(policy_of<P, axis::panic>,
                  "registry_io: the 4th argument of basic_registry is not a panic policy "
                  "(P::category must be axis::panic)");
    if constexpr (policy_of<P, axis::panic>)
        static_assert(panic_policy<P>,
                      "registry_io: this panic policy does not satisfy panic_policy");
    return true;
}

template <class P>
consteval bool check_alloc()
{
    static_assert(policy_of<P, axis::alloc>,
                  "registry_io: the 5th argument of basic_registry is not an alloc policy "
                  "(P::category must be axis::alloc)");
    if constexpr (policy_of<P, axis::alloc> && !node_policy<P>)
        static_assert(alloc_policy<P>,
                      "registry_io: this alloc policy does not satisfy alloc_policy");
    return true;
}

/// Combinations that make no sense.
template <class Snapshot, class Alloc>
consteval bool check_combination()
{
    if constexpr (root_swap_policy<Snapshot>)
        static_assert(!node_policy<Alloc>,
                      "registry_io: this alloc policy is for a snapshot policy that stores words; "
                      "take snapshot::interrupt_safe");
    if constexpr (root_swap_policy<Snapshot> && alloc_policy<Alloc>)
        static_assert(!Snapshot::concurrent || Alloc::concurrent,
                      "registry_io: this alloc policy is for one thread, but the snapshot policy "
                      "lets several notify at once; take alloc::pool");
    return true;
}

/// What a list that is published word by word has a place for.
template <class Ordering>
concept word_ordering = ordering_policy<Ordering> && std::is_empty_v<Ordering> &&
    (std::is_void_v<typename Ordering::key_type> ||
     std::is_trivially_copyable_v<typename Ordering::key_type>);
template <class Panic>
concept word_panic = panic_policy<Panic> && std::is_empty_v<Panic> && Panic::isolates &&
    !Panic::reports && !Panic::logs && std::is_void_v<typename Panic::result_type> &&
    std::is_empty_v<typename Panic::handler_state> &&
    // Such a registry tells nobody of its changes.
    !requires(Panic& p, std::size_t n) { p.changed(n, n); };
template <class Alloc>
concept word_alloc =
    node_policy<Alloc> || (alloc_policy<Alloc> && Alloc::inside && Alloc::capacity != 0);

/// Combinations that such a list has no place for.
template <class Snapshot, class Ordering, class Panic, class Alloc>
consteval bool check_words()
{
    if constexpr (word_store_policy<Snapshot> && ordering_policy<Ordering> && panic_policy<Panic> &&
                  (alloc_policy<Alloc> || node_policy<Alloc>)) {
        static_assert(word_ordering<Ordering>,
                      "registry_io: with this snapshot policy the ordering must be stateless, and "
                      "its key trivially copyable");
        static_assert(word_panic<Panic>,
                      "registry_io: with this snapshot policy the panic policy must isolate, and "
                      "keep, report, log, record and return nothing; take panic::trap or "
                      "panic::terminate");
        static_assert(word_alloc<Alloc>,
                      "registry_io: with this snapshot policy the handlers lie inside the registry "
                      "or in the caller's nodes; take alloc::fixed<N> or alloc::intrusive");
    }
    return true;
}

/// An event that is passed by const reference: incomplete and abstract types, unions and arrays with
/// a bound too.
template <class Event>
concept object_event = std::is_object_v<Event> && !std::is_unbounded_array_v<Event> &&
    !std::is_const_v<Event> && !std::is_volatile_v<Event>;

/// All of the above at once.
template <class Event, class Snapshot, class Ordering, class Panic, class Alloc>
concept acceptable =
    object_event<Event> && root_swap_policy<Snapshot> && ordering_policy<Ordering> &&
    panic_policy<Panic> && alloc_policy<Alloc> && (!Snapshot::concurrent || Alloc::concurrent);

/// The same for snapshot policies that store words.
template <class Event, class Snapshot, class Ordering, class Panic, class Alloc>
concept acceptable_words = object_event<Event> && word_store_policy<Snapshot> &&
    word_ordering<Ordering> && word_panic<Panic> && word_alloc<Alloc>;

/// What nothing above refuses is a registry, but the header that defines it is not included.
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
