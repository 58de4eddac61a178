// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)

#ifndef REGISTRY_IO_ASYNC_TASK_HPP
#define REGISTRY_IO_ASYNC_TASK_HPP

#include <registry_io/detail/supported.hpp>

#include <atomic>
#include <concepts>
#include <condition_variable>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>

#include <boost/core/addressof.hpp>
#include <boost/core/no_exceptions_support.hpp>

#include <registry_io/async/environment.hpp>
#include <registry_io/handler_id.hpp>

namespace registry_io {
inline namespace v1 {
namespace async {

namespace detail {

/// Has `await_ready` and what goes with it.
template <class T>
concept awaiter = requires(T& t, std::coroutine_handle<> h) {
    { t.await_ready() } -> std::convertible_to<bool>;
    t.await_suspend(h);
    t.await_resume();
};

template <class T>
concept member_co_await = requires(T&& t) { static_cast<T&&>(t).operator co_await(); };
template <class T>
concept free_co_await = requires(T&& t) { operator co_await(static_cast<T&&>(t)); };

template <class T>
decltype(auto) get_awaiter(T&& t)
{
    if constexpr (member_co_await<T>)
        return static_cast<T&&>(t).operator co_await();
    else if constexpr (free_co_await<T>)
        return operator co_await(static_cast<T&&>(t));
    else
        return static_cast<T&&>(t);
}

/// Is told where its awaiting task stands: the library's own awaitables.
template <class T>
concept takes_context = requires(T& t, context const* c) { t.set_context(c); };

}  // namespace detail

/// What can be the operand of `co_await` in a coroutine of any type.
template <class T>
concept awaitable = detail::awaiter<T> || detail::member_co_await<T> || detail::free_co_await<T>;

namespace detail {

/// What a handler that finishes before it ever waits leaves behind.
struct finish_record
{
    bool done = false;
    std::exception_ptr exception;
};

/// The part of a task that does not depend on its result.
class promise_base
{
public:
    /// Called when the task has ended after it had waited; returns what is to be resumed.
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

    /// The end. A handler that has never waited leaves word with the one who runs it, and its frame
    /// goes at once. Any other one stays for whoever awaits it.
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

    /// What the operand of `co_await` is made into: it tells operands of ours where the task
    /// stands, and keeps the list of what the thread is in the middle of.
    template <class Operand>
    class tracked
    {
        using inner = decltype(get_awaiter(std::declval<Operand>()));

    public:
        // The operand lives until the end of the whole expression, so a reference to it does.
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
            // All that the promise is needed for comes first: once the operand has the handle,
            // another thread may run the task to its end.
            promise_.pause();
            BOOST_TRY
            {
                return inner_.await_suspend(h);
            }
            BOOST_CATCH(...)
            {
                promise_.go_on();  // nobody resumes it: it goes on here, with the exception
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
            "registry_io: this cannot be awaited in an async::task; what an Asio function "
            "starts can, with the completion token async::use_task");
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

    // ----- for whoever runs the task

    context const* where() const noexcept { return context_; }

    /// Before the task begins: it belongs to `c`, may be null.
    void belong(context const* c) noexcept { context_ = c; }

    /// Before a handler begins: where it leaves word if it ends without having waited.
    void leave_word(finish_record& r) noexcept { record_ = &r; }

    /// Before the task begins, when that is not inside of an activation of its context already.
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

    /// After the task has returned from its first stretch: whether it has ended.
    bool ended() const noexcept
    {
        // acquire: what it did on another thread comes before what we do next.
        return state_.load(std::memory_order_acquire) == state::done;
    }

    /// Lets `f` be called at the end. False when the task has ended, and nothing will be called.
    bool call_at_end(on_end f, void* argument) noexcept
    {
        on_end_ = f;
        argument_ = argument;
        // release: the two words above. acquire: as in ended.
        return state_.exchange(state::awaited, std::memory_order_acq_rel) != state::done;
    }

    void* argument() const noexcept { return argument_; }
    std::exception_ptr& exception() noexcept { return exception_; }

    // ----- what a notify notes of a handler that waits

    handler_id id;
    void* handler_state = nullptr;
    promise_base* next = nullptr;        ///< of those that the notify owns
    promise_base* next_ended = nullptr;  ///< of those that wait to be reported
    std::coroutine_handle<> coroutine;
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
            // relaxed: it never left the thread that started it.
            state_.store(state::done, std::memory_order_relaxed);
            return std::noop_coroutine();
        }
        // From here on, unless it is awaited, the one who started it may destroy it.
        // release: what the task did. acquire: what call_at_end has written.
        if (state_.exchange(state::done, std::memory_order_acq_rel) != state::awaited)
            return std::noop_coroutine();
        return on_end_(*this);
    }

    finish_record* record_ = nullptr;
    context const* context_ = nullptr;
    std::exception_ptr exception_;
    bool has_waited_ = false;  ///< it may have been on another thread
    bool active_ = false;
    std::atomic<state> state_{state::running};
    on_end on_end_;
    void* argument_;
    activation activation_;
};

/// A result with a stronger alignment than `operator new` gives. It aligns itself, so that the
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

/// Where the thread stands, for an operand that was not told by its task.
template <class Promise>
context const* context_of(std::coroutine_handle<Promise> h) noexcept
{
    if constexpr (std::derived_from<Promise, promise_base>)
        return h.promise().where();
    else
        return nullptr;
}

}  // namespace detail

/// A coroutine that begins when it is awaited, and gives its result to the one who awaits it.
///
/// It may await anything that has an awaiter, and be awaited by coroutines of any type, once. Its
/// frame comes from the frame memory of the environment in which it is made. The environment of a
/// task that awaits it is its own too. When it ends, the one who awaits it goes on, on the same
/// thread. Destroying a task that has not ended destroys its frame, and so what it awaits:
/// precondition: it is not running, and nobody is going to resume it.
template <class T = void>
class [[nodiscard]] task
{
public:
    /// What the compiler asks for.
    class promise_type : public detail::promise_of<T>
    {
    public:
        /// The task.
        task get_return_object() noexcept
        {
            return task(std::coroutine_handle<promise_type>::from_promise(*this));
        }
    };

    /// No task.
    task() noexcept = default;
    /// Takes over what `other` holds.
    task(task&& other) noexcept : coroutine_(std::exchange(other.coroutine_, {})) {}
    /// Takes over what `other` holds, then destroys what this one held. This task may lie in what
    /// that destroys.
    task& operator=(task&& other) noexcept
    {
        task before(std::move(other));
        std::swap(before.coroutine_, coroutine_);
        return *this;  // `before` destroys: from here on nothing of this task is touched
    }
    ~task() { destroy(); }

    /// Whether there is one.
    explicit operator bool() const noexcept { return static_cast<bool>(coroutine_); }

    /// What `co_await` makes of a task.
    class awaiter
    {
    public:
        /// Of this task.
        explicit awaiter(std::coroutine_handle<promise_type> h) noexcept : coroutine_(h) {}

        /// It has not begun.
        bool await_ready() const noexcept { return false; }

        /// Runs the task up to where it waits. Whether it does.
        template <class Promise>
        bool await_suspend(std::coroutine_handle<Promise> parent) noexcept
        {
            promise_type& p = coroutine_.promise();
            p.belong(detail::context_of(parent));
            p.begin_activation();
            // In place, and not by transfer: a task that does not wait returns here, so that a loop
            // over such tasks needs no stack, whatever the compiler makes of tail calls.
            coroutine_.resume();
            return !p.ended() && p.call_at_end(&go_on, parent.address());
        }

        /// The result, or throws what the task has thrown.
        T await_resume()
        {
            promise_type& p = coroutine_.promise();
            if (p.exception() != nullptr)
                std::rethrow_exception(std::move(p.exception()));
            return p.take();
        }

    private:
        static std::coroutine_handle<> go_on(detail::promise_base& p) noexcept
        {
            return std::coroutine_handle<>::from_address(p.argument());
        }
        std::coroutine_handle<promise_type> coroutine_;
    };

    /// Precondition: there is a task, and it has not been awaited yet.
    awaiter operator co_await() && noexcept { return awaiter(coroutine_); }

    /// For those who run tasks themselves: gives the coroutine away.
    std::coroutine_handle<promise_type> release() noexcept { return std::exchange(coroutine_, {}); }

private:
    explicit task(std::coroutine_handle<promise_type> h) noexcept : coroutine_(h) {}

    void destroy() noexcept
    {
        if (coroutine_)
            coroutine_.destroy();
    }

    std::coroutine_handle<promise_type> coroutine_;
};

namespace detail {

/// Asks for more than frames have.
template <class T>
inline constexpr bool over_aligned = false;
template <class T>
    requires std::is_object_v<T>
inline constexpr bool over_aligned<T> = alignof(T) > frame_alignment;

/// The promise of a task whose parameters or result do. It is the one of every other such task, but
/// that the allocation which does not know of an alignment is refused.
template <class T>
class over_aligned_promise : public task<T>::promise_type
{
    using base = typename task<T>::promise_type;

public:
    using base::operator new;

    /// What all compilers call, but clang with -fcoro-aligned-allocation.
    static void* operator new(std::size_t size)
    {
        static_assert(sizeof(T*) == 0,
                      "registry_io: a parameter or the result of this async::task has a stronger "
                      "alignment than coroutine frames have (async::frame_alignment); pass a "
                      "reference or a pointer, or use clang with -fcoro-aligned-allocation");
        return base::operator new(size);
    }
};

/// A coroutine that runs by itself, and goes with its end.
struct detached
{
    struct promise_type : promise_base, recycled_frame
    {
        using recycled_frame::operator new;
        using recycled_frame::operator delete;

        detached get_return_object() noexcept
        {
            return detached{std::coroutine_handle<promise_type>::from_promise(*this)};
        }
        std::suspend_never final_suspend() noexcept
        {
            this->end_activation();
            return {};
        }
        void return_void() const noexcept {}
        void unhandled_exception() const noexcept { std::terminate(); }
    };
    std::coroutine_handle<promise_type> coroutine;
};

template <class Awaitable>
using await_result = decltype(get_awaiter(std::declval<Awaitable>()).await_resume());

/// A value whose move throws nothing: it keeps what the move of the value has thrown.
template <class T>
class quietly_moved
{
public:
    explicit quietly_moved(T& from) noexcept { take(from); }
    quietly_moved(quietly_moved&& other) noexcept : exception_(std::move(other.exception_))
    {
        if (other.value_)
            take(*other.value_);
    }
    quietly_moved& operator=(quietly_moved&&) = delete;

    /// The value. Throws what moving it has thrown.
    T&& get()
    {
        if (exception_ != nullptr)
            std::rethrow_exception(std::move(exception_));
        // NOLINTNEXTLINE(bugprone-unchecked-optional-access): there is one where nothing was thrown
        return std::move(*value_);
    }

private:
    void take(T& from) noexcept {BOOST_TRY{value_.emplace(std::move(from));
} BOOST_CATCH(...)
{
    exception_ = std::current_exception();
}
BOOST_CATCH_END
}  // namespace detail

std::optional<T> value_;
std::exception_ptr exception_;
};  // namespace async

/// Makes a task of anything that can be awaited.
template <class Awaitable>
    requires std::is_nothrow_move_constructible_v<Awaitable>
task<> as_task(Awaitable a)
{
    co_await std::move(a);
}

template <class Awaitable>
task<> await_quietly_moved(quietly_moved<Awaitable> a)
{
    co_await a.get();
}

/// The same where a move may throw. It must not throw while the coroutine is made: when a parameter
/// of a coroutine throws as it is moved into the frame, clang without optimisation frees the frame
/// and then reads the exception from it.
template <class Awaitable>
    requires(!std::is_nothrow_move_constructible_v<Awaitable>)
task<> as_task(Awaitable a)
{
    return await_quietly_moved(quietly_moved<Awaitable>(a));
}

}  // namespace v1

/// Runs what is awaited, and waits for it. Returns its result, or throws what it throws.
///
/// Precondition: what it waits for is completed by another thread. (Inside a notify that it waits
/// for it waits for ever.)
template <awaitable Awaitable>
detail::await_result<Awaitable> sync_wait(Awaitable&& a, environment const& env = environment())
{
    using result = detail::await_result<Awaitable>;
    static_assert(
        std::is_void_v<result> || std::is_reference_v<result> ||
            std::is_move_constructible_v<result>,
        "registry_io: sync_wait moves the result out of the coroutine that awaits it, and "
        "this type cannot be moved; await it in an async::task instead");
    struct state
    {
        std::mutex mutex;
        std::condition_variable ended;
        bool done = false;
        std::exception_ptr exception;
        std::optional<
            std::conditional_t<std::is_void_v<result>, bool,
                               std::conditional_t<std::is_reference_v<result>,
                                                  std::remove_reference_t<result>*, result>>>
            value;
    };
    struct run
    {
        static detail::detached start(Awaitable& a, state& s)
        {
            BOOST_TRY
            {
                if constexpr (std::is_void_v<result>)
                    co_await static_cast<Awaitable&&>(a);
                else if constexpr (std::is_reference_v<result>)
                    s.value = boost::addressof(co_await static_cast<Awaitable&&>(a));
                else
                    s.value.emplace(co_await static_cast<Awaitable&&>(a));
            }
            BOOST_CATCH(...)
            {
                s.exception = std::current_exception();
            }
            BOOST_CATCH_END
            // Under the lock: the one who waits may return and take the state with it as soon as it
            // can see the word.
            std::lock_guard<std::mutex> const lock(s.mutex);
            s.done = true;
            s.ended.notify_all();
        }
    };
    state s;
    detail::context const context{&env, nullptr, nullptr};
    auto const h = run::start(a, s).coroutine;
    h.promise().belong(&context);
    h.promise().begin_activation();
    h.resume();
    {
        std::unique_lock<std::mutex> lock(s.mutex);
        s.ended.wait(lock, [&] { return s.done; });
    }
    if (s.exception != nullptr)
        std::rethrow_exception(std::move(s.exception));
    // There is a value where nothing was thrown.
    // NOLINTBEGIN(bugprone-unchecked-optional-access)
    if constexpr (std::is_reference_v<result>)
        return static_cast<result>(**s.value);
    else if constexpr (!std::is_void_v<result>)
        return std::move(*s.value);
    // NOLINTEND(bugprone-unchecked-optional-access)
}

}  // namespace registry_io
}  // namespace v1
}  // namespace registry_io

/// @cond
/// Tasks with parameters or a result that frames are not aligned for.
template <class T, class... Args>
    requires(registry_io::async::detail::over_aligned<T> ||
             (registry_io::async::detail::over_aligned<Args> || ...))
struct std::coroutine_traits<registry_io::async::task<T>, Args...>
{
    using promise_type = registry_io::async::detail::over_aligned_promise<T>;
};
/// @endcond

#endif
