// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#ifndef REGISTRY_IO_TEST_DETACHED_HPP
#define REGISTRY_IO_TEST_DETACHED_HPP

#include <coroutine>
#include <exception>

namespace test {

/// A coroutine that starts at once and destroys itself when it ends.
struct detached
{
    struct promise_type
    {
        detached get_return_object() noexcept { return {}; }
        std::suspend_never initial_suspend() noexcept { return {}; }
        std::suspend_never final_suspend() noexcept { return {}; }
        void return_void() noexcept {}
        void unhandled_exception() noexcept { std::terminate(); }
    };
};

}  // namespace test

#endif
