// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

#include <registry_io/panic/propagate.hpp>
#include <registry_io/presets/local.hpp>
#include <registry_io/presets/sync.hpp>

#include <boost/test/unit_test.hpp>

#include <array>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

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

// Its copy constructor would not compile.
struct move_only
{
    explicit move_only(int* c) : calls(c), p(std::make_unique<int>(1)) {}
    move_only(move_only&&) = default;
    void operator()(std::string const&) const { *calls += *p; }
    int* calls;
    std::unique_ptr<int> p;
};

// Gives different answers when it is called as const and as mutable.
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

/// Overloads operator&, so its address cannot be taken in the usual way. It is stored in an entry
/// of the table, or in a block of its own.
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
    // As with std::invoke, it is called on the event. Odd, but that is what "callable" means.
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

BOOST_AUTO_TEST_CASE(what_a_handler_returns_that_is_not_to_be_awaited_is_dropped)
{
    threaded r;
    int calls = 0;
    r.register_handler([&calls](std::string const&) { return ++calls != 0; });
    r.register_handler([](std::string const&) {
        std::promise<int> p;
        p.set_value(1);
        return p.get_future();
    });
    r.register_handler([](std::string const&) -> std::future<int>& {
        static std::future<int> f;
        return f;
    });
    r.notify("");
    BOOST_TEST(calls == 1);
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
    // The same for a callback and a sink.
    BOOST_CHECK_THROW(r.on_panic(std::function<void(registry_io::panic_info const&)>()),
                      std::invalid_argument);
    BOOST_CHECK_THROW(r.log_to(std::function<void(std::string_view)>()), std::invalid_argument);
    // A lambda without captures can be compared with null, and is not null.
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
    BOOST_TEST(log == "cm");
}

namespace {

// State that a const call operator changes nevertheless.
template <class T, std::size_t Others>
struct counting
{
    mutable T n{};
    std::conditional_t<Others == 0, char, std::array<T, Others>> others{};
    void bump() const
    {
        n = static_cast<T>(n + 1);
        free_calls = static_cast<int>(n);
    }
    void operator()(std::string const&) const { bump(); }
};
struct counting_alone
{
    mutable int n = 0;
    void bump() const { free_calls = ++n; }
    void operator()(std::string const&) const { bump(); }
};
class counting_by_constructor
{
public:
    explicit counting_by_constructor(int n) : n_(n) {}
    void operator()(std::string const&) const { free_calls = ++n_; }

private:
    mutable int n_;
};
struct counting_base : counting_alone
{
};
struct counting_bits
{
    mutable unsigned n : 5 = 0;
    unsigned other : 3 = 0;
    void operator()(std::string const&) const
    {
        n = (n + 1) & 31;
        free_calls = static_cast<int>(n);
    }
};

template <class Registry, class F>
void keeps_what_it_counts(F const& f)
{
    if constexpr (sizeof(int) == sizeof(void*) && sizeof(F) == sizeof(void*)) {
        // On a processor of 32 bits these are as large as a pointer, so some end in a sentence as
        // the one below does.
        namespace detail = registry_io::detail;
        if (detail::mutable_members_of<F> == detail::mutable_members::unknown)
            return;
    }
    Registry r;
    r.register_handler(f);
    free_calls = 0;
    r.notify("");
    r.notify("");
    for (int i = 0; i < 200; ++i)
        r.register_handler([](std::string const&) {});
    r.notify("");
    BOOST_TEST(free_calls == 3);
}

template <class Registry>
void keeps_what_all_count()
{
    keeps_what_it_counts<Registry>(counting<int, 0>());
    keeps_what_it_counts<Registry>(counting<int, 2>());
    keeps_what_it_counts<Registry>(counting<unsigned char, 0>());
    keeps_what_it_counts<Registry>(counting<float, 0>());
    keeps_what_it_counts<Registry>(counting<long, 7>());
    keeps_what_it_counts<Registry>(counting_alone());
    keeps_what_it_counts<Registry>(counting_by_constructor(0));
    keeps_what_it_counts<Registry>(counting_base());
    keeps_what_it_counts<Registry>(counting_bits());
    auto const captures = [c = counting_alone()](std::string const&) { c.bump(); };
    keeps_what_it_counts<Registry>(captures);
    keeps_what_it_counts<Registry>([captures](std::string const& s) { captures(s); });
    keeps_what_it_counts<Registry>([c = counting_alone()](auto const&) { c.bump(); });
    auto const bound = std::bind_front(
        [](counting_alone const& c, std::string const&) { c.bump(); }, counting_alone());
    keeps_what_it_counts<Registry>(bound);
    keeps_what_it_counts<Registry>([bound](std::string const& s) { bound(s); });
}

struct moving_pointer
{
    mutable char const* p = "text";
    void operator()(std::string const&) const { ++p; }
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_mutable_member_keeps_its_state_at_every_size)
{
    keeps_what_all_count<threaded>();
    keeps_what_all_count<local>();
}

BOOST_AUTO_TEST_CASE(a_mutable_pointer_alone_ends_in_a_sentence)
{
    // Whether a type with a pointer has mutable members cannot always be found out at compile time.
    std::FILE* const err = std::tmpfile();
    pid_t const child = ::fork();
    if (child == 0) {
        ::dup2(::fileno(err), 2);
        std::set_terminate([] { std::_Exit(77); });
        threaded r;
        r.register_handler([m = moving_pointer()](std::string const& s) { m(s); });
        r.notify("");
        std::_Exit(0);
    }
    int status = 0;
    BOOST_TEST(::waitpid(child, &status, 0) == child);
    BOOST_TEST(WIFEXITED(status));
    BOOST_TEST(WEXITSTATUS(status) == 77);
    BOOST_TEST(std::fseek(err, 0, SEEK_SET) == 0);
    char line[300] = {};
    BOOST_TEST(std::fgets(line, sizeof line, err) != nullptr);
    BOOST_TEST(std::string(line).find("mutable member") != std::string::npos);
    std::fclose(err);
}

namespace {

struct both_counting
{
    int n = 0;
    void operator()(std::string const&) { free_calls = ++n; }
    void operator()(std::string const&) const { free_calls = -1; }
};
struct both_by_reference
{
    int n = 0;
    void operator()(std::string const&) & { free_calls = ++n; }
    void operator()(std::string const&) const& { free_calls = -1; }
};
struct both_by_value
{
    int n = 0;
    // NOLINTBEGIN(performance-unnecessary-value-param): by value is what is tested
    void operator()(std::string) { free_calls = ++n; }
    void operator()(std::string) const { free_calls = -1; }
    // NOLINTEND(performance-unnecessary-value-param)
};
struct both_generic
{
    int n = 0;
    template <class T>
    void operator()(T const&)
    {
        free_calls = ++n;
    }
    template <class T>
    void operator()(T const&) const
    {
        free_calls = -1;
    }
};
struct both_final final
{
    int n = 0;
    void operator()(std::string_view) { free_calls = ++n; }
    void operator()(std::string_view) const { free_calls = -1; }
};

}  // namespace

BOOST_AUTO_TEST_CASE(with_one_thread_the_operator_that_is_not_const_is_called)
{
    keeps_what_it_counts<local>(both_counting());
    keeps_what_it_counts<local>(both_by_reference());
    keeps_what_it_counts<local>(both_by_value());
    keeps_what_it_counts<local>(both_generic());
    keeps_what_it_counts<local>(both_final());
    keeps_what_it_counts<local>([n = 0](auto const&) mutable { free_calls = ++n; });
    // Also if the caller promises that calls do not overlap.
    threaded r;
    r.register_handler(registry_io::unsynchronized(both_counting()));
    free_calls = 0;
    r.notify("");
    r.notify("");
    BOOST_TEST(free_calls == 2);
    // A class that is called through its conversion to a function pointer has no call operator at
    // all.
    struct converts
    {
        using function = void (*)(std::string const&);
        operator function() const { return &free_function; }
    };
    local l;
    l.register_handler(converts());
    l.notify("");
    BOOST_TEST(free_calls == 3);
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
    // Again a handler of one word.
    r.register_handler(1, registry_io::unsynchronized([n = 5](std::string const&) mutable {
                           ++n;
                           free_calls = n;
                       }));
    r.notify("");
    r.notify("");
    BOOST_TEST(last == 2);
    BOOST_TEST(free_calls == 7);
}
