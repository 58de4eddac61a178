// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#include <boost/signals2.hpp>

#include <utility>
#include <vector>

#include "subject_of.hpp"

namespace perf {
namespace {

/// Connections and groups with their default options, including the mutex.
template <class Event>
class signals2
{
public:
    using declared = boost::signals2::signal<void(Event const&)>;
    using token_type = boost::signals2::connection;

    template <class F>
    token_type add(F f)
    {
        return signal_.connect(std::move(f));
    }
    template <class F>
    token_type add(int priority, F f)
    {
        return signal_.connect(priority, std::move(f));
    }
    void remove(token_type& c) { c.disconnect(); }
    BOOST_FORCEINLINE void notify(Event const& event) const { signal_(event); }

private:
    declared signal_;
};

template <class Event>
kind of()
{
    return {.name = "Boost.Signals2",
            .threads = true,
            .readers = true,
            .fails = true,
            .event = sizeof(Event),
            .make = &make<signals2<Event>, Event>};
}

}  // namespace

std::vector<kind> signals2_kinds()
{
    return {of<int>(), of<sized<64>>(), of<sized<1024>>()};
}

}  // namespace perf
