// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The environment (see reclaim::std_env) in which Relacy runs the shipped code. At each atomic
// access threads may be switched, and a load may return any value that the memory model allows.

#ifndef REGISTRY_IO_TEST_RELACY_ENV_HPP
#define REGISTRY_IO_TEST_RELACY_ENV_HPP

#include <registry_io/policy.hpp>
#include <registry_io/reclaim/env.hpp>

#include "relacy/base.hpp"

namespace relacy {

namespace reclaim = registry_io::reclaim;

/// How the light fence and the heavy fence are simulated.
enum class fences : unsigned char {
    membarrier,  ///< the light fence is nothing, the heavy one a full fence on each thread
    pair,        ///< both are real fences: shows what compiler reordering could do
    none         ///< the fallback: only sequentially consistent accesses
};

constexpr int most_threads = 4;

using place = std::source_location;
inline rl::debug_info info(place const& p)
{
    return rl::debug_info(p.function_name(), p.file_name(), p.line());
}

[[noreturn]] inline void fail(char const* what, place const& p = place::current())
{
    rl::ctx().fail_test(what, rl::test_result_user_assert_failed, info(p));
    std::abort();  // fail_test does not return
}
inline void require(bool holds, char const* what, place const& p = place::current())
{
    if (!holds)
        fail(what, p);
}

/// Keeps the other threads from running.
class undisturbed
{
public:
    undisturbed() { rl::ctx().disable_preemption(); }
    undisturbed(undisturbed const&) = delete;
    undisturbed& operator=(undisturbed const&) = delete;
    ~undisturbed() { rl::ctx().enable_preemption(); }
};

/// The state of one simulated execution, apart from the scenario's own objects. The threads are
/// fibers on one thread of the system, so all thread-local state is kept here.
struct world
{
    struct dying
    {
        void* object;
        void (*destroy)(void*);
    };
    struct hook
    {
        void (*f)(void*);
        void* record;
    };
    struct thread
    {
        reclaim::nesting_entry* nesting = nullptr;
        hook hooks[4];
        int hook_count = 0;
        rl::thread_info_base* info = nullptr;
        bool owes_fence = false;  ///< a heavy fence came before this thread started
    };

    unsigned execution = 0;
    int immortal = 0;      ///< if not 0, the object being constructed exists from the start
    bool outside = true;   ///< before the threads start, and after they have ended
    int fences_left = -1;  ///< how many calls until the kernel refuses membarrier; -1: never
    thread threads[most_threads + 1];
    rl::vector<dying>::type statics;

    struct block
    {
        void* memory;
        std::size_t size;
        bool used;
        bool kept;  ///< the owner never frees it
    };
    rl::vector<block>::type blocks;  ///< the most recently freed ones are at the end
    void (*destroy_kept)(void*) = nullptr;
    std::size_t most = ~std::size_t(0);  ///< the limit of `allocate_bounded`, in bytes
    std::size_t peak = 0;                ///< the greatest number of bytes in use
    bool reuse = false;                  ///< the next block of the same size reuses a freed block

    static world& now()
    {
        static world w;
        return w;
    }

    thread& self() { return threads[index()]; }
    int index() const { return outside ? most_threads : rl::ctx().current_thread(); }

    void begin(void (*kept)(void*))
    {
        // Whatever a failed execution has left behind belongs to a context that no longer exists.
        statics.clear();
        forget_blocks();
        ++execution;
        outside = true;
        immortal = 0;
        most = ~std::size_t(0);
        peak = 0;
        reuse = false;
        fences_left = -1;
        destroy_kept = kept;
        for (thread& t : threads)
            t = thread();
    }

    /// Checks that the code under test has freed everything that it should have freed.
    void end()
    {
        for (block const& b : blocks) {
            if (b.kept)
                destroy_kept(b.memory);
            else
                require(!b.used, "memory was not freed");
        }
        while (!statics.empty()) {
            dying const d = statics.back();
            statics.pop_back();
            d.destroy(d.object);
        }
        forget_blocks();
    }

    void forget_blocks()
    {
        for (block const& b : blocks)
            std::free(b.memory);
        blocks.clear();
    }

    void thread_begins()
    {
        thread& t = self();
        t.info = rl::ctx().threadx_;
        if (t.owes_fence) {
            undisturbed const alone;
            rl::ctx().atomic_thread_fence_seq_cst();
        }
    }

    void thread_ends()
    {
        thread& t = self();
        while (t.hook_count != 0) {
            hook const h = t.hooks[--t.hook_count];
            h.f(h.record);
        }
    }

    /// Makes an object that exists from the start of the program, or of its thread.
    template <class T>
    T* make()
    {
        undisturbed const alone;
        void* const p =
            std::aligned_alloc(alignof(T), (sizeof(T) + alignof(T) - 1) / alignof(T) * alignof(T));
        ++immortal;
        T* const object = ::new (p) T();
        --immortal;
        statics.push_back({object, [](void* o) {
                               static_cast<T*>(o)->~T();
                               std::free(o);
                           }});
        return object;
    }

    template <class T>
    T& global()
    {
        static unsigned made_in = 0;
        static T* object = nullptr;
        if (made_in != execution) {
            object = make<T>();
            made_in = execution;
        }
        return *object;
    }

    template <class T>
    T& local()
    {
        static unsigned made_in[most_threads + 1] = {};
        static T* object[most_threads + 1] = {};
        int const i = index();
        if (made_in[i] != execution) {
            object[i] = make<T>();
            made_in[i] = execution;
        }
        return *object[i];
    }

    /// The total size of all blocks in use.
    std::size_t used() const
    {
        std::size_t sum = 0;
        for (block const& b : blocks)
            sum += b.used ? b.size : 0;
        return sum;
    }

    /// As allocate(), for memory of bounded size: returns null if the total would exceed `most`.
    void* allocate_bounded(std::size_t n)
    {
        std::size_t const sum = used() + n;
        if (sum > most)
            return nullptr;
        peak = sum > peak ? sum : peak;
        return allocate(n);
    }

    void* allocate(std::size_t n, bool kept = false)
    {
        if (reuse) {
            for (auto b = blocks.rbegin(); b != blocks.rend(); ++b) {
                if (!b->used && b->size == n && !kept) {
                    b->used = true;
                    return b->memory;
                }
            }
        }
        void* const p = std::aligned_alloc(64, (n + 63) / 64 * 64);
        blocks.push_back({p, n, true, kept});
        return p;
    }

    void deallocate(void* p)
    {
        for (auto b = blocks.begin(); b != blocks.end(); ++b) {
            if (b->memory == p && b->used) {
                block freed = *b;
                freed.used = false;
                std::memset(p, 0xdd, b->size);  // following a stale pointer crashes
                blocks.erase(b);
                blocks.push_back(freed);
                return;
            }
        }
        fail("freed twice, or never allocated");
    }
};

inline rl::memory_order order(std::memory_order o)
{
    switch (o) {
    case std::memory_order_relaxed:
        return rl::mo_relaxed;
    case std::memory_order_consume:
        return rl::mo_consume;
    case std::memory_order_acquire:
        return rl::mo_acquire;
    case std::memory_order_release:
        return rl::mo_release;
    case std::memory_order_acq_rel:
        return rl::mo_acq_rel;
    default:
        return rl::mo_seq_cst;
    }
}

/// An atomic whose accesses Relacy schedules and checks.
///
/// Also checks that each access comes after the construction and before the destruction in the
/// order that the memory model gives, not only in the order of this execution.
template <class T>
class atomic
{
public:
    atomic() noexcept : atomic(T()) {}
    atomic(T first) noexcept : immortal_(world::now().immortal != 0), life_(1)
    {
        // Relacy initializes an atomic to zero, and each write belongs to a thread. So an object
        // that exists from the start counts from its first value; Relacy sees the difference.
        if (immortal_) {
            first_ = first;
        } else {
            undisturbed const alone;
            value_.store(first, rl::mo_relaxed, info(place::current()));
        }
    }
    atomic(atomic const&) = delete;
    atomic& operator=(atomic const&) = delete;
    ~atomic()
    {
        if (!immortal_)
            life_(info(place::current())).store(0);
        magic_ = 0;
    }

    T load(std::memory_order o = std::memory_order_seq_cst,
           place p = place::current()) const noexcept
    {
        access const one(*this, p);
        return up(value_.load(order(o), info(p)));
    }
    operator T() const noexcept { return load(); }
    void store(T v, std::memory_order o = std::memory_order_seq_cst,
               place p = place::current()) noexcept
    {
        access const one(*this, p);
        value_.store(down(v), order(o), info(p));
    }
    T exchange(T v, std::memory_order o = std::memory_order_seq_cst,
               place p = place::current()) noexcept
    {
        access const one(*this, p);
        return up(value_.exchange(down(v), order(o), info(p)));
    }
    T fetch_add(T n, std::memory_order o = std::memory_order_seq_cst,
                place p = place::current()) noexcept
    {
        access const one(*this, p);
        return up(value_.fetch_add(n, order(o), info(p)));
    }
    T fetch_sub(T n, std::memory_order o = std::memory_order_seq_cst,
                place p = place::current()) noexcept
    {
        access const one(*this, p);
        return up(value_.fetch_sub(n, order(o), info(p)));
    }
    bool compare_exchange_strong(T& expected, T v, std::memory_order o, std::memory_order failure,
                                 place p = place::current()) noexcept
    {
        access const one(*this, p);
        T seen = down(expected);
        if (value_.compare_exchange(rl::bool_t<false>(), seen, down(v), order(o), rl::mo_relaxed,
                                    info(p)))
            return true;
        // Relacy derives the order of a failure from that of success. The failure saw the latest
        // value, so this load returns it again.
        if (failure != std::memory_order_relaxed)
            value_.load(order(failure), info(p));
        expected = up(seen);
        return false;
    }
    bool compare_exchange_strong(T& expected, T v, std::memory_order o,
                                 place p = place::current()) noexcept
    {
        return compare_exchange_strong(expected, v, o,
                                       o == std::memory_order_acq_rel ? std::memory_order_acquire
                                           : o == std::memory_order_release
                                           ? std::memory_order_relaxed
                                           : o,
                                       p);
    }

    /// The latest value, whichever thread wrote it: the value that the kernel sees.
    T latest() const { return up(value_.debug_value()); }
    void park(place p) { value_.wait(rl::ctx(), false, false, info(p)); }
    void unpark_all(place p) { value_.wake(rl::ctx(), most_threads, info(p)); }

private:
    static constexpr unsigned alive_magic = 0x600DA70B;

    /// The access is one step; another thread may run before it.
    struct access
    {
        access(atomic const& a, place const& p)
        {
            rl::ctx().sched();
            rl::ctx().disable_preemption();
            require(a.magic_ == alive_magic, "use of freed memory", p);
            if (!a.immortal_)
                a.life_(info(p)).load();
        }
        access(access const&) = delete;
        access& operator=(access const&) = delete;
        ~access() { rl::ctx().enable_preemption(); }
    };

    T up(T v) const
    {
        if constexpr (std::is_pointer_v<T>)
            return v;
        else
            return static_cast<T>(v + first_);
    }
    T down(T v) const
    {
        if constexpr (std::is_pointer_v<T>)
            return v;
        else
            return static_cast<T>(v - first_);
    }

    unsigned magic_ = alive_magic;
    bool immortal_;
    T first_{};
    rl::var<int> life_;
    rl::generic_atomic<T, true> value_;
};

class mutex
{
public:
    void lock(place p = place::current()) { mutex_.lock(info(p)); }
    void unlock(place p = place::current()) { mutex_.unlock(info(p)); }

private:
    rl::mutex mutex_;
};

class exit_hook
{
public:
    bool create(void (*f)(void*)) noexcept
    {
        f_ = f;
        return true;
    }
    bool arm(void* record, registry_io::thread_exit::link&) noexcept
    {
        world::thread& t = world::now().self();
        t.hooks[t.hook_count++] = {f_, record};
        return true;
    }

private:
    void (*f_)(void*) = nullptr;
};

template <fences Fences>
struct env
{
    template <class T>
    using atomic = relacy::atomic<T>;
    using mutex = relacy::mutex;
    using exit_hook = relacy::exit_hook;

    static constexpr fences model = Fences;

    template <class T>
    static T& global() noexcept
    {
        return world::now().global<T>();
    }
    template <class Record>
    static Record& record() noexcept
    {
        return world::now().local<Record>();
    }
    template <class Words>
    static Words hot() noexcept
    {
        struct words
        {
            atomic<typename Words::state_type> state{};
            atomic<typename Words::era_type*> mail{};
            typename Words::state_type last{};
            atomic<void const*> cell{};
        };
        words& w = world::now().local<words>();
        if constexpr (Words::has_cell)
            return Words{w.state, w.mail, w.last, w.cell};
        else
            return Words{w.state, w.mail, w.last};
    }
    static reclaim::nesting_entry*& nesting() noexcept { return world::now().self().nesting; }

    static void light_fence(place p = place::current()) noexcept
    {
        if constexpr (Fences == fences::pair)
            rl::atomic_thread_fence(rl::mo_seq_cst, info(p));
    }

    static bool heavy_fence(reclaim::fence_mode mode, place p = place::current()) noexcept
    {
        require((mode == reclaim::fence_mode::full) == (Fences == fences::none), "wrong mode", p);
        if (Fences == fences::membarrier && world::now().fences_left == 0)
            return false;
        if (world::now().fences_left > 0)
            --world::now().fences_left;
        if constexpr (Fences != fences::none)
            rl::atomic_thread_fence(rl::mo_seq_cst, info(p));
        if constexpr (Fences == fences::membarrier) {
            // The kernel interrupts the other processors in any order, and waits for all of them.
            world& w = world::now();
            int const n = rl::ctx().get_thread_count();
            int const first = static_cast<int>(rl::rand(static_cast<unsigned>(n)));
            for (int i = 0; i < n; ++i) {
                int const other = (first + i) % n;
                if (other != w.index())
                    fence_on(w.threads[other]);
            }
            rl::atomic_thread_fence(rl::mo_seq_cst, info(p));
        }
        return true;
    }

    static reclaim::fence_mode decide_fence_mode() noexcept
    {
        return Fences == fences::none ? reclaim::fence_mode::full : reclaim::fence_mode::asymmetric;
    }
    static void at_fork(void (*)(), void (*)(), void (*)()) noexcept {}

    static void wait(atomic<unsigned>& word, unsigned old, place p = place::current()) noexcept
    {
        rl::ctx().sched();
        if (word.latest() == old)
            word.park(p);
    }
    static void wake_all(atomic<unsigned>& word, place p = place::current()) noexcept
    {
        rl::ctx().sched();
        word.unpark_all(p);
    }
    static void nap(place p = place::current()) noexcept { rl::yield(1, info(p)); }

private:
    static void fence_on(world::thread& t) noexcept
    {
        rl::context& c = rl::ctx();
        c.sched();
        if (t.info == nullptr) {
            t.owes_fence = true;
            return;
        }
        undisturbed const alone;
        rl::thread_info_base* const self = std::exchange(c.threadx_, t.info);
        c.atomic_thread_fence_seq_cst();
        c.threadx_ = self;
    }
};

/// The memory of the registries under test.
struct heap
{
    using category = registry_io::axis::alloc;
    static constexpr std::size_t capacity = 0;
    static constexpr bool inside = false;
    static constexpr bool concurrent = true;

    struct source
    {
        static void* allocate(std::size_t n, std::size_t)
        {
            return world::now().allocate_bounded(n);
        }
        static void deallocate(void* p, std::size_t, std::size_t) noexcept
        {
            world::now().deallocate(p);
        }
    };
    static source get_source() noexcept { return {}; }
};

}  // namespace relacy

#endif
