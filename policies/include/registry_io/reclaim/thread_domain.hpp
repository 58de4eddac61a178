// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The list of the threads that read under one domain, and its changes when a thread exits and when
// the process forks. A record is a thread-local, so attaching one allocates nothing. Invariant: a
// thread's record is in the list while one of its slots may be in use, so a writer that holds the
// mutex sees every reader.

#ifndef REGISTRY_IO_RECLAIM_THREAD_DOMAIN_HPP
#define REGISTRY_IO_RECLAIM_THREAD_DOMAIN_HPP

#include <registry_io/detail/supported.hpp>

#include <mutex>

#include <registry_io/config.hpp>
#include <registry_io/reclaim/fence.hpp>
#include <registry_io/thread/exit.hpp>

namespace registry_io {
inline namespace v1 {
namespace reclaim {

/// The base of a thread's record: its links, and its state in the list.
template <class Record>
struct thread_record
{
    Record* next = nullptr;
    Record* previous = nullptr;
    bool linked = false;
    bool permanent = false;  ///< stays linked until the thread exits
    thread_exit::link on_exit{};
    bool exiting =
        false;  ///< the exit hook has run: each later read attaches and detaches the record
};

/// The functions that a domain registers for thread exit and for `fork`. `record` is the exiting
/// thread's record in that domain.
struct thread_hooks
{
    void (*thread_exits)(void* record);
    void (*before_fork)();
    void (*after_fork_in_parent)();
    void (*after_fork_in_child)();
};

/// The threads that read under one domain.
///
/// It is constant-initialised and trivially destructible, so that a notify in a static
/// constructor or destructor finds it alive. User code never runs under its mutex.
template <class Env, class Record>
class REGISTRY_IO_EXPORT thread_domain
{
public:
    constexpr thread_domain() noexcept = default;

    typename Env::mutex& mutex() noexcept { return mutex_; }

    /// Registers the hooks for thread exit and for fork. Writers call it before the first
    /// publication.
    void prepare(thread_hooks const& hooks) noexcept
    {
        std::lock_guard<typename Env::mutex> lock(mutex_);
        if (prepared_)
            return;
        prepared_ = true;
        mode_ = Env::decide_fence_mode();
        can_hook_ = exit_hook_.create(hooks.thread_exits);
        Env::at_fork(hooks.before_fork, hooks.after_fork_in_parent, hooks.after_fork_in_child);
    }

    /// The fence mode. `prepare` sets it before the first reader has a record, and it never
    /// changes. Call it under the mutex, or on a thread that has a record.
    fence_mode mode() const noexcept { return mode_; }

    /// Puts a record on the list. The mutex also orders this call with writers: a writer that does
    /// not find the record has published before this call locked the mutex, so this thread sees the
    /// new root.
    void attach(Record& r) noexcept
    {
        std::lock_guard<typename Env::mutex> lock(mutex_);
        r.next = first_;
        r.previous = nullptr;
        if (first_ != nullptr)
            first_->previous = &r;
        first_ = &r;
        r.linked = true;
        if (can_hook_ && !r.exiting)
            r.permanent = exit_hook_.arm(&r, r.on_exit);
    }

    /// Takes a record off the list. An idle record has no mail when this thread holds the mutex:
    /// under the mutex, writers post mail to slots in use, and revoke it from slots whose read has
    /// ended.
    void detach(Record& r) noexcept
    {
        std::lock_guard<typename Env::mutex> lock(mutex_);
        (r.previous == nullptr ? first_ : r.previous->next) = r.next;
        if (r.next != nullptr)
            r.next->previous = r.previous;
        r.linked = false;
        r.permanent = false;
    }

    /// The first record. Call it under the mutex.
    Record* first() const noexcept { return first_; }

    /// Whether no other thread has a record. Call it under the mutex.
    bool alone(Record const& mine) const noexcept
    {
        return first_ == nullptr || (first_ == &mine && mine.next == nullptr);
    }

    /// The number of forks from the process that loaded the library to this process.
    // relaxed: it changes only in a child of fork, which has one thread.
    unsigned forks() const noexcept { return forks_.load(std::memory_order_relaxed); }

    // ----- for hooks

    void thread_exits(Record& record) noexcept
    {
        detach(record);
        record.exiting = true;
        record.retire();
    }

    /// Forgets the other threads, which do not exist in a child. What they were reading is never
    /// freed, since no thread is left to report.
    void after_fork_in_child(Record& mine) noexcept
    {
        first_ = mine.linked ? &mine : nullptr;
        mine.next = mine.previous = nullptr;
        forks_.fetch_add(1, std::memory_order_relaxed);
        mutex_.unlock();
    }

private:
    typename Env::mutex mutex_{};
    Record* first_ = nullptr;
    fence_mode mode_ = fence_mode::undecided;
    typename Env::template atomic<unsigned> forks_{0};
    bool prepared_ = false;
    bool can_hook_ = false;
    typename Env::exit_hook exit_hook_{};
};

}  // namespace reclaim
}  // namespace v1
}  // namespace registry_io

#endif
