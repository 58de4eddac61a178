// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// g++ before 13 destroys an aggregate twice if it is created in the operand of co_await. Other
// compilers do not, and accept it.
// expect: registry_io: g++ before 13 destroys an aggregate twice that is made in the operand

#include <string>

#include <registry_io/presets/async.hpp>

struct event
{
    std::string text;
};

registry_io::async::task<> run(registry_io::AsyncRegistry<event>& r)
{
#ifdef REGISTRY_IO_TEST_CONTROL
    event const e{"text"};
    co_await r.notify(e);
#else
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
    co_await r.notify(event{"text"});
#else
    static_assert(
        false,
        "registry_io: g++ before 13 destroys an aggregate twice that is made in the operand");
#endif
#endif
}

int main()
{
    registry_io::AsyncRegistry<event> r;
    registry_io::async::sync_wait(run(r));
}
