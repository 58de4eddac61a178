// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// How a thread waits for reclamation. A `completion` is a flag on the stack of the thread that
// waits; all completions share the word that the thread sleeps on, and that word is never
// destroyed, so waking up touches no destroyed object. A `left_stack` (Treiber, 1986) holds the
// objects that readers leave for writers to destroy. Invariant: the thread that signals a
// completion does not touch it after it has set the flag.

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

/// A flag that one thread waits for. It lives on the stack of the waiting thread, so another thread
/// must not touch it after the store that lets the wait return.
template <class Env>
class completion
{
public:
    completion() noexcept = default;
    completion(completion const&) = delete;
    completion& operator=(completion const&) = delete;

    void wait() noexcept
    {
        // With one thread there is nothing to wait for: `synchronize` inside a read is refused, and
        // outside of a read there is no reader.
        if constexpr (!one_thread<Env>) {
            for (;;) {
                // acquire: pairs with the release of signal. Without it, this thread could see the
                // new count and the old flag, and sleep for ever.
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
        // release: pairs with the acquire of done. Without it, the waiting thread could return
        // before it sees the destruction.
        done_.store(1, std::memory_order_release);
        if constexpr (!one_thread<Env>) {
            signal_count().fetch_add(1, std::memory_order_release);
            Env::wake_all(signal_count());
        }
    }

    // For the list of a `retired_roots`, under its lock.
    completion* next = nullptr;
    std::size_t left = 0;     ///< how many roots and releases it still waits for
    std::uint64_t until = 0;  ///< it waits for those that entered before this time

protected:
    // acquire: pairs with signal. Destructions and readers' accesses happen before the wait
    // returns.
    bool done() const noexcept { return done_.load(std::memory_order_acquire) != 0; }

private:
    /// The word that threads sleep on. All completions share it, and it is never destroyed.
    struct REGISTRY_IO_EXPORT signal_word
    {
        typename Env::template atomic<unsigned> value{0};
    };
    static auto& signal_count() noexcept { return Env::template global<signal_word>().value; }

    typename Env::template atomic<unsigned> done_{0};
};

/// Nodes that readers have left for a writer to drain, because readers must not run destructors.
/// `Node` has `next_left()`, which returns a reference to a pointer, and `drain()`.
template <class Env, class Node>
class left_stack
{
public:
    /// Precondition: the caller was the last holder of `n`. It must not touch `n` or the stack
    /// again.
    void push(Node& n) noexcept
    {
        Node* top = top_.load(std::memory_order_relaxed);
        do {
            n.next_left() = top;
            // release: pairs with the exchange in drain_all. Without it, readers' accesses could
            // race with the destruction.
        } while (!top_.compare_exchange_strong(top, &n, std::memory_order_release,
                                               std::memory_order_relaxed));
    }

    /// Drains every node on the stack, and every node that is pushed meanwhile. Runs destructors of
    /// captures.
    void drain_all() noexcept
    {
        // relaxed: a load that misses a push counts as a load before that push.
        while (top_.load(std::memory_order_relaxed) != nullptr) {
            // acquire: pairs with push.
            Node* n = top_.exchange(nullptr, std::memory_order_acquire);
            while (n != nullptr) {
                // Read the link first: the drain frees the node.
                Node* const next = static_cast<Node*>(n->next_left());
                n->drain();
                n = next;
            }
        }
    }

private:
    typename Env::template atomic<Node*> top_{nullptr};
};

/// A `completion` for registries whose readers do not drain. The waiting thread drains, and it
/// polls, since no reader wakes it up.
template <class Env, class Node>
class polling_completion : public completion<Env>
{
public:
    /// Set by the writer before the wait.
    left_stack<Env, Node>* leaves = nullptr;

    void wait() noexcept
    {
        // Test first: when everything is destroyed the stack may be gone too.
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
