// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#ifndef REGISTRY_IO_PERF_SUBJECT_HPP
#define REGISTRY_IO_PERF_SUBJECT_HPP

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace perf {

/// What a handler does when it is called. Each handler captures 8 bytes.
enum class deed {
    add,      ///< adds the event to a counter of its own
    add_own,  ///< adds the event to a thread-local counter, so that threads share nothing
    fail,     ///< throws
    own,      ///< like add, with a capture that has a destructor
    wait,     ///< waits until `gate` is open
};

/// The order of types among handlers that are registered one by one.
enum class pattern {
    one,          ///< one type
    blocks,       ///< four types, one after the other
    pairs,        ///< two of a type, then two of the next type
    alternating,  ///< two types in turn
    different     ///< 16 types in turn
};

/// The type of handler `i` of `n`, from 0 to 15.
constexpr int type_of(pattern p, long i, long n) noexcept
{
    switch (p) {
    case pattern::blocks:
        return static_cast<int>(i * 4 / n);
    case pattern::pairs:
        return static_cast<int>(i / 2 % 16);
    case pattern::alternating:
        return static_cast<int>(i % 2);
    case pattern::different:
        return static_cast<int>(i % 16);
    case pattern::one:
        break;
    }
    return 0;
}

/// The gate that waiting handlers wait for.
inline constinit std::atomic<bool> gate{true};

/// One way to call handlers, ours or another library's, behind an interface with one virtual call
/// per loop: the loops themselves are compiled for each of them, in subject_of.hpp.
class subject
{
public:
    subject() = default;
    subject(subject const&) = delete;
    subject& operator=(subject const&) = delete;
    virtual ~subject() = default;

    /// Reserves the memory that the subject itself needs to remember n handlers.
    virtual void reserve(long n) = 0;
    /// Registers n more handlers, one by one.
    virtual void fill(long n, deed d) = 0;
    /// Registers n more handlers, which do the same but have several types.
    virtual void fill_with_types(long n, pattern p) = 0;
    /// Registers n more, each at a random one of a few priorities. False if there are no
    /// priorities.
    virtual bool fill_by_priority(long n) = 0;
    /// Registers n more handlers at once. False if this is not possible.
    virtual bool fill_at_once(long n) = 0;
    /// Waits for work that writes have deferred, above all the destruction of removed handlers.
    virtual void settle() = 0;
    /// Chooses the random order in which `clear` removes.
    virtual void shuffle() = 0;
    /// Removes all handlers, one by one.
    virtual void clear() = 0;
    /// Removes a random handler and registers another one, `times` times.
    virtual void pairs(long times) = 0;
    /// Registers a handler and removes it, `times` times: the work of a second thread.
    virtual void toggle(long times) = 0;

    virtual void notify(long times) = 0;
    /// Registers in the last registry the handler in which `notify_nested` notifies.
    virtual void nest() = 0;
    /// The same as `notify`, inside a handler of another registry.
    virtual void notify_nested(long times) = 0;
    /// The same with failing handlers; catches what leaves the notify. Returns how many failures
    /// were noticed.
    virtual long notify_failing(long times) = 0;
    /// Notifies the registries in turn, `times` times in total.
    virtual void notify_in_turn(long times) = 0;

    /// What each thread must do before its first notify, and after its last one.
    virtual void enter() {}
    virtual void leave() {}

    struct footprint
    {
        long allocations;
        long bytes;  ///< the object itself, and what it takes from the heap
    };
    /// Returns what one more object costs before anything is registered.
    virtual footprint empty() const = 0;
};

struct kind
{
    std::string_view name;
    bool bare = false;  ///< the bare loop
    bool ours = false;
    bool variation = false;  ///< one of our presets with one other policy
    bool threads = false;    ///< several threads may notify while another one writes
    bool readers = false;    ///< several threads may notify while no thread writes
    bool fails = false;      ///< handlers may throw
    bool blocks = false;     ///< a sleeping handler blocks writers
    bool copies = false;     ///< a write costs time in proportion to the number of handlers
    std::size_t event = 4;   ///< its size in bytes
    std::unique_ptr<subject> (*make)(long registries) = nullptr;
};

/// All kinds, in the order of the tables.
std::vector<kind> const& kinds();

// One function for each source file of kinds; kinds() joins their results.
std::vector<kind> plain_kinds();
std::vector<kind> our_kinds();
std::vector<kind> urcu_kinds();
std::vector<kind> signals2_kinds();
std::vector<kind> sigc_kinds();
std::vector<kind> gsignal_kinds();
std::vector<kind> qt_kinds();

}  // namespace perf

#endif
