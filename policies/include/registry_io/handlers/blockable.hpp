// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// `blockable(count, f)`: a handler that does not run while its count has blocks, and stays
// registered meanwhile. Use it to mute handlers for a scope without changing the order in which
// they run.

#ifndef REGISTRY_IO_HANDLERS_BLOCKABLE_HPP
#define REGISTRY_IO_HANDLERS_BLOCKABLE_HPP

#include <registry_io/detail/supported.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

#include <boost/assert.hpp>

#include <registry_io/detail/wrapper.hpp>

namespace registry_io {
inline namespace v1 {

/// Counts the blocks of the handlers that were made `blockable` with it.
///
/// Copies share the count. The count lives as long as a copy, a guard or a handler uses it.
/// Concurrency: safe, also on the same object, except for assignment.
class block_count
{
public:
    /// Creates a count of zero. Throws `std::bad_alloc`: one allocation.
    block_count() : blocks_(std::make_shared<std::atomic<std::uint32_t>>(0)) {}

    /// Shares the count.
    block_count(block_count const&) =
        default;  // not movable: a moved-from count would have no number
    /// Shares the count.
    block_count& operator=(block_count const&) = default;

    /// Adds a block. The handlers do not run from their next call on. Does not wait for a call that
    /// is running.
    // relaxed: calls that happen after this one must see the block; a call at the same time may
    // run.
    void block() const noexcept { blocks_->fetch_add(1, std::memory_order_relaxed); }

    /// Removes a block. The handlers run again when no block is left. Precondition: there is one.
    void unblock() const noexcept { unblock(*blocks_); }

    /// Returns whether there is a block.
    bool blocked() const noexcept
    {
        return blocks_->load(std::memory_order_acquire) != 0;  // pairs with unblock
    }

private:
    friend class block_guard;
    using number = std::atomic<std::uint32_t>;

    static void unblock(number& n) noexcept
    {
        // release: pairs with the acquire in blocked(). Without it, a handler that runs again might
        // not see what this thread has written while the handler was blocked.
        [[maybe_unused]] std::uint32_t const before = n.fetch_sub(1, std::memory_order_release);
        BOOST_ASSERT_MSG(before != 0, "registry_io: unblock() was called more often than block()");
    }

    std::shared_ptr<number> blocks_{};
};

/// Blocks handlers for as long as it lives; move-only.
class [[nodiscard]] block_guard
{
public:
    /// Blocks nothing.
    block_guard() noexcept = default;

    /// Adds a block.
    explicit block_guard(block_count const& count) noexcept : blocks_(count.blocks_)
    {
        count.block();
    }

    /// Takes over the block of `other`.
    block_guard(block_guard&& other) noexcept = default;
    /// Takes over the block of `other`, and removes its own.
    block_guard& operator=(block_guard&& other) noexcept
    {
        block_guard before(std::move(other));
        blocks_.swap(before.blocks_);
        return *this;
    }

    /// Removes the block.
    ~block_guard() { unblock(); }

    /// Removes the block now. Afterwards the guard holds none.
    void unblock() noexcept
    {
        if (auto const blocks = std::exchange(blocks_, nullptr))
            block_count::unblock(*blocks);
    }

    /// Returns whether the guard holds a block.
    explicit operator bool() const noexcept { return blocks_ != nullptr; }

private:
    std::shared_ptr<block_count::number> blocks_{};
};

/// A handler that can be blocked; see `blockable`.
template <class F>
class blockable_handler : public detail::wrapper<blockable_handler<F>, F>
{
    using base = detail::wrapper<blockable_handler, F>;
    friend base;

public:
    /// Throws what moving or copying `f` throws.
    template <class G>
    blockable_handler(std::in_place_t, block_count const& count, G&& f)
        : base(std::in_place, std::forward<G>(f)), count_(count)
    {
    }

private:
    template <class G, class... Args>
    static auto run(blockable_handler const& self, G& f, Args const&... args)
        -> detail::wrapper_result_t<G&, Args const&...>
    {
        if (self.count_.blocked())
            return detail::skipped<detail::wrapper_result_t<G&, Args const&...>>();
        return detail::call_handler(f, args...);
    }

    block_count count_;
};

/// Makes a handler that does not run while `count` has blocks.
///
/// Any number of handlers, of any registries, may share a count. A blocked handler misses the
/// events; it stays registered in its place. Blocks are counted: with two `block_guard`s, the
/// handler runs again after both have been destroyed. The next call of the handler sees a block,
/// also in a notify that is running; blocking does not wait for a call that is running.
///
/// Order of wrappers: `blockable(count, once(f))` keeps its single run while it is blocked;
/// `once(blockable(count, f))` uses it up. Throws what moving `f` throws. Costs 16 bytes in the
/// handler's block, and a load and a branch per call.
template <class F>
[[nodiscard]] blockable_handler<std::decay_t<F>> blockable(block_count const& count, F&& f)
{
    return blockable_handler<std::decay_t<F>>(std::in_place, count, std::forward<F>(f));
}

}  // namespace v1
}  // namespace registry_io

#endif
