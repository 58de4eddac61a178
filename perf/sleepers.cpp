// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// What it costs to register and to remove a handler while 0, 30 or 1000 notifies of the same
// registry sleep, each on its own table. The notifies are nested in each other, so one thread
// suffices.

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <registry_io/presets/local.hpp>
#include <registry_io/presets/rcu.hpp>
#include <registry_io/presets/sync.hpp>
#include <registry_io/snapshot/atomic_shared_ptr.hpp>
#include <registry_io/snapshot/locked.hpp>

#include "harness.hpp"

namespace {

using namespace perf;

/// A handler whose captures have a destructor.
auto handler()
{
    return [p = std::make_shared<int>(1)](int const&) {};
}

/// The bare loop's counterpart: a function object in a vector without any readers.
class bare
{
public:
    void pair()
    {
        all_.emplace_back(handler());
        all_.pop_back();
    }
    template <class F>
    void beside(long, F f)
    {
        f();
    }

private:
    std::vector<std::function<void(int const&)>> all_;
};

template <class Registry>
class sleeping
{
public:
    sleeping()
    {
        registry_.register_handler([this](int const& left) {
            if (left == 0)
                return inside_();
            // Gives the next notify its own table.
            pair();
            registry_.notify(left - 1);
        });
    }

    void pair() { registry_.unregister(registry_.register_handler(handler())); }

    /// Calls `f` while `n` notifies sleep.
    template <class F>
    void beside(long n, F f)
    {
        if (n == 0)
            return f();
        inside_ = f;
        registry_.notify(static_cast<int>(n - 1));
    }

private:
    Registry registry_;
    std::function<void()> inside_;
};

template <class Subject>
void add(suite& s, std::string_view name)
{
    bool const is_bare = std::is_same_v<Subject, bare>;
    kind const k{.name = name, .bare = is_bare, .ours = !is_bare};
    if (!s.wants("a pair", k))
        return;
    for (long const n : {0L, 30L, 1000L}) {
        auto const one = std::make_shared<Subject>();
        auto const pairs = [one](long times) {
            for (; times != 0; --times)
                one->pair();
        };
        long const times = calibrated(pairs, s.quick() ? 3e-4 : 1e-3);
        s.add({.name = "a pair", .subject = std::string(name), .n = n, .bare = is_bare, .run = [=] {
                   sample taken{};
                   one->beside(n, [&] {
                       pairs(times / 10 + 1);  // refills the caches, which hold the sleepers' data
                       stopwatch const watch;
                       pairs(times);
                       taken = watch.stop(static_cast<double>(times));
                   });
                   return taken;
               }});
    }
}

}  // namespace

int main(int argc, char** argv)
{
    return run_suite(
        argc, argv, "sleepers", "Register and remove beside sleeping notifies", [](suite& s) {
            namespace snapshot = registry_io::snapshot;
            using sync = registry_io::SyncRegistry<int>;
            add<bare>(s, "bare");
            add<sleeping<sync>>(s, "sync");
            add<sleeping<registry_io::RcuRegistry<int>>>(s, "rcu");
            add<sleeping<registry_io::LocalRegistry<int>>>(s, "local");
            add<sleeping<sync::with<snapshot::locked>>>(s, "sync, locked");
            add<sleeping<sync::with<snapshot::atomic_shared_ptr>>>(s, "sync, atomic_shared_ptr");
        });
}
