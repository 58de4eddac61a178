// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The words that a reader shares with the writers of an RCU domain: the slot in which a thread
// announces the epoch of its read, the mail that a writer leaves there, and the era that the mail
// names. A record holds the slots of one thread. Invariant: a slot has mail only for an era that
// counts its read.

#ifndef REGISTRY_IO_RECLAIM_RCU_RECORD_HPP
#define REGISTRY_IO_RECLAIM_RCU_RECORD_HPP

#include <registry_io/detail/supported.hpp>

#include <atomic>
#include <cstdint>

#include <registry_io/config.hpp>
#include <registry_io/reclaim/era.hpp>
#include <registry_io/reclaim/thread_domain.hpp>

namespace registry_io {
inline namespace v1 {
namespace reclaim {

/// An era of a whole domain. It drains when every reader that had announced an epoch before `epoch`
/// has left. Eras are never freed, only used again, so a reader may look at any era.
template <class Env>
struct REGISTRY_IO_EXPORT rcu_era : era<Env>
{
    typename Env::template atomic<std::uint64_t> epoch{0};
    rcu_era* newer = nullptr;
};

/// A slot: announces that a thread reads, and since which epoch. It refers to its words, since the
/// words of the fast path are separate variables.
template <class Env>
struct REGISTRY_IO_EXPORT rcu_words
{
    template <class T>
    using atomic = typename Env::template atomic<T>;
    using state_type = std::uint64_t;
    using era_type = rcu_era<Env>;

    static constexpr bool has_cell = false;
    static constexpr state_type cold = 0;  ///< the fast path must not use it
    static constexpr state_type idle = 1;

    atomic<state_type>& since;  ///< the epoch at the start of the read, or a state
    atomic<era_type*>& mail;    ///< the era that the reader must drop at the end of the read
    state_type& last;           ///< the last announced value of since; for the reader only

    bool reading() const noexcept { return since.load(std::memory_order_relaxed) > idle; }

    /// Takes the mail for the read that has just ended. Call it after since went idle. Mail for an
    /// earlier read stays: its era does not count this read, and the writer is about to revoke it.
    BOOST_NOINLINE static void take_mail(atomic<era_type*>& mail, state_type last) noexcept
    {
        // acquire: pairs with rcu.post. Without it, the epoch could be that of an earlier use of m.
        era_type* m = mail.load(std::memory_order_acquire);
        // [rcu.take] acquire: pairs with rcu.post. Without it, the drain could miss what the writer
        // put into the era.
        if (m != nullptr && last < m->epoch.load(std::memory_order_relaxed) &&
            mail.compare_exchange_strong(m, nullptr, std::memory_order_acq_rel,
                                         std::memory_order_relaxed))
            m->drop();
    }
};

/// The slot of the fast path. The parameter `Domain` gives each domain its own slot.
template <class Env, class Domain>
struct REGISTRY_IO_EXPORT rcu_slot : rcu_words<Env>
{
};

/// The slots of one thread in one RCU domain.
template <class Env>
struct alignas(128) REGISTRY_IO_EXPORT rcu_record : thread_record<rcu_record<Env>>
{
    using words = rcu_words<Env>;

    // For reads without the asymmetric fence, and while the thread exits.
    typename words::template atomic<std::uint64_t> slow_since{words::idle};
    typename words::template atomic<rcu_era<Env>*> slow_mail{nullptr};
    std::uint64_t slow_last = 0;

    /// Pointers to the words of the fast path, for other threads. `prepare` sets them.
    typename words::template atomic<std::uint64_t>* hot_since = nullptr;
    typename words::template atomic<rcu_era<Env>*>* hot_mail = nullptr;
    std::uint64_t* hot_last = nullptr;

    /// Called by the record's thread, before the record is attached.
    void prepare(words const& hot) noexcept
    {
        hot_since = &hot.since;
        hot_mail = &hot.mail;
        hot_last = &hot.last;
    }

    /// Called by the record's thread when it exits.
    void retire() noexcept { hot_since->store(words::cold, std::memory_order_relaxed); }

    bool reading() const noexcept
    {
        return this->linked &&
            (hot_since->load(std::memory_order_relaxed) > words::idle ||
             slow_since.load(std::memory_order_relaxed) > words::idle);
    }

    template <class F>
    void each_slot(F f)
    {
        f(words{*hot_since, *hot_mail, *hot_last});
        f(words{slow_since, slow_mail, slow_last});
    }
};

}  // namespace reclaim
}  // namespace v1
}  // namespace registry_io

#endif
