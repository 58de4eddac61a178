// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// What the adaptors of observe add to a notify, in instructions: the same registry, with `n`
// handlers in blocks. "none" is the baseline, "sink" is a notify with its own sink. The cost of the
// system clock is included in `timed` and `watched`. See instructions.cpp and within_budget.
//
// budget gcc none 1 43
// budget gcc none 16 199
// budget gcc sink 1 84
// budget gcc sink 16 215
// budget gcc named 1 42
// budget gcc named 16 199
// budget gcc crowded 1 42
// budget gcc crowded 16 199
// budget gcc limited 1 70
// budget gcc limited 16 677
// budget gcc tapped 1 45
// budget gcc tapped 16 210
// budget gcc timed 1 57
// budget gcc timed 16 319
// budget gcc watched 1 240
// budget gcc watched 16 2998
// budget clang none 1 48
// budget clang none 16 216
// budget clang sink 1 91
// budget clang sink 16 224
// budget clang named 1 47
// budget clang named 16 216
// budget clang crowded 1 47
// budget clang crowded 16 216
// budget clang limited 1 73
// budget clang limited 16 690
// budget clang tapped 1 47
// budget clang tapped 16 223
// budget clang timed 1 54
// budget clang timed 16 278
// budget clang watched 1 245
// budget clang watched 16 3223

#include <string>

#include <valgrind/callgrind.h>

#include <registry_io/observe/crowded.hpp>
#include <registry_io/observe/limited.hpp>
#include <registry_io/observe/named.hpp>
#include <registry_io/observe/tapped.hpp>
#include <registry_io/observe/timed.hpp>
#include <registry_io/observe/watched.hpp>
#include <registry_io/presets/sync.hpp>
#if __has_include(<sys/sdt.h>)
#include <registry_io/observe/traced.hpp>
#endif

namespace {

namespace rio = registry_io;
namespace observe = rio::observe;
using plain = rio::panic::catch_log;

/// Larger than a word, so that each registry has blocks.
struct adder
{
    int* to;
    int times;
    void operator()(int const& event) const { *to += times * event; }
};

struct silent
{
    static void notify_begins(char const*) noexcept {}
    static void notify_ends(char const*) noexcept {}
    static void handler_begins(observe::tapped_call const&) noexcept {}
    static void handler_ends(observe::tapped_call const&) noexcept {}
    static void handler_failed(observe::tapped_call const&) noexcept {}
};

/// A clock that costs nothing, so that only the rest is counted.
struct free_clock
{
    static std::uint64_t now() noexcept { return 0; }
};

struct with_sink
{
    template <class Registry>
    [[gnu::noinline]] static void notify(Registry const& r, int const& event)
    {
        r.notify(event, [](rio::panic_info const&) noexcept {});
    }
};
struct without_sink
{
    template <class Registry>
    [[gnu::noinline]] static void notify(Registry const& r, int const& event)
    {
        r.notify(event);
    }
};

template <class Panic, class How = without_sink>
void count(std::string const& name, int n)
{
    typename rio::SyncRegistry<int>::with<Panic> r;
    int sum = 0;
    for (int i = 0; i < n; ++i)
        r.register_handler(adder{&sum, 2});
    constexpr int times = 1000;
    How::notify(r, 1);  // a thread's first notify makes its record
    CALLGRIND_ZERO_STATS;
    for (int i = 0; i < times; ++i)
        How::notify(r, i);
    std::string const label = name + ' ' + std::to_string(n) + ' ' + std::to_string(times);
    CALLGRIND_DUMP_STATS_AT(label.c_str());
}

}  // namespace

int main()
{
    for (int const n : {1, 16}) {
        count<plain>("none", n);
        count<plain, with_sink>("sink", n);
        count<observe::named<plain>>("named", n);
        count<observe::crowded<100, plain>>("crowded", n);
        count<observe::limited<3, plain>>("limited", n);
        count<observe::tapped<silent, plain>>("tapped", n);
        count<observe::timed<plain, free_clock>>("timed", n);
        count<observe::watched<100'000, plain, observe::overdue_to_stderr, free_clock>>("watched",
                                                                                        n);
#if __has_include(<sys/sdt.h>)
        count<observe::traced<plain>>("traced", n);
#endif
    }
}
