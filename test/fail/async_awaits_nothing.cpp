// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: this type cannot be awaited in an async::task

#include <registry_io/async/task.hpp>

registry_io::async::task<> run()
{
#ifdef REGISTRY_IO_TEST_CONTROL
    co_await registry_io::async::this_environment;
#else
    co_await 1;
#endif
}

int main()
{
    registry_io::async::sync_wait(run());
}
