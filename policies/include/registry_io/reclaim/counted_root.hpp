// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The base of the roots of all snapshot policies except `rcu`: a count of holders, and the part
// that a replaced root needs. Invariant: a root is freed once, by the holder that brings the count
// to zero.

#ifndef REGISTRY_IO_RECLAIM_COUNTED_ROOT_HPP
#define REGISTRY_IO_RECLAIM_COUNTED_ROOT_HPP

#include <registry_io/detail/supported.hpp>

#include <atomic>
#include <cstdint>

#include <registry_io/garbage.hpp>
#include <registry_io/reclaim/birth_heap.hpp>

namespace registry_io {
inline namespace v1 {
namespace reclaim {

template <class Env>
class retired_roots;

/// The base of a root that counts its readers: all of them, or only the readers that a writer has
/// asked to report when they leave.
///
/// The count covers the owner and each of these readers. The owner is the registry while the root
/// is current, then the list of retired roots. The holder that brings the count to zero frees what
/// only this root kept alive ("last reader out"): no later operation is needed, and no reader waits
/// for another.
template <class Env>
class counted_root
{
    template <class T>
    using atomic = typename Env::template atomic<T>;

public:
    counted_root() noexcept = default;

    /// The state that a root needs when it is replaced, and the garbage that it is then: see
    /// `has_late_part`.
    struct late_part : garbage
    {
        late_part() noexcept : garbage(nullptr) {}

        counted_root* root = nullptr;
        retired_roots<Env>* log = nullptr;
        // Under the lock of the list.
        counted_root* older = nullptr;
        counted_root* newer = nullptr;
        bool lost = false;             ///< held only by threads that do not exist since a fork
        std::uint64_t entered = 0;     ///< when it entered the list
        garbage_list own{};            ///< garbage of the change that replaced this root
        birth_heap passed{};           ///< garbage that newer roots passed on when they were freed
        counted_root* left = nullptr;  ///< for a `left_stack`
    };

    /// Sets the late part. Call it before `belong`.
    void attach(late_part& late) noexcept
    {
        late.root = this;
        late_ = &late;
    }
    bool attached() const noexcept { return late_ != nullptr; }

    /// The garbage that this root becomes. Precondition: the late part is attached.
    garbage& as_garbage() const noexcept { return *late_; }
    /// The root behind this one in a list of roots; null for the last one.
    counted_root* next() const noexcept
    {
        return late_->next == nullptr ? nullptr : &of(*late_->next);
    }
    /// The root that `g` stands for.
    static counted_root& of(garbage& g) noexcept { return *static_cast<late_part&>(g).root; }

    /// For a `left_stack`.
    counted_root*& next_left() noexcept { return late_->left; }

    /// Adds a holder that may outlast the reading thread's read: a suspended coroutine.
    /// Precondition: another holder stays for the duration of this call. Constant, wait-free.
    // relaxed: an increment publishes nothing.
    void hold() noexcept
    {
        pins_.fetch_add(1, std::memory_order_relaxed);
        enter();
    }

    /// Drops what `hold` added, on any thread. May run destructors of captures.
    void drop() noexcept
    {
        // Before the count: a child of `fork` counts only the pins.
        pins_.fetch_sub(1, std::memory_order_relaxed);
        leave();
    }

    /// Adds a reader. Precondition: another holder stays for the duration of this call. relaxed: as
    /// in `hold`.
    void enter() noexcept { count_.fetch_add(1, std::memory_order_relaxed); }

    /// Drops a holder. The last one drains, which runs destructors of captures, or leaves that to
    /// the writers.
    void leave() noexcept
    {
        if (let_go())
            late_->log->last_reader_left(*this);
    }

    /// Drops a holder. Precondition: it is not the last one.
    void leave_early() noexcept { let_go(); }

    /// Returns the number of holders, the owner included. acquire: pairs with let_go. A caller that
    /// sees the last reader gone may edit or free what that reader read.
    std::uint32_t holders() const noexcept { return count_.load(std::memory_order_acquire); }

    /// Whether `hold` has pinned the root.
    bool pinned() const noexcept { return pins_.load(std::memory_order_relaxed) != 0; }

    /// For `left_stack`: see `retired_roots::drain`.
    void drain() noexcept { late_->log->drain(*this); }

    /// Sets the list of retired roots that this root will enter. Call it before the root is
    /// published.
    void belong(retired_roots<Env>& log) noexcept { late_->log = &log; }

private:
    friend class retired_roots<Env>;

    bool let_go() noexcept
    {
        // [era.let_go] release: this holder's reads come before the destruction. acquire: pairs
        // with the releases of all other holders. Without either, a read could race with the
        // destruction.
        return count_.fetch_sub(1, std::memory_order_acq_rel) == 1;
    }

    atomic<std::uint32_t> count_{1};
    atomic<std::uint32_t> pins_{0};
    late_part* late_ = nullptr;
};

}  // namespace reclaim
}  // namespace v1
}  // namespace registry_io

#endif
