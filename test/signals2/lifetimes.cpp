// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The lifetimes of tracked objects, captures and signals, compared with Boost.Signals2.

#ifndef SIDE

#include "support.hpp"

#include <functional>
#include <memory>
#include <utility>

#include <boost/make_shared.hpp>

#define SIDE theirs
#include "lifetimes.cpp"
#undef SIDE
#define SIDE ours
#include "lifetimes.cpp"

BOOST_AUTO_TEST_CASE(lifetimes_are_those_of_boost)
{
    test::compare(theirs::cases, ours::cases);
}

#else

namespace SIDE {
namespace {

using signal = s2::signal<void()>;

CASE(a_slot_runs_while_its_object_lives, "a 1 0 0 1")
{
    signal s;
    auto object = boost::make_shared<int>(1);
    s2::connection const c = s.connect(signal::slot_type([&] { out << "a "; }).track(object));
    s();
    out << c.connected() << ' ';
    object.reset();
    s();
    out << c.connected() << ' ' << s.num_slots() << ' ' << s.empty() << ' ';
}

CASE(objects_of_the_standard_are_tracked, "a b b 1")
{
    signal s;
    auto one = std::make_shared<int>(1);
    std::weak_ptr<int> const weak = one;
    auto two = std::make_shared<int>(2);
    s.connect(signal::slot_type([&] { out << "a "; }).track_foreign(one));
    s.connect(signal::slot_type([&] { out << "b "; }).track_foreign(std::weak_ptr<int>(two)));
    s();
    one.reset();
    s();
    out << s.num_slots() << ' ';
}

CASE(a_slot_tracks_many_objects, "a a 0")
{
    signal s;
    std::vector<std::shared_ptr<int>> objects;
    signal::slot_type slot([&] { out << "a "; });
    for (int i = 0; i < 7; ++i) {
        objects.push_back(std::make_shared<int>(i));
        slot.track_foreign(objects.back());
    }
    signal::slot_type also([&] { out << "a "; });
    also.track(slot);
    s.connect(slot);
    s.connect(also);
    s();
    objects.pop_back();
    s();
    out << s.num_slots() << ' ';
}

CASE(a_tracked_object_is_kept_while_its_slot_runs, "1 0 gone 0")
{
    struct told
    {
        explicit told(std::ostream& o) : to(o) {}
        told(told const&) = delete;
        ~told() { to << "gone "; }
        std::ostream& to;
    };
    signal s;
    auto object = std::make_shared<told>(out);
    std::weak_ptr<told> const weak = object;
    s.connect(signal::slot_type([&] {
                  object.reset();
                  out << !weak.expired() << ' ' << (weak.use_count() != 1) << ' ';
              }).track_foreign(object));
    s();
    out << s.num_slots() << ' ';
}

CASE(an_object_that_is_gone_when_its_slot_is_connected, "0")
{
    signal s;
    auto object = std::make_shared<int>(1);
    signal::slot_type slot([&] { out << "a "; });
    slot.track_foreign(object);
    object.reset();
    s.connect(slot);
    s();
    out << s.num_slots() << ' ';
}

CASE(a_slot_is_called_by_itself, "a 3 1 expired 0 1")
{
    using int_slot = s2::slot<int(int)>;
    auto object = std::make_shared<int>(1);
    int_slot slot([&](int i) { return out << "a ", i; });
    slot.track_foreign(object);
    out << slot(3) << ' ';
    out << slot.lock().size() << ' ';
    object.reset();
    try {
        slot(3);
    } catch (s2::expired_slot const&) {
        out << "expired ";
    }
    int_slot const other([](int i) { return i; });
    out << other.expired() << ' ' << slot.expired() << ' ';
}

CASE(slots_are_copied_and_bound, "3 5 1 8")
{
    s2::slot<int()> bound(std::plus<int>(), 1, 2);
    s2::slot<int()> const copy(bound);
    out << copy() << ' ';
    s2::slot<int(int)> const with_place(std::plus<int>(), boost::placeholders::_1, 4);
    out << with_place(1) << ' ';
    s2::slot<long(int)> converted(s2::slot<int(int)>([](int i) { return i; }));
    out << converted(1) << ' ';
    bound.slot_function() = [] { return 8; };
    out << bound() << ' ';
}

CASE(a_slot_object_is_connected_twice, "1 1 2 2")
{
    signal s;
    signal::slot_type const slot([&out, n = 0]() mutable { out << ++n << ' '; });
    s.connect(slot);
    s.connect(slot);
    s();
    s();
}

struct listener : s2::trackable
{
    explicit listener(std::ostream& o) : to(&o) {}
    void hear() { *to << "heard "; }
    std::ostream* to;
};

CASE(trackable_objects_are_tracked_by_bind, "heard heard heard 3 0")
{
    signal s;
    {
        listener x(out);
        s.connect(boost::bind(&listener::hear, &x));
        s.connect(boost::bind(&listener::hear, boost::ref(x)));
        s.connect(signal::slot_type(&listener::hear, &x));
        s();
        out << s.num_slots() << ' ';
    }
    s();
    out << s.num_slots() << ' ';
}

CASE(a_copy_of_a_trackable_object_lives_on_its_own, "heard 1")
{
    signal s;
    auto x = std::make_unique<listener>(out);
    listener copy(*x);
    s.connect(boost::bind(&listener::hear, x.get()));
    s.connect(boost::bind(&listener::hear, &copy));
    x.reset();
    s();
    copy = listener(out);
    out << s.num_slots() << ' ';
}

struct trackable_functor : s2::trackable
{
    explicit trackable_functor(std::ostream& o) : to(&o) {}
    void operator()() const { *to << "called "; }
    std::ostream* to;
};

CASE(a_trackable_callable_by_reference, "called 0")
{
    signal s;
    {
        trackable_functor f(out);
        s.connect(boost::ref(f));
        s();
    }
    s();
    out << s.num_slots() << ' ';
}

CASE(a_signal_that_is_a_slot_may_go, "a 1 0 b")
{
    signal outer;
    auto inner = std::make_unique<signal>();
    inner->connect([&] { out << "a "; });
    s2::connection const c = outer.connect(*inner);
    outer.connect([&] { out << (c.connected() ? "" : "b "); });
    outer();
    out << c.connected() << ' ';
    inner.reset();
    out << c.connected() << ' ';
    outer();
}

CASE(a_slot_tracks_a_signal, "a 0")
{
    signal s;
    {
        signal tracked;
        s.connect(signal::slot_type([&] { out << "a "; }).track(tracked));
        s();
    }
    s();
    out << s.num_slots() << ' ';
}

CASE(a_signal_is_tracked_where_it_was_moved_to, "a a 0")
{
    signal outer;
    {
        signal inner;
        inner.connect([&] { out << "a "; });
        outer.connect(inner);
        signal const moved(std::move(inner));
        outer();
        moved();
    }
    out << outer.num_slots() << ' ';
}

CASE(captures_go_with_their_slot, "1 0 1 0 1 0")
{
    auto token = std::make_shared<int>(1);
    auto const alive = [&] { return token.use_count() - 1; };
    signal s;
    s2::connection const c = s.connect([token] {});
    out << alive() << ' ';
    c.disconnect();
    out << alive() << ' ';
    s.connect([token] {});
    out << alive() << ' ';
    s.disconnect_all_slots();
    out << alive() << ' ';
    {
        signal t;
        t.connect(1, [token] {});
        out << alive() << ' ';
    }
    out << alive() << ' ';
}

CASE(captures_live_until_their_slot_has_returned, "1 0")
{
    auto token = std::make_shared<int>(1);
    signal s;
    s2::connection c;
    c = s.connect([&out, &c, token] {
        c.disconnect();
        out << *token << ' ';
    });
    s();
    out << token.use_count() - 1 << ' ';
}

CASE(a_slot_destroys_the_signal, "a b 0")
{
    auto s = std::make_unique<signal>();
    s->connect([&] {
        out << "a ";
        s.reset();
    });
    s2::connection const c = s->connect([&] { out << "b "; });
    (*s)();
    out << c.connected() << ' ';
}

CASE(a_slot_with_a_result_destroys_the_signal, "1 2 2 0")
{
    using int_signal = s2::signal<int()>;
    auto s = std::make_unique<int_signal>();
    s->connect([&] {
        out << "1 ";
        s.reset();
        return 1;
    });
    s2::connection const c = s->connect([&] {
        out << "2 ";
        return 2;
    });
    out << *(*s)() << ' ';
    out << c.connected() << ' ';
}

CASE(a_slot_destroys_the_signal_and_disconnects_the_rest, "a 0")
{
    auto s = std::make_unique<signal>();
    s2::connection c;
    s->connect([&] {
        out << "a ";
        s.reset();
        c.disconnect();
    });
    c = s->connect([&] { out << "b "; });
    (*s)();
    out << c.connected() << ' ';
}

CASE(a_slot_that_throws_expired_slot_is_disconnected, "a b 1 b")
{
    signal s;
    s.connect([&] {
        out << "a ";
        throw s2::expired_slot();
    });
    s.connect([&] { out << "b "; });
    s();
    out << s.num_slots() << ' ';
    s();
}

CASE(a_slot_with_a_result_that_throws_expired_slot, "5 1")
{
    s2::signal<int()> s;
    s.connect([] { return 5; });
    s.connect([]() -> int { throw s2::expired_slot(); });
    out << *s() << ' ' << s.num_slots() << ' ';
}

CASE(a_connection_in_a_capture_of_its_own_slot, "a 0")
{
    auto held = std::make_shared<s2::connection>();
    signal s;
    *held = s.connect([&out, held] {
        out << "a ";
        held->disconnect();
    });
    s();
    s();
    out << s.num_slots() << ' ';
}

CASE(the_last_owner_of_a_signal_is_a_slot_of_it, "a gone")
{
    struct owner
    {
        explicit owner(std::ostream& o) : to(o) {}
        owner(owner const&) = delete;
        ~owner() { to << "gone "; }
        std::ostream& to;
        signal s;
    };
    auto o = std::make_shared<owner>(out);
    s2::connection const c = o->s.connect([&out, o] { out << "a "; });
    signal& s = o->s;
    o.reset();
    s();
    c.disconnect();
}

CASE(boost_shared_pointers_to_nothing, "a 0")
{
    signal s;
    boost::shared_ptr<void> object(static_cast<void*>(nullptr), [](void*) {});
    s.connect(signal::slot_type([&] { out << "a "; }).track(object));
    s();
    object.reset();
    out << s.num_slots() << ' ';
}

class made
{
public:
    static boost::shared_ptr<made> make(std::ostream& to, signal& s)
    {
        return s2::deconstruct<made>(boost::ref(to)).postconstruct(boost::ref(s), 7);
    }
    made(made const&) = delete;
    ~made() { to_ << "gone "; }
    void run(int n) const { to_ << "run" << n << ' '; }

    friend void adl_postconstruct(boost::shared_ptr<made> const& p, made* object, signal& s, int n)
    {
        object->to_ << (p.get() == object) << ' ';
        s.connect(signal::slot_type(&made::run, object, n).track(p));
    }
    friend void adl_predestruct(made* object) { object->to_ << "before "; }

private:
    friend class s2::deconstruct_access;
    explicit made(std::ostream& to) : to_(to) {}
    std::ostream& to_;
};

CASE(an_object_is_connected_when_it_has_its_pointer, "1 run7 before gone 0")
{
    signal s;
    boost::shared_ptr<made> p = made::make(out, s);
    s();
    p.reset();
    s();
    out << s.num_slots() << ' ';
}

struct plain
{
    explicit plain(int v) : value(v) {}
    int value;
    friend void adl_postconstruct(boost::shared_ptr<plain> const&, plain* p) { ++p->value; }
};

CASE(an_object_without_predestruct, "6 6")
{
    s2::postconstructor_invoker<plain> const made = s2::deconstruct<plain>(5);
    boost::shared_ptr<plain> const p = made;
    out << p->value << ' ';
    boost::shared_ptr<plain> const q = made;
    out << q->value << ' ';
}

// The deprecated bases.
class with_both : public s2::postconstructible, public s2::predestructible
{
public:
    explicit with_both(std::ostream& to, bool fails = false) : to_(to), fails_(fails) {}
    with_both(with_both const&) = delete;
    ~with_both() override { to_ << "gone "; }
    void predestruct() override { to_ << "before "; }

private:
    void postconstruct() override
    {
        to_ << "after ";
        if (fails_)
            throw 1;
    }
    std::ostream& to_;
    bool fails_;
};
struct with_predestruct : s2::predestructible
{
    explicit with_predestruct(std::ostream& to) : to_(to) {}
    with_predestruct(with_predestruct const&) = delete;
    void predestruct() override { to_ << "before "; }
    std::ostream& to_;
};

CASE(bases_are_called_by_deconstruct_ptr, "after 1 before gone - after gone - after before gone 1")
{
    with_both* const object = new with_both(out);
    boost::shared_ptr<with_both> p = s2::deconstruct_ptr(object);
    out << (p.get() == object) << ' ';
    p.reset();
    out << "- ";
    // A custom deleter decides how to destroy the object.
    s2::deconstruct_ptr(new with_both(out), boost::checked_deleter<with_both>());
    out << "- ";
    {
        boost::shared_ptr<with_both const> q =
            s2::deconstruct_ptr<with_both const>(new with_both(out));
    }
    out << (s2::deconstruct_ptr(static_cast<with_both*>(nullptr)) == nullptr) << ' ';
}

CASE(a_class_without_the_bases_may_use_deconstruct_ptr, "3")
{
    out << *s2::deconstruct_ptr(new int(3)) << ' ';
}

CASE(an_exception_of_postconstruct_destroys_the_object, "after before gone caught")
{
    try {
        s2::deconstruct_ptr(new with_both(out, true));
    } catch (int) {
        out << "caught ";
    }
}

CASE(bases_are_called_by_deconstruct, "after before gone before")
{
    {
        boost::shared_ptr<with_both> const p = s2::deconstruct<with_both>(boost::ref(out));
    }
    boost::shared_ptr<with_predestruct> const p =
        s2::deconstruct<with_predestruct>(boost::ref(out)).postconstruct();
}

}  // namespace
}  // namespace SIDE

#endif
