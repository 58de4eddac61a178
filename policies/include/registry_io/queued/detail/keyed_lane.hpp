// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The waiting events of a mailbox that keeps one event for each key: a list in the order of
// posting, and a hash table over it, under a lock. An event replaces the waiting event with the
// same key and goes to the end of the list, so the list stays in the order of posting.

#ifndef REGISTRY_IO_QUEUED_DETAIL_KEYED_LANE_HPP
#define REGISTRY_IO_QUEUED_DETAIL_KEYED_LANE_HPP

#include <registry_io/detail/supported.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>

#include <registry_io/queued/detail/lane.hpp>

namespace registry_io {
inline namespace v1 {
namespace queued {
namespace detail {

/// `Key` is callable with an event by `std::invoke`.
template <class Event, class Entry, std::size_t Capacity, auto Key>
class keyed_lane
{
    using index = std::uint32_t;
    using key_type = std::remove_cvref_t<std::invoke_result_t<decltype(Key), Event const&>>;
    static constexpr std::size_t buckets = std::bit_ceil(Capacity);
    static constexpr index none = ~index(0);

public:
    keyed_lane() noexcept
    {
        for (index& b : buckets_)
            b = none;
        for (std::size_t i = 0; i != Capacity; ++i)
            places_[i].after = i + 1 == Capacity ? none : static_cast<index>(i + 1);
    }
    keyed_lane(keyed_lane const&) = delete;
    keyed_lane& operator=(keyed_lane const&) = delete;
    ~keyed_lane() = default;

    /// Adds the entry that `make()` returns, which holds this event.
    template <class Make>
    outcome push(Event const& event, Make make) noexcept
    {
        std::optional<Entry> older;  // destroyed after the lock is released
        std::lock_guard<std::mutex> const lock(mutex_);
        key_type const& key = std::invoke(Key, event);
        std::size_t const bucket = bucket_of(key);
        index i = buckets_[bucket];
        while (i != none && !(std::invoke(Key, places_[i].entry->event) == key))
            i = places_[i].same_bucket;
        if (i != none) {
            older.emplace(std::move(*places_[i].entry));
            places_[i].entry.emplace(make());
            unlink(i);
            append(i);
            return outcome::merged;
        }
        if (free_ == none)
            return outcome::full;
        i = free_;
        free_ = places_[i].after;
        places_[i].entry.emplace(make());
        places_[i].same_bucket = buckets_[bucket];
        buckets_[bucket] = i;
        append(i);
        return outcome::pushed;
    }

    bool pop(std::optional<Entry>& to) noexcept
    {
        std::lock_guard<std::mutex> const lock(mutex_);
        index const i = first_;
        if (i == none)
            return false;
        index* link = &buckets_[bucket_of(std::invoke(Key, places_[i].entry->event))];
        while (*link != i)
            link = &places_[*link].same_bucket;
        *link = places_[i].same_bucket;
        unlink(i);
        to.emplace(std::move(*places_[i].entry));
        places_[i].entry.reset();
        places_[i].after = free_;
        free_ = i;
        return true;
    }

    bool empty() const noexcept
    {
        std::lock_guard<std::mutex> const lock(mutex_);
        return first_ == none;
    }

private:
    struct place
    {
        std::optional<Entry> entry;
        index before = none;
        index after = none;  ///< the next entry in the list of waiting entries, or of free ones
        index same_bucket = none;
    };

    static std::size_t bucket_of(key_type const& key) noexcept
    {
        // Spread the hash, because std::hash of an integer is the integer.
        return (std::hash<key_type>()(key) * 0x9e3779b97f4a7c15u >> 32) & (buckets - 1);
    }

    void unlink(index i) noexcept
    {
        place const& p = places_[i];
        (p.before == none ? first_ : places_[p.before].after) = p.after;
        (p.after == none ? last_ : places_[p.after].before) = p.before;
    }

    void append(index i) noexcept
    {
        places_[i].before = last_;
        places_[i].after = none;
        (last_ == none ? first_ : places_[last_].after) = i;
        last_ = i;
    }

    mutable std::mutex mutex_;  // Key, hash, comparison, and moves of events run under it
    index first_ = none;
    index last_ = none;
    index free_ = 0;
    index buckets_[buckets];
    place places_[Capacity];
};

}  // namespace detail
}  // namespace queued
}  // namespace v1
}  // namespace registry_io

#endif
