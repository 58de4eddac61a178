// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// How many instructions a notify takes. test/within_budget compiles this file, runs it under
// callgrind and compares the dumps with the lines below. Each line names a registry, its number of
// handlers, and how many instructions a notify may take, including the call and the loop around it.
// "over bare" is how many instructions more than the bare loop. All handlers are of one type,
// except in "blocks" of four types; in "pairs", where each two have another type; in "alternating",
// with two types in turn; and in "different", where each has another type than the 15 before.
// Blocks of few handlers take more instructions by runs than by rows, but less time: 16 handlers
// take 0.6 of the bare loop's time on a Zen 4. "nested": inside a handler of another registry.
//
// budget gcc SyncRegistry 0 17
// budget gcc SyncRegistry over bare 1 5
// budget gcc SyncRegistry over bare 2 20
// budget gcc SyncRegistry 1 37
// budget gcc SyncRegistry 4 73
// budget gcc SyncRegistry 16 145
// budget gcc SyncRegistry over bare 16 -22
// budget gcc SyncRegistry.pairs 4 83
// budget gcc SyncRegistry.pairs over bare 16 -2
// budget gcc SyncRegistry.pairs over bare 64 -110
// budget gcc SyncRegistry.alternating over bare 2 40
// budget gcc SyncRegistry.alternating 4 83
// budget gcc SyncRegistry.alternating over bare 16 -2
// budget gcc SyncRegistry.alternating over bare 64 -110
// budget gcc SyncRegistry.different over bare 2 40
// budget gcc SyncRegistry.different 4 83
// budget gcc SyncRegistry.different over bare 16 -2
// budget gcc SyncRegistry.different over bare 64 -110
// budget gcc SyncRegistry.blocks 16 363
// budget gcc SyncRegistry.blocks 64 652
// budget gcc SyncRegistry.nested 1 100
// budget gcc SyncRegistry.nested 16 186
// budget gcc RcuRegistry 0 15
// budget gcc RcuRegistry over bare 1 6
// budget gcc RcuRegistry over bare 2 21
// budget gcc RcuRegistry 1 38
// budget gcc RcuRegistry 4 74
// budget gcc RcuRegistry 16 146
// budget gcc RcuRegistry over bare 16 -21
// budget gcc RcuRegistry.pairs 4 85
// budget gcc RcuRegistry.pairs over bare 16 -1
// budget gcc RcuRegistry.pairs over bare 64 -109
// budget gcc RcuRegistry.alternating over bare 2 41
// budget gcc RcuRegistry.alternating 4 85
// budget gcc RcuRegistry.alternating over bare 16 -1
// budget gcc RcuRegistry.alternating over bare 64 -109
// budget gcc RcuRegistry.different over bare 2 41
// budget gcc RcuRegistry.different 4 85
// budget gcc RcuRegistry.different over bare 16 -1
// budget gcc RcuRegistry.different over bare 64 -109
// budget gcc RcuRegistry.blocks 16 364
// budget gcc RcuRegistry.blocks 64 653
// budget gcc RcuRegistry.nested 1 66
// budget gcc RcuRegistry.nested 16 152
// budget gcc LocalRegistry 0 15
// budget gcc LocalRegistry 1 32
// budget gcc LocalRegistry 4 68
// budget gcc LocalRegistry 16 140
// budget gcc LocalRegistry over bare 16 -27
// budget gcc LocalRegistry.pairs 4 79
// budget gcc LocalRegistry.pairs 16 160
// budget gcc LocalRegistry.pairs over bare 64 -115
// budget gcc LocalRegistry.alternating over bare 2 35
// budget gcc LocalRegistry.alternating 4 79
// budget gcc LocalRegistry.alternating 16 160
// budget gcc LocalRegistry.alternating over bare 64 -115
// budget gcc LocalRegistry.different over bare 2 35
// budget gcc LocalRegistry.different 4 79
// budget gcc LocalRegistry.different 16 160
// budget gcc LocalRegistry.different over bare 64 -115
// budget gcc LocalRegistry.blocks 16 357
// budget gcc LocalRegistry.blocks 64 646
// budget clang SyncRegistry 0 17
// budget clang SyncRegistry over bare 1 5
// budget clang SyncRegistry over bare 2 20
// budget clang SyncRegistry 1 37
// budget clang SyncRegistry 4 73
// budget clang SyncRegistry 16 145
// budget clang SyncRegistry over bare 16 -22
// budget clang SyncRegistry.pairs 4 85
// budget clang SyncRegistry.pairs over bare 16 -1
// budget clang SyncRegistry.pairs over bare 64 -109
// budget clang SyncRegistry.alternating over bare 2 40
// budget clang SyncRegistry.alternating 4 85
// budget clang SyncRegistry.alternating over bare 16 -1
// budget clang SyncRegistry.alternating over bare 64 -109
// budget clang SyncRegistry.different over bare 2 40
// budget clang SyncRegistry.different 4 85
// budget clang SyncRegistry.different over bare 16 -1
// budget clang SyncRegistry.different over bare 64 -109
// budget clang SyncRegistry.blocks 16 347
// budget clang SyncRegistry.blocks 64 636
// budget clang SyncRegistry.nested 1 93
// budget clang SyncRegistry.nested 16 180
// budget clang RcuRegistry 0 17
// budget clang RcuRegistry over bare 1 6
// budget clang RcuRegistry over bare 2 21
// budget clang RcuRegistry 1 38
// budget clang RcuRegistry 4 74
// budget clang RcuRegistry 16 146
// budget clang RcuRegistry over bare 16 -21
// budget clang RcuRegistry.pairs 4 85
// budget clang RcuRegistry.pairs over bare 16 -1
// budget clang RcuRegistry.pairs over bare 64 -109
// budget clang RcuRegistry.alternating over bare 2 41
// budget clang RcuRegistry.alternating 4 85
// budget clang RcuRegistry.alternating over bare 16 -1
// budget clang RcuRegistry.alternating over bare 64 -109
// budget clang RcuRegistry.different over bare 2 41
// budget clang RcuRegistry.different 4 85
// budget clang RcuRegistry.different over bare 16 -1
// budget clang RcuRegistry.different over bare 64 -109
// budget clang RcuRegistry.blocks 16 348
// budget clang RcuRegistry.blocks 64 637
// budget clang RcuRegistry.nested 1 69
// budget clang RcuRegistry.nested 16 155
// budget clang LocalRegistry 0 21
// budget clang LocalRegistry 1 36
// budget clang LocalRegistry 4 72
// budget clang LocalRegistry 16 144
// budget clang LocalRegistry.pairs 4 83
// budget clang LocalRegistry.pairs 16 164
// budget clang LocalRegistry.pairs over bare 64 -111
// budget clang LocalRegistry.alternating over bare 2 38
// budget clang LocalRegistry.alternating 4 83
// budget clang LocalRegistry.alternating 16 164
// budget clang LocalRegistry.alternating over bare 64 -111
// budget clang LocalRegistry.different over bare 2 38
// budget clang LocalRegistry.different 4 83
// budget clang LocalRegistry.different 16 164
// budget clang LocalRegistry.different over bare 64 -111
// budget clang LocalRegistry.blocks 16 345
// budget clang LocalRegistry.blocks 64 634

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

/// A handler of one word. Each `Type` is a different type.
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
    notify(r, 1);  // a thread's first notify makes its record
    CALLGRIND_ZERO_STATS;
    for (int i = 0; i < times; ++i)
        notify(r, i);
    std::string const label = name + ' ' + std::to_string(n) + ' ' + std::to_string(times);
    CALLGRIND_DUMP_STATS_AT(label.c_str());
}

/// Registers a handler of one of 16 types.
template <class Registry, int Type = 0>
void add(Registry& r, int type, int* to)
{
    if (type == Type)
        r.register_handler(adder<Type>(to));
    else if constexpr (Type != 15)
        add<Registry, Type + 1>(r, type, to);
}

struct pattern
{
    char const* name;
    int (*type)(int i, int n);  ///< of handler i of n
};
constexpr pattern patterns[] = {{".blocks", [](int i, int n) { return i * 4 / n; }},
                                {".pairs", [](int i, int) { return i / 2 % 16; }},
                                {".alternating", [](int i, int) { return i % 2; }},
                                {".different", [](int i, int) { return i % 16; }}};

template <class Registry>
void count(std::string const& name)
{
    for (int const n : {2, 4, 16, 64}) {
        for (pattern const& p : patterns) {
            Registry r;
            int sums[64] = {};
            for (int i = 0; i < n; ++i)
                add(r, p.type(i, n), &sums[i]);
            count(r, name + p.name, n);
        }
    }
    for (int const n : {0, 1, 2, 4, 16, 64}) {
        Registry r;
        int sums[64] = {};
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
