// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The argument of a panic callback: the id of the handler that failed, its exception and the
// exception's message. It is made only after a failure.

#ifndef REGISTRY_IO_PANIC_INFO_HPP
#define REGISTRY_IO_PANIC_INFO_HPP

#include <registry_io/detail/supported.hpp>

#include <exception>
#include <string_view>
#include <utility>

#include <registry_io/handler_id.hpp>
#include <registry_io/handler_label.hpp>

namespace registry_io {
inline namespace v1 {

namespace detail {

/// The message of an exception; empty if its `what` returns null; a null view if it is not a
/// `std::exception`.
inline std::string_view message_of(std::exception const* e) noexcept
{
    if (e == nullptr)
        return {};
    char const* const what = e->what();
    return what == nullptr ? "" : what;
}

}  // namespace detail

/// Describes the failure of a handler.
///
/// Copyable; you may keep a copy as long as you like. Concurrency: a value type. Its size is six
/// words: an id, an exception, a message and a label. The message is a view with a length: it may
/// lack a terminating null, or contain a null.
class panic_info
{
public:
    /// For panic policies: `message` must point into what `exception` keeps alive, or be empty.
    panic_info(registry_io::handler_id id, std::exception_ptr exception, std::string_view message,
               handler_label label = {}) noexcept
        : id_(id), exception_(std::move(exception)), message_(message), label_(std::move(label))
    {
    }

    /// The handler that failed.
    registry_io::handler_id handler_id() const noexcept { return id_; }

    /// The exception that it threw.
    std::exception_ptr const& exception() const noexcept { return exception_; }

    /// The text of the exception's `what()`; empty if it is not a `std::exception`, or `what()`
    /// returns null. Valid for as long as this object or a copy of it lives.
    std::string_view message() const noexcept { return message_; }

    /// The handler's name and the place where it was registered; empty unless the panic policy is
    /// `observe::named`, or an adaptor of it.
    handler_label const& label() const noexcept { return label_; }

private:
    registry_io::handler_id id_;
    std::exception_ptr exception_;
    std::string_view message_;
    handler_label label_;
};

}  // namespace v1
}  // namespace registry_io

#endif
