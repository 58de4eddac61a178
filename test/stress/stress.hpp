// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// What the stress tests share. Boost.Test's assertions are not thread-safe: threads count in
// atomics, and the test looks at those after the joins.

#ifndef REGISTRY_IO_TEST_STRESS_STRESS_HPP
#define REGISTRY_IO_TEST_STRESS_STRESS_HPP

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory_resource>
#include <random>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include <registry_io.hpp>

// The load of libstdc++'s atomic<shared_ptr> gives up its lock with a relaxed store, so that what
// it reads under it is formally a race. Not ours, and harmless on x86; but ThreadSanitizer says so.
#if defined(__SANITIZE_THREAD__)
#define REGISTRY_IO_TEST_TSAN
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define REGISTRY_IO_TEST_TSAN
#endif
#endif

namespace stress {

using registry_io::handler_id;
namespace alloc = registry_io::alloc;
namespace ordering = registry_io::ordering;
namespace panic = registry_io::panic;
namespace snapshot = registry_io::snapshot;

struct event
{
    int value = 0;
    long* tally = nullptr;  ///< the notifying thread's; handlers may write to it
};

template <class Snapshot, class Alloc = alloc::heap, class Panic = panic::terminate>
using registry_of = registry_io::basic_registry<event, Snapshot, ordering::priority, Panic, Alloc>;

/// Registries of one domain.
struct shared_domain
{
};

/// One for each policy that lets several threads in.
template <class Alloc, class Panic = panic::terminate>
using registries_with =
    std::tuple<registry_of<snapshot::hazard_pointer, Alloc, Panic>,
               registry_of<snapshot::rcu, Alloc, Panic>, registry_of<snapshot::locked, Alloc, Panic>
#if !defined(REGISTRY_IO_TEST_TSAN) && defined(__cpp_lib_atomic_shared_ptr)
               ,
               registry_of<snapshot::atomic_shared_ptr, Alloc, Panic>
#endif
               >;

using registries = registries_with<alloc::heap>;

template <class Registry>
inline constexpr bool is_rcu = std::is_same_v<typename Registry::snapshot_policy, snapshot::rcu>;

/// What the random choices of this run follow from. Which thread comes first it cannot repeat.
inline std::uint64_t seed()
{
    static std::uint64_t const chosen = [] {
        char const* const wish = std::getenv("REGISTRY_IO_SEED");
        std::uint64_t const s =
            wish != nullptr ? std::strtoull(wish, nullptr, 10) : std::random_device{}();
        std::printf("REGISTRY_IO_SEED=%llu\n", static_cast<unsigned long long>(s));
        std::fflush(stdout);
        return s;
    }();
    return chosen;
}

/// A thread's own random numbers.
class dice
{
public:
    explicit dice(unsigned thread) : engine_(seed() * 1000003 + thread) {}
    unsigned below(unsigned n) { return static_cast<unsigned>(engine_() % n); }

private:
    std::mt19937_64 engine_;
};

/// How long one case goes on: REGISTRY_IO_STRESS_MS, for those who have the time.
inline std::chrono::milliseconds budget()
{
    static std::chrono::milliseconds const chosen = [] {
        char const* const wish = std::getenv("REGISTRY_IO_STRESS_MS");
        return std::chrono::milliseconds(wish != nullptr ? std::atoi(wish) : 100);
    }();
    return chosen;
}

class stopwatch
{
public:
    bool over() const { return over(budget()); }
    bool over(std::chrono::milliseconds t) const
    {
        return std::chrono::steady_clock::now() - start_ >= t;
    }

private:
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// Waits until `f()`; gives up after a time that only a bug takes.
template <class F>
bool eventually(F f)
{
    stopwatch const watch;
    while (!f()) {
        if (watch.over(std::chrono::seconds(30)))
            return false;
        std::this_thread::yield();
    }
    return true;
}

/// Some threads that are told together when to end.
class crew
{
public:
    crew() = default;
    crew(crew const&) = delete;
    crew& operator=(crew const&) = delete;
    ~crew() { join(); }

    template <class F>
    void add(F f)
    {
        threads_.emplace_back(std::move(f));
    }
    bool stopped() const noexcept { return stop_.load(std::memory_order_relaxed); }
    void stop() noexcept { stop_.store(true, std::memory_order_relaxed); }
    void join()
    {
        for (std::thread& t : threads_)
            t.join();
        threads_.clear();
    }
    void stop_and_join()
    {
        stop();
        join();
    }

private:
    std::vector<std::thread> threads_;
    std::atomic<bool> stop_{false};
};

/// A handler stands in front of it until it is opened.
class gate
{
public:
    void pass() noexcept
    {
        waiting_.fetch_add(1, std::memory_order_relaxed);
        // Not atomic::wait: what wakes its waiters up is a static that shared objects may each
        // have a copy of.
        while (!open_.load(std::memory_order_acquire))
            std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
    void open() noexcept { open_.store(true, std::memory_order_release); }
    /// Waits until so many stand in front of it.
    void expect(int n) const
    {
        while (waiting_.load(std::memory_order_relaxed) < n)
            std::this_thread::yield();
    }

private:
    std::atomic<int> waiting_{0};
    std::atomic<bool> open_{false};
};

/// What is known of all canaries of a test.
struct census
{
    std::atomic<long> living{0};
    std::atomic<long> misused{0};  ///< called after, or destroyed twice
};

/// Lies in a handler's captures and notices use after destruction. Its word is written and read
/// plainly, so that ThreadSanitizer sees whether a call and the destruction are ordered.
class canary
{
public:
    explicit canary(census& c) noexcept : census_(&c) { ++census_->living; }
    canary(canary&& other) noexcept : canary(*other.census_) {}
    canary& operator=(canary&&) = delete;
    ~canary()
    {
        sing();
        word_ = 0;
        --census_->living;
    }
    void sing() const noexcept
    {
        if (word_ != alive)
            ++census_->misused;
    }

private:
    static constexpr std::uint32_t alive = 0x600D600D;
    census* census_;
    std::uint32_t volatile word_ = alive;
};

/// A handler that does nothing but look at its canary.
inline auto singing(census& c)
{
    return [bird = canary(c)](event const&) { bird.sing(); };
}

/// Counts what is allocated.
class counting_resource : public std::pmr::memory_resource
{
public:
    std::atomic<long> bytes{0};
    std::atomic<long> blocks{0};

private:
    void* do_allocate(std::size_t n, std::size_t align) override
    {
        void* const p = std::pmr::new_delete_resource()->allocate(n, align);
        bytes += static_cast<long>(n);
        ++blocks;
        return p;
    }
    void do_deallocate(void* p, std::size_t n, std::size_t align) override
    {
        bytes -= static_cast<long>(n);
        --blocks;
        std::pmr::new_delete_resource()->deallocate(p, n, align);
    }
    bool do_is_equal(memory_resource const& other) const noexcept override
    {
        return this == &other;
    }
};

}  // namespace stress

#endif
