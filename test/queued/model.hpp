// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// A naive model of a mailbox.

#ifndef REGISTRY_IO_TEST_QUEUED_MODEL_HPP
#define REGISTRY_IO_TEST_QUEUED_MODEL_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <type_traits>
#include <utility>
#include <vector>

#include <registry_io/queued/mailbox.hpp>

#include "queued/support.hpp"

namespace test {

template <class Mailbox>
inline constexpr bool has_urgent =
    requires(Mailbox& m, typename Mailbox::event_type e) { m.post_urgent(std::move(e)); };

/// A model of the mailbox's options.
template <class Full, std::size_t Capacity = 3>
struct model
{
    struct item
    {
        int by;
        int at;
        bool operator==(item const&) const = default;
    };
    std::deque<item> lanes[2];
    std::uint64_t posted = 0;
    std::uint64_t dropped = 0;
    std::uint64_t coalesced = 0;
    std::uint64_t refused = 0;
    std::size_t high = 0;
    bool closed = false;

    queued::post_result post(int l, item i)
    {
        if (closed) {
            ++refused;
            return queued::post_result::closed;
        }
        std::deque<item>& lane = lanes[l];
        if constexpr (std::is_same_v<Full, by_thread>) {
            auto const older =
                std::find_if(lane.begin(), lane.end(), [&](item o) { return o.by == i.by; });
            if (older != lane.end()) {
                lane.erase(older);
                lane.push_back(i);
                ++coalesced;
                ++posted;
                return queued::post_result::posted;
            }
        }
        if (lane.size() == Capacity) {
            if constexpr (std::is_same_v<Full, queued::drop_oldest>) {
                lane.pop_front();
                ++dropped;
            } else if constexpr (std::is_same_v<Full, queued::drop_newest> ||
                                 std::is_same_v<Full, by_thread>) {
                ++dropped;
                return queued::post_result::dropped;
            } else {
                ++refused;
                return queued::post_result::full;
            }
        }
        lane.push_back(i);
        ++posted;
        high = std::max(high, lanes[0].size() + lanes[1].size());
        return queued::post_result::posted;
    }

    std::size_t waiting() const { return lanes[0].size() + lanes[1].size(); }

    /// Takes out the next event. Precondition: an event is waiting.
    item take()
    {
        std::deque<item>& lane = lanes[lanes[1].empty() ? 0 : 1];
        item const next = lane.front();
        lane.pop_front();
        return next;
    }

    std::vector<item> drain(std::size_t max)
    {
        std::vector<item> out;
        while (out.size() != max && waiting() != 0)
            out.push_back(take());
        return out;
    }
};

template <class Mailbox>
struct full_of;
template <class Event, std::size_t N, class Full, class... More>
struct full_of<queued::mailbox<Event, N, Full, More...>>
{
    using type = Full;
};

template <class Mailbox>
inline constexpr bool has_many = false;
template <class Event, std::size_t N, class... Options>
inline constexpr bool has_many<queued::mailbox<Event, N, Options...>> =
    (std::is_same_v<Options, queued::many_consumers> || ...);

}  // namespace test

#endif
