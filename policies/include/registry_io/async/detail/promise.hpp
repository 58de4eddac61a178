// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The promise of a task. It passes the task's context to awaited operands of this library, keeps
// the thread's list of active contexts up to date around each suspension, and decides at the end
// what is resumed. A handler that never waits stores its outcome in a `finish_record` on its
// caller's stack, and its frame is freed at once. Otherwise the end and `call_at_end` both exchange
// `state_`: the second of the two sees the first. Invariant: what follows the end happens exactly
// once.

#ifndef REGISTRY_IO_ASYNC_DETAIL_PROMISE_HPP
#define REGISTRY_IO_ASYNC_DETAIL_PROMISE_HPP

#include <registry_io/detail/supported.hpp>

#include <atomic>
#include <concepts>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>

#include <boost/core/no_exceptions_support.hpp>

#include <registry_io/async/awaitable.hpp>
#include <registry_io/async/environment.hpp>
#include <registry_io/async/frames.hpp>
#include <registry_io/handler_id.hpp>

namespace registry_io {
inline namespace v1 {
namespace async {

namespace detail {

/// The outcome of a handler that ends without ever having waited.
struct finish_record
{
    bool done = false;
    std::exception_ptr exception = nullptr;
};

/// The part of a task that does not depend on its result.
class promise_base
{
public:
    /// Called when a task that has waited ends; returns the coroutine to resume.
    using on_end = std::coroutine_handle<> (*)(promise_base&) noexcept;

    enum class state : unsigned char { running, awaited, done };

    promise_base() noexcept {}
    promise_base(promise_base const&) = delete;
    promise_base& operator=(promise_base const&) = delete;

    static void* operator new(std::size_t size) { return allocate_frame(size); }
    static void operator delete(void* p, std::size_t size) noexcept { deallocate_frame(p, size); }
    // With -fcoro-aligned-allocation.
    static void* operator new(std::size_t size, std::align_val_t alignment)
    {
        return allocate_frame(size, alignment);
    }
    static void operator delete(void* p, std::size_t size, std::align_val_t alignment) noexcept
    {
        deallocate_frame(p, size, alignment);
    }

    std::suspend_always initial_suspend() const noexcept { return {}; }

    /// The end of the coroutine. A handler that has never waited informs the code that runs it,
    /// which destroys the frame at once. Any other frame stays for the coroutine that awaits it.
    class final_awaiter
    {
    public:
        explicit final_awaiter(promise_base& p) noexcept : promise_(p) {}

        bool await_ready() const noexcept
        {
            finish_record* const r = promise_.record_;
            if (r == nullptr || promise_.has_waited_)
                return false;
            r->done = true;
            if (promise_.exception_ != nullptr) [[unlikely]]
                r->exception = std::move(promise_.exception_);
            return true;
        }
        template <class Promise>
        std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise>) const noexcept
        {
            return promise_.end();
        }
        void await_resume() const noexcept {}

    private:
        promise_base& promise_;
    };
    final_awaiter final_suspend() noexcept { return final_awaiter(*this); }

    void unhandled_exception() noexcept { exception_ = std::current_exception(); }

    /// Wraps the operand of `co_await`: passes the task's context to operands of this library, and
    /// keeps the thread's list of active contexts up to date.
    template <class Operand>
    class tracked
    {
        using inner = decltype(get_awaiter(std::declval<Operand>()));

    public:
        // The operand lives until the end of the full expression, so a reference to it is valid.
        tracked(promise_base& p, Operand&& o)
            : promise_(p), inner_(get_awaiter(static_cast<Operand&&>(o)))
        {
            if constexpr (takes_context<std::remove_reference_t<inner>>)
                // The analyser does not see that a coroutine's promise is constructed.
                // NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage)
                inner_.set_context(p.context_);
        }

        decltype(auto) await_ready() { return inner_.await_ready(); }

        template <class Promise>
        auto await_suspend(std::coroutine_handle<Promise> h)
        {
            // The promise must be updated first: once the operand has the handle, another thread
            // may run the task to its end.
            promise_.pause();
            BOOST_TRY
            {
                return inner_.await_suspend(h);
            }
            BOOST_CATCH(...)
            {
                promise_.go_on();  // not suspended: the task continues here, with the exception
                BOOST_RETHROW
            }
            BOOST_CATCH_END
        }

        decltype(auto) await_resume()
        {
            promise_.go_on();
            return inner_.await_resume();
        }

    private:
        promise_base& promise_;
        inner inner_;
    };

    template <class Operand>
        requires(!std::is_same_v<std::remove_cvref_t<Operand>, this_environment_t>)
    tracked<Operand&&> await_transform(Operand&& o)
    {
        static_assert(
            awaitable<Operand>,
            "registry_io: this type cannot be awaited in an async::task; to await an Asio "
            "operation, pass async::use_task as its completion token");
        return tracked<Operand&&>(*this, static_cast<Operand&&>(o));
    }

    /// `co_await this_environment`.
    class environment_awaiter
    {
    public:
        explicit environment_awaiter(environment const& e) noexcept : environment_(e) {}
        bool await_ready() const noexcept { return true; }
        void await_suspend(std::coroutine_handle<>) const noexcept {}
        environment const& await_resume() const noexcept { return environment_; }

    private:
        environment const& environment_;
    };
    environment_awaiter await_transform(this_environment_t) const noexcept
    {
        // NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage): as above
        return environment_awaiter(environment_of(context_));
    }

    // ----- for the code that runs the task

    context const* where() const noexcept { return context_; }

    /// Called before the task begins: it belongs to `c`, which may be null.
    void belong(context const* c) noexcept { context_ = c; }

    /// Called before a handler begins. The handler stores its outcome in `r` if it ends without
    /// having waited.
    void leave_word(finish_record& r) noexcept { record_ = &r; }

    /// Called before the task begins, unless it is already inside an activation of its context.
    void begin_activation() noexcept
    {
        if (context_ != nullptr) {
            active_ = true;
            enter(activation_, context_);
        }
    }

    void end_activation() noexcept
    {
        // NOLINTNEXTLINE(clang-analyzer-core.uninitialized.Branch): as above
        if (active_) {
            active_ = false;
            leave(activation_);
        }
    }

    /// Called after the task has first returned: whether it has ended.
    bool ended() const noexcept
    {
        // acquire: pairs with the release of end. What the task did on another thread happens
        // before the caller's next step.
        return state_.load(std::memory_order_acquire) == state::done;
    }

    /// Requests a call of `f` at the end. Returns false if the task has already ended, in which
    /// case `f` is not called.
    bool call_at_end(on_end f, void* argument) noexcept
    {
        on_end_ = f;
        argument_ = argument;
        // release: pairs with the acquire of end, which reads the two words above. acquire: as in
        // ended.
        return state_.exchange(state::awaited, std::memory_order_acq_rel) != state::done;
    }

    void* argument() const noexcept { return argument_; }
    std::exception_ptr& exception() noexcept { return exception_; }

    // ----- what a notify stores about a handler that waits

    handler_id id{};
    void* handler_state = nullptr;
    promise_base* next = nullptr;        ///< the next handler that the notify owns
    promise_base* next_ended = nullptr;  ///< the next handler that waits to be reported
    std::coroutine_handle<> coroutine{};
    bool reported = false;

private:
    void pause() noexcept
    {
        has_waited_ = true;
        end_activation();
    }

    void go_on() noexcept
    {
        if (has_waited_ && context_ != nullptr && !active_) {
            active_ = true;
            enter(activation_, context_);
        }
    }

    std::coroutine_handle<> end() noexcept
    {
        end_activation();
        if (!has_waited_) {
            // relaxed: the task never left the thread that started it.
            state_.store(state::done, std::memory_order_relaxed);
            return std::noop_coroutine();
        }
        // From here on, unless the task is awaited, the code that started it may destroy it.
        // release: pairs with the acquire of ended and call_at_end: what the task did. acquire:
        // pairs with the release of call_at_end: the two words that it has written.
        if (state_.exchange(state::done, std::memory_order_acq_rel) != state::awaited)
            return std::noop_coroutine();
        return on_end_(*this);
    }

    finish_record* record_ = nullptr;
    context const* context_ = nullptr;
    // NOLINTNEXTLINE(bugprone-throw-keyword-missing): it is empty until the task throws.
    std::exception_ptr exception_ = nullptr;
    bool has_waited_ = false;  ///< the task may have moved to another thread
    bool active_ = false;
    std::atomic<state> state_{state::running};
    on_end on_end_ = nullptr;
    void* argument_ = nullptr;
    activation activation_{};
};

/// A result with a stricter alignment than `operator new` provides. It aligns itself, so that the
/// promise needs no such alignment: clang without `-fcoro-aligned-allocation` selects the aligned
/// `operator delete` for an over-aligned promise, and then calls it without the alignment.
template <class T>
class self_aligned
{
public:
    self_aligned() noexcept {}
    self_aligned(self_aligned const&) = delete;
    self_aligned& operator=(self_aligned const&) = delete;
    ~self_aligned()
    {
        if (value_ != nullptr)
            value_->~T();
    }

    template <class U>
    void emplace(U&& value)
    {
        void* place = bytes_;
        std::size_t size = sizeof bytes_;
        value_ = ::new (std::align(alignof(T), sizeof(T), place, size)) T(std::forward<U>(value));
    }
    T& operator*() noexcept { return *value_; }

private:
    T* value_ = nullptr;
    std::byte bytes_[sizeof(T) + alignof(T) - 1];
};

/// The result of a task.
template <class T>
class promise_of : public promise_base
{
    static_assert(!std::is_rvalue_reference_v<T>,
                  "registry_io: an async::task cannot return an rvalue reference, whose object "
                  "would be gone; return a value");
    static_assert(std::is_reference_v<T> || std::is_move_constructible_v<T>,
                  "registry_io: the result of an async::task is moved out of its frame, and this "
                  "type cannot be moved; return a std::unique_ptr");

public:
    template <class U>
        requires std::is_constructible_v<T, U&&>
    void return_value(U&& value)
    {
        value_.emplace(std::forward<U>(value));
    }
    // NOLINTNEXTLINE(bugprone-unchecked-optional-access): a task that has not failed has one.
    T take() { return std::move(*value_); }

private:
    std::conditional_t<(alignof(T) > __STDCPP_DEFAULT_NEW_ALIGNMENT__), self_aligned<T>,
                       std::optional<T>>
        value_;
};

template <class T>
class promise_of<T&> : public promise_base
{
public:
    void return_value(T& value) noexcept { value_ = &value; }
    T& take() const noexcept { return *value_; }

private:
    T* value_ = nullptr;
};

template <>
class promise_of<void> : public promise_base
{
public:
    void return_void() const noexcept {}
    void take() const noexcept {}
};

/// Returns the context of the awaiting coroutine; null if it is not a task.
template <class Promise>
context const* context_of(std::coroutine_handle<Promise> h) noexcept
{
    if constexpr (std::derived_from<Promise, promise_base>)
        return h.promise().where();
    else
        return nullptr;
}

}  // namespace detail

}  // namespace async
}  // namespace v1
}  // namespace registry_io

#endif
