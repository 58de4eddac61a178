// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: sync_wait moves the result out of the coroutine that awaits it

#include <coroutine>

#include <registry_io/async/task.hpp>

namespace {

struct immovable
{
    immovable() = default;
    immovable(immovable&&) = delete;
    int n = 0;
};

struct makes_one
{
    bool await_ready() const noexcept { return true; }
    void await_suspend(std::coroutine_handle<>) const noexcept {}
    immovable await_resume() const noexcept { return {}; }
};

registry_io::async::task<int> run()
{
    co_return (co_await makes_one()).n;
}

}  // namespace

int main()
{
#ifdef REGISTRY_IO_TEST_CONTROL
    return registry_io::async::sync_wait(run());
#else
    return registry_io::async::sync_wait(makes_one()).n;
#endif
}
