// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The scenarios: whole registries with a few operations on two or three threads, for any snapshot
// policy that takes an environment.
//
// Each scenario checks that no thread reads what another one frees or has yet to write, in any
// order that the memory model allows (Relacy's data races); that captures are destroyed once, and
// no later than the end of the last notify that was in flight at their removal; and that all memory
// is freed at the end.

#ifndef REGISTRY_IO_TEST_RELACY_SCENARIOS_HPP
#define REGISTRY_IO_TEST_RELACY_SCENARIOS_HPP

#include <cstdint>
#include <new>
#include <system_error>
#include <type_traits>
#include <utility>

#include <registry_io/ordering/priority.hpp>
#include <registry_io/panic/terminate.hpp>
#include <registry_io/registry.hpp>

#include <registry_io/reclaim/rcu.hpp>

#include "relacy/driver.hpp"

namespace relacy {

using registry_io::handler_id;

/// What the handlers of one notify did.
struct tally
{
    unsigned called = 0;  ///< a bit for each handler
    unsigned plain = 0;   ///< how many calls of handlers that are not watched
};
struct event
{
    tally* t;
};

/// Records when handlers are removed and destroyed, and which notifies are in flight. This is not
/// part of the code under test, so nothing here is atomic.
class watch
{
public:
    static constexpr int most = 8;

    unsigned begin()
    {
        unsigned const ticket = 1u << next_++;
        in_flight_ |= ticket;
        return ticket;
    }

    void end(unsigned ticket)
    {
        in_flight_ &= ~ticket;
        for (handler& h : handlers_) {
            h.pinned_by &= ~ticket;
            settle(h);
        }
    }

    /// The removal has returned. `except`: notifies that began too early to see it.
    void removed(int n, unsigned except = 0)
    {
        handlers_[n].removed = true;
        handlers_[n].pinned_by = in_flight_ & ~except;
        settle(handlers_[n]);
    }

    void destroyed(int n) { require(++handlers_[n].destroyed == 1, "destroyed twice"); }

    bool is_destroyed(int n) const { return handlers_[n].destroyed != 0; }

private:
    struct handler
    {
        bool removed = false;
        int destroyed = 0;
        unsigned pinned_by = 0;
    };

    static void settle(handler const& h)
    {
        require(!h.removed || h.destroyed != 0 || h.pinned_by != 0,
                "captures outlive the last notify that was in flight at their removal");
    }

    unsigned next_ = 0;
    unsigned in_flight_ = 0;
    handler handlers_[most];
};

/// Another action of a handler: a member function of the scenario.
struct action
{
    void (*f)(void*, tally&) = nullptr;
    void* scenario = nullptr;
};

/// A handler whose captures are watched.
class subject
{
public:
    subject(watch& w, int n, action call = {}, void (*last)(void*) = nullptr)
        : watch_(&w), number_(n), call_(call), last_(last), alive_(1)
    {
    }
    subject(subject&& other) noexcept
        : watch_(std::exchange(other.watch_, nullptr)),
          number_(other.number_),
          call_(other.call_),
          last_(other.last_),
          alive_(1)
    {
    }
    subject& operator=(subject&&) = delete;
    ~subject()
    {
        rl::ctx().sched();  // another thread may run during a destructor
        alive_(info(place::current())).store(0);
        if (watch_ != nullptr) {
            watch_->destroyed(number_);
            if (last_ != nullptr)
                last_(call_.scenario);
        }
    }

    void operator()(event const& e) const
    {
        require(alive_(info(place::current())).load() == 1, "called after its destruction");
        require((e.t->called & (1u << number_)) == 0, "called twice by one notify");
        e.t->called |= 1u << number_;
        if (call_.f != nullptr)
            call_.f(call_.scenario, *e.t);
        require(alive_(info(place::current())).load() == 1, "destroyed while it runs");
    }

private:
    watch* watch_;
    int number_;
    action call_;
    void (*last_)(void*);
    rl::var<int> alive_;
};

/// The base of all scenarios. `Derived` has `setup()` and `act(thread)`; the registry, if it still
/// exists, is destroyed at the end.
template <class Derived, class Snapshot, int Threads>
class scenario : public rl::test_suite<Derived, Threads>
{
public:
    using registry = registry_io::basic_registry<event, Snapshot, registry_io::ordering::priority,
                                                 registry_io::panic::terminate, heap>;
    using env = typename Snapshot::env;

    scenario()
    {
        world::now().begin([](void* e) { destroy_era(e); });
        registry_ = make();
    }

    void before() { self().setup(); }

    void thread(unsigned index)
    {
        world::now().outside = false;
        world::now().thread_begins();
        self().act(index);
        world::now().thread_ends();
    }

    void after()
    {
        world::now().outside = true;
        self().finish();
        drop(registry_);
        for (int i = 0; i < watch::most; ++i)
            require(((made_ >> i) & 1u) == 0 || watch_.is_destroyed(i), "captures are left over");
        world::now().end();
    }

    void setup() {}
    void finish() {}

protected:
    Derived& self() { return static_cast<Derived&>(*this); }

    static registry* make() { return ::new (world::now().allocate(sizeof(registry))) registry; }
    static void drop(registry*& r)
    {
        if (registry* const mine = std::exchange(r, nullptr)) {
            mine->~registry();
            world::now().deallocate(mine);
        }
    }

    /// Registers handler `n`.
    handler_id add(registry& r, int n, int priority = 0, action call = {},
                   void (*last)(void*) = nullptr)
    {
        made_ |= 1u << n;
        return r.register_handler(priority, subject(watch_, n, call, last));
    }
    handler_id add(int n, int priority = 0, action call = {}, void (*last)(void*) = nullptr)
    {
        return add(*registry_, n, priority, call, last);
    }

    template <void (Derived::*Member)(tally&)>
    action calls()
    {
        return {[](void* s, tally& t) { (static_cast<Derived*>(s)->*Member)(t); },
                static_cast<Derived*>(this)};
    }

    tally tallied(registry const& r)
    {
        unsigned const ticket = watch_.begin();
        tally t;
        r.notify(event{&t});
        watch_.end(ticket);
        return t;
    }
    tally tallied() { return tallied(*registry_); }
    unsigned notify(registry const& r) { return tallied(r).called; }
    unsigned notify() { return notify(*registry_); }

    bool remove(registry& r, handler_id id, int n, unsigned except = 0)
    {
        bool const removed = r.unregister(id);
        if (removed)
            watch_.removed(n, except);
        return removed;
    }
    bool remove(handler_id id, int n, unsigned except = 0)
    {
        return remove(*registry_, id, n, except);
    }

    watch watch_;
    registry* registry_ = nullptr;
    unsigned made_ = 0;

private:
    static void destroy_era(void* e)
    {
        using kept = reclaim::rcu_era<env>;
        static_cast<kept*>(e)->~kept();
    }
};

// ---------------------------------------------------------------------------------------------

/// The first, slow read and the second, fast read of a reader against the removal of what it reads.
template <class Snapshot>
struct protect : scenario<protect<Snapshot>, Snapshot, 2>
{
    handler_id id;
    void setup() { id = this->add(0); }
    void act(unsigned thread)
    {
        if (thread == 0) {
            this->notify();
            this->notify();
        } else {
            this->remove(id, 0);
        }
    }
};

/// Two readers, the last of which to leave has work to do, against a removal.
template <class Snapshot>
struct last_reader_out : scenario<last_reader_out<Snapshot>, Snapshot, 3>
{
    handler_id id;
    void setup() { id = this->add(0); }
    void act(unsigned thread)
    {
        if (thread == 2) {
            this->remove(id, 0);
        } else {
            this->notify();
            this->notify();
        }
    }
};

/// Notifies nested deeper than there are slots, against two removals.
template <class Snapshot>
struct nested : scenario<nested<Snapshot>, Snapshot, 2>
{
    handler_id ids[2];
    int depth = 0;
    void setup()
    {
        ids[0] = this->add(0, 0, this->template calls<&nested::again>());
        ids[1] = this->add(1);
    }
    void again(tally&)
    {
        if (++depth < 7)
            this->notify();
    }
    void act(unsigned thread)
    {
        if (thread == 0) {
            this->notify();
        } else {
            this->remove(ids[1], 1);
            this->remove(ids[0], 0);
        }
    }
};

/// Two writers and a reader.
template <class Snapshot>
struct two_writers : scenario<two_writers<Snapshot>, Snapshot, 3>
{
    handler_id ids[2];
    int removed = 0;
    void setup()
    {
        ids[0] = this->add(0);
        ids[1] = this->add(1);
    }
    void act(unsigned thread)
    {
        if (thread == 2) {
            this->notify();
            this->notify();
        } else {
            removed += this->remove(ids[thread], static_cast<int>(thread));
            this->add(2 + static_cast<int>(thread), 1);
        }
    }
    void finish() { require(removed == 2 && this->registry_->size() == 2, "not both removed"); }
};

/// Two threads race to remove one handler while a third thread calls it.
template <class Snapshot>
struct removed_once : scenario<removed_once<Snapshot>, Snapshot, 3>
{
    handler_id id;
    int removed = 0;
    void setup() { id = this->add(0); }
    void act(unsigned thread)
    {
        if (thread == 2)
            this->notify();
        else
            removed += this->remove(id, 0);
    }
    void finish() { require(removed == 1, "not removed exactly once"); }
};

/// The first registrations of an empty registry at the same time. Memory is bounded: there is as
/// much as they need one after the other.
template <class Snapshot>
struct first_writers : scenario<first_writers<Snapshot>, Snapshot, 3>
{
    void setup()
    {
        auto* other = this->make();
        std::size_t const before = world::now().used();
        this->add(*other, 2);
        this->add(*other, 3);
        std::size_t const needed = world::now().peak - before;
        this->drop(other);
        world::now().most = world::now().used() + needed;
    }
    void act(unsigned thread)
    {
        if (thread == 2) {
            this->notify();
        } else {
            handler_id id;
            try {
                id = this->add(static_cast<int>(thread));
            } catch (std::bad_alloc const&) {
                require(false, "no memory, though both fit");
            }
            require(this->registry_->contains(id), "not registered");
            require((this->notify() & (1u << thread)) != 0, "own handler not called");
        }
    }
    void finish() { require(this->registry_->size() == 2, "a registration is lost"); }
};

/// Data outside of a handler's captures is freed after `unregister_and_wait` or `synchronize`.
/// A table that was replaced before without a fence makes the garbage depend on two roots.
template <class Snapshot, bool AndWait>
struct waiting : scenario<waiting<Snapshot, AndWait>, Snapshot, 2>
{
    handler_id id;
    rl::var<int> used{1};
    void setup() { id = this->add(0, 0, this->template calls<&waiting::use>()); }
    void use(tally&) { require(used(info(place::current())).load() == 1, "used after the wait"); }
    void act(unsigned thread)
    {
        if (thread == 0) {
            this->notify();
            this->notify();
            return;
        }
        this->add(1, 1);
        if (AndWait) {
            require(this->registry_->unregister_and_wait(id), "not removed");
        } else {
            require(this->registry_->unregister(id), "not removed");
            this->registry_->synchronize();
        }
        require(this->watch_.is_destroyed(0), "not destroyed after the wait");
        used(info(place::current())).store(0);
    }
};
template <class Snapshot>
struct unregister_and_wait : waiting<Snapshot, true>
{
};
template <class Snapshot>
struct synchronize : waiting<Snapshot, false>
{
};

/// A wait during a notify that is counted at its root, since notifies of another registry use all
/// slots of its thread. Inside that notify a wait must be refused.
template <class Snapshot>
struct counted : scenario<counted<Snapshot>, Snapshot, 2>
{
    using base = scenario<counted<Snapshot>, Snapshot, 2>;

    handler_id id;
    typename base::registry* other = nullptr;
    int depth = 0;
    bool refused = false;
    rl::var<int> used{1};
    void setup()
    {
        id = this->add(0, 0, this->template calls<&counted::use>());
        other = this->make();
        this->add(*other, 1, 0, this->template calls<&counted::deeper>());
    }
    void deeper(tally&)
    {
        if (++depth < 6)
            this->notify(*other);
        else
            this->notify();
    }
    void use(tally&)
    {
        require(used(info(place::current())).load() == 1, "used after the wait");
        try {
            this->registry_->synchronize();
        } catch (std::system_error const&) {
            refused = true;
        }
        require(refused, "a wait inside a notify was not refused");
        require(used(info(place::current())).load() == 1, "used after the wait");
    }
    void act(unsigned thread)
    {
        if (thread == 0) {
            this->notify(*other);
            return;
        }
        require(this->registry_->unregister_and_wait(id), "not removed");
        require(this->watch_.is_destroyed(0), "not destroyed after the wait");
        used(info(place::current())).store(0);
    }
    void finish() { this->drop(other); }
};

/// A wait that follows no change: the notifies in flight at its begin end before it returns.
template <class Snapshot>
struct wait_alone : scenario<wait_alone<Snapshot>, Snapshot, 2>
{
    unsigned begun = 0;
    unsigned ended = 0;
    void setup() { this->add(0, 0, this->template calls<&wait_alone::go>()); }
    void go(tally&)
    {
        ++begun;
        for (int i = 0; i < 3; ++i)
            rl::ctx().sched();  // time for the other thread to wait
        ++ended;
    }
    void act(unsigned thread)
    {
        if (thread == 0) {
            this->notify();
            this->notify();
            return;
        }
        unsigned const before = begun;
        this->registry_->synchronize();
        require(ended >= before, "a notify that had begun has not ended");
    }
};

/// Whether a wait returns after all readers have ended if the kernel refuses `membarrier`. If not,
/// it ends the program.
constexpr bool waits_without_fence = false;

/// A kernel that has supported `membarrier` and refuses it from some call on, permanently or for a
/// while. Nothing may be freed early, and removals continue to work; captures may live as long as
/// the registry.
template <class Snapshot>
struct fence_refused : scenario<fence_refused<Snapshot>, Snapshot, 2>
{
    handler_id ids[3];
    void setup()
    {
        for (int i = 0; i < 3; ++i)
            ids[i] = this->add(i, i);
    }
    void act(unsigned thread)
    {
        if (thread == 0) {
            this->notify();
            this->notify();
            return;
        }
        world::now().fences_left = static_cast<int>(rl::rand(4));
        for (int i = 0; i < 3; ++i) {
            if (i == 2 && rl::rand(2) != 0)
                world::now().fences_left = -1;
            require(this->registry_->unregister(ids[i]), "not removed");
        }
        this->add(3);
        require(this->notify() == 8, "other handlers were called than expected");
        if constexpr (waits_without_fence) {
            this->registry_->synchronize();
            for (int i = 0; i < 3; ++i)
                require(this->watch_.is_destroyed(i), "not destroyed after the wait");
        }
    }
    void finish()
    {
        // The garbage that was kept is freed once the kernel supports the fence again.
        world::now().fences_left = -1;
        this->registry_->synchronize();
        for (int i = 0; i < 3; ++i)
            require(this->watch_.is_destroyed(i), "not destroyed after the wait");
    }
};

/// The last user of a registry destroys it.
template <class Snapshot>
struct teardown : scenario<teardown<Snapshot>, Snapshot, 3>
{
    handler_id id;
    relacy::atomic<unsigned> users{3};
    void setup()
    {
        id = this->add(0);
        this->add(1);
    }
    void act(unsigned thread)
    {
        if (thread == 2) {
            this->remove(id, 0);
        } else {
            this->notify();
            this->notify();
        }
        if (users.fetch_sub(1, std::memory_order_acq_rel) == 1)
            this->drop(this->registry_);
    }
};

/// Threads that come, notify and exit while a handler is removed. One of them notifies twice more
/// after its record has been taken back, as the destructor of a thread_local variable may.
template <class Snapshot>
struct thread_exit : scenario<thread_exit<Snapshot>, Snapshot, 3>
{
    handler_id id;
    void setup() { id = this->add(0); }
    void act(unsigned thread)
    {
        if (thread == 2) {
            this->remove(id, 0);
            return;
        }
        this->notify();
        world::now().thread_ends();
        if (thread == 1) {
            this->notify();
            this->notify();
        }
    }
};

/// Handlers are appended in place while others are being called.
template <class Snapshot>
struct append : scenario<append<Snapshot>, Snapshot, 2>
{
    void setup() { this->add(0); }
    void act(unsigned thread)
    {
        if (thread == 1) {
            this->add(1);
            this->add(2);
            return;
        }
        for (int i = 0; i < 3; ++i) {
            unsigned const called = this->notify();
            require(called == 1 || called == 3 || called == 7, "not a prefix");
        }
    }
};

/// Seven handlers of one type are a run, which a handler of another type ends, in place, while
/// another thread walks it. Then the table has two runs of eight rows, few enough to be walked by
/// runs; the next handler goes into a copy.
template <class Snapshot>
struct run_ends : scenario<run_ends<Snapshot>, Snapshot, 2>
{
    static constexpr unsigned run = 7;

    void setup()
    {
        this->registry_->update([](auto& tx) {
            for (unsigned i = 0; i < run; ++i)
                tx.register_handler([](event const& e) { ++e.t->plain; });
        });
    }
    void act(unsigned thread)
    {
        if (thread == 1) {
            this->add(0);
            this->add(1);
            return;
        }
        for (int i = 0; i < 3; ++i) {
            tally const t = this->tallied();
            require(t.plain == run, "a handler was called as one of another type");
            require(t.called == 0 || t.called == 1 || t.called == 3, "not a prefix");
        }
    }
};

/// Enough handlers for a spine of chunks. One is added at the front, so that a chunk is copied, one
/// is removed, and one is appended to the last chunk.
template <class Snapshot>
struct chunks : scenario<chunks<Snapshot>, Snapshot, 2>
{
    handler_id id;
    void setup()
    {
        id = this->add(0, 9);
        this->registry_->update([&](auto& tx) {
            for (int i = 0; i < 130; ++i)
                tx.register_handler(5, [](event const&) {});
        });
        this->add(1, 1);
    }
    void act(unsigned thread)
    {
        if (thread == 1) {
            this->add(2, 8);
            this->remove(id, 0);
            this->add(3, 1);
            return;
        }
        for (int i = 0; i < 3; ++i) {
            unsigned const called = this->notify();
            require(called == 0x3 || called == 0x7 || called == 0x6 || called == 0xe,
                    "not a state that ever existed");
        }
    }
};

/// A notify sees all of a transaction or nothing.
template <class Snapshot>
struct transaction : scenario<transaction<Snapshot>, Snapshot, 2>
{
    handler_id id;
    void setup() { id = this->add(0); }
    void act(unsigned thread)
    {
        if (thread == 1) {
            this->registry_->update([&](auto& tx) {
                tx.unregister(id);
                this->made_ |= 6;
                tx.register_handler(1, subject(this->watch_, 1));
                tx.register_handler(subject(this->watch_, 2));
            });
            this->watch_.removed(0);
            return;
        }
        for (int i = 0; i < 2; ++i) {
            unsigned const called = this->notify();
            require(called == 1 || called == 6, "a transaction was seen partly");
        }
    }
};

/// A handler that removes itself while another thread removes another handler.
template <class Snapshot>
struct self_removal : scenario<self_removal<Snapshot>, Snapshot, 2>
{
    handler_id ids[2];
    void setup()
    {
        ids[0] = this->add(0, 0, this->template calls<&self_removal::go>());
        ids[1] = this->add(1);
    }
    void go(tally&) { this->remove(ids[0], 0); }
    void act(unsigned thread)
    {
        if (thread == 0) {
            this->notify();
            this->notify();
        } else {
            this->remove(ids[1], 1);
        }
    }
};

/// A notify removes two handlers that it has still to call. Another notify that begins between the
/// two removals, and ends first, delays only the second removal.
template <class Snapshot>
struct removed_inside : scenario<removed_inside<Snapshot>, Snapshot, 2>
{
    handler_id ids[3];
    bool begun = false;
    void setup()
    {
        ids[0] = this->add(0, 0, this->template calls<&removed_inside::go>());
        ids[1] = this->add(1);
        ids[2] = this->add(2);
    }
    void go(tally&)
    {
        if (std::exchange(begun, true))
            return;
        this->remove(ids[1], 1);
        this->remove(ids[2], 2);
        // Time for the other notify to end.
        for (int i = 0; i < 4; ++i)
            this->registry_->contains(ids[0]);
    }
    void act(unsigned) { this->notify(); }
};

/// A capture's destructor calls the registry: it notifies, and registers a handler.
template <class Snapshot>
struct busy_destructor : scenario<busy_destructor<Snapshot>, Snapshot, 2>
{
    handler_id ids[2];
    void setup()
    {
        ids[0] = this->add(0, 0, {nullptr, this}, [](void* s) {
            auto* const self = static_cast<busy_destructor*>(s);
            self->notify();
            self->add(2, 1);
        });
        ids[1] = this->add(1);
    }
    void act(unsigned thread)
    {
        if (thread == 0) {
            this->notify();
            this->notify();
        } else {
            this->remove(ids[0], 0);
            this->remove(ids[1], 1);
        }
    }
};

/// Registrations that replace the table without their own fence, then a removal.
template <class Snapshot>
struct deferred : scenario<deferred<Snapshot>, Snapshot, 2>
{
    handler_id id;
    void setup() { id = this->add(0); }
    void act(unsigned thread)
    {
        if (thread == 1) {
            this->add(1, 1);
            this->add(2, 2);
            this->remove(id, 0);
            return;
        }
        for (int i = 0; i < 3; ++i)
            this->notify();
    }
};

/// A sleeping notify does not keep handlers alive that are registered and removed after it began.
template <class Snapshot>
struct sleeper : scenario<sleeper<Snapshot>, Snapshot, 2>
{
    unsigned mine = 0;
    void setup() { this->add(0, 0, this->template calls<&sleeper::sleep>()); }
    void sleep(tally&)
    {
        if (world::now().index() != 0)
            return;
        handler_id const late = this->add(1, 1);
        this->remove(late, 1, mine);
        handler_id const later = this->add(2, 1);
        this->add(3, 2);
        this->remove(later, 2, mine);
    }
    void act(unsigned thread)
    {
        if (thread == 0) {
            mine = this->watch_.begin();
            tally t;
            this->registry_->notify(event{&t});
            this->watch_.end(mine);
        } else {
            this->notify();
        }
    }
};

/// A chunk in the middle of a snapshot becomes the last chunk of the next one while a notify walks
/// the first. The chunk must not grow, since the walk would see that.
template <class Snapshot>
struct sealed : scenario<sealed<Snapshot>, Snapshot, 2>
{
    handler_id hole;
    handler_id last;
    int changed_by = -1;
    void setup()
    {
        // Three chunks: the middle one has room, and the last one holds one handler.
        this->add(0, 5, this->template calls<&sealed::change>());
        this->registry_->update([&](auto& tx) {
            for (int i = 1; i < 256; ++i) {
                handler_id const id = tx.register_handler(5, [](event const&) {});
                if (i == 200)
                    hole = id;
            }
        });
        last = this->add(1, 5);
        this->registry_->unregister(hole);
    }
    void change(tally&)
    {
        if (changed_by < 0) {
            changed_by = world::now().index();
            this->remove(last, 1);
            this->add(2, 5);
        }
    }
    void act(unsigned thread)
    {
        unsigned const called = this->notify();
        if (changed_by == static_cast<int>(thread))
            require(called == 3, "the snapshot has changed");
        require(called == 3 || called == 1 || called == 5, "not a state that ever existed");
    }
    void finish() { require(this->notify() == 5, "other handlers were called than expected"); }
};

/// A registry that comes and goes while a reader of another registry runs. Its table lies at an
/// address where one of the other's tables was. The reader may announce that address, but must not
/// be taken for a reader of the new registry, which is destroyed before the reader leaves.
template <class Snapshot>
struct address_reuse : scenario<address_reuse<Snapshot>, Snapshot, 2>
{
    handler_id id;
    void setup()
    {
        world::now().reuse = true;
        id = this->add(0);
    }
    void act(unsigned thread)
    {
        if (thread == 0) {
            this->notify();
            this->notify();
            return;
        }
        // Each of these replaces the table. Of the tables that no reader holds, one is kept and the
        // others are freed.
        this->add(1, 1);
        this->add(2, 2);
        this->remove(id, 0);
        this->add(3, 3);
        auto* other = this->make();
        handler_id const theirs = this->add(*other, 4);
        this->remove(*other, theirs, 4);
        this->drop(other);
    }
};

}  // namespace relacy

#endif
