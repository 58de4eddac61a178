// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// How a thread waits for reclamation. A `completion` is a flag on the stack of the thread that
// waits; the word that the thread sleeps on is shared by all completions and never destroyed, so
// waking up touches nothing that may be gone. A `left_stack` (Treiber, 1986) takes what readers
// leave for writers to destroy. Invariant: whoever signals a completion touches it last by setting
// its flag.

#ifndef REGISTRY_IO_RECLAIM_COMPLETION_HPP
#define REGISTRY_IO_RECLAIM_COMPLETION_HPP

#include <registry_io/detail/supported.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>

#include <registry_io/config.hpp>
#include <registry_io/reclaim/single_thread_env.hpp>

namespace registry_io {
inline namespace v1 {
namespace reclaim {

/// A flag that one thread waits for. It lives on the stack of the waiting thread, so the last touch
/// by another thread is the one that lets the wait return.
template <class Env>
class completion
{
public:
    completion() noexcept = default;
    completion(completion const&) = delete;
    completion& operator=(completion const&) = delete;

    void wait() noexcept
    {
        // With one thread, what a completion waits for has happened before it waits: `synchronize`
        // inside a read is refused, and outside of one there is no reader.
        if constexpr (!one_thread<Env>) {
            for (;;) {
                unsigned const seen = signal_count().load(std::memory_order_acquire);
                if (done())
                    return;
                Env::wait(signal_count(), seen);
            }
        }
    }

    /// Lets `wait` return. The flag may be gone when this returns.
    void signal() noexcept
    {
        // release: pairs with done.
        done_.store(1, std::memory_order_release);
        if constexpr (!one_thread<Env>) {
            signal_count().fetch_add(1, std::memory_order_release);
            Env::wake_all(signal_count());
        }
    }

    // For the list of a `retired_roots`, under its lock.
    completion* next = nullptr;
    std::size_t left = 0;     ///< how many of those that it waits for have not gone
    std::uint64_t until = 0;  ///< it waits for those that entered before

protected:
    // acquire: what was destroyed, and what the readers did, comes before our return.
    bool done() const noexcept { return done_.load(std::memory_order_acquire) != 0; }

private:
    /// The word that threads sleep on is shared by all completions and is never destroyed.
    struct REGISTRY_IO_EXPORT signal_word
    {
        typename Env::template atomic<unsigned> value{0};
    };
    static auto& signal_count() noexcept { return Env::template global<signal_word>().value; }

    typename Env::template atomic<unsigned> done_{0};
};

/// What readers have left for a writer to drain, because they must not run destructors. `Node` has
/// `next_left()`, a reference to a pointer, and `drain()`.
template <class Env, class Node>
class left_stack
{
public:
    /// The caller was the last to hold `n`, and touches neither `n` nor the stack again.
    void push(Node& n) noexcept
    {
        Node* top = top_.load(std::memory_order_relaxed);
        do {
            n.next_left() = top;
            // release: what the readers did comes before the drain.
        } while (!top_.compare_exchange_strong(top, &n, std::memory_order_release,
                                               std::memory_order_relaxed));
    }

    /// Drains what lies in it, and what that lets go of. Runs destructors of captures.
    void drain_all() noexcept
    {
        // relaxed: a look that comes too early is a look before the push.
        while (top_.load(std::memory_order_relaxed) != nullptr) {
            // acquire: pairs with push.
            Node* n = top_.exchange(nullptr, std::memory_order_acquire);
            while (n != nullptr) {
                // The next one first: the drain frees the memory around this one.
                Node* const next = static_cast<Node*>(n->next_left());
                n->drain();
                n = next;
            }
        }
    }

private:
    typename Env::template atomic<Node*> top_{nullptr};
};

/// As `completion`, where readers do not drain: the waiting thread does, and asks again and again,
/// since no reader wakes it up.
template <class Env, class Node>
class polling_completion : public completion<Env>
{
public:
    /// Set by the writer before the wait.
    left_stack<Env, Node>* leaves = nullptr;

    void wait() noexcept
    {
        // The question first: when all is done the stack may be gone.
        while (!this->done()) {
            leaves->drain_all();
            if (this->done())
                return;
            Env::nap();
        }
    }
};

}  // namespace reclaim
}  // namespace v1
}  // namespace registry_io

#endif
