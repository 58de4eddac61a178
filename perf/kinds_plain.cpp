// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The bare loop, and registries written by hand.

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <new>
#include <shared_mutex>
#include <type_traits>
#include <utility>
#include <vector>

#include "subject_of.hpp"

namespace perf {
namespace {

/// A loop over a vector of functions and contexts, in the order of registration, without
/// protection. A callable that does not fit into a context is stored on the heap.
template <class Event, bool Catch>
class loop
{
    struct entry
    {
        void (*call)(void*, Event const&);
        void* state;
    };
    struct removal
    {
        std::uint64_t id;
        void (*destroy)(void*);
    };

public:
    struct declared
    {
        std::vector<entry> entries;
        std::vector<removal> removals;
    };
    using token_type = std::uint64_t;

    loop() = default;
    loop(loop const&) = delete;
    loop& operator=(loop const&) = delete;
    ~loop()
    {
        for (std::size_t i = 0; i != all_.entries.size(); ++i)
            destroy(i);
    }

    template <class F>
    token_type add(F f)
    {
        static_assert(sizeof(F) == sizeof(void*));
        if constexpr (std::is_trivially_copyable_v<F>) {
            all_.entries.push_back(
                {[](void* s, Event const& e) { std::bit_cast<F>(s)(e); }, std::bit_cast<void*>(f)});
            all_.removals.push_back({next_, nullptr});
        } else {
            all_.entries.push_back(
                {[](void* s, Event const& e) { (*static_cast<F const*>(s))(e); }, new F(f)});
            all_.removals.push_back({next_, [](void* s) { delete static_cast<F*>(s); }});
        }
        return next_++;
    }

    void remove(token_type id)
    {
        auto const at =
            std::lower_bound(all_.removals.begin(), all_.removals.end(), id,
                             [](removal const& r, std::uint64_t i) { return r.id < i; });
        std::ptrdiff_t const i = at - all_.removals.begin();
        destroy(static_cast<std::size_t>(i));
        all_.removals.erase(at);
        all_.entries.erase(all_.entries.begin() + i);
    }

    BOOST_FORCEINLINE void notify(Event const& event) const
    {
        if constexpr (Catch) {
            notify_failing(event);
        } else {
            for (entry const& e : all_.entries)
                e.call(e.state, event);
        }
    }

    BOOST_FORCEINLINE void notify_failing(Event const& event) const
    {
        for (entry const& e : all_.entries) {
            try {
                e.call(e.state, event);
            } catch (std::exception const& x) {
                failures_ += *x.what() != 0 ? 1 : 0;
            }
        }
    }

    long failures() const noexcept { return failures_; }

private:
    void destroy(std::size_t i)
    {
        if (all_.removals[i].destroy != nullptr)
            all_.removals[i].destroy(all_.entries[i].state);
    }

    declared all_;
    std::uint64_t next_ = 0;
    mutable long failures_ = 0;
};

template <class Event>
struct named
{
    std::uint64_t id;
    std::function<void(Event const&)> f;
};

template <class Event>
using table = std::vector<named<Event>>;

template <class Event>
void erase(table<Event>& t, std::uint64_t id)
{
    t.erase(std::lower_bound(t.begin(), t.end(), id,
                             [](named<Event> const& n, std::uint64_t i) { return n.id < i; }));
}

/// std::function in a vector, without protection.
template <class Event>
class functions
{
public:
    using declared = table<Event>;
    using token_type = std::uint64_t;

    template <class F>
    token_type add(F f)
    {
        all_.push_back({next_, std::move(f)});
        return next_++;
    }
    void remove(token_type id) { erase(all_, id); }
    BOOST_FORCEINLINE void notify(Event const& event) const
    {
        for (auto const& n : all_)
            n.f(event);
    }

private:
    table<Event> all_;
    std::uint64_t next_ = 0;
};

/// The same under a lock that is held while handlers run. It is the fastest, but a handler that
/// registers another one deadlocks.
template <class Event, class Mutex, class Shared>
class locked
{
public:
    struct declared
    {
        Mutex mutex;
        table<Event> all;
    };
    using token_type = std::uint64_t;

    template <class F>
    token_type add(F f)
    {
        std::lock_guard<Mutex> lock(all_.mutex);
        all_.all.push_back({next_, std::move(f)});
        return next_++;
    }
    void remove(token_type id)
    {
        std::lock_guard<Mutex> lock(all_.mutex);
        erase(all_.all, id);
    }
    BOOST_FORCEINLINE void notify(Event const& event) const
    {
        Shared lock(all_.mutex);
        for (auto const& n : all_.all)
            n.f(event);
    }

private:
    mutable declared all_;
    std::uint64_t next_ = 0;
};

/// Readers hold the current table; writers replace it with a changed copy.
template <class Event>
class shared
{
    using pointer = std::shared_ptr<table<Event> const>;

public:
    struct declared
    {
        std::atomic<pointer> current;
        std::mutex mutex;
    };
    using token_type = std::uint64_t;

    template <class F>
    token_type add(F f)
    {
        std::lock_guard<std::mutex> lock(all_.mutex);
        // relaxed: the mutex orders writers.
        pointer const now = all_.current.load(std::memory_order_relaxed);
        auto next = std::make_shared<table<Event>>();
        next->reserve((now == nullptr ? 0 : now->size()) + 1);
        if (now != nullptr)
            *next = *now;
        next->push_back({next_, std::move(f)});
        // release: pairs with the acquire in notify. Without it, a reader might see the pointer and
        // not the contents of the table.
        all_.current.store(std::move(next), std::memory_order_release);
        return next_++;
    }
    void remove(token_type id)
    {
        std::lock_guard<std::mutex> lock(all_.mutex);
        // relaxed: as above.
        auto next = std::make_shared<table<Event>>(*all_.current.load(std::memory_order_relaxed));
        erase(*next, id);
        // release: as in add.
        all_.current.store(std::move(next), std::memory_order_release);
    }
    BOOST_FORCEINLINE void notify(Event const& event) const
    {
        // acquire: pairs with the releases of the writers.
        pointer const now = all_.current.load(std::memory_order_acquire);
        if (now != nullptr)
            for (auto const& n : *now)
                n.f(event);
    }

private:
    declared all_;
    std::uint64_t next_ = 0;
};

template <class Event>
using with_mutex = locked<Event, std::mutex, std::lock_guard<std::mutex>>;
template <class Event>
using with_shared_mutex = locked<Event, std::shared_mutex, std::shared_lock<std::shared_mutex>>;

template <class Event>
kind bare()
{
    return {.name = "bare",
            .bare = true,
            .readers = true,
            .fails = true,
            .event = sizeof(Event),
            .make = &make<loop<Event, false>, Event>};
}

template <class Event>
kind function()
{
    return {.name = "std::function",
            .readers = true,
            .fails = true,
            .event = sizeof(Event),
            .make = &make<functions<Event>, Event>};
}

}  // namespace

std::vector<kind> plain_kinds()
{
    return {
        bare<int>(),
        bare<sized<64>>(),
        bare<sized<1024>>(),
        {.name = "bare, try", .readers = true, .fails = true, .make = &make<loop<int, true>, int>},
        function<int>(),
        function<sized<64>>(),
        function<sized<1024>>(),
        {.name = "mutex",
         .threads = true,
         .readers = true,
         .fails = true,
         .blocks = true,
         .make = &make<with_mutex<int>, int>},
        {.name = "shared_mutex",
         .threads = true,
         .readers = true,
         .fails = true,
         .blocks = true,
         .make = &make<with_shared_mutex<int>, int>},
        {.name = "atomic<shared_ptr>",
         .threads = true,
         .readers = true,
         .fails = true,
         .copies = true,
         .make = &make<shared<int>, int>},
    };
}

}  // namespace perf
