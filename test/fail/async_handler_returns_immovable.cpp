// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: what an async handler returns is moved into a coroutine

#include <coroutine>

#include <registry_io/presets/async.hpp>

namespace {

struct immovable
{
    immovable() = default;
    immovable(immovable&&) = delete;
    bool await_ready() const noexcept { return true; }
    void await_suspend(std::coroutine_handle<>) const noexcept {}
    void await_resume() const noexcept {}
};

}  // namespace

int main()
{
    registry_io::AsyncRegistry<int> r;
#ifdef REGISTRY_IO_TEST_CONTROL
    r.register_handler([](int) -> registry_io::async::task<> { co_await immovable(); });
#else
    r.register_handler([](int) { return immovable(); });
#endif
}
