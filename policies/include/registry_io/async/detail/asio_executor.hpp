// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Lets an executor of Boost.Asio be the executor of an environment: resuming a coroutine posts it
// to the executor. An environment does not know Asio; it holds the executor's address and this
// table of functions.

#ifndef REGISTRY_IO_ASYNC_DETAIL_ASIO_EXECUTOR_HPP
#define REGISTRY_IO_ASYNC_DETAIL_ASIO_EXECUTOR_HPP

#include <registry_io/detail/supported.hpp>

#include <coroutine>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/post.hpp>

#include <registry_io/async/environment.hpp>

namespace registry_io {
inline namespace v1 {
namespace async {
namespace detail {

/// The executors whose `target` is a `boost::asio::any_io_executor`.
inline executor_ref::operations const asio_executor_operations{
    [](void* executor, std::coroutine_handle<> h) {
        boost::asio::post(*static_cast<boost::asio::any_io_executor*>(executor), h);
    }};

}  // namespace detail
}  // namespace async
}  // namespace v1
}  // namespace registry_io

#endif
