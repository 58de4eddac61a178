// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The memory of alloc::pool: blocks do not overlap, all memory comes back, an allocation fails only
// if no hole is large enough, and the number of steps of an operation does not depend on the number
// of blocks.

#include <registry_io/alloc/pool.hpp>
#include <registry_io/presets/sync.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <new>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <pthread.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

namespace alloc = registry_io::alloc;

/// Counts the steps of the current operation.
struct counted
{
    static inline int steps = 0;
    static void step() noexcept { ++steps; }
};

using memory = registry_io::detail::segregated_fit<counted>;

/// The limit for a single operation: two holes removed, and two inserted.
constexpr int most_steps = 16;

/// A piece of memory, and a naive model of its allocations that checks every byte.
class checked
{
public:
    explicit checked(std::size_t bytes, unsigned seed)
        : bytes_(bytes / memory::unit * memory::unit),
          room_(::operator new(memory::needed(bytes), std::align_val_t(64))),
          fit_(std::make_unique<memory>(room_, bytes)),
          random(seed)
    {
    }
    checked(checked const&) = delete;
    checked& operator=(checked const&) = delete;
    ~checked()
    {
        fit_.reset();
        ::operator delete(room_, std::align_val_t(64));
    }

    /// Returns false if the allocation failed and the model allows that.
    bool allocate(std::size_t size, std::size_t align)
    {
        std::size_t const room = memory::units(memory::units(size) * memory::unit +
                                               (align <= memory::unit ? 0 : align - memory::unit)) *
            memory::unit;
        counted::steps = 0;
        auto* const p = static_cast<std::byte*>(fit_->allocate(size, align));
        greatest = std::max(greatest, counted::steps);
        if (p == nullptr) {
            failed_with_room = failed_with_room || largest_hole() >= room;
            return false;
        }
        wrong = wrong || reinterpret_cast<std::uintptr_t>(p) % align != 0;
        auto const next = blocks.lower_bound(p);
        if (next != blocks.end())
            wrong = wrong || p + memory::units(size) * memory::unit > next->first;
        if (next != blocks.begin()) {
            auto const& [q, before] = *std::prev(next);
            wrong = wrong || q + memory::units(before.size) * memory::unit > p;
        }
        auto const mark = static_cast<unsigned char>(random());
        std::memset(p, mark, size);
        blocks.emplace_hint(next, p, block{size, mark});
        order.push_back(p);
        return true;
    }

    /// Frees one block, given by its index in `order`.
    void deallocate(std::size_t i)
    {
        std::byte* const p = order[i];
        order[i] = order.back();
        order.pop_back();
        auto const at = blocks.find(p);
        for (std::size_t b = 0; b < at->second.size; ++b)
            wrong = wrong || p[b] != std::byte(at->second.mark);
        counted::steps = 0;
        fit_->deallocate(p, at->second.size);
        greatest = std::max(greatest, counted::steps);
        blocks.erase(at);
    }

    std::size_t largest_hole() const
    {
        std::size_t largest = 0;
        std::byte const* end = static_cast<std::byte const*>(room_) + memory::needed(bytes_);
        for (auto i = blocks.rbegin(); i != blocks.rend(); ++i) {
            std::byte const* const behind = i->first + memory::units(i->second.size) * memory::unit;
            largest = std::max(largest, static_cast<std::size_t>(end - behind));
            end = i->first;
        }
        auto const* const first =
            static_cast<std::byte const*>(room_) + memory::needed(bytes_) - bytes_;
        return std::max(largest, static_cast<std::size_t>(end - first));
    }

private:
    struct block
    {
        std::size_t size;
        unsigned char mark;
    };

    std::size_t bytes_;
    void* room_;
    std::unique_ptr<memory> fit_;

public:
    std::map<std::byte*, block> blocks;
    std::vector<std::byte*> order;
    std::mt19937 random;
    int greatest = 0;
    bool wrong = false;
    bool failed_with_room = false;
};

std::size_t random_size(std::mt19937& random)
{
    // Mostly small blocks, and now and then one of the size of a table.
    return random() % 16 == 0 ? 1 + random() % 6000 : 1 + random() % 200;
}

// Registered before the first pool is made: the first handler that is registered runs last before a
// fork and first after it. So this one runs while the locks of all pools are held.
void (*inside_fork)() = nullptr;
bool const hooked = ::pthread_atfork(
                        [] {
                            if (inside_fork != nullptr)
                                inside_fork();
                        },
                        nullptr, nullptr) == 0;

/// Whether `f` works in a child of fork. It runs in the child, with a time limit.
template <class F>
bool in_child(F f)
{
    pid_t const child = ::fork();
    if (child == 0) {
        ::alarm(20);
        f();
        ::_exit(0);
    }
    int status = -1;
    ::waitpid(child, &status, 0);
    return status == 0;
}

}  // namespace

BOOST_AUTO_TEST_CASE(blocks_of_a_pool_agree_with_a_naive_model)
{
    for (unsigned seed = 0; seed < 30; ++seed) {
        BOOST_TEST_CONTEXT("seed " << seed)
        {
            checked c(1000 * (seed + 1) + seed, seed);
            std::size_t const all = c.largest_hole();
            for (int i = 0; i < 3000; ++i) {
                // Phases in which the memory fills up alternate with phases in which it empties.
                bool const fills = i / 300 % 2 == 0;
                if (c.order.empty() || c.random() % 8 < (fills ? 6u : 2u)) {
                    std::size_t const align = std::size_t(1)
                        << (c.random() % 4 == 0 ? c.random() % 9 : 3);
                    c.allocate(random_size(c.random), align);
                } else {
                    c.deallocate(c.random() % c.order.size());
                }
            }
            BOOST_TEST(!c.wrong);
            BOOST_TEST(!c.failed_with_room);
            BOOST_TEST(c.greatest <= most_steps);
            // All memory must merge into a single hole again.
            while (!c.order.empty())
                c.deallocate(c.random() % c.order.size());
            BOOST_TEST(c.largest_hole() == all);
            std::size_t whole = all;
            while (memory::units(whole) * memory::unit > all)
                whole -= memory::unit;
            BOOST_TEST(c.allocate(whole, 1));
            BOOST_TEST(!c.wrong);
        }
    }
}

BOOST_AUTO_TEST_CASE(the_greatest_number_of_steps_of_an_operation_does_not_grow_with_the_blocks)
{
    int greatest[2] = {};
    int i = 0;
    for (std::size_t const n : {1000u, 40000u}) {
        checked c(n * 256, 1);
        while (c.order.size() != n)
            BOOST_TEST_REQUIRE(c.allocate(1 + c.random() % 200, 8));
        // Half of the blocks are freed at random, which leaves thousands of holes between the
        // others.
        for (std::size_t left = n / 2; left != 0; --left)
            c.deallocate(c.random() % c.order.size());
        c.greatest = 0;
        for (int k = 0; k < 5000; ++k) {
            c.allocate(random_size(c.random), k % 7 == 0 ? 64 : 8);
            c.deallocate(c.random() % c.order.size());
        }
        BOOST_TEST(!c.wrong);
        greatest[i++] = c.greatest;
    }
    BOOST_TEST(greatest[0] <= most_steps);
    BOOST_TEST(greatest[1] <= greatest[0]);
}

BOOST_AUTO_TEST_CASE(a_fragmented_pool_refuses_what_has_no_hole_and_is_whole_again_afterwards)
{
    checked c(64 * 1000, 1);
    while (c.allocate(64, 8)) {
    }
    BOOST_TEST(c.order.size() == 1000u);
    // Frees every second block: half of the memory is free, and no hole is larger than a block.
    std::vector<std::byte*> every_second;
    for (auto i = c.blocks.begin(); i != c.blocks.end(); std::advance(i, 2))
        every_second.push_back(i->first);
    for (std::byte* const p : every_second)
        c.deallocate(static_cast<std::size_t>(std::find(c.order.begin(), c.order.end(), p) -
                                              c.order.begin()));
    BOOST_TEST(!c.allocate(65, 8));
    BOOST_TEST(!c.allocate(64, 128));
    BOOST_TEST(c.allocate(64, 8));
    while (!c.order.empty())
        c.deallocate(0);
    BOOST_TEST(c.allocate(63 * 1000, 8));
    BOOST_TEST(!c.wrong);
    BOOST_TEST(!c.failed_with_room);
}

BOOST_AUTO_TEST_CASE(an_aligned_block_is_refused_where_the_only_hole_begins_at_a_bad_address)
{
    // The only hole has 256 units, and begins one unit behind an aligned address. So an aligned
    // block of one unit fits at its end, and one of two units does not.
    checked c(16 * 1000, 1);
    while (c.allocate(16, 8)) {
    }
    auto at = c.blocks.begin();
    while (reinterpret_cast<std::uintptr_t>(at->first) % 4096 != 16)
        ++at;
    BOOST_TEST_REQUIRE(std::distance(at, c.blocks.end()) >= 256);
    std::vector<std::byte*> hole;
    for (; hole.size() != 256; ++at)
        hole.push_back(at->first);
    for (std::byte* const p : hole)
        c.deallocate(static_cast<std::size_t>(std::find(c.order.begin(), c.order.end(), p) -
                                              c.order.begin()));
    BOOST_TEST(!c.allocate(32, 4096));
    BOOST_TEST(c.allocate(16, 4096));
    BOOST_TEST(!c.wrong);
    BOOST_TEST(!c.failed_with_room);
}

BOOST_AUTO_TEST_CASE(sizes_that_no_pool_has_are_refused)
{
    BOOST_CHECK_THROW(alloc::pool(SIZE_MAX), std::bad_alloc);
    BOOST_CHECK_THROW(alloc::pool(SIZE_MAX / 2), std::bad_alloc);
    for (std::size_t const bytes : {0u, 1u, 15u, 16u, 17u, 511u, 512u, 8192u}) {
        alloc::pool p(bytes);
        auto s = p.get_source();
        BOOST_TEST(s.allocate(SIZE_MAX, 8) == nullptr);
        BOOST_TEST(s.allocate(SIZE_MAX - 15, 16) == nullptr);
        BOOST_TEST(s.allocate(bytes + 16, 8) == nullptr);
        BOOST_TEST(s.allocate(1, SIZE_MAX / 2 + 1) == nullptr);
        void* const q = s.allocate(1, 1);
        BOOST_TEST((q != nullptr) == (bytes >= 16));
        if (q != nullptr)
            s.deallocate(q, 1, 1);
    }
}

BOOST_AUTO_TEST_CASE(a_pool_lives_as_long_as_what_was_allocated_from_it)
{
    auto p = std::make_unique<alloc::pool>(4096);
    auto s = p->get_source();
    void* const q = s.allocate(100, 8);
    p.reset();
    std::memset(q, 1, 100);
    s.deallocate(q, 100, 8);
}

#if defined(REGISTRY_IO_DETAIL_POISONS)
BOOST_AUTO_TEST_CASE(the_address_sanitizer_sees_what_was_given_back)
{
    alloc::pool p(4096);
    auto s = p.get_source();
    auto* const q = static_cast<char*>(s.allocate(100, 8));
    for (int i = 0; i < 100; ++i)
        BOOST_TEST(!__asan_address_is_poisoned(q + i));
    BOOST_TEST(__asan_address_is_poisoned(q + 104));
    s.deallocate(q, 100, 8);
    for (int i = 0; i < 112; ++i)
        BOOST_TEST(__asan_address_is_poisoned(q + i));
}
#endif

BOOST_AUTO_TEST_CASE(threads_share_a_pool_and_everything_comes_back)
{
    alloc::pool p(1 << 16);
    auto const work = [&p](unsigned seed, std::atomic<bool>& wrong) {
        auto s = p.get_source();
        struct block
        {
            std::byte* p;
            std::size_t size;
            unsigned char mark;
        };
        std::vector<block> mine;
        std::mt19937 random(seed);
        auto const give_back = [&](std::size_t i) {
            block const b = mine[i];
            mine[i] = mine.back();
            mine.pop_back();
            for (std::size_t k = 0; k < b.size; ++k)
                if (b.p[k] != std::byte(b.mark))
                    wrong = true;
            s.deallocate(b.p, b.size, 8);
        };
        for (int i = 0; i < 20000; ++i) {
            if (mine.empty() || random() % 2 == 0) {
                std::size_t const size = random_size(random);
                if (auto* const q = static_cast<std::byte*>(s.allocate(size, 8))) {
                    mine.push_back({q, size, static_cast<unsigned char>(random())});
                    std::memset(q, mine.back().mark, size);
                }
            } else {
                give_back(random() % mine.size());
            }
        }
        while (!mine.empty())
            give_back(0);
    };
    std::atomic<bool> wrong{false};
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < 4; ++t)
        threads.emplace_back([&work, &wrong, t] { work(t, wrong); });
    for (std::thread& t : threads)
        t.join();
    BOOST_TEST(!wrong.load());
    // All memory is one hole, even if much of it is still on the list of freed blocks.
    auto s = p.get_source();
    void* const whole = s.allocate(1 << 16, 8);
    BOOST_TEST(whole != nullptr);
    if (whole != nullptr)
        s.deallocate(whole, 1 << 16, 8);
}

BOOST_AUTO_TEST_CASE(giving_back_does_not_wait_for_the_lock_and_what_was_given_back_can_be_had)
{
    BOOST_TEST_REQUIRE(hooked);
    alloc::pool p(1 << 14);
    static auto s = p.get_source();
    s = p.get_source();
    static std::vector<void*> blocks;
    while (void* const q = s.allocate(100, 8))
        blocks.push_back(q);
    BOOST_TEST(blocks.size() > 100u);
    // Inside a fork, this thread holds the locks of all pools until the other thread is done. That
    // thread frees half of the blocks. In the second round it frees the rest, when this thread has
    // not yet taken back all blocks of the first half.
    static std::size_t some = 0;
    for (std::size_t const stays : {blocks.size() / 2, std::size_t(0)}) {
        some = blocks.size() - stays;
        inside_fork = [] {
            std::thread([] {
                for (; some != 0; --some) {
                    s.deallocate(blocks.back(), 100, 8);
                    blocks.pop_back();
                }
            }).join();
        };
        BOOST_TEST(in_child([] {}));
        inside_fork = nullptr;
        if (void* const q = s.allocate(100, 8))
            s.deallocate(q, 100, 8);
    }
    void* const whole = s.allocate(1 << 14, 8);
    BOOST_TEST(whole != nullptr);
    if (whole != nullptr)
        s.deallocate(whole, 1 << 14, 8);
}

/// Whether a thread of this process sleeps.
bool sleeps(pid_t thread)
{
    std::ifstream file("/proc/self/task/" + std::to_string(thread) + "/stat");
    std::string const stat((std::istreambuf_iterator<char>(file)), {});
    return stat.find(") S ") != std::string::npos;
}

BOOST_AUTO_TEST_CASE(a_fork_waits_until_no_thread_is_inside_of_a_pool_and_keeps_them_out)
{
    BOOST_TEST_REQUIRE(hooked);
    alloc::pool p(1 << 14);
    static auto s = p.get_source();
    s = p.get_source();
    static std::atomic<pid_t> allocates;
    static std::atomic<bool> has_allocated;
    static bool kept_out;
    static std::thread other;
    allocates = 0;
    has_allocated = false;
    kept_out = false;
    inside_fork = [] {
        other = std::thread([] {
            allocates = ::gettid();
            void* const q = s.allocate(100, 8);
            has_allocated = true;
            s.deallocate(q, 100, 8);
        });
        // It sleeps for the lock, or gets its block.
        while (allocates == 0 || (!has_allocated && !sleeps(allocates)))
            ::sched_yield();
        kept_out = !has_allocated;
    };
    BOOST_TEST(in_child([] {}));
    inside_fork = nullptr;
    other.join();
    BOOST_TEST(kept_out);
}

BOOST_AUTO_TEST_CASE(a_fork_does_not_look_at_pools_that_are_gone)
{
    // So large that its memory goes back to the system at once.
    for (int i = 0; i < 3; ++i) {
        alloc::pool first(1 << 26);
        auto second = std::make_unique<alloc::pool>(1 << 26);
        alloc::pool third(1 << 26);
        second.reset();
        BOOST_TEST(in_child([] {}));
    }
    BOOST_TEST(in_child([] {}));
}

/// How many MB of addresses this process has.
long megabytes()
{
    long pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    return pages / (1024 * 1024 / ::sysconf(_SC_PAGESIZE));
}

BOOST_AUTO_TEST_CASE(an_allocation_that_fails_does_not_keep_its_pool_alive)
{
    long const before = megabytes();
    for (int i = 0; i < 32; ++i) {
        alloc::pool p(std::size_t(64) << 20);
        BOOST_TEST(p.get_source().allocate(std::size_t(65) << 20, 8) == nullptr);
    }
    // A sanitizer keeps some of the freed memory.
    BOOST_TEST(megabytes() - before < 1000);
}

BOOST_AUTO_TEST_CASE(a_child_of_fork_finds_no_pool_locked)
{
    alloc::pool p(1 << 14);
    std::atomic<bool> stop{false};
    std::thread other([&] {
        auto s = p.get_source();
        while (!stop)
            if (void* const q = s.allocate(100, 8))
                s.deallocate(q, 100, 8);
    });
    bool fine = true;
    for (int i = 0; i < 60 && fine; ++i)
        fine = in_child([&p] {
            auto s = p.get_source();
            for (int k = 0; k < 100; ++k)
                if (void* const q = s.allocate(200, 8))
                    s.deallocate(q, 200, 8);
        });
    stop = true;
    other.join();
    BOOST_TEST(fine);
}

// CONTRACT: bounded; a writer fails only while something else needs the memory. The scenario
// first_writers of test/relacy tries the schedules.
BOOST_AUTO_TEST_CASE(first_registrations_at_once_need_no_more_than_one_after_the_other)
{
    using registry = registry_io::SyncRegistry<int>::with<alloc::pool>;
    auto const fits = [](std::size_t bytes) {
        registry r{alloc::pool(bytes)};
        try {
            r.register_handler([](int const&) {});
            r.register_handler([](int const&) {});
            return true;
        } catch (std::bad_alloc const&) {
            return false;
        }
    };
    std::size_t bytes = 64;
    while (!fits(bytes))
        bytes += 16;
    std::atomic<int> failed{0};
    for (int i = 0; i < 1000; ++i) {
        registry r{alloc::pool(bytes)};
        std::atomic<int> ready{0};
        auto const add = [&] {
            for (++ready; ready != 2;)
                std::this_thread::yield();
            try {
                r.register_handler([](int const&) {});
            } catch (std::bad_alloc const&) {
                ++failed;
            }
        };
        std::thread other(add);
        add();
        other.join();
    }
    BOOST_TEST(failed.load() == 0);
}
