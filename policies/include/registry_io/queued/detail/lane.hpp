// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The waiting events of a mailbox: the queue of Boost.Lockfree (M. Michael and M. Scott, 1996).
// That queue holds trivial types only. An event that can be copied as bytes lies in the queue
// itself. Any other event lies in a place beside the queue, and the queue holds the number of the
// place.

#ifndef REGISTRY_IO_QUEUED_DETAIL_LANE_HPP
#define REGISTRY_IO_QUEUED_DETAIL_LANE_HPP

#include <registry_io/detail/supported.hpp>

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>

#include <boost/lockfree/queue.hpp>
#include <boost/lockfree/stack.hpp>

namespace registry_io {
inline namespace v1 {
namespace queued {
namespace detail {

/// The result of pushing an event into a lane.
enum class outcome : unsigned char {
    pushed,
    merged,  ///< the event has replaced another one, which is gone
    full     ///< there is no room: the caller keeps the event
};

/// The element type of the queue if several threads take entries out. One of them may read a node
/// that another thread has taken and a poster is filling again; the queue then discards what was
/// read. Each word is atomic, because that read would otherwise be a data race.
template <class Entry>
struct racing_image
{
    using word = std::uint64_t;
    static constexpr std::size_t words = (sizeof(Entry) + sizeof(word) - 1) / sizeof(word);

    word bytes[words] = {};

    racing_image() noexcept = default;
    racing_image(racing_image const& other) noexcept
    {
        for (std::size_t i = 0; i != words; ++i)
            std::atomic_ref<word>(bytes[i]).store(other.bytes[i], std::memory_order_relaxed);
    }
    racing_image& operator=(racing_image const&) = default;  // the queue requires a trivial type

    /// An image that has been read from the queue.
    struct reading
    {
        word bytes[words];

        reading() noexcept {}  // NOLINT(cppcoreguidelines-pro-type-member-init): pop fills it
        reading(racing_image const& from) noexcept { *this = from; }
        reading& operator=(racing_image const& from) noexcept
        {
            for (std::size_t i = 0; i != words; ++i)
                bytes[i] = std::atomic_ref<word>(const_cast<word&>(from.bytes[i]))
                               .load(std::memory_order_relaxed);
            return *this;
        }
    };
};

/// A lane of entries that can be copied as bytes. `SeveralTake`: several threads may call `pop` at
/// once.
template <class Entry, std::size_t Capacity, bool SeveralTake>
class direct_lane
{
    // Store entries unchanged if the queue can hold them.
    static constexpr bool as_image = SeveralTake || !std::is_default_constructible_v<Entry> ||
        !std::is_copy_constructible_v<Entry> || !std::is_trivially_copy_assignable_v<Entry>;
    using payload = std::conditional_t<as_image, racing_image<Entry>, Entry>;

public:
    /// Adds the entry that `make()` returns, if there is room.
    template <class Make>
    outcome push(Make make) noexcept
    {
        if constexpr (as_image) {
            Entry const entry = make();
            payload i;
            std::memcpy(i.bytes, &entry, sizeof entry);
            return queue_.push(i) ? outcome::pushed : outcome::full;
        } else {
            return queue_.push(make()) ? outcome::pushed : outcome::full;
        }
    }

    /// Takes the oldest entry out.
    bool pop(std::optional<Entry>& to) noexcept
    {
        if constexpr (as_image) {
            typename payload::reading r;
            if (!queue_.pop(r))
                return false;
            struct
            {
                std::byte bytes[sizeof(Entry)];
            } exact;
            std::memcpy(exact.bytes, r.bytes, sizeof exact);
            to.emplace(std::bit_cast<Entry>(exact));
            return true;
        } else {
            return queue_.pop(to);
        }
    }

    bool empty() const noexcept { return queue_.empty(); }

private:
    boost::lockfree::queue<payload, boost::lockfree::capacity<Capacity>> queue_;
};

/// A lane of any other entries.
template <class Entry, std::size_t Capacity, bool SeveralTake>
class pooled_lane
{
    using index = std::uint16_t;

public:
    pooled_lane() noexcept
    {
        for (std::size_t i = 0; i != Capacity; ++i)
            free_.push(static_cast<index>(i));
    }
    pooled_lane(pooled_lane const&) = delete;
    pooled_lane& operator=(pooled_lane const&) = delete;
    ~pooled_lane()
    {
        std::optional<index> i;
        while (order_.pop(i))
            at(*i).~Entry();
    }

    template <class Make>
    outcome push(Make make) noexcept
    {
        index i = 0;
        if (!free_.pop(i))
            return outcome::full;
        ::new (static_cast<void*>(places_[i].bytes)) Entry(make());
        // The push succeeds: a place is free only when its node is.
        order_.push([i] { return i; });
        return outcome::pushed;
    }

    bool pop(std::optional<Entry>& to) noexcept
    {
        std::optional<index> i;
        if (!order_.pop(i))
            return false;
        Entry& from = at(*i);
        to.emplace(std::move(from));
        from.~Entry();
        free_.push(*i);
        return true;
    }

    bool empty() const noexcept { return order_.empty(); }

private:
    struct place
    {
        alignas(Entry) std::byte bytes[sizeof(Entry)];
    };

    Entry& at(index i) noexcept
    {
        return *std::launder(reinterpret_cast<Entry*>(places_[i].bytes));
    }

    place places_[Capacity];
    boost::lockfree::stack<index, boost::lockfree::capacity<Capacity>> free_;
    direct_lane<index, Capacity, SeveralTake> order_;
};

template <class Entry, std::size_t Capacity, bool SeveralTake>
using plain_lane = std::conditional_t<std::is_trivially_copyable_v<Entry>,
                                      direct_lane<Entry, Capacity, SeveralTake>,
                                      pooled_lane<Entry, Capacity, SeveralTake>>;

}  // namespace detail
}  // namespace queued
}  // namespace v1
}  // namespace registry_io

#endif
