// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Calls a function when a thread exits. Reclamation, coroutine frames and recorded workloads each
// keep some state per thread, and release it here. Each thread has a list of such calls, which
// needs no allocation because the links are stored in the state itself. The list runs from the
// destructor of a POSIX key, after all destructors of `thread_local` objects, so code in those may
// still notify. Invariant: each armed call is made once; after the list has run, `arm` refuses.

#ifndef REGISTRY_IO_THREAD_EXIT_HPP
#define REGISTRY_IO_THREAD_EXIT_HPP

#include <registry_io/detail/supported.hpp>

#include <registry_io/config.hpp>

#if !defined(_WIN32)
#include <pthread.h>
#endif

namespace registry_io {
inline namespace v1 {

/// Calls that a thread makes when it exits.
namespace thread_exit {

/// One call. It must be stored in a thread_local without a destructor, and stays on the thread's
/// list until the call is made.
struct link
{
    void (*call)(void*) = nullptr;  ///< the function
    void* argument = nullptr;       ///< its argument
    link* next = nullptr;           ///< the next call
};

namespace detail {
/// The calls that a thread makes when it exits; the last one armed is first.
struct chain
{
    link* first = nullptr;
    bool over =
        false;  ///< the calls have been made; a call that is armed later would never be made

    void run() noexcept
    {
        over = true;
        while (link* const l = first) {
            first = l->next;
            l->call(l->argument);
        }
    }
};
REGISTRY_IO_EXPORT inline constinit thread_local chain calls{};

#if !defined(_WIN32)
/// The key whose destructor runs a thread's calls. All hooks share one, since a process has few
/// keys.
///
/// It is a key and not a thread_local with a destructor, for three reasons. Such destructors run
/// before the destructors of keys, so with a key, code in a thread_local's destructor that notifies
/// still finds its record. A destructor on a variable of the hot path would cost each access a
/// call. And glibc allocates for each such destructor, but not for the values of the first keys.
template <class Unused = void>
struct REGISTRY_IO_EXPORT key
{
#if defined(__GLIBC__)
    /// A thread has room for the values of this many keys. For all other keys `pthread_setspecific`
    /// allocates.
    static constexpr ::pthread_key_t without_allocation = 32;
#else
    static constexpr ::pthread_key_t without_allocation = ~::pthread_key_t(0);
#endif

    REGISTRY_IO_EXPORT static inline constinit ::pthread_once_t once = PTHREAD_ONCE_INIT;
    REGISTRY_IO_EXPORT static inline constinit ::pthread_key_t value = 0;
    REGISTRY_IO_EXPORT static inline constinit bool usable = false;

    /// Returns whether there is a key that does not make threads allocate.
    static bool create() noexcept
    {
        static_cast<void>(&early);
        ::pthread_once(&once, [] {
            usable =
                ::pthread_key_create(&value, [](void* c) { static_cast<chain*>(c)->run(); }) == 0;
            if (usable && value >= without_allocation) {
                ::pthread_key_delete(value);
                usable = false;
            }
        });
        return usable;
    }

    /// Creates the key when the program or the library is loaded. Later, other code may have taken
    /// all of the first keys.
    REGISTRY_IO_EXPORT static inline bool const early = create();
};
#endif
}  // namespace detail

/// Calls one function for each thread that has armed it, when that thread exits.
class hook
{
public:
    /// The function that is called, with the record that was armed.
    using function = void (*)(void*);

    /// Sets the function. Returns whether `arm` can work.
    bool create(function f) noexcept
    {
        function_ = f;
#if defined(_WIN32)
        return true;
#else
        return detail::key<>::create();
#endif
    }

    /// Makes the calling thread call the function with `record` when it exits. Returns false if
    /// that is not possible: the thread has already made its exit calls, or the system refuses.
    /// Precondition: `create` has returned true. Complexity: constant; does not allocate.
    bool arm(void* record, link& l) noexcept
    {
        detail::chain& mine = detail::calls;
        if (mine.over)
            return false;
#if defined(_WIN32)
        // Untested: the library's tests run only on Linux.
        struct at_exit
        {
            ~at_exit() { detail::calls.run(); }
        };
        thread_local at_exit const runs;
        static_cast<void>(&runs);
#else
        if (mine.first == nullptr && ::pthread_setspecific(detail::key<>::value, &mine) != 0)
            return false;
#endif
        l = {function_, record, mine.first};
        mine.first = &l;
        return true;
    }

private:
    function function_ = nullptr;
};

}  // namespace thread_exit
}  // namespace v1
}  // namespace registry_io

#endif
