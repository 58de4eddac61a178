// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: next() returns a copy of the event, and this event cannot be copied

#include <registry_io/presets/async.hpp>

struct event
{
    event() = default;
#ifndef REGISTRY_IO_TEST_CONTROL
    event(event const&) = delete;
#endif
};

registry_io::async::task<> run(registry_io::AsyncRegistry<event>& r)
{
    co_await r.next();
}

int main()
{
    registry_io::AsyncRegistry<event> r;
    registry_io::async::sync_wait(run(r));
}
