// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Memory for the frames of coroutines. By default frames are recycled: each thread keeps a list for
// each size, and threads exchange bundles of frames in a depot with a few places, so that a program
// allocates nothing after a warm-up. The depot uses places rather than a list, so that a child of
// `fork` finds each place either filled or empty. With a `frame_memory`, frames come from your own
// source. Invariant: the last word of a block says where its frame came from, and so where to
// return it.

#ifndef REGISTRY_IO_ASYNC_FRAMES_HPP
#define REGISTRY_IO_ASYNC_FRAMES_HPP

#include <registry_io/detail/supported.hpp>

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <utility>

#include <registry_io/config.hpp>
#include <registry_io/detail/raise.hpp>
#include <registry_io/thread/exit.hpp>

namespace registry_io {
inline namespace v1 {
namespace async {

/// The alignment of frames, and so of a coroutine's variables that require it.
/// Only clang with `-fcoro-aligned-allocation` passes the alignment of a frame to the allocation
/// function. With this option any alignment works. Without it, no variable of a coroutine may
/// require more than this alignment: the compiler refuses a parameter or result of a `task` that
/// does, but a local variable cannot be detected.
inline constexpr std::size_t frame_alignment = 64;

/// The source of coroutine frames, for programs that do not use the recycled heap.
///
/// `allocate` returns memory that is aligned for every fundamental type, or throws. A handler whose
/// frame it refuses has failed, and its siblings run. Memory with a weaker alignment than
/// `frame_alignment` is enough if no variable of the coroutines requires more. A frame may be
/// returned by a different thread than the one that allocated it. The object must outlive every
/// frame from it.
class frame_memory
{
public:
    /// Returns memory for a frame of `size` bytes.
    virtual void* allocate(std::size_t size) = 0;
    /// Takes back memory that `allocate(size)` has returned.
    virtual void deallocate(void* p, std::size_t size) noexcept = 0;

protected:
    ~frame_memory() = default;
};

/// A source of `Count` frames of at most `Bytes` bytes each, inside the object.
///
/// Sizes are rounded up to multiples of 64 bytes, of which one word says where the frame came from.
/// Thread-safe and lock-free. Throws `std::bad_alloc` if it is full or a frame is larger.
/// Precondition: destroyed after the frames.
template <std::size_t Bytes, std::size_t Count>
class fixed_frames final : public frame_memory
{
    static_assert(Count > 0 && Count <= 64, "registry_io: fixed_frames holds 1 to 64 frames");

public:
    fixed_frames() = default;
    fixed_frames(fixed_frames const&) = delete;
    fixed_frames& operator=(fixed_frames const&) = delete;

    /// Returns one of the free places.
    void* allocate(std::size_t size) override
    {
        // relaxed: checked again below.
        std::uint64_t used = used_.load(std::memory_order_relaxed);
        for (;;) {
            auto const at = static_cast<std::size_t>(std::countr_one(used));
            if (size > Bytes || at >= Count)
                registry_io::detail::raise(std::bad_alloc());
            // acquire: pairs with the release of deallocate. Without it, the new frame could race
            // with the last accesses to the previous one.
            if (used_.compare_exchange_weak(used, used | std::uint64_t(1) << at,
                                            std::memory_order_acquire, std::memory_order_relaxed))
                return places_[at].bytes;
        }
    }

    /// Frees a place.
    void deallocate(void* p, std::size_t) noexcept override
    {
        auto const at = static_cast<std::size_t>(static_cast<place*>(p) - places_);
        // release: pairs with the acquire of allocate.
        used_.fetch_and(~(std::uint64_t(1) << at), std::memory_order_release);
    }

    /// Returns the number of frames in use. Concurrency: safe; the number may be outdated when it
    /// is returned.
    std::size_t in_use() const noexcept
    {
        return static_cast<std::size_t>(std::popcount(used_.load(std::memory_order_relaxed)));
    }

private:
    struct place
    {
        alignas(frame_alignment) std::byte bytes[Bytes];
    };
    place places_[Count];
    std::atomic<std::uint64_t> used_{0};
};

namespace detail {

// Recycling would hide from the address sanitizer that a frame is used after its end.
#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool frames_recycled = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
inline constexpr bool frames_recycled = false;
#else
inline constexpr bool frames_recycled = true;
#endif
#else
inline constexpr bool frames_recycled = true;
#endif

/// A frame that is not in use.
struct idle_frame
{
    idle_frame* next;
};

/// The sizes of frames are multiples of this number of bytes.
inline constexpr std::size_t frame_unit = 64;
/// Frames of more units than this are not recycled.
inline constexpr std::size_t frame_sizes = 24;
/// A thread that has twice this number of frames of a size gives this number to the depot.
inline constexpr unsigned frame_bundle = 32;
/// The depot keeps at most this number of bundles of a size.
inline constexpr unsigned most_bundles = 64;

/// Passes surplus frames of some threads to others: if one thread starts handlers and another
/// thread ends them, the first would otherwise allocate frames for ever, and the second free them.
///
/// No lock, and no list whose links two threads change: a child of `fork` finds each place filled
/// or empty, whatever the other threads of its parent were doing.
class frame_depot
{
public:
    /// Takes a bundle; returns null if there is none.
    idle_frame* take(std::size_t size) noexcept
    {
        for (std::atomic<idle_frame*>& place : places_[size])
            // relaxed: only skips empty places. acquire: pairs with the release of give; without
            // it, the links of the bundle could be missed.
            if (place.load(std::memory_order_relaxed) != nullptr)
                if (idle_frame* const b = place.exchange(nullptr, std::memory_order_acquire))
                    return b;
        return nullptr;
    }

    /// Keeps a bundle; returns false if there are enough.
    bool give(std::size_t size, idle_frame* b) noexcept
    {
        for (std::atomic<idle_frame*>& place : places_[size]) {
            idle_frame* none = nullptr;
            // release: pairs with the acquire of take, which reads the links of the bundle.
            if (place.load(std::memory_order_relaxed) == nullptr &&
                place.compare_exchange_strong(none, b, std::memory_order_release,
                                              std::memory_order_relaxed))
                return true;
        }
        return false;
    }

private:
    std::atomic<idle_frame*> places_[frame_sizes][most_bundles] = {};
};

/// The frames that a thread keeps. Trivially destructible, because a destructor would cost each
/// access a call; an exit hook frees the frames.
struct frame_cache
{
    struct shelf
    {
        idle_frame* first = nullptr;
        unsigned count = 0;
    };

    /// The current source of frames; null for the recycled heap.
    frame_memory* memory = nullptr;
    shelf shelves[frame_sizes] = {};
    thread_exit::link on_exit{};
    bool armed = false;   ///< this thread is registered with the exit hook
    bool closed = false;  ///< the thread is exiting: no frames are kept
};

inline void* new_frame(std::size_t block)
{
    return ::operator new(block, std::align_val_t(frame_alignment));
}

inline void delete_frame(void* p) noexcept
{
    ::operator delete(p, std::align_val_t(frame_alignment));
}

inline void free_frames(idle_frame* f) noexcept
{
    while (f != nullptr)
        delete_frame(std::exchange(f, f->next));
}

/// The exit hook.
inline void close_frame_cache(void* p)
{
    auto* const cache = static_cast<frame_cache*>(p);
    cache->closed = true;
    cache->armed = false;
    for (frame_cache::shelf& s : cache->shelves) {
        s.count = 0;
        free_frames(std::exchange(s.first, nullptr));
    }
}

struct frame_exit_hook : thread_exit::hook
{
    bool const created = create(&close_frame_cache);
};

template <class Unused = void>
struct REGISTRY_IO_EXPORT frame_statics
{
    REGISTRY_IO_EXPORT static inline constinit frame_depot depot{};
    REGISTRY_IO_EXPORT REGISTRY_IO_HOT_TLS static inline constinit thread_local frame_cache cache{};
    // Initialized when the program or the library is loaded, not by the first use: a child of fork
    // would wait for ever for a thread that was just initializing it. Until then, `created` is
    // false.
    REGISTRY_IO_EXPORT static inline frame_exit_hook exit_hook{};
};

/// Registers this thread with the exit hook. A thread whose exit cannot be observed would leak the
/// frames that it keeps, so it keeps none.
inline bool arm_frame_cache(frame_cache& cache) noexcept
{
    if (cache.armed)
        return true;
    frame_exit_hook& h = frame_statics<>::exit_hook;
    cache.armed = h.created && h.arm(&cache, cache.on_exit);
    return cache.armed;
}

/// Stores in the last word of a frame's block where the block came from.
inline void note_frame_memory(void* p, std::size_t block, frame_memory* m) noexcept
{
    std::memcpy(static_cast<std::byte*>(p) + block - sizeof(m), static_cast<void const*>(&m),
                sizeof(m));
}

/// Called if the shelf is empty, or there is none for this size.
BOOST_NOINLINE inline void* allocate_frame_slow(frame_cache& cache, std::size_t block)
{
    std::size_t const size = block / frame_unit - 1;
    if (frame_memory* const m = cache.memory) {
        void* const p = m->allocate(block);
        note_frame_memory(p, block, m);
        return p;
    }
    void* p = nullptr;
    if (frames_recycled && size < frame_sizes && !cache.closed && arm_frame_cache(cache))
        if (idle_frame* const b = frame_statics<>::depot.take(size)) {
            cache.shelves[size].first = b->next;
            cache.shelves[size].count = frame_bundle - 1;
            p = b;
        }
    if (p == nullptr)
        p = new_frame(block);
    note_frame_memory(p, block, nullptr);
    return p;
}

/// Returns memory for a frame of `size` bytes.
inline void* allocate_frame(std::size_t size)
{
    std::size_t const block = (size + sizeof(frame_memory*) + frame_unit - 1) & ~(frame_unit - 1);
    frame_cache& cache = frame_statics<>::cache;
    if (block <= frame_sizes * frame_unit && cache.memory == nullptr) [[likely]] {
        frame_cache::shelf& s = cache.shelves[block / frame_unit - 1];
        if (idle_frame* const f = s.first) [[likely]] {
            s.first = f->next;
            --s.count;
            return f;  // its last word is still null
        }
    }
    return allocate_frame_slow(cache, block);
}

/// Returns memory for a frame with an alignment that the compiler requires.
inline void* allocate_frame(std::size_t size, std::align_val_t alignment)
{
    auto const a = static_cast<std::size_t>(alignment);
    if (a <= frame_alignment)
        return allocate_frame(size);
    // Over-allocates, since frame memory supports no other alignment. The original address is
    // stored after the frame.
    void* const p = allocate_frame(size + a + sizeof(p));
    auto const n = reinterpret_cast<std::uintptr_t>(p);
    auto* const frame = static_cast<std::byte*>(p) + ((n + a - 1) / a * a - n);
    std::memcpy(frame + size, static_cast<void const*>(&p), sizeof(p));
    return frame;
}

/// Called if the shelf is full, or there is none for this size, or the frame came from another
/// source.
BOOST_NOINLINE inline void deallocate_frame_slow(frame_cache& cache, void* p,
                                                 std::size_t block) noexcept
{
    frame_memory* m = nullptr;
    std::memcpy(static_cast<void*>(&m), static_cast<std::byte*>(p) + block - sizeof(m), sizeof(m));
    if (m != nullptr) {
        m->deallocate(p, block);
        return;
    }
    std::size_t const size = block / frame_unit - 1;
    if (!frames_recycled || size >= frame_sizes || cache.closed || !arm_frame_cache(cache)) {
        delete_frame(p);
        return;
    }
    frame_cache::shelf& s = cache.shelves[size];
    if (s.count >= 2 * frame_bundle) {
        idle_frame* const bundle = s.first;
        idle_frame* last = bundle;
        for (unsigned i = 1; i < frame_bundle; ++i)
            last = last->next;
        s.first = std::exchange(last->next, nullptr);
        s.count -= frame_bundle;
        if (!frame_statics<>::depot.give(size, bundle))
            free_frames(bundle);
    }
    s.first = ::new (p) idle_frame{s.first};
    ++s.count;
}

/// Returns memory that `allocate_frame(size)` has returned, on any thread.
inline void deallocate_frame(void* p, std::size_t size) noexcept
{
    std::size_t const block = (size + sizeof(frame_memory*) + frame_unit - 1) & ~(frame_unit - 1);
    frame_cache& cache = frame_statics<>::cache;
    frame_memory* m = nullptr;
    std::memcpy(static_cast<void*>(&m), static_cast<std::byte*>(p) + block - sizeof(m), sizeof(m));
    if (frames_recycled && m == nullptr && block <= frame_sizes * frame_unit && cache.armed)
        [[likely]] {
        frame_cache::shelf& s = cache.shelves[block / frame_unit - 1];
        if (s.count < 2 * frame_bundle) [[likely]] {
            auto* const f = static_cast<idle_frame*>(p);
            f->next = s.first;
            s.first = f;
            ++s.count;
            return;
        }
    }
    deallocate_frame_slow(cache, p, block);
}

/// Returns memory that `allocate_frame(size, alignment)` has returned.
inline void deallocate_frame(void* frame, std::size_t size, std::align_val_t alignment) noexcept
{
    auto const a = static_cast<std::size_t>(alignment);
    if (a <= frame_alignment)
        return deallocate_frame(frame, size);
    void* p = nullptr;
    std::memcpy(static_cast<void*>(&p), static_cast<std::byte*>(frame) + size, sizeof(p));
    deallocate_frame(p, size + a + sizeof(p));
}

/// For the promises of detached coroutines: their frames never come from a `frame_memory`, which
/// may be destroyed before they are.
struct recycled_frame
{
    static void* operator new(std::size_t size)
    {
        without_memory const here;
        return allocate_frame(size);
    }
    static void operator delete(void* p, std::size_t size) noexcept { deallocate_frame(p, size); }
    // With -fcoro-aligned-allocation.
    static void* operator new(std::size_t size, std::align_val_t alignment)
    {
        without_memory const here;
        return allocate_frame(size, alignment);
    }
    static void operator delete(void* p, std::size_t size, std::align_val_t alignment) noexcept
    {
        deallocate_frame(p, size, alignment);
    }

private:
    class without_memory
    {
    public:
        without_memory() noexcept : memory_(std::exchange(frame_statics<>::cache.memory, nullptr))
        {
        }
        without_memory(without_memory const&) = delete;
        without_memory& operator=(without_memory const&) = delete;
        ~without_memory() { frame_statics<>::cache.memory = memory_; }

    private:
        frame_memory* memory_;
    };
};

}  // namespace detail
}  // namespace async
}  // namespace v1
}  // namespace registry_io

#endif
