// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)

#ifndef REGISTRY_IO_RECLAIM_COUNTING_HPP
#define REGISTRY_IO_RECLAIM_COUNTING_HPP

#include <cstdint>

#include <boost/assert.hpp>

#include <registry_io/reclaim/era.hpp>

namespace registry_io {
inline namespace v1 {
namespace reclaim {

/// The writer of a store whose every reader counts itself in the root's era.
///
/// `Store` has `get()`, `exchange(root)`, `unread(root)` and `static constexpr bool in_place`.
template <class Env, class Root, class Store, class Source>
class counting_writer
{
    using retired = retired_roots<Env, Source>;

public:
    using root_header = era_root<Env>;
    using retirement = typename retired::retirement;
    using completion = reclaim::completion<Env>;

    counting_writer(Store& s, Source const& source) : store_(s), source_(source) {}

    typename Env::mutex& mutex() noexcept { return mutex_; }
    bool foreign() const noexcept { return false; }  // all state lies in the registry
    Root* current() const noexcept { return store_.get(); }

    bool exclusive() const noexcept
    {
        return Store::in_place && current() != nullptr && store_.unread(*current());
    }

    template <class NoMemory>
    retirement reserve(garbage_list const& dead, completion* wait, NoMemory no_memory)
    {
        return retired_.reserve(source_, &store_, dead, wait, no_memory);
    }

    void publish(Root* next, retirement& r) noexcept
    {
        Root* const old = current();
        if (next == old) {
            retired_.retire(nullptr, r);
            return;
        }
        if (next != nullptr)
            next->owner = &store_;
        store_.exchange(next);
        retired_.retire(old, r);
        if (old != nullptr)
            r.let_go(*old);
    }

    template <class F>
    void sweep(F f)
    {
        retired_.sweep([&](root_header& h) { f(static_cast<Root&>(h)); });
    }

    bool spans(std::uint64_t birth, std::uint64_t death) const noexcept
    {
        return retired_.spans(birth, death);
    }

    bool held() const noexcept { return current() != nullptr && !store_.unread(*current()); }

    bool would_deadlock() const noexcept { return inside<Env>(&store_); }

    /// Whether a retired root is still read.
    bool retired_read() const noexcept { return retired_.read(); }

    template <class F>
    void close(F f)
    {
        BOOST_ASSERT_MSG(!held(),
                         "registry_io: the registry is destroyed while a notify is running");
        for (root_header* h = retired_.abandon(); h != nullptr;) {
            root_header* const next = h->newer;
            f(static_cast<Root&>(*h));
            h = next;
        }
        if (Root* const root = current()) {
            store_.exchange(nullptr);
            f(*root);
        }
    }

private:
    Store& store_;
    typename Env::mutex mutex_;
    retired retired_;
    REGISTRY_IO_NO_UNIQUE_ADDRESS Source source_;
};

/// A read that has counted itself, and says so to `would_deadlock`.
template <class Env>
class counted_read
{
public:
    counted_read(void const* owner, era<Env>& e) noexcept : frame_(owner), era_(e) {}
    counted_read(counted_read const&) = delete;
    counted_read& operator=(counted_read const&) = delete;
    ~counted_read() { era_.drop(); }

private:
    frame_scope<Env> frame_;
    era<Env>& era_;
};

}  // namespace reclaim
}  // namespace v1
}  // namespace registry_io

#endif
