// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The base of both kinds of notify: a notify in flight, which is stored in the frame of the
// coroutine that awaits it. It starts handlers, keeps those that wait in a list, reports each end
// to the panic policy, and resumes the caller. The initial read protects the snapshot until
// handlers wait; from then on a count holds it. Invariant: the panic policy's scope exists from the
// start of that read until the notify has its result, and each handler that was started is reported
// to it once.

#ifndef REGISTRY_IO_ASYNC_DETAIL_OPERATION_HPP
#define REGISTRY_IO_ASYNC_DETAIL_OPERATION_HPP

#include <registry_io/detail/supported.hpp>

#include <coroutine>
#include <cstdint>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include <boost/assert.hpp>
#include <boost/core/addressof.hpp>
#include <boost/core/no_exceptions_support.hpp>

#include <registry_io/async/abandoned.hpp>
#include <registry_io/async/detail/handler.hpp>
#include <registry_io/async/environment.hpp>
#include <registry_io/async/task.hpp>
#include <registry_io/config.hpp>
#include <registry_io/detail/raise.hpp>
#include <registry_io/detail/sink.hpp>
#include <registry_io/handler_id.hpp>
#include <registry_io/panic_info.hpp>
#include <registry_io/policy.hpp>

namespace registry_io {
inline namespace v1 {
namespace async {
namespace detail {

/// The result of a notify in which no handler waited; empty if notifies have no result.
template <class Result, bool Empty = std::is_void_v<Result>>
struct result_box
{
    std::optional<Result> value;
};
template <class Result>
struct result_box<Result, true>
{
};

/// The type of a sink. An environment as second argument of `notify` is not a sink.
template <class Sink>
concept sink_of_notify = !std::is_convertible_v<Sink, environment>;

/// Passes failures to the panic policy.
template <class Engine>
struct to_policy
{
    using dispatcher = typename Engine::dispatcher;
    using scope = typename dispatcher::scope;
    using result_type = typename Engine::result_type;
    static constexpr bool isolates = Engine::panic_policy::isolates;

    static auto seen_by_scope(typename Engine::root const& r) noexcept
    {
        return typename dispatcher::failing{&r};
    }
};

/// Passes failures to the sink of one notify. `Sink` is a reference, or a type to be stored.
template <class Engine, class Sink>
struct to_sink
{
    using called = std::remove_reference_t<Sink>;
    using failing = typename Engine::dispatcher::template failing_to<called>;
    using scope = registry_io::detail::scope_of<typename Engine::panic_policy, failing>;
    using result_type = void;
    static constexpr bool isolates = std::is_nothrow_invocable_v<called&, panic_info const&>;

    auto seen_by_scope(typename Engine::root const& r) noexcept
    {
        return failing{{&r}, boost::addressof(sink)};
    }

    Sink sink;
};

/// A notify that is being awaited, or about to be. `Engine` is the engine of the registry.
/// `Failures` is `to_policy` or `to_sink`.
template <class Engine, class Failures>
class operation
{
public:
    using result_type = typename Failures::result_type;

protected:
    static constexpr bool moves_quietly = std::is_nothrow_move_constructible_v<Failures>;

    using Event = typename Engine::event_type::registry_io_event;
    using root = typename Engine::root;
    using columns = typename Engine::columns;
    using entry = typename Engine::entry;
    using chunk = typename root::chunk_type;
    using writers = typename Engine::writers;
    using handler_state = typename Engine::handler_state;
    using dispatcher = typename Engine::dispatcher;
    using scope = typename Failures::scope;
    using promise = promise_base;

    /// A place in the snapshot, as panic policies see it. Only words, so that they stay in
    /// registers until they are used.
    struct at
    {
        root const* snapshot;
        chunk const* part;  ///< null when the snapshot is flat
        entry const* where;

        handler_id id() const noexcept
        {
            columns const rows = part == nullptr ? snapshot->rows() : part->rows();
            return handler_id(static_cast<writers*>(snapshot->home)->serial,
                              rows.id(static_cast<std::uint32_t>(where - rows.entries)));
        }
        handler_state& state() const noexcept
        {
            return static_cast<typename writers::block_base*>(where->state)->state;
        }
        at compact() const noexcept { return *this; }
    };

    /// A handler that has waited, as panic policies see it.
    struct waited
    {
        promise* handler;

        handler_id id() const noexcept { return handler->id; }
        handler_state& state() const noexcept
        {
            return *static_cast<handler_state*>(handler->handler_state);
        }
        waited compact() const noexcept { return *this; }
    };

public:
    operation(operation const&) = delete;
    operation& operator=(operation const&) = delete;

    /// Called by tasks, with the context of the caller.
    void set_context(context const* c) noexcept
    {
        where_.outer = c;
        if (where_.env == nullptr && c != nullptr)
            where_.env = c->env;
    }

    /// Called by the registry. `event` and the engine must live until the notify has ended.
    REGISTRY_IO_DETAIL_BEGIN_UNINITIALIZED
    operation(Engine const& e, Event const& event, Failures&& failures = {}) noexcept(moves_quietly)
        : engine_(e),
          call_{boost::addressof(event), &where_},
          where_{nullptr, boost::addressof(e.panic_), nullptr},
          failures_(std::move(failures))
    {
    }
    operation(Engine const& e, Event const& event, environment&& env,
              Failures&& failures = {}) noexcept(moves_quietly)
        : engine_(e),
          call_{boost::addressof(event), &where_},
          environment_(std::move(env)),
          where_{&environment_, boost::addressof(e.panic_), nullptr},
          failures_(std::move(failures))
    {
    }
    REGISTRY_IO_DETAIL_END_UNINITIALIZED

protected:
    ~operation()
    {
        if (handlers_ != nullptr) [[unlikely]]
            give_up();
    }

    bool stopped() const noexcept
    {
        return where_.env != nullptr && where_.env->stop().stop_requested();
    }

    /// Reports a handler to the panic policy: `outcome` returns, or throws the handler's exception.
    template <class Outcome, class View>
    BOOST_FORCEINLINE void settle(Outcome outcome, View view) noexcept(Failures::isolates)
    {
        // Finds the writers through the table: a handler may have destroyed the registry. The scope
        // exists from the beginning of the read.
        // NOLINTNEXTLINE(bugprone-unchecked-optional-access)
        if (scope_->invoke(outcome, view) == verdict::remove)
            dispatcher::expel(*static_cast<writers*>(snapshot_of(view).home), view.id());
    }
    root const& snapshot_of(at const& where) const noexcept { return *where.snapshot; }
    template <class View>
    root const& snapshot_of(View const&) const noexcept
    {
        return *root_;
    }

    /// Like `settle`, for callers that must not throw: the threads that end handlers.
    template <class Outcome, class View>
    void settle_quietly(Outcome outcome, View view) noexcept
    {
        BOOST_TRY
        {
            settle(outcome, view);
        }
        BOOST_CATCH(...)
        {
            if (escaped_ == nullptr)
                escaped_ = std::current_exception();
        }
        BOOST_CATCH_END
    }

    static auto failure(std::exception_ptr& e)
    {
        return [&e] { std::rethrow_exception(std::move(e)); };
    }

    struct not_watched
    {
        void end() noexcept {}
    };

    /// Returns the object that the panic policy's scope keeps while a handler runs, if any.
    BOOST_FORCEINLINE auto running([[maybe_unused]] at where) noexcept
    {
        // NOLINTBEGIN(bugprone-unchecked-optional-access): as above.
        if constexpr (requires { scope_->running(where); })
            return scope_->running(where);
        else if constexpr (requires { scope_->running(); })
            return scope_->running();
        else
            return not_watched();
        // NOLINTEND(bugprone-unchecked-optional-access)
    }

    /// Starts one handler. Returns its task if it waits, otherwise null.
    ///
    /// An exception that escapes the panic policy leaves this function, as in a synchronous notify.
    BOOST_FORCEINLINE promise* start(at where)
    {
        auto here = running(where);
        call_.begun = nullptr;
        BOOST_TRY
        {
            where.where->invoke(where.where->state, &call_);
        }
        BOOST_CATCH(...)
        {
            here.end();
            settle([] { BOOST_RETHROW }, where);
            return nullptr;
        }
        BOOST_CATCH_END
        promise* const p = call_.begun;
        if (p == nullptr) {
            here.end();
            settle([] {}, where);
            return nullptr;
        }
        finish_record record;
        p->belong(&where_);
        p->leave_word(record);
        p->coroutine.resume();
        here.end();
        if (!record.done)
            return p;
        if (record.exception == nullptr) [[likely]]
            settle([] {}, where);
        else
            settle(failure(record.exception), where);
        return nullptr;
    }

    /// Stores what is needed to report a handler that waits. From now on this notify owns it. It
    /// may be running on another thread, which does not access what is written here.
    void keep(promise& p, at where) noexcept
    {
        p.id = where.id();
        if constexpr (!std::is_empty_v<handler_state>)
            p.handler_state = &where.state();
        p.next = std::exchange(handlers_, &p);
    }

    /// Reports the end of a handler that has waited.
    void report(promise& p) noexcept
    {
        p.reported = true;
        if (p.exception() == nullptr)
            settle_quietly([] {}, waited{&p});
        else
            settle_quietly(failure(p.exception()), waited{&p});
    }

    /// Returns the coroutine to resume now: the caller, unless its executor resumes it.
    std::coroutine_handle<> caller_goes_on() noexcept
    {
        if (where_.env == nullptr || !where_.env->executor())
            return caller_;
        return post_caller();
    }

    /// Out of line, so that the end of a handler saves no register for it.
    BOOST_NOINLINE std::coroutine_handle<> post_caller() noexcept
    {
        // A copy: once the coroutine has been posted, this object may be destroyed.
        executor_ref const e = where_.env->executor();
        std::coroutine_handle<> const h = std::exchange(caller_, posted());
        BOOST_TRY
        {
            e.post(h);
            return std::noop_coroutine();
        }
        BOOST_CATCH(...)
        {
            escaped_ = std::current_exception();
        }
        BOOST_CATCH_END
        return h;
    }

    /// The value of `caller_` while the executor holds the caller.
    std::coroutine_handle<> posted() noexcept
    {
        return std::coroutine_handle<>::from_address(this);
    }

    /// Releases everything at the end of a notify that has waited.
    void release() noexcept
    {
        while (promise* const p = handlers_) {
            handlers_ = p->next;
            p->coroutine.destroy();
        }
        scope_.reset();
        if (root_ != nullptr)
            std::exchange(root_, nullptr)->drop();
    }

    /// Holds the snapshot, which until now was protected by the read that is about to end.
    void hold(root const& r) noexcept
    {
        root_ = const_cast<root*>(&r);
        root_->hold();
    }

    /// Creates the panic policy's scope, which ends with the read unless handlers wait.
    class scope_of_read
    {
    public:
        scope_of_read(operation& o, root const& r) : operation_(o)
        {
            o.scope_.emplace(o.failures_.seen_by_scope(r));
        }
        scope_of_read(scope_of_read const&) = delete;
        scope_of_read& operator=(scope_of_read const&) = delete;
        BOOST_FORCEINLINE ~scope_of_read()
        {
            if constexpr (!std::is_trivially_destructible_v<scope>)
                if (operation_.handlers_ == nullptr)
                    operation_.scope_.reset();
        }

    private:
        operation& operation_;
    };

    /// Ends a notify in which no handler has waited.
    BOOST_FORCEINLINE void conclude_at_once()
    {
        // The scope exists from the beginning of the read.
        // NOLINTBEGIN(bugprone-unchecked-optional-access)
        if constexpr (std::is_void_v<result_type>)
            scope_->finish();
        else
            result_.value.emplace(scope_->finish());
        // NOLINTEND(bugprone-unchecked-optional-access)
    }

    /// Returns the result of a notify that has ended.
    BOOST_FORCEINLINE result_type result()
    {
        if (handlers_ != nullptr) [[unlikely]]
            return conclude();
        if constexpr (!std::is_void_v<result_type>)
            return result_.value ? std::move(*result_.value) : result_type{};
    }

    /// Ends a notify in which handlers have waited: returns the result, and releases what was held.
    BOOST_NOINLINE result_type conclude()
    {
        struct releasing
        {
            operation& o;
            ~releasing() { o.release(); }
        } const end{*this};
        if (escaped_ != nullptr)
            std::rethrow_exception(std::move(escaped_));
        // NOLINTNEXTLINE(bugprone-unchecked-optional-access): as above.
        return scope_->finish();
    }

    Engine const& engine_;
    call<Event> call_;
    environment environment_{};
    context where_;
    std::coroutine_handle<> caller_{};
    root* root_ = nullptr;         // held from the end of the read, while handlers wait
    promise* handlers_ = nullptr;  // the handlers that have waited
    // Before the scope, which may refer to it.
    REGISTRY_IO_NO_UNIQUE_ADDRESS Failures failures_;
    std::optional<scope> scope_{};
    std::exception_ptr escaped_ = nullptr;
    REGISTRY_IO_NO_UNIQUE_ADDRESS result_box<result_type> result_;

private:
    /// Called when the caller is being destroyed.
    BOOST_NOINLINE void give_up() noexcept
    {
        BOOST_ASSERT_MSG(caller_ != posted(),
                         "registry_io: the coroutine that awaits a notify is destroyed while an "
                         "executor is about to resume it");
        while (promise* const p = handlers_) {
            handlers_ = p->next;
            handler_id const id = p->id;
            void* const state = p->handler_state;
            bool const reported = p->reported;
            p->coroutine.destroy();
            if (reported)
                continue;
            struct gone
            {
                handler_id name;
                void* memory;
                handler_id id() const noexcept { return name; }
                handler_state& state() const noexcept
                {
                    return *static_cast<handler_state*>(memory);
                }
                gone compact() const noexcept { return *this; }
            };
            settle_quietly([] { registry_io::detail::raise(abandoned()); }, gone{id, state});
        }
        release();
    }
};

}  // namespace detail
}  // namespace async
}  // namespace v1
}  // namespace registry_io

#endif
