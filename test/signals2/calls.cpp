// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Calls of a signal, compared with Boost.Signals2.

#ifndef SIDE

#include "support.hpp"

#include <algorithm>
#include <functional>
#include <stdexcept>
#include <string>

#define SIDE theirs
#include "calls.cpp"
#undef SIDE
#define SIDE ours
#include "calls.cpp"

struct by_size
{
    explicit by_size(bool l) : larger_first(l) {}
    bool operator()(std::string const& a, std::string const& b) const
    {
        return larger_first ? a.size() > b.size() : a.size() < b.size();
    }
    bool larger_first;
};

// Boost.Signals2 1.81 default-constructs the comparison that it uses, whatever it is given.
BOOST_AUTO_TEST_CASE(the_comparison_of_groups_may_have_state)
{
    namespace s2 = registry_io::signals2;
    using signal = s2::signal<void(), s2::optional_last_value<void>, std::string, by_size>;
    signal s(signal::combiner_type(), by_size(true));
    std::string out;
    for (std::string const group : {"a", "ccc", "bb"})
        s.connect(group, [&out, group] { out += group; });
    s();
    s.disconnect(std::string("xxx"));
    s();
    BOOST_TEST(out == "cccbbabba");
}

BOOST_AUTO_TEST_CASE(calls_do_what_those_of_boost_do)
{
    test::compare(theirs::cases, ours::cases);
}

#else

namespace SIDE {
namespace {

CASE(a_signal_without_slots_does_nothing, "1 0 0")
{
    s2::signal<void()> s;
    s();
    out << s.empty() << ' ' << s.num_slots() << ' ';
    s2::signal<int()> r;
    out << bool(r()) << ' ';
}

CASE(slots_run_in_the_order_of_their_connection, "1 2 3")
{
    s2::signal<void()> s;
    for (int i = 1; i <= 3; ++i)
        s.connect([&out, i] { out << i << ' '; });
    s();
}

CASE(groups_are_ordered_between_front_and_back, "f2 f1 a2 a1 a3 b1 b2 u1 u2")
{
    s2::signal<void()> s;
    auto const note = [&out](char const* what) { return [&out, what] { out << what << ' '; }; };
    s.connect(note("u1"));
    s.connect(2, note("b1"));
    s.connect(1, note("a1"));
    s.connect(note("f1"), s2::at_front);
    s.connect(1, note("a2"), s2::at_front);
    s.connect(note("u2"), s2::at_back);
    s.connect(2, note("b2"));
    s.connect(note("f2"), s2::at_front);
    s.connect(1, note("a3"));
    s();
}

CASE(groups_are_compared_as_asked, "3 2 1 u")
{
    s2::signal<void(), s2::optional_last_value<void>, int, std::greater<int>> s;
    for (int i : {2, 1, 3})
        s.connect(i, [&out, i] { out << i << ' '; });
    s.connect([&out] { out << "u "; });
    s();
}

CASE(groups_may_be_anything_that_can_be_compared, "u a bb bb2 a u bb bb2")
{
    struct by_size
    {
        bool operator()(std::string const& x, std::string const& y) const
        {
            return x.size() < y.size();
        }
    };
    using signal = s2::signal<void(), s2::optional_last_value<void>, std::string, by_size>;
    signal s;
    auto const note = [&out](std::string what) { return [&out, what] { out << what << ' '; }; };
    s.connect(note("u"), s2::at_front);
    s.connect(std::string("bb"), note("bb"));
    s.connect(std::string("a"), note("a"));
    s.connect(std::string("cc"), note("bb2"));  // equivalent to bb
    s();
    s.disconnect(std::string("xxx"));
    s.disconnect_all_slots();
    s.connect(std::string("bb"), note("bb"));
    s.connect(std::string("a"), note("a"));
    s.connect(std::string("cc"), note("bb2"));
    s.connect(std::string("d"), note("u"));
    s();
}

CASE(many_slots_keep_their_order, "1000 499500 1 1")
{
    s2::signal<void()> s;
    std::vector<int> seen;
    for (int i = 0; i < 500; ++i)
        s.connect([&seen, i] { seen.push_back(500 + i); });
    for (int i = 0; i < 250; ++i)
        s.connect([&seen, i] { seen.push_back(249 - i); }, s2::at_front);
    for (int i = 249; i >= 0; --i)
        s.connect(i, [&seen, i] { seen.push_back(250 + i); });
    s();
    long sum = 0;
    for (int i : seen)
        sum += i;
    out << seen.size() << ' ' << sum << ' ' << std::is_sorted(seen.begin(), seen.end()) << ' '
        << (s.num_slots() == 1000) << ' ';
}

CASE(the_default_combiner_returns_the_last_result, "0 3 2")
{
    s2::signal<int(int)> s;
    out << s(1).has_value() << ' ';
    s.connect([](int i) { return i + 1; });
    s2::connection const c = s.connect([](int i) { return i + 2; });
    out << *s(1) << ' ';
    c.disconnect();
    out << *s(1) << ' ';
}

CASE(last_value_wants_a_slot, "none 5 none")
{
    s2::signal<int(), s2::last_value<int>> s;
    auto const call = [&] {
        try {
            out << s() << ' ';
        } catch (s2::no_slots_error const&) {
            out << "none ";
        }
    };
    call();
    s2::connection const c = s.connect([] { return 5; });
    call();
    c.disconnect();
    call();
}

CASE(last_value_of_void_wants_none, "ran")
{
    s2::signal<void(), s2::last_value<void>> s;
    s();
    s.connect([&] { out << "ran "; });
    s();
}

CASE(results_may_be_references, "7 1")
{
    static int value = 0;
    value = 0;
    s2::signal<int&(), s2::last_value<int&>> s;
    s.connect([]() -> int& { return value; });
    s() = 7;
    out << value << ' ' << (&s() == &value) << ' ';
}

template <class T>
struct maximum
{
    using result_type = T;
    template <class Iterator>
    T operator()(Iterator first, Iterator last) const
    {
        if (first == last)
            return T();
        T most = *first++;
        while (first != last) {
            if (most < *first)
                most = *first;  // the same result, without another call
            ++first;
        }
        return most;
    }
};

CASE(a_combiner_pulls_each_result_once, "0 4 3")
{
    int calls = 0;
    s2::signal<int(), maximum<int>> s;
    out << s() << ' ';
    for (int i : {2, 4, 1})
        s.connect([&calls, i] {
            ++calls;
            return i;
        });
    out << s() << ' ' << calls << ' ';
}

struct first_that_is_true
{
    using result_type = bool;
    template <class Iterator>
    bool operator()(Iterator first, Iterator last) const
    {
        for (; first != last; ++first)
            if (*first)
                return true;
        return false;
    }
};

CASE(a_combiner_may_stop, "a b 1")
{
    s2::signal<bool(), first_that_is_true> s;
    s.connect([&] { return out << "a ", false; });
    s.connect([&] { return out << "b ", true; });
    s.connect([&] { return out << "c ", true; });
    bool const found = s();
    out << found << ' ';
}

template <class Container>
struct collect
{
    using result_type = Container;
    template <class Iterator>
    Container operator()(Iterator first, Iterator last) const
    {
        return Container(first, last);
    }
};

CASE(a_combiner_may_collect_by_iterators, "3 1 2 3")
{
    s2::signal<int(), collect<std::vector<int>>> s;
    for (int i : {1, 2, 3})
        s.connect([i] { return i; });
    std::vector<int> const all = s();
    out << all.size() << ' ';
    for (int i : all)
        out << i << ' ';
}

struct skip_all_but_the_last
{
    using result_type = int;
    template <class Iterator>
    int operator()(Iterator first, Iterator last) const
    {
        int n = 0;
        for (; first != last; ++first)
            ++n;
        return n;
    }
};

CASE(a_combiner_need_not_call, "2 0")
{
    int calls = 0;
    s2::signal<int(), skip_all_but_the_last> s;
    s.connect([&] { return ++calls; });
    s.connect([&] { return ++calls; });
    out << s() << ' ' << calls << ' ';
}

struct void_counter
{
    using result_type = int;
    template <class Iterator>
    int operator()(Iterator first, Iterator last) const
    {
        int n = 0;
        for (; first != last; ++first, ++n)
            *first;
        return n;
    }
};

CASE(a_combiner_of_slots_without_results, "a b 2 0")
{
    s2::signal<void(), void_counter> s;
    s.connect([&] { out << "a "; });
    s.connect([&] { out << "b "; });
    int const n = s();
    out << n << ' ';
    s.disconnect_all_slots();
    out << s() << ' ';
}

struct add_to
{
    using result_type = int;
    explicit add_to(int b = 0) : base(b) {}
    template <class Iterator>
    int operator()(Iterator first, Iterator last) const
    {
        int sum = base;
        for (; first != last; ++first)
            sum += *first;
        return sum;
    }
    int base;
};

CASE(a_combiner_with_state_can_be_replaced, "100 101 201 200 200 7")
{
    s2::signal<int(), add_to> s(add_to(100));
    out << s() << ' ';
    s2::connection const c = s.connect([] { return 1; });
    out << s() << ' ';
    s.set_combiner(add_to(200));
    out << s() << ' ';
    c.disconnect();
    out << s() << ' ' << s.combiner().base << ' ';
    s.set_combiner(add_to(7));
    out << s() << ' ';
}

CASE(a_slot_may_replace_the_combiner, "101 1001")
{
    s2::signal<int(), add_to> s(add_to(100));
    s.connect([&] {
        s.set_combiner(add_to(1000));
        return 1;
    });
    out << s() << ' ';
    out << s() << ' ';
}

struct always_throws
{
    using result_type = int;
    template <class Iterator>
    int operator()(Iterator first, Iterator) const
    {
        throw std::runtime_error(std::to_string(*first));
    }
};

CASE(a_combiner_may_throw, "5 5 slot")
{
    s2::signal<int(int), always_throws> s;
    s.connect([](int i) { return i == 0 ? throw std::runtime_error("slot") : i; });
    for (int i : {5, 5, 0}) {
        try {
            s(i);
        } catch (std::runtime_error const& e) {
            out << e.what() << ' ';
        }
    }
}

CASE(an_exception_ends_the_call, "a thrown a b c")
{
    s2::signal<void(int)> s;
    s.connect([&](int) { out << "a "; });
    s.connect([&](int fail) {
        if (fail != 0)
            throw std::runtime_error("slot");
        out << "b ";
    });
    s.connect([&](int) { out << "c "; });
    try {
        s(1);
    } catch (std::runtime_error const&) {
        out << "thrown ";
    }
    s(0);
}

CASE(arguments_are_passed_on, "1 two 3 4")
{
    s2::signal<void(int, std::string const&, double, int&)> s;
    s.connect([&](int a, std::string const& b, double c, int& d) {
        out << a << ' ' << b << ' ' << c << ' ';
        ++d;
    });
    int d = 3;
    s(1, "two", 3, d);
    out << d << ' ';
}

CASE(each_slot_gets_its_copy_of_a_value, "text text text")
{
    s2::signal<void(std::string)> s;
    s.connect([&](std::string t) {
        out << t << ' ';
        t = "changed";
    });
    s.connect([&](std::string const& t) { out << t << ' '; });
    s.connect([&](std::string&& t) {
        out << t << ' ';
        t.clear();
    });
    s("text");
}

CASE(a_reference_is_shared, "1 2 3")
{
    s2::signal<void(int&)> s;
    for (int i = 0; i < 2; ++i)
        s.connect([&](int& n) { out << n++ << ' '; });
    int n = 1;
    s(n);
    out << n << ' ';
}

CASE(results_and_arguments_convert, "3 2.5")
{
    s2::signal<double(int)> s;
    s.connect([](long i) { return static_cast<int>(i); });
    out << *s(3) << ' ';
    s.connect([](double d) { return static_cast<float>(d) - 0.5f; });
    out << *s(3) << ' ';
}

CASE(a_slot_may_return_what_is_not_wanted, "ran")
{
    s2::signal<void()> s;
    s.connect([&] {
        out << "ran ";
        return 5;
    });
    s();
}

CASE(callables_of_all_kinds, "f m b r s 1 2")
{
    static std::ostream* to = nullptr;
    to = &out;
    struct X
    {
        void f() { *to << "m "; }
    };
    struct counter
    {
        void operator()(X&) { *to << ++n << ' '; }
        int n = 0;
    };
    s2::signal<void(X&)> s;
    void (*const f)(X&) = [](X&) { *to << "f "; };
    s.connect(f);
    s.connect(&X::f);
    s.connect(boost::function<void(X&)>([](X&) { *to << "b "; }));
    auto const referred = [](X&) { *to << "r "; };
    s.connect(boost::ref(referred));
    s.connect(std::function<void(X&)>([](X&) { *to << "s "; }));
    s.connect(counter());
    X x;
    s(x);
    s.disconnect_all_slots();
    counter own;
    own.n = 1;
    s.connect(boost::ref(own));
    s(x);
}

CASE(a_callable_keeps_what_its_calls_change, "1 2 3")
{
    s2::signal<void()> s;
    s.connect([&out, n = 0]() mutable { out << ++n << ' '; });
    s();
    s();
    s();
}

CASE(an_empty_function_is_called_and_says_so, "empty empty")
{
    s2::signal<void()> s;
    s.connect(boost::function<void()>());
    try {
        s();
    } catch (boost::bad_function_call const&) {
        out << "empty ";
    }
    s2::signal<void()> t;
    t.connect(static_cast<void (*)()>(nullptr));
    try {
        t();
    } catch (boost::bad_function_call const&) {
        out << "empty ";
    }
}

CASE(a_slot_calls_the_signal_again, "2 1 0")
{
    s2::signal<void(int)> s;
    s.connect([&](int n) {
        out << n << ' ';
        if (n != 0)
            s(n - 1);
    });
    s(2);
}

CASE(a_signal_of_a_signal, "a b c b c")
{
    s2::signal<void()> outer;
    s2::signal<void()> inner;
    outer.connect([&] { out << "a "; });
    outer.connect(inner);
    inner.connect([&] { out << "b "; });
    inner.connect([&] { out << "c "; });
    outer();
    inner();
}

CASE(a_signal_of_a_signal_with_results, "42 0")
{
    s2::signal<int(int), s2::last_value<int>> inner;
    s2::signal<int(int)> outer;
    outer.connect(inner);
    inner.connect([](int i) { return 2 * i; });
    out << *outer(21) << ' ';
    s2::signal<int(int)> none;
    out << none(1).has_value() << ' ';
}

CASE(types_of_a_signal, "2 1 1 1 1 1 1 1")
{
    using signal = s2::signal<int(char, long)>;
    out << signal::arity << ' ' << std::is_same_v<signal::arg<0>::type, char> << ' '
        << std::is_same_v<signal::arg<1>::type, long> << ' '
        << std::is_same_v<signal::result_type, boost::optional<int>> << ' '
        << std::is_same_v<signal::slot_result_type, int> << ' '
        << std::is_same_v<signal::group_type, int> << ' '
        << std::is_same_v<signal::signature_type, int(char, long)> << ' '
        << std::is_same_v<signal::slot_function_type, boost::function<int(char, long)>> << ' ';
}

CASE(another_slot_function, "s 3")
{
    s2::signal<int(int), s2::optional_last_value<int>, int, std::less<int>, std::function<int(int)>>
        s;
    s.connect([&](int i) { return out << "s ", i; });
    out << *s(3) << ' ';
}

}  // namespace
}  // namespace SIDE

#endif
