// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The writer of the snapshot policies whose readers count themselves in the root: `locked` and
// `single_thread`. No reader has to be looked for, so publication is an exchange of the root and an
// entry in the list of retired roots.

#ifndef REGISTRY_IO_RECLAIM_COUNTING_HPP
#define REGISTRY_IO_RECLAIM_COUNTING_HPP

#include <registry_io/detail/supported.hpp>

#include <cstdint>

#include <registry_io/reclaim/misuse.hpp>
#include <registry_io/reclaim/nesting.hpp>
#include <registry_io/reclaim/retired.hpp>

namespace registry_io {
inline namespace v1 {
namespace reclaim {

/// The writer of a store whose every reader counts itself in the root.
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
        explicit retirement(retired& log) noexcept : release_(log) {}

        typename retired::release release_;
        garbage_list dead_{};
        completion* wait_ = nullptr;
    };

    counting_writer(Store& s, Source const&) : store_(s), retired_(&s) {}

    typename Env::mutex& mutex() noexcept { return mutex_; }
    bool foreign() const noexcept { return false; }  // all state lies in the registry
    Root* current() const noexcept { return store_.get(); }

    bool exclusive() const noexcept
    {
        // Not while an older root is read either: it may share pieces with the current one.
        return Store::in_place && current() != nullptr && store_.unread(*current()) &&
            !retired_.read();
    }

    template <class NoMemory>
    retirement reserve(garbage_list const& dead, completion* wait, NoMemory)
    {
        retirement r(retired_);
        r.dead_ = dead;
        r.wait_ = wait;
        return r;
    }

    template <class Recycle>
    void publish(Root* next, retirement& r, Recycle recycle) noexcept
    {
        Root* const old = current();
        // As in hazard_pointer.
        if (retired_.forked() && !would_deadlock())
            retired_.follow_fork(old, 1, nullptr);
        Root* const replaced = next != old ? old : nullptr;
        if (next != old) {
            if (next != nullptr)
                next->belong(retired_);
            store_.exchange(next);
        }
        retired_.replace(replaced, r.dead_, r.release_);
        if (r.wait_ != nullptr)
            retired_.wait_for_all(*r.wait_);
        recycle(r.release_.free);
        r.release_.count();
    }

    bool held() const noexcept { return current() != nullptr && !store_.unread(*current()); }

    bool would_deadlock() const noexcept { return inside<Env>(&store_); }

    /// Whether a retired root is still read.
    bool retired_read() const noexcept { return retired_.read(); }

    REGISTRY_IO_DETAIL_COLD void close(garbage_list& dead) noexcept
    {
        // A store in place is for one thread, which may be inside.
        reclaim::assert_unread(
            [this] { return Store::in_place || !held() || inside<Env>(&store_); });
        typename retired::release r(retired_);
        Root* const old = current();
        store_.exchange(nullptr);
        retired_.replace(old, dead, r);
        retired_.close(r);
    }

private:
    Store& store_;
    typename Env::mutex mutex_{};
    retired retired_;
};

/// A read that has counted itself, and says so to `would_deadlock`.
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
