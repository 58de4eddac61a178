// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)

#ifndef REGISTRY_IO_RECLAIM_ENV_HPP
#define REGISTRY_IO_RECLAIM_ENV_HPP

#include <registry_io/detail/supported.hpp>

#include <atomic>
#include <climits>
#include <cstdio>
#include <exception>
#include <mutex>

#include <boost/assert.hpp>

#include <registry_io/config.hpp>
#include <registry_io/reclaim/fence.hpp>

#if defined(_WIN32)
#include <chrono>
#include <thread>
#else
#include <pthread.h>
#include <time.h>
#endif
#if defined(__linux__)
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace registry_io {
inline namespace v1 {
namespace reclaim {

/// One entry of a thread's list of what it is inside of: reads that are not announced in a slot,
/// and destructions. Lives on the stack.
struct frame
{
    void const* owner;
    frame* outer;
};

namespace detail {
REGISTRY_IO_EXPORT inline constinit thread_local frame* innermost_frame = nullptr;
}

/// A call that a thread makes when it exits. Lives in a thread_local without a destructor.
struct exit_link
{
    void (*call)(void*) = nullptr;
    void* argument = nullptr;
    exit_link* next = nullptr;
};

namespace detail {
/// The calls that a thread makes when it exits.
struct exit_chain
{
    exit_link* first = nullptr;
    bool over = false;  ///< they have been made: nobody makes those that come later

    void run() noexcept
    {
        over = true;
        while (exit_link* const l = first) {
            first = l->next;
            l->call(l->argument);
        }
    }
};
REGISTRY_IO_EXPORT inline constinit thread_local exit_chain exits{};

#if !defined(_WIN32)
/// The key whose destructor runs a thread's chain. One for all, as keys are few.
///
/// A key, not a thread_local with a destructor: those run before the keys' destructors, so code in a
/// thread_local's destructor that notifies finds its record still in place. It costs the hot path
/// nothing either, where a destructor on the hot variable would. And glibc allocates for each such
/// destructor, but for none of the first keys.
template <class Unused = void>
struct REGISTRY_IO_EXPORT exit_key
{
#if defined(__GLIBC__)
    /// A thread has room for the values of so many keys. For one of the others
    /// `pthread_setspecific` allocates.
    static constexpr ::pthread_key_t without_allocation = 32;
#else
    static constexpr ::pthread_key_t without_allocation = ~::pthread_key_t(0);
#endif

    REGISTRY_IO_EXPORT static inline constinit ::pthread_once_t once = PTHREAD_ONCE_INIT;
    REGISTRY_IO_EXPORT static inline constinit ::pthread_key_t key = 0;
    REGISTRY_IO_EXPORT static inline constinit bool usable = false;

    /// Returns whether there is a key that does not make threads allocate.
    static bool create() noexcept
    {
        static_cast<void>(&early);
        ::pthread_once(&once, [] {
            usable = ::pthread_key_create(
                         &key, [](void* chain) { static_cast<exit_chain*>(chain)->run(); }) == 0;
            if (usable && key >= without_allocation) {
                ::pthread_key_delete(key);
                usable = false;
            }
        });
        return usable;
    }

    /// Made when the program or the library is loaded: later all of the first keys may be others'.
    REGISTRY_IO_EXPORT static inline bool const early = create();
};
#endif
}  // namespace detail

/// Calls a function for each thread that has armed it, when that thread exits.
class thread_exit_hook
{
public:
    using function = void (*)(void*);

    /// Returns whether `arm` works.
    bool create(function f) noexcept
    {
        function_ = f;
#if defined(_WIN32)
        return true;
#else
        return detail::exit_key<>::create();
#endif
    }

    /// Lets the calling thread call the function with `record` when it exits. Returns false when
    /// that cannot be arranged. Does not allocate.
    bool arm(void* record, exit_link& link) noexcept
    {
        detail::exit_chain& chain = detail::exits;
        if (chain.over)
            return false;
#if defined(_WIN32)
        // Not verified: the library is run on Linux alone.
        struct at_exit
        {
            ~at_exit() { detail::exits.run(); }
        };
        thread_local at_exit const hook;
        static_cast<void>(&hook);
#else
        if (chain.first == nullptr && ::pthread_setspecific(detail::exit_key<>::key, &chain) != 0)
            return false;
#endif
        link = {function_, record, chain.first};
        chain.first = &link;
        return true;
    }

private:
    function function_ = nullptr;
};

namespace detail {
/// The calling thread's record of this type.
template <class Record>
struct REGISTRY_IO_EXPORT this_thread
{
    REGISTRY_IO_EXPORT static inline constinit thread_local Record record{};
};

/// The calling thread's words that the fast path uses. Each is a variable of its own, since g++
/// computes the address of a member first where it addresses a variable directly.
template <class Words>
struct REGISTRY_IO_EXPORT this_thread_hot
{
    REGISTRY_IO_EXPORT REGISTRY_IO_HOT_TLS static inline constinit thread_local std::atomic<
        typename Words::state_type>
        state{};
    REGISTRY_IO_EXPORT REGISTRY_IO_HOT_TLS static inline constinit thread_local std::atomic<
        typename Words::era_type*>
        mail{};
    REGISTRY_IO_EXPORT REGISTRY_IO_HOT_TLS static inline constinit thread_local
        typename Words::state_type last{};
    REGISTRY_IO_EXPORT
    REGISTRY_IO_HOT_TLS static inline constinit thread_local std::atomic<void const*> cell{};
};

/// A variable of the process, one for each type.
template <class T>
struct REGISTRY_IO_EXPORT process_wide
{
    REGISTRY_IO_EXPORT static inline constinit T value{};
};
}  // namespace detail

/// A registry is used by code whose copy of a domain's variables is not that of the code which made
/// it: what one announces the other does not see.
[[noreturn]] BOOST_NOINLINE inline void foreign_domain() noexcept
{
    std::fputs("registry_io: notified from a shared object with its own copy of the library's "
               "variables; export them, or use a registry_ref that the registry's owner made\n",
               stderr);
    std::terminate();
}

/// Asserts that a registry's domain is the calling code's. The message names the function that it
/// is in: in the store, or a read, that would be a different and a longer name for each.
template <class Domain>
BOOST_FORCEINLINE void assert_domain([[maybe_unused]] Domain const& domain,
                                     [[maybe_unused]] void const* own) noexcept
{
    BOOST_ASSERT_MSG(domain == own,
                     "registry_io: notified from a shared object with its own domain");
}

/// Asserts that no notify of a registry runs while the registry is destroyed. Not a template, as the
/// message names the function that it is in.
BOOST_NOINLINE inline void assert_not_running([[maybe_unused]] bool unread) noexcept
{
    BOOST_ASSERT_MSG(unread, "registry_io: the registry is destroyed while a notify is running");
}
/// As above. `unread()` is called only where assertions are on, since it scans the readers' records.
template <class F>
BOOST_FORCEINLINE void assert_unread([[maybe_unused]] F unread) noexcept
{
#if !defined(BOOST_ASSERT_IS_VOID)
    reclaim::assert_not_running(unread());
#endif
}

/// The environment of shipped code: all that it shares with other threads, and all that belongs to
/// a thread. A checker brings its own, with the same members, and so runs the shipped code.
struct REGISTRY_IO_EXPORT std_env
{
    template <class T>
    using atomic = std::atomic<T>;
    using mutex = std::mutex;
    using exit_hook = thread_exit_hook;

    /// A variable of the process, one for each type; constant-initialised.
    template <class T>
    static constexpr BOOST_FORCEINLINE T& global() noexcept
    {
        return detail::process_wide<T>::value;
    }

    /// The calling thread's record of this type.
    template <class Record>
    static Record& record() noexcept
    {
        return detail::this_thread<Record>::record;
    }

    /// The thread's slot for the fast path.
    template <class Words>
    static BOOST_FORCEINLINE Words hot() noexcept
    {
        using words = detail::this_thread_hot<Words>;
        if constexpr (Words::has_cell)
            return Words{words::state, words::mail, words::last, words::cell};
        else
            return Words{words::state, words::mail, words::last};
    }

    static frame*& frames() noexcept { return detail::innermost_frame; }
    static void light_fence() noexcept { reclaim::light_fence(); }
    static bool heavy_fence(fence_mode mode) noexcept { return reclaim::heavy_fence(mode); }
    static fence_mode decide_fence_mode() noexcept { return reclaim::decide_fence_mode(); }

    /// Calls these around each fork from now on.
    static void at_fork(void (*before)(), void (*parent)(), void (*child)()) noexcept
    {
#if !defined(_WIN32)
        // Without memory for it a child of fork may find a lock that nobody holds any more.
        static_cast<void>(::pthread_atfork(before, parent, child));
#endif
    }

    /// Sleeps until `word` may have changed from `old`.
    static void wait(atomic<unsigned>& word, unsigned old) noexcept
    {
#if defined(__linux__)
        // Not word.wait: libstdc++ counts the waiters in a static of an inline function, of which
        // shared objects may have a copy each; the one that wakes would see none.
        ::syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, old, nullptr, nullptr, 0);
#else
        word.wait(old);
#endif
    }
    static void wake_all(atomic<unsigned>& word) noexcept
    {
#if defined(__linux__)
        ::syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
#else
        word.notify_all();
#endif
    }
    static_assert(sizeof(atomic<unsigned>) == sizeof(unsigned));

    /// Lets some time pass, for a wait that nobody ends with a call.
    static void nap() noexcept
    {
#if defined(_WIN32)
        std::this_thread::sleep_for(std::chrono::microseconds(50));
#else
        // Not <thread>: it and <chrono> would cost every user's build a third of a second.
        ::timespec const some{0, 50000};
        ::nanosleep(&some, nullptr);
#endif
    }
};

/// A word with the interface of an atomic, for code that one thread runs.
template <class T>
class plain
{
public:
    constexpr plain() noexcept = default;
    constexpr plain(T v) noexcept : value_(v) {}

    T load(std::memory_order = std::memory_order_relaxed) const noexcept { return value_; }
    void store(T v, std::memory_order = std::memory_order_relaxed) noexcept { value_ = v; }
    T exchange(T v, std::memory_order = std::memory_order_relaxed) noexcept
    {
        T old = value_;
        value_ = v;
        return old;
    }
    T fetch_add(T n, std::memory_order = std::memory_order_relaxed) noexcept
    {
        T old = value_;
        value_ = static_cast<T>(value_ + n);
        return old;
    }
    T fetch_sub(T n, std::memory_order = std::memory_order_relaxed) noexcept
    {
        T old = value_;
        value_ = static_cast<T>(value_ - n);
        return old;
    }
    bool compare_exchange_strong(T& expected, T desired, std::memory_order,
                                 std::memory_order) noexcept
    {
        if (value_ == expected) {
            value_ = desired;
            return true;
        }
        expected = value_;
        return false;
    }

private:
    T value_{};
};

/// The environment of code that one thread runs: nothing is atomic, nothing is locked.
struct single_thread_env
{
    /// Threads may each have registries of their own, so nothing may be shared without need.
    static constexpr bool alone = true;

    template <class T>
    using atomic = plain<T>;

    struct mutex
    {
        void lock() noexcept {}
        void unlock() noexcept {}
    };

    static frame*& frames() noexcept { return detail::innermost_frame; }
};

/// Whether an environment is that of one thread.
template <class Env>
inline constexpr bool one_thread = requires { requires Env::alone; };

/// Keeps a frame on the list while it lives.
template <class Env>
class frame_scope
{
public:
    explicit frame_scope(void const* owner) noexcept : frame_{owner, Env::frames()}
    {
        Env::frames() = &frame_;
    }
    frame_scope(frame_scope const&) = delete;
    frame_scope& operator=(frame_scope const&) = delete;
    ~frame_scope() { Env::frames() = frame_.outer; }

private:
    frame frame_;
};

/// Whether the calling thread is inside something of this owner.
template <class Env>
bool inside(void const* owner) noexcept
{
    for (frame const* f = Env::frames(); f != nullptr; f = f->outer)
        if (f->owner == owner)
            return true;
    return false;
}

}  // namespace reclaim
}  // namespace v1
}  // namespace registry_io

#endif
