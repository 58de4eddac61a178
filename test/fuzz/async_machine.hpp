// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Like machine.hpp, for registries whose handlers are coroutines. On one thread, notifies begin,
// wait, continue in any order and are given up, while handlers come and go and others wait for the
// next event.

#ifndef REGISTRY_IO_TEST_FUZZ_ASYNC_MACHINE_HPP
#define REGISTRY_IO_TEST_FUZZ_ASYNC_MACHINE_HPP

#include <algorithm>
#include <coroutine>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <exception>
#include <memory>
#include <optional>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

#include <registry_io/panic/propagate.hpp>
#include <registry_io/presets/async.hpp>

#include "async/support.hpp"
#include "fuzz/program.hpp"

namespace fuzz {

struct flight;

/// Identifies its notify to the handlers.
struct async_event
{
    flight* of;
};

/// A notify that has begun, and what it has to do.
struct flight
{
    async_event event{this};
    bool in_turn = false;
    flight* outer = nullptr;            ///< the notify whose handler awaits this one
    std::vector<std::size_t> snapshot;  ///< tags, in order
    std::size_t begun = 0;
    std::size_t ended = 0;
    std::size_t thrown = 0;
    bool over = false;
    std::optional<test::foreign> caller;

    flight& outermost() noexcept { return outer == nullptr ? *this : outer->outermost(); }
};

template <class Registry>
class async_machine
{
    using tag = std::size_t;
    using result = typename Registry::result_type;

    static constexpr std::size_t deepest = 6;
    static constexpr std::size_t most_handlers = 200;
    static constexpr std::size_t most_flights = 40;
    static constexpr bool reports = Registry::panic_policy::reports;
    static constexpr bool propagates =
        std::is_same_v<typename Registry::panic_policy, registry_io::panic::propagate>;

    enum class kind : unsigned char { plain, ends_at_once, waits, notifies };

    struct handler
    {
        kind is = kind::plain;
        int key = 0;
        unsigned waits = 0;
        bool acts = false;
        bool throws = false;
        bool listens = false;  ///< a coroutine that awaits the next event, not a handler
        bool heard = false;    ///< has got its event, or no longer wants one
        registry_io::handler_id id;
        bool registered = false;
        bool alive = false;
        unsigned inside = 0;
        std::size_t thrown = 0, abandoned = 0;
        std::size_t reported = 0, reported_abandoned = 0;
        std::optional<test::foreign> caller;
    };

    struct failure
    {
        tag who;
    };

    /// Captures that report their destruction.
    class token
    {
    public:
        token(async_machine& m, tag who) : machine_(m), who_(who)
        {
            ++machine_.living_;
            machine_.handlers_[who_].alive = true;
        }
        token(token const&) = delete;
        token& operator=(token const&) = delete;
        ~token()
        {
            handler& h = machine_.handlers_[who_];
            demand(h.alive, "captures are destroyed twice");
            demand(h.inside == 0, "captures are destroyed inside their handler");
            demand(!h.registered || machine_.registry_ == nullptr,
                   "captures of a registered handler are destroyed");
            h.alive = false;
            --machine_.living_;
        }

    private:
        async_machine& machine_;
        tag who_;
    };

    /// A call of a handler. It is stored in the coroutine's frame, and notices if the frame is
    /// destroyed before the call has ended.
    class call
    {
    public:
        call(async_machine& m, flight& f, tag who) : machine_(m), flight_(f), who_(who)
        {
            m.called(f, who);
            ++m.handlers_[who].inside;
        }
        call(call const&) = delete;
        call& operator=(call const&) = delete;
        ~call()
        {
            --machine_.handlers_[who_].inside;
            if (!has_ended_)
                ++machine_.handlers_[who_].abandoned;
        }

        void end()
        {
            has_ended_ = true;
            ++flight_.ended;
            handler& h = machine_.handlers_[who_];
            if (!h.throws)
                return;
            ++h.thrown;
            ++flight_.thrown;
            throw failure{who_};
        }

    private:
        async_machine& machine_;
        flight& flight_;
        tag who_;
        bool has_ended_ = false;
    };

    /// `co_await waiter(...)` continues when the program says so.
    class waiter
    {
    public:
        waiter(async_machine& m, flight& f) noexcept : machine_(m), flight_(f) {}
        waiter(waiter const&) = delete;
        waiter& operator=(waiter const&) = delete;
        ~waiter() { std::erase(machine_.waiting_, this); }
        bool await_ready() const noexcept { return false; }
        void await_suspend(std::coroutine_handle<> h)
        {
            coroutine_ = h;
            machine_.waiting_.push_back(this);
        }
        void await_resume() const noexcept {}

    private:
        friend class async_machine;
        async_machine& machine_;
        flight& flight_;
        std::coroutine_handle<> coroutine_;
    };

public:
    async_machine(char const* name, unsigned char const* data, std::size_t size)
        : program_(data, size)
    {
        name_ = name;
    }

    void run()
    {
        registry_ = std::make_unique<Registry>();
        handlers_.emplace_back();  // tag 0 is no handler
        if constexpr (reports)
            registry_->on_panic([this](registry_io::panic_info const& i) { reported(i); });
        while (more())
            step();
        bool const gives_up = operations_ % 2 == 0;
        while (gives_up && !flights_.empty()) {
            flights_.front()->caller.reset();
            flights_.pop_front();
        }
        while (!waiting_.empty())
            resume(0);
        for (auto const& f : flights_)
            demand(f->over, "a notify has not ended");
        flights_.clear();
        for (handler& h : handlers_)
            stop_listening(h);
        settle();
        registry_.reset();
        demand(living_ == 0, "captures outlive their registry");
    }

    unsigned long long operations() const noexcept { return operations_; }

private:
    bool more() const noexcept { return program_.more(); }
    unsigned next() noexcept { return program_.next(); }
    std::size_t below(std::size_t n) { return (next() * 256 + next()) % n; }

    static void demand(bool holds, char const* what)
    {
        if (holds)
            return;
        std::fprintf(stderr, "%s: %s\n", name_, what);
        std::abort();
    }

    void step()
    {
        bool const outermost = depth_++ == 0;
        ++operations_;
        switch (next() % 14) {
        case 0:
        case 1:
        case 2:
            add();
            break;
        case 3:
            remove(below(handlers_.size()));
            break;
        case 4:
        case 5:
        case 6:
            notify();
            break;
        case 7:
        case 8:
        case 9:
            if (!waiting_.empty())
                resume(below(waiting_.size()));
            break;
        case 10:
            give_up();
            break;
        case 11:
            update();
            break;
        case 12:
            if (next() % 2 == 0)
                listen();
            else
                stop_listening(handlers_[below(handlers_.size())]);
            break;
        default:
            if (unsigned const what = next(); what % 8 == 0)
                clear();
            else
                synchronize();
            break;
        }
        --depth_;
        if (outermost)
            settle();
    }

    /// Called when no coroutine is running; some may be waiting.
    void settle()
    {
        std::erase_if(flights_, [](auto const& f) { return f->over; });
        agree();
        std::size_t registered = 0;
        for (handler const& h : handlers_) {
            registered += h.registered && !h.listens;
            if (!reports)
                continue;
            demand(h.reported == h.thrown, "failures are not reported once each");
            demand(h.reported_abandoned == h.abandoned,
                   "handlers that are given up are not reported once each");
        }
        demand(living_ >= registered, "captures of a registered handler are destroyed");
        if (flights_.empty())
            demand(living_ == registered, "the wrong number of captures is alive");
    }

    std::vector<tag> in_order() const
    {
        std::vector<tag> all;
        for (tag t = 0; t != handlers_.size(); ++t)
            if (handlers_[t].registered)
                all.push_back(t);
        std::sort(all.begin(), all.end(), [this](tag a, tag b) {
            int const k = handlers_[a].key;
            int const l = handlers_[b].key;
            return k != l ? k > l : a < b;
        });
        return all;
    }

    void agree()
    {
        std::vector<tag> const all = in_order();
        demand(registry_->size() == all.size(), "size() does not agree");
        demand(registry_->empty() == all.empty(), "empty() does not agree");
        std::size_t i = 0;
        registry_->for_each_handler([&](registry_io::handler_id id, int key) {
            demand(i < all.size(), "for_each_handler visits too many handlers");
            handler& h = handlers_[all[i++]];
            if (h.listens)
                h.id = id;  // learned here: the listener does not know its id
            demand(h.id == id && h.key == key, "for_each_handler does not agree");
        });
        demand(i == all.size(), "for_each_handler visits too few handlers");
    }

    // ----- handlers

    void act(tag who)
    {
        if (handlers_[who].acts && more() && depth_ < deepest)
            for (unsigned n = next() % 3; n != 0 && more(); --n)
                step();
    }

    /// Skips listeners that have already heard an event or no longer want one: they are not called.
    void skip_silent(flight& f)
    {
        for (; f.begun != f.snapshot.size(); ++f.begun, ++f.ended)
            if (handler const& h = handlers_[f.snapshot[f.begun]]; !h.listens || !h.heard)
                return;
    }

    void called(flight& f, tag who)
    {
        demand(!f.over, "a handler is called after its notify has ended");
        skip_silent(f);
        demand(f.begun != f.snapshot.size() && f.snapshot[f.begun] == who,
               "a handler is called out of turn");
        demand(!f.in_turn || f.begun == f.ended, "a handler is called before its turn");
        ++f.begun;
        handler const& h = handlers_[who];
        demand(h.listens || h.alive, "a handler is called after its captures were destroyed");
    }

    tag make()
    {
        unsigned const look = next();
        tag const who = handlers_.size();
        handler& h = handlers_.emplace_back();
        h.is = static_cast<kind>(look % 4);
        h.key = static_cast<int>(look / 4 % 4) - 1;
        h.acts = (look & 16) != 0;
        h.throws = (look & 96) == 96;
        h.waits = 1 + look / 128;
        return who;
    }

    template <class To>
    void add_to(To& to, tag who)
    {
        auto held = std::make_shared<token>(*this, who);
        handler& h = handlers_[who];
        switch (h.is) {
        case kind::plain:
            h.id = to.register_handler(h.key, [this, who, held](async_event const& e) {
                call c(*this, *e.of, who);
                act(who);
                c.end();
            });
            break;
        case kind::ends_at_once:
            h.id =
                to.register_handler(h.key, [this, who, held](async_event const& e) -> test::task<> {
                    call c(*this, *e.of, who);
                    act(who);
                    c.end();
                    co_return;
                });
            break;
        case kind::waits:
            h.id =
                to.register_handler(h.key, [this, who, held](async_event const& e) -> test::task<> {
                    flight& f = *e.of;
                    call c(*this, f, who);
                    act(who);
                    for (unsigned n = handlers_[who].waits; n != 0; --n) {
                        co_await waiter(*this, f);
                        demand(e.of == &f && held.use_count() > 0,
                               "the event or the captures are gone while a handler waits");
                        act(who);
                    }
                    c.end();
                });
            break;
        case kind::notifies:
            h.id =
                to.register_handler(h.key, [this, who, held](async_event const& e) -> test::task<> {
                    flight& f = *e.of;
                    call c(*this, f, who);
                    if (flight* const inner = begin(&f); inner != nullptr) {
                        co_await awaiting(*inner);
                        demand(e.of == &f && held.use_count() > 0,
                               "the event or the captures are gone while a handler waits");
                    }
                    act(who);
                    c.end();
                });
            break;
        default:
            break;
        }
    }

    void reported(registry_io::panic_info const& i)
    {
        tag who = 0;
        for (tag t = 1; t != handlers_.size(); ++t)
            if (handlers_[t].id == i.handler_id())
                who = t;
        demand(who != 0, "a failure is reported for no handler");
        handler& h = handlers_[who];
        try {
            std::rethrow_exception(i.exception());
        } catch (failure const& f) {
            demand(f.who == who, "a failure is reported for another handler");
            ++h.reported;
        } catch (registry_io::async::abandoned const&) {
            ++h.reported_abandoned;
        }
    }

    // ----- operations

    void add()
    {
        if (in_order().size() >= most_handlers)
            return;
        tag const who = make();
        add_to(*registry_, who);
        handlers_[who].registered = true;
    }

    void remove(tag who)
    {
        handler& h = handlers_[who];
        if (h.listens)
            return;  // an id that is not known
        bool const expected = std::exchange(h.registered, false);
        demand(registry_->contains(h.id) == expected, "contains() does not agree");
        demand(registry_->unregister(h.id) == expected, "unregister() does not agree");
    }

    void clear()
    {
        std::size_t const expected = in_order().size();
        for (handler& h : handlers_)
            h.registered = false;
        demand(registry_->clear() == expected, "clear() does not agree");
    }

    void update()
    {
        unsigned const look = next();
        if (in_order().size() + 4 >= most_handlers)
            return;
        std::vector<tag> added, removed;
        for (unsigned n = look % 4; n != 0; --n)
            added.push_back(make());
        for (unsigned n = look / 4 % 4; n != 0; --n)
            if (tag const who = below(handlers_.size() - added.size()); !handlers_[who].listens)
                removed.push_back(who);
        std::size_t unregistered = 0;
        for (tag const who : removed)
            unregistered += std::exchange(handlers_[who].registered, false);
        for (tag const who : added)
            handlers_[who].registered = true;
        auto const did = registry_->update([&](auto& tx) {
            for (tag const who : added)
                add_to(tx, who);
            for (tag const who : removed)
                tx.unregister(handlers_[who].id);
        });
        demand(did.registered == added.size() && did.unregistered == unregistered,
               "update() does not agree");
    }

    flight* begin(flight* outer)
    {
        if (flights_.size() >= most_flights)
            return nullptr;
        flight& f = *flights_.emplace_back(std::make_unique<flight>());
        f.outer = outer;
        f.in_turn = next() % 2 == 0;
        f.snapshot = in_order();
        return &f;
    }

    test::task<> awaiting(flight& f)
    {
        // If the awaiting coroutine is destroyed before the notify ends, the notify has been given
        // up.
        struct ending
        {
            flight& f;
            ~ending() { f.over = true; }
        } const e{f};
        bool threw = false;
        std::size_t collected = 0;
        try {
            if constexpr (std::is_void_v<result>) {
                if (f.in_turn)
                    co_await registry_->notify_sequential(f.event);
                else
                    co_await registry_->notify(f.event);
            } else if (f.in_turn) {
                result const r = co_await registry_->notify_sequential(f.event);
                collected = r.size() + r.more();
            } else {
                result const r = co_await registry_->notify(f.event);
                collected = r.size() + r.more();
            }
        } catch (failure const&) {
            threw = true;
        }
        skip_silent(f);
        demand(f.begun == f.snapshot.size(), "a notify did not call its snapshot");
        demand(f.ended == f.begun, "a notify ends before its handlers");
        demand(threw == (propagates && f.thrown != 0),
               "notify does not propagate failures as its policy says");
        if constexpr (!std::is_void_v<result>)
            demand(collected == f.thrown, "failures are not collected");
    }

    test::foreign drive(flight& f) { co_await awaiting(f); }

    void notify()
    {
        flight* const f = begin(nullptr);
        if (f == nullptr)
            return;
        running_.push_back(f);
        f->caller.emplace(drive(*f));
        running_.pop_back();
        if (f->over)
            return;
        skip_silent(*f);
        demand(f->in_turn || f->begun == f->snapshot.size(), "a notify does not begin all at once");
    }

    void resume(std::size_t i)
    {
        waiter* const w = waiting_[i];
        waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(i));
        running_.push_back(&w->flight_.outermost());
        w->coroutine_.resume();
        running_.pop_back();
    }

    /// Destroys a caller whose notify is waiting and does not run below us on the stack.
    void give_up()
    {
        if (flights_.empty())
            return;
        flight& f = *flights_[below(flights_.size())];
        if (f.over || !f.caller ||
            std::find(running_.begin(), running_.end(), &f) != running_.end())
            return;
        f.caller.reset();
        demand(f.over, "a caller is gone but its notify is not");
    }

    test::foreign listening(tag who)
    {
        std::optional<async_event> const e = co_await registry_->next();
        demand(e.has_value(), "next() returns no event without a stop request");
        handler& h = handlers_[who];
        h.registered = false;
        demand(!h.heard, "a listener gets a second event");
        called(*e->of, who);
        h.heard = true;
        flight& f = *e->of;
        act(who);
        ++f.ended;
    }

    void listen()
    {
        if (in_order().size() >= most_handlers)
            return;
        tag const who = handlers_.size();
        handler& h = handlers_.emplace_back();
        h.listens = true;
        h.acts = next() % 2 == 0;
        h.registered = true;
        h.caller.emplace(listening(who));
    }

    void stop_listening(handler& h)
    {
        if (!h.listens || std::exchange(h.heard, true))
            return;
        h.registered = false;
        h.caller.reset();
    }

    void synchronize()
    {
        bool const inside = !running_.empty();
        bool const waits =
            std::any_of(flights_.begin(), flights_.end(), [](auto const& f) { return !f->over; });
        if (!inside && waits)
            return;  // it would wait for ever
        bool refused = false;
        try {
            registry_->synchronize();
        } catch (std::system_error const& e) {
            demand(e.code() == std::errc::resource_deadlock_would_occur,
                   "an unexpected error code");
            refused = true;
        }
        demand(refused == inside,
               refused ? "waiting is refused outside a handler"
                       : "waiting is not refused inside a handler");
    }

    inline static char const* name_ = "";
    program program_;
    std::deque<handler> handlers_;
    std::deque<std::unique_ptr<flight>> flights_;
    std::vector<flight*> running_;  // the outermost ones, whose handlers are on the stack
    std::vector<waiter*> waiting_;
    std::size_t living_ = 0;
    std::size_t depth_ = 0;
    unsigned long long operations_ = 0;
    std::unique_ptr<Registry> registry_;
};

}  // namespace fuzz

#endif
