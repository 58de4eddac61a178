// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)

#ifndef REGISTRY_IO_ASYNC_REGISTRY_HPP
#define REGISTRY_IO_ASYNC_REGISTRY_HPP

#include <registry_io/detail/supported.hpp>

#include <atomic>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <type_traits>
#include <utility>

#include <boost/assert.hpp>
#include <boost/core/addressof.hpp>
#include <boost/core/no_exceptions_support.hpp>
#include <boost/throw_exception.hpp>

#include <registry_io/async/detail/next_state.hpp>
#include <registry_io/async/environment.hpp>
#include <registry_io/async/task.hpp>
#include <registry_io/registry.hpp>

namespace registry_io {
inline namespace v1 {

template <class Event, class SnapshotPolicy, class OrderingPolicy, class PanicPolicy,
          class AllocPolicy>
class basic_async_registry;

/// Unregisters its handler when it is destroyed; a handler that is in the middle of a notify is
/// finished first, by that notify.
using async_handler_guard = handler_guard;

namespace async {

/// How a handler has failed that was destroyed before it had ended, because the coroutine that
/// awaited the notify was destroyed.
class abandoned : public std::runtime_error
{
public:
    abandoned() : std::runtime_error("abandoned before it had ended") {}
};

namespace detail {

/// What an entry of the table is called with.
template <class Event>
struct call
{
    using registry_io_event = Event;  // what logs call it
    Event const* event;
    context const* where;
    /// Set by a handler that has made a coroutine, which has not begun.
    mutable promise_base* begun = nullptr;
};

template <class F, class Event>
concept takes_environment = std::is_invocable_v<F, Event const&, environment const&>;

template <class F, class Event>
struct made_by
{
    using type = std::invoke_result_t<F, Event const&>;
};
template <class F, class Event>
    requires takes_environment<F, Event>
struct made_by<F, Event>
{
    using type = std::invoke_result_t<F, Event const&, environment const&>;
};

template <class F, class Event>
concept async_callable = takes_environment<F, Event> || std::is_invocable_v<F, Event const&>;

/// Whether a handler, called, is over when it returns.
template <class F, class Event>
concept plain_callable = std::is_void_v<typename made_by<F, Event>::type>;

/// Keeps a handler out of its entry.
struct not_trivial
{
    not_trivial() = default;
    not_trivial(not_trivial const&) = default;
    ~not_trivial() {}
};
struct may_be_trivial
{
};

/// Whether a handler may be called through a copy: a small trivial one lies in its entry, and is.
/// But a coroutine may refer to its lambda for as long as it runs.
template <class F, class Event>
inline constexpr bool copy_will_do = [] {
    bool will_do = std::is_empty_v<F> || std::is_pointer_v<F>;
    if constexpr (async_callable<F const&, Event>)
        will_do = will_do || std::is_void_v<typename made_by<F const&, Event>::type>;
    return will_do;
}();

/// The handler of a user as one of the core.
template <class F, class Event>
class handler : std::conditional_t<copy_will_do<F, Event>, may_be_trivial, not_trivial>
{
public:
    template <class G>
        requires(!std::is_same_v<std::remove_cvref_t<G>, handler>)
    explicit handler(G&& f) : f_(std::forward<G>(f))
    {
    }

    void operator()(call<Event> const& c) const
        requires async_callable<F const&, Event>
    {
        run(f_, c);
    }
    /// Where one thread runs handlers; elsewhere the core refuses it, or calls the other one. Not
    /// there where both would call the same, so that the handler may lie in its entry.
    void operator()(call<Event> const& c)
        requires(!async_callable<F const&, Event> || !copy_will_do<F, Event> ||
                 registry_io::detail::has_non_const_call<F, Event>() ||
                 (takes_environment<F&, Event> && !std::is_empty_v<F>))
    {
        run(f_, c);
    }

    void on_registered(registration const& r) noexcept
        requires registry_io::detail::told_of_registration<F>
    {
        registry_io::detail::tell(f_, r);
    }

    friend bool operator==(handler const& h, std::nullptr_t)
    {
        return registry_io::detail::is_empty_handler(h.f_);
    }

    /// The user's handler, for who asks after its label.
    F const& handler_of_user() const noexcept { return f_; }

private:
    template <class Self>
    static void run(Self& f, call<Event> const& c)
    {
        if constexpr (takes_environment<Self&, Event>)
            start(c, [&]() -> decltype(auto) {
                return std::invoke(f, *c.event, environment_of(c.where));
            });
        else
            start(c, [&]() -> decltype(auto) { return std::invoke(f, *c.event); });
    }

    template <class Make>
    static void start(call<Event> const& c, Make make)
    {
        using made = decltype(make());
        if constexpr (std::is_void_v<made>)
            make();
        else if constexpr (std::is_same_v<made, task<>>)
            c.begun = prepare(make());
        else
            c.begun = prepare(as_task<std::decay_t<made>>(make()));
    }

    static promise_base* prepare(task<> t)
    {
        auto const h = t.release();
        if (!h)
            boost::throw_exception(
                std::invalid_argument("registry_io: the handler returned no task"),
                BOOST_CURRENT_LOCATION);
        h.promise().coroutine = h;
        return &h.promise();
    }

    F f_;
};

/// Whether what a handler returns can be put into the frame of the coroutine that awaits it.
template <class Made>
concept kept = std::is_constructible_v<std::decay_t<Made>, Made> &&
    std::is_move_constructible_v<std::decay_t<Made>>;

template <class F, class Event>
consteval bool check_handler()
{
    static_assert(async_callable<F&, Event>,
                  "registry_io: an async handler must be callable with Event const&, or with Event "
                  "const& and async::environment const&");
    if constexpr (async_callable<F&, Event>) {
        using made = typename made_by<F&, Event>::type;
        static_assert(std::is_void_v<made> || awaitable<made>,
                      "registry_io: an async handler must return void, an async::task or something "
                      "else that can be awaited; a function that returns asio::awaitable is made "
                      "one by async::asio_handler");
        static_assert(!awaitable<made> || kept<made>,
                      "registry_io: what an async handler returns is moved into a coroutine that "
                      "awaits it, and this type cannot be moved; return an async::task that awaits "
                      "it");
        return std::is_void_v<made> || (awaitable<made> && kept<made>);
    } else {
        return false;
    }
}

}  // namespace detail
}  // namespace async

/// @cond
namespace detail {
template <class F, class Event>
inline constexpr mutable_members mutable_members_of<async::detail::handler<F, Event>> =
    mutable_members_of<F>;
}  // namespace detail
/// @endcond

/// An in-process registry whose handlers are coroutines, or plain functions.
///
/// `co_await registry.notify(event)` runs all handlers at once and goes on when the last of them
/// has ended; `co_await registry.notify_sequential(event)` runs one after the other, in order. Both
/// can be awaited in a coroutine of any type, and any awaitable can be awaited in a handler. A
/// handler that fails never stops its siblings. The event is borrowed: it must live until the
/// notify has ended, and handlers may refer to it as long as they run.
///
/// Registering, removing, order, ids, guards, transactions and the policies are those of
/// `basic_registry`, whose comments hold here. A notify walks the snapshot that was current when it
/// was awaited first; it lasts until it has been resumed. The snapshot is held by a count while
/// handlers wait, so that one which waits for an hour holds up nothing but itself; snapshot
/// policies without such a count are refused.
template <class Event, class SnapshotPolicy, class OrderingPolicy, class PanicPolicy,
          class AllocPolicy>
class basic_async_registry
    : private basic_registry<async::detail::call<Event>, SnapshotPolicy, OrderingPolicy,
                             PanicPolicy, AllocPolicy>::engine
{
    static_assert(registry_io::detail::check_event<Event>());
    static_assert(!snapshot_policy<SnapshotPolicy> || pinning_snapshot_policy<SnapshotPolicy>,
                  "registry_io: the readers of this snapshot policy cannot hold a snapshot while "
                  "handlers wait without holding up all others (pinning_snapshot_policy); take "
                  "hazard_pointer for an async registry");

    using base = typename basic_registry<async::detail::call<Event>, SnapshotPolicy, OrderingPolicy,
                                         PanicPolicy, AllocPolicy>::engine;
    using typename base::columns;
    using typename base::dispatcher;
    using typename base::entry;
    using typename base::handler_state;
    using typename base::root;
    using typename base::writers;
    using failing = typename dispatcher::failing;
    using scope = typename dispatcher::scope;
    using call = async::detail::call<Event>;
    using promise = async::detail::promise_base;
    using context = async::detail::context;
    using chunk = typename root::chunk_type;

public:
    /// What handlers are called with, by const reference.
    using event_type = Event;
    using typename base::alloc_policy;
    using typename base::key_type;
    using typename base::ordering_policy;
    using typename base::panic_policy;
    using typename base::result_type;
    using typename base::snapshot_policy;

    /// The same registry with other policies, in any order; each replaces the one on its axis.
    template <class... Policies>
    using with = std::enable_if_t<
        registry_io::detail::check_with<Policies...>(),
        basic_async_registry<
            Event,
            typename registry_io::detail::select<axis::snapshot, SnapshotPolicy, Policies...>::type,
            typename registry_io::detail::select<axis::ordering, OrderingPolicy, Policies...>::type,
            typename registry_io::detail::select<axis::panic, PanicPolicy, Policies...>::type,
            typename registry_io::detail::select<axis::alloc, AllocPolicy, Policies...>::type>>;

    /// The same registry for events of another type.
    template <class Other>
    using rebind_event =
        basic_async_registry<Other, SnapshotPolicy, OrderingPolicy, PanicPolicy, AllocPolicy>;

    class transaction;
    class notify_all;
    class notify_in_turn;
    class next_event;

    using base::base;
    /// An empty registry.
    basic_async_registry() = default;
    // As in basic_registry.
    basic_async_registry(basic_async_registry const&)  // registry_io: hold it in a unique_ptr
        = delete;
    basic_async_registry& operator=(basic_async_registry const&)  // registry_io: not assignable
        = delete;

    // As in basic_registry.
    using base::clear;
    using base::clear_panic_callback;
    using base::contains;
    using base::empty;
    using base::for_each_handler;
    using base::log_to;
    using base::log_to_stderr;
    using base::on_panic;
    using base::registration_of;
    using base::size;
    using base::unregister;

    // ----- notifying

    /// What runs all handlers at once when it is awaited: each is started, in order, on the thread
    /// that awaits, and those that wait go on as what they wait for completes.
    ///
    /// Awaiting it returns what the panic policy makes of the failures, or throws what that lets
    /// pass. When all handlers end without waiting the one who awaits is not suspended. Else it is
    /// resumed on the executor of the environment, or, without one, by whoever ends the last
    /// handler. If the executor throws, it is resumed by whoever ends the last handler too, and
    /// awaiting throws what the executor has thrown, instead of any other result. Of the
    /// environment: if a stop is requested handlers that have not been started are not; a task that
    /// awaits this gives it its own environment. Precondition: `event` and this registry live until
    /// it has ended. Await it once, where it is made.
    /// Destroying the coroutine that awaits it, while it waits, destroys the handlers that wait;
    /// each is reported to the panic policy as failed by `async::abandoned`. Precondition: none of
    /// them is running then, or going to be resumed; nor is the coroutine itself: when the last
    /// handler has ended the executor has it, and resumes it (asserted). Nor may the callback for
    /// failures destroy it while it is told of a failure of this notify.
    /// Concurrency: safe with any member but the destructor. Allocates frames for coroutines alone.
    notify_all notify(Event const& event) const noexcept { return notify_all(*this, event); }

    /// The same in an environment of its own.
    notify_all notify(Event const& event, async::environment env) const noexcept
    {
        return notify_all(*this, event, std::move(env));
    }

    /// What runs the handlers one after the other when it is awaited. Otherwise as `notify`.
    notify_in_turn notify_sequential(Event const& event) const noexcept
    {
        return notify_in_turn(*this, event);
    }

    /// The same in an environment of its own.
    notify_in_turn notify_sequential(Event const& event, async::environment env) const noexcept
    {
        return notify_in_turn(*this, event, std::move(env));
    }

    /// Events that g++ 12 would destroy twice are refused, with a sentence.
    notify_all notify(Event&& event) const noexcept
    {
        static_assert(temporary_is_sound());
        return notify_all(*this, event);
    }
    /// The same in an environment of its own.
    notify_all notify(Event&& event, async::environment env) const noexcept
    {
        static_assert(temporary_is_sound());
        return notify_all(*this, event, std::move(env));
    }
    /// The same, in turn.
    notify_in_turn notify_sequential(Event&& event) const noexcept
    {
        static_assert(temporary_is_sound());
        return notify_in_turn(*this, event);
    }
    /// The same, in turn, in an environment of its own.
    notify_in_turn notify_sequential(Event&& event, async::environment env) const noexcept
    {
        static_assert(temporary_is_sound());
        return notify_in_turn(*this, event, std::move(env));
    }

    /// What waits for the next event when it is awaited, and returns a copy of it.
    ///
    /// It registers a handler, and the event of the first notify that sees it is the one. The one
    /// who awaits is resumed on the executor of its environment; without one in the middle of that
    /// notify, by the thread that notifies, as the handler. When the environment's stop is
    /// requested it ends, and returns nothing.
    ///
    /// Destroying the coroutine that awaits it, while it waits, removes the handler. A notify that
    /// is copying the event then does nothing further, and a resumption that lies in the executor's
    /// queue does nothing when it runs; it must run, or be destroyed, for its memory to be freed.
    /// Precondition: the coroutine is not being resumed on another thread (asserted). So if another
    /// thread may notify or request the stop, destroy it on its executor, or where that thread
    /// waits. Awaiting it throws as `register_handler`, what copying the event throws, and what the
    /// executor throws when it is to resume the coroutine, which is then resumed as if there were
    /// no executor. Returns `std::optional<Event>`.
    next_event next() { return next_event(*this); }

    // ----- registering

    /// Adds a handler: `f(event)` or `f(event, environment)`, which returns nothing, or a task, or
    /// something else that can be awaited. Otherwise as `basic_registry::register_handler`.
    ///
    /// The environment is valid for as long as the handler runs. What `f` captured lives until the
    /// notify has ended, so a coroutine may use it. A stateful `f` that makes coroutines is one
    /// allocation.
    template <class F>
    handler_id register_handler(F&& f)
    {
        if constexpr (async::detail::check_handler<std::decay_t<F>, Event>())
            return base::register_handler(wrap(std::forward<F>(f)));
        else
            return {};
    }

    /// Adds a handler with a key, or a member function with its object; otherwise as above.
    template <class Key, class F>
    handler_id register_handler(Key&& priority, F&& f)
    {
        if constexpr (registry_io::detail::is_member_not_key<key_type, Key&&>)
            return register_handler(registry_io::detail::bind_member<Event, async::environment>(
                priority, std::forward<F>(f)));
        else if constexpr (registry_io::detail::check_key<key_type, Key&&, F, Event>()) {
            if constexpr (async::detail::check_handler<std::decay_t<F>, Event>())
                return base::register_handler(std::forward<Key>(priority),
                                              wrap(std::forward<F>(f)));
        }
        return {};
    }

    /// Adds a member function and its object as a handler with a key; otherwise as above.
    template <class Key, class Member, class Object>
        requires std::is_member_pointer_v<Member>
    handler_id register_handler(Key&& priority, Member member, Object&& object)
    {
        return register_handler(std::forward<Key>(priority),
                                registry_io::detail::bind_member<Event, async::environment>(
                                    member, std::forward<Object>(object)));
    }

    /// Adds a handler that is removed when the returned guard is destroyed.
    template <class F>
    async_handler_guard register_guard(F&& f)
    {
        return this->guard([&] { return register_handler(std::forward<F>(f)); });
    }

    /// Adds a handler with a key that is removed when the returned guard is destroyed.
    template <class Key, class F>
    async_handler_guard register_guard(Key&& priority, F&& f)
    {
        return this->guard(
            [&] { return register_handler(std::forward<Key>(priority), std::forward<F>(f)); });
    }

    /// Adds a member function and its object as a handler with a key, that is removed when the
    /// returned guard is destroyed.
    template <class Key, class Member, class Object>
        requires std::is_member_pointer_v<Member>
    async_handler_guard register_guard(Key&& priority, Member member, Object&& object)
    {
        return this->guard([&] {
            return register_handler(std::forward<Key>(priority), member,
                                    std::forward<Object>(object));
        });
    }

    /// Calls `f(transaction&)`, then applies all it asked for at once. As in `basic_registry`.
    template <class F>
    update_result update(F&& f)
    {
        return base::update([&](typename base::transaction& t) {
            transaction mine(t);
            std::forward<F>(f)(mine);
        });
    }

    // ----- waiting

    /// Blocks the thread until every notify of this registry that had begun before the call has
    /// ended, those whose handlers wait included. Otherwise as `basic_registry::synchronize`.
    ///
    /// It is refused inside a handler of this registry, before and after it has waited, and in the
    /// tasks that such a handler awaits. A coroutine of another kind that such a handler awaits is
    /// not recognised after it has waited: then the thread waits for itself.
    void synchronize()
    {
        refuse_inside();
        base::synchronize();
    }

    /// `unregister`, then `synchronize`; the deadlock is found before anything is removed.
    bool unregister_and_wait(handler_id id)
    {
        refuse_inside();
        return base::unregister_and_wait(id);
    }

private:
    template <class F>
    static auto wrap(F&& f)
    {
        return async::detail::handler<std::decay_t<F>, Event>(std::forward<F>(f));
    }

    void refuse_inside() const
    {
        if (async::detail::inside(this))
            boost::throw_exception(
                std::system_error(std::make_error_code(std::errc::resource_deadlock_would_occur),
                                  "registry_io: waiting here would wait for itself"),
                BOOST_CURRENT_LOCATION);
    }

    static consteval bool temporary_is_sound()
    {
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
        constexpr bool sound =
            !std::is_aggregate_v<Event> || std::is_trivially_destructible_v<Event>;
#else
        constexpr bool sound = true;
#endif
        static_assert(sound,
                      "registry_io: g++ before 13 destroys an aggregate twice that is made in the "
                      "operand of co_await; give the event a name, or a constructor");
        return true;
    }

    // ----- dispatch

    /// A place in the snapshot, as panic policies see it. Words alone, so that they stay in
    /// registers until somebody asks.
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

    class operation;
    template <class Result, bool Empty = std::is_void_v<Result>>
    struct result_box
    {
        std::optional<Result> value;
    };
    template <class Result>
    struct result_box<Result, true>
    {
    };
};

/// @cond
/// What both notifies have in common.
template <class Event, class SnapshotPolicy, class OrderingPolicy, class PanicPolicy,
          class AllocPolicy>
class basic_async_registry<Event, SnapshotPolicy, OrderingPolicy, PanicPolicy,
                           AllocPolicy>::operation
{
public:
    operation(operation const&) = delete;
    operation& operator=(operation const&) = delete;

    /// For tasks: where the one who awaits stands.
    void set_context(context const* c) noexcept
    {
        where_.outer = c;
        if (where_.env == nullptr && c != nullptr)
            where_.env = c->env;
    }

protected:
    operation(basic_async_registry const& r, Event const& event) noexcept
        : registry_(r), call_{boost::addressof(event), &where_}, where_{nullptr, &r, nullptr}
    {
    }
    operation(basic_async_registry const& r, Event const& event, async::environment&& env) noexcept
        : registry_(r),
          call_{boost::addressof(event), &where_},
          environment_(std::move(env)),
          where_{&environment_, &r, nullptr}
    {
    }

    ~operation()
    {
        if (handlers_ != nullptr) [[unlikely]]
            give_up();
    }

    bool stopped() const noexcept
    {
        return where_.env != nullptr && where_.env->stop().stop_requested();
    }

    /// Tells the panic policy of a handler: `outcome` returns, or throws what it failed with.
    template <class Outcome, class View>
    BOOST_FORCEINLINE void settle(Outcome outcome, View view) noexcept(PanicPolicy::isolates)
    {
        // Not by way of the registry, which a handler may have destroyed. The scope is there from
        // the beginning of the read on.
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

    /// The same where nothing may be thrown, since it is not the one who awaits who calls.
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

    /// What the panic policy's scope wants to be kept while a handler runs; nothing for most.
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

    /// Starts one handler. Returns its task if it waits, else null.
    ///
    /// What escapes the panic policy leaves it, as it would leave a notify that does not wait.
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
        async::detail::finish_record record;
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

    /// A handler waits: notes what it will take to tell of its end. It is ours from now on. It may
    /// be running on another thread, but does not look at what is written here.
    void keep(promise& p, at where) noexcept
    {
        p.id = where.id();
        if constexpr (!std::is_empty_v<handler_state>)
            p.handler_state = &where.state();
        p.next = std::exchange(handlers_, &p);
    }

    /// Tells of the end of a handler that has waited.
    void report(promise& p) noexcept
    {
        p.reported = true;
        if (p.exception() == nullptr)
            settle_quietly([] {}, waited{&p});
        else
            settle_quietly(failure(p.exception()), waited{&p});
    }

    /// Who is to be resumed now: the one who awaits, unless that is done elsewhere.
    std::coroutine_handle<> caller_goes_on() noexcept
    {
        if (where_.env == nullptr || !where_.env->executor())
            return caller_;
        return post_caller();
    }

    /// Out of line, so that the end of a handler saves no register for it.
    BOOST_NOINLINE std::coroutine_handle<> post_caller() noexcept
    {
        // A copy: when the coroutine has been posted we may be gone.
        async::executor_ref const e = where_.env->executor();
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

    /// Stands for the one who awaits when the executor has it.
    std::coroutine_handle<> posted() noexcept
    {
        return std::coroutine_handle<>::from_address(this);
    }

    /// Lets go of everything, at the end of a notify that has waited.
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

    /// Holds the snapshot, which the read that is about to end has protected until now.
    void hold(root const& r) noexcept
    {
        root_ = const_cast<root*>(&r);
        root_->hold();
    }

    /// Makes the panic policy's scope, which ends with the read unless handlers wait.
    class scope_of_read
    {
    public:
        scope_of_read(operation& o, root const& r) : operation_(o)
        {
            o.scope_.emplace(failing{&r});
        }
        scope_of_read(scope_of_read const&) = delete;
        scope_of_read& operator=(scope_of_read const&) = delete;
        BOOST_FORCEINLINE ~scope_of_read()
        {
            if (operation_.handlers_ == nullptr)
                operation_.scope_.reset();
        }

    private:
        operation& operation_;
    };

    /// The end of a notify in which no handler has waited.
    BOOST_FORCEINLINE void conclude_at_once()
    {
        // It is there from the beginning of the read on.
        // NOLINTBEGIN(bugprone-unchecked-optional-access)
        if constexpr (std::is_void_v<result_type>)
            scope_->finish();
        else
            result_.value.emplace(scope_->finish());
        // NOLINTEND(bugprone-unchecked-optional-access)
    }

    /// The result of a notify that has ended.
    BOOST_FORCEINLINE result_type result()
    {
        if (handlers_ != nullptr) [[unlikely]]
            return conclude();
        if constexpr (!std::is_void_v<result_type>)
            return result_.value ? std::move(*result_.value) : result_type{};
    }

    /// The end of a notify in which handlers have waited: the result, and what was held goes.
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

    basic_async_registry const& registry_;
    call call_;
    async::environment environment_;
    context where_;
    std::coroutine_handle<> caller_;
    root* root_ = nullptr;         // while handlers wait: held, from the end of the read on
    promise* handlers_ = nullptr;  // that have waited
    std::optional<scope> scope_;
    std::exception_ptr escaped_;
    REGISTRY_IO_NO_UNIQUE_ADDRESS result_box<result_type> result_;

private:
    /// The one who awaits is being destroyed.
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
            settle_quietly([] { boost::throw_exception(async::abandoned()); }, gone{id, state});
        }
        release();
    }
};

/// @endcond

/// See `notify`.
template <class Event, class SnapshotPolicy, class OrderingPolicy, class PanicPolicy,
          class AllocPolicy>
class [[nodiscard]] basic_async_registry<Event, SnapshotPolicy, OrderingPolicy, PanicPolicy,
                                         AllocPolicy>::notify_all : public operation
{
    using base = operation;

public:
    /// Starts the handlers. Whether all have ended.
    bool await_ready()
    {
        this->registry_.store_.read([this](root const& r) { begin(r); });
        return this->handlers_ == nullptr;
    }

    /// Whether the one who awaits has to wait.
    bool await_suspend(std::coroutine_handle<> h) noexcept
    {
        this->caller_ = h;
        // release: the line above. acquire: what the handlers did, when they all have ended.
        return missing_.fetch_sub(1, std::memory_order_acq_rel) != 1;
    }

    /// The result.
    result_type await_resume() { return this->result(); }

private:
    friend class basic_async_registry;
    using base::base;

    BOOST_FORCEINLINE void begin(root const& r)
    {
        async::detail::activated const here(&this->where_);
        typename base::scope_of_read const s(*this, r);
        typename root::extent const seen = r.look();
        if (seen.is_flat()) [[likely]]
            walk(r, nullptr, r.rows().entries, seen.flat_size());
        else
            r.each_chunk(
                seen, [&](chunk const& c, std::uint32_t m) { walk(r, &c, c.rows().entries, m); });
        if (this->handlers_ == nullptr) [[likely]]
            this->conclude_at_once();
        else
            all_are_started(r);
    }

    BOOST_FORCEINLINE void walk(root const& r, chunk const* part, entry const* e, std::uint32_t n)
    {
        for (entry const* const end = e + n; e != end; ++e) {
            at const where{&r, part, e};
            if (this->handlers_ != nullptr) [[unlikely]]
                start_another(where);
            else if (this->stopped()) [[unlikely]]
                return;
            else if (promise* const p = this->start(where)) [[unlikely]]
                waits(*p, where);
        }
    }

    /// Once a handler waits nothing may be thrown before the end.
    BOOST_NOINLINE void start_another(at where) noexcept
    {
        if (this->escaped_ != nullptr || this->stopped())
            return;  // an exception that leaves the panic policy ends the notify
        BOOST_TRY
        {
            if (promise* const p = this->start(where))
                waits(*p, where);
        }
        BOOST_CATCH(...)
        {
            this->escaped_ = std::current_exception();
        }
        BOOST_CATCH_END
    }

    BOOST_NOINLINE void waits(promise& p, at where) noexcept
    {
        this->keep(p, where);
        if (p.call_at_end(&ended, this)) {
            ++started_;
        } else {
            // It has ended meanwhile.
            this->root_ = const_cast<root*>(where.snapshot);
            this->report(p);
        }
    }

    /// Until now it was us who reported; those that ended meanwhile have left it to us.
    BOOST_NOINLINE void all_are_started(root const& r) noexcept
    {
        this->hold(r);
        // relaxed: nobody else looks at it before we have given up reporting.
        missing_.store(started_ + 1, std::memory_order_relaxed);
        std::uint32_t reported = 0;
        // acquire: who has left a handler has pushed it before. release: our reports.
        while (reporters_.fetch_sub(1, std::memory_order_acq_rel) != 1) {
            this->report(*pop());
            ++reported;
        }
        // relaxed: our own count stays until await_suspend.
        if (reported != 0)
            missing_.fetch_sub(reported, std::memory_order_relaxed);
    }

    /// A handler has ended, on any thread.
    static std::coroutine_handle<> ended(promise& p) noexcept
    {
        return static_cast<notify_all*>(p.argument())->end_of(p);
    }

    /// Reports are made one at a time, without a lock: who finds somebody at it leaves the handler
    /// to that one.
    std::coroutine_handle<> end_of(promise& p) noexcept
    {
        promise* head = ended_.load(std::memory_order_relaxed);
        do
            p.next_ended = head;
        // release: pairs with pop.
        while (!ended_.compare_exchange_weak(head, &p, std::memory_order_release,
                                             std::memory_order_relaxed));
        // release: so that who is at it finds what was pushed. acquire: the reports of the one
        // before us.
        if (reporters_.fetch_add(1, std::memory_order_acq_rel) != 0)
            return std::noop_coroutine();
        std::uint32_t reported = 0;
        do {
            this->report(*pop());
            ++reported;
        } while (reporters_.fetch_sub(1, std::memory_order_acq_rel) != 1);
        // The last touch, unless all have ended. acq_rel: all that the handlers did comes before
        // the one who awaits goes on.
        if (missing_.fetch_sub(reported, std::memory_order_acq_rel) != reported)
            return std::noop_coroutine();
        return this->caller_goes_on();
    }

    /// By the one who reports: the next handler, of which there is one.
    promise* pop() noexcept
    {
        if (to_report_ == nullptr) {
            // acquire: pairs with the push. Those that ended first come first.
            promise* p = ended_.exchange(nullptr, std::memory_order_acquire);
            while (p != nullptr) {
                promise* const next = p->next_ended;
                p->next_ended = std::exchange(to_report_, p);
                p = next;
            }
        }
        return std::exchange(to_report_, to_report_->next_ended);
    }

    std::atomic<std::uint32_t> missing_{0};    // handlers that wait; and the one who awaits
    std::uint32_t started_ = 0;                // handlers that wait, for the one who starts them
    std::atomic<std::uint32_t> reporters_{1};  // handlers left to report; first, we who start them
    std::atomic<promise*> ended_{nullptr};     // the last one first
    promise* to_report_ = nullptr;             // the first one first
};

/// See `notify_sequential`.
template <class Event, class SnapshotPolicy, class OrderingPolicy, class PanicPolicy,
          class AllocPolicy>
class [[nodiscard]] basic_async_registry<Event, SnapshotPolicy, OrderingPolicy, PanicPolicy,
                                         AllocPolicy>::notify_in_turn : public operation
{
    using base = operation;

public:
    /// Runs the handlers until one waits. Whether all have ended.
    bool await_ready()
    {
        this->registry_.store_.read([this](root const& r) { begin(r); });
        return this->handlers_ == nullptr;
    }

    /// Whether the one who awaits has to wait.
    bool await_suspend(std::coroutine_handle<> h) noexcept
    {
        this->caller_ = h;
        return waits_for(*this->handlers_);
    }

    /// The result.
    result_type await_resume() { return this->result(); }

private:
    friend class basic_async_registry;
    using base::base;

    BOOST_FORCEINLINE void begin(root const& r)
    {
        async::detail::activated const here(&this->where_);
        typename base::scope_of_read const s(*this, r);
        typename root::extent const seen = r.look();
        if (seen.is_flat()) [[likely]] {
            next_ = r.rows().entries;
            end_ = next_ + seen.flat_size();
        } else {
            parts_ = typename root::chunk_range(r, seen);
            next_part();
        }
        if (promise* const p = run(r)) [[unlikely]] {
            this->keep(*p, at{&r, part_, next_ - 1});
            this->hold(r);
            return;
        }
        this->conclude_at_once();
    }

    void next_part() noexcept
    {
        std::uint32_t n = 0;
        part_ = &parts_.next(n);
        next_ = part_->rows().entries;
        end_ = next_ + n;
    }

    /// Runs handlers until one waits, which is returned; null at the end.
    BOOST_FORCEINLINE promise* run(root const& r)
    {
        for (;;) {
            while (next_ != end_) {
                if (this->stopped()) [[unlikely]]
                    return nullptr;
                if (promise* const p = this->start(at{&r, part_, next_++})) [[unlikely]]
                    return p;
            }
            if (parts_.empty())
                return nullptr;
            next_part();
        }
    }

    /// The same after a handler has waited.
    promise* run_on() noexcept
    {
        async::detail::activated const here(&this->where_);
        if (this->escaped_ != nullptr)
            return nullptr;  // an exception that leaves the panic policy ends the notify
        BOOST_TRY
        {
            if (promise* const p = run(*this->root_)) {
                this->keep(*p, at{this->root_, part_, next_ - 1});
                return p;
            }
        }
        BOOST_CATCH(...)
        {
            this->escaped_ = std::current_exception();
        }
        BOOST_CATCH_END
        return nullptr;
    }

    /// Waits for this handler and runs those after it. Whether one of them waits: then we may be
    /// gone. A loop: handlers that end at once need no stack.
    bool waits_for(promise& first) noexcept
    {
        for (promise* p = &first; p != nullptr; p = run_on()) {
            if (p->call_at_end(&ended, this))
                return true;
            this->report(*p);
        }
        return false;
    }

    /// A handler has ended, on any thread.
    static std::coroutine_handle<> ended(promise& p) noexcept
    {
        auto& self = *static_cast<notify_in_turn*>(p.argument());
        self.report(p);
        if (promise* const next = self.run_on(); next != nullptr && self.waits_for(*next))
            return std::noop_coroutine();
        return self.caller_goes_on();
    }

    entry const* next_ = nullptr;
    entry const* end_ = nullptr;        // of the table
    chunk const* part_ = nullptr;       // that the table is, when there are several
    typename root::chunk_range parts_;  // the later ones
};

/// See `next`.
template <class Event, class SnapshotPolicy, class OrderingPolicy, class PanicPolicy,
          class AllocPolicy>
class [[nodiscard]] basic_async_registry<Event, SnapshotPolicy, OrderingPolicy, PanicPolicy,
                                         AllocPolicy>::next_event
{
public:
    next_event(next_event const&) = delete;
    next_event& operator=(next_event const&) = delete;

    /// Destroyed while it waits, it waits no more.
    ~next_event()
    {
        if (shared_ != nullptr) {
            bool const there = shared_->leave();
            BOOST_ASSERT_MSG(there,
                             "registry_io: the coroutine that awaits next() is destroyed while "
                             "another thread resumes it");
            static_cast<void>(there);
        }
    }

    /// For tasks: where the one who awaits stands.
    void set_context(context const* c) noexcept { env_ = c == nullptr ? nullptr : c->env; }

    /// Nothing is known before it is registered.
    bool await_ready() const noexcept { return false; }

    /// Registers the handler. False when there is an event already.
    bool await_suspend(std::coroutine_handle<> h)
    {
        async::executor_ref const none;
        auto s = std::make_shared<shared>(h, env_ != nullptr ? env_->executor() : none);
        guard_ = registry_.register_guard(listener{s});
        if (env_ != nullptr && env_->stop().stop_possible())
            on_stop_.emplace(env_->stop(), stopping{s});
        shared_ = std::move(s);
        // From here on we may be resumed, and gone.
        return shared_->arm();
    }

    /// The event, or nothing when a stop was requested. Throws what copying the event threw.
    std::optional<Event> await_resume()
    {
        on_stop_.reset();
        guard_.reset();
        return std::exchange(shared_, nullptr)->take();
    }

private:
    friend class basic_async_registry;

    static_assert(std::is_copy_constructible_v<Event> && std::is_move_constructible_v<Event>,
                  "registry_io: next() returns a copy of the event, and this one cannot be copied");

    explicit next_event(basic_async_registry& r) noexcept : registry_(r) {}

    using shared = async::detail::next_state<Event>;

    struct listener
    {
        std::shared_ptr<shared> s;

        void operator()(Event const& event) const
        {
            // The one who awaits may let go of it, and so of us, while we are at it.
            if (s->claim())
                shared::end(s, &event);
        }
    };

    struct stopping
    {
        std::shared_ptr<shared> s;
        void operator()() const
        {
            if (s->claim())
                shared::end(s, nullptr);
        }
    };

    basic_async_registry& registry_;
    async::environment const* env_ = nullptr;
    std::shared_ptr<shared> shared_;
    async_handler_guard guard_;
    std::optional<std::stop_callback<stopping>> on_stop_;
};

/// Changes that are to be applied together; what `update` hands to its function. As in
/// `basic_registry`.
template <class Event, class SnapshotPolicy, class OrderingPolicy, class PanicPolicy,
          class AllocPolicy>
class basic_async_registry<Event, SnapshotPolicy, OrderingPolicy, PanicPolicy,
                           AllocPolicy>::transaction
{
public:
    transaction(transaction const&) = delete;
    transaction& operator=(transaction const&) = delete;

    /// Adds a handler when the transaction ends. Returns the id that it is going to have.
    template <class F>
    handler_id register_handler(F&& f)
    {
        if constexpr (async::detail::check_handler<std::decay_t<F>, Event>())
            return of_base_.register_handler(wrap(std::forward<F>(f)));
        else
            return {};
    }

    /// Adds a handler with a key, or a member function with its object; otherwise as above.
    template <class Key, class F>
    handler_id register_handler(Key&& priority, F&& f)
    {
        if constexpr (registry_io::detail::is_member_not_key<key_type, Key&&>)
            return register_handler(registry_io::detail::bind_member<Event, async::environment>(
                priority, std::forward<F>(f)));
        else if constexpr (registry_io::detail::check_key<key_type, Key&&, F, Event>()) {
            if constexpr (async::detail::check_handler<std::decay_t<F>, Event>())
                return of_base_.register_handler(std::forward<Key>(priority),
                                                 wrap(std::forward<F>(f)));
        }
        return {};
    }

    /// Adds a member function and its object as a handler with a key; otherwise as above.
    template <class Key, class Member, class Object>
        requires std::is_member_pointer_v<Member>
    handler_id register_handler(Key&& priority, Member member, Object&& object)
    {
        return register_handler(std::forward<Key>(priority),
                                registry_io::detail::bind_member<Event, async::environment>(
                                    member, std::forward<Object>(object)));
    }

    /// Removes a handler when the transaction ends.
    void unregister(handler_id id) { of_base_.unregister(id); }

    /// Removes, when the transaction ends, all handlers that are registered then.
    void clear() noexcept { of_base_.clear(); }

private:
    friend class basic_async_registry;
    explicit transaction(typename basic_async_registry::base::transaction& t) noexcept : of_base_(t)
    {
    }

    typename basic_async_registry::base::transaction& of_base_;
};

}  // namespace v1
}  // namespace registry_io

#endif
