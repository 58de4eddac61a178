// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The shared object of process/dso.

#include "process/dso.hpp"

#include <registry_io/registry_ref.hpp>

extern "C" {

__attribute__((visibility("default"))) void registry_io_plugin(dso::plugin* p)
{
    *p = dso::plugin_here();
}

// Uses a reference that the registry's owner has made: the owner's code runs, whichever object
// calls it.
__attribute__((visibility("default"))) bool registry_io_through(
    registry_io::registry_ref<stress::event> const& r)
{
    stress::census birds;
    long tally = 0;
    std::size_t const before = r.size();
    stress::handler_id const id =
        r.register_handler([bird = stress::canary(birds)](stress::event const& e) {
            bird.sing();
            ++*e.tally;
        });
    r.notify({0, &tally});
    bool const removed = r.unregister(id) && !r.unregister(id);
    bool const gone = birds.living.load() == 0;
    {
        registry_io::handler_guard const guard =
            r.register_guard([](stress::event const& e) { ++*e.tally; });
        r.notify({0, &tally});
    }
    r.synchronize();
    return tally == 2 && removed && gone && r.size() == before && birds.misused.load() == 0;
}
}
