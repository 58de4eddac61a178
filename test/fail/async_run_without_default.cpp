// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// expect: registry_io: the result of a task that async_run starts must be an object with a default

#include <exception>
#include <optional>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/io_context.hpp>

#include <registry_io/async/asio.hpp>

namespace {

struct without_default
{
    explicit without_default(int i) : n(i) {}
    int n;
};

#ifdef REGISTRY_IO_TEST_CONTROL
using result = std::optional<without_default>;
#else
using result = without_default;
#endif

registry_io::async::task<result> make()
{
    co_return result(1);
}

}  // namespace

int main()
{
    boost::asio::io_context io;
    registry_io::async::async_run(
        make(), boost::asio::bind_executor(io, [](std::exception_ptr, result const&) {}));
}
