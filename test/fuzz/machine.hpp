// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Turns any string of bytes into a program of operations on a registry and, step by step, on a
// naive model beside it. Handlers, transactions, callbacks and the destructors of captures consume
// the same string, so operations nest in every way. Allocations and comparisons fail where the
// string says so. Any disagreement is reported on stderr and ends the program.

#ifndef REGISTRY_IO_TEST_FUZZ_MACHINE_HPP
#define REGISTRY_IO_TEST_FUZZ_MACHINE_HPP

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "fuzz/program.hpp"
#include "laws_subject.hpp"

namespace fuzz {

using registry_io::handler_guard;
using registry_io::handler_id;
using registry_io::panic_info;
using test::changes;
using test::combination;
using test::event;
using test::function;
using test::panics;
using test::subject;

/// Thrown by a comparison that is made to fail.
struct comparison_failed : std::exception
{
};

/// A key that is stored in the handler's block, since copying it may fail. Its comparison can be
/// made to fail.
struct fussy_key
{
    fussy_key() : fussy_key(0) {}
    fussy_key(int v) : value(v), text(40, static_cast<char>('m' - v)) {}
    operator int() const { return value; }

    inline static thread_local long fails_in = -1;

    int value;
    std::string text;  // too long for the small buffer of a string
};

struct fussy_before
{
    bool operator()(fussy_key const& a, fussy_key const& b) const
    {
        if (fussy_key::fails_in >= 0 && fussy_key::fails_in-- == 0)
            throw comparison_failed();
        return a.text < b.text;
    }
};

/// Suspends the failures while the machine's own code runs.
class untroubled
{
public:
    untroubled() noexcept
        : memory_(std::exchange(test::detail::fails_in, -1)),
          has_failed_(test::detail::has_failed),
          comparison_(std::exchange(fussy_key::fails_in, -1))
    {
    }
    untroubled(untroubled const&) = delete;
    untroubled& operator=(untroubled const&) = delete;
    ~untroubled()
    {
        test::detail::fails_in = memory_;
        test::detail::has_failed = has_failed_;
        fussy_key::fails_in = comparison_;
    }

private:
    long memory_;
    bool has_failed_;
    long comparison_;
};

/// Counts the operations of one kind that are in progress.
class counted
{
public:
    explicit counted(std::size_t& n) noexcept : n_(n) { ++n_; }
    counted(counted const&) = delete;
    counted& operator=(counted const&) = delete;
    ~counted() { --n_; }

private:
    std::size_t& n_;
};

class machine
{
    using tag = std::size_t;

    static constexpr std::size_t deepest = 9;      // deeper than a thread has slots
    static constexpr unsigned longest_chain = 24;  // of nested notifies
    /// Whether registries are destroyed inside their own handlers and the destructors of their
    /// captures.
    static constexpr bool destroys_from_within = true;
    static constexpr std::size_t most_handlers = 400;

    struct row
    {
        int key;
        tag who;  // tags are assigned in the order of ids
        friend bool operator<(row const& a, row const& b)
        {
            return a.key != b.key ? a.key > b.key : a.who < b.who;
        }
    };

    enum class kind : unsigned char { word, plain, large, guarded, callback };

    struct handler
    {
        kind is = kind::word;
        bool acts = false;         ///< runs operations when it is called
        bool acts_at_end = false;  ///< runs operations when its captures are destroyed
        bool throws = false;       ///< in each call
        bool throws_once = false;
        bool once = false;      ///< removes itself in its first call, and acts when it is destroyed
        bool alive = false;     ///< whether its captures are
        unsigned inside = 0;    ///< calls in progress
        unsigned failures = 0;  ///< in a row
        int key = 0;
        unsigned life = 0;  ///< of the registry for which it was made
        handler_id id;
    };

    /// A walk over a snapshot that is in progress, and what it still has to call.
    struct walk
    {
        std::vector<tag> snapshot;
        std::size_t at = 0;
        tag callback = 0;
        std::size_t thrown = 0;
        std::size_t reported = 0;
        unsigned life = 0;  ///< of the registry whose snapshot it is
    };

    /// A change that has been made to the model, and not yet to the registry.
    struct change
    {
        std::vector<row> added;
        std::vector<row> removed;
        tag callback = 0;
        bool sets_callback = false;
        std::size_t room = 0;  ///< the greatest number of rows while it is made
        int exceptions = std::uncaught_exceptions();
        bool undone = false;
        unsigned life = 0;  ///< of the registry that is changed
        change* outer = nullptr;
    };

    /// Captures that report their destruction.
    class token
    {
    public:
        token(machine& m, tag who) : machine_(m), who_(who) { machine_.born(who_); }
        token(token const&) = delete;
        token& operator=(token const&) = delete;
        ~token() { machine_.gone(who_); }

    private:
        machine& machine_;
        tag who_;
    };

    struct word_target : test::word::target
    {
        word_target(machine& m, tag w) : test::word::target{&call_it}, self(m), who(w) {}
        static void call_it(test::word::target& t, event const&)
        {
            auto& w = static_cast<word_target&>(t);
            w.self.called(w.who);
        }
        machine& self;
        tag who;
    };

public:
    machine(combination const& c, unsigned char const* data, std::size_t size)
        : of_(c), program_(data, size)
    {
    }

    void run()
    {
        handlers_.emplace_back();  // tag 0 is no handler
        start();
        while (more())
            step();
        bool const guards_first = next() % 2 == 0 || of_.capacity != 0;
        if (guards_first)
            for (handler_guard& g : guards_)
                g.release();
        program_.skip_rest();  // destructors do nothing more, since the registry is being destroyed
        registry_.reset();
        guards_.clear();
        demand(living_ == 0, "captures outlive their registry");
        demand(memory_.blocks() == 0 && memory_.bytes() == 0, "memory outlives its registry");
    }

    unsigned long long operations() const noexcept { return operations_; }

private:
    // ----- the program

    bool more() const noexcept { return program_.more(); }
    unsigned next() noexcept { return program_.next(); }

    void demand(bool holds, char const* what) const
    {
        if (holds)
            return;
        std::fprintf(stderr, "%s: %s\n", of_.name.c_str(), what);
        std::abort();
    }

    void start()
    {
        registry_ = of_.capacity != 0 || !of_.piece ? of_.make(memory_) : of_.make_small();
        registry_->log_to([](std::string_view) {});
        set_callback();
    }

    bool reading() const noexcept { return !walks_.empty() || visits_ != 0; }

    void step()
    {
        if (registry_ == nullptr)
            return;
        bool const outermost = depth_++ == 0;
        ++operations_;
        operate();
        --depth_;
        // Nothing is in flight: exactly what was removed has been destroyed.
        if (outermost) {
            chain_ = 0;
            if (registry_ == nullptr) {
                demand(living_ == 0, "captures outlive the registry and its last notify");
                start();
            }
            std::size_t expected = callback_ != 0;
            for (row const& r : rows_)
                expected += handlers_[r.who].is != kind::word;
            demand(living_ == expected, "the wrong number of captures is alive");
            agree();
        }
    }

    void operate()
    {
        switch (next() % 20) {
        case 0:
        case 1:
        case 2:
            add(next());
            break;
        case 3:
            add_many();
            break;
        case 4:
        case 5:
            remove(some());
            break;
        case 6:
            remove_many();
            break;
        case 7:
            remove_and_wait(some());
            break;
        case 8:
            switch (next() % 4) {
            case 0:
                clear();
                break;
            case 1:
                add(next(), true);
                break;
            case 2:
                // The next notifies nest this deep before any other handler is called.
                chain_ = next() % (longest_chain + 1);
                notify();
                break;
            default:
                destroy();
                break;
            }
            break;
        case 9:
        case 10:
        case 11:
            notify();
            break;
        case 12:
        case 13:
            update();
            break;
        case 14:
            visit();
            break;
        case 15:
            synchronize();
            break;
        case 16:
            drop_guard();
            break;
        case 17:
            agree();
            break;
        case 18:
            set_callback();
            break;
        case 19:
            // Makes the next operation fail, if it gets that far.
            if (next() % 4 == 0)
                comparison_fails_in_ = static_cast<long>(next() % 8);
            else
                memory_fails_in_ = static_cast<long>(next() % 12);
            break;
        default:
            break;
        }
    }

    // ----- the model

    std::size_t find(tag who) const
    {
        std::size_t i = 0;
        while (i != rows_.size() && rows_[i].who != who)
            ++i;
        return i;
    }
    bool registered(tag who) const { return find(who) != rows_.size(); }
    void put(row const& r) { rows_.insert(std::upper_bound(rows_.begin(), rows_.end(), r), r); }
    void take(tag who)
    {
        if (std::size_t const i = find(who); i != rows_.size())
            rows_.erase(rows_.begin() + static_cast<std::ptrdiff_t>(i));
    }

    tag some() { return (next() * 256 + next()) % handlers_.size(); }

    void agree()
    {
        untroubled const in_peace;
        demand(registry_->size() == rows_.size(), "size() does not agree");
        demand(registry_->empty() == rows_.empty(), "empty() does not agree");
        std::size_t i = 0;
        registry_->each([&](handler_id id, int key) {
            demand(i < rows_.size(), "for_each_handler visits too many handlers");
            handler const& h = handlers_[rows_[i++].who];
            demand(h.id == id && h.key == key, "for_each_handler does not agree");
        });
        demand(i == rows_.size(), "for_each_handler visits too few handlers");
        tag const who = handlers_.size() / 2;
        demand(registry_->contains(handlers_[who].id) == registered(who), "contains() disagrees");
    }

    /// Restores the model after the registry has refused a change.
    void undo(change& c)
    {
        if (std::exchange(c.undone, true) || c.life != life_)
            return;
        for (row const& r : c.added)
            take(r.who);
        for (row const& r : c.removed)
            put(r);
        if (c.sets_callback)
            callback_ = c.callback;
    }

    /// Runs a writer's operation whose result is already in the model. Returns whether it
    /// succeeded; otherwise restores the model.
    template <class F>
    bool attempt(change& c, F f)
    {
        c.outer = std::exchange(changes_, &c);
        c.life = life_;
        bool done = false;
        bool excused = of_.capacity != 0 || of_.piece;
        long const comparison = std::exchange(comparison_fails_in_, -1);
        try {
            untroubled const at_the_end;  // restores the failures at the end
            fussy_key::fails_in = comparison;
            test::failing_allocation const memory(std::exchange(memory_fails_in_, -1));
            try {
                f();
                done = true;
            } catch (...) {
                excused = excused || memory.has_failed();
                throw;
            }
        } catch (std::bad_alloc const&) {
            demand(excused, "bad_alloc for no reason");
        } catch (std::length_error const&) {
            demand(of_.capacity != 0, "length_error for no reason");
            demand(c.room > of_.capacity, "length_error with room left");
        } catch (comparison_failed const&) {
        }
        if (!done)
            undo(c);
        changes_ = c.outer;
        return done;
    }

    // ----- captures

    void born(tag who)
    {
        ++living_;
        handlers_[who].alive = true;
    }

    void gone(tag who)
    {
        untroubled const in_peace;
        handler& h = handlers_[who];
        demand(h.alive, "captures are destroyed twice");
        demand(h.inside == 0, "captures are destroyed inside their handler");
        h.alive = false;
        --living_;
        // The current change has failed, and the handler that it should have added is destroyed.
        if (changes_ != nullptr && std::uncaught_exceptions() > changes_->exceptions)
            undo(*changes_);
        if (registry_ != nullptr) {
            demand(!registered(who) && callback_ != who,
                   "captures of a registered handler are destroyed");
        }
        for (walk const* w : walks_)
            for (std::size_t i = w->at; i < w->snapshot.size(); ++i)
                demand(w->snapshot[i] != who, "captures are destroyed before a call");
        if (!h.acts_at_end || !more() || depth_ >= deepest)
            return;
        ++destructions_;
        if (handlers_[who].once) {
            // The rest of the running removal meets a registration, a removal and a notify.
            ++depth_;
            add(next());
            remove(some());
            notify();
            --depth_;
        }
        step();
        --destructions_;
    }

    // ----- handlers

    void called(tag who)
    {
        untroubled const in_peace;
        demand(!walks_.empty(), "a handler is called outside a notify");
        walk& w = *walks_.back();
        demand(w.at < w.snapshot.size() && w.snapshot[w.at] == who,
               "a handler is called out of turn");
        ++w.at;
        demand(handlers_[who].is == kind::word || handlers_[who].alive,
               "a handler is called after its captures were destroyed");
        ++handlers_[who].inside;
        if (chain_ != 0 && w.at == 1) {
            --chain_;
            notify();
        }
        if (handlers_[who].once) {
            if (handlers_[who].is == kind::large && more() && depth_ < deepest) {
                ++depth_;
                update();
                --depth_;
            }
            if (handlers_[who].is == kind::guarded)
                drop_guard_of(who);
            else
                remove(who);
        }
        if (handlers_[who].acts && more() && depth_ < deepest)
            for (unsigned n = next() % 3; n != 0 && more(); --n)
                step();
        handler& h = handlers_[who];
        --h.inside;
        if (!h.throws && !std::exchange(h.throws_once, false)) {
            h.failures = 0;
            return;
        }
        ++w.thrown;
        ++h.failures;
        if (of_.panic == panics::quarantines && h.failures >= of_.limit)
            take(who);
        if (who % 2 == 0)
            throw std::runtime_error("as it should");
        throw static_cast<int>(who);
    }

    void reported(tag callback, panic_info const& info)
    {
        untroubled const in_peace;
        walk& w = *walks_.back();
        demand(handlers_[callback].alive, "a callback is called after it was destroyed");
        demand(w.callback == callback, "the callback of another snapshot is called");
        demand(w.at != 0 && handlers_[w.snapshot[w.at - 1]].id == info.handler_id(),
               "a failure is reported for another handler");
        demand(info.exception() != nullptr, "a failure is reported without its exception");
        ++w.reported;
        demand(w.reported == w.thrown, "a failure is not reported at once");
        // Not with quarantine: the model has already removed the handler, the registry has not.
        if (of_.panic != panics::quarantines && handlers_[callback].acts && more() &&
            depth_ < deepest) {
            counted const report(reports_);
            step();
        }
        if (handlers_[callback].throws)
            throw 1;
    }

    // ----- operations

    tag make(kind is, unsigned look)
    {
        tag const who = handlers_.size();
        handler h;
        h.is = is;
        h.life = life_;
        h.acts = (look & 4) != 0;
        h.acts_at_end = (look & 8) != 0;
        h.throws = of_.panic != panics::terminates && (look & 48) == 16;
        h.throws_once = of_.panic != panics::terminates && (look & 48) == 32;
        h.key = of_.keyed ? static_cast<int>(look / 64) - 1 : 0;
        handlers_.push_back(h);
        return who;
    }

    function holding(tag who)
    {
        return
            [this, who, held = std::make_shared<token>(*this, who)](event const&) { called(who); };
    }

    void add(unsigned look, bool once = false)
    {
        if (registry_ == nullptr || rows_.size() >= most_handlers)
            return;
        kind const is = static_cast<kind>(look % 4);
        tag const who = make(is, look);
        handlers_[who].once = once;
        row const r{handlers_[who].key, who};
        if (is == kind::word) {
            words_.emplace_back(*this, who);
            change c;
            c.added.push_back(r);
            put(r);
            c.room = rows_.size();
            handler_id id;
            test::word const w{&words_.back()};
            if (attempt(c, [&] { id = registry_->add_word(r.key, w); }))
                handlers_[who].id = id;
            return;
        }
        function f = holding(who);
        change c;
        c.added.push_back(r);
        if (is == kind::guarded) {
            c.added.back().key = handlers_[who].key = 0;
            put(c.added.back());
            c.room = rows_.size();
            guards_.reserve(guards_.size() + 1);
            handler_guard g;
            if (attempt(c, [&] { g = registry_->guard(std::move(f)); })) {
                handlers_[who].id = g.id();
                guards_.push_back(std::move(g));
            }
            return;
        }
        put(r);
        c.room = rows_.size();
        handler_id id;
        bool const done = attempt(c, [&] {
            id = is == kind::large ? registry_->add_large(r.key, std::move(f))
                                   : registry_->add(r.key, std::move(f));
        });
        if (done)
            handlers_[who].id = id;
    }

    void add_many()
    {
        unsigned const look = next();
        unsigned const n = (look % 4 + 1) * 35;
        // Kinds are types: alternating, all the same, in blocks or in pairs. In their middle some
        // throw, and some act.
        unsigned const longest[] = {1, n, 10, 2};
        unsigned const run = longest[look >> 2 & 3];
        bool const throws = (look & 16) != 0;
        bool const acts = (look & 32) != 0;
        for (unsigned i = 0; i < n; ++i)
            add((look & ~60u) + i / run % 2 + (i % 5 == 0 ? 64 : 0) +
                (throws && i % 9 == 8 ? 16 : 0) + (acts && i % 35 == 20 ? 4 : 0));
    }

    void remove(tag who)
    {
        if (registry_ == nullptr)
            return;
        change c;
        bool const expected = registered(who);
        if (expected)
            c.removed.push_back(rows_[find(who)]);
        take(who);
        bool removed = false;
        if (attempt(c, [&] { removed = registry_->remove(handlers_[who].id); }))
            demand(removed == expected, "unregister() does not agree");
    }

    void remove_many()
    {
        unsigned const look = next();
        std::vector<row> const all = rows_;
        std::size_t const stride = look % 3 + 1;
        for (std::size_t i = look % 7; i < all.size(); i += stride)
            remove(all[(look & 8) != 0 ? i : all.size() - 1 - i].who);
    }

    /// Checks whether waiting was refused exactly where it must be; inside destructors either is
    /// allowed.
    void judge(bool refused) const
    {
        if (destructions_ == 0)
            demand(refused == reading(),
                   refused ? "waiting is refused outside a handler"
                           : "waiting is not refused inside a handler");
    }

    void remove_and_wait(tag who)
    {
        change c;
        unsigned const life = life_;
        bool const expected = registered(who);
        if (expected)
            c.removed.push_back(rows_[find(who)]);
        take(who);
        bool removed = false;
        bool refused = false;
        bool const done = attempt(c, [&] {
            try {
                removed = registry_->remove_and_wait(handlers_[who].id);
            } catch (std::system_error const& e) {
                demand(e.code() == std::errc::resource_deadlock_would_occur,
                       "an unexpected error code");
                refused = true;
            }
        });
        if (!done)
            return;
        if (refused) {
            undo(c);
        } else {
            demand(removed == expected, "unregister_and_wait() does not agree");
            if (removed && destructions_ == 0)
                demand(!handlers_[who].alive, "unregister_and_wait() does not wait");
        }
        // An id that is empty or belongs to a destroyed registry is not checked.
        if (handlers_[who].id && handlers_[who].life == life)
            judge(refused);
    }

    void synchronize()
    {
        change none;
        bool refused = false;
        bool const done = attempt(none, [&] {
            try {
                registry_->synchronize();
            } catch (std::system_error const& e) {
                demand(e.code() == std::errc::resource_deadlock_would_occur,
                       "an unexpected error code");
                refused = true;
            }
        });
        if (done)
            judge(refused);
    }

    void clear()
    {
        change c;
        c.removed = std::exchange(rows_, {});
        std::size_t const expected = c.removed.size();
        std::size_t n = 0;
        if (attempt(c, [&] { n = registry_->clear(); }))
            demand(n == expected, "clear() does not agree");
    }

    /// Destroys the registry. The running notifies finish their snapshots.
    void destroy()
    {
        if constexpr (destroys_from_within) {
            // Memory that lies inside the registry cannot outlive it. Destroying the registry
            // inside a callback, a transaction or a visit of all handlers is not covered here.
            if (of_.capacity != 0 || of_.piece || reports_ != 0 || plans_ != 0 || visits_ != 0)
                return;
            ++life_;
            rows_.clear();
            callback_ = 0;
            registry_.reset();
        }
    }

    void notify()
    {
        if (registry_ == nullptr)
            return;
        walk w;
        w.life = life_;
        for (row const& r : rows_)
            w.snapshot.push_back(r.who);
        w.callback = callback_;
        walks_.push_back(&w);
        change* const outer = std::exchange(changes_, nullptr);
        test::ending const end = registry_->notify(0);
        walks_.pop_back();
        changes_ = outer;
        demand(w.at == w.snapshot.size(), "a notify did not finish its snapshot");
        // A callback is not called for failures of notifies that it makes itself.
        bool const said = of_.reports && w.callback != 0 && reports_ == 0;
        if (w.life == life_)  // a destroyed registry need not report
            demand(w.reported == (said ? w.thrown : 0), "failures are not reported");
        demand(end.threw == (of_.panic == panics::propagates && w.thrown != 0),
               "notify does not propagate failures as its policy says");
        if (of_.panic == panics::collects)
            demand(end.failures.size() + end.more == w.thrown, "failures are not collected");
    }

    /// For the walks that call a function of the machine.
    void visit()
    {
        std::vector<row> const expected = rows_;
        bool const acts = next() % 2 == 0;
        std::size_t i = 0;
        ++visits_;
        registry_->each([&](handler_id id, int key) {
            demand(i < expected.size(), "for_each_handler visits too many handlers");
            handler const& h = handlers_[expected[i++].who];
            demand(h.id == id && h.key == key, "for_each_handler does not agree");
            demand(h.is == kind::word || h.alive, "for_each_handler visits destroyed captures");
            if (acts && i < 4 && more() && depth_ < deepest)
                step();
        });
        --visits_;
        demand(i == expected.size(), "for_each_handler visits too few handlers");
    }

    void drop_guard()
    {
        if (guards_.empty())
            return;
        std::size_t const i = next() % guards_.size();
        if (next() % 4 != 0) {
            reset_guard(i);
            return;
        }
        handler_id const id = guards_[i].id();
        demand(guards_[i].release() == id, "release() does not agree");
        guards_.erase(guards_.begin() + static_cast<std::ptrdiff_t>(i));
    }

    void drop_guard_of(tag who)
    {
        for (std::size_t i = 0; i != guards_.size(); ++i) {
            if (guards_[i].id() == handlers_[who].id) {
                reset_guard(i);
                return;
            }
        }
    }

    void reset_guard(std::size_t i)
    {
        handler_guard g = std::move(guards_[i]);
        guards_.erase(guards_.begin() + static_cast<std::ptrdiff_t>(i));
        tag who = 0;
        for (tag t = 1; t != handlers_.size(); ++t)
            if (handlers_[t].id == g.id())
                who = t;
        change c;
        bool const expected = registered(who);
        if (expected)
            c.removed.push_back(rows_[find(who)]);
        take(who);
        bool removed = false;
        if (attempt(c, [&] { removed = g.reset(); })) {
            demand(removed == expected, "reset() does not agree");
        } else {
            demand(static_cast<bool>(g), "a guard whose reset has failed holds nothing");
            guards_.push_back(std::move(g));
        }
    }

    struct given_up
    {
    };

    void update()
    {
        if (registry_ == nullptr)
            return;
        unsigned const look = next();
        struct plan
        {
            std::vector<row> added;
            std::vector<tag> removed;
            bool clears = false;
        } p;
        change c;
        registry_io::update_result expected;
        registry_io::update_result result;
        bool const gives_up = (look & 3) == 0;
        try {
            // Failures apply to the end of the transaction, and to its registrations.
            bool const done = attempt(c, [&] {
                result = registry_->update([&](changes& tx) {
                    counted const plan(plans_);
                    for (unsigned n = look / 4 % 8; n != 0; --n)
                        plan_one(tx, p);
                    untroubled const in_peace;
                    if (gives_up)
                        throw given_up();
                    expected = apply(p, c);
                });
            });
            if (done)
                demand(result == expected, "update() does not agree");
        } catch (given_up) {
            changes_ = c.outer;
            demand(gives_up, "an unexpected exception");
        }
    }

    template <class Plan>
    void plan_one(changes& tx, Plan& p)
    {
        unsigned look = 0;
        tag who = 0;
        function f;
        {
            untroubled const in_peace;
            look = next();
            p.added.reserve(p.added.size() + 1);
            p.removed.reserve(p.removed.size() + 1);
            switch (look % 8) {
            case 0:
            case 1:
            case 2:
            case 3:
                if (rows_.size() + p.added.size() >= most_handlers)
                    return;
                look = next();
                who = make(kind::plain, look);
                f = holding(who);
                break;
            case 4:
            case 5:
                who = look % 16 < 8 || p.added.empty() ? some()
                                                       : p.added[next() % p.added.size()].who;
                break;
            case 6:
                if (next() % 4 == 0) {
                    tx.clear();
                    p.clears = true;
                }
                return;
            default:
                if (depth_ < deepest && more())
                    step();
                return;
            }
        }
        if (f != nullptr) {
            handler_id const id = tx.add(handlers_[who].key, std::move(f));
            handlers_[who].id = id;
            p.added.push_back(row{handlers_[who].key, who});
        } else {
            tx.remove(handlers_[who].id);
            p.removed.push_back(who);
        }
    }

    template <class Plan>
    registry_io::update_result apply(Plan const& p, change& c)
    {
        registry_io::update_result expected;
        if (p.clears) {
            c.removed = std::exchange(rows_, {});
            expected.unregistered = c.removed.size();
        }
        // What the transaction removes makes room for what it adds, and it may remove what it has
        // added.
        for (int pass = 0; pass < 2; ++pass) {
            for (tag const who : p.removed) {
                if (!registered(who))
                    continue;
                if (pass == 0)
                    c.removed.push_back(rows_[find(who)]);
                take(who);
                ++expected.unregistered;
            }
            if (pass != 0)
                break;
            for (row const& r : p.added) {
                put(r);
                c.added.push_back(r);
                ++expected.registered;
            }
            c.room = rows_.size();
        }
        return expected;
    }

    void set_callback()
    {
        if (!of_.reports || registry_ == nullptr)
            return;
        unsigned const look = next();
        change c;
        c.callback = callback_;
        c.sets_callback = true;
        if ((look & 1) != 0 && of_.panic != panics::quarantines) {
            callback_ = 0;
            attempt(c, [&] { registry_->clear_panic_callback(); });
            return;
        }
        tag const who = make(kind::callback, look & ~48u);
        handlers_[who].throws = (look & 16) != 0;
        std::function<void(panic_info const&)> f =
            [this, who, held = std::make_shared<token>(*this, who)](panic_info const& info) {
                reported(who, info);
            };
        callback_ = who;
        attempt(c, [&] { registry_->on_panic(std::move(f)); });
    }

    combination const& of_;
    program program_;
    test::counting_resource memory_;
    std::deque<handler> handlers_;
    std::deque<word_target> words_;
    std::vector<row> rows_;
    std::vector<walk*> walks_;
    std::vector<handler_guard> guards_;
    change* changes_ = nullptr;
    tag callback_ = 0;
    std::size_t living_ = 0;
    std::size_t depth_ = 0;
    std::size_t visits_ = 0;
    std::size_t plans_ = 0;  ///< transactions whose lambda is running
    std::size_t reports_ = 0;
    unsigned life_ = 0;  ///< how many registries there were before this one
    unsigned chain_ = 0;
    std::size_t destructions_ = 0;
    unsigned long long operations_ = 0;
    long memory_fails_in_ = -1;
    long comparison_fails_in_ = -1;
    std::unique_ptr<subject> registry_;
};

}  // namespace fuzz

#endif
