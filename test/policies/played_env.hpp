// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// An environment (see reclaim::std_env) in which one thread plays all threads of a program. A test
// says which of them takes the next step, so it can arrange orders of steps that no program can.

#ifndef REGISTRY_IO_TEST_POLICIES_PLAYED_ENV_HPP
#define REGISTRY_IO_TEST_POLICIES_PLAYED_ENV_HPP

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <utility>

#include <registry_io/reclaim/env.hpp>
#include <registry_io/reclaim/single_thread_env.hpp>

namespace test {

struct played_env
{
    template <class T>
    struct atomic : registry_io::reclaim::plain<T>
    {
        using base = registry_io::reclaim::plain<T>;
        using base::base;

        T exchange(T to, std::memory_order order) noexcept
        {
            happens(before_exchange);
            return base::exchange(to, order);
        }
        bool compare_exchange_strong(T& expected, T to, std::memory_order success,
                                     std::memory_order failure) noexcept
        {
            happens(before_compare_exchange);
            return base::compare_exchange_strong(expected, to, success, failure);
        }
        bool compare_exchange_strong(T& expected, T to, std::memory_order order) noexcept
        {
            return compare_exchange_strong(expected, to, order, order);
        }
    };
    using mutex = std::mutex;
    using fence_mode = registry_io::reclaim::fence_mode;

    /// How many threads there are, and which of them takes the next step.
    static constexpr int threads = 4;
    inline static int who = 0;

    /// Calls a function as the given thread.
    template <class F>
    static void as(int thread, F f)
    {
        int const before = std::exchange(who, thread);
        f();
        who = before;
    }

    // The system's answers, and counts of the requests.
    inline static fence_mode mode = fence_mode::asymmetric;
    inline static bool grants_hooks = true;  ///< whether threads can be told that they exit
    inline static int hooks = 0;
    inline static int arms = 0;
    inline static int fork_handlers = 0;
    inline static int heavy_fences = 0;
    inline static int fences_left = -1;  ///< how many fences the kernel still grants; -1: all

    /// What happens next in the middle of a step, each once: while a writer sends a fence, while a
    /// reader is between two words, before a word is changed, while a thread waits.
    inline static std::function<void()> at_heavy_fence;
    inline static std::function<void()> at_light_fence;
    inline static std::function<void()> before_exchange;
    inline static std::function<void()> before_compare_exchange;
    inline static std::function<void()> meanwhile;

    static bool happens(std::function<void()>& f)
    {
        if (f == nullptr)
            return false;
        std::exchange(f, nullptr)();
        return true;
    }

    struct exit_hook
    {
        bool create(void (*)(void*)) noexcept
        {
            ++hooks;
            return grants_hooks;
        }
        bool arm(void*, registry_io::thread_exit::link&) noexcept
        {
            ++arms;
            return true;
        }
    };

    template <class T>
    static constexpr T& global() noexcept
    {
        return registry_io::reclaim::detail::process_wide<T>::value;
    }
    template <class Record>
    static Record& record() noexcept
    {
        static Record records[threads];
        return records[who];
    }
    template <class Words>
    static Words hot() noexcept
    {
        static atomic<typename Words::state_type> state[threads];
        static atomic<typename Words::era_type*> mail[threads];
        static typename Words::state_type last[threads];
        static atomic<void const*> cell[threads];
        if constexpr (Words::has_cell)
            return Words{state[who], mail[who], last[who], cell[who]};
        else
            return Words{state[who], mail[who], last[who]};
    }
    static registry_io::reclaim::nesting_entry*& nesting() noexcept
    {
        static registry_io::reclaim::nesting_entry* innermost[threads];
        return innermost[who];
    }

    static void light_fence() noexcept { happens(at_light_fence); }
    static bool heavy_fence(fence_mode) noexcept
    {
        if (fences_left == 0)
            return false;
        fences_left -= fences_left > 0 ? 1 : 0;
        ++heavy_fences;
        happens(at_heavy_fence);
        return true;
    }
    static fence_mode decide_fence_mode() noexcept { return mode; }
    static void at_fork(void (*)(), void (*)(), void (*)()) noexcept { ++fork_handlers; }

    static void wait(atomic<unsigned>&, unsigned) noexcept { wait_for_others(); }
    static void wake_all(atomic<unsigned>&) noexcept {}
    static void nap() noexcept { wait_for_others(); }

private:
    static void wait_for_others() noexcept
    {
        if (happens(meanwhile))
            return;
        std::fputs("a thread waits for what will not happen\n", stderr);
        std::abort();
    }
};

}  // namespace test

#endif
