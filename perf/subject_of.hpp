// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#ifndef REGISTRY_IO_PERF_SUBJECT_OF_HPP
#define REGISTRY_IO_PERF_SUBJECT_OF_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include <boost/config.hpp>

#include "memory.hpp"
#include "subject.hpp"

namespace perf {

/// An event of the given size.
template <std::size_t Bytes>
struct sized
{
    int value = 1;
    std::byte rest[Bytes - sizeof(int)] = {};
};

inline int value(int event) noexcept
{
    return event;
}
template <std::size_t Bytes>
int value(sized<Bytes> const& event) noexcept
{
    return event.value;
}

struct failure : std::exception
{
    char const* what() const noexcept override { return "failed, as it should"; }
};

/// How many times a notifying handler notifies.
inline constinit long times_inside = 0;

/// The counter for handlers that must not share data.
inline constinit thread_local long own_sum = 0;

template <class Event>
struct add
{
    long* to;
    void operator()(Event const& event) const { *to += value(event); }
};

/// Each `Type` gives a distinct type.
template <class Event, int Type>
struct add_as : add<Event>
{
};

template <class Event>
struct add_own
{
    long weight;
    void operator()(Event const& event) const { own_sum += weight * value(event); }
};

template <class Event>
struct fail
{
    long* to;
    void operator()(Event const&) const
    {
        ++*to;
        throw failure();
    }
};

/// Not trivial, so it needs storage that runs its destructor.
template <class Event>
struct own
{
    explicit own(long* t) noexcept : to(t) {}
    own(own const& other) noexcept : to(other.to) {}
    own& operator=(own const&) = delete;
    ~own() { to = nullptr; }
    void operator()(Event const& event) const { *to += value(event); }
    long* to;
};

template <class Event>
struct wait_at_gate
{
    long* to;
    void operator()(Event const& event) const
    {
        gate.wait(false);
        *to += value(event);
    }
};

/// A handler that notifies another registry.
template <class Event>
struct loop_inside
{
    subject* outer;
    void operator()(Event const&) const { outer->notify(times_inside); }
};

/// The loops over one adapter. An adapter has
///
///     token_type;  token_type add(F);  void remove(token_type);  void notify(Event const&);
///
/// and may have add(int priority, F), add_at_once(n, f() -> handler, out), enter and leave for
/// threads, failures() if it reports failures itself, and settle() to wait for deferred work.
template <class Adapter, class Event>
class subject_of final : public subject
{
    using token = typename Adapter::token_type;

public:
    explicit subject_of(long registries)
    {
        for (long i = 0; i < registries; ++i)
            all_.push_back(std::make_unique<Adapter>());
        counters_.resize(most_counters);
        tokens_.resize(all_.size());
    }

    ~subject_of() override { subject_of::settle(); }

    void settle() override
    {
        for (auto& registry : all_)
            settle(*registry);
    }

    void reserve(long n) override { tokens_[0].reserve(static_cast<std::size_t>(n)); }

    void fill(long n, deed d) override
    {
        for (std::size_t r = 0; r != all_.size(); ++r)
            for (long i = 0; i < n; ++i)
                tokens_[r].push_back(add_one(*all_[r], d));
    }

    void fill_with_types(long n, pattern p) override
    {
        for (long i = 0; i < n; ++i)
            tokens_[0].push_back(add_as_type(type_of(p, i, n)));
    }

    bool fill_by_priority(long n) override
    {
        if constexpr (requires(Adapter& a, long* p) { a.add(1, add<Event>{p}); }) {
            for (long i = 0; i < n; ++i)
                tokens_[0].push_back(
                    all_[0]->add(static_cast<int>(random_() % 64), add<Event>{counter()}));
            return true;
        }
        return false;
    }

    bool fill_at_once(long n) override
    {
        if constexpr (requires(Adapter& a) { a.can_add_at_once(); }) {
            all_[0]->add_at_once(n, [this] { return add<Event>{counter()}; }, tokens_[0]);
            return true;
        }
        return false;
    }

    void shuffle() override { std::shuffle(tokens_[0].begin(), tokens_[0].end(), random_); }

    void clear() override
    {
        for (token& t : tokens_[0])
            all_[0]->remove(t);
        tokens_[0].clear();
    }

    void pairs(long times) override
    {
        std::vector<token>& tokens = tokens_[0];
        std::uint64_t const n = tokens.size();
        for (long i = 0; i < times; ++i) {
            token& t = tokens[(random_() >> 7) * n >> 24];
            all_[0]->remove(t);
            t = all_[0]->add(add<Event>{counter()});
        }
    }

    void toggle(long times) override
    {
        for (long i = 0; i < times; ++i) {
            token t = all_[0]->add(add_own<Event>{1});
            all_[0]->remove(t);
        }
    }

    void notify(long times) override
    {
        Adapter const& a = *all_[0];
        Event const event = one();
        for (long i = 0; i < times; ++i)
            call(a, event);
    }

    void nest() override { all_.back()->add(loop_inside<Event>{this}); }

    void notify_nested(long times) override
    {
        times_inside = times;
        all_.back()->notify(one());
    }

    long notify_failing(long times) override
    {
        Adapter const& a = *all_[0];
        Event const event = one();
        long left = 0;
        for (long i = 0; i < times; ++i) {
            try {
                call_failing(a, event);
            } catch (std::exception const& e) {
                left += e.what() != nullptr ? 1 : 0;
            }
        }
        if constexpr (requires { a.failures(); })
            return a.failures();
        else
            return left;
    }

    void notify_in_turn(long times) override
    {
        Event const event = one();
        std::unique_ptr<Adapter> const* const first = all_.data();
        std::unique_ptr<Adapter> const* const end = first + all_.size();
        std::unique_ptr<Adapter> const* at = first;
        for (long i = 0; i < times; ++i) {
            call(**at, event);
            if (++at == end)
                at = first;
        }
    }

    void enter() override
    {
        if constexpr (requires(Adapter& a) { a.enter(); })
            all_[0]->enter();
    }

    void leave() override
    {
        if constexpr (requires(Adapter& a) { a.leave(); })
            all_[0]->leave();
    }

    footprint empty() const override
    {
        memory_counter const memory;
        Adapter const one;
        return {memory.allocations(),
                memory.bytes() + static_cast<long>(sizeof(typename Adapter::declared))};
    }

private:
    static constexpr std::size_t most_counters = 1024;

    static Event one() noexcept
    {
        if constexpr (requires { Event(1); })
            return Event(1);
        else
            return Event();
    }

    // If a program notifies from a single place, the compiler can specialise that place. Sharing
    // one place for all N prevents this.
    BOOST_NOINLINE static void call(Adapter const& a, Event const& event) { a.notify(event); }

    BOOST_NOINLINE static void call_failing(Adapter const& a, Event const& event)
    {
        if constexpr (requires { a.notify_failing(event); })
            a.notify_failing(event);
        else
            a.notify(event);
    }

    static void settle(Adapter& a)
    {
        if constexpr (requires { a.settle(); })
            a.settle();
    }

    long* counter() noexcept { return &counters_[next_++ % most_counters]; }

    token add_one(Adapter& a, deed d)
    {
        switch (d) {
        case deed::add_own:
            return a.add(add_own<Event>{1});
        case deed::fail:
            return a.add(perf::fail<Event>{counter()});
        case deed::wait:
            return a.add(wait_at_gate<Event>{counter()});
        case deed::own:
            return a.add(perf::own<Event>{counter()});
        case deed::add:
            break;
        }
        return a.add(perf::add<Event>{counter()});
    }

    template <int Type = 0>
    token add_as_type(int type)
    {
        // Only events of one size are measured so.
        if constexpr (sizeof(Event) == 4 && Type != 15)
            if (type != Type)
                return add_as_type<Type + 1>(type);
        return all_[0]->add(add_as<Event, Type>{{counter()}});
    }

    std::vector<std::unique_ptr<Adapter>> all_;
    std::vector<std::vector<token>> tokens_;
    std::vector<long> counters_;
    std::size_t next_ = 0;
    std::minstd_rand random_{20260101};
};

template <class Adapter, class Event>
std::unique_ptr<subject> make(long registries)
{
    return std::make_unique<subject_of<Adapter, Event>>(registries);
}

}  // namespace perf

#endif
