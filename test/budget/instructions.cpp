// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// How many instructions a notify takes. test/within_budget compiles this file, runs it under
// callgrind and compares the dumps with the lines below. Each line names a registry, its number of
// handlers, and how many instructions a notify may take, including the call and the loop around it.
// "over bare" is how many instructions more than the bare loop. All handlers are of one type,
// except in "mixed", where each has another type than the one before, and in "blocks" of four
// types. "nested": inside a handler of another registry.
//
// budget gcc SyncRegistry 0 16
// budget gcc SyncRegistry over bare 1 5
// budget gcc SyncRegistry over bare 2 20
// budget gcc SyncRegistry 1 37
// budget gcc SyncRegistry 4 73
// budget gcc SyncRegistry 16 145
// budget gcc SyncRegistry over bare 16 -20
// budget gcc SyncRegistry.mixed over bare 2 41
// budget gcc SyncRegistry.mixed 4 84
// budget gcc SyncRegistry.mixed over bare 16 0
// budget gcc SyncRegistry.blocks 64 655
// budget gcc SyncRegistry.nested 1 101
// budget gcc SyncRegistry.nested 16 188
// budget gcc RcuRegistry 0 15
// budget gcc RcuRegistry over bare 1 6
// budget gcc RcuRegistry over bare 2 21
// budget gcc RcuRegistry 1 38
// budget gcc RcuRegistry 4 74
// budget gcc RcuRegistry 16 146
// budget gcc RcuRegistry over bare 16 -19
// budget gcc RcuRegistry.mixed over bare 16 0
// budget gcc RcuRegistry.nested 1 67
// budget gcc RcuRegistry.nested 16 154
// budget gcc LocalRegistry 0 16
// budget gcc LocalRegistry 1 30
// budget gcc LocalRegistry 4 66
// budget gcc LocalRegistry 16 138
// budget gcc LocalRegistry over bare 16 -27
// budget clang SyncRegistry 0 17
// budget clang SyncRegistry over bare 1 5
// budget clang SyncRegistry over bare 2 20
// budget clang SyncRegistry 1 37
// budget clang SyncRegistry 4 73
// budget clang SyncRegistry 16 145
// budget clang SyncRegistry over bare 16 -20
// budget clang SyncRegistry.mixed 4 91
// budget clang SyncRegistry.mixed 16 176
// budget clang SyncRegistry.blocks 64 645
// budget clang SyncRegistry.nested 1 100
// budget clang SyncRegistry.nested 16 187
// budget clang RcuRegistry 0 17
// budget clang RcuRegistry over bare 1 6
// budget clang RcuRegistry over bare 2 21
// budget clang RcuRegistry 1 38
// budget clang RcuRegistry 4 74
// budget clang RcuRegistry 16 146
// budget clang RcuRegistry over bare 16 -19
// budget clang RcuRegistry.mixed 16 178
// budget clang RcuRegistry.nested 1 75
// budget clang RcuRegistry.nested 16 163
// budget clang LocalRegistry 0 21
// budget clang LocalRegistry 1 36
// budget clang LocalRegistry 4 72
// budget clang LocalRegistry 16 144

#include <cstring>
#include <string>
#include <vector>

#include <valgrind/callgrind.h>

#include <registry_io/presets/local.hpp>
#include <registry_io/presets/rcu.hpp>
#include <registry_io/presets/sync.hpp>

namespace {

/// The baseline: functions and contexts in a vector, without order, protection and isolation.
class bare
{
    struct entry
    {
        void (*call)(void*, int const&);
        void* state;
    };
    std::vector<entry> entries_;

public:
    template <class F>
    void register_handler(F f)
    {
        static_assert(sizeof(F) == sizeof(void*));
        void* state = nullptr;
        std::memcpy(&state, &f, sizeof f);
        entries_.push_back({[](void* s, int const& event) {
                                F g(nullptr);
                                std::memcpy(&g, &s, sizeof g);
                                g(event);
                            },
                            state});
    }
    void notify(int const& event) const
    {
        for (entry const& e : entries_)
            e.call(e.state, event);
    }
};

/// A handler of one word. Each `Type` is a type of its own.
template <int Type>
class adder
{
public:
    explicit adder(int* to) noexcept : to_(to) {}
    void operator()(int const& event) const { *to_ += event; }

private:
    int* to_;
};

/// A handler of one word that calls a function object.
template <class F>
class caller
{
public:
    explicit caller(F const* f) noexcept : f_(f) {}
    void operator()(int const&) const { (*f_)(); }

private:
    F const* f_;
};

template <class Registry>
[[gnu::noinline]] void notify(Registry const& r, int const& event)
{
    r.notify(event);
}

template <class Registry>
void count(Registry const& r, std::string const& name, int n)
{
    constexpr int times = 1000;
    notify(r, 1);  // a thread's first notify makes it known
    CALLGRIND_ZERO_STATS;
    for (int i = 0; i < times; ++i)
        notify(r, i);
    std::string const label = name + ' ' + std::to_string(n) + ' ' + std::to_string(times);
    CALLGRIND_DUMP_STATS_AT(label.c_str());
}

template <class Registry>
void add(Registry& r, int type, int* to)
{
    switch (type) {
    case 0:
        r.register_handler(adder<0>(to));
        break;
    case 1:
        r.register_handler(adder<1>(to));
        break;
    case 2:
        r.register_handler(adder<2>(to));
        break;
    default:
        r.register_handler(adder<3>(to));
    }
}

template <class Registry>
void count(std::string const& name)
{
    for (int const n : {2, 4, 16, 64}) {
        Registry mixed;
        Registry blocks;
        int sums[64] = {};
        for (int i = 0; i < n; ++i) {
            add(mixed, i % 4, &sums[i]);
            add(blocks, i * 4 / n, &sums[i]);
        }
        count(mixed, name + ".mixed", n);
        count(blocks, name + ".blocks", n);
    }
    for (int const n : {0, 1, 2, 4, 16}) {
        Registry r;
        int sums[16] = {};
        for (int i = 0; i < n; ++i)
            r.register_handler(adder<0>(&sums[i]));
        count(r, name, n);
        auto const inside = [&] { count(r, name + ".nested", n); };
        Registry outer;
        outer.register_handler(caller(&inside));
        outer.notify(0);
    }
}

}  // namespace

int main()
{
    count<bare>("bare");
    count<registry_io::SyncRegistry<int>>("SyncRegistry");
    count<registry_io::RcuRegistry<int>>("RcuRegistry");
    count<registry_io::LocalRegistry<int>>("LocalRegistry");
}
