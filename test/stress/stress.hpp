// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// What the stress tests share. Boost.Test's assertions are not thread-safe: threads count in
// atomics, and the test checks those after it has joined the threads.

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

// The load of libstdc++'s atomic<shared_ptr> releases its lock with a relaxed store, so what it
// reads under the lock is formally a race. It is not ours, and is harmless on x86, but
// ThreadSanitizer reports it.
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
    long* tally = nullptr;  ///< of the notifying thread; handlers may write to it
};

template <class Snapshot, class Alloc = alloc::heap, class Panic = panic::terminate>
using registry_of = registry_io::basic_registry<event, Snapshot, ordering::priority, Panic, Alloc>;

/// The domain of several registries.
struct shared_domain
{
};

/// One for each policy that supports several threads.
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

/// The seed of the random choices of this run. It cannot repeat the order of the threads.
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

/// The random numbers of one thread.
class dice
{
public:
    explicit dice(unsigned thread) : engine_(seed() * 1000003 + thread) {}
    unsigned below(unsigned n) { return static_cast<unsigned>(engine_() % n); }

private:
    std::mt19937_64 engine_;
};

/// How long one test case runs; set REGISTRY_IO_STRESS_MS to change it.
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

/// Waits until `f()` returns true; gives up after a time that is exceeded only if there is a bug.
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

/// Threads that are stopped together.
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

/// A handler that passes the gate waits until it is opened.
class gate
{
public:
    void pass() noexcept
    {
        waiting_.fetch_add(1, std::memory_order_relaxed);
        // Not atomic::wait: its wake-up uses a static table, of which each shared object may have
        // its own copy.
        while (!open_.load(std::memory_order_acquire))
            std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
    void open() noexcept { open_.store(true, std::memory_order_release); }
    /// Waits until `n` handlers are waiting.
    void expect(int n) const
    {
        while (waiting_.load(std::memory_order_relaxed) < n)
            std::this_thread::yield();
    }

private:
    std::atomic<int> waiting_{0};
    std::atomic<bool> open_{false};
};

/// Counts over all canaries of a test.
struct census
{
    std::atomic<long> living{0};
    std::atomic<long> misused{0};  ///< called after its destruction, or destroyed twice
};

/// A member of a handler's captures that notices use after destruction. Its word is read and
/// written without atomics, so that ThreadSanitizer sees whether calls and the destruction are
/// ordered.
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

/// A handler that only checks its canary.
inline auto singing(census& c)
{
    return [bird = canary(c)](event const&) { bird.sing(); };
}

/// Counts the memory that is allocated.
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
