// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The writer of the snapshot policies whose readers count themselves in the root: `locked` and
// `single_thread`. The writer need not search for readers, so publication is an exchange of the
// root and an entry in the list of retired roots.

#ifndef REGISTRY_IO_RECLAIM_COUNTING_HPP
#define REGISTRY_IO_RECLAIM_COUNTING_HPP

#include <registry_io/detail/supported.hpp>

#include <cstdint>

#include <boost/core/no_exceptions_support.hpp>

#include <registry_io/detail/on_demand.hpp>
#include <registry_io/reclaim/late_part.hpp>
#include <registry_io/reclaim/misuse.hpp>
#include <registry_io/reclaim/nesting.hpp>
#include <registry_io/reclaim/retired.hpp>

namespace registry_io {
inline namespace v1 {
namespace reclaim {

/// The writer of a store whose readers all count themselves in the root.
///
/// `Store` has `get()`, `exchange(root)`, `unread(root)` and `static constexpr bool in_place`.
template <class Env, class Root, class Store, class Source>
class counting_writer
{
    using retired = retired_roots<Env>;

public:
    using root_header = counted_root<Env>;
    using completion = reclaim::completion<Env>;

    class retirement
    {
    public:
        void finish() noexcept { release_.finish(); }

        /// Whether `finish` has nothing to do.
        bool idle() const noexcept { return release_.free.empty(); }

    private:
        friend class counting_writer;
        explicit retirement(retired* log) noexcept : release_(log) {}

        typename retired::release release_;
        garbage_list dead_{};
        completion* wait_ = nullptr;
    };

    REGISTRY_IO_DETAIL_BEGIN_UNINITIALIZED
    counting_writer(Store& s, Source const& source)
        : store_(s), forks_(retired::prepare()), log_(source, s, forks_)
    {
    }
    REGISTRY_IO_DETAIL_END_UNINITIALIZED

    /// Whether `prepare` has been called.
    bool prepared() const noexcept { return log_.get() != nullptr; }
    /// Makes the state that only the second and later publications need. Call it before a second
    /// root is made.
    void prepare()
    {
        if (log_.get() == nullptr)
            prepare_once();
    }

    typename Env::mutex& mutex() noexcept { return mutex_; }
    bool foreign() const noexcept { return false; }  // all state lies in the registry
    Root* current() const noexcept { return store_.get(); }

    bool exclusive() const noexcept
    {
        // False before `prepare`: `prepare` may fail, and an edit in place cannot be undone. False
        // also while an older root is read: it may share pieces with the current one.
        return Store::in_place && prepared() && current() != nullptr && store_.unread(*current()) &&
            !retired_read();
    }

    template <class NoMemory>
    retirement reserve(garbage_list const& dead, completion* wait, NoMemory)
    {
        if (current() != nullptr || !dead.empty())
            prepare();
        retirement r(log_.get());
        r.dead_ = dead;
        r.wait_ = wait;
        return r;
    }

    template <class Recycle>
    void publish(Root* next, retirement& r, Recycle recycle) noexcept
    {
        Root* const old = current();
        replacing* const log = log_.get();
        if (log == nullptr) {  // this publication replaces no root, and no earlier one did
            store_.exchange(next);
            if (r.wait_ != nullptr)
                r.wait_->signal();
            return;
        }
        // As in hazard_pointer.
        if (log->forked() && !would_deadlock())
            log->follow_fork(old, 1, nullptr);
        Root* const replaced = next != old ? old : nullptr;
        if (next != old) {
            if (next != nullptr) {
                // As in hazard_pointer.
                log->first.attach(*next);
                next->belong(*log);
            }
            store_.exchange(next);
        }
        log->replace(replaced, r.dead_, r.release_);
        if (r.wait_ != nullptr)
            log->wait_for_all(*r.wait_);
        recycle(r.release_.free);
        r.release_.count();
    }

    bool held() const noexcept { return current() != nullptr && !store_.unread(*current()); }

    bool would_deadlock() const noexcept { return inside<Env>(&store_); }

    /// Whether a retired root is still read.
    bool retired_read() const noexcept { return log_.get() != nullptr && log_.get()->read(); }

    REGISTRY_IO_DETAIL_COLD void close(garbage_list& dead) noexcept
    {
        // A store that is edited in place is for one thread, and that thread may be inside.
        reclaim::assert_unread(
            [this] { return Store::in_place || !held() || inside<Env>(&store_); });
        if (log_.get() == nullptr && held()) {
            BOOST_TRY
            {
                prepare();
            }
            BOOST_CATCH(...)
            {
                return;  // leaks: a reader holds the root, and nothing can make that reader free it
            }
            BOOST_CATCH_END
        }
        Root* const old = current();
        store_.exchange(nullptr);
        retired* const log = log_.get();
        if (log == nullptr) {
            single_part<Root> late;
            if (old != nullptr) {
                late.attach(*old);
                dead.push(&old->as_garbage());
            }
            nesting_scope<Env> const nesting(&store_);
            dead.destroy_all();
            return;
        }
        typename retired::release r(log);
        log->replace(old, dead, r);
        log->close(r);
    }

private:
    /// State that exists from the second publication on, which is the first to replace a root.
    struct replacing : retired
    {
        replacing(Store& s, unsigned forks) noexcept : retired(&s, forks) {}
        REGISTRY_IO_NO_UNIQUE_ADDRESS single_part<Root> first{};
    };

    REGISTRY_IO_DETAIL_COLD void prepare_once()
    {
        replacing& l = log_.make(store_, forks_);
        if (Root* const root = current()) {
            l.first.attach(*root);
            root->belong(l);
        }
    }

    Store& store_;
    REGISTRY_IO_NO_UNIQUE_ADDRESS typename Env::mutex mutex_;
    unsigned const forks_;  // at construction
    registry_io::detail::on_demand<replacing, Source> log_;
};

/// A read that is counted in its root. Its nesting entry lets `would_deadlock` find it.
template <class Env>
class counted_read
{
public:
    counted_read(void const* owner, counted_root<Env>& r) noexcept : nesting_(owner), root_(r) {}
    counted_read(counted_read const&) = delete;
    counted_read& operator=(counted_read const&) = delete;
    ~counted_read() { root_.leave(); }

private:
    nesting_scope<Env> nesting_;
    counted_root<Env>& root_;
};

}  // namespace reclaim
}  // namespace v1
}  // namespace registry_io

#endif
