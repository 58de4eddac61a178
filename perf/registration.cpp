// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// What it costs to register and to remove, depending on the number of handlers.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <registry_io/alloc/pool.hpp>
#include <registry_io/presets/sync.hpp>

#include "harness.hpp"
#include "subject.hpp"

namespace {

using namespace perf;

/// Registers n handlers one by one. The removal of all of them, in random order, is timed
/// separately.
sample up_and_down(kind const& k, long n, bool time_removal)
{
    // Small numbers are repeated to be long enough for the clock, except where each registry
    // finally has to wait for a reclaiming thread.
    long const repeats = k.copies ? 1 : std::max(1L, 1000 / n);
    sample sum;
    for (long i = 0; i < repeats; ++i) {
        std::unique_ptr<subject> const one = k.make(1);
        one->reserve(n);
        if (time_removal) {
            one->fill(n, deed::add);
            one->shuffle();
        }
        stopwatch const watch;
        if (time_removal)
            one->clear();
        else
            one->fill(n, deed::add);
        sample const taken = watch.stop(static_cast<double>(n));
        sum.ns += taken.ns / static_cast<double>(repeats);
        sum.disturbed = sum.disturbed || taken.disturbed;
    }
    return sum;
}

sample once(kind const& k, long n, bool (subject::*fill)(long))
{
    std::unique_ptr<subject> const one = k.make(1);
    one->reserve(n);
    stopwatch const watch;
    ((*one).*fill)(n);
    return watch.stop(static_cast<double>(n));
}

enum class company {
    none,
    idle,      ///< another thread has notified and sleeps
    busy,      ///< another thread notifies at full speed
    asleep,    ///< another thread sleeps in a handler
    departed,  ///< a thousand threads have notified and exited
};

/// Replaces handlers, while other threads do what `c` says.
sample pairs(subject& s, company c, long times)
{
    std::atomic<bool> ready{false};
    std::atomic<bool> stop{false};
    std::thread other;
    if (c == company::asleep) {
        gate = false;
        other = std::thread([&] {
            s.enter();
            ready = true;
            ready.notify_one();
            s.notify(1);
            s.leave();
        });
        ready.wait(false);
        // Wait until the thread has reached the blocking handler.
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    } else if (c == company::idle || c == company::busy) {
        other = std::thread([&] {
            s.enter();
            s.notify(1);
            ready = true;
            ready.notify_one();
            if (c == company::idle)
                stop.wait(false);
            while (!stop.load())
                s.notify(100);
            s.leave();
        });
        ready.wait(false);
    }
    stopwatch const watch;
    // The blocking handler must stay.
    if (c == company::asleep)
        s.toggle(times);
    else
        s.pairs(times);
    sample const taken = watch.stop(static_cast<double>(times));
    if (other.joinable()) {
        stop = true;
        stop.notify_one();
        gate = true;
        gate.notify_all();
        other.join();
    }
    return taken;
}

using on_heap = registry_io::SyncRegistry<int>;
using on_pool = on_heap::with<registry_io::alloc::pool>;

/// The slowest of 2000 pairs after half of the handlers were removed at random, so that the memory
/// has many holes. The new handlers are larger than the removed ones.
template <class Registry>
sample slowest_pair(Registry& r, std::size_t n)
{
    std::vector<registry_io::handler_id> ids;
    for (std::size_t i = 0; i < n; ++i)
        ids.push_back(r.register_handler([a = i, b = 0L](int const&) {}));
    std::shuffle(ids.begin(), ids.end(), std::mt19937(1));
    for (std::size_t i = 0; i < n / 2; ++i)
        r.unregister(ids[i]);
    using clock_type = std::chrono::steady_clock;
    stopwatch const watch;
    clock_type::duration slowest{};
    for (int i = 0; i < 2000; ++i) {
        auto const begin = clock_type::now();
        r.unregister(r.register_handler([a = i, b = 0L, c = 0L, d = 0L](int const&) {}));
        slowest = std::max(slowest, clock_type::now() - begin);
    }
    sample taken = watch.stop(1);
    taken.ns = std::chrono::duration<double, std::nano>(slowest).count();
    return taken;
}

/// Not compared with other libraries, because their allocators cannot be chosen.
void add_slowest_pairs(suite& s)
{
    char const* const name = "slowest pair, half removed at random";
    for (std::size_t const n : {1000u, 40000u}) {
        if (s.quick() && n > 1000)
            continue;
        measurement m{.name = name, .subject = "sync", .n = static_cast<long>(n)};
        m.run = [n] {
            on_heap r;
            return slowest_pair(r, n);
        };
        if (s.wants(name, {.name = "sync", .ours = true}))
            s.add(m);
        m.subject = "sync, pool";
        m.run = [n] {
            on_pool r{registry_io::alloc::pool(n * 400 + (std::size_t(1) << 20))};
            return slowest_pair(r, n);
        };
        if (s.wants(name, {.name = "sync, pool", .ours = true, .variation = true}))
            s.add(m);
    }
}

}  // namespace

int main(int argc, char** argv)
{
    return run_suite(argc, argv, "registration", "Register and remove", [](suite& s) {
        add_slowest_pairs(s);
        for (kind const& k : kinds()) {
            if (k.event != 4)
                continue;
            bool const priorities = k.make(1)->fill_by_priority(1);
            for (long const n : {16L, 100L, 1000L, 10000L, 100000L}) {
                // Subjects that copy everything at each write would need minutes for more.
                long const most = k.copies ? 1000 : s.quick() || k.variation ? 10000 : 100000;
                if (n > most)
                    continue;
                auto const add = [&](char const* name, std::function<sample()> run) {
                    if (s.wants(name, k))
                        s.add({.name = name,
                               .subject = std::string(k.name),
                               .n = n,
                               .bare = k.bare,
                               .run = std::move(run)});
                };
                add("register", [=] { return up_and_down(k, n, false); });
                // Removing everything from a vector is quadratic: 100 000 handlers take ten
                // seconds.
                bool const vector = k.name.starts_with("bare") || k.name == "std::function" ||
                    k.name.ends_with("mutex");
                if (!(vector && n > 10000))
                    add("remove", [=] { return up_and_down(k, n, true); });
                if (k.ours && k.make(1)->fill_at_once(1))
                    add("register at once", [=] { return once(k, n, &subject::fill_at_once); });
                if (priorities)
                    add("register by priority",
                        [=] { return once(k, n, &subject::fill_by_priority); });
                if (s.wants("pair", k)) {
                    std::shared_ptr<subject> const one = k.make(1);
                    one->fill(n, deed::add);
                    add_repeated(
                        s, {.name = "pair", .subject = std::string(k.name), .n = n, .bare = k.bare},
                        [one](long times) { one->pairs(times); }, 200e-6, n);
                }
            }
            if (!k.threads)
                continue;
            for (company const c :
                 {company::idle, company::busy, company::asleep, company::departed}) {
                std::string const name = c == company::idle ? "pair, another thread idle"
                    : c == company::busy                    ? "pair, another thread notifying"
                    : c == company::asleep ? "pair, another thread asleep in a handler"
                                           : "pair, after 1000 threads have notified";
                if (!s.wants(name, k) || (s.quick() && !k.ours) ||
                    (c == company::asleep && k.blocks))
                    continue;
                std::shared_ptr<subject> const one = k.make(1);
                one->fill(16, deed::add_own);
                if (c == company::asleep)
                    one->fill(1, deed::wait);
                long const times = calibrated([&](long t) { one->pairs(t); }, 200e-6);
                if (c == company::departed)
                    for (int i = 0; i < 1000; ++i)
                        std::thread([&] {
                            one->enter();
                            one->notify(1);
                            one->leave();
                        }).join();
                s.add({.name = name,
                       .subject = std::string(k.name),
                       .n = 16,
                       .threads = c == company::departed ? 1 : 2,
                       .run = [=] { return pairs(*one, c, times); }});
            }
        }
    });
}
