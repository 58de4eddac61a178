// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// What the tests of mailboxes share.

#ifndef REGISTRY_IO_TEST_QUEUED_SUPPORT_HPP
#define REGISTRY_IO_TEST_QUEUED_SUPPORT_HPP

#include <memory>
#include <tuple>
#include <utility>

#include <registry_io/queued/mailbox.hpp>

namespace test {

namespace queued = registry_io::queued;

/// An event that lies in the queue itself.
struct plain
{
    int thread = 0;
    int number = 0;

    static plain make(int thread, int number) { return {thread, number}; }
    int by() const noexcept { return thread; }
    int at() const noexcept { return number; }
    bool is_there() const noexcept { return true; }
};

/// The same, with a size that is not a multiple of a word, and without a default constructor.
struct odd
{
    unsigned char thread;
    unsigned char high;
    unsigned char low;

    odd(int t, int n) noexcept
        : thread(static_cast<unsigned char>(t)),
          high(static_cast<unsigned char>(n / 256)),
          low(static_cast<unsigned char>(n % 256))
    {
    }
    static odd make(int thread, int number) { return {thread, number}; }
    int by() const noexcept { return thread; }
    int at() const noexcept { return high * 256 + low; }
    bool is_there() const noexcept { return true; }
};
static_assert(sizeof(odd) == 3);

/// An event that can be moved, but not copied.
struct movable
{
    std::unique_ptr<plain> p;

    static movable make(int thread, int number)
    {
        return {std::make_unique<plain>(plain{thread, number})};
    }
    int by() const noexcept { return p->thread; }
    int at() const noexcept { return p->number; }
    bool is_there() const noexcept { return p != nullptr; }
};

/// The target of a drain: calls a function, like a registry with one handler.
template <class F>
struct sink
{
    F f;
    template <class Event>
    void notify(Event const& e)
    {
        f(e);
    }
};
template <class F>
sink(F) -> sink<F>;

struct key_of
{
    template <class Event>
    int operator()(Event const& e) const noexcept
    {
        return e.by();
    }
};
using by_thread = queued::coalesce<key_of{}>;

}  // namespace test

#endif
