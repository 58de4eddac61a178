// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Every preset, and every policy that supports several threads, under random load for as long as
// you like: soak [SECONDS] [SEED]. What must hold: no handler runs after its captures were
// destroyed; a transaction is seen completely or not at all; an id is removed once; each notify
// runs in the order of keys and ids. After each round only registered handlers are alive, and the
// heap has its former size, except for what RCU keeps for reuse. Also counts how old a table was,
// in changes, when its reader released it.
// The single-threaded presets, and those for several threads once more, run random programs beside
// a naive model, like the fuzzer. Mailboxes run with consumers that are slower than the threads
// that post.

#include <malloc.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "fuzz/targets.hpp"
#include "queued/model.hpp"
#include "queued/support.hpp"
#include "stress/stress.hpp"

namespace {

using namespace stress;
using std::chrono::milliseconds;

struct counts
{
    std::atomic<std::uint64_t> notifies{0};
    std::atomic<std::uint64_t> calls{0};
    std::atomic<std::uint64_t> changes{0};
    std::atomic<std::uint64_t> waits{0};
    std::atomic<std::uint64_t> threads{0};
    std::atomic<std::uint64_t> violations{0};
    /// How many notifies ended with a table that had been replaced by this many changes: none, 1, 2
    /// to 3, 4 to 7 and so on.
    std::array<std::atomic<std::uint64_t>, 65> ages{};
    std::atomic<std::uint64_t> oldest{0};

    void saw(std::uint64_t age)
    {
        ages[static_cast<std::size_t>(std::bit_width(age))].fetch_add(1, std::memory_order_relaxed);
        std::uint64_t most = oldest.load(std::memory_order_relaxed);
        while (age > most && !oldest.compare_exchange_weak(most, age, std::memory_order_relaxed)) {
        }
    }
};

/// Prints how old the tables were when readers released them.
void print_ages(counts const& c)
{
    if (std::all_of(c.ages.begin(), c.ages.end(), [](auto const& n) { return n.load() == 0; }))
        return;
    std::printf("    age of tables at the end of a notify, in changes:");
    for (std::size_t i = 0; i != c.ages.size(); ++i) {
        std::uint64_t const n = c.ages[i].load();
        if (n != 0)
            std::printf(" %s%" PRIu64 ": %" PRIu64,
                        i < 2 ? "" : ">=", i == 0 ? std::uint64_t(0) : std::uint64_t(1) << (i - 1),
                        n);
    }
    std::printf("; oldest %" PRIu64 "\n", c.oldest.load());
}

using era = registry_io::reclaim::rcu_era<registry_io::reclaim::std_env>;

/// Bytes that the domains of RCU have allocated for their eras. An era is never freed. The number
/// of eras is the greatest number that one sleeping reader has delayed at once, which depends on
/// the schedule of a round's threads. Only eras are allocated with `std::nothrow` and have this
/// size.
std::size_t bytes_of_eras()
{
    constexpr std::size_t header = sizeof(std::size_t), step = 2 * sizeof(std::size_t);
    return test::nothrow_blocks() * ((sizeof(era) + header + step - 1) / step * step);
}

/// Bytes of the heap in use, except for eras; 0 if a sanitizer replaces the heap.
std::size_t heap_in_use()
{
    std::size_t const all = ::mallinfo2().uordblks, eras = bytes_of_eras();
    return all > eras ? all - eras : 0;
}

struct soaked
{
    std::string name;
    std::uint64_t rounds = 0;
    std::size_t heap_first = 0;
    std::size_t heap_last = 0;
};

/// Reports on stderr what does not hold.
class witness
{
public:
    witness(counts& c, std::string const& name) : counts_(c), name_(name) {}
    void demand(bool holds, char const* what)
    {
        if (holds)
            return;
        ++counts_.violations;
        std::fprintf(stderr, "%s: %s\n", name_.c_str(), what);
    }

private:
    counts& counts_;
    std::string const& name_;
};

/// A registry, and the state by which its handlers are judged.
template <class Registry>
class arena
{
public:
    arena(counts& c, witness& w, std::uint64_t seed) : counts_(c), witness_(w), seed_(seed) {}

    /// One round: the threads start, do their work, and end.
    void run(milliseconds how_long)
    {
        {
            Registry registry;
            registry_ = &registry;
            if constexpr (throws)
                registry.on_panic([bird = canary(birds_)](registry_io::panic_info const&) {
                    bird.sing();
                    throw 2;
                });
            registry.register_handler(10, [this](event const& e) { called(e, 10); });
            handler_id const bed = registry.register_handler(9, [this](event const& e) {
                if (e.value == 2)
                    sleep();
            });
            registry.register_handler(-2, stamp());  // for the first tables
            // In every other round one thread sleeps in a handler all the time; then no thread
            // waits.
            bool const sleeps = round_ % 2 == 0;
            awake_.store(!sleeps);
            crew sleepers;
            if (sleeps)
                sleepers.add([this] { notify(2); });
            crew all;
            for (unsigned i = 0; i < 2; ++i)
                all.add([&, i] { write(all, i); });
            for (unsigned i = 2; i < 4; ++i)
                all.add([&, i] { read(all, i); });
            all.add([&] { come_and_go(all); });
            stopwatch const watch;
            while (!watch.over(how_long))
                std::this_thread::sleep_for(milliseconds(2));
            all.stop_and_join();
            awake_.store(true);
            sleepers.join();
            registry.unregister_and_wait(bed);
            witness_.demand(birds_.living.load() == static_cast<long>(registry.size()) - 1 + throws,
                            "the wrong number of captures is alive");
            registry.clear();
            witness_.demand(birds_.living.load() == long(throws),
                            "captures outlive their handlers");
            witness_.demand(registry.empty(), "a cleared registry is not empty");
            fill(registry);
        }
        witness_.demand(birds_.living.load() == 0, "captures outlive their registry");
        witness_.demand(birds_.misused.load() == 0,
                        "a handler ran after its captures were destroyed");
        birds_.misused.store(0);
        ++round_;
    }

private:
    static constexpr bool throws = Registry::panic_policy::reports;

    struct tally
    {
        long sum = 0;
        int last_key = 1000;
        std::uint64_t calls = 0;
        bool ordered = true;
        std::uint64_t stamp = 0;  ///< the newest one seen
    };
    // The event's `tally` is a single long; the rest is kept per thread.
    inline static thread_local tally* mine = nullptr;

    void called(event const&, int key)
    {
        if (mine == nullptr)
            return;
        mine->ordered = mine->ordered && key <= mine->last_key;
        mine->last_key = key;
        ++mine->calls;
    }

    /// One of a pair of handlers whose sum is zero.
    auto half(int key, long n)
    {
        return [this, key, n, bird = canary(birds_)](event const& e) {
            bird.sing();
            called(e, key);
            if (mine != nullptr)
                mine->sum += n;
            bird.sing();
        };
    }

    /// Tells a notify which change has made its table, counted by `made_`. Each writer replaces its
    /// own stamp in every transaction.
    auto stamp()
    {
        return [this, n = made_.load(), bird = canary(birds_)](event const& e) {
            bird.sing();
            called(e, -2);
            if (mine != nullptr)
                mine->stamp = std::max(mine->stamp, n + 1);
        };
    }

    void notify(int value = 0)
    {
        tally t;
        tally* const outer = std::exchange(mine, &t);
        try {
            registry_->notify({value});
        } catch (int) {
            // The exception of a handler, if the panic policy lets it through.
        }
        mine = outer;
        if (std::uint64_t const made = made_.load(); t.stamp != 0)
            counts_.saw(made > t.stamp ? made - t.stamp : 0);
        witness_.demand(t.sum == 0, "a transaction was seen partly");
        witness_.demand(t.ordered, "handlers ran out of order");
        counts_.calls.fetch_add(t.calls, std::memory_order_relaxed);
        counts_.notifies.fetch_add(1, std::memory_order_relaxed);
    }

    void sleep()
    {
        while (!awake_.load(std::memory_order_acquire))
            std::this_thread::sleep_for(milliseconds(1));
    }

    void fill(Registry& registry)
    {
        for (int i = 0; i < 300; ++i)
            registry.register_handler(i % 5, singing(birds_));
    }

    std::mt19937_64 random_of(unsigned thread) const
    {
        return std::mt19937_64(seed_ * 1000003 + round_ * 101 + thread);
    }

    void write(crew const& all, unsigned thread)
    {
        std::mt19937_64 random = random_of(thread);
        auto below = [&](unsigned n) { return static_cast<unsigned>(random() % n); };
        struct pair
        {
            handler_id plus, minus;
        };
        std::vector<pair> pairs;
        handler_id mark;
        // The size goes up and down, beyond the limits of one table.
        std::size_t aim = 20;
        while (!all.stopped()) {
            if (below(500) == 0)
                aim = below(300);
            counts_.changes.fetch_add(1, std::memory_order_relaxed);
            if (unsigned const what = below(100); what < 2) {
                // A handler that removes itself, and one that registers and notifies.
                auto id = std::make_shared<handler_id>();
                // Through a transaction, which knows the id before any notify can call the handler.
                registry_->update([&](auto& tx) {
                    *id =
                        tx.register_handler(-1, [this, id, bird = canary(birds_)](event const& e) {
                            bird.sing();
                            if (e.value != 0)
                                return;
                            notify(1);
                            registry_->unregister(*id);
                            notify(1);
                            bird.sing();
                        });
                });
                std::this_thread::yield();
                registry_->unregister(*id);
            } else if (what == 2) {
                if constexpr (throws) {
                    handler_id const id =
                        registry_->register_handler(5, [bird = canary(birds_)](event const&) {
                            bird.sing();
                            throw 1;
                        });
                    std::this_thread::yield();
                    registry_->unregister(id);
                }
            } else if (what == 3) {
                registry_io::handler_guard const g = registry_->register_guard(singing(birds_));
                witness_.demand(registry_->contains(g.id()), "a guarded handler is not registered");
            } else if (what == 4 && awake_.load()) {
                registry_->synchronize();
                ++counts_.waits;
            } else if (pairs.size() < aim) {
                long const n = static_cast<long>(below(1000)) + 1;
                int const k = static_cast<int>(below(8));
                int const l = static_cast<int>(below(8));
                pair p;
                registry_->update([&](auto& tx) {
                    p.plus = tx.register_handler(k, half(k, n));
                    p.minus = tx.register_handler(l, half(l, -n));
                    tx.unregister(mark);
                    mark = tx.register_handler(-2, stamp());
                });
                ++made_;
                pairs.push_back(p);
            } else if (!pairs.empty()) {
                std::swap(pairs[below(static_cast<unsigned>(pairs.size()))], pairs.back());
                pair const p = pairs.back();
                pairs.pop_back();
                auto const result = registry_->update([&](auto& tx) {
                    tx.unregister(p.plus);
                    tx.unregister(p.minus);
                    tx.unregister(p.plus);
                    tx.unregister(mark);
                    mark = tx.register_handler(-2, stamp());
                });
                ++made_;
                witness_.demand(result.unregistered == 3, "an id was not removed exactly once");
                witness_.demand(!registry_->unregister(p.plus), "an id is removed twice");
            }
        }
    }

    void read(crew const& all, unsigned thread)
    {
        std::mt19937_64 random = random_of(thread);
        while (!all.stopped()) {
            notify();
            if (random() % 64 == 0) {
                handler_id last;
                int last_key = 1000;
                bool ordered = true;
                registry_->for_each_handler([&](handler_id id, int key) {
                    ordered = ordered && (key < last_key || (key == last_key && last < id));
                    last = id;
                    last_key = key;
                });
                witness_.demand(ordered, "ids and keys are out of order");
            }
        }
    }

    /// Starts threads that notify once and exit.
    void come_and_go(crew const& all)
    {
        while (!all.stopped()) {
            std::array<std::thread, 3> some;
            for (std::thread& t : some)
                t = std::thread([this] { notify(); });
            for (std::thread& t : some)
                t.join();
            counts_.threads.fetch_add(some.size(), std::memory_order_relaxed);
        }
    }

    counts& counts_;
    witness& witness_;
    std::uint64_t seed_;
    std::uint64_t round_ = 0;
    Registry* registry_ = nullptr;
    census birds_;
    std::atomic<bool> awake_{false};
    std::atomic<std::uint64_t> made_{0};  ///< transactions that have ended
};

bool flat(std::size_t first, std::size_t last)
{
    // Thread records and recycled eras appear and stay. A leak of one handler per round would
    // exceed this limit.
    return last <= first + 64 * 1024;
}

template <class Registry>
soaked soak(std::string const& name, milliseconds share, std::uint64_t seed, counts& c)
{
    witness w(c, name);
    soaked result{name};
    stopwatch const watch;
    {
        arena<Registry> a(c, w, seed);
        while (result.rounds < 2 || !watch.over(share)) {
            a.run(std::min(share / 4, milliseconds(2000)));
            ++result.rounds;
            result.heap_last = heap_in_use();
            if (result.rounds == 1)
                result.heap_first = result.heap_last;
        }
    }
    w.demand(flat(result.heap_first, result.heap_last), "the heap has grown");
    return result;
}

/// Runs random programs on a target of the fuzzer, and then the same programs again: the first run
/// fills the pools of recycled memory, which must suffice for the second. Each run has its own
/// thread, so that the allocator's cache of the thread ends with it.
soaked programs(fuzz::target const& t, milliseconds share, std::uint64_t seed, counts& c)
{
    witness w(c, t.name);
    soaked result{t.name + ", programs"};
    auto run = [&](auto another) {
        std::thread([&] {
            std::mt19937_64 random(seed);
            for (std::uint64_t n = 0; another(n); ++n) {
                std::vector<unsigned char> program(random() % 400);
                std::generate(program.begin(), program.end(),
                              [&] { return static_cast<unsigned char>(random()); });
                c.changes.fetch_add(t.run(program.data(), program.size()));
                ++result.rounds;
            }
        }).join();
        return heap_in_use();
    };
    stopwatch const watch;
    result.heap_first = run([&](std::uint64_t n) { return n < 100 || !watch.over(share / 2); });
    std::uint64_t const programs = result.rounds;
    result.heap_last = run([&](std::uint64_t n) { return n < programs; });
    w.demand(result.heap_last <= result.heap_first + 16 * 1024, "the heap has grown");
    return result;
}

/// Three threads post to a mailbox whose consumers are slower than they are. What must hold: each
/// event that was posted is drained once, in the order of its thread, or is counted as lost.
template <class Mailbox>
soaked slow_consumers(std::string const& name, milliseconds share, std::uint64_t seed, counts& c)
{
    constexpr int posters = 3;
    constexpr unsigned consumers = test::has_many<Mailbox> ? 2 : 1;
    constexpr bool loses_nothing =
        std::is_same_v<typename test::full_of<Mailbox>::type, registry_io::queued::block<>>;
    witness w(c, name);
    soaked result{name};
    stopwatch const watch;
    while (result.rounds < 2 || !watch.over(share)) {
        auto const mailbox = std::make_unique<Mailbox>();
        std::atomic<std::uint64_t> attempts{0};
        std::atomic<std::uint64_t> accepted{0};
        std::atomic<std::uint64_t> drained{0};
        crew drainers;
        for (unsigned i = 0; i != consumers; ++i)
            drainers.add([&, i] {
                std::mt19937_64 random(seed * 31 + result.rounds * 7 + i);
                std::array<int, posters> newest{};
                test::sink into{[&](typename Mailbox::event_type const& e) {
                    int& before = newest[static_cast<std::size_t>(e.by())];
                    w.demand(e.at() > before, "events of one thread are out of order");
                    before = e.at();
                    drained.fetch_add(1, std::memory_order_relaxed);
                    if (random() % 256 == 0)
                        std::this_thread::sleep_for(std::chrono::microseconds(random() % 500));
                }};
                while (mailbox->wait())
                    mailbox->drain(into, 1 + random() % 100);
            });
        crew all;
        for (int t = 0; t != posters; ++t)
            all.add([&, t] {
                for (int n = 1; !all.stopped(); ++n) {
                    auto const r = mailbox->post(Mailbox::event_type::make(t, n));
                    attempts.fetch_add(1, std::memory_order_relaxed);
                    if (r == registry_io::queued::post_result::posted)
                        accepted.fetch_add(1, std::memory_order_relaxed);
                }
            });
        stopwatch const round;
        while (!round.over(std::min(share / 4, milliseconds(1000))))
            std::this_thread::sleep_for(milliseconds(2));
        all.stop_and_join();
        mailbox->close();
        drainers.join();
        auto const s = mailbox->stats();
        w.demand(s.waiting == 0, "events are left in a closed mailbox");
        w.demand(s.posted == accepted, "the wrong number of events was accepted");
        w.demand(attempts == drained + s.dropped + s.coalesced + s.refused,
                 "events are lost in silence");
        w.demand(!loses_nothing || attempts == drained, "events that had to wait are lost");
        w.demand(s.high_water <= Mailbox::capacity(), "there were more events than places");
        c.notifies += drained;
        c.changes += attempts;
        c.threads += posters + consumers;
        ++result.rounds;
        result.heap_last = heap_in_use();
        if (result.rounds == 1)
            result.heap_first = result.heap_last;
    }
    w.demand(flat(result.heap_first, result.heap_last), "the heap has grown");
    return result;
}

std::uint64_t number(char const* text)
{
    char* end = nullptr;
    std::uint64_t const n = std::strtoull(text, &end, 10);
    if (*text == '\0' || *end != '\0') {
        std::fprintf(stderr, "soak [SECONDS] [SEED]: not a number: %s\n", text);
        std::exit(2);
    }
    return n;
}

}  // namespace

int main(int argc, char** argv)
{
    std::uint64_t const seconds = argc > 1 ? number(argv[1]) : 60;
    std::uint64_t const seed = argc > 2 ? number(argv[2]) : std::random_device{}();
    test::count_nothrow_blocks(sizeof(era));
    std::printf("soak: %" PRIu64 " seconds, seed %" PRIu64 "\n", seconds, seed);
    std::printf("%-28s %7s %12s %12s %11s %8s %14s\n", "", "rounds", "notifies", "calls", "changes",
                "threads", "heap in use");

    std::uint64_t notifies = 0;
    std::uint64_t changes = 0;
    std::uint64_t violations = 0;
    std::uint64_t kinds = 0;
    constexpr std::uint64_t all_kinds = 17;
    milliseconds const share(seconds * 1000 / all_kinds);
    auto report = [&](soaked const& s, counts const& c) {
        std::printf("%-28s %7" PRIu64 " %12" PRIu64 " %12" PRIu64 " %11" PRIu64 " %8" PRIu64
                    " %6zu -> %zu\n",
                    s.name.c_str(), s.rounds, c.notifies.load(), c.calls.load(), c.changes.load(),
                    c.threads.load(), s.heap_first, s.heap_last);
        print_ages(c);
        std::fflush(stdout);
        notifies += c.notifies.load();
        changes += c.changes.load();
        violations += c.violations.load();
        ++kinds;
    };
    auto threaded = [&]<class Registry>(std::type_identity<Registry>, char const* name) {
        counts c;
        soaked const s = soak<Registry>(name, share, seed, c);
        report(s, c);
    };
    threaded(std::type_identity<registry_io::SyncRegistry<event>>(), "sync");
    threaded(std::type_identity<registry_io::RcuRegistry<event>>(), "rcu");
    threaded(std::type_identity<registry_of<snapshot::locked>>(), "locked");
#ifndef REGISTRY_IO_TEST_TSAN
    threaded(std::type_identity<registry_of<snapshot::atomic_shared_ptr>>(), "atomic_shared_ptr");
#endif
    threaded(std::type_identity<
                 registry_of<snapshot::hazard_pointer, alloc::pmr, panic::quarantine<3>>>(),
             "hazard_pointer, quarantine");
    threaded(std::type_identity<
                 registry_of<snapshot::basic_rcu<shared_domain>, alloc::pmr, panic::propagate>>(),
             "rcu, propagate");
    for (fuzz::target const& t : fuzz::targets()) {
        counts c;
        soaked const s = programs(t, share, seed, c);
        report(s, c);
    }
    auto slow = [&]<class Mailbox>(std::type_identity<Mailbox>, char const* name) {
        counts c;
        soaked const s = slow_consumers<Mailbox>(name, share, seed, c);
        report(s, c);
    };
    {
        using namespace registry_io::queued;
        slow(std::type_identity<mailbox<test::movable, 256, block<>, many_consumers>>(),
             "mailbox, slow consumers");
        slow(std::type_identity<mailbox<test::plain, 256, drop_oldest>>(), "mailbox that drops");
    }
    std::printf("soak: %s: %" PRIu64 " notifies and %" PRIu64 " changes on %" PRIu64
                " kinds of registries and mailboxes, %" PRIu64
                " violations, %zu bytes of eras, seed %" PRIu64 "\n",
                violations == 0 ? "held" : "FAILED", notifies, changes, kinds, violations,
                bytes_of_eras(), seed);
    return violations == 0 ? 0 : 1;
}
