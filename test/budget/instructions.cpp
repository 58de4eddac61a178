// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)

// What a notify is in instructions. test/within_budget compiles this, runs it under callgrind and
// compares what the dumps say with the lines below: a registry, its number of handlers, and how
// many instructions a notify may be, the call and the loop around it included; "over bare" is how
// many more than the bare loop's.
//
// budget gcc SyncRegistry 0 18
// budget gcc SyncRegistry over bare 1 8
// budget gcc SyncRegistry 1 39
// budget gcc SyncRegistry 4 85
// budget gcc SyncRegistry 16 166
// budget gcc SyncRegistry over bare 16 0
// budget gcc RcuRegistry 0 16
// budget gcc RcuRegistry over bare 1 8
// budget gcc RcuRegistry 1 39
// budget gcc RcuRegistry 4 85
// budget gcc RcuRegistry 16 166
// budget gcc RcuRegistry over bare 16 0
// budget gcc LocalRegistry 0 17
// budget gcc LocalRegistry 1 32
// budget gcc LocalRegistry 4 82
// budget gcc LocalRegistry 16 163
// budget gcc LocalRegistry over bare 16 0
// budget clang SyncRegistry 0 22
// budget clang SyncRegistry over bare 1 11
// budget clang SyncRegistry 1 44
// budget clang SyncRegistry 4 99
// budget clang SyncRegistry 16 183
// budget clang RcuRegistry 0 22
// budget clang RcuRegistry over bare 1 11
// budget clang RcuRegistry 1 44
// budget clang RcuRegistry 4 99
// budget clang RcuRegistry 16 183
// budget clang LocalRegistry 0 23
// budget clang LocalRegistry 1 41
// budget clang LocalRegistry 4 95
// budget clang LocalRegistry 16 179

#include <cstdio>
#include <cstring>
#include <vector>

#include <valgrind/callgrind.h>

#include <registry_io/presets/local.hpp>
#include <registry_io/presets/rcu.hpp>
#include <registry_io/presets/sync.hpp>

namespace {

/// The yardstick: functions and contexts in a vector, without order, protection and isolation.
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

/// A handler of one word.
class adder
{
public:
    explicit adder(int* to) noexcept : to_(to) {}
    void operator()(int const& event) const { *to_ += event; }

private:
    int* to_;
};

template <class Registry>
[[gnu::noinline]] void notify(Registry const& r, int const& event)
{
    r.notify(event);
}

template <class Registry>
void count(char const* name)
{
    constexpr int times = 1000;
    for (int const n : {0, 1, 4, 16}) {
        Registry r;
        int sums[16] = {};
        for (int i = 0; i < n; ++i)
            r.register_handler(adder(&sums[i]));
        notify(r, 1);  // a thread's first one makes it known
        CALLGRIND_ZERO_STATS;
        for (int i = 0; i < times; ++i)
            notify(r, i);
        char label[64];
        std::snprintf(label, sizeof label, "%s %d %d", name, n, times);
        CALLGRIND_DUMP_STATS_AT(label);
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
