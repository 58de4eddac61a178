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

/// What a handler does when it is called. Each captures 8 bytes.
enum class deed {
    add,      ///< adds the event to a counter of its own
    add_own,  ///< adds the event to a counter of the calling thread, so that threads share nothing
    fail,     ///< throws
    own,      ///< as add, with a capture that has a destructor
    wait,     ///< waits until `gate` is open
};

/// What handlers that wait for something wait for.
inline constinit std::atomic<bool> gate{true};

/// One way to call handlers, ours or a peer's, behind an interface that is entered once for a whole
/// loop: the loops themselves are compiled for each of them, in subject_of.hpp.
class subject
{
public:
    subject() = default;
    subject(subject const&) = delete;
    subject& operator=(subject const&) = delete;
    virtual ~subject() = default;

    /// Makes room for what this needs itself to remember n handlers.
    virtual void reserve(long n) = 0;
    /// Registers n more, one by one.
    virtual void fill(long n, deed d) = 0;
    /// Registers n more, each at a random one of a few priorities. False if it has none.
    virtual bool fill_by_priority(long n) = 0;
    /// Registers n more at once. False if it cannot.
    virtual bool fill_at_once(long n) = 0;
    /// Waits for what writes have put off, the destruction of what was removed above all.
    virtual void settle() = 0;
    /// Chooses a random order in which `clear` removes.
    virtual void shuffle() = 0;
    /// Removes all, one by one.
    virtual void clear() = 0;
    /// Removes a random one and registers another, so many times.
    virtual void pairs(long times) = 0;
    /// Registers one and removes it, so many times: what a second thread may do meanwhile.
    virtual void toggle(long times) = 0;

    virtual void notify(long times) = 0;
    /// Registers a handler of the last registry in which `notify_nested` notifies.
    virtual void nest() = 0;
    /// The same as `notify`, in a handler of another registry.
    virtual void notify_nested(long times) = 0;
    /// The same, where handlers fail; what leaves the notify is caught. Returns how many failures
    /// were noticed.
    virtual long notify_failing(long times) = 0;
    /// Notifies each of the registries in turn, so many times in all.
    virtual void notify_in_turn(long times) = 0;

    /// What each thread does before its first notify and after its last.
    virtual void enter() {}
    virtual void leave() {}

    struct footprint
    {
        long allocations;
        long bytes;  ///< what the user declares, and what it takes from the heap
    };
    /// What one more of these costs before anything is registered.
    virtual footprint empty() const = 0;
};

struct kind
{
    std::string_view name;
    bool bare = false;  ///< the yardstick
    bool ours = false;
    bool variation = false;  ///< of one of ours, by one policy
    bool threads = false;    ///< may be notified by several threads while another one writes
    bool readers = false;    ///< may be notified by several threads while nobody writes
    bool fails = false;      ///< handlers may throw
    bool blocks = false;     ///< a handler that sleeps holds up writers
    bool copies = false;     ///< a write costs time in proportion to the number of handlers
    std::size_t event = 4;   ///< its size in bytes
    std::unique_ptr<subject> (*make)(long registries) = nullptr;
};

/// All there are, in the order in which tables show them.
std::vector<kind> const& kinds();

// One for each source file of kinds; kinds() joins them.
std::vector<kind> plain_kinds();
std::vector<kind> our_kinds();
std::vector<kind> urcu_kinds();
std::vector<kind> signals2_kinds();
std::vector<kind> sigc_kinds();
std::vector<kind> gsignal_kinds();
std::vector<kind> qt_kinds();

}  // namespace perf

#endif
