// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Eleven event types; budget/text has one. The code that all types share exists only once. Each
// additional type adds about one and a half kilobytes, mostly its own walk over the table.
//
// budget gcc text 57100
// budget clang text 61650

#include <registry_io/presets/sync.hpp>

namespace {

template <int N>
struct event
{
    int value = N;
};

template <class Event>
void use_one(int& sum)
{
    registry_io::SyncRegistry<Event> r;
    r.register_handler([&sum](Event const& event) { sum += event.value; });
    r.notify(Event());
}

template <int... N>
void use_each(int& sum)
{
    (use_one<event<N>>(sum), ...);
}

}  // namespace

void use(int& sum)
{
    use_each<0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10>(sum);
}
