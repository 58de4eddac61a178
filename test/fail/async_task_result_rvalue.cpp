// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: an async::task cannot return an rvalue reference

#include <registry_io/async/task.hpp>

namespace {

#ifdef REGISTRY_IO_TEST_CONTROL
using result = int;
#else
using result = int&&;
#endif

registry_io::async::task<result> make()
{
    co_return 1;
}

}  // namespace

int main()
{
    registry_io::async::sync_wait(make());
}
