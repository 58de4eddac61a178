// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The list of the threads that read under one domain, and what happens to it when a thread exits
// and when the process forks. A record is a thread-local of its thread, so attaching one allocates
// nothing. Invariant: a thread's record is in the list while one of its slots may be in use, so a
// writer that holds the mutex sees every reader.

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

/// What a domain keeps of each thread; the base of its record. The record is a thread-local, so
/// that a thread's first read allocates nothing.
template <class Record>
struct thread_record
{
    Record* next = nullptr;
    Record* previous = nullptr;
    bool linked = false;
    bool permanent = false;  ///< stays linked until the thread exits
    thread_exit::link on_exit{};
    bool exiting = false;  ///< the exit hook has run: from now on it is linked for each read
};

/// What a domain has the system call: with its own record of the calling thread, when the thread
/// exits, and around each fork.
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

    /// For writers, before there is anything to read: arranges for thread exit and for fork.
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

    /// Decided before the first reader has a record, and never changed. Under the mutex, or by a
    /// thread that has a record.
    fence_mode mode() const noexcept { return mode_; }

    /// Makes a thread's record known. Takes the mutex, which also orders it against writers: a
    /// writer that does not find the record published before we locked, so that we see its root.
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

    /// Takes it off the list. A record that is idle has no mail then: mail is posted to records
    /// that are busy, and taken back from those that moved on, under the mutex.
    void detach(Record& r) noexcept
    {
        std::lock_guard<typename Env::mutex> lock(mutex_);
        (r.previous == nullptr ? first_ : r.previous->next) = r.next;
        if (r.next != nullptr)
            r.next->previous = r.previous;
        r.linked = false;
        r.permanent = false;
    }

    /// Under the mutex.
    Record* first() const noexcept { return first_; }

    /// Under the mutex: no thread but perhaps this one has a record.
    bool alone(Record const& mine) const noexcept
    {
        return first_ == nullptr || (first_ == &mine && mine.next == nullptr);
    }

    /// How many forks lie between this process and the one that loaded the library.
    // relaxed: it changes only while its process has one thread.
    unsigned forks() const noexcept { return forks_.load(std::memory_order_relaxed); }

    // ----- for hooks

    void thread_exits(Record& record) noexcept
    {
        detach(record);
        record.exiting = true;
        record.retire();
    }

    /// The other threads do not exist in a child. What they were reading stays where it is for
    /// ever, since nobody is left to report that they have left.
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
