// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)

#include <registry_io/panic/propagate.hpp>
#include <registry_io/presets/local.hpp>
#include <registry_io/presets/sync.hpp>

#include <boost/test/unit_test.hpp>

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

using registry_io::handler_id;
using threaded = registry_io::SyncRegistry<std::string>;
using local = registry_io::LocalRegistry<std::string>;

namespace {

int free_calls = 0;
void free_function(std::string const&)
{
    ++free_calls;
}

struct listener
{
    std::string heard;
    void hear(std::string const& s) { heard += s; }
    void hear_twice(std::string const& s) noexcept { heard += s + s; }
};

// A move whose copy would not compile.
struct move_only
{
    explicit move_only(int* c) : calls(c), p(std::make_unique<int>(1)) {}
    move_only(move_only&&) = default;
    void operator()(std::string const&) const { *calls += *p; }
    int* calls;
    std::unique_ptr<int> p;
};

// Answers to const and to mutable differently.
struct both
{
    std::string* log;
    void operator()(std::string const&) { *log += 'm'; }
    void operator()(std::string const&) const { *log += 'c'; }
};

struct throws_when_copied
{
    throws_when_copied() = default;
    throws_when_copied(throws_when_copied const&) { throw std::runtime_error("copy"); }
    void operator()(std::string const&) const {}
};

struct event
{
    std::string text;
    std::string const& name() const { return text; }
    std::string member = "m";
};

/// Does not give its address away; lies in an entry of the table, or in memory of its own.
template <int Words>
struct coy
{
    int* to[Words];
    coy* operator&() = delete;
    coy const* operator&() const = delete;
    void operator()(int event) const
    {
        for (int* t : to)
            *t += event;
    }
};

}  // namespace

BOOST_AUTO_TEST_CASE(function_pointers_are_handlers)
{
    threaded r;
    r.register_handler(&free_function);
    r.register_handler(free_function);
    r.register_handler(1, &free_function);
    free_calls = 0;
    r.notify("x");
    BOOST_TEST(free_calls == 3);
}

BOOST_AUTO_TEST_CASE(a_std_function_is_a_handler)
{
    threaded r;
    std::string log;
    std::function<void(std::string const&)> f = [&](std::string const& s) { log += s; };
    r.register_handler(f);
    r.register_handler(std::move(f));
    r.notify("ab");
    BOOST_TEST(log == "abab");
}

BOOST_AUTO_TEST_CASE(a_bound_member_function_is_a_handler)
{
    threaded r;
    listener l;
    r.register_handler(std::bind_front(&listener::hear, &l));
    r.register_handler(std::bind_front(&listener::hear_twice, std::ref(l)));
    r.notify("a");
    BOOST_TEST(l.heard == "aaa");
}

BOOST_AUTO_TEST_CASE(a_member_of_the_event_is_a_handler)
{
    // As std::invoke has it: called on the event. Odd, but what "callable" means.
    registry_io::SyncRegistry<event> r;
    r.register_handler(&event::name);
    r.register_handler(&event::member);
    r.notify(event{"x"});
    BOOST_TEST(r.size() == 2u);
}

BOOST_AUTO_TEST_CASE(a_handler_may_have_an_address_operator_of_its_own)
{
    registry_io::SyncRegistry<int> r;
    int sum = 0;
    r.register_handler(coy<1>{{&sum}});
    r.register_handler(coy<4>{{&sum, &sum, &sum, &sum}});
    r.notify(3);
    BOOST_TEST(sum == 15);
}

BOOST_AUTO_TEST_CASE(a_handler_may_be_move_only)
{
    threaded r;
    int calls = 0;
    handler_id const id = r.register_handler(move_only(&calls));
    r.register_handler(
        2, [&calls, p = std::make_unique<int>(10)](std::string const&) { calls += *p; });
    auto guard = r.register_guard(move_only(&calls));
    r.update([&](threaded::transaction& tx) { tx.register_handler(move_only(&calls)); });
    r.notify("");
    BOOST_TEST(calls == 13);
    BOOST_TEST(r.unregister(id));
}

BOOST_AUTO_TEST_CASE(what_handlers_return_is_ignored)
{
    threaded r;
    r.register_handler([](std::string const& s) { return s.size(); });
    r.register_handler([](std::string_view) { return std::make_unique<int>(); });
    r.notify("text");
    BOOST_TEST(r.size() == 2u);
}

BOOST_AUTO_TEST_CASE(empty_handlers_are_refused)
{
    threaded r;
    local l;
    std::function<void(std::string const&)> const empty_function;
    void (*const null_function)(std::string const&) = nullptr;
    int (std::string::* const null_member)() const = nullptr;
    auto const refuses = [&](auto& registry, auto const& f) {
        BOOST_CHECK_THROW(registry.register_handler(f), std::invalid_argument);
        BOOST_CHECK_THROW(registry.register_handler(1, f), std::invalid_argument);
        BOOST_CHECK_THROW(static_cast<void>(registry.register_guard(f)), std::invalid_argument);
        BOOST_CHECK_THROW(registry.update([&](auto& tx) {
            tx.register_handler([](std::string const&) {});
            tx.register_handler(f);
        }),
                          std::invalid_argument);
        BOOST_TEST(registry.empty());
    };
    refuses(r, empty_function);
    refuses(r, null_function);
    refuses(r, null_member);
    refuses(l, empty_function);
    refuses(l, null_function);
    // A callback and a sink as well.
    BOOST_CHECK_THROW(r.on_panic(std::function<void(registry_io::panic_info const&)>()),
                      std::invalid_argument);
    BOOST_CHECK_THROW(r.log_to(std::function<void(std::string_view)>()), std::invalid_argument);
    // A lambda that captures nothing can be compared with null, and is no null.
    r.register_handler([](std::string const&) {});
    BOOST_TEST(r.size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_handler_whose_copy_throws_changes_nothing)
{
    threaded r;
    throws_when_copied const f;
    BOOST_CHECK_THROW(r.register_handler(f), std::runtime_error);
    BOOST_CHECK_THROW(r.register_handler(1, f), std::runtime_error);
    BOOST_TEST(r.empty());
    r.notify("");
}

BOOST_AUTO_TEST_CASE(handlers_are_called_as_const_where_threads_share_them)
{
    std::string log;
    threaded r;
    r.register_handler(both{&log});
    r.notify("");
    BOOST_TEST(log == "c");
    local l;
    l.register_handler(both{&log});
    l.notify("");
    BOOST_TEST(log == "cc");
}

BOOST_AUTO_TEST_CASE(a_mutable_lambda_in_a_local_registry_keeps_its_state)
{
    local r;
    std::vector<int> counts;
    r.register_handler([&counts, n = 0](std::string const&) mutable { counts.push_back(++n); });
    // One word, which must not be called through a copy of its bytes.
    r.register_handler([n = 10](std::string const&) mutable {
        ++n;
        free_calls = n;
    });
    r.notify("");
    r.notify("");
    for (int i = 0; i < 200; ++i)
        r.register_handler([](std::string const&) {});
    r.notify("");
    BOOST_TEST(counts == (std::vector<int>{1, 2, 3}), boost::test_tools::per_element());
    BOOST_TEST(free_calls == 13);
}

BOOST_AUTO_TEST_CASE(unsynchronized_lets_a_mutable_lambda_in)
{
    threaded r;
    int last = 0;
    r.register_handler(
        registry_io::unsynchronized([&last, n = 0](std::string const&) mutable { last = ++n; }));
    // A word, again.
    r.register_handler(1, registry_io::unsynchronized([n = 5](std::string const&) mutable {
                           ++n;
                           free_calls = n;
                       }));
    r.notify("");
    r.notify("");
    BOOST_TEST(last == 2);
    BOOST_TEST(free_calls == 7);
}
