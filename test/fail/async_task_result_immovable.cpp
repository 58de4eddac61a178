// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: the result of an async::task is moved out of its frame

#include <memory>

#include <registry_io/async/task.hpp>

namespace {

struct immovable
{
    immovable() = default;
    immovable(immovable&&) = delete;
    int n = 0;
};

#ifdef REGISTRY_IO_TEST_CONTROL
registry_io::async::task<std::unique_ptr<immovable>> make()
{
    co_return std::make_unique<immovable>();
}
#else
registry_io::async::task<immovable> make()
{
    co_return immovable();
}
#endif

registry_io::async::task<> take()
{
    static_cast<void>(co_await make());
}

}  // namespace

int main()
{
    registry_io::async::sync_wait(take());
}
