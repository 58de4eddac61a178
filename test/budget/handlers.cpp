// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// How many instructions a wrapper costs in each call. See instructions.cpp. "bare" is a
// SyncRegistry with one handler of two words, and "over bare" is what the wrapper adds to its
// notify. "once" covers registration, call and removal. Assertions check what wrappers add to a
// handler's size.
//
// budget gcc with_id over bare 1 0
// budget gcc filtered over bare 1 3
// budget gcc blockable over bare 1 5
// budget gcc tracked over bare 1 30
// budget gcc member over bare 1 4
// budget gcc on over bare 1 50
// budget gcc connection over bare 1 5
// budget gcc named over bare 1 0
// budget gcc latest over bare 1 275
// budget gcc once over bare 2 345
// budget clang with_id over bare 1 0
// budget clang filtered over bare 1 3
// budget clang blockable over bare 1 5
// budget clang tracked over bare 1 30
// budget clang member over bare 1 4
// budget clang on over bare 1 62
// budget clang connection over bare 1 5
// budget clang named over bare 1 0
// budget clang latest over bare 1 285
// budget clang once over bare 2 390

#include <memory>
#include <string>

#include <valgrind/callgrind.h>

#include <registry_io/handlers/blockable.hpp>
#include <registry_io/handlers/filtered.hpp>
#include <registry_io/handlers/latest.hpp>
#include <registry_io/handlers/on.hpp>
#include <registry_io/handlers/once.hpp>
#include <registry_io/handlers/tracked.hpp>
#include <registry_io/handlers/with_id.hpp>
#include <registry_io/observe/named.hpp>
#include <registry_io/presets/sync.hpp>

namespace {

namespace rio = registry_io;
using registry = rio::SyncRegistry<int>;

/// A handler of two words.
class adder
{
public:
    explicit adder(int* to) noexcept : to_(to), also_(to) {}
    void operator()(int const& event) const
    {
        *to_ += event;
        *also_ += event;
    }
    void operator()(rio::handler_id, int const& event) const { (*this)(event); }

private:
    int* to_;
    int* also_;
};

struct positive
{
    bool operator()(int const& event) const { return event >= 0; }
};

struct executor
{
    template <class Task>
    void operator()(Task const& task) const
    {
        task();
    }
};

struct listener
{
    void hear(int const& event) { sum += event; }
    int sum = 0;
};

constexpr std::size_t bare_size = sizeof(adder);
static_assert(sizeof(decltype(rio::filtered(positive(), adder(nullptr)))) == bare_size);
static_assert(sizeof(decltype(rio::blockable({}, adder(nullptr)))) == bare_size + 16);
static_assert(sizeof(decltype(rio::with_id(adder(nullptr)))) == bare_size + 32);
static_assert(sizeof(decltype(rio::once(adder(nullptr)))) == bare_size + 40);
static_assert(sizeof(decltype(rio::tracked(std::shared_ptr<int>(), adder(nullptr)))) ==
              bare_size + 48);
static_assert(sizeof(decltype(rio::on(executor(), adder(nullptr)))) <= 24);

[[gnu::noinline]] void notify(registry const& r, int const& event)
{
    r.notify(event);
}

[[gnu::noinline]] void notify(rio::latest<registry>& r, int const& event)
{
    r.notify(event);
}

/// The whole life of a handler that runs once, with `remove` at its end.
template <class Make, class Remove>
void count_cycle(std::string const& name, Make make, Remove remove)
{
    registry r;
    constexpr int times = 1000;
    r.register_handler([](int const&) {});
    notify(r, 1);
    CALLGRIND_ZERO_STATS;
    for (int i = 0; i < times; ++i) {
        rio::handler_id const id = r.register_handler(make());
        notify(r, i);
        remove(r, id);
    }
    std::string const label = name + " 2 " + std::to_string(times);
    CALLGRIND_DUMP_STATS_AT(label.c_str());
}

template <class Registry = registry, class... Handler>
void count(std::string const& name, Handler&&... f)
{
    Registry r;
    r.register_handler(std::forward<Handler>(f)...);
    constexpr int times = 1000;
    notify(r, 1);  // a thread's first notify makes its record
    CALLGRIND_ZERO_STATS;
    for (int i = 0; i < times; ++i)
        notify(r, i);
    std::string const label = name + " 1 " + std::to_string(times);
    CALLGRIND_DUMP_STATS_AT(label.c_str());
}

}  // namespace

int main()
{
    int sum = 0;
    adder const f(&sum);
    auto const object = std::make_shared<int>(0);
    listener l;
    count("bare", f);
    count("with_id", rio::with_id(f));
    count("filtered", rio::filtered(positive(), f));
    count("blockable", rio::blockable({}, f));
    count("tracked", rio::tracked(object, f));
    count("member", &listener::hear, &l);
    count("on", rio::on(executor(), f));
    count("connection", rio::blockable(rio::block_count(), f));
    count("named", rio::observe::name("adder", f));
    count<rio::latest<registry>>("latest", f);
    auto const plain = [&] { return f; };
    auto const once = [&] { return rio::once(f); };
    count_cycle("bare", plain, [](registry& r, rio::handler_id id) { r.unregister(id); });
    count_cycle("once", once, [](registry&, rio::handler_id) {});
}
