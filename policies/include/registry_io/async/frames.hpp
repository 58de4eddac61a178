// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Memory for the frames of coroutines. By default frames are recycled: each thread keeps a list for
// each size, and threads exchange bundles of frames in a depot of a few places, so that a program
// allocates nothing once it is warm. The depot has places and no list, so that a child of `fork`
// finds each place filled or empty. With a `frame_memory` frames come from where you say.
// Invariant: the last word of a block says where its frame came from, and so where it goes back.

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

#include <boost/throw_exception.hpp>

#include <registry_io/config.hpp>
#include <registry_io/thread/exit.hpp>

namespace registry_io {
inline namespace v1 {
namespace async {

/// Frames are aligned to so many bytes, and so are variables of a coroutine that ask for it.
///
/// A compiler tells an allocation how its frame has to be aligned only if it is clang and has
/// `-fcoro-aligned-allocation`. With this option any alignment is right. Without it a variable of a
/// coroutine must not ask for more than this: a parameter or result of a `task` that does is
/// refused by the compiler, a local variable cannot be recognised.
inline constexpr std::size_t frame_alignment = 64;

/// Where the frames of coroutines come from, for those who do not want the recycled heap.
///
/// `allocate` returns memory that is aligned for every fundamental type, or throws; a handler whose
/// frame it refuses has failed, and its siblings run. Memory with a weaker alignment than
/// `frame_alignment` is enough if no variable of the coroutines asks for more. A frame may be given
/// back by another thread than the one that took it. The object must outlive every frame from it.
class frame_memory
{
public:
    /// Memory for a frame of so many bytes.
    virtual void* allocate(std::size_t size) = 0;
    /// Takes back what `allocate(size)` gave.
    virtual void deallocate(void* p, std::size_t size) noexcept = 0;

protected:
    ~frame_memory() = default;
};

/// Room for `Count` frames of at most `Bytes` bytes each, inside the object.
///
/// Sizes are rounded up to multiples of 64 bytes, one word of which tells whose frame it is. Safe
/// for use by several threads, lock-free. Throws `std::bad_alloc` when it is full or a frame is
/// larger. Precondition: destroyed after the frames.
template <std::size_t Bytes, std::size_t Count>
class fixed_frames final : public frame_memory
{
    static_assert(Count > 0 && Count <= 64, "registry_io: fixed_frames holds 1 to 64 frames");

public:
    fixed_frames() = default;
    fixed_frames(fixed_frames const&) = delete;
    fixed_frames& operator=(fixed_frames const&) = delete;

    /// One of the places that are free.
    void* allocate(std::size_t size) override
    {
        // relaxed: looked at again below.
        std::uint64_t used = used_.load(std::memory_order_relaxed);
        for (;;) {
            auto const at = static_cast<std::size_t>(std::countr_one(used));
            if (size > Bytes || at >= Count)
                boost::throw_exception(std::bad_alloc(), BOOST_CURRENT_LOCATION);
            // acquire: what the previous owner of the place did with it comes before our use.
            if (used_.compare_exchange_weak(used, used | std::uint64_t(1) << at,
                                            std::memory_order_acquire, std::memory_order_relaxed))
                return places_[at].bytes;
        }
    }

    /// Makes a place free again.
    void deallocate(void* p, std::size_t) noexcept override
    {
        auto const at = static_cast<std::size_t>(static_cast<place*>(p) - places_);
        // release: pairs with the acquire above.
        used_.fetch_and(~(std::uint64_t(1) << at), std::memory_order_release);
    }

    /// How many frames there are now. Concurrency: as exact as such a number can be.
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

// A sanitizer wants to see a frame that is used after its end, which recycling would hide.
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

/// Frames come in sizes of so many bytes and multiples of it.
inline constexpr std::size_t frame_unit = 64;
/// Those of more units are not kept.
inline constexpr std::size_t frame_sizes = 24;
/// A thread that has twice as many of a size hands so many over to the others.
inline constexpr unsigned frame_bundle = 32;
/// So many bundles of a size are kept for other threads.
inline constexpr unsigned most_bundles = 64;

/// What threads have too much of, for those that have too little: where one thread starts handlers
/// and another thread ends them, the first would otherwise allocate frames for ever, and the second
/// free them.
///
/// No lock, and no list whose links two threads change: a child of `fork` finds each place filled
/// or empty, whatever the other threads of its parent were doing.
class frame_depot
{
public:
    /// Takes a bundle; null when there is none.
    idle_frame* take(std::size_t size) noexcept
    {
        for (std::atomic<idle_frame*>& place : places_[size])
            // relaxed: a look, to leave empty places alone. acquire: the links of the bundle.
            if (place.load(std::memory_order_relaxed) != nullptr)
                if (idle_frame* const b = place.exchange(nullptr, std::memory_order_acquire))
                    return b;
        return nullptr;
    }

    /// Keeps a bundle; false when there are enough.
    bool give(std::size_t size, idle_frame* b) noexcept
    {
        for (std::atomic<idle_frame*>& place : places_[size]) {
            idle_frame* none = nullptr;
            // release: the links of the bundle.
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

/// What a thread keeps. Trivially destructible, since a destructor would cost each access a call;
/// the frames are given back by an exit hook.
struct frame_cache
{
    struct shelf
    {
        idle_frame* first = nullptr;
        unsigned count = 0;
    };

    /// Where frames come from now; null for the recycled heap.
    frame_memory* memory = nullptr;
    shelf shelves[frame_sizes] = {};
    thread_exit::link on_exit{};
    bool armed = false;   ///< the exit hook knows of this thread
    bool closed = false;  ///< the thread is exiting: nothing is kept any more
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
    // Made when the program or the library is loaded, not by the first use: a child of fork would
    // wait for ever for a thread that was in the middle of it. Before that it says that there is
    // none.
    REGISTRY_IO_EXPORT static inline frame_exit_hook exit_hook{};
};

/// Lets the exit hook know of this thread. A thread that cannot be told of its exit would leave
/// behind what it keeps, so it keeps nothing.
inline bool arm_frame_cache(frame_cache& cache) noexcept
{
    if (cache.armed)
        return true;
    frame_exit_hook& h = frame_statics<>::exit_hook;
    cache.armed = h.created && h.arm(&cache, cache.on_exit);
    return cache.armed;
}

/// Where the last word of a frame's block says whence it came.
inline void note_frame_memory(void* p, std::size_t block, frame_memory* m) noexcept
{
    std::memcpy(static_cast<std::byte*>(p) + block - sizeof(m), static_cast<void const*>(&m),
                sizeof(m));
}

/// The shelf was empty, or there is none for this size.
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

/// Memory for a frame of `size` bytes.
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

/// The same, with an alignment that the compiler asks for.
inline void* allocate_frame(std::size_t size, std::align_val_t alignment)
{
    auto const a = static_cast<std::size_t>(alignment);
    if (a <= frame_alignment)
        return allocate_frame(size);
    // Anywhere, since frame memory knows of no other alignment. Where it began stands behind it.
    void* const p = allocate_frame(size + a + sizeof(p));
    auto const n = reinterpret_cast<std::uintptr_t>(p);
    auto* const frame = static_cast<std::byte*>(p) + ((n + a - 1) / a * a - n);
    std::memcpy(frame + size, static_cast<void const*>(&p), sizeof(p));
    return frame;
}

/// The shelf is full, or there is none for this size, or the frame is somebody else's.
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

/// Gives back what `allocate_frame(size)` gave, on any thread.
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

/// Gives back what `allocate_frame(size, alignment)` gave.
inline void deallocate_frame(void* frame, std::size_t size, std::align_val_t alignment) noexcept
{
    auto const a = static_cast<std::size_t>(alignment);
    if (a <= frame_alignment)
        return deallocate_frame(frame, size);
    void* p = nullptr;
    std::memcpy(static_cast<void*>(&p), static_cast<std::byte*>(frame) + size, sizeof(p));
    deallocate_frame(p, size + a + sizeof(p));
}

/// For promises of coroutines that run by themselves: their frames are never from a `frame_memory`,
/// which may go before they do.
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
