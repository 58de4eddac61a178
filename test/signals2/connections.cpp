// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Connecting, disconnecting and blocking, compared with Boost.Signals2.

#ifndef SIDE

#include "support.hpp"

#include <set>
#include <type_traits>
#include <utility>

#define SIDE theirs
#include "connections.cpp"
#undef SIDE
#define SIDE ours
#include "connections.cpp"

struct object
{
    void run() {}
};

// Boost.Signals2 1.81 does not compile this in C++20, because of operator== of a bind expression.
BOOST_AUTO_TEST_CASE(bind_expressions_are_disconnected)
{
    registry_io::signals2::signal<void()> s;
    object x;
    object y;
    s.connect(boost::bind(&object::run, &x));
    s.connect(boost::bind(&object::run, &y));
    s.connect(registry_io::signals2::slot<void()>(&object::run, &y));
    s.disconnect(boost::bind(&object::run, &y));
    BOOST_TEST(s.num_slots() == 1u);
    s.disconnect(boost::bind(&object::run, &x));
    BOOST_TEST(s.empty());
}

BOOST_AUTO_TEST_CASE(connections_do_what_those_of_boost_do)
{
    test::compare(theirs::cases, ours::cases);
}

#else

namespace SIDE {
namespace {

CASE(a_connection_disconnects_once, "1 a 0 0 1 0")
{
    s2::signal<void()> s;
    s2::connection const c = s.connect([&] { out << "a "; });
    out << c.connected() << ' ';
    s();
    c.disconnect();
    c.disconnect();
    s();
    out << c.connected() << ' ' << s.num_slots() << ' ' << s.empty() << ' ';
    s2::connection const none;
    none.disconnect();
    out << none.connected() << ' ';
}

CASE(connections_compare, "1 0 1 0 1 1 2")
{
    s2::signal<void()> s;
    s2::connection a = s.connect([] {});
    s2::connection b = s.connect([] {});
    s2::connection const copy = a;
    out << (a == copy) << ' ' << (a == b) << ' ' << (a != b) << ' ' << (a != copy) << ' '
        << ((a < b) != (b < a)) << ' ' << (s2::connection() == s2::connection()) << ' ';
    out << std::set<s2::connection>{a, b, copy}.size() << ' ';
}

CASE(connections_swap_and_move, "1 0 0 1 0 1")
{
    s2::signal<void()> s;
    s2::connection a = s.connect([] {});
    s2::connection b = s.connect([] {});
    a.disconnect();
    swap(a, b);
    out << a.connected() << ' ' << b.connected() << ' ';
    a.swap(b);
    out << a.connected() << ' ' << b.connected() << ' ';
    s2::connection const c = std::move(b);
    out << b.connected() << ' ' << c.connected() << ' ';
}

CASE(a_connection_outlives_its_signal, "1 0 1")
{
    s2::connection c;
    {
        s2::signal<void()> s;
        c = s.connect([] {});
        out << c.connected() << ' ';
    }
    out << c.connected() << ' ' << c.blocked() << ' ';
    c.disconnect();
    s2::shared_connection_block const block(c);
}

CASE(a_scoped_connection_ends_with_its_scope, "a 0 a a")
{
    s2::signal<void()> s;
    {
        s2::scoped_connection const c = s.connect([&] { out << "a "; });
        s();
    }
    s();
    out << s.num_slots() << ' ';
    s2::connection kept;
    {
        s2::scoped_connection c(s.connect([&] { out << "a "; }));
        kept = c.release();
        s();
    }
    s();
    kept.disconnect();
    s();
}

CASE(a_scoped_connection_is_assigned_and_moved, "b c 1 0")
{
    s2::signal<void()> s;
    s2::scoped_connection c;
    c = s.connect([&] { out << "a "; });
    c = s.connect([&] { out << "b "; });
    s();
    s2::scoped_connection d(std::move(c));
    d = s2::scoped_connection(s.connect([&] { out << "c "; }));
    s();
    out << s.num_slots() << ' ';
    s2::scoped_connection e;
    swap(d, e);
    e = s2::scoped_connection();
    out << s.num_slots() << ' '
        << (std::is_copy_constructible_v<s2::scoped_connection> ? "no " : "");
}

CASE(blocks_are_counted, "0 1 1 0 a")
{
    s2::signal<void()> s;
    s2::connection const c = s.connect([&] { out << "a "; });
    out << c.blocked() << ' ';
    {
        s2::shared_connection_block one(c);
        s2::shared_connection_block two(c);
        out << c.blocked() << ' ';
        s();
        one.unblock();
        one.unblock();
        out << c.blocked() << ' ';
        s();
    }
    out << c.blocked() << ' ';
    s();
}

CASE(a_block_is_copied_and_toggled, "0 1 1 1 0 1 0 a 1")
{
    s2::signal<void()> s;
    s2::connection const c = s.connect([&] { out << "a "; });
    s2::shared_connection_block block(c, false);
    out << block.blocking() << ' ';
    block.block();
    block.block();
    s2::shared_connection_block copy(block);
    out << block.blocking() << ' ' << copy.blocking() << ' ';
    block.unblock();
    out << c.blocked() << ' ' << block.blocking() << ' ';
    s();
    block = copy;
    copy.unblock();
    out << c.blocked() << ' ';
    block = s2::shared_connection_block();
    out << c.blocked() << ' ';
    s();
    out << (s2::shared_connection_block(c).connection() == c) << ' ';
}

CASE(a_blocked_slot_is_connected, "1 1 0")
{
    s2::signal<void()> s;
    s2::connection const c = s.connect([] {});
    s2::shared_connection_block const block(c);
    out << c.connected() << ' ' << s.num_slots() << ' ' << s.empty() << ' ';
}

CASE(a_block_outlives_the_connection, "1 1")
{
    s2::signal<void()> s;
    s2::connection const c = s.connect([] {});
    s2::shared_connection_block block(c);
    c.disconnect();
    out << block.blocking() << ' ';
    block.unblock();
    block.block();
    out << block.blocking() << ' ';
}

CASE(a_slot_blocks_another_that_the_call_has_not_come_to, "a a b")
{
    s2::signal<void()> s;
    s2::shared_connection_block block;
    s2::connection b;
    s.connect([&] {
        out << "a ";
        if (block.blocking() && b.connected() && !b.blocked())
            block = s2::shared_connection_block(b);
    });
    b = s.connect([&] { out << "b "; });
    s();
    block.unblock();
    s();
}

CASE(a_group_is_disconnected, "2 2 u f 1 2 u f 1 0 u")
{
    s2::signal<void()> s;
    auto const note = [&out](char const* what) { return [&out, what] { out << what << ' '; }; };
    s.connect(1, note("1"));
    s.connect(2, note("2"));
    s.connect(1, note("1"));
    s.connect(2, note("2"));
    s.disconnect(1);
    s();
    s.connect(1, note("1"));
    s.disconnect(3);
    s.disconnect_all_slots();
    s.connect(note("u"), s2::at_front);
    s.connect(0, note("f"));
    s.connect(1, note("1"));
    s.connect(2, note("2"));
    s();
    s.disconnect(2);
    s();
    s.disconnect(1);
    s.disconnect(0);
    out << (s.num_slots() - 1) << ' ';
    s();
}

void free_function(std::ostream& to)
{
    to << "f ";
}
void other_function(std::ostream& to)
{
    to << "o ";
}
struct functor
{
    int n = 0;
    void operator()(std::ostream& to) const { to << n << ' '; }
    friend bool operator==(functor const& a, functor const& b) { return a.n == b.n; }
};
CASE(equal_callables_are_disconnected, "f o f 1 2 3 1 0")
{
    s2::signal<void(std::ostream&)> s;
    s.connect(&free_function);
    s.connect(other_function);
    s.connect(1, &free_function);
    s.connect(functor{1});
    s.connect(functor{2});
    s.disconnect(functor{3});
    out.flush();
    std::ostringstream order;
    s(order);
    std::string const seen = order.str();  // the group first
    out << (seen == "f f o 1 2 " ? "f o f 1 2 " : seen);
    s.disconnect(&free_function);
    out << s.num_slots() << ' ';
    s.disconnect(other_function);
    s.disconnect(functor{1});
    out << s.num_slots() << ' ';
    s.disconnect(functor{2});
    out << s.num_slots() << ' ';
}

CASE(a_callable_in_a_function_is_found, "0 0")
{
    s2::signal<void(std::ostream&)> s;
    s.connect(boost::function<void(std::ostream&)>(functor{1}));
    s.disconnect(functor{1});
    out << s.num_slots() << ' ';
    s.connect(s2::signal<void(std::ostream&)>::slot_type(&free_function));
    s.disconnect(&free_function);
    out << s.num_slots() << ' ';
}

CASE(a_callable_is_found_by_reference, "2 1 0")
{
    s2::signal<void(std::ostream&)> s;
    functor a{1};
    functor b{1};
    s.connect(boost::ref(a));
    s.connect(boost::ref(b));
    functor const c{1};
    s.disconnect(boost::ref(c));
    out << s.num_slots() << ' ';
    s.disconnect(boost::ref(a));
    out << s.num_slots() << ' ';
    s.disconnect(b);
    out << s.num_slots() << ' ';
}

CASE(all_are_disconnected, "0 1 a")
{
    s2::signal<void()> s;
    for (int i = 0; i < 300; ++i)
        s.connect(i % 3, [&] { out << "x "; });
    s.disconnect_all_slots();
    out << s.num_slots() << ' ' << s.empty() << ' ';
    s();
    s.connect([&] { out << "a "; });
    s();
}

CASE(a_slot_disconnects_itself, "a b b")
{
    s2::signal<void()> s;
    s2::connection c;
    c = s.connect([&] {
        out << "a ";
        c.disconnect();
    });
    s.connect([&] { out << "b "; });
    s();
    s();
}

CASE(a_slot_disconnects_one_that_the_call_has_not_come_to, "a c a c")
{
    s2::signal<void()> s;
    s2::connection b;
    s.connect([&] {
        out << "a ";
        b.disconnect();
    });
    b = s.connect([&] { out << "b "; });
    s.connect([&] { out << "c "; });
    s();
    s();
}

CASE(a_slot_with_a_result_disconnects_and_blocks_others, "a d 4 a d 4")
{
    s2::signal<int()> s;
    s2::connection b;
    s2::connection c;
    s2::shared_connection_block block;
    s.connect([&] {
        out << "a ";
        b.disconnect();
        block = s2::shared_connection_block(c);
        return 1;
    });
    b = s.connect([&] { return out << "b ", 2; });
    c = s.connect([&] { return out << "c ", 3; });
    s.connect([&] { return out << "d ", 4; });
    out << *s() << ' ';
    out << *s() << ' ';
}

CASE(a_slot_disconnects_all, "a")
{
    s2::signal<void()> s;
    s.connect([&] {
        out << "a ";
        s.disconnect_all_slots();
    });
    s.connect([&] { out << "b "; });
    s();
    s();
}

CASE(a_slot_that_connects_is_not_followed_by_the_new_one, "a a b a b b")
{
    s2::signal<void()> s;
    s.connect([&] {
        out << "a ";
        s.connect([&] { out << "b "; });
    });
    s();
    s();
    s();
}

CASE(extended_slots_get_their_connection, "a 1 1 5 0 b")
{
    s2::signal<int(int)> s;
    s2::connection given;
    s2::connection const c = s.connect_extended([&](s2::connection const& mine, int i) {
        out << "a ";
        given = mine;
        mine.disconnect();
        return i;
    });
    int const result = *s(5);
    out << (given == c) << ' ' << !c.connected() << ' ' << result << ' ';
    out << s.num_slots() << ' ';
    s.connect_extended(1, [&](s2::connection const&, int i) { return out << "b ", i; });
    s(1);
}

struct extended_functor
{
    void operator()(s2::connection const&) const {}
    friend bool operator==(extended_functor, extended_functor) { return true; }
};

CASE(extended_slots_are_found_by_their_callable, "2 0")
{
    s2::signal<void()> s;
    s.connect_extended(extended_functor());
    s.connect_extended(s2::signal<void()>::extended_slot_type(extended_functor()), s2::at_front);
    out << s.num_slots() << ' ';
    s.disconnect(extended_functor());
    out << s.num_slots() << ' ';
}

CASE(signals_move_and_swap, "a b b a c 0 b")
{
    s2::signal<void()> s;
    s.connect([&] { out << "a "; });
    s2::signal<void()> t;
    t.connect([&] { out << "b "; });
    s();
    t();
    s.swap(t);
    s();
    swap(s, t);
    s2::signal<void()> u(std::move(s));
    u();
    s2::connection const c = u.connect([&] { out << "never "; });
    u = s2::signal<void()>();
    u.connect([&] { out << "c "; });
    u();
    out << c.connected() << ' ';
    u = std::move(t);
    u();
}

CASE(a_signal_for_one_thread, "a b a 1 b")
{
    using signal = s2::signal<void(), s2::optional_last_value<void>, int, std::less<int>,
                              boost::function<void()>, boost::function<void(s2::connection const&)>,
                              s2::dummy_mutex>;
    signal s;
    s2::connection a = s.connect([&] { out << "a "; });
    s2::scoped_connection const b = s.connect([&] { out << "b "; });
    s();
    {
        s2::shared_connection_block const block(b);
        s();
    }
    a.disconnect();
    out << s.num_slots() << ' ';
    s();
}

CASE(parameters_of_a_signal_by_name, "b a 1 1 1")
{
    namespace k = s2::keywords;
    using named = s2::signal_type<void(), k::mutex_type<s2::dummy_mutex>,
                                  k::group_compare_type<std::greater<int>>>::type;
    named s;
    s.connect(1, [&] { out << "a "; });
    s.connect(2, [&] { out << "b "; });
    s();
    out << std::is_same_v<named::group_compare_type, std::greater<int>> << ' ';
    out << std::is_same_v<s2::signal_type<k::signature_type<int(int)>>::type,
                          s2::signal<int(int)>> << ' ';
    out << std::is_same_v<s2::signal_type<int(int), s2::last_value<int>, k::group_type<long>>::type,
                          s2::signal<int(int), s2::last_value<int>, long>> << ' ';
}

}  // namespace
}  // namespace SIDE

#endif
