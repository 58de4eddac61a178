// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The smallest policy of each axis. Copy one to begin a policy of your own. The core is tested with
// all four archetypes, so it asks nothing of a policy that its concept does not say.

#ifndef REGISTRY_IO_ARCHETYPE_HPP
#define REGISTRY_IO_ARCHETYPE_HPP

#include <registry_io/detail/supported.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <new>
#include <utility>

#include <registry_io/policy.hpp>

namespace registry_io {
inline namespace v1 {

/// The smallest policy of each axis: it has the members that its concept in `policy.hpp` requires,
/// and no others. A registry with all four works, for one thread. Copy them to begin your own
/// policies. The tests use them to prove that the core requires nothing else.
namespace archetype {

/// Memory from `operator new`.
struct alloc
{
    using category = axis::alloc;
    static constexpr std::size_t capacity = 0;
    static constexpr bool inside = false;
    static constexpr bool concurrent = true;

    /// Copyable; neither assignable nor default-constructible.
    class source
    {
    public:
        source(source const&) = default;
        source& operator=(source const&) = delete;

        void* allocate(std::size_t size, std::size_t align)
        {
            return ::operator new(size, std::align_val_t(align));
        }
        void deallocate(void* p, std::size_t, std::size_t align) noexcept
        {
            ::operator delete(p, std::align_val_t(align));
        }

    private:
        friend struct alloc;
        source() noexcept = default;
    };

    source get_source() noexcept { return source(); }
};

/// Handlers fire by rank, the smallest first.
struct ordering
{
    using category = axis::ordering;

    /// Copyable. It has no comparison and no default, so each registration must give a rank.
    class key_type
    {
    public:
        explicit key_type(int rank) noexcept : rank_(rank) {}

    private:
        friend struct ordering;
        int rank_;
    };

    bool before(key_type const& a, key_type const& b) const { return a.rank_ < b.rank_; }
};

/// The first exception leaves notify at once; siblings that follow do not run.
struct panic
{
    using category = axis::panic;
    static constexpr bool isolates = false;
    static constexpr bool reports = false;
    static constexpr bool logs = false;
    using result_type = void;
    struct handler_state
    {
    };

    template <class Notify>
    class scope
    {
    public:
        explicit scope(Notify const&) noexcept {}
        scope(scope const&) = delete;
        scope& operator=(scope const&) = delete;

        template <class Call, class Handler>
        verdict invoke(Call const& call, Handler const&)
        {
            call();
            return verdict::keep;
        }
        void finish() {}
    };

    [[noreturn]] static void fatal(char const*) noexcept { std::terminate(); }
};

/// For one thread. It keeps everything that writers take out until no read is in progress. That is
/// simple and correct, but a long read keeps more memory than necessary.
struct snapshot
{
    using category = axis::snapshot;
    static constexpr bool concurrent = false;

    struct root_header : garbage
    {
        root_header() noexcept : garbage(nullptr) {}
    };

    template <class Root>
    class store
    {
    public:
        store() noexcept = default;
        store(store const&) = delete;
        store& operator=(store const&) = delete;

        template <class F>
        void read(F f) const
        {
            if (root_ == nullptr)
                return;
            inside const scope(*this);
            // The analyzer does not see that the destructor of the outermost object resets this.
            // NOLINTNEXTLINE(clang-analyzer-core.StackAddressEscape)
            f(*root_);
        }

        template <class Source>
        class writer;

    private:
        /// A read, or a destruction. The outermost one keeps the garbage that is taken out
        /// meanwhile. The store does not, since a handler or a destructor may destroy the registry.
        class inside
        {
        public:
            explicit inside(store const& s) noexcept
            {
                if (s.outermost_ != nullptr)
                    return;
                store_ = &s;
                s.outermost_ = this;
            }
            inside(inside const&) = delete;
            inside& operator=(inside const&) = delete;
            ~inside()
            {
                // Destructors may leave more garbage.
                while (!left_behind.empty())
                    left_behind.destroy_all();
                if (store_ != nullptr)
                    store_->outermost_ = nullptr;
            }

            garbage_list left_behind;
            void forget_store() noexcept { store_ = nullptr; }

        private:
            store const* store_ = nullptr;  ///< null if another object is the outermost
        };

        Root* root_ = nullptr;
        mutable inside* outermost_ = nullptr;
    };
};

template <class Root>
template <class Source>
class snapshot::store<Root>::writer
{
public:
    struct mutex_type
    {
        void lock() noexcept {}
        void unlock() noexcept {}
    };

    /// No read is in progress while the only thread waits, so `wait` returns at once.
    struct completion
    {
        completion() noexcept = default;
        completion(completion const&) = delete;
        completion& operator=(completion const&) = delete;
        void wait() noexcept {}
    };

    class retirement
    {
    public:
        retirement(retirement&& other) noexcept
            : store_(other.store_), dead_(std::exchange(other.dead_, {}))
        {
        }
        retirement& operator=(retirement&&) = delete;

        void finish() noexcept
        {
            inside scope(store_);
            dead_.destroy_all();
        }
        bool idle() const noexcept { return dead_.empty(); }

    private:
        friend class writer;
        retirement(store const& s, garbage_list const& dead) noexcept : store_(s), dead_(dead) {}

        store const& store_;
        garbage_list dead_;
    };

    writer(store& s, Source const&) noexcept : store_(s) {}
    writer(writer const&) = delete;
    writer& operator=(writer const&) = delete;

    mutex_type& mutex() noexcept { return mutex_; }
    bool foreign() const noexcept { return false; }
    Root* current() const noexcept { return store_.root_; }
    bool exclusive() const noexcept { return false; }

    template <class Fail>
    retirement reserve(garbage_list const& dead, completion*, Fail)
    {
        return retirement(store_, dead);
    }

    template <class Recycle>
    void publish(Root* next, retirement& r, Recycle recycle) noexcept
    {
        Root* const old = std::exchange(store_.root_, next);
        if (old != nullptr && old != next)
            r.dead_.push(old);
        if (store_.outermost_ != nullptr)
            store_.outermost_->left_behind.append(r.dead_);
        else
            recycle(r.dead_);
    }

    bool held() const noexcept { return false; }
    bool would_deadlock() const noexcept { return store_.outermost_ != nullptr; }

    void close(garbage_list& dead) noexcept
    {
        if (Root* const root = std::exchange(store_.root_, nullptr))
            dead.push(root);
        if (store_.outermost_ == nullptr)
            return dead.destroy_all();
        store_.outermost_->left_behind.append(dead);
        store_.outermost_->forget_store();
    }

private:
    store& store_;
    mutex_type mutex_;
};

}  // namespace archetype

}  // namespace v1
}  // namespace registry_io

#endif
