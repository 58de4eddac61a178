// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Boost.Signals2, and its interface on our core: the same source for both.

#include <boost/signals2.hpp>
#include <registry_io/signals2.hpp>

#include <string_view>
#include <utility>
#include <vector>

#include "subject_of.hpp"

namespace perf {
namespace {

/// Connections and groups with their default options, including the mutex.
template <class Signal, class Connection, class Event>
class signals2
{
public:
    using declared = Signal;
    using token_type = Connection;

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

template <class Signal, class Connection, class Event>
kind of(std::string_view name, bool ours)
{
    return {.name = name,
            .ours = ours,
            .threads = true,
            .readers = true,
            .fails = true,
            .event = sizeof(Event),
            .make = &make<signals2<Signal, Connection, Event>, Event>};
}

template <class Event>
kind boosts()
{
    namespace s2 = boost::signals2;
    return of<s2::signal<void(Event const&)>, s2::connection, Event>("Boost.Signals2", false);
}
template <class Event>
kind ours()
{
    namespace s2 = registry_io::signals2;
    return of<s2::signal<void(Event const&)>, s2::connection, Event>("signals2", true);
}

}  // namespace

std::vector<kind> signals2_kinds()
{
    return {ours<int>(),   ours<sized<64>>(),   ours<sized<1024>>(),
            boosts<int>(), boosts<sized<64>>(), boosts<sized<1024>>()};
}

}  // namespace perf
