// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// What signals cost, in instructions: a call whose slots return nothing ("void"), a call with
// results that a combiner pulls ("result"), and a disconnection with a connection ("pair"). See
// instructions.cpp and within_budget.
//
// budget gcc void 0 27
// budget gcc void 1 49
// budget gcc void 16 236
// budget gcc result 1 190
// budget gcc result 16 1010
// budget gcc pair 16 1040
// budget clang void 0 27
// budget clang void 1 49
// budget clang void 16 239
// budget clang result 1 205
// budget clang result 16 1010
// budget clang pair 16 1085

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <valgrind/callgrind.h>

#include <registry_io/signals2/signal.hpp>

namespace {

namespace s2 = registry_io::signals2;

struct adder
{
    int* to;
    void operator()(int event) const { *to += event; }
};
struct returning
{
    int* to;
    int operator()(int event) const { return *to += event; }
};

constexpr int times = 1000;

void dump(char const* name, int n)
{
    std::string const label =
        std::string(name) + ' ' + std::to_string(n) + ' ' + std::to_string(times);
    CALLGRIND_DUMP_STATS_AT(label.c_str());
}

template <class Signal>
[[gnu::noinline]] void call(Signal const& s, int event)
{
    static_cast<void>(s(event));
}

// Out of line, as the loop's own instructions are counted and must not depend on what is around it.
template <class Signal>
[[gnu::noinline]] void call_repeatedly(Signal const& s)
{
    for (int i = 0; i < times; ++i)
        call(s, i);
}

template <class Signal, class Slot>
void count_calls(char const* name, int n)
{
    Signal s;
    int sum = 0;
    for (int i = 0; i < n; ++i)
        s.connect(Slot{&sum});
    call(s, 1);  // a thread's first call makes its record
    CALLGRIND_ZERO_STATS;
    call_repeatedly(s);
    dump(name, n);
}

void count_pairs(int n)
{
    s2::signal<void(int)> s;
    int sum = 0;
    std::vector<s2::connection> all;
    for (int i = 0; i < n; ++i)
        all.push_back(s.connect(adder{&sum}));
    std::size_t next = 0;
    auto const pair = [&] {
        next = (next + 7) % all.size();
        all[next].disconnect();
        all[next] = s.connect(adder{&sum});
    };
    for (int i = 0; i < 100; ++i)
        pair();
    CALLGRIND_ZERO_STATS;
    for (int i = 0; i < times; ++i)
        pair();
    dump("pair", n);
}

}  // namespace

int main()
{
    for (int const n : {0, 1, 16}) {
        count_calls<s2::signal<void(int)>, adder>("void", n);
        count_calls<s2::signal<int(int)>, returning>("result", n);
    }
    count_pairs(16);
}
